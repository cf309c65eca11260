"""Curves that grow while a run goes on: points are appended to arrays, one `setData` a flush, and only the peaks of
what is in view are drawn, so that a million points stay quick."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from sslstudio.ui import words
from sslstudio.ui.theme import colours, theme
from sslstudio.ui.widgets.layout import Card, row, text


class Points:
    """x and y values in arrays that double when they are full."""

    def __init__(self) -> None:
        self._xy: npt.NDArray[np.float64] = np.empty((2, 1024))
        self.count = 0

    def append(self, x: float, y: float) -> None:
        """Add a point."""
        if self.count == self._xy.shape[1]:
            self._xy = np.concatenate([self._xy, np.empty_like(self._xy)], axis=1)
        self._xy[:, self.count] = x, y
        self.count += 1

    @property
    def xy(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Views of what is there."""
        return self._xy[0, : self.count], self._xy[1, : self.count]


class StepAxis(pg.AxisItem):  # type: ignore[misc]
    """Whole steps, said as people write them."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """No half steps."""
        levels = [level for level in super().tickSpacing(low, high, size) if level[0] >= 1]
        return levels[:1] or [(1.0, 0.0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """1,000 instead of 1000."""
        return [words.count(round(value)) for value in values]


class ValueAxis(pg.AxisItem):  # type: ignore[misc]
    """Per cent for shares."""

    share = False

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """80 % instead of 0.8."""
        if self.share:
            return [words.percent(value, 0) for value in values]
        strings: list[str] = super().tickStrings(values, scale, spacing)
        return strings


class LegendKey(QWidget):
    """A short stroke in a curve's colour and dash, with its name and newest value."""

    def __init__(self, name: str, colour: int, dashed: bool) -> None:
        super().__init__()
        self._name, self._colour, self._dashed = name, colour, dashed
        self.label = QLabel(name)
        self.label.setProperty("role", "small")
        self.label.setMinimumWidth(30)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(17, 0, 0, 0)
        layout.addWidget(self.label)

    def say(self, value: str) -> None:
        """Show the newest value."""
        self.label.setText(f"{self._name}  {value}")

    def paintEvent(self, event: QPaintEvent) -> None:
        """The stroke."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(stroke(self._colour, self._dashed))
        painter.drawLine(QPointF(2, self.height() / 2), QPointF(13, self.height() / 2))


def stroke(colour: int, dashed: bool, width: float = 2.0) -> QPen:
    """The pen of a curve; -1 is the colour of chance."""
    scheme = colours()
    name = scheme.chance if colour < 0 else scheme.series[colour % len(scheme.series)]
    pen = QPen(QColor(name), width)
    pen.setCosmetic(True)
    if dashed:
        pen.setDashPattern([2.0, 2.0])
    return pen


@dataclass
class Curve:
    """A curve, what it is drawn by and its place in the legend."""

    item: pg.PlotDataItem
    key: LegendKey
    colour: int
    dashed: bool
    points: Points = field(default_factory=Points)
    fresh: bool = False


class LivePlot(Card):
    """A titled plot. Curves come into being with their first point."""

    def __init__(self, title: str, about: str, *, metric: str = "") -> None:
        super().__init__(title, margin=14, gap=4)
        self.heading.setMinimumWidth(40)  # a long title must not make one plot wider than the next
        self._metric = metric
        self._title = title
        self._curves: dict[str, Curve] = {}
        self._legend = row(gap=8)
        self._legend.addStretch(1)
        self._wait = text(self.tr("Curves appear here once the training runs."), "muted")
        self._wait.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._across, self._up = StepAxis("bottom"), ValueAxis("left")
        self._plot = pg.PlotWidget(axisItems={"bottom": self._across, "left": self._up})
        self._set_up_plot()
        self.setToolTip(about)
        self.add(self._legend, (self._wait, 1), (self._plot, 1))
        self._plot.hide()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self._repaint)
        self._repaint()

    def _set_up_plot(self) -> None:
        self._plot.setMinimumSize(160, 84)
        self._plot.setMouseEnabled(False, False)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.showGrid(x=False, y=True, alpha=0.16)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.85)
        for axis in (self._across, self._up):
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickFont=small, maxTickLevel=0)
        self._fit_metric()

    def _fit_metric(self) -> None:
        self._up.share = words.is_share(self._metric)
        if self._up.share:
            self._plot.setYRange(0.0, 1.0, padding=0.03)

    def retitle(self, title: str, metric: str) -> None:
        """Name the plot after the metric that it shows."""
        self._title, self._metric = title, metric
        self.heading.setText(title)
        self._fit_metric()

    def append(self, name: str, x: float, y: float, *, colour: int = 0, dashed: bool = False) -> None:
        """A new point of a curve; drawn at the next `flush`. What is not finite is left out."""
        if not np.isfinite(y):
            return
        curve = self._curves.get(name) or self._begin(name, colour, dashed)
        curve.points.append(x, y)
        curve.fresh = True

    def flush(self) -> None:
        """Draw what came."""
        for curve in self._curves.values():
            if curve.fresh:
                curve.item.setData(*curve.points.xy, skipFiniteCheck=True)
                curve.key.say(words.brief(self._metric, float(curve.points.xy[1][-1])))
                curve.fresh = False
        said = ", ".join(curve.key.label.text() for curve in self._curves.values())
        self.setAccessibleName(f"{self._title}: {said}")

    def clear(self) -> None:
        """Forget all curves."""
        for curve in self._curves.values():
            self._plot.removeItem(curve.item)
            self._legend.removeWidget(curve.key)
            curve.key.hide()
            curve.key.deleteLater()
        self._curves = {}
        self._plot.hide()
        self._wait.show()

    def curve_points(self, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """What a curve shows, for tests."""
        return self._curves[name].points.xy

    @property
    def curve_names(self) -> list[str]:
        """The curves there are."""
        return list(self._curves)

    def _begin(self, name: str, colour: int, dashed: bool) -> Curve:
        item = pg.PlotDataItem(antialias=True)
        self._plot.addItem(item)  # which sets the plot's own downsampling, so ours comes after it
        item.setDownsampling(auto=True, method="peak")
        item.setClipToView(True)
        item.setPen(stroke(colour, dashed))
        item.curve.setSegmentedLineMode("off" if dashed else "on")  # a path of thick strokes takes ten times as long
        curve = Curve(item, LegendKey(name, colour, dashed), colour, dashed)
        self._legend.insertWidget(self._legend.count() - 1, curve.key)
        self._curves[name] = curve
        self._wait.hide()
        self._plot.show()
        return curve

    def _repaint(self) -> None:
        scheme = colours()
        self._plot.setBackground(scheme.surface)
        for axis in (self._across, self._up):
            axis.setPen(QPen(QColor(scheme.border)))
            axis.setTextPen(QPen(QColor(scheme.muted)))
        for curve in self._curves.values():
            curve.item.setPen(stroke(curve.colour, curve.dashed))
            curve.key.update()
