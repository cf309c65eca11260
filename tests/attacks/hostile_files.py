"""Files that somebody has made to do harm, by kind, and what in the program reads each.

python -m tests.attacks.hostile_files [--kinds TEXT]

Each is read in a process of its own that may take 5 s and 1 GB and write below one folder: see `confined`. Beside
that folder lies another one, which must stay as it was. A case ends with a refusal in words, or, where one can go on
without what is wrong, in silence: `quiet`. Exits with 1 when anything went wrong.
"""

import argparse
import contextlib
import io
import json
import os
import pickle
import shutil
import sqlite3
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.attacks import damaged_files
from tests.attacks.confined import Outcome, Tally, confined, tell_line
from tests.attacks.damaged_files import World, command

Piece = Callable[[], object]
SIDE = 12  # pixels of the pictures that labels are about
HARM = "/harm"  # what code from a file would make, below the folder that must stay as it is


@dataclass(frozen=True)
class Case:
    """`make` writes the files below a new folder, or changes those of the world, and returns what reads them."""

    name: str
    make: Callable[[World, Path], Piece]
    quiet: bool = False


CASES: list[Case] = []


def case(name: str, quiet: bool = False) -> Callable[[Callable[[World, Path], Piece]], Callable[[World, Path], Piece]]:
    """Register a case."""

    def add(make: Callable[[World, Path], Piece]) -> Callable[[World, Path], Piece]:
        CASES.append(Case(name, make, quiet))
        return make

    return add


class Harm:
    """A pickle that runs code when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {tempfile.gettempdir()}{HARM}",)


# --- projects

DEEP = 1_000_000
TOMLS = {
    "a million lists within each other": "pictures = " + "[" * DEEP,
    "a million closed lists": "pictures = " + "[" * DEEP + "]" * DEEP,
    "a hundred thousand tables within each other": "pictures = " + "{a=" * 100_000,
    "a key of a hundred thousand parts": ".".join("a" * 100_000) + " = 1",
    "a table with a name of a hundred thousand parts": "[" + ".".join("a" * 100_000) + "]",
    "a number of a million digits": "pictures = " + "9" * DEEP,
    "the same table twice": "[a]\n[a]\n",
    "a name with a zero character": 'format = 6\npictures = "a\\u0000b"\n',
    "tables where texts should be": "format = 6\npictures = {a = 1}\nmade = [[1]]\n",
    "no text at all": "\0" * 1000,
    "a text without an end": 'pictures = """' + "x" * DEEP,
}
for title, text in TOMLS.items():

    @case(f"project: {title}")
    def _(world: World, place: Path, text: str = text) -> Piece:
        return _open_project(place, text)


def _open_project(place: Path, text: str) -> Piece:
    (place / "sslstudio.toml").write_text(text)
    (place / "sslstudio.before.toml").write_text(text)
    return partial(_project, place)


def _project(place: Path) -> None:
    from sslstudio.engine.projects.project import find_projects, open_project

    list(find_projects(place.parent))
    open_project(place)


@case("project: labels and runs elsewhere", quiet=True)
def _(world: World, place: Path) -> Piece:
    zoo = world.place / "home" / "Projects" / "little zoo"
    file = zoo / "sslstudio.toml"
    victim = os.path.relpath(world.place.parent / "victim", zoo)
    lines = [one for one in file.read_text().splitlines() if not one.startswith(("made", "earlier"))]
    file.write_text("\n".join([f'made = "{victim}"', f'earlier = ["{victim}", "/etc", "../.."]', *lines]))
    return partial(_begin_labels, zoo)


def _begin_labels(folder: Path) -> None:
    """What the page Label does first."""
    from sslstudio.engine.core.control import to_end
    from sslstudio.engine.images.index import scan
    from sslstudio.engine.labels.editing.start import begin
    from sslstudio.engine.labels.recognise import recognise
    from sslstudio.engine.projects.project import open_project

    opened = open_project(folder)
    assert opened.told, "what the file says of the folder for labels is passed over"
    to_end(begin(opened.project.labels_folder, recognise(scan(opened.project.pictures))))


# --- runs


def _classified(world: World) -> Path:
    return world.place / "home" / "Projects" / "little zoo" / "runs" / "classified"


def _damaged_run(name: str, content: bytes | Callable[[bytes], bytes]) -> Callable[[World, Path], Piece]:
    def make(world: World, place: Path) -> Piece:
        run = _classified(world)
        file = run / name
        file.write_bytes(content(file.read_bytes()) if callable(content) else content)
        return partial(_read_run, run)

    return make


def _read_run(run: Path) -> None:
    damaged_files._each(
        [partial(damaged_files._run, run), partial(command, "report", run, "--out", run / "report.html")]
    )


CONFIG = 'job = "finetune"\ntask = 7\ndata = "x"\nencoder = []\nepochs = {a = 1}\nformat = 6\n'
CLEAR = "\x1b[2J\x1b]0;x\x07"
NAMED = json.dumps({"name": f"[/][red]{CLEAR}<img src='/etc/hostname'>\u202etxt.exe" + "x" * 1000})
RUNS: dict[str, tuple[str, bytes | Callable[[bytes], bytes], bool]] = {
    "settings of another task and of wrong types": ("config.toml", CONFIG.encode(), False),
    "settings with a million lists": ("config.toml", b"a = " + b"[" * DEEP, False),
    "an event of 100 MB": (
        "events.jsonl", lambda was: was + b'{"kind":"Note","text":"' + b"x" * (100 << 20) + b'"}\n', False),
    "an event without an end": ("events.jsonl", lambda was: was + b"[" * DEEP + b"\n", False),
    "300,000 events of no kind": ("events.jsonl", lambda was: was + b'{"kind":"None"}\n' * 300_000, False),
    "a name with markup and signs of a terminal": ("name.json", NAMED.encode(), True),
    "a name that is a table within tables": ("name.json", b'{"name":' * 5000, True),
    "scores within scores": ("metrics.json", b'{"job":"finetune","parts":' * 20_000, False),
    "scores that are no numbers": ("metrics.json", b'{"job":"finetune","headline":NaN,"parts":{}}', False),
    "a picture to train on and to test with": (
        "split.json", b'{"train":["a.png"],"validation":[],"test":["a.png"]}', False),
    "pictures of another folder": (
        "split.json", b'{"train":["../../a.png"],"validation":[],"test":["/etc/passwd"]}', False),
    "a plan of another kind": ("plan.json", b'[[[[{"a":1e400}]]]]', True),
    "a writer with an endless number": ("writer.json", b'{"host":"x","pid":' + b"9" * 4000 + b"}", True),
    "objects in place of confusions": ("confusions-pretrained.npz", b"", True),
}  # fmt: skip
for title, (file_name, content, calm) in RUNS.items():
    CASES.append(Case(f"run: {title}", _damaged_run(file_name, content), calm))


@case("run: code in its confusions", quiet=True)
def _(world: World, place: Path) -> Piece:
    made = io.BytesIO()
    np.savez(made, table=np.array([Harm()], dtype=object))
    (_classified(world) / "confusions-pretrained.npz").write_bytes(made.getvalue())
    return partial(_read_run, _classified(world))


def _fifo(name: str, quiet: bool) -> None:
    def make(world: World, place: Path) -> Piece:
        file = _classified(world) / name
        file.unlink(missing_ok=True)
        os.mkfifo(file)
        return partial(_read_run, _classified(world))

    CASES.append(Case(f"run: a pipe in the place of {name}", make, quiet))


for file_name, calm in (("config.toml", False), ("events.jsonl", False), ("metrics.json", False), ("name.json", True)):
    _fifo(file_name, calm)


# --- weights


def _safetensors(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header


def _packed(name: str, content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


WEIGHTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nothing": ("w.safetensors", bytes),
    "nothing, of torch": ("w.pth", bytes),
    "a header of 2^63 bytes": ("w.safetensors", lambda: _safetensors(b"{}", 2**63)),
    "a header of lists": ("w.safetensors", lambda: _safetensors(b"[" * 1_000_000)),
    "a tensor larger than the file": ("w.safetensors", lambda: _safetensors(
        b'{"conv1.weight":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}')),
    "a shape below zero": ("w.safetensors", lambda: _safetensors(
        b'{"conv1.weight":{"dtype":"F32","shape":[-1,4],"data_offsets":[0,16]}}') + bytes(16)),
    "code": ("w.pth", lambda: pickle.dumps(Harm())),
    "code in an archive": ("w.pth", lambda: _packed("archive/data.pkl", pickle.dumps(Harm()))),
    "an archive that unpacks to 300 MB": ("w.pth", lambda: _packed("archive/data/0", bytes(300 << 20))),
}  # fmt: skip
for title, (file_name, build) in WEIGHTS.items():

    @case(f"weights: {title}")
    def _(world: World, place: Path, file_name: str = file_name, build: Callable[[], bytes] = build) -> Piece:
        (place / file_name).write_bytes(build())
        return partial(damaged_files._weights, place / file_name)


# --- labels that were made in the program


def _mask_line(path: str, size: int, rect: list[int], packed: bytes) -> dict[str, Any]:
    import base64

    return {"edit": "mask", "path": path, "size": [size, size], "rect": rect, "new": True,
            "after": base64.b85encode(packed).decode()}  # fmt: skip


JOURNALS: dict[str, Callable[[str], Any]] = {
    "an absolute path": lambda victim: _mask_line(f"{victim}/holiday", 4, [0, 0, 4, 4], zlib.compress(bytes(16))),
    "a path that climbs": lambda victim: _mask_line("../../../../../victim/holiday", 4, [0, 0, 4, 4], b""),
    "a mask taken away elsewhere": lambda victim: {
        **_mask_line(f"{victim}/holiday", 4, [0, 0, 4, 4], b""), "new": False, "after": None},
    "a mask of 10^10 pixels": lambda victim: _mask_line("a", 100_000, [0, 0, 9, 9], zlib.compress(bytes(81))),
    "a mask that unpacks to 200 MB": lambda victim: _mask_line("a", 4, [0, 0, 4, 4], zlib.compress(bytes(200 << 20))),
    "a class with an endless number": lambda victim: {"edit": "class", "kind": "classification", "number": 10**300,
                                                      "after": ["x", 1]},
}  # fmt: skip
for title, line in JOURNALS.items():

    @case(f"journal: {title}")
    def _(world: World, place: Path, line: Callable[[str], Any] = line) -> Piece:
        labels = world.place / "home" / "Projects" / "little zoo" / "labels"
        made = json.dumps(line(str(world.place.parent / "victim")))
        (labels / "journal.jsonl").write_text(made + "\n")
        return partial(damaged_files._labelling, labels)


@case("labels: masks by a link to another folder")
def _(world: World, place: Path) -> Piece:
    labels = world.place / "home" / "Projects" / "little zoo" / "labels"
    if (labels / "masks").exists():
        shutil.rmtree(labels / "masks")
    (labels / "masks").symlink_to(world.place.parent / "victim", target_is_directory=True)
    (labels / "journal.jsonl").write_text(
        json.dumps(_mask_line("holiday", 4, [0, 0, 4, 4], zlib.compress(bytes(16)))) + "\n"
    )
    return partial(damaged_files._labelling, labels)


@case("labels: zero characters in both tables")
def _(world: World, place: Path) -> Piece:
    labels = world.place / "home" / "Projects" / "little zoo" / "labels"
    for name in ("labels.csv", "classes.csv"):
        file = labels / name
        file.write_bytes(file.read_bytes().replace(b",", b",\0", 3) + b'"\0\r\n')
    return partial(damaged_files._labelling, labels)


# --- labels of other programs


def _pictures(place: Path) -> None:
    for number in range(3):
        Image.new("RGB", (SIDE, SIDE), (number, 9, 9)).save(place / f"{number}.png")


def _labels(title: str, file_name: str, build: Callable[[], bytes | str], quiet: bool = False) -> None:
    def make(world: World, place: Path) -> Piece:
        _pictures(place)
        content = build()
        file = place / file_name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return partial(_recognise, place, file_name)

    CASES.append(Case(f"labels: {title}", make, quiet))


def _recognise(place: Path, file_name: str) -> None:
    """As they lie there, then as a person chooses them; and the masks that were made of them."""
    from sslstudio.engine.images.index import scan
    from sslstudio.engine.labels.masks.decode import decode_mask
    from sslstudio.engine.labels.recognise import recognise

    index = scan(place)
    recognise(index)
    found = recognise(index, file_name)
    if found.masks is not None:
        for path in found.masks.of.values():
            decode_mask(index.root / path, found.masks.coding, 16)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 10}">' for n in range(12))
VOC = "<annotation><size><width>12</width><height>12</height></size>{}</annotation>"
OBJECT = "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>{}</xmax><ymax>9</ymax></bndbox></object>"
CVAT = "<annotations><image id='0' name='0.png' width='{0}' height='{0}'>{1}</image></annotations>"
_labels("VOC with a billion laughs", "0.xml",
        lambda: f"<!DOCTYPE a [{LAUGHS}]>" + VOC.format(OBJECT.format("&l11;", 9)))  # fmt: skip
FILE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
_labels("VOC that asks for another file", "0.xml", lambda: FILE + VOC.format(OBJECT.format("&x;", 9)))
_labels("VOC in UTF-16 with words of its own", "0.xml",
        lambda: ('<?xml version="1.0" encoding="utf-16"?>' + f"<!DOCTYPE a [{LAUGHS}]>" +
                 VOC.format(OBJECT.format("&l11;", 9))).encode("utf-16"))  # fmt: skip
_labels("VOC with 200,000 objects within each other", "0.xml", lambda: "<annotation>" + "<object>" * 200_000)
_labels("VOC with a box of 10^300 pixels", "0.xml", lambda: VOC.format(OBJECT.format("cat", "1" + "0" * 300)), True)
_labels("CVAT with a billion laughs", "annotations.xml",
        lambda: f"<!DOCTYPE a [{LAUGHS}]>" + CVAT.format(12, "&l11;"))  # fmt: skip
_labels("CVAT with runs of 10^15 pixels", "annotations.xml", lambda: CVAT.format(
        12, "<mask label='a' rle='0, 1000000000000000' left='0' top='0' width='12' height='12'/>"))  # fmt: skip
_labels("CVAT with a picture of 10^12 pixels", "annotations.xml", lambda: CVAT.format(
        1_000_000, "<mask label='a' rle='0, 9' left='0' top='0' width='3' height='3'/>"))  # fmt: skip


def _geojson(rings: Any, name: str = "cat") -> str:
    feature = {"type": "Feature", "properties": {"classification": {"name": name}},
               "geometry": {"type": "Polygon", "coordinates": rings}}  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": [feature]})


_labels("GeoJSON with a ring of 300,000 points", "0.geojson",
        lambda: _geojson([[[n % 997 / 83, n % 991 / 83] for n in range(300_000)]]), True)  # fmt: skip
_labels("GeoJSON with 50,000 rings", "0.geojson", lambda: _geojson([[[1, 1], [9, 1], [9, 9]]] * 50_000), True)
_labels("GeoJSON with points at 10^300", "0.geojson",
        lambda: _geojson([[[1e300, -1e300], [9e300, 1], [9, 9]]]), True)  # fmt: skip
_labels("GeoJSON with endless numbers", "0.geojson", lambda: _geojson([[[10**400, 1], [9, 1], [9, 9]]]))
_labels("GeoJSON with points that are no numbers", "0.geojson", lambda: _geojson([[[float("nan"), 1], [9, 1]]]))
_labels("GeoJSON of lists within lists", "0.geojson", lambda: '{"features":' + "[" * DEEP)


def _labelme(**changes: Any) -> str:
    shape = {"label": "a", "points": [[1, 1], [9, 1], [9, 9]], "shape_type": "polygon"}
    return json.dumps({"version": "5", "shapes": [shape], "imagePath": "0.png", "imageHeight": SIDE,
                       "imageWidth": SIDE} | changes)  # fmt: skip


_labels("labelme about a picture elsewhere", "0.json", lambda: _labelme(imagePath="../../../../etc/passwd"), True)
_labels("labelme with a picture of 10^12 pixels", "0.json", lambda: _labelme(imageHeight=10**6, imageWidth=10**6))
_labels("labelme with a picture in it of 40 MB", "0.json", lambda: _labelme(imageData="A" * (40 << 20)), True)
_labels("labelme with shapes of no kind", "0.json", lambda: _labelme(shapes=[{"label": {}, "points": 7}]))


def _coco(**changes: Any) -> str:
    mark = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9],
            "segmentation": [[1, 1, 9, 1, 9, 9]]}  # fmt: skip
    picture = {"id": 1, "file_name": "0.png", "width": SIDE, "height": SIDE}
    return json.dumps({"images": [picture], "annotations": [mark | changes], "categories": [{"id": 1, "name": "a"}]})


RUN_LENGTHS = {"size": [SIDE, SIDE], "counts": "o" * 3_000_000}
_labels("COCO with an endless number", "coco.json", lambda: _coco(image_id=10**400))
_labels("COCO with an endless corner", "coco.json", lambda: _coco(segmentation=[[10**400, 1, 9, 1, 9, 9]]))
_labels("COCO with a run length of 15 million bits", "coco.json", lambda: _coco(segmentation=RUN_LENGTHS))
_labels("COCO with corners that are no numbers", "coco.json", lambda: _coco(segmentation=[[float("nan")] * 6]))
_labels("COCO with corners at 10^300", "coco.json", lambda: _coco(segmentation=[[1e300, 1, 9e300, 1, 9, 9]]), True)
_labels("COCO of lists within lists", "coco.json", lambda: '{"images":' + "[" * DEEP)
_labels("COCO about pictures elsewhere", "coco.json",
        lambda: _coco().replace("0.png", "../../../../../etc/passwd"))  # fmt: skip


def _brush(values: int) -> str:
    bits = f"{values:032b}{7:05b}" + f"{7:04b}" * 4 + "0" * 7
    rle = [int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)]
    value = {"format": "rle", "rle": rle, "brushlabels": ["a"]}
    result = {"type": "brushlabels", "value": value, "original_width": SIDE, "original_height": SIDE}
    return json.dumps([{"id": 1, "data": {"image": "0.png"}, "annotations": [{"result": [result]}]}])


_labels("Label Studio with a brush of 4 billion values", "project.json", lambda: _brush(2**32 - 1))
_labels("Label Studio with tasks within tasks", "project.json", lambda: '[{"annotations":' * 200_000)
_labels("YOLO with names that run code", "data.yaml",
        lambda: "names: !!python/object/apply:os.system ['touch /tmp/harm']\n")  # fmt: skip
_labels("YOLO with names that laugh", "data.yaml", lambda: "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)) +
        "names: *j\n")  # fmt: skip
_labels("nnU-Net with endless values", "dataset.json",
        lambda: json.dumps({"labels": {"background": 0, "a": 10**300}, "file_ending": ".png"}))  # fmt: skip
_labels("nnU-Net with names within names", "dataset.json", lambda: '{"labels":' * 200_000)


# --- labels: no files

for file_name in ("0.xml", "0.json", "labels.csv", "0.geojson", "0_seg.npy", "0.roi", "0.zip", "classes.txt"):

    @case(f"labels: a pipe called {file_name}")
    def _(world: World, place: Path, file_name: str = file_name) -> Piece:
        _pictures(place)
        os.mkfifo(place / file_name)
        (place / f"nowhere{Path(file_name).suffix}").symlink_to(place / "nothing")
        return partial(_recognise, place, file_name)


# --- labels: tables

_labels("a table with zero characters", "labels.csv", lambda: b"file,label\n0.png,\0a\n1.png,b\0\n\0,\0\n", True)
_labels("a table of zero characters", "labels.csv", lambda: bytes(100_000))
_labels("a table with a cell of 20 MB", "labels.csv", lambda: "file,label\n0.png," + "x" * (20 << 20) + "\n1.png,b\n",
        True)  # fmt: skip
_labels("a table of a million columns", "labels.csv", lambda: "file," + "a," * 1_000_000 + "\n0.png,b\n")
_labels("a table with a quote that never ends", "labels.csv", lambda: 'file,label\n0.png,"' + "x\n" * 200_000, True)
_labels("a table about files elsewhere", "labels.csv",
        lambda: "file,label\n../../etc/passwd,a\n/etc/shadow,b\n")  # fmt: skip
_labels("a table with formulas and markup", "labels.csv",
        lambda: 'file,label\n0.png,"=cmd|\'/c calc\'!A1"\n1.png,<img src=/etc/passwd>\n2.png,[/]\n', True)  # fmt: skip


# --- labels: arrays and archives


def _npy(content: bytes, kind: str = "'|O'") -> bytes:
    head = f"{{'descr': {kind}, 'fortran_order': False, 'shape': (), }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + content


def _laughing_pickle() -> bytes:
    """A list of two references to a list of two references ..., 60 levels: 500 bytes that say 2^60 items."""
    made = b"\x80\x04}\x8c\x05masks]\x94"
    for level in range(60):
        made += b"](h" + bytes([level]) + b"h" + bytes([level]) + b"e\x94"
    return made + b"s."


_labels("Cellpose with code", "0_seg.npy", lambda: _npy(pickle.dumps(Harm())))
_labels("Cellpose with code among its masks", "0_seg.npy",
        lambda: _npy(pickle.dumps({"masks": np.zeros((12, 12), np.uint8), "more": Harm()})))  # fmt: skip
_labels("Cellpose with an array of objects", "0_seg.npy",
        lambda: _npy(pickle.dumps({"masks": np.array([[Harm()]], dtype=object)})))  # fmt: skip
_labels("Cellpose with lists that laugh", "0_seg.npy", lambda: _npy(_laughing_pickle()))
_labels(
    "Cellpose with lists within lists", "0_seg.npy", lambda: _npy(b"\x80\x04" + b"]" * 50_000 + b"a" * 49_999 + b".")
)
_labels("Cellpose with a text of 2^62 bytes", "0_seg.npy",
        lambda: _npy(b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"."))  # fmt: skip
_labels("Cellpose with a head that is code", "0_seg.npy", lambda: _npy(b"N.", "__import__('os').system('x')"))


def _roi(points: int, kind: int = 0) -> bytes:
    return struct.pack(">4shBB4hH", b"Iout", 227, kind, 0, 0, 0, 9, 9, points).ljust(64, b"\0")


def _broken_roi_zip() -> bytes:
    made = bytearray(_packed("a.roi", _roi(3) + os.urandom(400)))
    made[60:90] = b"\xff" * 30  # in the middle of what is packed
    return bytes(made)


_labels("ImageJ outlines that unpack to 200 MB", "0.zip", lambda: _packed("a.roi", _roi(3) + bytes(200 << 20)))
_labels("ImageJ outlines that are damaged in their archive", "0.zip", _broken_roi_zip)
_labels("an ImageJ outline of 65,535 points in 64 bytes", "0.roi", lambda: _roi(65535))
_labels("an ImageJ outline of nothing", "0.roi", bytes)


# --- pictures


def _picture(title: str, file_name: str, build: Callable[[], bytes], quiet: bool = False) -> None:
    def make(world: World, place: Path) -> Piece:
        (place / file_name).write_bytes(build())
        return partial(_look, place / file_name)

    CASES.append(Case(f"picture: {title}", make, quiet))


def _look(file: Path) -> None:
    """All ways to look at a picture; the last refusal counts."""
    from sslstudio.engine.images.formats.decode import count_pages, decode, read_values

    damaged_files._each([partial(count_pages, file), partial(decode, file, 32), partial(read_values, file)])


def _ifd(entries: list[tuple[int, int, int, int]], following: int) -> bytes:
    body = b"".join(struct.pack("<HHII", *one) for one in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


PAGE = [(256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1),
        (278, 4, 1, 4), (279, 4, 1, 16)]  # fmt: skip
START = struct.pack("<2sHI", b"II", 42, 24) + bytes(16)


def _many_pages(count: int) -> bytes:
    size = len(_ifd(PAGE, 0))
    return START + b"".join(_ifd(PAGE, 24 + size * (n + 1) if n + 1 < count else 0) for n in range(count))


def _gif(frames: int) -> bytes:
    frame = b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    return b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + frame * frames + b";"


def _nested_dicom(depth: int) -> bytes:
    """Items within items without lengths, (0008,1140)."""
    open_one = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000,
                                                                                       0xFFFFFFFF)  # fmt: skip
    meta = struct.pack("<HH2sH", 0x0002, 0x0010, b"UI", 20) + b"1.2.840.10008.1.2.1\0"
    head = struct.pack("<HH2sHI", 0x0002, 0x0000, b"UL", 4, len(meta)) + meta
    return bytes(128) + b"DICM" + head + open_one * depth


def _png(*chunks: tuple[bytes, bytes], width: int = 4, height: int = 4) -> bytes:
    head = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = (b"IDAT", zlib.compress(bytes((3 * width + 1) * height)))
    whole = [head, *chunks, pixels, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(one)) + kind + one + struct.pack(">I", zlib.crc32(kind + one)) for kind, one in whole
    )


_picture("a TIFF whose page is followed by itself", "a.tif", lambda: START + _ifd(PAGE, 24), True)
_picture("a TIFF whose two pages follow each other", "a.tif",
         lambda: START + _ifd(PAGE, 24 + len(_ifd(PAGE, 0))) + _ifd(PAGE, 24), True)  # fmt: skip
_picture("a TIFF whose page holds itself", "a.tif",
         lambda: START + _ifd([*PAGE, (330, 4, 1, 24)], 0), True)  # fmt: skip
_picture("a TIFF of 20,000 pages", "a.tif", lambda: _many_pages(20_000), True)
_picture("a TIFF with a tag of 2^31 values", "a.tif",
         lambda: START + _ifd([*PAGE, (270, 2, 2**31, 8), (34377, 7, 2**31, 8)], 0), True)  # fmt: skip
_picture("a TIFF of 65,535 channels", "a.tif",
         lambda: START + _ifd([(277, 3, 1, 65535) if one[0] == 277 else one for one in PAGE], 0))  # fmt: skip
_picture("a GIF of 100,000 frames", "a.gif", lambda: _gif(100_000), True)
_picture("a GIF of 65,535 pixels a side", "a.gif",
         lambda: _gif(1).replace(b"GIF89a\1\0\1\0", b"GIF89a\xff\xff\xff\xff"))  # fmt: skip
_picture("a DICOM of items within items", "a.dcm", lambda: _nested_dicom(20_000))
_picture("a PNG with a note of 200 MB", "a.png",
         lambda: _png((b"zTXt", b"note\0\0" + zlib.compress(bytes(200 << 20)))), True)  # fmt: skip
_picture("a PNG with 100,000 notes", "a.png", lambda: _png(*[(b"tEXt", b"a\0b")] * 100_000), True)
_picture("a BMP of 60,000 pixels a side", "a.bmp",
         lambda: struct.pack("<2sIII", b"BM", 54, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 60000, 60000, 1, 24, 0, 0, 0,
                                                                       0, 0, 0))  # fmt: skip
_picture("a picture that is a program", "a.png", lambda: b"#!/bin/sh\ntouch harm\n" * 10)
_picture("a drawing that asks for another file", "a.svg",
         lambda: b'<svg xmlns:x="http://www.w3.org/1999/xlink"><image x:href="file:///etc/passwd"/></svg>')  # fmt: skip


# --- archives


def _archive(title: str, build: Callable[[zipfile.ZipFile], None], quiet: bool = False) -> None:
    def make(world: World, place: Path) -> Piece:
        with zipfile.ZipFile(place / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            build(archive)
        return partial(damaged_files._unpack, place / "a.zip")

    CASES.append(Case(f"archive: {title}", make, quiet))


def _link(archive: zipfile.ZipFile) -> None:
    link = zipfile.ZipInfo("way")
    link.external_attr = 0o120777 << 16
    archive.writestr(link, "../../../../victim")
    archive.writestr("way/holiday.png", b"harm")


_archive("a name that climbs", lambda archive: archive.writestr("../../../victim/holiday.png", b"harm"))
_archive("an absolute name", lambda archive: archive.writestr("/tmp/harm.png", b"harm"))
_archive("a name of another disk", lambda archive: archive.writestr("C:\\harm.png", b"harm"))
_archive("a link and a file behind it", _link)
_archive("a picture that unpacks to 3 GB", lambda archive: _long_picture(archive))
_archive("10,000 names", lambda archive: _many_names(archive), True)


def _many_names(archive: zipfile.ZipFile) -> None:
    for number in range(10_000):
        archive.writestr(f"{number}.txt", b"")


def _long_picture(archive: zipfile.ZipFile) -> None:
    with archive.open("a.png", "w", force_zip64=True) as opened:
        for _ in range(3 * 64):
            opened.write(bytes(16 << 20))


# --- predictions and the queue


def _predictions(title: str, about: Any, answer: Any, quiet: bool = False) -> None:
    def make(world: World, place: Path) -> Piece:
        for name, content in (("about.json", about), ("answers.jsonl", answer)):
            (place / name).write_text(content if isinstance(content, str) else json.dumps(content) + "\n")
        big = _png(width=1, height=1).replace(struct.pack(">II", 1, 1), struct.pack(">II", 60_000, 60_000))
        (place / "bomb.png").write_bytes(big)
        (place / "link.png").symlink_to("/etc/hostname")
        return partial(_proposals, place)

    CASES.append(Case(f"predictions: {title}", make, quiet))


def _proposals(place: Path) -> None:
    from sslstudio.engine.runs.folder_predictions import folder_answered
    from sslstudio.engine.runs.proposals import read_proposals, read_proposed_mask

    folder_answered(place.parent)
    found = read_proposals(place)
    for one in found.of.values():
        if one.mask is not None:
            assert one.mask.is_relative_to(place)
            read_proposed_mask(one, {0: 0, 1: 1})


ABOUT = {"classes": ["a", "b"], "kind": "segmentation", "run": "x", "folder": "/etc"}
_predictions("classes that are no names", {"classes": {"a": 1}}, {"file": "0.png", "chances": [1.0]})
_predictions("more chances than classes", ABOUT, {"file": "0.png", "chances": [0.1, 0.2, 0.7]})
_predictions("a chance that is a text", ABOUT, {"file": "0.png", "chances": ["x"]}, True)
_predictions("a mask elsewhere", ABOUT, {"file": "0.png", "mask": "../../x.png", "confidence": 1}, True)
_predictions("a mask of 3.6 billion pixels", ABOUT, {"file": "0.png", "mask": "bomb.png", "confidence": 1})
_predictions("a mask that is no picture", ABOUT, {"file": "0.png", "mask": "link.png", "confidence": 1})
_predictions("lists within lists", "[" * DEEP, "[" * DEEP + "\n")
_predictions("a mask without how sure it is", ABOUT, {"file": "0.png", "mask": "x.png"})


@case("queue: runs of other kinds", quiet=True)
def _(world: World, place: Path) -> Piece:
    file = world.place / "home" / "queue.json"
    file.write_text(json.dumps([{"run": "/etc", "config": {"a": {}}}, 7, {"kind": "x" * 10_000}]))
    return partial(damaged_files._queue, file)


@case("queue: lists within lists", quiet=True)
def _(world: World, place: Path) -> Piece:
    file = world.place / "home" / "queue.json"
    file.write_text("[" * DEEP)
    return partial(damaged_files._queue, file)


# --- the same kinds again


def _zoo(world: World) -> Path:
    return world.place / "home" / "Projects" / "little zoo"


for link in ("runs", "labels"):

    @case(f"project: its folder {link} is a link to another folder", quiet=True)
    def _(world: World, place: Path, link: str = link) -> Piece:
        folder = _zoo(world) / link
        shutil.rmtree(folder)
        folder.symlink_to(world.place.parent / "victim", target_is_directory=True)
        return partial(_save_and_begin, _zoo(world))


def _save_and_begin(folder: Path) -> None:
    from sslstudio.engine.core.errors import DataError
    from sslstudio.engine.projects.project import open_project, save_project

    save_project(open_project(folder).project)
    with contextlib.suppress(AssertionError, DataError):
        _begin_labels(folder)


for title, dated in (
    ("a date in the place of a name", "format = 6\npictures = 'x'\nname = 1979-05-27T07:32:00Z\n"),
    ("a time in the place of its pictures", "format = 6\npictures = 07:32:00\n"),
    ("a date among the options", "format = 6\npictures = 7\n[options.rotation]\nangles = 1979-05-27\n"),
):

    @case(f"project: {title}")
    def _(world: World, place: Path, text: str = dated) -> Piece:
        return _open_project(place, text)


MORE_RUNS: dict[str, tuple[str, bytes | Callable[[bytes], bytes], bool]] = {
    "settings with dates": ("config.toml", lambda was: was.replace(b'job = "finetune"', b"job = 1979-05-27"), False),
    "a split whose keys stand there twice": (
        "split.json", b'{"train":["a.png"],"validation":[],"test":["b.png"],"test":["a.png"]}', False),
    "scores of 1e999 and -0": ("metrics.json", b'{"job":"finetune","headline":1e999,"parts":{"a":-0}}', False),
}  # fmt: skip
for title, (file_name, content, calm) in MORE_RUNS.items():
    CASES.append(Case(f"run: {title}", _damaged_run(file_name, content), calm))


@case("run: an event of 1 GB of nothing")
def _(world: World, place: Path) -> Piece:
    with (_classified(world) / "events.jsonl").open("ab") as file:
        file.truncate(1 << 30)
        file.seek(1 << 30)
        file.write(b"\n")
    return partial(_read_run, _classified(world))


@case("run: a label table of its answers for names of every kind", quiet=True)
def _(world: World, place: Path) -> Piece:
    (_classified(world) / "name.json").write_text(json.dumps({"name": "a\nb\u202e\x1b[2J<img src=/etc/passwd>"}))
    return partial(_read_run, _classified(world))


def _tensors(*entries: tuple[str, list[int], list[int]], size: int = 64) -> bytes:
    header = {name: {"dtype": "F32", "shape": shape, "data_offsets": at} for name, shape, at in entries}
    return _safetensors(json.dumps(header).encode()) + bytes(size)


MORE_WEIGHTS: dict[str, Callable[[], bytes]] = {
    "two tensors at the same place": lambda: _tensors(("a", [4], [0, 16]), ("b", [4], [8, 24])),
    "a tensor that ends before it begins": lambda: _tensors(("a", [4], [16, 0])),
    "a shape that says more than there is": lambda: _tensors(("a", [4, 2**62], [0, 16])),
    "a name twice": lambda: _safetensors(
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},'
        b'"a":{"dtype":"F32","shape":[4],"data_offsets":[16,32]}}'
    ) + bytes(32),
}  # fmt: skip
for title, build in MORE_WEIGHTS.items():

    @case(f"weights: {title}")
    def _(world: World, place: Path, build: Callable[[], bytes] = build) -> Piece:
        (place / "w.safetensors").write_bytes(build())
        return partial(damaged_files._weights, place / "w.safetensors")


_labels("COCO with an outline of a million points", "coco.json",
        lambda: _coco(segmentation=[[1, 1, 9, 1, 9, 9] * 333_334]), True)  # fmt: skip
_labels("COCO with a picture of a huge number", "coco.json", lambda: _coco(id=2**70, image_id=2**70, category_id=2**70))
_labels("COCO with keys twice", "coco.json",
        lambda: _coco().replace('"images": [', '"images": [], "images": ['), True)  # fmt: skip
_labels("COCO with a box of 1e999", "coco.json",
        lambda: _coco(bbox=[0, 0, 1, 1]).replace("[0, 0, 1, 1]", "[-0, 0, 1e999, 1]"), True)  # fmt: skip


def _named(*names: str) -> Callable[[zipfile.ZipFile], None]:
    def build(archive: zipfile.ZipFile) -> None:
        for name in names:
            archive.writestr(name, b"x")

    return build


_archive("two names that differ in case", _named("a.png", "A.PNG"), True)
_archive("a name twice", _named("a/b.png", "a/./b.png"), True)
_archive("a file that is a folder as well", _named("a", "a/b.png"), True)
_predictions("the answer for a picture of others", ABOUT | {"kind": "classification"},
             {"file": "../../../etc/passwd", "chances": [0.5, 0.5]}, True)  # fmt: skip


@case("queue: a run into a folder of others", quiet=True)
def _(world: World, place: Path) -> Piece:
    file = world.place / "home" / "queue.json"
    victim = str(world.place.parent / "victim")
    file.write_text(json.dumps([{"job": "pretrain", "title": "x\u202e\x1b[2J", "config": {"out": victim}}]))
    return partial(damaged_files._queue, file)


@case("run: goes on in a folder of others", quiet=True)
def _(world: World, place: Path) -> Piece:
    file = _classified(world) / "config.toml"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("out =")]
    file.write_text("\n".join([f'out = "{world.place.parent / "victim"}"', *lines]))
    return partial(_read_run, _classified(world))


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
COLUMNS = "path, size, mtime_ns, slot, height, width, reason, left_out, checksum"
STRANGE_TABLES = {
    "a view without an end": [
        f"CREATE VIEW pictures AS {ENDLESS} SELECT i AS {', i AS '.join(COLUMNS.split(', '))} FROM n"],
    "a trigger that does not end": [
        "CREATE TRIGGER t AFTER INSERT ON pictures BEGIN INSERT INTO more "
        f"{ENDLESS.replace('i + 1 FROM n', 'i + 1 FROM n LIMIT 1000000000')} SELECT i FROM n; END"],
    "a check that takes all memory": [
        f"CREATE TABLE pictures ({COLUMNS}, CHECK (length(hex(randomblob(900000000))) > 0))"],
}  # fmt: skip
for title, statements in STRANGE_TABLES.items():

    @case(f"cache: {title}", quiet=True)
    def _(world: World, place: Path, statements: list[str] = statements) -> Piece:
        _pictures(place)
        files = list((world.place / "cache").rglob("pictures.sqlite"))
        assert files
        for file in files:
            with contextlib.closing(sqlite3.connect(file)) as table:
                if not statements[0].startswith("CREATE TRIGGER"):
                    table.execute("DROP TABLE pictures")
                table.execute("CREATE TABLE more (i)")
                for one in statements:
                    table.execute(one)
                table.commit()
        (world.place / "little zoo" / "images" / "new.png").write_bytes((place / "0.png").read_bytes())
        return partial(command, "index", world.place / "little zoo", "--side", "16")


# --- all of them


def attack(
    kinds: str = "", tell: Callable[[str], None] = lambda line: None, inside: World | None = None, every: int = 1
) -> Tally:
    """Read all hostile files, one after the other; `kinds`: only those whose name holds it; `inside`: a world to use;
    `every`: each so many-th case alone."""
    tally = Tally()
    with contextlib.nullcontext(inside) if inside else damaged_files.made_world() as world:
        victim = world.place.parent / "victim"
        victim.mkdir()
        (victim / "holiday.png").write_bytes(b"mine")
        _warm(world)
        for one in [each for each in CASES if kinds in each.name][::every]:
            outcome = _try(one, world, victim)
            tally.add(one.name, outcome)
            if outcome.faults:
                tell(tally.told[-1])
    return tally


def _try(one: Case, world: World, victim: Path) -> Outcome:
    place = world.place / "hostile"
    place.mkdir()
    outcome = confined(one.make(world, place), world.place)
    faults = list(outcome.faults)
    if {file.name: file.read_bytes() for file in victim.iterdir()} != {"holiday.png": b"mine"}:
        faults.append("outside: another folder was changed")
    if not one.quiet and not outcome.said:
        faults.append("silent: nothing was said")
    for odd in [file for file in world.place.rglob("*") if file.is_symlink() or file.is_fifo()]:
        odd.unlink()
    world.put_back()
    return Outcome(tuple(faults), outcome.said, outcome.seconds, outcome.grown)


def _warm(world: World) -> None:
    """Load the modules here, once, and not in each of the processes."""
    place = world.place / "warm"
    place.mkdir()
    _pictures(place)
    (place / "labels.csv").write_text("file,label\n0.png,a\n1.png,b\n")
    _recognise(place, "labels.csv")
    for name in ("0.png",):
        _look(place / name)
    from sslstudio.engine.images.formats import dicom, tiff  # noqa: F401

    world.put_back()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default="", help="only cases whose name holds this text")
    options = parser.parse_args()
    tally = attack(options.kinds, tell_line)
    sys.stdout.write("\n".join(tally.lines()) + "\n")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
