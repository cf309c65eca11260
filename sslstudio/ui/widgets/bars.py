"""Counts a class as bars."""

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.text import formatting

LINE = 26
NAME = 170
NUMBER = 70


class Bars(QWidget):
    """One line a class: name, bar, number."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, int] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """Show other counts."""
        self._counts = dict(counts)
        said = ", ".join(f"{name} {formatting.count(count)}" for name, count in self._counts.items())
        self.setAccessibleName(said)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """A line for each class."""
        return QSize(360, LINE * max(1, len(self._counts)))

    def minimumSizeHint(self) -> QSize:
        """All lines, whatever the width."""
        return QSize(240, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        most = max(self._counts.values(), default=1) or 1
        name_width = min(NAME, self.width() // 3)
        for line, (name, count) in enumerate(self._counts.items()):
            self._paint_line(painter, line * LINE, name_width, name, count, count / most)

    def _paint_line(self, painter: QPainter, top: int, name_width: int, name: str, count: int, share: float) -> None:
        scheme = colours()
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(scheme.text))
        said = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, name_width - 10)
        painter.drawText(QRectF(0, top, name_width - 10, LINE), middle, said)
        room = self.width() - name_width - NUMBER
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(scheme.sunken))
        painter.drawRoundedRect(QRectF(name_width, top + 8, room, LINE - 16), 5, 5)
        painter.setBrush(QColor(scheme.series[0]))
        painter.drawRoundedRect(QRectF(name_width, top + 8, max(6.0, room * share), LINE - 16), 5, 5)
        painter.setPen(QColor(scheme.muted))
        right = Qt.AlignmentFlag.AlignRight | middle
        painter.drawText(QRectF(self.width() - NUMBER, top, NUMBER - 4, LINE), right, formatting.count(count))
