"""Curves that grow while a run goes on: points are appended to arrays, one `setData` a flush, and only the peaks of
what is in view are drawn, so that a million points stay quick."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy

from sslstudio.engine.core.metrics import find_metric
from sslstudio.ui.background.turns import in_turn
from sslstudio.ui.base.theme import theme
from sslstudio.ui.plots.axes import SIGN, LegendKey, ShareRange, StepAxis, ValueAxis, ink, pale, sign_of, stroke, veil
from sslstudio.ui.plots.canvas import PlotCanvas
from sslstudio.ui.plots.crosshair import Hover
from sslstudio.ui.plots.points import Points, Row
from sslstudio.ui.plots.saving import Table, offer_saving
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.flow import Flow
from sslstudio.ui.widgets.layout import Card, text

MARGIN = 14  # pixels
MOST_SIGNS = 6  # on a curve
GROWN = 1.2  # times the points that it had when its signs were put on it: then they are put anew


@dataclass
class Curve:
    """A curve, what it is drawn by and its place in the legend. `raw` is drawn pale behind it while it is smoothed."""

    item: pg.PlotDataItem
    key: LegendKey
    colour: int
    dashed: bool
    width: float
    points: Points = field(default_factory=Points)
    raw: pg.PlotDataItem | None = None
    signs: pg.PlotDataItem | None = None  # here and there on it, so that it is known without its colour
    signed: int = 0  # points that it had when the signs were put on it
    fresh: bool = False


@dataclass
class Bars:
    """Intervals of a curve: x, low and high of each, as bars and as the band that they make."""

    item: pg.ErrorBarItem
    edges: tuple[pg.PlotCurveItem, pg.PlotCurveItem]
    band: pg.FillBetweenItem
    marks: list[tuple[float, float, float]] = field(default_factory=list)


class LivePlot(Card):
    """A titled plot. Curves come into being with their first point."""

    def __init__(self, title: str, about: str, *, metric: str = "", floor: float | None = None, wait: str = "") -> None:
        """floor: what no value is below, nor the axis. wait: what is said while there is no curve."""
        super().__init__(title, margin=MARGIN, gap=4)
        self.heading.setMinimumWidth(40)  # a long title must not make one plot wider than the next
        self._metric = metric
        self._title = title
        self._curves: dict[str, Curve] = {}
        self._earlier: dict[str, Curve] = {}
        self._bars: dict[str, Bars] = {}
        self._weight, self._log = 0.0, False
        self._legend = Flow(gap=8)
        self._wait = text(wait or self.tr("Curves appear here once the training runs."), "muted")
        self._wait.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._across, self._up = StepAxis("bottom"), ValueAxis("left")
        self._floor = floor
        self._about = about
        self.setToolTip(about)
        self.add(self._legend, (self._wait, 1))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self._repaint)
        in_turn(self, lambda: self._plot)

    @cached_property
    def _plot(self) -> PlotCanvas:
        """What is drawn on, made a turn after the page that holds it or with the first point: each takes 15 ms."""
        made = PlotCanvas(self._across, self._up, self)
        made.setMinimumSize(96, 46)  # with two lines of keys above it, in the smallest window
        made.hover.follow_pointer()
        if self._floor is not None:
            made.getViewBox().setLimits(yMin=self._floor)
        offer_saving(self, made, lambda: self._title, self._numbers)
        made.hide()
        made.tell(self._title, self._about)
        made.setLogMode(y=self._log)
        self.body.addWidget(made, 1)
        self._up.share = find_metric(self._metric).is_share
        return made

    @property
    def _drawn_on(self) -> bool:
        return "_plot" in vars(self)

    @cached_property
    def _shares(self) -> ShareRange:
        made = ShareRange(self._plot)
        made.use(self._up.share)
        return made

    @property
    def hover(self) -> Hover:
        """What shows the values at the pointer."""
        return self._plot.hover

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A title ends in dots where it has no room."""
        self._write_title()
        super().resizeEvent(event)

    def _write_title(self) -> None:
        room = self.width() - 2 * MARGIN - 2
        shown = self.heading.fontMetrics().elidedText(self._title, Qt.TextElideMode.ElideRight, room)
        self.heading.setText(shown)
        self.heading.setToolTip("" if shown == self._title else self._title)

    def _fit_metric(self) -> None:
        self._up.share = find_metric(self._metric).is_share
        if self._drawn_on:
            self._shares.use(self._up.share)

    def retitle(self, title: str, metric: str) -> None:
        """Name the plot after the metric that it shows."""
        self._title, self._metric = title, metric
        self._write_title()
        self._fit_metric()

    # --- curves

    def append(self, name: str, x: float, y: float, *, colour: int = 0, dashed: bool = False) -> None:
        """A new point of a curve; drawn at the next `flush`. What is not finite is left out."""
        if not np.isfinite(y):
            return
        if not (self._curves or self._earlier):
            self._make_room(x, y)
        self._shares.reach(y)
        curve = self._curves.get(name) or self._begin(name, colour, dashed)
        curve.points.append(x, y)
        curve.fresh = True

    def _make_room(self, x: float, y: float) -> None:
        """A single point, or a level curve, keeps the range that there was: that of 0 to 1 says nothing of a rate of
        0.0005, and no step comes before 0."""
        level = (0.5 * y, 1.5 * y) if y or self._floor is None else (self._floor, self._floor + 1.0)
        high = {} if self._up.share or self._log else {"yRange": level}
        self._plot.getViewBox().setRange(xRange=(0.0, 2.0 * x), **high, disableAutoRange=False)

    def set_interval(self, name: str, x: float, low: float, high: float) -> None:
        """The interval from `low` to `high` of the point of a curve at x."""
        if name not in self._bars:
            edges = pg.PlotCurveItem(), pg.PlotCurveItem()
            self._bars[name] = Bars(pg.ErrorBarItem(beam=0), edges, pg.FillBetweenItem(*edges))
            for item in self._bars[name].band, self._bars[name].item:
                self._plot.addItem(item)
        bars = self._bars[name]
        self._shares.reach(high)
        bars.marks = [*(mark for mark in bars.marks if mark[0] < x), (x, low, high)]
        across, lows, highs = np.array(bars.marks).T
        pen = stroke(self._curves[name].colour, False, 1.2)
        bars.item.setData(x=across, y=(lows + highs) / 2, height=highs - lows, pen=pen)
        for edge, values in zip(bars.edges, (lows, highs), strict=True):
            edge.setData(across, values)
        bars.band.setBrush(veil(self._curves[name].colour))

    def show_earlier(self, name: str, number: int, xy: tuple[Row, Row]) -> None:
        """A curve of an earlier run, thin and dotted. `number` tells several of them apart."""
        if len(xy[0]):
            curve = self._make(name, 2 + number, True, 1.4)
            for x, y in zip(*(row.tolist() for row in xy), strict=True):
                curve.points.append(x, y)
            self._earlier[name] = curve
            self._shares.reach(_highest(xy[1]))
            self._draw(curve)
            self._tell()

    def forget_earlier(self) -> None:
        """Take away the curves of earlier runs."""
        for curve in self._earlier.values():
            self._remove(curve)
        self._earlier = {}
        if not self._drawn_on:
            return
        self._plot.leave()
        self._show_plot(bool(self._curves))
        self._tell()

    @property
    def fresh(self) -> bool:
        """Whether anything came since the last `flush`."""
        return any(curve.fresh for curve in self._curves.values())

    def flush(self) -> None:
        """Draw what came."""
        for curve in self._curves.values():
            if curve.fresh:
                self._draw(curve, growing=True)
                curve.key.say(formatting.brief(self._metric, float(curve.points.xy[1][-1])))
                curve.fresh = False
        if self._drawn_on:
            self._plot.scene().prepareForPaint()  # else the first paint finds the new range, and asks for a second
        self._tell()

    def _tell(self) -> None:
        """Name the plot with its newest values: what its legend says, and no more work than that while it grows."""
        if not self._drawn_on:
            return
        said = ", ".join(curve.key.words for curve in (*self._curves.values(), *self._earlier.values()))
        self._plot.tell(f"{self._title}: {said}" if said else self._title, self._about)

    def _draw(self, curve: Curve, *, growing: bool = False) -> None:
        smooth = self._weight > 0 and not curve.dashed
        across, up = self._drawable(curve.points.smoothed if smooth else curve.points.xy)
        curve.item.setData(across, up, skipFiniteCheck=True)
        if curve.signs is not None and not (growing and len(across) < GROWN * curve.signed):
            curve.signed = len(across)
            places = np.linspace(0, len(across) - 1, min(len(across), MOST_SIGNS)).round().astype(np.intp)
            curve.signs.setData(across[places], up[places])
        curve.item.setSymbol("o" if len(across) and across[0] == across[-1] else None)  # a line needs two places
        if smooth and curve.raw is None:
            curve.raw = self._item(pale(curve.colour), 0.0)
            curve.raw.setZValue(-1)
        if curve.raw is not None:
            curve.raw.setVisible(smooth)
            if smooth:
                curve.raw.setData(*self._drawable(curve.points.xy), skipFiniteCheck=True)

    def _drawable(self, xy: tuple[Row, Row]) -> tuple[Row, Row]:
        """A logarithmic axis has no place for what is not above zero."""
        if not self._log:
            return xy
        above = xy[1] > 0
        return xy[0][above], xy[1][above]

    def set_smoothing(self, weight: float) -> None:
        """How much of the mean before is kept with each point: 0 for none, 0.99 for much."""
        self._weight = weight
        for curve in self._curves.values():
            if not curve.dashed:
                curve.points.weigh(weight)
            self._draw(curve)

    def set_log(self, log: bool) -> None:
        """A logarithmic axis, or a plain one."""
        self._log = log
        if self._drawn_on:
            self._plot.setLogMode(y=log)
        for curve in (*self._curves.values(), *self._earlier.values()):
            self._draw(curve)

    def describe(self, x: float) -> str:
        """The values of all curves at a step, for the pointer."""
        step = max(0, round(x))
        values = [(name, curve.points.at(step)) for name, curve in (*self._curves.items(), *self._earlier.items())]
        said = [f"{name} {formatting.brief(self._metric, value)}" for name, value in values if value is not None]
        return "\n".join([self.tr("Step {0}").format(formatting.count(step)), *said]) if said else ""

    def _numbers(self) -> Table:
        """All points: curve, step and value, with the interval of those that have one."""
        found = []
        for name, curve in (*self._curves.items(), *self._earlier.items()):
            marks = {x: (low, high) for x, low, high in self._bars[name].marks} if name in self._bars else {}
            points = zip(*(row.tolist() for row in curve.points.xy), strict=True)
            found += [(name, x, y, *marks.get(x, ("", ""))) for x, y in points]
        return ("curve", "step", "value", "low", "high"), found

    def stops(self) -> list[Row]:
        """The steps at which there are points, of each curve."""
        return [curve.points.xy[0] for curve in (*self._curves.values(), *self._earlier.values())]

    def spots(self, x: float) -> list[tuple[float, float]]:
        """The points at a step; a logarithmic axis has no place for what is not above zero."""
        here = [one.points for one in (*self._curves.values(), *self._earlier.values()) if one.points.lies_at(x)]
        found = [(x, value) for value in (points.at(x) for points in here) if value is not None]
        return [(x, value) for x, value in found if value > 0 or not self._log]

    def clear(self) -> None:
        """Forget all curves but those of earlier runs."""
        for curve in self._curves.values():
            self._remove(curve)
        for bars in self._bars.values():
            self._plot.removeItem(bars.item)
            self._plot.removeItem(bars.band)
        self._curves, self._bars = {}, {}
        if not self._drawn_on:
            return
        self._shares.forget()
        for earlier in self._earlier.values():
            self._shares.reach(_highest(earlier.points.xy[1]))
        self._plot.leave()
        self._show_plot(bool(self._earlier))
        self._tell()

    def _remove(self, curve: Curve) -> None:
        for item in (curve.item, curve.raw, curve.signs):
            if item is not None:
                self._plot.removeItem(item)
        self._legend.removeWidget(curve.key)
        curve.key.hide()
        curve.key.deleteLater()

    def curve_points(self, name: str) -> tuple[Row, Row]:
        """What a curve shows, for tests."""
        return {**self._earlier, **self._curves}[name].points.xy

    @property
    def curve_names(self) -> list[str]:
        """The curves of the run there are."""
        return list(self._curves)

    def _begin(self, name: str, colour: int, dashed: bool) -> Curve:
        curve = self._curves[name] = self._make(name, colour, dashed, 2.0)
        curve.points.weigh(0.0 if dashed else self._weight)
        return curve

    def _make(self, name: str, colour: int, dashed: bool, width: float) -> Curve:
        item, key = self._item(stroke(colour, dashed, width), width), LegendKey(name, colour, dashed)
        curve = Curve(item, key, colour, dashed, width, signs=self._signs(colour))
        self._legend.addWidget(curve.key)
        self._show_plot(True)
        return curve

    def _item(self, pen: QPen, width: float) -> pg.PlotDataItem:
        item = pg.PlotDataItem(antialias=True)
        self._plot.addItem(item)  # which sets the plot's own downsampling, so ours comes after it
        item.setDownsampling(auto=True, method="peak")
        item.setClipToView(True)
        item.setLogMode(False, self._log)
        ink(item, pen)
        # a path of thick strokes takes ten times as long
        item.curve.setSegmentedLineMode("off" if pen.style() != Qt.PenStyle.SolidLine or not width else "on")
        return item

    def _signs(self, colour: int) -> pg.PlotDataItem | None:
        sign, ink = sign_of(colour), stroke(colour, False).color()
        if sign is None:
            return None
        signs = pg.PlotDataItem(pen=None, symbol=sign, symbolSize=SIGN, symbolPen=ink, symbolBrush=ink)
        self._plot.addItem(signs)
        signs.setLogMode(False, self._log)
        return signs

    def _show_plot(self, shown: bool) -> None:
        self._wait.setVisible(not shown)
        self._plot.setVisible(shown)

    def _repaint(self) -> None:
        if self._drawn_on:
            self._plot.recolour()
        for curve in (*self._curves.values(), *self._earlier.values()):
            ink(curve.item, stroke(curve.colour, curve.dashed, curve.width))
            if curve.raw is not None:
                curve.raw.setPen(pale(curve.colour))
            if curve.signs is not None:
                tint = stroke(curve.colour, False).color()
                curve.signs.setSymbolPen(tint)
                curve.signs.setSymbolBrush(tint)
            curve.key.update()
        for name, bars in self._bars.items():
            bars.band.setBrush(veil(self._curves[name].colour))


def _highest(values: Row) -> float:
    return float(np.max(values, initial=0.0, where=np.isfinite(values)))
