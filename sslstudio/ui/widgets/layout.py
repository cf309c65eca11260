"""Small building blocks that every page is made of: texts with a role, buttons, cards, rows and columns."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.text.formatting import tr

GAP = 16
MARGIN = 28
WORDS, LEAST_WORDS = 420, 240  # pixels of a line of what is said on an empty page
NARROW, SMALL_PANEL = 860, 314  # pixels of a page below which its panel is as wide as the second


def text(content: str = "", role: str = "body", *, wrap: bool = True) -> QLabel:
    """A label in one of the style sheet's roles: title, heading, subtitle, muted, small, figure ..."""
    label = QLabel(content)
    label.setProperty("role", role)
    label.setWordWrap(wrap)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if wrap:
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return label


def symbol(name: str, role: str = "muted", side: int = 20) -> QLabel:
    """An icon that is only looked at."""
    label = QLabel()
    label.setFixedSize(side, side)
    tint(label, name, role, side)
    return label


def button(content: str, clicked: Callable[[], object], role: str = "plain", icon: str = "") -> QPushButton:
    """A button; `role` is primary, plain or link."""
    made = QPushButton()
    retitle(made, content, icon != "")
    set_role(made, role)
    if icon:
        tint(made, icon, {"primary": "accent_text", "link": "accent"}.get(role, "text"))
    made.clicked.connect(lambda: clicked())
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    return made


def tool(icon: str, title: str, keys: str, clicked: Callable[[], object]) -> QPushButton:
    """A button of an icon alone; what it does and its key are said when one points at it."""
    made = button("", clicked, "tool")
    tint(made, icon)
    made.setToolTip(f"{title} ({keys})")
    made.setAccessibleName(title)
    return made


def retitle(made: QPushButton, content: str, with_icon: bool = True) -> None:
    """What a button says; Qt puts no space between icon and text."""
    made.setText(f" {content}" if with_icon else content)


Piece = QWidget | QLayout | int | tuple[QWidget | QLayout, int] | None


def _fill(layout: QBoxLayout, pieces: Sequence[Piece]) -> None:
    for piece in pieces:
        if piece is None:
            layout.addStretch(1)
        elif isinstance(piece, int):
            layout.addSpacing(piece)
        else:
            one, stretch = piece if isinstance(piece, tuple) else (piece, 0)
            (layout.addWidget(one, stretch) if isinstance(one, QWidget) else layout.addLayout(one, stretch))


def row(*pieces: Piece, gap: int = 10) -> QHBoxLayout:
    """Pieces from left to right; None is a stretch, a number a space, (piece, n) a piece that stretches."""
    layout = QHBoxLayout()
    layout.setSpacing(gap)
    layout.setContentsMargins(0, 0, 0, 0)
    _fill(layout, pieces)
    return layout


def column(*pieces: Piece, gap: int = 8) -> QVBoxLayout:
    """Pieces from top to bottom; None is a stretch, a number a space."""
    layout = QVBoxLayout()
    layout.setSpacing(gap)
    layout.setContentsMargins(0, 0, 0, 0)
    _fill(layout, pieces)
    return layout


def wrap_layout(layout: QLayout) -> QWidget:
    """Wrap a layout into a widget, so that it can be hidden or put into a tab."""
    widget = QWidget()
    widget.setLayout(layout)
    return widget


def keep_hidden(holder: QWidget, *spare: QWidget) -> None:
    """Have what is made but not shown belong to its holder, and go with it: a widget of nobody is a window."""
    for widget in spare:
        widget.hide()
        widget.setParent(holder)


class Card(QFrame):
    """A white sheet with an optional heading; what it holds goes into `body`."""

    def __init__(self, heading: str = "", *, margin: int = 18, gap: int = 10) -> None:
        super().__init__()
        self.setObjectName("card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(margin, margin - 2, margin, margin)
        self.body.setSpacing(gap)
        self.heading = text(heading, "heading", wrap=False)
        if heading:
            self.body.addWidget(self.heading)
        else:
            keep_hidden(self, self.heading)

    def add(self, *pieces: Piece) -> "Card":
        """Put pieces below each other."""
        _fill(self.body, pieces)
        return self


class Notice(QFrame):
    """A sentence that is not to be overlooked, with a sign beside it. Hidden while there is nothing to say."""

    def __init__(self, sign: str = "warning") -> None:
        super().__init__()
        self.setObjectName("notice")
        self.setProperty("sign", sign)
        self.label = text("")
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 11, 14, 11)
        layout.setSpacing(12)
        layout.addWidget(symbol(sign, "accent" if sign == "info" else "warn", 22), alignment=Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.label, 1)
        self.hide()

    def add(self, piece: QWidget) -> None:
        """Something beside the sentence, such as a button that answers it."""
        layout = self.layout()
        assert layout is not None
        layout.addWidget(piece)

    def say(self, content: str) -> None:
        """Show a sentence; '' hides the notice."""
        self.label.setText(content)
        self.setVisible(bool(content))


class Figure(QFrame):
    """A number that is read at a glance, and under it what it counts."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.value = text("–", "figure", wrap=False)
        self.caption = text(caption, "small", wrap=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 10, 16, 11)
        layout.setSpacing(1)
        layout.addWidget(self.value)
        layout.addWidget(self.caption)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def say(self, value: str, caption: str = "") -> None:
        """Show a value, and another caption if one is given."""
        self.value.setText(value)
        if caption:
            self.caption.setText(caption)
        self.setAccessibleName(f"{self.caption.text()}: {value}")


def make_scrollable(widget: QWidget) -> QScrollArea:
    """Let a widget scroll up and down when there is no room for it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click into a panel is for what lies there: no frame around it
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    area.setAccessibleName(tr("Scrolls up and down"))
    for plane in (area.viewport(), widget):  # setWidget has switched the widget's own ground on
        plane.setAutoFillBackground(False)
    return area


class SidePanel(Card):
    """A card beside the page's main matter: as wide as its settings like it, narrower where the window is small."""

    def __init__(self, width: int) -> None:
        super().__init__(margin=2)
        self._width = width
        self.setFixedWidth(width)

    def event(self, event: QEvent) -> bool:
        """Follow the width of what holds it."""
        if event.type() in (QEvent.Type.ParentChange, QEvent.Type.Polish) and (holder := self.parentWidget()):
            holder.installEventFilter(self)
            self._fit(holder)
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Asked by Qt."""
        if event.type() is QEvent.Type.Resize and isinstance(watched, QWidget) and watched is self.parentWidget():
            self._fit(watched)
        return super().eventFilter(watched, event)

    def _fit(self, holder: QWidget) -> None:
        wanted = self._width if holder.width() >= NARROW else min(self._width, SMALL_PANEL)
        if wanted != self.minimumWidth():
            self.setFixedWidth(wanted)


def side_panel(content: QLayout, width: int = 340) -> Card:
    """A card of fixed width beside the page's main matter; what is in it scrolls."""
    content.setContentsMargins(16, 14, 12, 16)
    panel = SidePanel(width)
    panel.body.setContentsMargins(1, 3, 3, 3)
    panel.add((make_scrollable(wrap_layout(content)), 1))
    return panel


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and delete it."""
    while layout.count():
        item = layout.takeAt(0)
        if item is None:
            break
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear(inner)


class EmptyState(QWidget):
    """What a page shows while it has nothing to show: a large sign, what is missing, and the way on."""

    def __init__(self, sign: str, heading: str, explanation: str, *buttons: QWidget) -> None:
        super().__init__()
        head, body = text(heading, "heading"), text(explanation, "muted")
        for label in (head, body):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setMinimumWidth(WORDS)
        self.heading, self.explanation = head, body
        inner = column(row(None, symbol(sign, "disabled", 56), None), 8, head, body, 10, gap=6)
        inner.addLayout(row(None, *buttons, None))
        self.setLayout(column(None, row(None, inner, None), None))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines of a good length, or as long as there is room for."""
        for label in (self.heading, self.explanation):
            label.setMinimumWidth(max(LEAST_WORDS, min(WORDS, event.size().width())))
        super().resizeEvent(event)

    def minimumSizeHint(self) -> QSize:
        """It can be narrower than its words like to be."""
        return QSize(LEAST_WORDS, super().minimumSizeHint().height())
