"""Read-only tables of texts."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
)

PADDING = 20  # pixels left and right of a text, as the style sheet has it


class Table(QTableWidget):
    """Copies what is selected, with its heads, as a spreadsheet takes it; Qt copies one cell."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the selected rows."""
        if event.matches(QKeySequence.StandardKey.Copy) and self.selectedIndexes():
            QGuiApplication.clipboard().setText(self.selected_text())
        else:
            super().keyPressEvent(event)

    def selected_text(self) -> str:
        """The selected rows below the heads, tabs between the cells."""
        rows = sorted({index.row() for index in self.selectedIndexes()})
        heads = [item.text() if (item := self.horizontalHeaderItem(at)) else "" for at in range(self.columnCount())]
        lines = [[item.text() if (item := self.item(row, at)) else "" for at in range(self.columnCount())]
                 for row in rows]  # fmt: skip
        return "\n".join("\t".join(cell.replace("\n", " ") for cell in line) for line in [heads, *lines])


def table(heads: list[str], *, stretch: int) -> QTableWidget:
    """A read-only table of rows."""
    made = Table(0, len(heads))
    made.setHorizontalHeaderLabels(heads)
    made.verticalHeader().hide()
    made.verticalHeader().setDefaultSectionSize(34)
    made.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
    made.horizontalHeader().setHighlightSections(False)
    made.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    made.horizontalHeader().setSectionResizeMode(stretch, QHeaderView.ResizeMode.Stretch)
    made.setShowGrid(False)
    made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    made.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    made.setWordWrap(False)
    made.setTabKeyNavigation(False)  # Tab leads on; the arrow keys go from line to line
    made.setAccessibleName(", ".join(head for head in heads if head))
    return made


class Lines(QStyledItemDelegate):
    """Counts the lines of a text in the room that is left to it; Qt forgets the style sheet's padding, and a text that
    just fits without would end in dots."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Room for all lines."""
        narrower = QStyleOptionViewItem(option)
        narrower.rect = option.rect.adjusted(0, 0, -PADDING, 0)
        return super().sizeHint(narrower, index)


def wrap(view: QTableWidget) -> None:
    """Long texts go on in further lines, and each row is as high as its texts are in columns so wide: also when a tab
    is shown for the first time or the window changes."""
    view.setWordWrap(True)
    view.setItemDelegate(Lines(view))
    later = QTimer(view, interval=0, singleShot=True)
    later.timeout.connect(view.resizeRowsToContents)
    view.horizontalHeader().sectionResized.connect(lambda *_: later.start())
    view.model().dataChanged.connect(lambda *_: later.start())
    view.model().rowsInserted.connect(lambda *_: later.start())


def fill(view: QTableWidget, lines: Sequence[Sequence[str]]) -> None:
    """Put lines into a table, in place of what was there."""
    view.setRowCount(len(lines))
    for number, line in enumerate(lines):
        for place, said in enumerate(line):
            item = QTableWidgetItem(said)
            item.setToolTip(said)
            view.setItem(number, place, item)


def make_room(view: QTableWidget, most: int) -> None:
    """Make a filled table wide enough for all its columns, the one that stretches too: it gets what the others leave.
    No wider than `most` pixels."""
    header = view.horizontalHeader()
    columns = range(view.columnCount())
    needed = sum(max(view.sizeHintForColumn(at), header.sectionSizeHint(at)) for at in columns)
    view.setMinimumWidth(min(most, needed + view.verticalScrollBar().sizeHint().width() + 2 * view.frameWidth()))


HEAD = 34  # pixels around the text of a heading, the arrow that says what it is sorted by among them


class _Sparing(QObject):
    """Watches the width of one table."""

    def __init__(self, view: QTableWidget, spared: Sequence[int], stretch: int, least: int) -> None:
        super().__init__(view)
        self._view, self._spared, self._stretch, self._least = view, spared, stretch, least
        self._later = QTimer(self, interval=0, singleShot=True)
        self._later.timeout.connect(self.fit)
        view.viewport().installEventFilter(self)
        view.model().dataChanged.connect(lambda *_: self._later.start())
        view.model().rowsInserted.connect(lambda *_: self._later.start())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Another width."""
        if event.type() is QEvent.Type.Resize:
            self.fit()
        return super().eventFilter(watched, event)

    def _need(self, at: int) -> int:
        if at == self._stretch:
            return self._least
        item, metrics = self._view.horizontalHeaderItem(at), self._view.horizontalHeader().fontMetrics()
        head = metrics.horizontalAdvance(item.text()) + HEAD if item is not None and item.text() else 0
        return max(self._view.sizeHintForColumn(at), head)  # Qt's hint for a hidden heading is 0

    def fit(self) -> None:
        """Hide as many as must go, in their order."""
        needs = {at: self._need(at) for at in range(self._view.columnCount())}
        hidden = []
        for at in self._spared:
            if sum(needs.values()) <= self._view.viewport().width():
                break
            hidden.append(at)
            del needs[at]
        for at in self._spared:
            self._view.setColumnHidden(at, at in hidden)


def spare(view: QTableWidget, spared: Sequence[int], *, stretch: int, least: int) -> None:
    """Hide columns of a table, the first of `spared` first, before anything has to be scrolled sideways. The one that
    stretches keeps `least` pixels."""
    _Sparing(view, spared, stretch, least)
