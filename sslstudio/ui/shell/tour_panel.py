"""A callout beside the list of steps: what one step is for, with the way on, back and out."""

from PySide6.QtCore import QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from sslstudio.ui.base.theme import colours, theme
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.layout import button, column, retitle, row, text

WIDTH, ARROW = 400, 12
EDGE = 8  # pixels left free at the edges of what is seen


class TourPanel(QWidget):
    """Lies over the page and points to the left. It takes no drop, so that the window gets what is dropped on it."""

    wanted = Signal(str)  # next, back, skip or sample

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._stage = parent
        self.count = text("", "small", wrap=False)
        self.heading, self.told = text("", "heading", wrap=False), text("")
        self.sample = button(self.tr("Try it on sample pictures"), lambda: self.wanted.emit("sample"), icon="shapes")
        self.skip = button(self.tr("Skip the tour"), lambda: self.wanted.emit("skip"), "link")
        self.back = button(self.tr("Back"), lambda: self.wanted.emit("back"))
        self.next = button(self.tr("Next"), lambda: self.wanted.emit("next"), "primary")
        layout = column(
            row(self.heading, None, self.count), self.told, row(self.sample, None),
            row(self.skip, None, self.back, self.next), gap=12,
        )  # fmt: skip
        layout.setContentsMargins(ARROW + 20, 16, 18, 16)
        self.setLayout(layout)
        for first, second in ((self.next, self.back), (self.back, self.skip), (self.skip, self.sample)):
            QWidget.setTabOrder(first, second)
        self._tip = 0  # height of the arrow's tip
        theme().changed.connect(self.update)

    def show_step(self, number: int, total: int, title: str, told: str, *, sample: bool) -> None:
        """One step of the tour, counted from 0; `sample`: whether the sample pictures are offered."""
        where = self.tr("{0} of {1}").format(number + 1, total)
        self.heading.setText(title)
        self.count.setText(where)
        self.told.setText(told)
        offer(self.back, unless="" if number > 0 else self.tr("This is the first step."))
        last = number + 1 == total
        self.skip.setVisible(not last)
        retitle(self.next, self.tr("Done") if last else self.tr("Next"), with_icon=False)
        self.setAccessibleName(self.tr("Tour, {0}: {1}").format(where, title))
        self.setAccessibleDescription(told)
        self.next.setAccessibleDescription(f"{title}. {told}")
        self.offer_sample(sample)
        self.show()
        self.raise_()
        self.next.setFocus()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, f"{title}. {told}"))

    def offer_sample(self, offered: bool) -> None:
        """Show or hide the button with the sample pictures."""
        self.sample.setVisible(offered)

    def point_at(self, spot: QPoint) -> None:
        """Lie right of a spot of the parent, where it is seen, with the arrow at the spot's height."""
        room = self._seen().adjusted(EDGE, EDGE, -EDGE, -EDGE)
        fits = [width for width in (WIDTH, room.width()) if self.heightForWidth(width) <= room.height()]
        width = min([*fits, room.width()])  # as wide as there is room for only where it would be too high else
        self.setFixedSize(width, min(self.heightForWidth(width), room.height()))
        left = max(room.left(), min(spot.x(), room.right() + 1 - width))
        top = max(room.top(), min(spot.y() - 60, room.bottom() + 1 - self.height()))
        self.move(left, top)
        self._tip = max(24, min(spot.y() - top, self.height() - 24))
        self.update()

    def _seen(self) -> QRect:
        """What of the parent is on its screen; all of it where that is too little: then it was pushed aside."""
        screen = self._stage.screen().availableGeometry()
        seen = self._stage.rect() & screen.translated(-self._stage.mapToGlobal(QPoint(0, 0)))
        return seen if seen.width() >= WIDTH and seen.height() >= self.heightForWidth(WIDTH) else self._stage.rect()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A sheet with an arrow."""
        scheme, tip = colours(), float(self._tip)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(scheme.raised))
        painter.setPen(QPen(QColor(scheme.accent), 2))
        painter.drawRoundedRect(self.rect().adjusted(ARROW, 1, -1, -1), 10, 10)
        painter.setPen(Qt.PenStyle.NoPen)
        edge = ARROW + 1.5
        painter.setBrush(QColor(scheme.accent))
        painter.drawPolygon(QPolygonF([QPointF(edge, tip - 11), QPointF(0, tip), QPointF(edge, tip + 11)]))
