"""A picture twice, with the true mask and with the predicted one laid over it; a slider says how strongly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSlider, QWidget

from sslstudio.ui.theme import MASKS, colours
from sslstudio.ui.widgets.layout import Card, column, row, text
from sslstudio.ui.widgets.picture import Picture

LEFT_OUT = 255  # pixels that do not count


@dataclass(frozen=True)
class Overlay:
    """A picture with its two masks as images of the same size; everything is ready to be painted."""

    title: str
    picture: QImage
    truth: QImage
    predicted: QImage


def mask_image(mask: npt.NDArray[np.uint8]) -> QImage:
    """Class numbers (h, w) -> an image that is clear where the background is and where pixels do not count."""
    table = np.zeros((256, 4), np.uint8)
    for number in range(1, LEFT_OUT):
        colour = QColor(MASKS[1 + (number - 1) % (len(MASKS) - 1)])
        table[number] = colour.red(), colour.green(), colour.blue(), 255
    pixels = np.ascontiguousarray(table[mask])
    height, width = mask.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


class MaskedPicture(Picture):
    """A picture under a mask."""

    def __init__(self) -> None:
        super().__init__(least=150)
        self._mask = QImage()
        self._opacity = 0.5

    def show_mask(self, picture: QImage, mask: QImage, said: str) -> None:
        """Show another picture and mask."""
        self._mask = mask
        self.show_image(picture, said)

    def set_opacity(self, opacity: float) -> None:
        """0 shows the picture alone, 1 the mask alone where it is not background."""
        self._opacity = opacity
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, then the mask."""
        super().paintEvent(event)
        if self._mask.isNull():
            return
        painter = QPainter(self)
        painter.setOpacity(self._opacity)
        painter.drawImage(QRect(self.place()), self._mask)


class Swatch(QWidget):
    """A patch of a class's colour."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.setFixedSize(14, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The patch."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(colours().strong_border))
        painter.setBrush(QColor(MASKS[1 + (self._number - 1) % (len(MASKS) - 1)]))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 3, 3)


class OverlayView(Card):
    """The two overlays side by side, the slider and the legend."""

    def __init__(self) -> None:
        super().__init__(gap=10)
        self.title = text("", "field", wrap=False)
        self.truth, self.predicted = MaskedPicture(), MaskedPicture()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setValue(50)
        self.slider.setMaximumWidth(260)
        self.slider.setAccessibleName(self.tr("How strongly the masks show"))
        self.slider.valueChanged.connect(self._set_opacity)
        self._legend = row(gap=8)
        pictures = row(
            column(text(self.tr("Your mask"), "small", wrap=False), self.truth, gap=4),
            column(text(self.tr("The network's mask"), "small", wrap=False), self.predicted, gap=4),
            gap=14,
        )
        told = QLabel(self.tr("Mask strength"))
        self.add(self.title, (pictures, 1), row(told, self.slider, 20, self._legend, None))

    def name_classes(self, names: Sequence[str]) -> None:
        """The legend: one patch a class, background left out."""
        while (item := self._legend.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for number, name in enumerate(names[1:], start=1):
            self._legend.addWidget(Swatch(number))
            self._legend.addWidget(text(name, "small", wrap=False))

    def show_overlay(self, overlay: Overlay) -> None:
        """Show another picture."""
        self.title.setText(overlay.title)
        self.truth.show_mask(overlay.picture, overlay.truth, self.tr("Your mask"))
        self.predicted.show_mask(overlay.picture, overlay.predicted, self.tr("The network's mask"))

    def _set_opacity(self, percent: int) -> None:
        self.truth.set_opacity(percent / 100)
        self.predicted.set_opacity(percent / 100)
