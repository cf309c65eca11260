"""The gallery: a grid of thumbnails with captions, painted by hand so that 100,000 rows scroll."""

from collections.abc import Sequence
from typing import overload

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QPainter, QPainterPath, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from sslstudio.ui.base import resources
from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.gallery.arrange import Arranger, Criteria
from sslstudio.ui.gallery.model import GalleryItem, GalleryModel
from sslstudio.ui.gallery.requests import Wish, requests
from sslstudio.ui.widgets.shortcuts import CHOOSE

CELL = QSize(124, 138)
CAPTION = 22
BATCH = 2500  # rows that are given their places between two looks at the mouse
PAD = 7
SIGNS = {"good": "check", "bad": "cross", "out": "stop"}


class ThumbDelegate(QStyledItemDelegate):
    """Paints a cell: thumbnail with round corners, caption cut in the middle, and the mark as a sign in a disc."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The same for every row."""
        return CELL

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """One cell."""
        rect = QRect(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._paint_ground(painter, rect, state)
        item = index.data(GalleryModel.ITEM)
        box = rect.adjusted(PAD, PAD, -PAD, -CAPTION - 4)
        self._paint_picture(painter, box, index.data(Qt.ItemDataRole.DecorationRole))
        if isinstance(item, GalleryItem):
            self._paint_caption(painter, rect, item)
            mark = "out" if item.excluded else item.mark
            if mark in SIGNS:
                self._paint_mark(painter, box, mark)
        painter.restore()

    def _paint_ground(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours().selection if selected else colours().hover))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 8, 8)

    def _paint_picture(self, painter: QPainter, box: QRect, pixmap: object) -> None:
        if not isinstance(pixmap, QPixmap) or pixmap.isNull():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours().sunken))
            painter.drawRoundedRect(box, 6, 6)
            return
        size = pixmap.size().scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, size.width(), size.height())
        place.moveCenter(box.center())
        path = QPainterPath()
        path.addRoundedRect(QRectF(place), 5, 5)
        painter.setClipPath(path)
        painter.drawPixmap(place, pixmap)
        painter.setClipping(False)

    def _paint_caption(self, painter: QPainter, rect: QRect, item: GalleryItem) -> None:
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.86)
        painter.setFont(font)
        painter.setPen(QColor(colours().muted))
        line = rect.adjusted(PAD, rect.height() - CAPTION - 2, -PAD, -2)
        said = painter.fontMetrics().elidedText(item.caption, Qt.TextElideMode.ElideMiddle, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, said)

    def _paint_mark(self, painter: QPainter, box: QRect, mark: str) -> None:
        scheme = colours()
        disc = QRect(box.right() - 19, box.top() + 1, 20, 20)
        painter.setPen(QPen(QColor(scheme.surface), 2))
        painter.setBrush(QColor({"good": scheme.good, "bad": scheme.bad}.get(mark, scheme.muted)))
        painter.drawEllipse(disc)
        sign = resources.pixmap(SIGNS[mark], scheme.surface, 12, painter.device().devicePixelRatioF())
        painter.drawPixmap(disc.x() + 4, disc.y() + 4, sign)


class GalleryView(QListView):
    """Shows a GalleryModel of its own. `chosen` carries the number of the item that was clicked or moved to with the
    keyboard. Double-click, Space and Enter ask for it in large, the right button and the menu key for its menu:
    `gallery.requests` hears that. `arranged` when other pictures of the list are shown, or in another order."""

    chosen = Signal(int)
    arranged = Signal()

    def __init__(self, model: GalleryModel | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.gallery = model or GalleryModel(self)
        self.criteria = Criteria()
        self.arranger = Arranger(self)
        self.arranger.done.connect(self._take_order)
        self.setModel(self.gallery)
        self.setItemDelegate(ThumbDelegate(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)  # Qt needs 5 s and more to place a million rows in one go
        self.setBatchSize(BATCH)
        self.setGridSize(CELL)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(CELL.height() // 3)
        self.setAccessibleName(self.tr("Pictures"))
        self.selectionModel().currentChanged.connect(lambda now, _: self.chosen.emit(self.gallery.number_of(now.row())))
        self.doubleClicked.connect(lambda place: self._open(place.row()))
        theme().changed.connect(self.viewport().update)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the room that is left over among the columns."""
        room = self.width() - self.verticalScrollBar().sizeHint().width() - 2
        self.setGridSize(QSize(room // max(1, room // CELL.width()), CELL.height()))
        super().resizeEvent(event)

    def show_items(self, items: Sequence[GalleryItem], *, keep: bool = False) -> None:
        """Show other pictures, from the first one; `keep`: much the same ones, so that the place stays in sight."""
        at, current = self.verticalScrollBar().value(), self.number
        self.gallery.show_items(items)
        shown = getattr(items, "shown", None)  # those before the ones that were left out
        if self.criteria != Criteria():
            self.arranger.ask(items, self.criteria)
        elif shown is not None:
            self.gallery.show_order(shown)
        if keep:
            self.choose(current)
            self.verticalScrollBar().setValue(at)
        else:
            self.scrollToTop()

    # --- which of them, and in which order

    def arrange(self, criteria: Criteria) -> None:
        """Show those that fit; `arranged` follows."""
        self.criteria = criteria
        if criteria == Criteria():
            self._take_order(self.arranger.forget(), getattr(self.gallery.items, "shown", None))
        else:
            self.arranger.ask(self.gallery.items, criteria)

    def _take_order(self, asked: int, order: Sequence[int] | None) -> None:
        if asked != self.arranger.asked:
            return
        current = self.number
        self.gallery.show_order(order)
        self.choose(current if self.gallery.place_of(current).isValid() else self.gallery.number_of(0))
        self.scrollToTop()
        self.arranged.emit()

    # --- the current one

    @property
    def number(self) -> int:
        """The number of the current item, -1 for none."""
        return self.gallery.number_of(self.currentIndex().row())

    def choose(self, number: int) -> None:
        """Make an item the current one, where it is shown."""
        place = self.gallery.place_of(number) if number >= 0 else QModelIndex()
        if place.isValid():
            self.setCurrentIndex(place)
            self.scrollTo(place)

    # --- what is wished for one

    def wish(self, row: int) -> Wish:
        """The picture in a row, among those that are shown."""
        model = self.gallery
        rows = sorted({one.row() for one in self.selectionModel().selectedIndexes()} | {row})
        rows = rows if self.selectionModel().isRowSelected(row, QModelIndex()) else [row]
        return Wish(
            Shown(model),
            row,
            self,
            rows,
            lambda at: model.pixmap_of(model.number_of(at)),
            lambda at: self.choose(model.number_of(at)),
        )

    def _open(self, row: int) -> None:
        if 0 <= row < self.gallery.rowCount():
            requests().opened.emit(self.wish(row))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space and Enter open what the arrows led to."""
        if event.key() in CHOOSE and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self._open(self.currentIndex().row())
            event.accept()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the picture under the mouse, or of the current one."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        place = self.currentIndex() if by_key else self.indexAt(event.pos())
        if place.isValid():
            at = self.visualRect(place).center() if by_key else event.pos()
            requests().menu_wanted.emit(self.wish(place.row()), self.viewport().mapToGlobal(at))

    def finish(self) -> None:
        """The window closes: let what is under way end."""
        self.arranger.finish()
        self.gallery.decoder.finish()


class Shown(Sequence[GalleryItem]):
    """The items that a model shows, in order, as they are at each moment."""

    def __init__(self, model: GalleryModel) -> None:
        self._model = model

    def __len__(self) -> int:
        return self._model.rowCount()

    @overload
    def __getitem__(self, at: int) -> GalleryItem: ...
    @overload
    def __getitem__(self, at: slice) -> list[GalleryItem]: ...
    def __getitem__(self, at: int | slice) -> GalleryItem | list[GalleryItem]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        return self._model.item(self._model.number_of(at))
