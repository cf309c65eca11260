"""The mark of a class in maps and legends: a shape and a colour, so that neither says it alone.

Ten shapes and eight colours: ten classes differ by shape alone, forty by the two together.
"""

from math import cos, pi, sin

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPixmap, QPolygonF

from sslstudio.ui.base.theme import class_colour, colours

Corners = tuple[tuple[float, float], ...]


def _star(points: int, inner: float) -> Corners:
    radii = [1.5 if place % 2 == 0 else inner for place in range(2 * points)]
    turns = [pi * place / points - pi / 2 for place in range(2 * points)]
    return tuple((radius * cos(turn), radius * sin(turn)) for radius, turn in zip(radii, turns, strict=True))


_THIN, _LONG = 0.42, 1.35  # of the arms of a cross
_PLUS: Corners = (
    (-_THIN, -_LONG), (_THIN, -_LONG), (_THIN, -_THIN), (_LONG, -_THIN), (_LONG, _THIN), (_THIN, _THIN),
    (_THIN, _LONG), (-_THIN, _LONG), (-_THIN, _THIN), (-_LONG, _THIN), (-_LONG, -_THIN), (-_THIN, -_THIN),
)  # fmt: skip
_TURNED: Corners = tuple(((x - y) * 0.75, (x + y) * 0.75) for x, y in _PLUS)
_SHAPES: tuple[Corners, ...] = (  # of half the size 1, after the disc, which has no corners
    ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    ((0, -1.2), (1.2, 1), (-1.2, 1)),
    ((0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0)),
    _PLUS,
    ((0, 1.2), (1.2, -1), (-1.2, -1)),
    _TURNED,
    _star(5, 0.6),
    ((-1.1, -1.2), (1.1, -1.2), (-1.1, 1.2), (1.1, 1.2)),
)
SHAPES = len(_SHAPES) + 2  # and the disc and the ring
_RING = SHAPES - 1


def shape_of(group: int, size: float) -> QPainterPath:
    """The outline of a class's mark around (0, 0), counted from 1; 0 is no class and round."""
    path = QPainterPath()
    number = (group - 1) % SHAPES if group else 0
    if 0 < number < _RING:
        path.addPolygon(QPolygonF([QPointF(x * size, y * size) for x, y in _SHAPES[number - 1]]))
        path.closeSubpath()
        path.setFillRule(Qt.FillRule.WindingFill)
        return path
    path.addEllipse(QPointF(0, 0), size * (1.2 if number else 1), size * (1.2 if number else 1))
    if number:
        path.addEllipse(QPointF(0, 0), size * 0.55, size * 0.55)  # the even-odd rule leaves it open
    return path


def paint_mark(painter: QPainter, at: QPointF, group: int, size: float) -> None:
    """The mark of a class, counted from 1, with the pen that is set; 0 is no class: grey and round."""
    painter.setBrush(QColor(class_colour(group) if group else colours().disabled))
    painter.drawPath(shape_of(group, size).translated(at))


def mark_icon(group: int, side: int = 16) -> QIcon:
    """The mark of a class for what stands beside its name; sharp at twice the size too."""
    sheet = QPixmap(2 * side, 2 * side)
    sheet.setDevicePixelRatio(2)
    sheet.fill(Qt.GlobalColor.transparent)
    painter = QPainter(sheet)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(colours().strong_border))
    paint_mark(painter, QPointF(side / 2, side / 2), group, 5.0)
    painter.end()
    return QIcon(sheet)
