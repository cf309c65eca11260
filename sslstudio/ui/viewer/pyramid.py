"""A picture at full, half, a quarter ... of its size, so that any part of it is painted at once at any zoom; and from
its values to shades by a window of brightness."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from sslstudio.engine.images.formats.decode import Measured
from sslstudio.engine.images.formats.tone import range_of

Values = npt.NDArray[Any]
SMALLEST = 512  # pixels of the longer side of the last level
MOST = 120_000_000  # pixels that are kept at full size; of larger pictures the half, the quarter ...
_SHADES = 1 << 16


@dataclass(frozen=True)
class Window:
    """What becomes black and what white; `dark`: the other way round."""

    low: float
    high: float
    dark: bool = False


@dataclass(frozen=True)
class Pyramid:
    """`levels[0]` is the largest, the `reduced`-th part of the picture along each side; (h, w) or (h, w, 3). `size` is
    (width, height) in the file. `usual` is the window that shows it as thumbnails do, `auto` the one that its values
    suggest, `least` and `most` the range of its values, `bits` of a value."""

    levels: tuple[Values, ...]
    size: tuple[int, int]
    reduced: int
    usual: Window
    auto: Window
    least: float
    most: float
    bits: int
    channels: int
    pages: int

    @property
    def deep(self) -> bool:
        """Whether its values are measurements of more than 8 bits."""
        return self.levels[0].dtype != np.uint8

    def level_for(self, scale: float) -> int:
        """The level that has about as many pixels as are painted, at this many painted ones for one of the picture."""
        wanted = np.log2(1 / max(scale * self.reduced, 1e-6)) + 0.25
        return int(np.clip(np.floor(wanted), 0, len(self.levels) - 1))


def build_pyramid(found: Measured) -> Pyramid:
    """All levels of a picture. Takes a second for a hundred million pixels: for other threads than the window's."""
    values = found.values
    height, width = values.shape[:2]
    reduced = 1
    while values.shape[0] * values.shape[1] > MOST:
        values, reduced = _halve(values), 2 * reduced
    levels = [values]
    while max(levels[-1].shape[:2]) > SMALLEST:
        levels.append(_halve(levels[-1]))
    small = levels[-1]
    low, high = range_of(small)
    if not high > low:
        low, high = found.low, found.high
    least, most = (0.0, 255.0) if values.dtype == np.uint8 else _span(levels[min(1, len(levels) - 1)])
    return Pyramid(
        tuple(levels), (width, height), reduced, Window(found.low, found.high, found.dark),
        Window(low, high, found.dark), min(least, found.low), max(most, found.high),
        8 * values.dtype.itemsize, found.channels, found.pages,
    )  # fmt: skip


def _span(values: Values) -> tuple[float, float]:
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)


def _halve(values: Values) -> Values:
    """Means of two by two, in the same type; a last odd row or column goes."""
    height, width = (max(2, side) // 2 * 2 for side in values.shape[:2])
    if min(values.shape[:2]) < 2:
        return values[::2, ::2]
    whole = values.dtype.kind != "f"
    kind: Any = (np.int32 if values.dtype.itemsize < 4 else np.int64) if whole else values.dtype
    total: Any = np.zeros((height // 2, width // 2, *values.shape[2:]), kind)
    for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        total += values[down:height:2, across:width:2]
    return np.asarray((total >> 2 if whole else total / 4).astype(values.dtype))


class Shader:
    """From values to shades; the table of the last window is kept."""

    def __init__(self) -> None:
        self._table: npt.NDArray[np.uint8] | None = None
        self._key: tuple[object, ...] = ()

    def shade(self, values: Values, window: Window) -> QImage:
        """An image that owns its pixels."""
        if values.dtype == np.uint8 and window == Window(0.0, 255.0):
            shades = values
        elif values.dtype.kind in "ui" and values.dtype.itemsize <= 2:
            shades = self._look_up(values, window)
        else:
            shades = _scale(values.astype(np.float32), window)
        shades = np.ascontiguousarray(shades)
        height, width = shades.shape[:2]
        colour = shades.ndim == 3
        kind = QImage.Format.Format_RGB888 if colour else QImage.Format.Format_Grayscale8
        return QImage(shades.data, width, height, (3 if colour else 1) * width, kind).copy()

    def _look_up(self, values: Values, window: Window) -> npt.NDArray[np.uint8]:
        about = np.iinfo(values.dtype)
        if self._key != (values.dtype, window) or self._table is None:
            self._key = (values.dtype, window)
            self._table = _scale(np.arange(about.min, about.max + 1, dtype=np.float32), window)
        signed = values.dtype.kind == "i"
        return self._table[values.astype(np.int32) - about.min] if signed else self._table[values]


def _scale(values: npt.NDArray[np.float32], window: Window) -> npt.NDArray[np.uint8]:
    span = max(window.high - window.low, 1e-12)
    with np.errstate(invalid="ignore", over="ignore"):
        shares = np.nan_to_num(np.clip((values - window.low) / span, 0, 1))
    shades: npt.NDArray[np.uint8] = np.rint(shares * 255).astype(np.uint8)
    return 255 - shades if window.dark else shades
