"""A line under the pointer, and what the curves say there."""

from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QLabel

from sslstudio.ui.theme import colours


class Hover(QObject):
    """Watches the pointer over a plot. `describe` says in words what is at x, '' for nothing."""

    def __init__(self, plot: pg.PlotWidget, describe: Callable[[float], str]) -> None:
        super().__init__(plot)
        self._plot, self._describe = plot, describe
        self.label = QLabel(plot)
        self.label.setProperty("role", "hover")
        self.label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.label.hide()
        self._line = pg.InfiniteLine(angle=90, movable=False)
        self._line.hide()
        plot.addItem(self._line, ignoreBounds=True)
        plot.scene().sigMouseMoved.connect(self._moved)
        plot.viewport().installEventFilter(self)
        self.repaint()

    def repaint(self) -> None:
        """The colours of the scheme."""
        pen = QPen(QColor(colours().muted), 1.0, Qt.PenStyle.DotLine)
        pen.setCosmetic(True)
        self._line.setPen(pen)

    def _moved(self, place: QPointF) -> None:
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
            self.label.move(self._plot.width() - self.label.width() - 8, 4)

    def away(self) -> None:
        """The pointer has left."""
        self.label.hide()
        self._line.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that the pointer leaves the plot."""
        if event.type() == QEvent.Type.Leave:
            self.away()
        return False
