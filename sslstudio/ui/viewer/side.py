"""Beside the picture: facts, brightness and contrast, channel and page, and what is laid over it."""

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QSlider, QSpinBox, QWidget

from sslstudio.ui.text import formatting
from sslstudio.ui.viewer.pyramid import Pyramid, Window
from sslstudio.ui.widgets.choice_box import ChoiceBox
from sslstudio.ui.widgets.layout import button, clear, column, make_scrollable, row, text, wrap_layout

STEPS = 1000  # of a slider
_DOUBLINGS = 6.0  # of the contrast, from the middle of its slider to the end
WIDTH = 270


class ViewerSide(QWidget):
    """`windowed` carries the Window that was set, `part_chosen` the page (0 for the first) and the channel (0 for what
    is usual), `masks_changed` when other masks are to be seen."""

    windowed = Signal(object)
    part_chosen = Signal(int, int)
    masks_changed = Signal()
    opacity_changed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._pyramid: Pyramid | None = None
        self._window = Window(0.0, 255.0)
        self._facts = QGridLayout()
        self._facts.setColumnStretch(1, 1)
        self._facts.setHorizontalSpacing(12)
        self._facts.setVerticalSpacing(3)
        self.level, self.width_ = _slider(self.tr("Brightness")), _slider(self.tr("Contrast"))
        self.level_told, self.width_told = text("", "small", wrap=False), text("", "small", wrap=False)
        for slider in (self.level, self.width_):
            slider.valueChanged.connect(self._slide)
        self.auto = button(self.tr("Auto"), self.set_auto)
        self.auto.setToolTip(self.tr("By the values of this picture (A)"))
        self.usual = button(self.tr("As it is"), self.set_usual)
        self.channel, self.page = ChoiceBox(), QSpinBox()
        self.channel.setAccessibleName(self.tr("Channel"))
        self.page.setAccessibleName(self.tr("Page"))
        self.page.setKeyboardTracking(False)
        self.channel.activated.connect(lambda _: self._choose_part())
        self.page.valueChanged.connect(lambda _: self._choose_part())
        self.channel_row = wrap_layout(row(text(self.tr("Channel"), wrap=False), (self.channel, 1)))
        self.page_row = wrap_layout(row(text(self.tr("Page"), wrap=False), (self.page, 1)))
        self.truth, self.answer = QCheckBox(self.tr("Your mask")), QCheckBox(self.tr("The network's mask"))
        for box in (self.truth, self.answer):
            box.toggled.connect(lambda _: self.masks_changed.emit())
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(50)
        self.opacity.setAccessibleName(self.tr("How strongly the masks show"))
        self.opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / 100))
        self.masks = wrap_layout(
            column(text(self.tr("Over the picture"), "field", wrap=False), self.truth, self.answer,
                   text(self.tr("Mask strength"), "small", wrap=False), self.opacity, gap=6)
        )  # fmt: skip
        self.tone_title = text(self.tr("Brightness and contrast"), "field", wrap=False)
        self._level_title, self._width_title = text("", "small", wrap=False), text("", "small", wrap=False)
        inside = column(
            text(self.tr("Picture"), "field", wrap=False), self._facts, 8, self.tone_title,
            row(self._level_title, None, self.level_told), self.level, row(self._width_title, None, self.width_told),
            self.width_, row(self.auto, self.usual, None), 8, self.channel_row, self.page_row, 8, self.masks, None,
            gap=6,
        )  # fmt: skip
        inside.setContentsMargins(14, 12, 12, 12)
        area = make_scrollable(wrap_layout(inside))
        layout = column((area, 1))
        self.setLayout(layout)
        self.setFixedWidth(WIDTH)
        self.show_masks(False, False)

    # --- facts

    def show_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Lines of what it is and what it says; long values wrap."""
        clear(self._facts)
        for line, (name, value) in enumerate((name, value) for name, value in facts if value):
            title = text(name, "small", wrap=False)
            title.setAlignment(Qt.AlignmentFlag.AlignTop)
            said = _Breaking(value)
            self._facts.addWidget(title, line, 0)
            self._facts.addWidget(said, line, 1)

    # --- brightness and contrast

    def show_pyramid(self, pyramid: Pyramid, window: Window) -> None:
        """Another picture."""
        self._pyramid = pyramid
        deep = pyramid.deep
        self._level_title.setText(self.tr("Level") if deep else self.tr("Brightness"))
        self._width_title.setText(self.tr("Window") if deep else self.tr("Contrast"))
        self._fill_parts(pyramid)
        self.show_window(window)

    def show_window(self, window: Window) -> None:
        """Another window, set elsewhere."""
        self._window = window
        if self._pyramid is None:
            return
        span = self._span
        middle, width = (window.low + window.high) / 2, max(window.high - window.low, 1e-9)
        share = (middle - self._pyramid.least) / span
        share = share if window.dark else 1 - share
        doublings = math.log2(span / width)
        for slider, value in ((self.level, share), (self.width_, 0.5 + doublings / (2 * _DOUBLINGS))):
            slider.blockSignals(True)
            slider.setValue(round(STEPS * min(1.0, max(0.0, value))))
            slider.blockSignals(False)
        deep = self._pyramid.deep
        self.level_told.setText(formatting.number(middle) if deep else "")
        self.width_told.setText(formatting.number(width) if deep else "")

    @property
    def _span(self) -> float:
        assert self._pyramid is not None
        return max(self._pyramid.most - self._pyramid.least, 1e-9)

    def _slide(self) -> None:
        if self._pyramid is None:
            return
        share = self.level.value() / STEPS
        share = share if self._window.dark else 1 - share
        middle = self._pyramid.least + share * self._span
        width = self._span * 2 ** (-2 * _DOUBLINGS * (self.width_.value() / STEPS - 0.5))
        self._set(Window(middle - width / 2, middle + width / 2, self._window.dark))

    def set_auto(self) -> None:
        """By the values of the picture."""
        if self._pyramid is not None:
            self._set(self._pyramid.auto)

    def set_usual(self) -> None:
        """As thumbnails show it."""
        if self._pyramid is not None:
            self._set(self._pyramid.usual)

    def _set(self, window: Window) -> None:
        self.show_window(window)
        self.windowed.emit(window)

    # --- channel and page

    def _fill_parts(self, pyramid: Pyramid) -> None:
        if self.channel.count() != pyramid.channels + 1 and not (self.channel.currentIndex() > 0):
            self.channel.clear()
            self.channel.addItem(self.tr("As usual"))
            self.channel.addItems([self.tr("Only channel {0}").format(one + 1) for one in range(pyramid.channels)])
        self.channel_row.setVisible(self.channel.count() > 2)
        self.page.blockSignals(True)
        self.page.setRange(1, max(1, pyramid.pages))
        self.page.setSuffix(self.tr(" of {0}").format(formatting.count(pyramid.pages)))
        self.page.blockSignals(False)
        self.page_row.setVisible(pyramid.pages > 1)

    def begin(self, page: int) -> None:
        """Another file: its usual channels, and this page of it."""
        self.channel.clear()
        self.page.blockSignals(True)
        self.page.setRange(1, max(1, page))
        self.page.setValue(max(1, page))
        self.page.blockSignals(False)

    def _choose_part(self) -> None:
        self.part_chosen.emit(self.page.value(), max(0, self.channel.currentIndex()))

    # --- masks

    def show_masks(self, truth: bool, answer: bool) -> None:
        """Which masks there are."""
        for box, there in ((self.truth, truth), (self.answer, answer)):
            box.setVisible(there)
            box.blockSignals(True)
            box.setChecked(there and (box is self.answer or not answer))
            box.blockSignals(False)
        self.masks.setVisible(truth or answer)


def _slider(name: str) -> QSlider:
    made = QSlider(Qt.Orientation.Horizontal)
    made.setRange(0, STEPS)
    made.setValue(STEPS // 2)
    made.setPageStep(STEPS // 20)
    made.setSingleStep(STEPS // 100)
    made.setAccessibleName(name)
    return made


class _Breaking(QLabel):
    """A plain text that is broken anywhere where it must: names of files have no spaces."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setMinimumWidth(40)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        zero = "\u200b"
        self.setText("".join(f"{sign}{zero}" if sign in "/_-.:" or at % 12 == 11 else sign
                             for at, sign in enumerate(said)) if " " not in said else said)  # fmt: skip
        self.setAccessibleName(said)
