"""The command palette: everything that the window can do, found by typing (Ctrl+Shift+P)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMainWindow,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from sslstudio.ui.base.theme import colours
from sslstudio.ui.text.fuzzy import fit
from sslstudio.ui.widgets.layout import column, text

WIDTH, HEIGHT, TOP = 620, 430, 46  # pixels
MOST = 60  # entries that are shown
ENTRY = Qt.ItemDataRole.UserRole
MOVES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -8, Qt.Key.Key_PageDown: 8}
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


@dataclass(frozen=True)
class Entry:
    """Something that can be done. group: where it belongs, as a menu; off: why it cannot be done now, '' if it can."""

    title: str
    group: str
    do: Callable[[], object]
    keys: str = ""
    off: str = ""

    @property
    def words(self) -> str:
        """All that it says, for a screen reader."""
        return ", ".join(part for part in (self.title, self.group, self.keys, self.off) if part)


class _Lines(QStyledItemDelegate):
    """An entry in two lines: title and key, below them where it belongs or why it is off."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Two lines with some air."""
        return QSize(100, 2 * option.fontMetrics.height() + 12)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw it."""
        entry, scheme = index.data(ENTRY), colours()
        room: QRect = option.rect
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if chosen:
            painter.fillRect(room, QColor(scheme.selection))
        inner = room.adjusted(12, 5, -12, -5)
        upper = QRect(inner.left(), inner.top(), inner.width(), inner.height() // 2)
        lower = upper.translated(0, inner.height() // 2)
        plain = QFont(option.font)
        painter.setFont(plain)
        keys_wide = painter.fontMetrics().horizontalAdvance(entry.keys) + 12 if entry.keys else 0
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.setPen(QColor(scheme.muted if entry.off else scheme.text))
        title = painter.fontMetrics().elidedText(entry.title, Qt.TextElideMode.ElideRight, upper.width() - keys_wide)
        painter.drawText(upper, left | Qt.AlignmentFlag.AlignVCenter, title)
        painter.setPen(QColor(scheme.muted))
        painter.drawText(upper, right | Qt.AlignmentFlag.AlignVCenter, entry.keys)
        plain.setPointSizeF(plain.pointSizeF() * 0.9)
        painter.setFont(plain)
        said = entry.off or entry.group
        said = painter.fontMetrics().elidedText(said, Qt.TextElideMode.ElideRight, lower.width())
        painter.drawText(lower, left | Qt.AlignmentFlag.AlignVCenter, said)
        painter.restore()


class Palette(QFrame):
    """Lies over the window until something is chosen, or Escape, or a click elsewhere."""

    def __init__(self, window: QMainWindow, gather: Callable[[], Sequence[Entry]]) -> None:
        super().__init__(window)
        self._window, self._gather = window, gather
        self._entries: list[Entry] = []
        self._before: QWidget | None = None  # had the focus
        self.setObjectName("card")
        self.setAutoFillBackground(True)
        self.field, self.list = QLineEdit(), QListWidget()
        self.field.setPlaceholderText(self.tr("Type what you want to do, to see or to set"))
        self.field.setAccessibleName(self.tr("Commands"))
        self.field.textChanged.connect(self._look)
        self.list.setItemDelegate(_Lines(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the field keeps the keys
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("Commands"))
        self.list.itemClicked.connect(lambda _: self._take())
        self.list.currentItemChanged.connect(lambda item, _: self._tell(item))
        self.told = text("", "small")
        layout = column(self.field, (self.list, 1), self.told)
        layout.setContentsMargins(10, 10, 10, 8)
        self.setLayout(layout)
        self.field.installEventFilter(self)
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Show everything, ready to type."""
        if not self.isVisible():
            self._before = self._window.focusWidget()
        self._entries = list(self._gather())
        self._place()
        self.show()
        self.raise_()
        self.field.clear()
        self._look()
        self.field.setFocus()

    def close_again(self) -> None:
        """Hide, and give the focus back."""
        before, self._before = self._before, None
        self.hide()
        if before is not None:
            before.setFocus()

    def _place(self) -> None:
        width = min(WIDTH, self._window.width() - 40)
        height = min(HEIGHT, self._window.height() - TOP - 30)
        self.setGeometry((self._window.width() - width) // 2, TOP, width, height)

    def _look(self) -> None:
        typed = self.field.text()
        found = [(score, entry) for entry in self._entries if (score := _fit(typed, entry)) is not None]
        found.sort(key=lambda pair: -pair[0])  # stable: of equal ones the order of the menus
        self.list.clear()
        for _, entry in found[:MOST]:
            item = QListWidgetItem(entry.title)
            item.setData(ENTRY, entry)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, entry.words)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        if not found:
            self.told.setText(self.tr("Nothing found"))

    def _tell(self, item: QListWidgetItem | None) -> None:
        entry = item.data(ENTRY) if item is not None else None
        more = self.tr("Enter does it, Escape leaves.")
        self.told.setText(more if entry is None or not entry.off else entry.off)
        self.field.setAccessibleDescription(entry.words if entry is not None else "")

    def _take(self) -> None:
        item = self.list.currentItem()
        entry = item.data(ENTRY) if item is not None else None
        if entry is not None and not entry.off:
            self.close_again()
            entry.do()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys of the field that are for the list; a window of another size; a focus that has gone elsewhere."""
        if watched is self._window and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        if watched is not self.field:
            return False
        if event.type() == QEvent.Type.FocusOut and self._window.isActiveWindow():
            self.hide()
            return False
        return event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._hear(event)

    def _hear(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in MOVES:
            row = self.list.currentRow() + MOVES[key]
            self.list.setCurrentRow(min(max(row, 0), self.list.count() - 1))
        elif key in ENTER:
            self._take()
        elif key == Qt.Key.Key_Escape:
            self.close_again()
        else:
            return False
        return True


def _fit(typed: str, entry: Entry) -> float | None:
    """The title counts more than where it belongs."""
    if not typed.strip():
        return 0.0
    title = fit(typed, entry.title)
    return title if title is not None else _less(fit(typed, f"{entry.title} {entry.group}"))


def _less(score: float | None) -> float | None:
    return None if score is None else score - 100.0
