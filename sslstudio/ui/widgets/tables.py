"""Read-only tables of texts."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, QTimer
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
