"""A picture that fills the room it has and keeps its shape."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sslstudio.ui.base.theme import colours


def to_image(picture: npt.NDArray[np.uint8]) -> QImage:
    """A (height, width, 3) array as an image that owns its pixels."""
    plain = np.ascontiguousarray(picture)
    height, width, _ = plain.shape
    return QImage(plain.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


class Picture(QWidget):
    """Shows an image as large as there is room, at most `enlarge` times its size."""

    def __init__(self, least: int = 96, enlarge: float = 8.0, corner: int = 6) -> None:
        super().__init__()
        self._image = QImage()
        self._least, self._enlarge, self._corner = least, enlarge, corner
        self.setMinimumSize(least, least)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_image(self, image: QImage, said: str = "") -> None:
        """Show another image; `said` describes it to those who do not see it."""
        self._image = image
        self.setAccessibleName(said)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for the image as it is."""
        return self._image.size().expandedTo(QSize(self._least, self._least))

    def place(self) -> QRect:
        """Where the image is painted."""
        size = self._image.size()
        if size.isEmpty():
            return QRect()
        fitted = size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        most = QSize(round(size.width() * self._enlarge), round(size.height() * self._enlarge))
        rect = QRect(0, 0, *fitted.boundedTo(most).toTuple())
        rect.moveCenter(self.rect().center())
        return rect

    def paintEvent(self, event: QPaintEvent) -> None:
        """The image with round corners, or an empty field."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        rect = self.place() if not self._image.isNull() else self.rect()
        path = QPainterPath()
        path.addRoundedRect(QRectF(rect), self._corner, self._corner)
        painter.setClipPath(path)
        if self._image.isNull():
            painter.fillRect(rect, QColor(colours().sunken))
        else:
            painter.drawImage(rect, self._scale(rect))

    def _scale(self, rect: QRect) -> QImage:
        # Painting shrinks by picking pixels; `scaled` averages them. Enlarging keeps the pixels as they are.
        real = rect.size() * self.devicePixelRatioF()
        if real.width() >= 2 * self._image.width():
            return self._image.scaled(
                real, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.FastTransformation
            )
        return self._image.scaled(
            real, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
