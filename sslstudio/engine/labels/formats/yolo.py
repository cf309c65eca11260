"""YOLO: a text file a picture in a folder `labels`, a line an object: the number of its class, then a box (middle and
sides) or a polygon, in shares of the picture. The classes are named in data.yaml or classes.txt."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.images.multi_folder import roots_of
from sslstudio.engine.labels.outlines.files import place_of, text_of
from sslstudio.engine.labels.outlines.name_lists import OF_NUMBERS, read_names
from sslstudio.engine.labels.outlines.shapes import Drawing, Shape, numbers_of, rectangle
from sslstudio.engine.labels.outlines.source import DrawnSource
from sslstudio.engine.labels.types import SOURCES

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

    def named_in(self, files: Sequence[Path], index: ImageIndex) -> list[Path]:
        """The lists beside or above them."""
        roots = tuple(roots_of(index.root).values())
        listed = [_names_file(folder, roots) for folder in {file.parent: None for file in files}]
        return list(dict.fromkeys(one for one in listed if one is not None))

    def read(self, file: Path, index: ImageIndex) -> list[Drawing]:
        """One picture, the one that is called like the file; empty: nothing is in it."""
        listed = _names_file(file.parent, tuple(roots_of(index.root).values()))
        names = read_names(listed).by_number if listed else {}
        lines = enumerate(text_of(file).splitlines(), start=1)
        return [Drawing(place_of(file, index), shapes=[_shape(file, *one, names) for one in lines if one[1].strip()])]


def _shape(file: Path, place: int, line: str, names: Mapping[int, str]) -> Shape:
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


def _names_file(folder: Path, roots: tuple[Path, ...]) -> Path | None:
    """The list of names in the innermost folder around that has one."""
    for place in (folder, *folder.parents):
        for name in OF_NUMBERS:
            if (place / name).is_file():
                return place / name
        if place in roots:
            break
    return None
