"""What a brush, a polygon, a fill and a magic wand take of a picture. Each costs as much as the area that it takes.

Points are (x, y) in pixels of the picture; (0.5, 0.5) is the middle of the first pixel.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from sslstudio.engine.labels.editing.stroke import Area, Mask

WINDOW = 64  # pixels: half of what a fill looks at first

Point = tuple[float, float]
Picture = NDArray[np.uint8]  # (h, w) or (h, w, 3)
_NOTHING = Area(0, 0, np.zeros((0, 0), np.bool_))


def brush(shape: tuple[int, int], start: Point, end: Point, radius: float) -> Area:
    """A round brush drawn from `start` to `end`: pixels whose middle is within `radius` of the line between them.

    shape: (height, width) of the mask. A brush that is thinner than a pixel takes the pixels under its points.
    """
    radius = max(radius, 0.5)
    (x0, y0), (x1, y1) = start, end
    left, top, width, height = _clip(
        shape, min(x0, x1) - radius, min(y0, y1) - radius, max(x0, x1) + radius, max(y0, y1) + radius
    )
    if not width or not height:
        return _NOTHING
    x = np.arange(left, left + width)[None, :] + 0.5
    y = np.arange(top, top + height)[:, None] + 0.5
    dx, dy = x1 - x0, y1 - y0
    long = dx * dx + dy * dy
    along = ((x - x0) * dx + (y - y0) * dy) / long if long else np.zeros((height, width))
    along = np.clip(along, 0.0, 1.0)
    distance = (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2
    inside = distance <= radius * radius
    for px, py in (start, end):
        column, row = int(np.floor(px)) - left, int(np.floor(py)) - top
        if 0 <= column < width and 0 <= row < height:
            inside[row, column] = True
    return Area(left, top, inside)


def polygon(shape: tuple[int, int], points: Sequence[Point]) -> Area:
    """The inside of a polygon (even-odd where it crosses itself) with its outline; empty below three points."""
    if len(points) < 3:
        return _NOTHING
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, top, width, height = _clip(shape, min(xs), min(ys), max(xs), max(ys))
    if not width or not height:
        return _NOTHING
    sheet = Image.new("1", (width, height))
    corners = [(int(np.floor(x)) - left, int(np.floor(y)) - top) for x, y in points]
    ImageDraw.Draw(sheet).polygon(corners, fill=1, outline=1)
    return Area(left, top, np.array(sheet, np.bool_))


def _clip(shape: tuple[int, int], left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int]:
    """Clip to the picture: left, top, width and height of the whole pixels around this, as far as they are in it."""
    x0, y0 = max(0, int(np.floor(left))), max(0, int(np.floor(top)))
    x1, y1 = min(shape[1], int(np.floor(right)) + 1), min(shape[0], int(np.floor(bottom)) + 1)
    return x0, y0, max(0, x1 - x0), max(0, y1 - y0)


def fill(mask: Mask, seed: Point) -> Area:
    """The pixels of one class that hang together (by their edges) with the one at `seed`."""
    place = _pixel(mask.shape, seed)
    if place is None:
        return _NOTHING
    wanted = mask[place]
    return _grow(mask.shape, place, lambda part: mask[part] == wanted)


def wand(picture: Picture, seed: Point, tolerance: float) -> Area:
    """The pixels whose colour is like that at `seed`, each channel within `tolerance` shades, and that hang together
    with it."""
    place = _pixel(picture.shape, seed)
    if place is None:
        return _NOTHING
    wanted = picture[place].astype(np.int16)

    def alike(part: tuple[slice, slice]) -> NDArray[np.bool_]:
        near = np.abs(picture[part].astype(np.int16) - wanted) <= tolerance
        return np.asarray(near if near.ndim == 2 else near.all(axis=-1), np.bool_)

    return _grow(picture.shape, place, alike)


def _pixel(shape: tuple[int, ...], point: Point) -> tuple[int, int] | None:
    column, row = int(np.floor(point[0])), int(np.floor(point[1]))
    return (row, column) if 0 <= row < shape[0] and 0 <= column < shape[1] else None


def _grow(
    shape: tuple[int, ...], place: tuple[int, int], alike: Callable[[tuple[slice, slice]], NDArray[np.bool_]]
) -> Area:
    """Grow the region that hangs together with `place`, in a window that doubles while it reaches the border."""
    height, width = shape[:2]
    half = WINDOW
    while True:
        top, bottom = max(0, place[0] - half), min(height, place[0] + half + 1)
        left, right = max(0, place[1] - half), min(width, place[1] + half + 1)
        regions, _ = ndimage.label(alike((slice(top, bottom), slice(left, right))))
        inside: NDArray[np.bool_] = regions == regions[place[0] - top, place[1] - left]
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        reaches = (
            (rows[0] == 0 and top > 0) or (rows[-1] == bottom - top - 1 and bottom < height)
            or (columns[0] == 0 and left > 0) or (columns[-1] == right - left - 1 and right < width)
        )  # fmt: skip
        if not reaches:
            part = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            return Area(left + int(columns[0]), top + int(rows[0]), part)
        half *= 2
