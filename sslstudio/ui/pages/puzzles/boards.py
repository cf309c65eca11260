"""The boards, one for each kind of game: choose a side, choose a colour, turn a picture, lay tiles."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QImage, QKeyEvent, QPixmap, QTransform
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QToolButton

from sslstudio.ui.pages.puzzles.board import Board
from sslstudio.ui.pages.puzzles.tile_board import TileBoard
from sslstudio.ui.widgets.buttons import disable
from sslstudio.ui.widgets.layout import button, column, row, text, wrap_layout
from sslstudio.ui.widgets.picture import Picture, to_image
from sslstudio.ui.widgets.shortcuts import SIDEWAYS

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.tasks.base import Game

PLACE = 78  # side of a button, in pixels of the screen
AROUND = (0, 1, 2, 3, 5, 6, 7, 8)  # the eight places around the middle of a 3 x 3 grid, row by row


class Choice(Board):
    """Buttons of which one can be chosen; the base of boards with one answer."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.group = QButtonGroup(self)
        self.places: list[QToolButton] = []
        for number, name in enumerate(names):
            one = QToolButton()
            one.setCheckable(True)
            one.setFixedSize(PLACE, PLACE)
            one.setProperty("role", "place")
            one.setAccessibleName(name)
            one.setToolTip(name)
            one.setCursor(Qt.CursorShape.PointingHandCursor)
            self.places.append(one)
            self.group.addButton(one, number)
        self.group.idToggled.connect(self._take_toggle)

    def answer(self) -> tuple[int, ...] | None:
        """The chosen one."""
        chosen = self.group.checkedId()
        return None if chosen < 0 else (chosen,)

    def reveal(self, right: tuple[int, ...]) -> None:
        """A tick on the right one, a cross on a wrong one that was chosen."""
        for number, one in enumerate(self.places):
            one.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)  # disabled ones lose their colour
            one.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            state = "right" if number == right[0] else "wrong" if one.isChecked() else ""
            one.setProperty("state", state)
            one.style().unpolish(one)
            one.style().polish(one)
            if state:
                one.setText("✓" if state == "right" else "✗")

    def _take_toggle(self, number: int, chosen: bool) -> None:
        self.show_choice(number, chosen)
        if chosen:
            self.changed.emit()

    def show_choice(self, number: int, chosen: bool) -> None:
        """What a board shows on a button that is chosen or no longer is."""


class SideBoard(Choice):
    """A patch in the middle; on which of the eight places around it does the other one lie?"""

    def __init__(self, game: "Game") -> None:
        super().__init__(game.choices)
        middle, self._other = to_image(game.pieces[0]), QIcon(QPixmap.fromImage(to_image(game.pieces[1])))
        grid = QGridLayout()
        grid.setSpacing(8)
        for number, place in enumerate(AROUND):
            one = self.places[number]
            one.setIconSize(QSize(PLACE - 8, PLACE - 8))
            grid.addWidget(one, *divmod(place, 3))
        grid.addWidget(_still(middle, self.tr("The patch in the middle")), 1, 1)
        beside = column(
            text(self.tr("The other one"), "small", wrap=False),
            row(_still(to_image(game.pieces[1]), self.tr("The other patch")), None), None, gap=6,
        )  # fmt: skip
        self.setLayout(row(None, wrap_layout(grid), 14, beside, None))

    def show_choice(self, number: int, chosen: bool) -> None:
        """The patch is seen at the place that was chosen."""
        self.places[number].setIcon(self._other if chosen else QIcon())

    def reveal(self, right: tuple[int, ...]) -> None:
        """The patch is seen at its place."""
        super().reveal(right)
        self.places[right[0]].setIcon(self._other)
        for one in self.places:
            if one.text():
                one.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
                one.setIconSize(QSize(PLACE - 34, PLACE - 34))


class ColourBoard(Choice):
    """A grey picture with a marked spot, and four colours."""

    def __init__(self, game: "Game") -> None:
        super().__init__(game.choices)
        picture = Picture(140)
        picture.show_image(to_image(game.pieces[0]), self.tr("A grey picture with a marked spot"))
        line = row(None, gap=10)
        for number, swatch in enumerate(game.pieces[1:]):
            one = self.places[number]
            one.setIcon(QIcon(QPixmap.fromImage(to_image(swatch))))
            one.setIconSize(QSize(PLACE - 34, PLACE - 34))
            one.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            line.addWidget(one)
        line.addStretch(1)
        self.setLayout(column((picture, 1), line, gap=12))


class TurnBoard(Board):
    """A picture to be turned until it is upright, with two buttons or the arrow keys."""

    def __init__(self, game: "Game") -> None:
        super().__init__()
        self._image = to_image(game.pieces[0])
        self._turned = 0
        self._done = False
        self.picture = Picture(140)
        self.left = button(self.tr("Turn left"), lambda: self.turn(-1), icon="turn-left")
        self.right = button(self.tr("Turn right"), lambda: self.turn(1), icon="turn-right")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setLayout(column((self.picture, 1), row(None, self.left, self.right, None), gap=12))
        self._show()

    def turn(self, quarters: int) -> None:
        """Quarters to the right."""
        if not self._done:
            self._turned = (self._turned + quarters) % 4
            self._show()
            self.changed.emit()

    def answer(self) -> tuple[int, ...]:
        """By how many quarters to the left it was turned, if it is upright now."""
        return (self._turned,)

    def reveal(self, right: tuple[int, ...]) -> None:
        """It stays as it was turned."""
        self._done = True
        for one in (self.left, self.right):
            disable(one, self.tr("It is answered already."))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right."""
        if event.key() in SIDEWAYS:
            self.turn(SIDEWAYS[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def _show(self) -> None:
        turned = self._image.transformed(QTransform().rotate(90.0 * self._turned))
        self.picture.show_image(turned, self.tr("The picture, turned right by {0} quarters").format(self._turned))


def _still(image: QImage, said: str) -> Picture:
    picture = Picture(PLACE)
    picture.setFixedSize(PLACE, PLACE)
    picture.show_image(image, said)
    return picture


def board_for(game: "Game") -> Board:
    """The board that a game is played on."""
    if game.kind == "order":
        return TileBoard([to_image(piece) for piece in game.pieces])
    if game.kind == "turn":
        return TurnBoard(game)
    return SideBoard(game) if game.kind == "side" else ColourBoard(game)
