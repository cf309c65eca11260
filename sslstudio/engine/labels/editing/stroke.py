"""One stroke on a mask: what is painted is there at once, and touched tiles are kept for the way back."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TILE = 64  # pixels

Mask = NDArray[np.uint8]  # (h, w) class numbers, 0 is the background


class Rect(NamedTuple):
    """A part of a mask, in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """To index an array (h, w) with."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def join(self, other: "Rect") -> "Rect":
        """Make the smallest one around both."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        right = max(self.left + self.width, other.left + other.width)
        bottom = max(self.top + self.height, other.top + other.height)
        return Rect(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class Area:
    """Which pixels a tool takes: `inside` (height, width) of a rectangle whose upper left corner is (left, top)."""

    left: int
    top: int
    inside: NDArray[np.bool_]

    @property
    def rect(self) -> Rect:
        """Where it lies."""
        height, width = self.inside.shape
        return Rect(self.left, self.top, width, height)


@dataclass(frozen=True)
class Patch:
    """What a stroke changed: a rectangle of the mask before and after."""

    rect: Rect
    before: Mask
    after: Mask


class Stroke:
    """Paints into `mask` and remembers how it was. Costs as much as the area it touches."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._tiles: dict[tuple[int, int], Mask] = {}
        self._rect: Rect | None = None

    def put(self, area: Area, number: int) -> Rect | None:
        """Give the pixels of an area a class; returns the rectangle to paint anew, None when the area is empty."""
        rect = area.rect
        if not rect.width or not rect.height:
            return None
        self._remember(rect)
        self._mask[rect.slices][area.inside] = number
        self._rect = rect if self._rect is None else self._rect.join(rect)
        return rect

    def _remember(self, rect: Rect) -> None:
        for row in range(rect.top // TILE, (rect.top + rect.height - 1) // TILE + 1):
            for column in range(rect.left // TILE, (rect.left + rect.width - 1) // TILE + 1):
                if (row, column) not in self._tiles:
                    self._tiles[row, column] = self._mask[_tile(row, column)].copy()

    def end(self) -> Patch | None:
        """The smallest rectangle that holds all changed pixels, None when nothing changed."""
        if self._rect is None:
            return None
        before, after = self._before(self._rect), self._mask[self._rect.slices]
        changed = before != after
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        if not len(rows):
            return None
        inner = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        rect = Rect(
            self._rect.left + int(columns[0]), self._rect.top + int(rows[0]),
            int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1,
        )  # fmt: skip
        return Patch(rect, before[inner].copy(), after[inner].copy())

    def _before(self, rect: Rect) -> Mask:
        """The rectangle as it was: as it is now, with the kept tiles put back."""
        before = self._mask[rect.slices].copy()
        for (row, column), pixels in self._tiles.items():
            top, left = row * TILE, column * TILE
            height, width = pixels.shape
            y0, y1 = max(top, rect.top), min(top + height, rect.top + rect.height)
            x0, x1 = max(left, rect.left), min(left + width, rect.left + rect.width)
            if y0 < y1 and x0 < x1:
                part = pixels[y0 - top : y1 - top, x0 - left : x1 - left]
                before[y0 - rect.top : y1 - rect.top, x0 - rect.left : x1 - rect.left] = part
        return before

    def cancel(self) -> Rect | None:
        """Put the mask back as it was; returns the rectangle to paint anew."""
        for place, pixels in self._tiles.items():
            self._mask[_tile(*place)] = pixels
        self._tiles.clear()
        touched, self._rect = self._rect, None
        return touched


def _tile(row: int, column: int) -> tuple[slice, slice]:
    return slice(row * TILE, (row + 1) * TILE), slice(column * TILE, (column + 1) * TILE)
