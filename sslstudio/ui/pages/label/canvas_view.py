"""A picture with a mask over it that is zoomed and moved; what is painted on it is `mask_canvas`."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sslstudio.engine.labels.editing.stroke import Mask, Rect
from sslstudio.ui.base.theme import class_colour, colours, theme
from sslstudio.ui.widgets.picture import to_image

STEP = 1.25  # of the zoom
MOST = 64.0  # screen pixels a pixel
UNCOUNTED = 255  # pixels that do not count


class CanvasView(QWidget):
    """Zoom 1 shows the whole picture; the mask is painted into `drawn` from outside and shown by `renew`."""

    def __init__(self) -> None:
        super().__init__()
        self.picture: npt.NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)
        self.drawn: Mask = np.zeros((0, 0), np.uint8)
        self._image = QImage()
        self._pixels = np.zeros((0, 0, 4), np.uint8)  # what `_overlay` shows, in place
        self._overlay = QImage()
        self._table = np.zeros((256, 4), np.uint8)
        self._zoom, self._middle = 1.0, QPointF()  # the pixel of the picture that is in the middle
        self._opacity, self._hidden = 0.5, False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.update)

    # --- what is shown

    def show_picture(self, picture: npt.NDArray[np.uint8], mask: Mask | None) -> None:
        """Show another picture (h, w, 3) with a copy of its mask. A mask of another size decides the size."""
        self.drawn = np.zeros(picture.shape[:2], np.uint8) if mask is None else mask.copy()
        height, width = self.drawn.shape
        self._image = to_image(picture)
        if picture.shape[:2] != self.drawn.shape:
            smooth = Qt.TransformationMode.SmoothTransformation
            self._image = self._image.scaled(width, height, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
            picture = _pixels_of(self._image)
        self.picture = picture
        self._pixels = np.zeros((height, width, 4), np.uint8)
        kind = QImage.Format.Format_RGBA8888
        self._overlay = QImage(self._pixels.data, width, height, 4 * width, kind) if self.drawn.size else QImage()
        self.fit()
        self.renew(Rect(0, 0, width, height))

    def show_colours(self, colour_of: Mapping[int, int]) -> None:
        """The place in the palette of each class number."""
        self._table[:] = 0
        for number, place in colour_of.items():
            colour = QColor(class_colour(place))
            self._table[number] = colour.red(), colour.green(), colour.blue(), 255
        height, width = self.drawn.shape
        self.renew(Rect(0, 0, width, height))

    def renew(self, rect: Rect | None) -> None:
        """Show what was painted into this part of the mask."""
        if rect is not None and self.drawn.size:
            self._pixels[rect.slices] = self._table[self.drawn[rect.slices]]
            self.update()

    def set_opacity(self, percent: int) -> None:
        """How strongly the mask shows."""
        self._opacity = percent / 100
        self.update()

    def set_hidden(self, hidden: bool) -> None:
        """The picture alone, for as long as a key is held."""
        self._hidden = hidden
        self.update()

    # --- zoom

    def _scale(self) -> float:
        """Screen pixels (device independent) a pixel of the picture."""
        if self._image.isNull():
            return 1.0
        fitted = min((self.width() - 16) / self._image.width(), (self.height() - 16) / self._image.height())
        return max(1e-3, fitted) * self._zoom

    def to_picture(self, at: QPointF) -> QPointF:
        """The place in the picture under a place of the widget."""
        scale = self._scale()
        return (at - QPointF(self.width() / 2, self.height() / 2)) / scale + self._middle

    def to_widget(self, at: QPointF) -> QPointF:
        """The inverse of `to_picture`."""
        return (at - self._middle) * self._scale() + QPointF(self.width() / 2, self.height() / 2)

    def fit(self) -> None:
        """The whole picture."""
        self._zoom = 1.0
        self._middle = QPointF(self._image.width() / 2, self._image.height() / 2)
        self.update()

    def zoom_in(self) -> None:
        """Nearer."""
        self.zoom_at(STEP, QPointF(self.width() / 2, self.height() / 2))

    def zoom_out(self) -> None:
        """Farther."""
        self.zoom_at(1 / STEP, QPointF(self.width() / 2, self.height() / 2))

    def zoom_at(self, factor: float, at: QPointF) -> None:
        """Nearer or farther; the place under `at` stays where it is."""
        before = self.to_picture(at)
        most = max(1.0, MOST * self._zoom / self._scale())
        self._zoom = min(most, max(1.0, self._zoom * factor))
        self._middle += before - self.to_picture(at)
        if self._zoom == 1.0:
            self.fit()
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the mouse."""
        self.zoom_at(STEP ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def pan(self, by: QPointF) -> None:
        """Move the picture by this much of the screen."""
        self._middle -= by / self._scale()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The picture is fitted to the room there is."""
        self.update()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, picture, mask; only what can be seen of them."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours().sunken))
        painter.drawRoundedRect(self.rect(), 8, 8)
        if self._image.isNull():
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._scale() * self.devicePixelRatioF() < 2)
        source = self._seen()
        upper, lower = self.to_widget(QPointF(source.topLeft())), self.to_widget(QPointF(_beyond(source)))
        target = QRectF(upper, lower)
        painter.drawImage(target, self._image, QRectF(source))
        if not self._hidden:
            painter.setOpacity(self._opacity)
            painter.drawImage(target, self._overlay, QRectF(source))
            painter.setOpacity(1.0)
        self.paint_over(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours().accent), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)

    def paint_over(self, painter: QPainter) -> None:
        """What the tool in hand shows."""

    def _seen(self) -> QRect:
        """The whole pixels of the picture that can be seen."""
        upper = self.to_picture(QPointF(0, 0)).toPoint()
        lower = self.to_picture(QPointF(self.width(), self.height())).toPoint()
        return QRect(upper, lower).adjusted(-1, -1, 1, 1).intersected(self._image.rect())


def _beyond(rect: QRect) -> QPointF:
    return QPointF(rect.x() + rect.width(), rect.y() + rect.height())


def _pixels_of(image: QImage) -> npt.NDArray[np.uint8]:
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3).copy()
