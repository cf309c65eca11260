"""What plots are made of: axes as people write numbers, legend keys, pens."""

import math
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPicture
from PySide6.QtWidgets import QSizePolicy, QStyleOptionGraphicsItem, QWidget

from sslstudio.ui.base.theme import colours
from sslstudio.ui.text import formatting as words

SIGNS = ("o", "s", "t1", "d", "t", "p", "h", "star", "x")  # by them curves are told apart where colours are not
SIGN = 6  # pixels
LEAST_APART = 15  # pixels from one number at the side to the next
LEAST_WRITTEN = 1e-6  # 0.000001; smaller steps between numbers are said as powers of ten


def sign_of(colour: int) -> str | None:
    """The sign that a curve bears here and there; the first one and that of chance, which is dashed, need none."""
    return SIGNS[colour % len(SIGNS)] if colour > 0 else None


class PlainAxis(pg.AxisItem):  # type: ignore[misc]
    """Drawn straight. The one it comes from records a QPicture and plays it, which looks each font up anew: three
    milliseconds an axis, many times a second while a network trains."""

    _specs: tuple[Any, Any, Any] | None = None
    picture: QPicture | None  # what the parent kept; it sets None when that is void

    def paint(self, p: QPainter, opt: QStyleOptionGraphicsItem, widget: QWidget | None) -> None:
        """Ticks, grid and numbers; where they lie is kept until the range, the size or the style changes."""
        if self.style["tickFont"]:
            p.setFont(self.style["tickFont"])
        if self.picture is None:
            self._specs, self.picture = self.generateDrawSpecs(p), QPicture()
        if self._specs is not None:
            axis, ticks, numbers = self._specs
            p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            for pen, start, end in (axis, *ticks):
                p.setPen(pen)
                p.drawLine(start, end)
            p.setPen(self.textPen())
            for place, flags, number in numbers:
                p.drawText(place, int(flags), number)


class StepAxis(PlainAxis):
    """Whole steps, said as people write them."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """No half steps."""
        levels = [level for level in super().tickSpacing(low, high, size) if level[0] >= 1]
        return levels[:1] or [(1.0, 0.0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """1,000 instead of 1000."""
        return [words.count(round(value)) for value in values]


class ValueAxis(PlainAxis):
    """Per cent for shares; small numbers are written out, as long as that is no longer than a power of ten."""

    share = False

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """In a low plot fewer numbers, that none stands on another."""
        levels: list[tuple[float, float]] = super().tickSpacing(low, high, size)
        if self.logMode or high <= low or not levels:
            return levels
        step, offset = levels[0]
        while step * size / (high - low) < LEAST_APART:
            step *= 2
        return [(step, offset), *levels[1:]]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """80 % instead of 0.8."""
        if self.share:
            return [words.percent(value, 0) for value in values]
        if not self.logMode and LEAST_WRITTEN <= scale * spacing < 1e-2:
            places = math.ceil(-math.log10(scale * spacing))
            return [words.figures(f"{scale * value:.{places}f}") if value else "0" for value in values]
        return [words.figures(said) for said in super().tickStrings(values, scale, spacing)]


class ShareRange:
    """From 0 to the least of `TOPS` that holds all that was drawn: two in a hundred are seen too, and the axis seldom
    jumps."""

    TOPS = (0.05, 0.1, 0.2, 0.5, 1.0)

    def __init__(self, plot: pg.PlotWidget) -> None:
        self._plot, self.on, self._top = plot, False, 0.0

    def use(self, on: bool) -> None:
        """Whether shares are drawn; of anything else the plot finds the range by itself."""
        if self.on and not on:
            self._plot.enableAutoRange(y=True)
        self.on = on
        self.reach(0.0)

    def forget(self) -> None:
        """As at the beginning."""
        self._top = 0.0
        self.reach(0.0)

    def reach(self, share: float) -> None:
        """Have room for this one."""
        if self.on and (share > self._top or not self._top):
            self._top = next((top for top in self.TOPS if share <= top), self.TOPS[-1])
            self._plot.setYRange(0.0, self._top, padding=0.03)


class LegendKey(QWidget):
    """A short stroke in a curve's colour and dash, with its name and newest value. Drawn, not a label: a label that
    changes its text has the whole page laid out anew, with every point of every curve."""

    STROKE, LEAST = 17, 30  # pixels: of the stroke with its gap, and of the words at least

    def __init__(self, name: str, colour: int, dashed: bool) -> None:
        super().__init__()
        self._name, self._colour, self._dashed = name, colour, dashed
        self._room = 0
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.92)
        self.setFont(small)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._value = ""
        self._make_room()

    @property
    def words(self) -> str:
        """All that it says."""
        return f"{self._name}  {self._value}" if self._value else self._name

    def say(self, value: str) -> None:
        """Show the newest value."""
        self._value = value
        self._make_room()
        self.update()

    def _make_room(self) -> None:
        """It grows with its words and never shrinks: keys beside it would jump at each value."""
        wanted = self.fontMetrics().horizontalAdvance(self.words) + 2
        if wanted > self._room:
            self._room = wanted
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Room for the longest words so far."""
        return QSize(self.STROKE + self._room, self.fontMetrics().height() + 2)

    def minimumSizeHint(self) -> QSize:
        """Where there is no room the name ends in dots."""
        return QSize(self.STROKE + self.LEAST, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The stroke and the words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(stroke(self._colour, self._dashed))
        painter.drawLine(QPointF(2, self.height() / 2), QPointF(13, self.height() / 2))
        if (sign := sign_of(self._colour)) is not None:
            painter.save()
            painter.translate(7.5, self.height() / 2)
            ink = stroke(self._colour, False).color()
            pg.graphicsItems.ScatterPlotItem.drawSymbol(painter, sign, SIGN, pg.mkPen(ink), pg.mkBrush(ink))
            painter.restore()
        painter.setPen(QColor(colours().muted))
        painter.drawText(
            self.rect().adjusted(self.STROKE, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.fitting(self.width())
        )

    def fitting(self, width: int) -> str:
        """What it shows when it is so wide, in pixels: the value is said in full as long as anything can be."""
        value = f"  {self._value}" if self._value else ""
        metrics, room = self.fontMetrics(), width - self.STROKE
        name = metrics.elidedText(self._name, Qt.TextElideMode.ElideRight, room - metrics.horizontalAdvance(value))
        return metrics.elidedText(f"{name}{value}".strip(), Qt.TextElideMode.ElideRight, room)


def stroke(colour: int, dashed: bool, width: float = 2.0) -> QPen:
    """The pen of a curve; -1 is the colour of chance."""
    scheme = colours()
    name = scheme.chance if colour < 0 else scheme.series[colour % len(scheme.series)]
    pen = QPen(QColor(name), width)
    pen.setCosmetic(True)
    if dashed:
        pen.setDashPattern([2.0, 2.0])
    return pen


def ink(item: pg.PlotDataItem, pen: QPen) -> None:
    """Draw a curve, and a point that is alone, in this colour."""
    item.setPen(pen)
    item.setSymbolPen(pen.color())
    item.setSymbolBrush(pen.color())


def pale(colour: int) -> QPen:
    """The pen of what is behind a smoothed curve."""
    pen = stroke(colour, False, 1.0)
    faint = pen.color()
    faint.setAlphaF(0.3)
    pen.setColor(faint)
    return pen


def veil(colour: int) -> QColor:
    """What fills the band of a curve."""
    shade = stroke(colour, False).color()
    shade.setAlphaF(0.16)
    return shade
