"""YOLO: a text file a picture in a folder `labels`, a line an object: the number of its class, then a box (middle and
sides) or a polygon, in shares of the picture. The classes are named in data.yaml or classes.txt."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.images.multi_folder import roots_of
from sslstudio.engine.labels.outlines.files import place_of, text_of
from sslstudio.engine.labels.outlines.shapes import Drawing, Shape, numbers_of, rectangle
from sslstudio.engine.labels.outlines.source import DrawnSource
from sslstudio.engine.labels.types import SOURCES

_NAMES: Final = ("data.yaml", "dataset.yaml", "data.yml", "classes.txt", "obj.names")
_ENTRY: Final = re.compile(r"(?:\d+\s*:\s*)?(?:'[^']*'|\"[^\"]*\"|[^,\s][^,]*)")
_BOX: Final = 4  # numbers after the class
_LEAST: Final = 6  # of a polygon
_NO_OBJECTS: Final = frozenset({"classes.txt", "readme.txt", "train.txt", "val.txt", "test.txt"})


@SOURCES.register("yolo")
class Yolo(DrawnSource):
    """Polygons as masks; boxes as the class of a picture with one kind of object, or as rough masks."""

    called = Message("YOLO files")
    suffixes = (".txt",)

    def fits(self, file: Path) -> bool:
        """They lie below a folder `labels`, or their classes are named beside them."""
        if file.name.lower() in _NO_OBJECTS:
            return False
        return "labels" in file.parts[:-1] or (file.parent / "classes.txt").is_file()

    def read(self, file: Path, index: ImageIndex) -> list[Drawing]:
        """One picture, the one that is called like the file; empty: nothing is in it."""
        names = _names(file.parent, tuple(roots_of(index.root).values()))
        lines = enumerate(text_of(file).splitlines(), start=1)
        return [Drawing(place_of(file, index), shapes=[_shape(file, *one, names) for one in lines if one[1].strip()])]


def _shape(file: Path, place: int, line: str, names: dict[int, str]) -> Shape:
    try:
        number, *shares = numbers_of(line.split(), Message("the line"))
        if number != int(number) or number < 0:
            raise DataError("the class {number} is no whole number", number=number)
        if len(shares) != _BOX and (len(shares) < _LEAST or len(shares) % 2):
            raise DataError("{n} numbers are neither a box nor a polygon", n=len(shares))
    except DataError as error:
        raise DataError("{file}, line {place}: {problem}.", file=file.name, place=place, problem=error) from error
    name = names.get(int(number), f"class {int(number)}")
    if len(shares) > _BOX:
        return Shape(name, (tuple(shares),), shares=True)
    x, y, wide, high = shares
    ring = rectangle(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
    return Shape(name, (ring,), box=True, shares=True)


@lru_cache(maxsize=64)
def _read_names(file: Path, changed: int) -> dict[int, str]:
    text = text_of(file)
    if file.suffix not in (".yaml", ".yml"):
        return dict(enumerate(line.strip() for line in text.splitlines() if line.strip()))
    lines = text.splitlines()
    start = next((place for place, line in enumerate(lines) if line.startswith("names:")), None)
    if start is None:
        raise DataError("{file} names no classes: it has no line 'names:'.", file=file.name)
    block = [lines[start].removeprefix("names:").strip()]
    for line in lines[start + 1 :]:
        if line.strip() and line[0] not in " -\t]}#":
            break
        block.append(line.strip())
    found: dict[int, str] = {}
    for entry in _entries(block):
        number, colon, name = entry.partition(":")
        if colon and number.strip().isdecimal():
            found[int(number)] = _bare(name)
        else:
            found[len(found)] = _bare(entry)
    return found


def _entries(lines: list[str]) -> list[str]:
    """Those of a list or of numbers with names, in brackets or a line each: YAML as programs write it here."""
    block = " ".join(lines).strip()
    if block[:1] in ("[", "{"):
        return [one[0] for one in _ENTRY.finditer(block[1:].partition("]" if block[0] == "[" else "}")[0])]
    return [line.removeprefix("- ") for line in lines if line.strip(" -") and line[0] != "#"]


def _bare(name: str) -> str:
    name = name.strip()
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"" else name


def _names(folder: Path, roots: tuple[Path, ...]) -> dict[int, str]:
    """From the innermost folder around that says them."""
    for place in (folder, *folder.parents):
        for name in _NAMES:
            if (place / name).is_file():
                return _read_names(place / name, (place / name).stat().st_mtime_ns)
        if place in roots:
            break
    return {}
