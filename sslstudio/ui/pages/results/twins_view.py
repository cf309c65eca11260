"""Pretrained against scratch in one picture: on which test pictures each was right."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from sslstudio.engine.runs.test_predictions import Prediction
from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.shortcuts import CHOOSE, SIDEWAYS

BOTH, FIRST, SECOND, NONE = range(4)


def compared(predictions: Mapping[str, Sequence[Prediction]]) -> list[set[str]] | None:
    """Files that both got right, only the pretrained one, only the one from scratch, neither. None without a twin.

    For masks right means: the better overlap of the two; alike to a hundredth counts for both.
    """
    if not {"pretrained", "scratch"} <= set(predictions):
        return None
    ours = {one.file: one for one in predictions["pretrained"]}
    theirs = {one.file: one for one in predictions["scratch"]}
    groups: list[set[str]] = [set(), set(), set(), set()]
    for file in ours.keys() & theirs.keys():
        groups[_group(ours[file], theirs[file])].add(file)
    return groups


def _group(ours: Prediction, theirs: Prediction) -> int:
    if ours.iou is not None and theirs.iou is not None:
        gap = ours.iou - theirs.iou
        return FIRST if gap > 0.01 else SECOND if gap < -0.01 else BOTH
    return {(False, False): BOTH, (False, True): FIRST, (True, False): SECOND, (True, True): NONE}[
        ours.wrong, theirs.wrong
    ]


class TwinsView(QWidget):
    """A bar of four stretches; `chosen` carries the number of the one that was clicked."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._counts = [0, 0, 0, 0]
        self._titles = ["", "", "", ""]
        self._at = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """The bar and two lines of words."""
        return QSize(420, 104)

    def titles(self, masks: bool) -> list[str]:
        """What the four stretches are."""
        if masks:
            return [self.tr("as good"), self.tr("better pretrained"), self.tr("better from scratch"), ""]
        return [
            self.tr("both right"), self.tr("only pretrained right"), self.tr("only from scratch right"),
            self.tr("both wrong"),
        ]  # fmt: skip

    def show_counts(self, counts: Sequence[int], masks: bool) -> None:
        """Show how many pictures each stretch stands for."""
        self._counts, self._titles = list(counts), self.titles(masks)
        said = "; ".join(f"{title}: {count}" for title, count in zip(self._titles, counts, strict=True) if title)
        self.setAccessibleName(self.tr("Pretrained against from scratch"))
        self.setAccessibleDescription(said)
        self.update()

    def stretch(self, number: int) -> QRectF:
        """Where one of the four is painted; empty ones have no width."""
        total = sum(self._counts) or 1
        before = sum(self._counts[:number]) / total
        return QRectF(before * self.width(), 2, self._counts[number] / total * self.width(), 34).adjusted(1, 0, -1, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The bar, and the words below it."""
        scheme = colours()
        fills = [scheme.strong_border, scheme.series[0], scheme.series[1], scheme.sunken]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, count in enumerate(self._counts):
            if not count:
                continue
            chosen = self.hasFocus() and number == self._at
            painter.setPen(QPen(QColor(scheme.text if chosen else scheme.strong_border), 2 if chosen else 1))
            painter.setBrush(QColor(fills[number]))
            painter.drawRoundedRect(self.stretch(number), 4, 4)
        width = self.width() / 2
        for number, (title, count) in enumerate(zip(self._titles, self._counts, strict=True)):
            if not title:
                continue
            left, top = (number % 2) * width, 46 + (number // 2) * 28
            painter.setPen(QColor(scheme.strong_border))
            painter.setBrush(QColor(fills[number]))
            painter.drawRoundedRect(QRectF(left + 1, top + 3, 14, 14), 3, 3)
            painter.setPen(QColor(scheme.text))
            room = QRectF(left + 22, top, width - 24, 20)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, f"{formatting.count(count)} {title}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a stretch, or its words."""
        place = event.position()
        for number, count in enumerate(self._counts):
            line = QRectF((number % 2) * self.width() / 2, 46 + (number // 2) * 28, self.width() / 2, 24)
            if count and (self.stretch(number).contains(place) or line.contains(place)):
                self._at = number
                self.chosen.emit(number)
                self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go through the stretches, Return chooses."""
        there = [number for number, count in enumerate(self._counts) if count]
        if there and event.key() in SIDEWAYS:
            place = there.index(self._at) if self._at in there else 0
            self._at = there[(place + SIDEWAYS[Qt.Key(event.key())]) % len(there)]
            self.update()
        elif there and event.key() in CHOOSE:
            self.chosen.emit(self._at if self._at in there else there[0])
        else:
            super().keyPressEvent(event)
