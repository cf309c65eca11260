"""Pieces beside each other, and on a further line, or below each other, where there is no more room."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLayout, QLayoutItem, QWidget


class Sides(QWidget):
    """Pieces beside each other, each with its share of the width; below each other where that is less than `least`,
    each as high as it needs to be: a share of the height would leave empty room in one and none in the next."""

    def __init__(self, *pieces: tuple[QLayout | QWidget, int], least: int, gap: int = 14) -> None:
        super().__init__()
        self._least, self._shares = least, [share for _, share in pieces]
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(gap)
        for piece, share in pieces:
            if isinstance(piece, QWidget):
                self._line.addWidget(piece, share)
            else:
                self._line.addLayout(piece, share)
        self._line.addStretch(0)

    def minimumSizeHint(self) -> QSize:
        """It can be as narrow as its widest piece."""
        items = (self._line.itemAt(number) for number in range(self._line.count()))
        widths = [item.minimumSize().width() for item in items if item is not None]
        return QSize(max(widths, default=0), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Beside or below."""
        beside = event.size().width() >= self._least
        ways = QBoxLayout.Direction
        self._line.setDirection(ways.LeftToRight if beside else ways.TopToBottom)
        for number, share in enumerate((*self._shares, 0)):
            below = int(number == len(self._shares))
            self._line.setStretch(number, share if beside else below)
        super().resizeEvent(event)


class Flow(QLayout):
    """Lines of pieces, each as wide as it likes to be; one that is wider than the line gets the line."""

    def __init__(self, parent: QWidget | None = None, *, gap: int = 8, between: int = 2) -> None:
        """`gap` pixels between the pieces of a line, `between` lines."""
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap, self._between = gap, between
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        """Asked by Qt."""
        self._items.append(item)

    def count(self) -> int:
        """Asked by Qt."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """Asked by Qt."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Asked by Qt."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """It is as high as its lines."""
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:
        """The narrower the higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Of all lines."""
        return self._lay(QRect(0, 0, width, 0), place=False)

    def setGeometry(self, area: QRect) -> None:
        """Put the pieces where they belong."""
        super().setGeometry(area)
        self._lay(area, place=True)

    def sizeHint(self) -> QSize:
        """All on one line."""
        sizes = [item.sizeHint() for item in self._pick_shown()]
        wide = sum(size.width() for size in sizes) + self._gap * max(0, len(sizes) - 1)
        return QSize(wide, max((size.height() for size in sizes), default=0))

    def minimumSize(self) -> QSize:
        """The widest that a piece has to be."""
        sizes = [item.minimumSize() for item in self._pick_shown()]
        return QSize(max((size.width() for size in sizes), default=0), max((s.height() for s in sizes), default=0))

    def _pick_shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _lay(self, area: QRect, *, place: bool) -> int:
        """Where each piece goes; the height that they need."""
        x, y, line = area.left(), area.top(), 0
        for item in self._pick_shown():
            size = item.sizeHint()
            wide = min(size.width(), area.width())
            if x > area.left() and x + wide > area.left() + area.width():
                x, y, line = area.left(), y + line + self._between, 0
            if place:
                item.setGeometry(QRect(QPoint(x, y), QSize(wide, size.height())))
            x, line = x + wide + self._gap, max(line, size.height())
        return y + line - area.top()
