"""labelme: a JSON file a picture, beside it. Its picture, which may be stored inside too, is never read from it."""

import base64
import io
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.checked_files import open_regular
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.outlines.files import json_of, place_of
from sslstudio.engine.labels.outlines.shapes import Drawing, Shape, check_size, ellipse, numbers_of, rectangle
from sslstudio.engine.labels.outlines.source import DrawnSource
from sslstudio.engine.labels.types import SOURCES

_HEAD: Final = 4096  # bytes in which the keys of a file are looked for
_UNSEEN: Final = ("line", "linestrip", "point", "points")  # they have no pixels inside


@SOURCES.register("labelme")
class Labelme(DrawnSource):
    """Polygons, rectangles and circles; flags are classes of the picture."""

    called = Message("labelme files")
    suffixes = (".json",)

    def fits(self, file: Path) -> bool:
        """Its files begin with a version, flags and shapes."""
        try:
            with open_regular(file) as opened:
                head = opened.read(_HEAD)
        except OSError:
            return False
        return b'"shapes"' in head and (b'"flags"' in head or b'"version"' in head)

    def read(self, file: Path, index: ImageIndex) -> list[Drawing]:
        """One picture, the one that is called like the file."""
        content = json_of(file)
        try:
            shapes = [shape for one in content["shapes"] for shape in _shape(one)]
            tags = [str(name) for name, on in (content.get("flags") or {}).items() if on is True]
            height, width = (int(content.get(key) or 0) for key in ("imageHeight", "imageWidth"))
            check_size(height, width)
        except DataError as error:
            raise DataError("{file}: {problem}.", file=file.name, problem=error) from error
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise DataError("{file} is not as labelme writes it: {problem}.", file=file.name, problem=error) from error
        return [Drawing(place_of(file, index), height, width, shapes, tags)]


def _mask(one: dict[str, Any], name: str, corners: tuple[float, ...]) -> Shape:
    """Pixels in a rectangle, as a PNG in the file; the first corner is its upper left one."""
    try:
        with Image.open(io.BytesIO(base64.b64decode(one["mask"], validate=True)), formats=("PNG",)) as image:
            check_size(image.height, image.width)
            inside = np.asarray(image.convert("L")) > 0
    except (ValueError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError("the mask of {name} is no picture: {problem}", name=name, problem=error) from error
    flat, (high, wide) = inside.ravel(), inside.shape
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs: list[int] = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    place = (round(corners[0]), round(corners[1]), wide, high)
    return Shape(name, runs=(0, *runs) if flat[0] else tuple(runs), place=place)


def _shape(one: dict[str, Any]) -> list[Shape]:
    kind, name = one.get("shape_type") or "polygon", str(one["label"])
    if kind in _UNSEEN:
        return []
    flat = numbers_of([value for point in one["points"] for value in point], Message("points of {name}", name=name))
    if kind == "mask":
        return [_mask(one, name, flat)]
    if kind == "polygon":
        return [Shape(name, (flat,))]
    if len(flat) != 4 or kind not in ("rectangle", "circle"):
        raise DataError("{kind} is no shape that is read", kind=kind)
    x, y, to_x, to_y = flat
    if kind == "rectangle":
        return [Shape(name, (rectangle(x, y, to_x, to_y),), box=True)]
    radius = float(np.hypot(to_x - x, to_y - y))
    return [Shape(name, (ellipse(x, y, radius, radius),))]
