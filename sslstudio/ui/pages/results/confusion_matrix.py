"""What was taken for what: rows are the truth, columns the prediction. A cell's shade is its share of the row, its
number how many pictures; the right answers on the diagonal are framed, so that no colour has to be told apart."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from sslstudio.ui.base.theme import Colours, colours, ink_on, theme
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.shortcuts import ARROWS, CHOOSE

MOST_NUMBERS = 16  # classes: more would not be read
LABEL = 130
WIDEST = 3.6  # times as wide as high: wider still, it would not be seen as a matrix


class ConfusionMatrix(QWidget):
    """Paints a matrix of counts; a click on a cell says which."""

    cell_chosen = Signal(int, int)  # truth, predicted

    def __init__(self) -> None:
        super().__init__()
        self._counts: list[list[int]] = []
        self._names: list[str] = []
        self._unit = ""
        self._chosen: tuple[int, int] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(320, 260)
        theme().changed.connect(self.update)

    def show_matrix(self, names: Sequence[str], counts: Sequence[Sequence[int]], unit: str) -> None:
        """Show counts of `unit` (pictures, pixels)."""
        self._names, self._counts, self._unit = list(names), [list(row) for row in counts], unit
        self._chosen = None
        self.setAccessibleName(self.tr("Confusion matrix"))
        self.setAccessibleDescription("; ".join(self.said(truth, truth) for truth in range(len(names))))
        self.update()

    def sizeHint(self) -> QSize:
        """Room to read it."""
        return QSize(460, 380)

    def said(self, truth: int, predicted: int) -> str:
        """A cell in words."""
        count, total = self._counts[truth][predicted], sum(self._counts[truth])
        share = formatting.percent(count / total, 0) if total else "–"
        return self.tr("{0} of {1} {2} labelled “{3}” were taken for “{4}” ({5})").format(
            formatting.count(count),
            formatting.count(total),
            self._unit,
            self._names[truth],
            self._names[predicted],
            share,
        )

    def _cell_size(self) -> tuple[float, float]:
        """Width and height: square, or wider where names need it and there is room."""
        classes = max(1, len(self._names))
        room = (self.width() - LABEL - 8) / classes
        height = min(room, (self.height() - 62) / classes, 150.0)
        metrics = QFontMetrics(self.font())
        needed = max((metrics.horizontalAdvance(name) for name in self._names), default=0) + 8
        return max(height, min(room, needed, WIDEST * height)), height

    def _left_top(self) -> QPoint:
        left_over = self.width() - LABEL - self._cell_size()[0] * len(self._names)
        return QPoint(LABEL + max(0, round((left_over - LABEL / 2) / 2)), 52)

    def cell_rect(self, truth: int, predicted: int) -> QRectF:
        """Where a cell is painted."""
        (wide, high), corner = self._cell_size(), self._left_top()
        cell = QRectF(corner.x() + predicted * wide, corner.y() + truth * high, wide, high)
        return cell.adjusted(1, 1, -1, -1)

    def cell_at(self, place: QPoint) -> tuple[int, int] | None:
        """The cell under a point."""
        (wide, high), corner = self._cell_size(), self._left_top()
        predicted, truth = (place.x() - corner.x()) / wide, (place.y() - corner.y()) / high
        if 0 <= predicted < len(self._names) and 0 <= truth < len(self._names):
            return int(truth), int(predicted)
        return None

    def head(self, predicted: int) -> str:
        """The name over a column, as far as there is room for it."""
        room = round(self._cell_size()[0]) - 4
        return QFontMetrics(self.font()).elidedText(self._names[predicted], Qt.TextElideMode.ElideRight, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Labels, then cells."""
        if not self._counts:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_labels(painter)
        for truth, line in enumerate(self._counts):
            total = sum(line)
            for predicted, count in enumerate(line):
                self._paint_cell(painter, truth, predicted, count, count / total if total else 0.0)

    def _paint_labels(self, painter: QPainter) -> None:
        (wide, high), corner = self._cell_size(), self._left_top()
        metrics = QFontMetrics(self.font())
        painter.setPen(QColor(colours().muted))
        across = QRect(corner.x(), 0, round(wide * len(self._names)), 22)
        painter.drawText(across, Qt.AlignmentFlag.AlignCenter, self.tr("The network says"))
        painter.drawText(
            QRect(corner.x() - LABEL, 26, LABEL - 10, 22),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            self.tr("Your label"),
        )
        painter.setPen(QColor(colours().text))
        for number, name in enumerate(self._names):
            top = QRect(round(corner.x() + number * wide) + 2, 26, round(wide) - 4, 22)
            painter.drawText(top, Qt.AlignmentFlag.AlignCenter, self.head(number))
            left = QRect(corner.x() - LABEL, round(corner.y() + number * high), LABEL - 10, round(high))
            said = metrics.elidedText(name, Qt.TextElideMode.ElideRight, left.width())
            painter.drawText(left, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, said)

    def _paint_cell(self, painter: QPainter, truth: int, predicted: int, count: int, share: float) -> None:
        scheme = colours()
        rect = self.cell_rect(truth, predicted)
        ground = shade(scheme, share)
        painter.setBrush(ground)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(rect, 4, 4)
        if truth == predicted or (truth, predicted) == self._chosen:
            chosen = (truth, predicted) == self._chosen
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(scheme.text if chosen else scheme.muted), 2.5 if chosen else 1.5))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
        if len(self._names) <= MOST_NUMBERS:
            painter.setPen(ink_on(ground))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, short_count(count))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a cell."""
        cell = self.cell_at(event.position().toPoint())
        if cell is not None:
            self._choose(*cell)
            self.cell_chosen.emit(*cell)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """There is a cell to go on from."""
        if self._counts and self._chosen is None:
            self._choose(0, 0)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrow keys go from cell to cell, Return shows its pictures."""
        key, last = event.key(), len(self._names) - 1
        if self._chosen is None:
            super().keyPressEvent(event)
        elif key in ARROWS:
            right, down = ARROWS[Qt.Key(key)]
            self._choose(*(min(max(at + by, 0), last) for at, by in zip(self._chosen, (down, right), strict=True)))
        elif key in CHOOSE:
            self.cell_chosen.emit(*self._chosen)
        else:
            super().keyPressEvent(event)

    def _choose(self, truth: int, predicted: int) -> None:
        self._chosen = truth, predicted
        self.setAccessibleDescription(self.said(truth, predicted))
        self.update()

    def event(self, event: QEvent) -> bool:
        """The cell under the pointer in words."""
        if isinstance(event, QHelpEvent):
            cell = self.cell_at(event.pos())
            QToolTip.showText(event.globalPos(), self.said(*cell) if cell else "", self)
            return True
        return super().event(event)


def short_count(count: int) -> str:
    """Pixels come by the million: 1,234 -> '1,234', 123456 -> '123k', 12345678 -> '12M'."""
    if count < 10_000:
        return formatting.figures(f"{count:,}")
    return f"{count / 1e6:,.1f}M" if count >= 1_000_000 else f"{count / 1e3:,.0f}k"


def shade(scheme: Colours, share: float) -> QColor:
    """The ground of a cell: the fuller, the stronger."""
    first, last = QColor(scheme.sunken), QColor(scheme.series[0])
    red = first.redF() + (last.redF() - first.redF()) * share
    green = first.greenF() + (last.greenF() - first.greenF()) * share
    blue = first.blueF() + (last.blueF() - first.blueF()) * share
    return QColor.fromRgbF(red, green, blue)
