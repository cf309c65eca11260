"""The list of steps on the left: number, name, and how far each is."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from sslstudio.ui.base import resources
from sslstudio.ui.base.theme import colours, theme

ICON, STATE, DONE = (Qt.ItemDataRole.UserRole + number for number in range(3))
WIDTH, NARROW = 216, 190  # in a large window, in a small one
HEIGHT = 58
SMALL = 1150  # pixels of a window that has no room for a wide list


class StepDelegate(QStyledItemDelegate):
    """Paints a step."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The same for all."""
        return QSize(NARROW - 20, HEIGHT)  # it has at least the room of the list

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Ground, icon, name and state."""
        scheme = colours()
        rect = QRect(option.rect).adjusted(2, 2, -2, -2)
        state = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(scheme.selection if chosen else scheme.hover))
            painter.drawRoundedRect(rect, 8, 8)
        ratio = painter.device().devicePixelRatioF()
        colour = scheme.accent if chosen else scheme.muted
        painter.drawPixmap(rect.x() + 12, rect.y() + 16, resources.pixmap(str(index.data(ICON)), colour, 22, ratio))
        self._paint_words(painter, rect.adjusted(44, 8, -6, -8), index, chosen)
        if index.data(DONE):  # beside the state, so that the name has the whole line
            place = 28 if index.data(STATE) else 18
            painter.drawPixmap(rect.right() - 26, rect.y() + place, resources.pixmap("check", scheme.good, 18, ratio))
        painter.restore()

    def _paint_words(
        self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex, chosen: bool
    ) -> None:
        scheme = colours()
        font = QFont(painter.font())
        font.setWeight(QFont.Weight.DemiBold if chosen else QFont.Weight.Medium)
        painter.setFont(font)
        painter.setPen(QColor(scheme.text))
        said = str(index.data(STATE) or "")
        upper = rect.adjusted(0, 0, 0, -rect.height() // 2) if said else rect
        title = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(upper, Qt.AlignmentFlag.AlignVCenter, title)
        if said:
            font.setWeight(QFont.Weight.Normal)
            font.setPointSizeF(font.pointSizeF() * 0.88)
            painter.setFont(font)
            painter.setPen(QColor(scheme.muted))
            lower = rect.adjusted(0, rect.height() // 2, 0, 0)
            said = painter.fontMetrics().elidedText(said, Qt.TextElideMode.ElideRight, lower.width())
            painter.drawText(lower, Qt.AlignmentFlag.AlignVCenter, said)


class StepList(QListWidget):
    """`chosen` carries the name of the step that is wanted."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("steps")
        self.fit(SMALL)
        self.setItemDelegate(StepDelegate(self))
        self.setMouseTracking(True)
        self.setSpacing(1)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Steps"))
        self._names: list[str] = []
        self.currentRowChanged.connect(self._tell)
        theme().changed.connect(self.viewport().update)

    def _tell(self, number: int) -> None:
        if number >= 0:
            self.chosen.emit(self._names[number])

    def add_step(self, name: str, title: str, icon: str) -> None:
        """Put a step at the end."""
        self._names.append(name)
        item = QListWidgetItem(title)
        item.setData(ICON, icon)
        self.addItem(item)

    def fit(self, window: int) -> None:
        """Be as wide as a window of this width has room for, in pixels."""
        self.setFixedWidth(WIDTH if window >= SMALL else NARROW)

    def empty(self) -> None:
        """Take all steps out, for others."""
        self.blockSignals(True)
        self.clear()
        self._names = []
        self.blockSignals(False)

    def say(self, name: str, state: str, done: bool) -> None:
        """How far a step is; nothing if it is not among them."""
        if name not in self._names:
            return
        item = self.item(self._names.index(name))
        item.setData(STATE, state)
        item.setData(DONE, done)

    def choose(self, name: str) -> None:
        """Make a step the current one; none if it is not among them."""
        self.setCurrentRow(self._names.index(name) if name in self._names else -1)
