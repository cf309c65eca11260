"""A line where the pointer is, or where the keys went, and what the curves say there."""

from collections.abc import Callable, Sequence

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QLabel

from sslstudio.ui.base.theme import colours

SPOT = 9  # pixels


class Hover(QObject):
    """Watches the pointer over a plot. `describe` says in words what is at x, '' for nothing. A stop of the keys stays
    when the pointer comes and goes."""

    def __init__(self, plot: pg.PlotWidget, describe: Callable[[float], str]) -> None:
        super().__init__(plot)
        self._plot, self._describe = plot, describe
        self._stop: float | None = None
        self.label = QLabel(plot)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setProperty("role", "hover")
        self.label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.label.hide()
        self._line = pg.InfiniteLine(angle=90, movable=False)
        self._line.setZValue(1)
        self._line.hide()
        self.spots = pg.PlotDataItem(pen=None, symbol="o", symbolSize=SPOT)
        self.spots.setZValue(2)
        for item in (self._line, self.spots):
            plot.addItem(item, ignoreBounds=True)
        self.repaint()

    def follow_pointer(self) -> None:
        """Say what is under the pointer."""
        self._plot.scene().sigMouseMoved.connect(self._follow)
        self._plot.viewport().installEventFilter(self)

    def repaint(self) -> None:
        """The colours of the scheme."""
        scheme = colours()
        pen = QPen(QColor(scheme.muted), 1.0, Qt.PenStyle.DotLine)
        pen.setCosmetic(True)
        self._line.setPen(pen)
        self.spots.setSymbolPen(pg.mkPen(scheme.text, width=2))
        self.spots.setSymbolBrush(QColor(scheme.surface))

    def _follow(self, place: QPointF) -> None:
        box = self._plot.getViewBox()
        if box.sceneBoundingRect().contains(place):
            self.look_at(float(box.mapSceneToView(place).x()))
        else:
            self.away()

    def look_at(self, x: float) -> None:
        """Show what is at x."""
        said = self._describe(x)
        self.label.setVisible(bool(said))
        self._line.setVisible(bool(said))
        if said:
            self._line.setPos(x)
            self.label.setText(said)
            self.label.adjustSize()
            self.label.move(self._beside(x), 4)

    def _beside(self, x: float) -> int:
        """Left edge of the label: at the side of the plot where the line is not."""
        box = self._plot.getViewBox()
        place, room = box.mapViewToScene(QPointF(x, 0.0)).x(), box.sceneBoundingRect()
        right: int = self._plot.width() - self.label.width() - 8
        return min(right, round(room.left()) + 8) if place > room.center().x() else right

    def away(self) -> None:
        """The pointer has left."""
        if self._stop is not None:
            self.look_at(self._stop)
        else:
            self.label.hide()
            self._line.hide()

    @property
    def stop(self) -> float | None:
        """Where the keys stopped; None before they were used."""
        return self._stop

    def stop_at(self, x: float, spots: Sequence[tuple[float, float]]) -> None:
        """The keys stop at x, where these points lie."""
        self._stop = x
        self.spots.setData([place for place, _ in spots], [value for _, value in spots])
        self.look_at(x)

    def leave(self) -> None:
        """Forget the stop."""
        if self._stop is not None:
            self._stop = None
            self.spots.setData([], [])
        self.away()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that the pointer leaves the plot."""
        if event.type() == QEvent.Type.Leave:
            self.away()
        return False
