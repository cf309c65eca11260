"""Masks as other programs keep them: labelme, YOLO, GeoJSON (QuPath) and Pascal VOC, one folder each.

Outlines go along the edges of pixels, so that what is read back is the same. Where a format knows no holes, a slit
leads to each: it is walked there and back, and encloses nothing.
"""

import io
import json
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
from sslstudio.engine.core.files.file_names import folded
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.masks.coding import IGNORE
from sslstudio.engine.labels.masks.files import PALETTE
from sslstudio.engine.labels.outlines.trace import Ring, rings_of

FOLDERS: Final = ("geojson", "labelme", "voc", "yolo")
STAGE: Final = Message("Writing for other programs")
_VOID: Final = (224, 224, 192)  # the colour of VOC for what is not counted

Mask = NDArray[np.uint8]  # (height, width) class numbers


@dataclass(frozen=True)
class Part:
    """Connected pixels of a class: its outlines, the outer one first; `box` is left, top, right, bottom."""

    number: int
    rings: list[Ring]
    box: tuple[int, int, int, int]


def write_for_others(
    folder: Path,
    paths: Sequence[str],
    names: Sequence[str],
    of: Mapping[str, str],
    formats: Collection[str] = FOLDERS,
) -> Generator[Preparing, None, None]:
    """Write the masks of `folder`, which holds labels, into a folder for each of `formats`. names: of the values in the
    masks; of: picture -> its class, where it has one."""
    used = sorted({int(number) for path in paths for number in np.unique(_mask(folder, path)) if number})
    for done, (path, place) in enumerate(zip(paths, _places(paths), strict=True), start=1):
        mask = _mask(folder, path)
        parts = list(parts_of(mask))
        if "geojson" in formats:
            _write(folder / "geojson" / f"{place}.geojson", _geojson(parts, names))
        if "labelme" in formats:
            _write(folder / "labelme" / f"{place}.json", _labelme(parts, names, path, mask, of.get(path, "")))
        if "yolo" in formats:
            _write(folder / "yolo/labels" / f"{place}.txt", _yolo(parts, used, mask))
        if "voc" in formats:
            _write(folder / "voc/Annotations" / f"{place}.xml", _voc_boxes(parts, names, path, mask))
            _write(folder / "voc/SegmentationClass" / f"{place}.png", _voc_mask(mask))
        yield Preparing(stage=STAGE, done=done, total=len(paths))
    _write_names(folder, names, used, formats)


def _places(paths: Sequence[str]) -> list[str]:
    """Where the files of each picture go, without an ending: its path without its own, and with it where another would
    get the same: a.png beside a.jpg, and beside A.jpg, because some systems take these for one."""
    places = [PurePosixPath(path).with_suffix("").as_posix() for path in paths]
    while True:
        shared = Counter(map(folded, places))
        longer = [path if shared[folded(place)] > 1 else place for path, place in zip(paths, places, strict=True)]
        if longer == places:
            return places
        places = longer


def _write_names(folder: Path, names: Sequence[str], used: Sequence[int], formats: Collection[str]) -> None:
    """The lists of classes of YOLO and VOC."""
    if "yolo" in formats:
        known = "".join(f"  {place}: {json.dumps(names[number])}\n" for place, number in enumerate(used))
        _write(folder / "yolo/data.yaml", f"names:\n{known}".encode())
    if "voc" in formats:
        colours = [f"{name}:{','.join(map(str, _colour(number)))}::\n" for number, name in enumerate(names) if name]
        _write(folder / "voc/labelmap.txt", "".join(["background:0,0,0::\n", *colours]).encode())


def _mask(folder: Path, path: str) -> Mask:
    mask = label_files.read_mask(folder, path)
    assert mask is not None  # it is listed because it is there
    return mask


def _write(file: Path, content: bytes) -> None:
    make_folder(file.parent)
    write_atomic(file, content)


def parts_of(mask: Mask) -> Iterator[Part]:
    """The connected pixels of each class but the background."""
    for number in np.unique(mask):
        if number:
            labelled, _ = ndimage.label(mask == number)
            for place, (rows, columns) in enumerate(ndimage.find_objects(labelled), start=1):
                left, top = columns.start, rows.start
                rings = rings_of(labelled[rows, columns] == place)
                moved = [[(x + left, y + top) for x, y in ring] for ring in rings]
                moved.sort(key=lambda ring: max(x for x, _ in ring) - min(x for x, _ in ring), reverse=True)
                yield Part(int(number), moved, (left, top, columns.stop, rows.stop))


def with_slits(rings: Sequence[Ring]) -> Ring:
    """One outline of all, there and back to each hole along rows and columns."""
    (x, y), *_ = outer = rings[0]
    joined = list(outer)
    for hole in rings[1:]:
        to_x, to_y = hole[0]
        joined += [(x, y), (to_x, y), *hole, (to_x, to_y), (to_x, y)]
    return joined


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace")


def _geojson(parts: Sequence[Part], names: Sequence[str]) -> bytes:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]] for ring in part.rings]},
            "properties": {"objectType": "annotation", "classification": {"name": names[part.number]}},
        }
        for part in parts
    ]
    return _json({"type": "FeatureCollection", "features": features})


def _labelme(parts: Sequence[Part], names: Sequence[str], path: str, mask: Mask, label: str) -> bytes:
    shapes: list[dict[str, Any]] = [
        {"label": names[part.number], "points": with_slits(part.rings), "group_id": None, "shape_type": "polygon",
         "flags": {}}
        for part in parts
    ]  # fmt: skip
    return _json(
        {"version": "5.4.1", "flags": {label: True} if label else {}, "shapes": shapes,
         "imagePath": PurePosixPath(path).name, "imageData": None,
         "imageHeight": mask.shape[0], "imageWidth": mask.shape[1]}
    )  # fmt: skip


def _yolo(parts: Sequence[Part], used: Sequence[int], mask: Mask) -> bytes:
    height, width = mask.shape
    lines = [
        " ".join([str(used.index(part.number)), *(f"{x / width} {y / height}" for x, y in with_slits(part.rings))])
        for part in parts
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _voc_boxes(parts: Sequence[Part], names: Sequence[str], path: str, mask: Mask) -> bytes:
    """Corners are pixels counted from 1, both of them inside."""
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = PurePosixPath(path).name.encode(errors="replace").decode()
    size = ElementTree.SubElement(root, "size")
    for key, value in (("width", mask.shape[1]), ("height", mask.shape[0]), ("depth", 3)):
        ElementTree.SubElement(size, key).text = str(value)
    for part in parts:
        if part.number != IGNORE:
            one = ElementTree.SubElement(root, "object")
            ElementTree.SubElement(one, "name").text = names[part.number]
            box = ElementTree.SubElement(one, "bndbox")
            left, top, right, bottom = part.box
            for key, value in (("xmin", left + 1), ("ymin", top + 1), ("xmax", right), ("ymax", bottom)):
                ElementTree.SubElement(box, key).text = str(value)
    written: bytes = ElementTree.tostring(root, encoding="utf-8")
    return written


def _colour(number: int) -> tuple[int, int, int]:
    if number == IGNORE:
        return _VOID
    if number < len(PALETTE):
        red, green, blue = bytes.fromhex(PALETTE[number][1:])
        return red, green, blue
    return number * 67 % 256, number * 131 % 256, number * 197 % 256


def _voc_mask(mask: Mask) -> bytes:
    image = Image.fromarray(mask)
    image.putpalette([value for number in range(256) for value in _colour(number)])
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
