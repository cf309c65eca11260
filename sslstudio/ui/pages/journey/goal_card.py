"""A goal to choose: a small drawing of what comes out, a name, and one plain sentence."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from sslstudio.ui.base.theme import Colours, colours, theme
from sslstudio.ui.widgets.layout import column, row, text

SIDE = (168, 92)  # pixels of a drawing
Draw = Callable[[QPainter, Colours], None]


def draw_classes(painter: QPainter, scheme: Colours) -> None:
    """Two heaps of pictures, each with a sign of its own."""
    for left, colour, round_one in ((14, scheme.accent, True), (94, scheme.good, False)):
        for step in (2, 1, 0):
            sheet = QRectF(left + 5 * step, 14 + 5 * (2 - step), 50, 50)
            painter.setPen(QPen(QColor(scheme.strong_border), 1.2))
            painter.setBrush(QColor(scheme.surface))
            painter.drawRoundedRect(sheet, 5, 5)
        inside = QRectF(left + 14, 37, 22, 22)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        (painter.drawEllipse if round_one else painter.drawRect)(inside)


def draw_masks(painter: QPainter, scheme: Colours) -> None:
    """A picture with two things in it, marked."""
    painter.setPen(QPen(QColor(scheme.strong_border), 1.2))
    painter.setBrush(QColor(scheme.sunken))
    painter.drawRoundedRect(QRectF(24, 8, 120, 76), 6, 6)
    for colour, place in ((scheme.accent, QRectF(40, 22, 40, 34)), (scheme.good, QRectF(92, 40, 38, 30))):
        ground = QColor(colour)
        ground.setAlpha(90)
        painter.setBrush(ground)
        painter.setPen(QPen(QColor(colour), 2.4))
        painter.drawEllipse(place)


def draw_map(painter: QPainter, scheme: Colours) -> None:
    """Points in three heaps."""
    painter.setPen(Qt.PenStyle.NoPen)
    spots = ((0, 0), (9, 7), (-8, 9), (3, 15), (-11, -4), (12, -7), (-2, -11))
    for colour, x, y in ((scheme.accent, 42, 32), (scheme.good, 122, 36), (scheme.warn, 82, 66)):
        painter.setBrush(QColor(colour))
        for right, down in spots:
            painter.drawEllipse(QPointF(x + right, y + down), 3.4, 3.4)
    painter.setPen(QPen(QColor(scheme.muted), 1.2, Qt.PenStyle.DashLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolygon(QPolygonF([QPointF(20, 14), QPointF(64, 12), QPointF(66, 54), QPointF(24, 56)]))


class Drawing(QWidget):
    """Painted in the colours of the scheme, whatever it is."""

    def __init__(self, draw: Draw) -> None:
        super().__init__()
        self._draw = draw
        self.setFixedSize(*SIDE)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Asked by Qt."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw(painter, colours())


class GoalCard(QPushButton):
    """One button as large as a card, so that keys, screen readers and the mouse all find it."""

    def __init__(self, title: str, told: str, draw: Draw, chosen: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("role", "goal")
        self.setAccessibleName(title)
        self.setAccessibleDescription(told)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.heading, self.told = text(title, "heading"), text(told, "muted")
        for label in (self.heading, self.told):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside = column(row(None, Drawing(draw), None), 6, self.heading, self.told, None, gap=6)
        inside.setContentsMargins(18, 18, 18, 16)
        self.setLayout(inside)
        self.setMinimumSize(220, 240)
        self.clicked.connect(lambda: chosen())
