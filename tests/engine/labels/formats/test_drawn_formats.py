"""Labels as other programs write them: each layout, made with the right names, gives the masks or classes drawn."""

import base64
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.formats import label_studio
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.outlines.plain_pickle import load_plain
from sslstudio.engine.labels.outlines.shapes import Drawing, Shape, paint, rectangle, turned_rectangle
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import SOURCES, Recognised

HEIGHT, WIDTH = 40, 60
BOX = (10, 8, 34, 28)  # left, top, right, bottom of what is drawn
HOLE = (16, 14, 24, 20)
COUNT = 6
Drawn = NDArray[np.uint8]


def _corners(left: int, top: int, right: int, bottom: int) -> list[list[int]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def _pictures(folder: Path, ending: str = ".png") -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"p{number}" for number in range(COUNT)]
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}{ending}")
    return names


def _kind(number: int) -> str:
    return ("cat", "dog")[number % 2]


def _labelme(root: Path) -> None:
    for number, name in enumerate(_pictures(root)):
        shape = {"label": _kind(number), "points": _corners(*BOX), "shape_type": "polygon", "flags": {}}
        content: dict[str, Any] = {"version": "5.4.1", "flags": {}, "shapes": [shape],
                   "imagePath": f"{name}.png", "imageData": None,
                   "imageHeight": HEIGHT, "imageWidth": WIDTH}  # fmt: skip
        (root / f"{name}.json").write_text(json.dumps(content))


def _yolo(root: Path) -> None:
    (root / "labels/train").mkdir(parents=True)
    (root / "data.yaml").write_text("path: .\ntrain: images/train\nnames: {0: cat, 1: dog}\n")
    for number, name in enumerate(_pictures(root / "images/train")):
        shares = " ".join(f"{x / WIDTH:.8f} {y / HEIGHT:.8f}" for x, y in _corners(*BOX))
        (root / f"labels/train/{name}.txt").write_text(f"{number % 2} {shares}\n")


def _cvat(root: Path) -> None:
    lines = ["<?xml version='1.0' encoding='utf-8'?>", "<annotations>", "<version>1.1</version>"]
    for number, name in enumerate(_pictures(root / "images")):
        points = ";".join(f"{x}.00,{y}.00" for x, y in _corners(*BOX))
        wide, high = BOX[2] - BOX[0], BOX[3] - BOX[1]
        drawn = f"<polygon label='{_kind(number)}' points='{points}'/>"
        if number > 2:
            drawn = (f"<mask label='{_kind(number)}' rle='0, {wide * high}' left='{BOX[0]}' top='{BOX[1]}' "
                     f"width='{wide}' height='{high}'/>")  # fmt: skip
        lines.append(f"<image id='{number}' name='{name}.png' width='{WIDTH}' height='{HEIGHT}'>{drawn}</image>")
    (root / "annotations.xml").write_text("\n".join([*lines, "</annotations>"]))


def _brush(mask: NDArray[np.bool_]) -> list[int]:
    """As its editor packs them: here every value is written on its own, in runs of 256."""
    values = np.repeat(mask.ravel().astype(np.uint8) * 255, 4)
    bits = f"{len(values):032b}{7:05b}" + f"{7:04b}" * 4
    for start in range(0, len(values), 256):
        part = values[start : start + 256]
        bits += f"0{0:02b}{len(part) - 1:08b}" + "".join(f"{value:08b}" for value in part)
    bits += "0" * (-len(bits) % 8)
    return [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]


def _label_studio(root: Path) -> None:
    tasks = []
    for number, name in enumerate(_pictures(root / "images")):
        share = [[x / WIDTH * 100, y / HEIGHT * 100] for x, y in _corners(*BOX)]
        kind, value = "polygonlabels", {"points": share, "polygonlabels": [_kind(number)], "closed": True}
        if number > 2:
            inside = np.zeros((HEIGHT, WIDTH), bool)
            inside[BOX[1] : BOX[3], BOX[0] : BOX[2]] = True
            kind, value = "brushlabels", {"format": "rle", "rle": _brush(inside), "brushlabels": [_kind(number)]}
        result = {"type": kind, "value": value, "original_width": WIDTH, "original_height": HEIGHT}
        data = {"image": f"/data/upload/1/3f2a9c1e-{name}.png"}
        tasks.append({"id": number, "annotations": [{"id": 1, "was_cancelled": False, "result": [result]}],
                      "data": data})  # fmt: skip
    (root / "project-1.json").write_text(json.dumps(tasks))


def _qupath(root: Path) -> None:
    for number, name in enumerate(_pictures(root)):
        rings = [[*ring, ring[0]] for ring in (_corners(*BOX), _corners(*HOLE))]
        geometry: dict[str, Any] = {"type": "Polygon", "coordinates": rings}
        if number > 2:
            geometry = {"type": "MultiPolygon", "coordinates": [rings]}
        feature = {"type": "Feature", "geometry": geometry,
                   "properties": {"objectType": "annotation", "classification": {"name": _kind(number)}}}  # fmt: skip
        (root / f"{name}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))


def _cells() -> NDArray[np.uint16]:
    cells = np.zeros((HEIGHT, WIDTH), np.uint16)
    cells[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 1
    cells[BOX[1] : BOX[3], BOX[0] + 8 : BOX[2]] = 2
    return cells


def _cellpose(root: Path) -> None:
    for name in _pictures(root):
        Image.fromarray(_cells()).save(root / f"{name}_cp_masks.png")


def _cellpose_seg(root: Path) -> None:
    for name in _pictures(root):
        content: Any = {"masks": _cells(), "outlines": _cells(), "filename": name, "est_diam": np.float64(3.0)}
        np.save(root / f"{name}_seg.npy", content, allow_pickle=True)


def _nnunet(root: Path) -> None:
    for name in _pictures(root / "imagesTr", "_0000.png"):
        mask = np.minimum(_cells(), 1).astype(np.uint8)
        (root / "labelsTr").mkdir(exist_ok=True)
        Image.fromarray(mask).save(root / f"labelsTr/{name}.png")
    _pictures(root / "imagesTs", "x_0000.png")
    (root / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "tumour": 1}, "file_ending": ".png"}))


def _roi(corners: list[list[int]]) -> bytes:
    xs, ys = zip(*corners, strict=True)
    head = struct.pack(">4shBB4hH", b"Iout", 227, 0, 0, min(ys), min(xs), max(ys), max(xs), len(corners)).ljust(
        64, b"\0"
    )
    return head + struct.pack(f">{len(xs)}h", *(x - min(xs) for x in xs)) + struct.pack(
        f">{len(ys)}h", *(y - min(ys) for y in ys)
    )  # fmt: skip


def _imagej(root: Path) -> None:
    for name in _pictures(root):
        with zipfile.ZipFile(root / f"{name}_RoiSet.zip", "w") as packed:
            packed.writestr("0001-0018-0022.roi", _roi(_corners(*BOX)))


def _expected(with_hole: bool) -> NDArray[np.bool_]:
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[BOX[1] : BOX[3], BOX[0] : BOX[2]] = True
    if with_hole:
        inside[HOLE[1] : HOLE[3], HOLE[0] : HOLE[2]] = False
    return inside


LAYOUTS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "labelme": (_labelme, ("cat", "dog")),
    "yolo": (_yolo, ("cat", "dog")),
    "cvat": (_cvat, ("cat", "dog")),
    "label_studio": (_label_studio, ("cat", "dog")),
    "qupath": (_qupath, ("cat", "dog")),
    "cellpose": (_cellpose, ("object",)),
    "cellpose_seg": (_cellpose_seg, ("object",)),
    "nnunet": (_nnunet, ("tumour",)),
    "imagej": (_imagej, ("object",)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_dropped_folder_has_the_masks_that_were_drawn(layout: str, tmp_path: Path) -> None:
    make, names = LAYOUTS[layout]
    make(tmp_path)
    found = recognise(scan(tmp_path))
    assert found.masks is not None
    assert set(found.masks.names[1:]) == set(names)
    assert found.classes is None
    assert len(found.masks.of) == COUNT
    assert len(found.pictures) == (2 * COUNT if layout == "nnunet" else COUNT)
    for path, mask in found.masks.of.items():
        numbers = decode_mask(tmp_path / mask, found.masks.coding, None)
        assert np.array_equal(numbers > 0, _expected(layout == "qupath")), path
        if len(names) == 2:
            number = int(Path(path).stem[1])
            assert found.masks.names[numbers.max()] == _kind(number)


# Classes of whole pictures


def _voc_file(root: Path, name: str, kinds: list[str]) -> None:
    left, top, right, bottom = BOX
    box = f"<xmin>{left + 1}</xmin><ymin>{top + 1}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
    objects = "".join(f"<object><name>{kind}</name><bndbox>{box}</bndbox></object>" for kind in kinds)
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
    (root / "Annotations").mkdir(exist_ok=True)
    (root / f"Annotations/{name}.xml").write_text(f"<annotation>{size}{objects}</annotation>")


def _voc(root: Path) -> None:
    for number, name in enumerate(_pictures(root / "JPEGImages", ".jpg")):
        _voc_file(root, name, ["cat", "dog"] if number == 5 else [_kind(number)] * 2)


def _notes(found: Recognised) -> str:
    return " ".join(str(note) for note in (*found.notes, *(found.classes.notes if found.classes else ()),
                                           *(found.masks.notes if found.masks else ())))  # fmt: skip


def test_boxes_of_one_kind_are_the_class_of_a_picture(tmp_path: Path) -> None:
    _voc(tmp_path)
    found = recognise(scan(tmp_path))
    assert found.classes is not None
    assert {path: found.classes.names[of] for path, of in found.classes.of.items()} == {
        f"JPEGImages/p{number}.jpg": _kind(number) for number in range(5)
    }
    assert found.masks is None
    assert "1 picture has several classes" in _notes(found)
    assert "boxes were taken" in _notes(found)


def test_boxes_that_give_no_classes_are_rough_masks_when_they_are_asked_for(tmp_path: Path) -> None:
    for name in _pictures(tmp_path / "JPEGImages", ".jpg"):
        _voc_file(tmp_path, name, ["cat"])
    unasked = recognise(scan(tmp_path))
    assert unasked.classes is None
    assert unasked.masks is None
    assert "rough masks" in _notes(unasked)
    found = recognise(scan(tmp_path), "Annotations")
    assert found.masks is not None
    assert "rough" in _notes(found)
    mask = decode_mask(tmp_path / found.masks.of["JPEGImages/p0.jpg"], found.masks.coding, None)
    assert np.array_equal(mask > 0, _expected(False))


def test_tags_are_classes(tmp_path: Path) -> None:
    images = "".join(
        f"<image id='{number}' name='{name}.png' width='60' height='40'><tag label='{_kind(number)}'/></image>"
        for number, name in enumerate(_pictures(tmp_path))
    )
    (tmp_path / "annotations.xml").write_text(f"<annotations><version>1.1</version>{images}</annotations>")
    found = recognise(scan(tmp_path))
    assert found.classes is not None
    assert found.classes.names == ("cat", "dog")


def test_choices_are_classes(tmp_path: Path) -> None:
    tasks = [
        {"annotations": [{"result": [{"type": "choices", "value": {"choices": [_kind(number)]}}]}],
         "data": {"image": f"/data/local-files/?d=set/{name}.png"}}
        for number, name in enumerate(_pictures(tmp_path))
    ]  # fmt: skip
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    found = recognise(scan(tmp_path))
    assert found.classes is not None
    assert len(found.classes.of) == COUNT


@pytest.mark.parametrize(
    "names",
    [
        "names: [cat, 'dog, brown']\n",
        "names:\n  0: cat\n  1: 'dog, brown'\n",
        "names:\n- cat\n- dog, brown\n",
        'nc: 2\nnames: {0: cat, 1: "dog, brown"}\ntrain: x\n',
        "names:\n  - cat\n  - dog, brown",
    ],
)
def test_names_of_yolo_are_read_however_they_are_written(names: str, tmp_path: Path) -> None:
    _yolo(tmp_path)
    (tmp_path / "data.yaml").write_text(names)
    found = recognise(scan(tmp_path))
    assert found.masks is not None
    assert found.masks.names == ("background", "cat", "dog, brown")


# Files from strangers


def _npy(content: Any) -> bytes:
    made = io.BytesIO()
    np.save(made, content, allow_pickle=True)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b'{"version": "5", "flags": {}, "shapes": [{"label": "x", "points": [["a", 1]]}]}', "numbers"),
        ("a.json", b'{"version": "5", "flags": {}, "shapes": 3}', "is not as labelme writes it"),
        ("a.json", b'{"version": "5", "flags": {}, "shapes": [' + b"[" * 100_000, "within each other"),
        ("a.json", b'{"version": "5", "flags": {}, "shapes": [], "imageHeight": 1e9, "imageWidth": 1e9}', "pixels"),
        ("a.xml", b"<annotation><size><width>x</width></size></annotation>", "a.xml"),
        ("a.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "DOCTYPE"),
        ("a.xml", b"<annotations><image name='p0.png' width='9' height='9'><mask label='c' rle='-1,5' left='0' top='0' "
                  b"width='3' height='3'/></image></annotations>", "longer"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [7]}', "feature 1 is no GeoJSON"),
        ("a.geojson", b"\xff\xfe", "read"),
        ("a_seg.npy", b"\x93NUMPY\x01\x00", "is not as Cellpose writes it"),
        ("a_seg.npy", _npy({"masks": np.zeros((2, 2, 2), np.uint8)}), "holds no masks of one flat picture"),
        ("a.roi", b"Iout", "it is no outline of ImageJ"),
        ("labels/a.txt", b"0 0.5 0.5 nan 0.2\n", "line 1"),
        ("labels/a.txt", b"0 0.5 0.5\n", "line 1: 2 numbers are neither a box nor a polygon"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_in_words(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    _pictures(tmp_path)
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    recognise(scan(tmp_path))  # what nobody asked for stops nothing
    with pytest.raises(DataError, match=said):
        recognise(scan(tmp_path), name)


class _Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("true",)


def _saved(value: Any, protocol: int) -> io.BytesIO:
    return io.BytesIO(pickle.dumps(value, protocol=protocol))


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_pickle_gives_arrays_and_plain_values(protocol: int) -> None:
    cells = np.asfortranarray(_cells())
    content = {"masks": cells, "flows": [cells.astype(float)], "n": np.int64(7), "name": "x", "none": None}
    loaded = load_plain(_saved(content, protocol))
    assert list(loaded) == list(content)
    assert (loaded["n"], loaded["name"], loaded["none"]) == (7, "x", None)
    assert np.array_equal(loaded["flows"][0], cells)
    assert np.array_equal(loaded["masks"], cells)
    assert loaded["masks"].dtype == cells.dtype


@pytest.mark.parametrize("value", [_Hostile(), {"masks": [_Hostile()]}, print, np.load, io.BytesIO()])
def test_a_hostile_pickle_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="it would call"):
        load_plain(_saved(value, 4))


@pytest.mark.parametrize("kind", ["rectanglelabels", "ellipselabels"])
def test_turned_marks_of_label_studio_are_refused_in_words_not_filled_as_they_were_not(kind: str) -> None:
    box = {"x": 10, "y": 10, "width": 50, "height": 20, "radiusX": 20, "radiusY": 10, "rotation": 30}
    with pytest.raises(DataError, match="is turned, which is not read: draw a polygon"):
        label_studio._shape(kind, box, "cat", HEIGHT, WIDTH)
    assert label_studio._shape(kind, {**box, "rotation": 0}, "cat", HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("make", "labels", "count", "pictures"),
    [(_labelme, "*.json", 6, ""), (_yolo, "labels/train/*.txt", 6, "images/train"),
     (_cvat, "annotations.xml", 1, "images"),
     (_label_studio, "project-1.json", 1, "images"), (_qupath, "*.geojson", 6, ""), (_imagej, "*.zip", 6, ""),
     (_voc, "Annotations/*.xml", 6, "JPEGImages")],
)  # fmt: skip
def test_files_of_labels_and_the_folders_that_they_are_about_are_told(
    make: Callable[[Path], None], labels: str, count: int, pictures: str, tmp_path: Path
) -> None:
    make(tmp_path)
    told = {one.path: one for one in recognise(scan(tmp_path)).roles}
    assert (told[labels].role, told[labels].count) == ("labels", count)
    assert "6 of 6 pictures that they name are here" in str(told[labels].reason)
    if pictures:
        assert "labels of 6 of its 6 pictures" in str(told[pictures].reason)
    left = recognise(scan(tmp_path), roles={labels: "ignore"})
    assert left.masks is None
    assert left.classes is None
    assert {one.path: one.role for one in left.roles}[labels] == "ignore"


def test_files_of_a_folder_are_chosen_together(tmp_path: Path) -> None:
    _voc(tmp_path)
    found = recognise(scan(tmp_path), roles={"Annotations/*.xml": "labels"})
    assert found.classes is not None
    told = {one.path: one for one in found.roles}
    assert told["Annotations/*.xml"].chosen


def test_masks_of_nnunet_and_cellpose_are_told(tmp_path: Path) -> None:
    _nnunet(tmp_path / "a")
    told = {one.path: one for one in recognise(scan(tmp_path / "a")).roles}
    assert told["labelsTr"].role == "masks"
    assert "6 of its 6 files are called like a picture" in str(told["labelsTr"].reason)
    assert told["dataset.json"].role == "labels"
    _cellpose(tmp_path / "b")
    told = {one.path: one for one in recognise(scan(tmp_path / "b")).roles}
    assert told["*_cp_masks.png"].role == "masks"


def test_it_does_not_matter_which_format_was_imported_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _nnunet(tmp_path)
    as_usual = recognise(scan(tmp_path)).roles
    monkeypatch.setattr(SOURCES, "_entries", dict(reversed(list(SOURCES._entries.items()))))
    assert recognise(scan(tmp_path)).roles == as_usual
    assert "files are called like a picture in imagesTr" in str({one.path: one for one in as_usual}["labelsTr"].reason)


def test_files_that_are_too_large_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sslstudio.engine.labels.outlines.files.LARGEST", 100)
    _cvat(tmp_path)
    found = recognise(scan(tmp_path))
    assert found.masks is None
    assert "CVAT file: 1 file above 64 MB left out: annotations.xml." in " ".join(found.notes)


def test_turned_marks_of_cvat_are_turned(tmp_path: Path) -> None:
    """An ellipse by a quarter is one of exchanged axes; a box keeps its middle."""
    _pictures(tmp_path)
    marks = ("<ellipse label='a' cx='30' cy='20' rx='16' ry='4' rotation='90'/>"
             "<ellipse label='b' cx='30' cy='20' rx='2' ry='2' rotation='0'/>")  # fmt: skip
    images = [
        f"<image id='{n}' name='p{n}.png' width='{WIDTH}' height='{HEIGHT}'>{marks}</image>" for n in range(COUNT)
    ]
    (tmp_path / "a.xml").write_text(
        "<?xml version='1.0'?><annotations><version>1.1</version>" + "".join(images) + "</annotations>"
    )
    masks = recognise(scan(tmp_path)).masks
    assert masks is not None
    marked = np.argwhere(decode_mask(Path(masks.of["p0.png"]), masks.coding, None) > 0)
    assert np.ptp(marked, axis=0).tolist() == [31, 7]
    corners = np.asarray(turned_rectangle(10, 10, 30, 14, np.pi / 2)).reshape(-1, 2)
    np.testing.assert_allclose(sorted(map(tuple, corners.round(6))), [(18, 2), (18, 22), (22, 2), (22, 22)])


def test_masks_in_labelme_files_are_read_and_files_that_are_not_are_said(tmp_path: Path) -> None:
    names, inside = _pictures(tmp_path), np.zeros((6, 9), bool)
    inside[1:5, 2:9] = True
    packed = io.BytesIO()
    Image.fromarray(inside).save(packed, "PNG")
    shape = {"label": "cell", "points": [[20.0, 10.0], [28.0, 15.0]], "shape_type": "mask", "flags": {},
             "mask": base64.b64encode(packed.getvalue()).decode()}  # fmt: skip
    content: dict[str, Any] = {"version": "5.5.0", "flags": {}, "shapes": [shape], "imageHeight": HEIGHT,
                               "imageWidth": WIDTH}  # fmt: skip
    for name in names:
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    masks = recognise(scan(tmp_path)).masks
    assert masks is not None
    wanted = np.zeros((HEIGHT, WIDTH), np.uint8)
    wanted[10:16, 20:29] = inside
    np.testing.assert_array_equal(decode_mask(Path(masks.of["p3.png"]), masks.coding, None), wanted)
    shape["shape_type"] = "spline"
    for name in names:
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    found = recognise(scan(tmp_path))
    assert found.masks is None
    assert "6 files of labelme files could not be used: p0.json: spline is no shape that is read." in _notes(found)


def test_what_voc_calls_difficult_does_not_count(tmp_path: Path) -> None:
    for number, name in enumerate(_pictures(tmp_path)):
        _voc_file(tmp_path, name, [_kind(number), _kind(number + 1)])
        file = tmp_path / f"Annotations/{name}.xml"
        first, sign, rest = file.read_text().rpartition("</name>")
        file.write_text(f"{first}{sign}<difficult>1</difficult>{rest}")
    found = recognise(scan(tmp_path))
    assert found.classes is not None
    assert {path: found.classes.names[label] for path, label in found.classes.of.items()} == {
        f"p{number}.png": _kind(number) for number in range(COUNT)
    }
    assert "6 objects marked as difficult: not counted." in _notes(found)
    drawing = Drawing("a", 4, 4, [Shape("x", (rectangle(0, 0, 2, 2),), box=True, counts=False)])
    assert paint(drawing, {}, 4, 4)[1, 1] == 255


def test_a_pickle_of_lists_that_name_each_other_twice_is_gone_through_once() -> None:
    """60 levels of two are 400 bytes, and 2^60 lists to whoever copies them."""
    content = b"\x80\x04]\x94" + b"".join(b"](h" + bytes([n]) + b"h" + bytes([n]) + b"e\x94" for n in range(60)) + b"."
    found = load_plain(io.BytesIO(content))
    assert found[0] is found[1]


@pytest.mark.skipif(os.name == "nt", reason="no pipes in folders there")
@pytest.mark.parametrize("name", ["p0.json", "p0.xml", "p0.geojson", "p0_seg.npy", "p0.roi", "p0.zip", "labels.csv"])
def test_pipes_and_links_to_nowhere_among_the_pictures_are_passed_over(tmp_path: Path, name: str) -> None:
    _pictures(tmp_path)
    os.mkfifo(tmp_path / name)
    (tmp_path / f"q{Path(name).suffix}").symlink_to(tmp_path / "nothing")
    found = recognise(scan(tmp_path))
    assert found.classes is None
    assert found.masks is None


def test_outlines_damaged_within_their_archive_are_refused_in_words(tmp_path: Path) -> None:
    _pictures(tmp_path)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.roi", bytes(range(256)) * 4)
    damaged = bytearray(content.getvalue())
    damaged[45:75] = b"\xff" * 30
    (tmp_path / "p0.zip").write_bytes(bytes(damaged))
    with pytest.raises(DataError, match=r"p0\.zip cannot be read"):
        recognise(scan(tmp_path), "p0.zip")
