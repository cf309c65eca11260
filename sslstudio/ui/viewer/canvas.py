"""The picture that is looked at: the wheel zooms where the mouse is, dragging moves it, dragging with the right button
changes brightness and contrast. Only what is in sight is ever painted."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.viewer.pyramid import Pyramid, Shader, Window
from sslstudio.ui.widgets.shortcuts import ARROWS

MOST_ZOOM = 64.0  # painted pixels for one of the picture
STEP = 1.25  # of + and -
STRIDE = 0.15  # of the window, that an arrow key moves
STILL = 4  # pixels that the right button may move and still ask for the menu


class ViewerCanvas(QWidget):
    """Shows a Pyramid, or a pixmap until it is there. `windowed` when dragging has changed the window, `zoomed` with
    the painted pixels for one of the picture, `menu_wanted` with the place in global coordinates."""

    windowed = Signal(object)  # Window
    zoomed = Signal(float)
    menu_wanted = Signal(object)  # QPoint

    def __init__(self) -> None:
        super().__init__()
        self._pyramid: Pyramid | None = None
        self._preview = QPixmap()
        self._shader = Shader()
        self._cut: tuple[object, QImage] | None = None  # what was painted last, and by what
        self.window_ = Window(0.0, 255.0)
        self.masks: Sequence[QImage] = ()
        self.opacity = 0.5
        self._size = (1, 1)
        self._fitted = True
        self.zoom = 1.0  # widget pixels for one of the picture
        self._middle = QPointF(0.5, 0.5)  # of the view, in shares of the picture
        self._grabbed: QPointF | None = None
        self._shading: tuple[QPointF, Window] | None = None
        self.setMinimumSize(240, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        theme().changed.connect(self.update)

    # --- what is shown

    def show_preview(self, pixmap: QPixmap | None) -> None:
        """Another picture comes: its thumbnail meanwhile."""
        self._pyramid, self._cut, self.masks = None, None, ()
        self._preview = pixmap or QPixmap()
        self._size = (max(1, self._preview.width()), max(1, self._preview.height()))
        self._middle, self._fitted = QPointF(0.5, 0.5), True
        self._fit()

    def show_pyramid(self, pyramid: Pyramid, window: Window) -> None:
        """The picture itself; what is in sight stays so."""
        self._pyramid, self._cut, self.window_ = pyramid, None, window
        before, self._size = self._size, pyramid.size
        if self._fitted:
            self._fit()
        else:
            self.zoom *= before[0] / self._size[0]
        self.update()

    def show_window(self, window: Window) -> None:
        """Other brightness and contrast."""
        if window != self.window_:
            self.window_, self._cut = window, None
            self.update()

    def show_masks(self, masks: Sequence[QImage]) -> None:
        """What is laid over the picture."""
        self.masks = masks
        self.update()

    def set_opacity(self, opacity: float) -> None:
        """How strongly they show, 0 to 1."""
        self.opacity = opacity
        self.update()

    # --- zoom and place

    def fit(self) -> None:
        """Show all of it."""
        self._middle, self._fitted = QPointF(0.5, 0.5), True
        self._fit()

    def _fit(self) -> None:
        width, height = self._size
        room = min(self.width() / width, self.height() / height)
        self._set_zoom(min(room, 16.0))

    def zoom_to(self, zoom: float, around: QPointF | None = None) -> None:
        """So many widget pixels for one of the picture; what is at `around` stays there."""
        at = around or QPointF(self.width() / 2, self.height() / 2)
        before = self.place_at(at)
        least = min(1.0, min(self.width() / self._size[0], self.height() / self._size[1])) / 4
        self._fitted = False
        self._set_zoom(min(MOST_ZOOM, max(least, zoom)))
        after = self.place_at(at)
        self._move_to(self._middle + before - after)

    def full_size(self) -> None:
        """One pixel of the screen for one of the picture."""
        self.zoom_to(1 / self.devicePixelRatioF())

    def step(self, by: float) -> None:
        """Nearer (1) or farther (-1)."""
        self.zoom_to(self.zoom * STEP**by)

    def _set_zoom(self, zoom: float) -> None:
        self.zoom = zoom
        self.zoomed.emit(zoom * self.devicePixelRatioF())
        self.update()

    def place_at(self, point: QPointF) -> QPointF:
        """Where in the picture a point of the widget is, in shares of its sides."""
        wide, high = self._size[0] * self.zoom, self._size[1] * self.zoom
        return QPointF(
            self._middle.x() + (point.x() - self.width() / 2) / wide,
            self._middle.y() + (point.y() - self.height() / 2) / high,
        )

    def area(self) -> QRectF:
        """Where the whole picture would be painted."""
        wide, high = self._size[0] * self.zoom, self._size[1] * self.zoom
        left = self.width() / 2 - self._middle.x() * wide
        top = self.height() / 2 - self._middle.y() * high
        return QRectF(left, top, wide, high)

    def _move_to(self, middle: QPointF) -> None:
        self._middle = QPointF(min(1.0, max(0.0, middle.x())), min(1.0, max(0.0, middle.y())))
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is shown whole stays whole."""
        if self._fitted:
            self._fit()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground, the picture as far as it is in sight, and the masks over it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours().sunken))
        area = self.area()
        if self._pyramid is None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            if not self._preview.isNull():
                painter.drawPixmap(area, self._preview, QRectF(self._preview.rect()))
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom * self.devicePixelRatioF() < 2)
        self._paint_cut(painter, self._pyramid, area)
        painter.setOpacity(self.opacity)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        for mask in self.masks:
            _paint_part(painter, mask, area, QRectF(self.rect()))

    def _paint_cut(self, painter: QPainter, pyramid: Pyramid, area: QRectF) -> None:
        level = pyramid.level_for(self.zoom * self.devicePixelRatioF())
        values = pyramid.levels[level]
        rect = _in_sight(area, QRectF(self.rect()), values.shape[1], values.shape[0])
        if rect.isEmpty():
            return
        key = (id(pyramid), level, rect.getRect(), self.window_)
        if self._cut is None or self._cut[0] != key:
            part = values[rect.top() : rect.top() + rect.height(), rect.left() : rect.left() + rect.width()]
            self._cut = (key, self._shader.shade(part, self.window_))
        painter.drawImage(_place_of(rect, area, values.shape[1], values.shape[0]), self._cut[1])

    # --- mouse and keys

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Nearer or farther, around the place under the mouse."""
        self.zoom_to(self.zoom * 1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the picture, or of its brightness."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == Qt.MouseButton.RightButton:
            self._shading = (event.position(), self.window_)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the picture; or sideways the contrast and up and down the brightness."""
        at = event.position()
        if self._grabbed is not None:
            moved = self.place_at(self._grabbed) - self.place_at(at)
            self._grabbed, self._fitted = at, False
            self._move_to(self._middle + moved)
        elif self._shading is not None and self._pyramid is not None:
            start, window = self._shading
            self.windowed.emit(drag_window(window, at - start, self._pyramid))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go. The right button that has hardly moved asks for the menu."""
        if event.button() == Qt.MouseButton.RightButton and self._shading is not None:
            still = (event.position() - self._shading[0]).manhattanLength() <= STILL
            self._shading = None
            if still:
                self.menu_wanted.emit(event.globalPosition().toPoint())
        else:
            self._grabbed = None
            self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Between all of it and its full size."""
        if event.button() == Qt.MouseButton.LeftButton:
            if self._fitted:
                self.zoom_to(1 / self.devicePixelRatioF(), event.position())
            else:
                self.fit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu key; the right button is heard as it is let go."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menu_wanted.emit(self.mapToGlobal(self.rect().center()))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrow keys move what is in sight."""
        if event.key() in ARROWS:
            right, down = ARROWS[Qt.Key(event.key())]
            area = self.area()
            self._fitted = False
            self._move_to(
                self._middle
                + QPointF(right * STRIDE * self.width() / area.width(), down * STRIDE * self.height() / area.height())
            )
        else:
            super().keyPressEvent(event)


def drag_window(window: Window, moved: QPointF, pyramid: Pyramid) -> Window:
    """The window after dragging: to the right more contrast, upwards brighter."""
    middle, width = (window.low + window.high) / 2, window.high - window.low
    span = pyramid.most - pyramid.least
    middle += moved.y() / 400 * max(width, span / 50) * (-1 if window.dark else 1)
    width = min(4 * span, max(span / 1000, width * 2 ** (-moved.x() / 150)))
    return Window(middle - width / 2, middle + width / 2, window.dark)


def _in_sight(area: QRectF, view: QRectF, width: int, height: int) -> QRect:
    """Which of (width, height) pixels that are painted over `area` can be seen in `view`."""
    seen = area.intersected(view)
    if seen.isEmpty():
        return QRect()
    across, down = width / area.width(), height / area.height()
    left, top = int((seen.left() - area.left()) * across), int((seen.top() - area.top()) * down)
    right = min(width, int((seen.right() - area.left()) * across) + 2)
    bottom = min(height, int((seen.bottom() - area.top()) * down) + 2)
    return QRect(left, top, right - left, bottom - top)


def _place_of(rect: QRect, area: QRectF, width: int, height: int) -> QRectF:
    """Where these pixels are painted."""
    across, down = area.width() / width, area.height() / height
    return QRectF(
        area.left() + rect.left() * across, area.top() + rect.top() * down, rect.width() * across, rect.height() * down
    )


def _paint_part(painter: QPainter, image: QImage, area: QRectF, view: QRectF) -> None:
    rect = _in_sight(area, view, image.width(), image.height())
    if not rect.isEmpty():
        painter.drawImage(_place_of(rect, area, image.width(), image.height()), image, QRectF(rect))
