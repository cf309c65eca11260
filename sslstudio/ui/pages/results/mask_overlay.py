"""A picture twice, with the true mask and with the predicted one laid over it; a slider says how strongly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QLabel, QSlider, QToolTip, QWidget

from sslstudio.ui.base.theme import MASKS, colours
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.choice_box import RoomyBox
from sslstudio.ui.widgets.flow import Flow
from sslstudio.ui.widgets.job_row import BusyLine
from sslstudio.ui.widgets.layout import Card, button, column, row, text, wrap_layout
from sslstudio.ui.widgets.mask_image import outline_of
from sslstudio.ui.widgets.picture import Picture

Classes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Overlay:
    """A picture with its two masks as images of the same size; everything is ready to be painted."""

    title: str
    picture: QImage
    truth: QImage
    predicted: QImage
    classes: tuple[Classes, Classes] | None = None  # the numbers behind the two, (h, w)


class MaskedPicture(Picture):
    """A picture under a mask."""

    def __init__(self, enlarge: float = 8.0, least: int = 150) -> None:
        super().__init__(least=least, enlarge=enlarge)
        self._mask = QImage()
        self._opacity = 0.5
        self._hidden = False
        self._classes: Classes | None = None
        self._names: Sequence[str] = ()

    def name_classes(self, classes: Classes | None, names: Sequence[str]) -> None:
        """What the colours mean: said under the pointer, and to who cannot see them with each one's share."""
        self._classes, self._names = classes, names
        self.setAccessibleDescription(", ".join(self._shares()))

    def _shares(self) -> Iterator[str]:
        if self._classes is not None and self._classes.size:
            found = np.bincount(self._classes.ravel(), minlength=256) / self._classes.size
            for number in np.flatnonzero(found).tolist():
                yield f"{self._name(number)} {formatting.percent(float(found[number]), 0)}"

    def _name(self, number: int) -> str:
        return self._names[number] if number < len(self._names) else formatting.tr("left out")

    def named_at(self, place: QPoint) -> str:
        """The class at a point of the widget; '' beside the picture."""
        area = QRect(self.place())
        if self._classes is None or not area.contains(place):
            return ""
        height, width = self._classes.shape
        across, down = (place.x() - area.x()) / area.width(), (place.y() - area.y()) / area.height()
        return self._name(int(self._classes[min(height - 1, int(down * height)), min(width - 1, int(across * width))]))

    def event(self, event: QEvent) -> bool:
        """The class under the pointer."""
        if isinstance(event, QHelpEvent) and self._classes is not None:
            QToolTip.showText(event.globalPos(), self.named_at(event.pos()), self)
            return True
        return super().event(event)

    def show_mask(self, picture: QImage, mask: QImage, said: str) -> None:
        """Show another picture and mask."""
        self._mask = mask
        self.show_image(picture, said)

    def set_opacity(self, opacity: float) -> None:
        """0 shows the picture alone, 1 the mask alone where it is not background."""
        self._opacity = opacity
        self.update()

    @property
    def mask_shown(self) -> bool:
        """Whether there is a mask over the picture."""
        return not self._mask.isNull() and not self._hidden

    def hide_mask(self, hidden: bool) -> None:
        """Show the picture alone for a while."""
        self._hidden = hidden
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, then the mask."""
        super().paintEvent(event)
        if not self.mask_shown:
            return
        painter = QPainter(self)
        painter.setOpacity(self._opacity)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._mask.width() < 120)
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
    """The two overlays side by side, what they show, the slider and the legend.

    `wants_uncertainty` when it is to be shown: the answer comes through `show_uncertainty`. `wants_alike` asks for the
    pictures most like this one. `busy` tells of what is done for the two meanwhile; `gives_up` when nobody waits for
    them any more, `goes_on` when somebody does again.
    """

    wants_uncertainty = Signal()
    wants_alike = Signal()
    gives_up = Signal()
    goes_on = Signal()

    def __init__(self) -> None:
        super().__init__(gap=10)
        self.title = text("", "field", wrap=False)
        self.truth, self.predicted = MaskedPicture(least=100), MaskedPicture(least=100)
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
        self._overlay: Overlay | None = None
        self._names: Sequence[str] = ()
        self._unsure = QImage()
        self.style_of = RoomyBox()
        self.style_of.setAccessibleName(self.tr("How masks are drawn"))
        for title in (self.tr("Filled"), self.tr("Outlines")):
            self.style_of.addItem(title)
        self.style_of.currentIndexChanged.connect(self._draw)
        self.unsure = QCheckBox(self.tr("Where it is unsure"))
        self.unsure.setToolTip(
            self.tr(
                "Coloured where several classes are alike to the network. The heat map of what speaks for an answer is "
                "there for classes only."
            )
        )
        self.unsure.toggled.connect(self._toggle_uncertainty)
        self.hide_button = button(self.tr("Hold to hide"), lambda: None)
        self.hide_button.setToolTip(self.tr("The masks are gone while this is held, with the mouse or the space bar."))
        self.hide_button.pressed.connect(lambda: self._hide(True))
        self.hide_button.released.connect(lambda: self._hide(False))
        self.alike = button(self.tr("Pictures like this one"), self.wants_alike.emit, "link", "images")
        self.alike.setToolTip(self.tr("The test pictures that the network sees as most like it."))
        self.busy = BusyLine(self.gives_up.emit, self.goes_on.emit, wrap=True)
        settings = Flow(gap=12, between=6)
        for piece in (wrap_layout(row(told, self.slider)), self.style_of, self.unsure, self.hide_button):
            settings.addWidget(piece)
        self.add(
            self.title,
            (pictures, 1),
            settings,
            row(self._legend, None, self.alike),
            self.busy,
        )

    def name_classes(self, names: Sequence[str]) -> None:
        """The legend: one patch a class, background left out."""
        self._names = names
        while (item := self._legend.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for number, name in enumerate(names[1:], start=1):
            self._legend.addWidget(Swatch(number))
            self._legend.addWidget(text(name, "small", wrap=False))

    def show_overlay(self, overlay: Overlay) -> None:
        """Show another picture."""
        self._overlay, self._unsure = overlay, QImage()
        self.title.setText(overlay.title)
        for picture, classes in zip((self.truth, self.predicted), overlay.classes or (None, None), strict=True):
            picture.name_classes(classes, self._names)
        self._draw()
        if self.unsure.isChecked():
            self.wants_uncertainty.emit()

    def show_uncertainty(self, image: QImage) -> None:
        """Where the network's mask is unsure: shown in its place while that is asked for."""
        self._unsure = image
        self.busy.rest()
        self._draw()

    @property
    def waits(self) -> bool:
        """Whether it is still to be found out where the mask is unsure."""
        return self.unsure.isChecked() and self._unsure.isNull()

    def _toggle_uncertainty(self, wanted: bool) -> None:
        if self.waits:
            self.wants_uncertainty.emit()
        elif not wanted:
            if self._unsure.isNull():
                self.gives_up.emit()
            self.busy.rest()
        self._draw()

    def _draw(self) -> None:
        if self._overlay is None:
            return
        one = self._overlay
        truth, predicted = one.truth, one.predicted
        if self.style_of.currentIndex() == 1:
            truth, predicted = outline_of(truth), outline_of(predicted)
        if self.unsure.isChecked() and not self._unsure.isNull():
            predicted = self._unsure
        self.truth.show_mask(one.picture, truth, self.tr("Your mask"))
        self.predicted.show_mask(one.picture, predicted, self.tr("The network's mask"))

    def _hide(self, hidden: bool) -> None:
        self.truth.hide_mask(hidden)
        self.predicted.hide_mask(hidden)

    def _set_opacity(self, percent: int) -> None:
        self.truth.set_opacity(percent / 100)
        self.predicted.set_opacity(percent / 100)
