"""What curves are drawn on: looked at with the pointer, walked with the keys, and told to a screen reader."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
)

from sslstudio.ui.base.theme import colours
from sslstudio.ui.plots.axes import PlainAxis
from sslstudio.ui.plots.crosshair import Hover
from sslstudio.ui.plots.points import Row
from sslstudio.ui.widgets.shortcuts import ALONG, GIVE_UP

PAGES = 10  # strides of a page key from one end of the curves to the other


class Shown(Protocol):
    """What is drawn; asked when a key is pressed or the pointer moves, and never while curves only grow."""

    def describe(self, x: float) -> str:
        """The values at x in words, '' for none."""

    def stops(self) -> Sequence[Row]:
        """The x of the points of each curve, rising."""

    def spots(self, x: float) -> Sequence[tuple[float, float]]:
        """The points that lie at x."""


class PlotCanvas(pg.PlotWidget):  # type: ignore[misc]
    """A plot that Tab leads to. Arrows, Home, End and the page keys walk along the points; Escape or another place for
    the keys takes the marker away."""

    def __init__(self, across: PlainAxis, up: PlainAxis, shown: Shown) -> None:
        super().__init__(axisItems={"bottom": across, "left": up}, enableMenu=False)  # a third of the time it takes
        self._axes, self._shown, self._about = (across, up), shown, ""
        self.setMouseEnabled(False, False)
        self.hideButtons()
        self.showGrid(x=False, y=True, alpha=0.16)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.85)
        for axis in self._axes:
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickFont=small, maxTickLevel=0)
        self.hover = Hover(self, shown.describe)
        self.recolour()

    def recolour(self) -> None:
        """The colours of the scheme."""
        scheme = colours()
        self.setBackground(scheme.surface)
        for axis in self._axes:
            axis.setPen(QPen(QColor(scheme.border)))
            axis.setTextPen(QPen(QColor(scheme.muted)))
        self.hover.repaint()

    def tell(self, name: str, about: str) -> None:
        """What a screen reader calls the plot and says of it; while a marker stands it says what is there."""
        self._about = about
        self.setAccessibleName(name)
        if self.hover.stop is None:
            self.setAccessibleDescription(about)

    def leave(self) -> None:
        """Take the marker away."""
        self.hover.leave()
        self.setAccessibleDescription(self._about)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk along the points; keys that mean nothing here are left to others."""
        if event.key() in ALONG and self._go(*ALONG[Qt.Key(event.key())]):
            event.accept()
        elif event.key() == GIVE_UP and self.hover.stop is not None:
            self.leave()
            event.accept()
        else:
            event.ignore()

    def _go(self, stride: str, way: int) -> bool:
        x = next_stop(self._shown.stops(), self.hover.stop, stride, way)
        if x is None:
            return False
        self.hover.stop_at(x, self._shown.spots(x))
        said = self.hover.label.text().replace("\n", ", ")
        self.setAccessibleDescription(said)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, said))
        return True

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The frame shows that keys go here."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Neither frame nor marker."""
        super().focusOutEvent(event)
        self.leave()
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The curves, and the frame while keys go here."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(colours().accent), 2))
            painter.drawRoundedRect(self.getViewBox().sceneBoundingRect().adjusted(1, 1, -1, -1), 5, 5)


def next_stop(rows: Iterable[Row], at: float | None, stride: str, way: int) -> float | None:
    """Where a key leads from `at` (None: from outside) along all points of some curves; None where there are none.

    `stride` is point, page or end; `way` -1 to the left, 1 to the right. From outside, right begins at the first point
    and left at the last.
    """
    there = [row for row in rows if len(row)]
    if not there:
        return None
    first, last = float(min(row[0] for row in there)), float(max(row[-1] for row in there))
    if stride == "end" or at is None:
        return first if (way < 0) == (stride == "end") else last
    aim = at + way * (last - first) / PAGES if stride == "page" else at
    near, far = ("left", "right") if stride == "page" else ("right", "left")  # a page may end right at its aim
    if way > 0:
        places = [int(np.searchsorted(row, aim, side=near)) for row in there]  # type: ignore[call-overload]
        return min((float(row[n]) for row, n in zip(there, places, strict=True) if n < len(row)), default=last)
    places = [int(np.searchsorted(row, aim, side=far)) - 1 for row in there]  # type: ignore[call-overload]
    return max((float(row[n]) for row, n in zip(there, places, strict=True) if n >= 0), default=first)
