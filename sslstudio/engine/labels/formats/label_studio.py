"""Label Studio: one JSON file with all pictures, their choices, boxes, polygons and brush strokes."""

from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.checked_files import open_regular
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.outlines.files import json_of
from sslstudio.engine.labels.outlines.shapes import Drawing, Shape, check_size, ellipse, numbers_of, rectangle
from sslstudio.engine.labels.outlines.source import DrawnSource
from sslstudio.engine.labels.types import SOURCES

_HEAD: Final = 4096
_PREFIX: Final = 9  # letters and the dash that uploads get before their names
_CHANNELS: Final = 4  # a brush's pixels are red, green, blue, alpha; alpha says where it went


@SOURCES.register("label_studio")
class LabelStudio(DrawnSource):
    """The first annotation of each task that was not cancelled."""

    called = Message("Label Studio file")
    suffixes = (".json",)

    def fits(self, file: Path) -> bool:
        """A list of tasks with annotations."""
        try:
            with open_regular(file) as opened:
                head = opened.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
        except OSError:
            return False
        return head.startswith(b"[") and b'"annotations"' in head

    def read(self, file: Path, index: ImageIndex) -> list[Drawing]:
        """All its pictures; tasks without an annotation are left out."""
        tasks = json_of(file)
        known = {path.rpartition("/")[2].casefold() for path in index.paths}
        drawn = []
        for place, task in enumerate(tasks if isinstance(tasks, list) else (), start=1):
            try:
                done = [one for one in task.get("annotations") or () if not one.get("was_cancelled")]
                if done:
                    drawn.append(_drawing(_name(task, known), done[0]["result"]))
            except DataError as error:
                raise DataError(
                    "{file}, task {place}: {problem}.", file=file.name, place=place, problem=error
                ) from error
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
                raise DataError(
                    "{file}, task {place} is not as Label Studio writes it: {problem}.",
                    file=file.name,
                    place=place,
                    problem=error,
                ) from error
        return drawn


def _name(task: dict[str, Any], known: set[str]) -> str:
    """The picture's name, without what an upload puts before it where no picture here has that."""
    address = next((value for value in task["data"].values() if isinstance(value, str) and "." in value), "")
    if not address:
        raise ValueError(Message("it names no picture"))
    path = unquote(parse_qs(urlsplit(address).query).get("d", [urlsplit(address).path])[0])
    name = PurePosixPath(path).name
    if name.casefold() in known or name[_PREFIX - 1 : _PREFIX] != "-":
        return path
    return name[_PREFIX:]


def _drawing(name: str, results: list[dict[str, Any]]) -> Drawing:
    drawing = Drawing(name)
    for one in results:
        value = one["value"]
        if one["type"] == "choices":
            drawing.tags += map(str, value["choices"])
            continue
        label = next((str(value[key][0]) for key in value if key.endswith("labels") and value[key]), "")
        height, width = int(one.get("original_height") or 0), int(one.get("original_width") or 0)
        check_size(height, width)
        drawing.height, drawing.width = drawing.height or height, drawing.width or width
        if label:
            drawing.shapes += _shape(one["type"], value, label, height, width)
    return drawing


def _shape(kind: str, value: dict[str, Any], label: str, height: int, width: int) -> list[Shape]:
    about = Message("{kind} of {name}", kind=kind, name=label)
    if kind == "brushlabels":
        return [Shape(label, runs=brush_runs(value["rle"], height * width), place=(0, 0, width, height))]
    if kind == "polygonlabels":
        flat = numbers_of([number for point in value["points"] for number in point], about)
        return [Shape(label, (tuple(number / 100 for number in flat),), shares=True)]
    if kind == "rectanglelabels":
        turned = float(value.get("rotation") or 0.0)
        if turned:
            raise DataError("a box of {name} is turned, which is not read: draw a polygon", name=label)
        x, y, wide, high = (n / 100 for n in numbers_of([value[key] for key in ("x", "y", "width", "height")], about))
        return [Shape(label, (rectangle(x, y, x + wide, y + high),), box=True, shares=True)]
    if kind == "ellipselabels":
        x, y, wide, high = (n / 100 for n in numbers_of([value[k] for k in ("x", "y", "radiusX", "radiusY")], about))
        if float(value.get("rotation") or 0.0) % 180 and wide * width != high * height:
            raise DataError("an ellipse of {name} is turned, which is not read: draw a polygon", name=label)
        return [Shape(label, (ellipse(x, y, wide, high),), shares=True)]
    return []


def brush_runs(packed: list[int], pixels: int) -> tuple[int, ...]:
    """Run lengths of a brush, the first one outside. `packed`: bytes as the program's editor packs them: 32 bits for
    how many values, 5 for the bits of a value, 4 times 4 for those of the lengths, then for each run 1 bit (all the
    same, or each one written), 2 for which size its length has, the length, and the value or the values.

    Raises DataError when they are not about so many pixels.
    """
    text = "".join(f"{int(byte) & 255:08b}" for byte in packed)
    at = 0

    def take(bits: int) -> int:
        nonlocal at
        if at + bits > len(text):
            raise DataError("a brush stroke ends in the middle")
        at += bits
        return int(text[at - bits : at], 2)

    count, word = take(32), take(5) + 1
    sizes = [take(4) + 1 for _ in range(_CHANNELS)]
    if count != pixels * _CHANNELS:
        raise DataError("a brush stroke is of another size than its picture")
    values = np.zeros(count, np.uint8)
    done = 0
    while done < count:
        same = take(1)
        length = take(sizes[take(2)]) + 1
        if done + length > count:
            raise DataError("a brush stroke is longer than its picture")
        if same:
            values[done : done + length] = take(word) > 0
        else:
            values[done : done + length] = [take(word) > 0 for _ in range(length)]
        done += length
    inside = values[_CHANNELS - 1 :: _CHANNELS] > 0
    changes = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    runs: list[int] = np.diff(np.concatenate([[0], changes, [inside.size]])).tolist()
    return (0, *runs) if inside.size and inside[0] else tuple(runs)
