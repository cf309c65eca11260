"""Pictures as points on a plane, alike ones side by side: look at one, choose one, draw a line around many."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from sslstudio.engine.evaluate.embedding_map import inside
from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.gallery.model import Decoder, GalleryItem, thumbnail
from sslstudio.ui.gallery.requests import Wish, requests
from sslstudio.ui.plots.hover_card import HoverCard
from sslstudio.ui.plots.saving import Table, saving_menu
from sslstudio.ui.widgets.class_marks import paint_mark
from sslstudio.ui.widgets.shortcuts import ARROWS, CHOOSE, GIVE_UP

MARGIN = 16  # pixels around the points
REACH = 9  # pixels from a point that still mean it
NEAREST, FARTHEST = 1.0, 40.0  # zoom
LASSO_STEP = 3  # pixels between its corners

Places = npt.NDArray[np.float64]  # (N, 2) in [0, 1], y downwards


class EmbeddingMap(QWidget):
    """Shows points in the colours and shapes of their groups; the mouse over one shows its picture.

    `chosen` carries the number of the point that was clicked or moved to with the arrow keys, `lassoed` the numbers of
    those that a line was drawn around (with Shift: added to those selected before). Wheel zooms, middle button pans.
    """

    chosen = Signal(int)
    lassoed = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places: Places = np.zeros((0, 2))
        self._groups: Sequence[int] = ()
        self._hidden: npt.NDArray[np.bool_] = np.zeros(0, bool)
        self._items: Sequence[GalleryItem] = ()
        self.selected: list[int] = []
        self.current = -1
        self._hovered = -1
        self._generation = 0
        self._zoom, self._middle = 1.0, QPointF(0.5, 0.5)  # of the view, in places
        self._lasso: list[QPointF] = []
        self._grabbed: QPointF | None = None
        self._sheet: QPixmap | None = None
        self.saved_with: QWidget | None = None  # what holds the map and its legend
        self.decoder = Decoder(self, thumbnail)
        self.decoder.ready.connect(self._take_thumbnail)
        self._card = HoverCard(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(260, 220)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Map of the pictures: alike ones lie side by side"))
        theme().changed.connect(self._renew)

    # --- what is shown

    def show_points(self, places: Places, groups: Sequence[int], items: Sequence[GalleryItem]) -> None:
        """Show other points. groups: 0 has no group and is grey, from 1 on the marks of classes, -1 is not shown."""
        self._places, self._items = np.asarray(places, np.float64), items
        self.selected, self.current, self._hovered = [], -1, -1
        self._zoom, self._middle = 1.0, QPointF(0.5, 0.5)
        self._generation += 1
        self._card.hide()
        self.decoder.forget()
        self.show_groups(groups)

    def show_groups(self, groups: Sequence[int]) -> None:
        """Give the same points other marks."""
        self._groups = groups
        self._hidden = np.asarray(groups) < 0
        self._renew()

    def select(self, numbers: Collection[int]) -> None:
        """Mark some points."""
        self.selected = sorted(numbers)
        self._renew()

    def finish(self) -> None:
        """The window closes: let what is being decoded end."""
        self.decoder.finish()

    def _renew(self) -> None:
        self._sheet = None
        self.update()

    # --- from places to pixels and back

    def _scale(self) -> tuple[float, float]:
        return (max(1, self.width() - 2 * MARGIN) * self._zoom, max(1, self.height() - 2 * MARGIN) * self._zoom)

    def point_of(self, number: int) -> QPointF:
        """Where a point is on the widget."""
        x, y = self._pixels()[number]
        return QPointF(float(x), float(y))

    def _pixels(self) -> Places:
        middle = np.array([self._middle.x(), self._middle.y()])
        pixels: Places = (self._places - middle) * self._scale() + (self.width() / 2, self.height() / 2)
        return pixels

    def _place_at(self, pixel: QPointF) -> QPointF:
        across, down = self._scale()
        return QPointF(
            (pixel.x() - self.width() / 2) / across + self._middle.x(),
            (pixel.y() - self.height() / 2) / down + self._middle.y(),
        )

    def _at(self, pixel: QPointF) -> int:
        """The point under the mouse, -1 for none."""
        if not len(self._places):
            return -1
        distances = np.hypot(*(self._pixels() - (pixel.x(), pixel.y())).T)
        distances[self._hidden] = np.inf
        nearest = int(distances.argmin())
        return nearest if distances[nearest] <= REACH else -1

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """The points, which are kept until something changes, and over them what the mouse does."""
        painter = QPainter(self)
        if self._sheet is None:
            self._sheet = self._paint_sheet()
        painter.drawPixmap(0, 0, self._sheet)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scheme = colours()
        for number in {self._hovered, self.current} - {-1, *np.flatnonzero(self._hidden).tolist()}:
            painter.setPen(QPen(QColor(scheme.text), 2))
            painter.drawEllipse(self.point_of(number), 8, 8)
        if self._lasso:
            painter.setPen(QPen(QColor(scheme.accent), 2, Qt.PenStyle.DashLine))
            fill = QColor(scheme.accent)
            fill.setAlphaF(0.12)
            painter.setBrush(fill)
            painter.drawPolygon(QPolygonF(self._lasso))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(scheme.accent), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)

    def _paint_sheet(self) -> QPixmap:
        ratio, scheme = self.devicePixelRatioF(), colours()
        sheet = QPixmap(self.size() * ratio)
        sheet.setDevicePixelRatio(ratio)
        sheet.fill(Qt.GlobalColor.transparent)
        painter = QPainter(sheet)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(scheme.sunken))
        painter.drawRoundedRect(self.rect(), 8, 8)
        size = 3.0 if len(self._places) > 3000 else 4.5
        chosen = frozenset(self.selected)
        seen = QRectF(self.rect()).adjusted(-9, -9, 9, 9)
        pixels = self._pixels().tolist()
        for number in self._order():
            x, y = pixels[number]
            if seen.contains(x, y) and self._groups[number] >= 0:
                grows = 1.5 if number in chosen else 1.0
                painter.setPen(QPen(QColor(scheme.text if number in chosen else scheme.sunken), grows))
                paint_mark(painter, QPointF(x, y), self._groups[number], size * grows)
        painter.end()
        return sheet

    def _order(self) -> list[int]:
        """The grey ones below the rest, and no class above the others: as they come they lie by class."""
        mixed = np.random.default_rng(0).permutation(len(self._places))
        order: list[int] = mixed[np.argsort(np.asarray(self._groups)[mixed] != 0, kind="stable")].tolist()
        return order

    # --- mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a line, or take hold of the map."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._lasso = [event.position()]
        elif event.button() == Qt.MouseButton.MiddleButton:
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the line or move the map; else show the picture under the mouse."""
        at = event.position()
        if self._grabbed is not None:
            self._middle += self._place_at(self._grabbed) - self._place_at(at)
            self._grabbed = at
            self._renew()
        elif self._lasso:
            if (at - self._lasso[-1]).manhattanLength() >= LASSO_STEP:
                self._lasso.append(at)
                self.update()
        else:
            self._hover(self._at(at))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A line around points, or a click on one."""
        if event.button() == Qt.MouseButton.MiddleButton:
            self._grabbed = None
            self.unsetCursor()
        if event.button() != Qt.MouseButton.LeftButton or not self._lasso:
            return
        line, self._lasso = self._lasso, []
        adds = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if len(line) < 3:
            self._click(self._at(event.position()))
        else:
            outline = [self._place_at(corner).toTuple() for corner in line]
            found = [number for number in inside(self._places, outline) if not self._hidden[number]]
            self.select({*found, *(self.selected if adds else ())})
            self.lassoed.emit(self.selected)
        self.update()

    def _click(self, number: int) -> None:
        self.select(())
        if number >= 0:
            self.current = number
            self.chosen.emit(number)
        else:
            self.lassoed.emit([])

    def wish(self, number: int) -> Wish:
        """A point, among all that are shown."""
        shown = [one for one in range(len(self._items)) if not self._hidden[one]]
        chosen = [place for place, one in enumerate(shown) if one in set(self.selected)]
        at = shown.index(number)
        return Wish(
            [self._items[one] for one in shown], at, self, chosen if at in chosen else [at],
            go_to=lambda place: self._go_to(shown[place]),
        )  # fmt: skip

    def _go_to(self, number: int) -> None:
        if number < len(self._items):
            self.current = number
            self.chosen.emit(number)
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See the picture closely."""
        number = self._at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and number >= 0:
            self._lasso = []
            requests().opened.emit(self.wish(number))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the point under the mouse, or of the current one; beside them the one that saves it all."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        number = self.current if by_key else self._at(QPointF(event.pos()))
        if 0 <= number < len(self._items):
            requests().menu_wanted.emit(self.wish(number), self.mapToGlobal(self.point_of(number).toPoint()))
        elif len(self._places):
            menu = self.saving_menu()
            menu.exec(event.globalPos())
            menu.deleteLater()

    def saving_menu(self) -> QMenu:
        """Save what is seen, or the places as numbers."""
        card = self.saved_with or self
        return saving_menu(card, self, lambda: self.tr("Map of the pictures"), self._numbers, in_lines=False)

    def _numbers(self) -> Table:
        rows = zip(self._items, self._places.tolist(), self._groups, strict=True)
        return ("picture", "x", "y", "label", "group"), [
            (item.file or item.path.name, round(x, 5), round(y, 5), item.label, group)
            for item, (x, y), group in rows if group >= 0
        ]  # fmt: skip

    def leaveEvent(self, event: object) -> None:
        """No picture without the mouse."""
        self._hover(-1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Nearer or farther, around the place under the mouse."""
        at = event.position()
        before = self._place_at(at)
        self._zoom = min(FARTHEST, max(NEAREST, self._zoom * 1.0015 ** event.angleDelta().y()))
        self._middle += before - self._place_at(at)
        if self._zoom == NEAREST:
            self._middle = QPointF(0.5, 0.5)
        self._renew()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrow keys go to the nearest point in their direction; Escape forgets the selection."""
        key = event.key()
        if key in ARROWS and len(self._places):
            self._step(*ARROWS[Qt.Key(key)])
        elif key in CHOOSE and 0 <= self.current < len(self._items):
            requests().opened.emit(self.wish(self.current))
        elif key == GIVE_UP and (self._lasso or self.selected):
            self._lasso = []
            self.select(())
            self.lassoed.emit([])
        else:
            super().keyPressEvent(event)

    def _step(self, right: int, down: int) -> None:
        pixels = self._pixels()
        from_here = pixels - (pixels[self.current] if self.current >= 0 else pixels.mean(axis=0))
        ahead = from_here @ (right, down)
        aside = np.abs(from_here @ (down, right))
        costs = np.where((ahead > 0) & (aside <= ahead) & ~self._hidden, ahead + aside, np.inf)
        if np.isfinite(costs.min()):
            self.current = int(costs.argmin())
            self._hover(self.current)
            self.chosen.emit(self.current)
            self.update()

    # --- the picture under the mouse

    def _hover(self, number: int) -> None:
        if number == self._hovered:
            return
        self._hovered = number
        self._card.setVisible(number >= 0)
        if number >= 0:
            item = self._items[number]
            self._card.show_item(item)
            self._card.stand_beside(self.point_of(number).toPoint())
            self.decoder.ask(self._generation, number, item.path)
        self.update()

    def _take_thumbnail(self, generation: int, number: int, image: QImage) -> None:
        if (generation, number) == (self._generation, self._hovered):
            self._card.show_picture(image)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The points spread over the room there is."""
        self._renew()
