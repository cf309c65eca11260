"""Nine tiles to be put in order: dragged with the mouse, or moved with the arrow keys and the space bar."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from sslstudio.ui.base.theme import colours
from sslstudio.ui.pages.puzzles.board import Board
from sslstudio.ui.widgets.shortcuts import ARROWS, GIVE_UP, TAKE

SIDE = 3
GAP = 5.0  # between tiles, in pixels of the screen


class TileBoard(Board):
    """Swapping two tiles is the only move."""

    def __init__(self, tiles: list[QImage]) -> None:
        super().__init__()
        self._tiles = tiles
        self.places = list(range(len(tiles)))  # place -> tile
        self._right: tuple[int, ...] | None = None
        self._cursor = 0
        self._held: int | None = None  # place of the tile that is carried
        self._pointer: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(180, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Nine tiles"))
        self.setAccessibleDescription(
            self.tr("Arrow keys choose a place; the space bar takes the tile there, and again puts it down.")
        )

    def answer(self) -> tuple[int, ...]:
        """For each tile the place that it lies at."""
        return tuple(self.places.index(tile) for tile in range(len(self.places)))

    def reveal(self, right: tuple[int, ...]) -> None:
        """Mark what lies right and wrong; nothing moves any more. `right` is the place of each tile."""
        self._right, self._held, self._pointer = right, None, None
        self.update()

    def swap(self, first: int, second: int) -> None:
        """Exchange what lies at two places."""
        if first != second and self._right is None:
            self.places[first], self.places[second] = self.places[second], self.places[first]
            self.changed.emit()
        self.update()

    # --- geometry

    def sizeHint(self) -> QSize:
        """A board that is worth looking at."""
        return QSize(260, 260)

    def cell(self, place: int) -> QRectF:
        """Where a place is on the screen."""
        whole = min(self.width(), self.height())
        side = (whole - GAP * (SIDE + 1)) / SIDE
        left, top = (self.width() - whole) / 2, (self.height() - whole) / 2
        row, column = divmod(place, SIDE)
        return QRectF(left + GAP + column * (side + GAP), top + GAP + row * (side + GAP), side, side)

    def _place_at(self, point: QPointF) -> int | None:
        return next((place for place in range(len(self.places)) if self.cell(place).contains(point)), None)

    # --- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the tile under the pointer."""
        place = self._place_at(event.position())
        if place is not None and self._right is None and event.button() == Qt.MouseButton.LeftButton:
            self._cursor = self._held = place
            self._pointer = event.position()
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Carry it."""
        if self._held is not None and self._pointer is not None:
            self._pointer = event.position()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Put it down: it changes places with the one that lies there."""
        held, self._held, self._pointer = self._held, None, None
        place = self._place_at(event.position())
        if held is not None and place is not None:
            self._cursor = place
            self.swap(held, place)
        self.update()

    # --- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, space and escape; the rest is left to others."""
        key = event.key()
        if key in ARROWS:
            row, column = divmod(self._cursor, SIDE)
            across, down = ARROWS[Qt.Key(key)]
            self._cursor = min(SIDE - 1, max(0, row + down)) * SIDE + min(SIDE - 1, max(0, column + across))
        elif key == TAKE and self._right is None:
            self._take_or_put()
        elif key == GIVE_UP and self._held is not None:
            self._held = None
        else:
            super().keyPressEvent(event)
            return
        self.update()

    def _take_or_put(self) -> None:
        if self._held is None:
            self._held = self._cursor
        else:
            held, self._held = self._held, None
            self.swap(held, self._cursor)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The cursor is painted only while keys go here."""
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A tile that is carried by keys is put back."""
        self._held = self._held if self._pointer is not None else None
        self.update()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """The tiles, the one that is carried on top."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        for place, tile in enumerate(self.places):
            carried = place == self._held and self._pointer is not None
            if carried:
                painter.fillRect(self.cell(place), QColor(colours().sunken))
            else:
                painter.drawImage(self.cell(place), self._tiles[tile])
            self._frame(painter, place, tile)
        if self._held is not None and self._pointer is not None:
            rect = self.cell(self._held)
            rect.moveCenter(self._pointer)
            painter.setOpacity(0.9)
            painter.drawImage(rect, self._tiles[self.places[self._held]])

    def _frame(self, painter: QPainter, place: int, tile: int) -> None:
        scheme, rect = colours(), self.cell(place)
        if self._right is not None:
            right = self._right[tile] == place
            self._outline(painter, rect, scheme.good if right else scheme.bad, Qt.PenStyle.SolidLine)
            self._mark(painter, rect, "✓" if right else "✗", scheme.good if right else scheme.bad)
        elif place == self._held:
            self._outline(painter, rect, scheme.accent, Qt.PenStyle.DashLine)
        elif place == self._cursor and self.hasFocus():
            self._outline(painter, rect, scheme.accent, Qt.PenStyle.SolidLine)

    @staticmethod
    def _outline(painter: QPainter, rect: QRectF, colour: str, style: Qt.PenStyle) -> None:
        painter.setPen(QPen(QColor(colour), 3.0, style))
        painter.drawRect(rect.adjusted(1.5, 1.5, -1.5, -1.5))

    @staticmethod
    def _mark(painter: QPainter, rect: QRectF, sign: str, colour: str) -> None:
        """A sign on a small ground, so that nothing is said by colour alone."""
        ground = QRectF(rect.right() - 24, rect.bottom() - 24, 22, 22)
        painter.fillRect(ground, QColor(colours().surface))
        painter.setPen(QColor(colour))
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, sign)
