"""A small card with a picture and a line, that stands beside what the mouse is over."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QLabel, QWidget

from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.widgets.layout import column, text

THUMB = 120
GAP = 14  # pixels to what it stands beside


class HoverCard(QWidget):
    """Lies over its parent and lets the mouse through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("hovercard")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.picture, self.caption = QLabel(), text("", "small", wrap=False)
        self.picture.setFixedSize(THUMB, THUMB)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = column(self.picture, self.caption, gap=4)
        layout.setContentsMargins(7, 7, 7, 6)
        self.setLayout(layout)
        self.setFixedSize(THUMB + 14, THUMB + 36)
        self.hide()

    def show_item(self, item: GalleryItem) -> None:
        """What is said; the picture comes when it is decoded."""
        self.picture.clear()
        metrics = self.caption.fontMetrics()
        self.caption.setText(metrics.elidedText(item.caption, Qt.TextElideMode.ElideMiddle, THUMB))
        self.raise_()

    def show_picture(self, image: QImage) -> None:
        """The picture."""
        ratio = self.devicePixelRatioF()
        side = round(THUMB * ratio)
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        pixmap = QPixmap.fromImage(image.scaled(side, side, keep, smooth) if not image.isNull() else image)
        pixmap.setDevicePixelRatio(ratio)
        self.picture.setPixmap(pixmap)

    def stand_beside(self, point: QPoint) -> None:
        """Move to where there is room and the point is not covered."""
        parent = self.parentWidget()
        room = parent.rect() if parent else self.rect()
        right = point.x() + GAP
        x = right if right + self.width() <= room.right() else point.x() - GAP - self.width()
        y = min(max(room.top() + 4, point.y() - self.height() // 2), room.bottom() - self.height() - 4)
        self.move(max(room.left(), x), y)
