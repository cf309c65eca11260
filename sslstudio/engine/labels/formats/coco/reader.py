"""COCO JSON (Lin et al., ECCV 2014), as labelling programs write it, checked: pictures, what is marked, its names.

The file is not trusted: a wrong number in it is told in words, it never reaches memory or an array.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.checked_files import JSON_NUMBERS, open_regular, read_limited
from sslstudio.engine.core.messages import Message

LARGEST: Final = 400_000_000  # pixels of one picture; more is a mistake in the file
LARGEST_FILE: Final = 1 << 30  # bytes; COCO's own labels of 118,000 pictures have 450 million
_FEW_BITS: Final = 60  # of a run length, which no picture has
_EXPORT: Final = Message("Export it from the labelling program as COCO.")


@dataclass(frozen=True)
class Mark:
    """One thing that is marked. `polygons` are x, y, x, y ... in pixels; `runs` run lengths that fill the picture.

    Both empty: only a box was drawn. `box` is left, top, width, height. `crowd`: many things, roughly outlined.
    """

    category: int
    polygons: tuple[tuple[float, ...], ...] = ()
    runs: tuple[int, ...] = ()
    box: tuple[float, float, float, float] | None = None
    crowd: bool = False

    @property
    def outlined(self) -> bool:
        """Whether it says which pixels it is."""
        return bool(self.polygons or self.runs)


@dataclass
class CocoPicture:
    """A picture that the file lists; height and width are 0 where the file does not say."""

    name: str
    height: int
    width: int
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True)
class CocoFile:
    """What one file says. `names`: category -> name, in the order of the file."""

    file: Path
    names: dict[int, str]
    pictures: list[CocoPicture]


def read_file(file: Path) -> CocoFile:
    """Read and check a file. Raises DataError, in one sentence, for one that is not COCO or contradicts itself."""
    content = _content(file)
    for key in ("images", "annotations"):
        if not isinstance(content.get(key), list):
            raise DataError(
                "{file} is not a COCO file: {found}. {export}",
                file=file.name,
                found=_what_it_is(content, key),
                export=_EXPORT,
            )
    try:
        names = {_number(one, "id"): _name(one, "name") for one in content.get("categories") or []}
        pictures = _pictures(content["images"])
        for place, one in enumerate(content["annotations"], start=1):
            _take(pictures, names, one, place)
    except _Wrong as error:
        raise DataError(
            "{file} cannot be used as COCO: {error}. {export}", file=file.name, error=error, export=_EXPORT
        ) from error
    return CocoFile(file, names, list(pictures.values()))


def looks_like_coco(file: Path) -> bool:
    """Whether a file begins as COCO files do, whatever their order: without reading all of it."""
    try:
        with open_regular(file) as opened:
            head = opened.read(256).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return False
    first = head.removeprefix(b"{").lstrip().partition(b":")[0].strip()
    keys = (b'"info"', b'"images"', b'"annotations"', b'"categories"', b'"licenses"', b'"type"')
    return head.startswith(b"{") and first in keys


class _Wrong(Exception):
    """What is wrong with an entry, to be put into a sentence."""


def _content(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_limited(file, LARGEST_FILE, DataError).decode("utf-8-sig"))
    except OSError as error:
        raise DataError(
            "The labels file {file} cannot be read: {reason}. Choose a JSON file that exists.",
            file=file,
            reason=error.strerror or error,
        ) from error
    except MemoryError as error:
        raise DataError(Message("{file} is too large for the memory of this machine.", file=file)) from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            "{file} is not JSON that can be read: {where}. {export}",
            file=file.name,
            where=_where(error),
            export=_EXPORT,
        ) from error
    if not isinstance(content, dict):
        raise DataError(
            "{file} is not a COCO file: it holds no lists with names. {export}", file=file.name, export=_EXPORT
        )
    return content


def _where(error: Exception) -> Message:
    return (
        Message("it is damaged at line {lineno}", lineno=error.lineno)
        if isinstance(error, json.JSONDecodeError)
        else Message("it is damaged")
    )


def _what_it_is(content: Mapping[str, Any], missing: str) -> Message:
    if "shapes" in content:
        return Message("it is labelme's file of one picture")
    return Message("it has no list called '{missing}'", missing=missing)


def _pictures(entries: list[Any]) -> dict[int, CocoPicture]:
    pictures: dict[int, CocoPicture] = {}
    for one in entries:
        number = _number(one, "id")
        if number in pictures:
            raise _Wrong(Message("two of its pictures have the number {number}", number=number))
        height, width = (_number(one, key) if one.get(key) is not None else 0 for key in ("height", "width"))
        if min(height, width) < 0 or height * width > LARGEST:
            raise _Wrong(
                Message(
                    "it says that picture {number} has {width} x {height} pixels",
                    number=number,
                    width=width,
                    height=height,
                )
            )
        pictures[number] = CocoPicture(_name(one, "file_name"), height, width)
    return pictures


def _take(pictures: Mapping[int, CocoPicture], names: Mapping[int, str], entry: Any, place: int) -> None:
    picture, category = _number(entry, "image_id"), _number(entry, "category_id")
    if picture not in pictures:
        raise _Wrong(
            Message(
                "annotation {place} belongs to picture {picture}, which it does not list", place=place, picture=picture
            )
        )
    if category not in names:
        raise _Wrong(
            Message(
                "annotation {place} has the category {category}, which it does not list", place=place, category=category
            )
        )
    outline, box = entry.get("segmentation"), entry.get("bbox")
    held = pictures[picture]
    held.marks.append(
        Mark(
            category,
            _polygons(outline, place) if isinstance(outline, list) else (),
            _runs(outline, held, place) if isinstance(outline, dict) else (),
            _box(box, place) if box else None,
            bool(entry.get("iscrowd")),
        )
    )


def _polygons(outline: list[Any], place: int) -> tuple[tuple[float, ...], ...]:
    """What has at least three corners; a point or a line covers no pixel."""
    parts = [outline] if outline and not isinstance(outline[0], list) else outline
    numbers = [_floats(part, Message("the outline of annotation {place}", place=place)) for part in parts]
    if any(len(part) % 2 for part in numbers):
        raise _Wrong(Message("the outline of annotation {place} has an x without a y", place=place))
    return tuple(part for part in numbers if len(part) >= 6)


def _runs(outline: Mapping[str, Any], picture: CocoPicture, place: int) -> tuple[int, ...]:
    counts, size = outline.get("counts"), outline.get("size")
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(side, int) for side in size):
        raise _Wrong(Message("the run lengths of annotation {place} have no size", place=place))
    if not picture.height and not picture.width and min(size) > 0 and math.prod(size) <= LARGEST:
        picture.height, picture.width = size
    if size != [picture.height, picture.width]:
        raise _Wrong(
            Message(
                "the run lengths of annotation {place} are for {size_width} x {size_height} pixels, and its picture "
                "has {width} x {height}",
                place=place,
                size_width=size[1],
                size_height=size[0],
                width=picture.width,
                height=picture.height,
            )
        )
    runs = lengths_in(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(isinstance(run, int) and run >= 0 for run in runs):
        raise _Wrong(Message("the run lengths of annotation {place} are not whole numbers", place=place))
    if sum(runs) != math.prod(size):
        raise _Wrong(Message("the run lengths of annotation {place} do not fill its picture", place=place))
    return tuple(runs)


def lengths_in(text: str) -> list[int]:
    """The lengths in COCO's short writing: five bits a letter, lowest first, 32 says that more follow, 16 in the last
    that the value is negative; from the fourth on the difference to the last but one. A number that is cut off is -1.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text.encode("ascii", "replace"):
        bits = letter - 48
        if shift > _FEW_BITS:
            return [-1]
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return [*runs, -1] if shift else runs


def _box(box: Any, place: int) -> tuple[float, float, float, float]:
    numbers = _floats(box, Message("the box of annotation {place}", place=place))
    if len(numbers) != 4:
        raise _Wrong(
            Message(
                "the box of annotation {place} has {numbers} numbers instead of 4", place=place, numbers=len(numbers)
            )
        )
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _floats(values: Any, what: str) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(map(_is_number, values)):
        raise _Wrong(Message("{what} does not consist of numbers", what=what))
    return tuple(map(float, values))


def _is_number(value: Any) -> bool:
    """One that is finite and has at most 64 bits, which is where the other files that are read end, too."""
    return isinstance(value, (int, float)) and JSON_NUMBERS.start <= value < JSON_NUMBERS.stop


def _number(entry: Any, key: str) -> int:
    value: Any = entry.get(key) if isinstance(entry, dict) else None
    if not _is_number(value) or value != int(value):
        raise _Wrong(
            Message("it needs a whole number for '{key}' and has {found}", key=key, found=json.dumps(value)[:40])
        )
    return int(value)


def _name(entry: Any, key: str) -> str:
    value: Any = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value.strip():
        raise _Wrong(Message("it needs a name for '{key}' and has {found}", key=key, found=json.dumps(value)[:40]))
    return value.strip()
