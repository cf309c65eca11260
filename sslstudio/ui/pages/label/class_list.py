"""The classes with their keys, marks and counts: choose, add, rename, give another colour."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from sslstudio.engine.labels.editing.edits import LabelClass
from sslstudio.ui.base.theme import MASKS, colours, theme
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.class_marks import paint_mark
from sslstudio.ui.widgets.layout import button, column, row, text
from sslstudio.ui.widgets.shortcuts import CLASS_KEYS

NUMBER, COLOUR, COUNT = (Qt.ItemDataRole.UserRole + place for place in range(3))
HEIGHT = 34
NAME_AT = 58

Index = QModelIndex | QPersistentModelIndex


class _Delegate(QStyledItemDelegate):
    """Key, mark, name, count."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """The same for all."""
        return QSize(120, HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One class."""
        scheme, rect = colours(), QRect(option.rect).adjusted(1, 1, -1, -1)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(scheme.selection if chosen else scheme.hover))
            painter.drawRoundedRect(rect, 7, 7)
        middle = Qt.AlignmentFlag.AlignVCenter
        if index.row() < len(CLASS_KEYS):
            key = QRect(rect.left() + 6, rect.center().y() - 10, 20, 21)
            painter.setPen(QPen(QColor(scheme.strong_border), 1))
            painter.setBrush(QColor(scheme.surface))
            painter.drawRoundedRect(key, 4, 4)
            painter.setPen(QColor(scheme.muted))
            painter.drawText(key, Qt.AlignmentFlag.AlignCenter, CLASS_KEYS[index.row()])
        painter.setPen(QColor(scheme.strong_border))
        paint_mark(painter, QPointF(rect.left() + 42, rect.center().y() + 1), int(index.data(COLOUR)), 5.5)
        painter.setPen(QColor(scheme.text))
        counted = painter.fontMetrics().horizontalAdvance(str(index.data(COUNT)))
        room = rect.adjusted(NAME_AT, 0, -10 - (counted + 8 if counted else 0), 0)
        name = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, middle, name)
        painter.setPen(QColor(scheme.muted))
        painter.drawText(rect.adjusted(0, 0, -10, 0), middle | Qt.AlignmentFlag.AlignRight, str(index.data(COUNT)))
        painter.restore()

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """The name is edited where it stands."""
        editor.setGeometry(QRect(option.rect).adjusted(NAME_AT - 8, 1, -4, -1))


class ClassList(QWidget):
    """`picked`: a class was chosen; `added`: a name; `renamed`: number and name; `recoloured`: number and colour;
    `named_all`: Enter where a name would stand."""

    picked = Signal(int)
    added = Signal(str)
    renamed = Signal(int, str)
    recoloured = Signal(int, int)
    removed = Signal(int)
    named_all = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setObjectName("classes")
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.setMouseTracking(True)
        self.list.setAccessibleName(self.tr("Classes"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(lambda item: self.picked.emit(item.data(NUMBER)))
        self.list.itemActivated.connect(lambda item: self.picked.emit(item.data(NUMBER)))
        self.list.itemChanged.connect(self._tell_rename)
        self.name = QLineEdit()
        self.name.setAcceptDrops(False)  # files that fall here are the window's
        self.name.setAccessibleName(self.tr("Name of a new class"))
        self.name.returnPressed.connect(self._add)
        self.rename = button(self.tr("Rename"), self._rename, "link")
        self.recolour = button(self.tr("Other colour"), self._recolour, "link")
        self.remove = button(self.tr("Delete the class"), self._remove, "link")
        self.first = text("", "muted")
        self.setLayout(
            column(
                self.first,
                (self.list, 1),
                row(self.rename, self.recolour, None, gap=2),
                row(self.remove, None),
                self.name,
                gap=6,
            )
        )
        self._filling = False
        theme().changed.connect(self.list.viewport().update)

    def show_classes(self, classes: Sequence[LabelClass], counts: Mapping[int, int] | None) -> None:
        """Show other classes or counts; the chosen one stays chosen."""
        chosen = self.number
        self._filling = True
        self.list.clear()
        for one in classes:
            item = QListWidgetItem(one.name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            item.setData(NUMBER, one.number)
            item.setData(COLOUR, one.colour)
            item.setData(COUNT, "" if counts is None else formatting.count(counts.get(one.number, 0)))
            self.list.addItem(item)
        self._filling = False
        self.choose(chosen)
        for about in (self.rename, self.recolour, self.remove):  # what there is not
            about.setVisible(bool(classes))
        self.first.setVisible(not classes)
        self.first.setText(
            self.tr("Name a class below, then paint with it.")
            if counts is None
            else self.tr("Name a class below, then its number gives it to a picture.")
        )
        asked = self.tr("New class, or Enter to go on") if classes else self.tr("New class: name, then Enter")
        self.name.setPlaceholderText(asked)

    @property
    def number(self) -> int:
        """The chosen class, 0 for none."""
        item = self.list.currentItem()
        return int(item.data(NUMBER)) if item is not None else 0

    def choose(self, number: int) -> None:
        """Choose a class; the first when it is not there."""
        rows = [place for place in range(self.list.count()) if self.list.item(place).data(NUMBER) == number]
        self.list.setCurrentRow(rows[0] if rows else 0 if self.list.count() else -1)

    def at_key(self, place: int) -> int:
        """The class of a number key, 0 for none."""
        item = self.list.item(place)
        return int(item.data(NUMBER)) if item is not None else 0

    def _add(self) -> None:
        said = self.name.text()
        if said.strip():
            self.added.emit(said)
        else:
            self.named_all.emit()

    def _rename(self) -> None:
        if (item := self.list.currentItem()) is not None:
            self.list.editItem(item)

    def _recolour(self) -> None:
        if (item := self.list.currentItem()) is not None:
            self.recoloured.emit(item.data(NUMBER), item.data(COLOUR) % (len(MASKS) - 1) + 1)

    def _remove(self) -> None:
        if (item := self.list.currentItem()) is not None:
            self.removed.emit(item.data(NUMBER))

    def _tell_rename(self, item: QListWidgetItem) -> None:
        if not self._filling:
            self.renamed.emit(item.data(NUMBER), item.text())
