"""Paint a mask: brush, eraser, polygon, fill and magic wand; each stroke is handed on when it ends."""

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF

from sslstudio.engine.labels.editing.stroke import Area, Stroke
from sslstudio.engine.labels.editing.tools import brush, fill, polygon, wand
from sslstudio.ui.base.theme import class_colour, colours
from sslstudio.ui.pages.label.canvas_view import CanvasView
from sslstudio.ui.widgets.shortcuts import CLOSE, GIVE_UP, HIDE, PAN, SHORTEN

TOOLS = ("brush", "eraser", "polygon", "fill", "wand")
ROUND = ("brush", "eraser")
SMALLEST, LARGEST = 1.0, 400.0  # pixels of the picture: radius of the brush
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


class MaskCanvas(CanvasView):
    """`stroked` carries the Patch of each stroke, after it is seen; `sized` the radius of the brush; `lacking`: there
    is no class to paint with."""

    stroked = Signal(object)
    lacking = Signal()
    sized = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.tool = "brush"
        self.number, self.colour = 0, 1  # the class that is painted, and its place in the palette; 0: no class yet
        self.radius, self.tolerance = 6.0, 24
        self.corners: list[QPointF] = []  # of the polygon so far, in the picture
        self._stroke: Stroke | None = None
        self._last = QPointF()
        self._mouse: QPointF | None = None
        self._grabbed: QPointF | None = None
        self._space = False
        self.setAccessibleName(self.tr("The picture and its mask, to paint on"))

    # --- what is in hand

    def choose_tool(self, tool: str) -> None:
        """Take another tool; an unfinished polygon is given up."""
        self.tool = tool
        self.corners = []
        self.update()

    def choose_class(self, number: int, colour: int) -> None:
        """Paint another class."""
        self.number, self.colour = number, colour
        self.update()

    def set_radius(self, radius: float) -> None:
        """Another size of the brush, in pixels of the picture."""
        self.radius = min(LARGEST, max(SMALLEST, radius))
        self.sized.emit(self.radius)
        self.update()

    def grow(self) -> None:
        """A larger brush."""
        self.set_radius(max(self.radius + 1, self.radius * 1.2))

    def shrink(self) -> None:
        """A smaller brush."""
        self.set_radius(min(self.radius - 1, self.radius / 1.2))

    # --- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke, set a corner, fill, or take hold of the picture."""
        self.setFocus()
        at = self.to_picture(event.position())
        if event.button() == MIDDLE or (event.button() == LEFT and self._space):
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == LEFT and self.drawn.size:
            if self.number or self.tool == "eraser":
                self._begin(at)
            else:
                self.lacking.emit()

    def _begin(self, at: QPointF) -> None:
        point = (at.x(), at.y())
        if self.tool == "polygon":
            self.corners.append(at)
            self.update()
        elif self.tool in ROUND:
            self._stroke, self._last = Stroke(self.drawn), at
            self._dab(at)
        else:
            made = fill(self.drawn, point) if self.tool == "fill" else wand(self.picture, point, self.tolerance)
            self._paint_at_once(made)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with what was begun."""
        at = event.position()
        if self._grabbed is not None:
            self.pan(at - self._grabbed)
            self._grabbed = at
        elif self._stroke is not None:
            self._dab(self.to_picture(at))
        self._mouse = at
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A stroke ends."""
        if self._grabbed is not None and event.button() in (LEFT, MIDDLE):
            self._grabbed = None
            self.unsetCursor()
        elif event.button() == LEFT and self._stroke is not None:
            self._end(self._stroke)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Close the polygon; for other tools a second click is a click."""
        if self.tool == "polygon" and event.button() == LEFT:
            self.close_polygon()
        else:
            self.mousePressEvent(event)

    def leaveEvent(self, event: object) -> None:
        """No brush without the mouse."""
        self._mouse = None
        self.update()

    # --- strokes

    @property
    def painted(self) -> int:
        """The class number that the tool in hand leaves behind."""
        return 0 if self.tool == "eraser" else self.number

    def _dab(self, at: QPointF) -> None:
        assert self._stroke is not None
        start, end = (self._last.x(), self._last.y()), (at.x(), at.y())
        height, width = self.drawn.shape
        self.renew(self._stroke.put(brush((height, width), start, end, self.radius), self.painted))
        self._last = at

    def _paint_at_once(self, area: Area) -> None:
        stroke = Stroke(self.drawn)
        self.renew(stroke.put(area, self.painted))
        self._end(stroke)

    def _end(self, stroke: Stroke) -> None:
        self._stroke = None
        patch = stroke.end()
        if patch is not None:
            self.stroked.emit(patch)

    def close_polygon(self) -> None:
        """Fill the polygon that was drawn."""
        corners, self.corners = self.corners, []
        height, width = self.drawn.shape
        self._paint_at_once(polygon((height, width), [(one.x(), one.y()) for one in corners]))
        self.update()

    def give_up(self) -> None:
        """Forget the polygon, or the stroke that is being painted."""
        self.corners = []
        if self._stroke is not None:
            touched, self._stroke = self._stroke.cancel(), None
            self.renew(touched)
        self.update()

    # --- keys that are held, and those of the polygon

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Hold to move or to hide; finish, shorten or give up a polygon."""
        key = event.key()
        if key == PAN:
            self._space = True
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        elif key == HIDE:
            self.set_hidden(True)
        elif key in CLOSE and self.corners:
            self.close_polygon()
        elif key == SHORTEN and self.corners:
            self.corners.pop()
            self.update()
        elif key == GIVE_UP:
            self.give_up()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let go."""
        if event.isAutoRepeat():
            return
        if event.key() == PAN:
            self._space = False
            self.unsetCursor()
        elif event.key() == HIDE:
            self.set_hidden(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: object) -> None:
        """Keys that are let go elsewhere are not heard of."""
        self._space = False
        self.set_hidden(False)

    # --- what the tool shows

    def paint_over(self, painter: QPainter) -> None:
        """The outline of the brush, or the polygon so far."""
        colour = QColor(class_colour(self.colour) if self.painted else colours().text)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.tool in ROUND and self._mouse is not None:
            reach = self.radius * self._scale()
            for pen in (QPen(QColor(colours().surface), 3), QPen(colour, 1.5)):
                painter.setPen(pen)
                painter.drawEllipse(self._mouse, reach, reach)
        if self.corners:
            line = [self.to_widget(one) for one in self.corners]
            if self._mouse is not None:
                line.append(self._mouse)
            for pen in (QPen(QColor(colours().surface), 4), QPen(colour, 2)):
                painter.setPen(pen)
                painter.drawPolyline(QPolygonF(line))
            painter.setBrush(colour)
            for corner in line[: len(self.corners)]:
                painter.drawEllipse(corner, 3.5, 3.5)
