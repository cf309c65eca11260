"""What is marked in a picture, whatever program it was drawn in, and which pixels that is.

A pixel belongs to a polygon when its middle does; where polygons of one shape overlap, the inner one is a hole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.masks.coding import IGNORE

MOST_PIXELS: Final = 400_000_000  # of one picture; more is a mistake in the file
_AT_ONCE: Final = 1 << 18  # crossings of edges and rows
_FLAT: Final = 3  # corners that a polygon has at least

Inside = NDArray[np.bool_]  # (height, width)


@dataclass(frozen=True)
class Shape:
    """One thing of a class. `rings`: x, y, x, y ... in pixels, or in shares of the sides; `runs`: lengths of runs along
    the rows of the rectangle `place` (left, top, width, height), the first one outside. `box`: only a box was drawn;
    `counts`: whether it is clear enough to be learnt and scored (VOC marks what is difficult)."""

    name: str
    rings: tuple[tuple[float, ...], ...] = ()
    runs: tuple[int, ...] = ()
    place: tuple[int, int, int, int] = (0, 0, 0, 0)
    box: bool = False
    shares: bool = False
    counts: bool = True


@dataclass
class Drawing:
    """What is said of one picture: `name` as the file writes it; height and width 0 where it does not say; `tags` are
    classes of the whole picture."""

    name: str
    height: int = 0
    width: int = 0
    shapes: list[Shape] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    @property
    def outlined(self) -> bool:
        """Whether it says which pixels something is."""
        return any(not shape.box for shape in self.shapes)


def rectangle(left: float, top: float, right: float, bottom: float) -> tuple[float, ...]:
    """The ring of a box."""
    return (left, top, right, top, right, bottom, left, bottom)


def turned_rectangle(left: float, top: float, right: float, bottom: float, turned: float) -> tuple[float, ...]:
    """The ring of a box that is turned about its middle, clockwise by so many radians."""
    x, y = (left + right) / 2, (top + bottom) / 2
    corners = np.asarray(rectangle(left, top, right, bottom)).reshape(-1, 2) - (x, y)
    turn = np.array([[np.cos(turned), np.sin(turned)], [-np.sin(turned), np.cos(turned)]])
    return tuple((corners @ turn + (x, y)).ravel().tolist())


def ellipse(x: float, y: float, wide: float, high: float, turned: float = 0.0) -> tuple[float, ...]:
    """The ring of an ellipse around (x, y) with these half axes, turned clockwise by so many radians."""
    around = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    along, across = wide * np.cos(around), high * np.sin(around)
    points = np.stack(
        [x + along * np.cos(turned) - across * np.sin(turned), y + along * np.sin(turned) + across * np.cos(turned)], 1
    )
    return tuple(points.ravel().tolist())


def paint(drawing: Drawing, numbers: Mapping[str, int], height: int, width: int) -> NDArray[np.uint8]:
    """(height, width) class numbers, 0 where nothing is marked; of two shapes on a pixel the smaller one is seen.

    Shapes whose name is not among `numbers` are left out; those that do not count get 255.
    """
    mask = np.zeros((height, width), np.uint8)
    shapes = []
    for shape in drawing.shapes:
        if shape.name in numbers or not shape.counts:
            inside = inside_of(shape, height, width)
            number = numbers[shape.name] if shape.counts else IGNORE
            shapes.append((int(inside.sum()), number, np.packbits(inside)))
    for _, number, packed in sorted(shapes, key=lambda one: -one[0]):
        mask[np.unpackbits(packed, count=mask.size).astype(bool).reshape(mask.shape)] = number
    return mask


def inside_of(shape: Shape, height: int, width: int) -> Inside:
    """The pixels of one shape. Raises DataError where run lengths do not fit the picture."""
    inside = np.zeros((height, width), bool)
    if shape.runs:
        left, top, wide, high = shape.place
        if min(left, top) < 0 or left + wide > width or top + high > height or sum(shape.runs) != wide * high:
            raise DataError(
                "A mask of {name} does not fit its picture of {width} x {height} pixels.",
                name=shape.name,
                width=width,
                height=height,
            )
        values = np.repeat(np.arange(len(shape.runs)) % 2 == 1, shape.runs)
        inside[top : top + high, left : left + wide] = values.reshape(high, wide)
        return inside
    for ring in shape.rings:
        corners = np.asarray(ring, np.float64).reshape(-1, 2)
        if len(corners) >= _FLAT:
            inside ^= fill_polygon(corners * (width, height) if shape.shares else corners, height, width)
    return inside


def fill_polygon(corners: NDArray[np.float64], height: int, width: int) -> Inside:
    """Fill the pixels whose middle lies in the polygon (n, 2) of x, y: an odd number of edges is left of it."""
    ends = np.roll(corners, -1, axis=0)
    low, high = np.minimum(corners[:, 1], ends[:, 1]), np.maximum(corners[:, 1], ends[:, 1])
    first, last = (np.clip(np.ceil(one - 0.5), 0, height).astype(int) for one in (low, high))
    crossing = np.flatnonzero(last > first)  # the edges that pass the middle of a row
    total = np.cumsum(last[crossing] - first[crossing])
    crossed = np.zeros((height, width + 1), bool)
    begin = 0
    while begin < len(crossing):
        done = total[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, done + _AT_ONCE, "right")))
        edges = crossing[begin:end]
        counts = last[edges] - first[edges]
        rows = np.arange(counts.sum()) + np.repeat(first[edges] - (np.cumsum(counts) - counts), counts)
        (x, y), (to_x, to_y) = corners[edges].T, ends[edges].T
        slope = (to_x - x) / (to_y - y)
        at = np.repeat(x, counts) + (rows + 0.5 - np.repeat(y, counts)) * np.repeat(slope, counts)
        np.logical_xor.at(crossed, (rows, np.clip(np.ceil(at - 0.5), 0, width).astype(int)), True)
        begin = end
    inside: Inside = np.logical_xor.accumulate(crossed[:, :width], axis=1)
    return inside


def check_size(height: int, width: int) -> None:
    """Raises DataError for sides that no picture has."""
    if height < 0 or width < 0 or height * width > MOST_PIXELS:
        raise DataError("a picture of {width} x {height} pixels", width=width, height=height)


def numbers_of(values: Sequence[object], what: Message) -> tuple[float, ...]:
    """Finite numbers. Raises DataError for anything else."""
    try:
        numbers = tuple(float(value) for value in values)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError, OverflowError):
        numbers = (np.inf,)
    if not all(abs(number) < 1e9 for number in numbers):
        raise DataError("{what} is not a list of numbers", what=what)
    return numbers
