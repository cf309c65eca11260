"""The gallery: a grid of thumbnails with captions, painted by hand so that 100,000 rows scroll."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from sslstudio.ui.base import resources
from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.gallery.model import GalleryItem, GalleryModel

CELL = QSize(124, 138)
CAPTION = 22
BATCH = 2500  # rows that are given their places between two looks at the mouse
PAD = 7
SIGNS = {"good": "check", "bad": "cross"}


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
            if item.mark in SIGNS:
                self._paint_mark(painter, box, item.mark)
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
        painter.setBrush(QColor(scheme.good if mark == "good" else scheme.bad))
        painter.drawEllipse(disc)
        sign = resources.pixmap(SIGNS[mark], scheme.surface, 12, painter.device().devicePixelRatioF())
        painter.drawPixmap(disc.x() + 4, disc.y() + 4, sign)


class GalleryView(QListView):
    """Shows a GalleryModel of its own. `chosen` carries the row that was clicked or moved to with the keyboard."""

    chosen = Signal(int)

    def __init__(self, model: GalleryModel | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.gallery = model or GalleryModel(self)
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
        self.selectionModel().currentChanged.connect(lambda now, _: self.chosen.emit(now.row()))
        theme().changed.connect(self.viewport().update)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the room that is left over among the columns."""
        room = self.width() - self.verticalScrollBar().sizeHint().width() - 2
        self.setGridSize(QSize(room // max(1, room // CELL.width()), CELL.height()))
        super().resizeEvent(event)

    def show_items(self, items: Sequence[GalleryItem]) -> None:
        """Show other pictures, from the first one."""
        self.gallery.show_items(items)
        self.scrollToTop()
