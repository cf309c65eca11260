"""The mark of a class in maps and legends: a shape and a colour, so that neither says it alone."""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from sslstudio.ui.theme import class_colour, colours


def paint_mark(painter: QPainter, at: QPointF, group: int, size: float) -> None:
    """The mark of a class, counted from 1, with the pen that is set; 0 is no class: grey and round."""
    painter.setBrush(QColor(class_colour(group) if group else colours().disabled))
    x, y = at.x(), at.y()
    match (group - 1) % 4 if group else 0:
        case 0:
            painter.drawEllipse(at, size, size)
        case 1:
            painter.drawRect(QRectF(x - size, y - size, 2 * size, 2 * size))
        case 2:
            _polygon(painter, (x, y - 1.2 * size), (x + 1.2 * size, y + size), (x - 1.2 * size, y + size))
        case _:
            _polygon(painter, (x, y - 1.4 * size), (x + 1.4 * size, y), (x, y + 1.4 * size), (x - 1.4 * size, y))


def _polygon(painter: QPainter, *corners: tuple[float, float]) -> None:
    painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))


class Mark(QWidget):
    """The mark of a class beside its name."""

    def __init__(self, group: int) -> None:
        super().__init__()
        self._group = group
        self.setFixedSize(16, 16)

    def show_group(self, group: int) -> None:
        """Another class."""
        self._group = group
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(colours().strong_border))
        paint_mark(painter, QPointF(8, 8), self._group, 5.0)
