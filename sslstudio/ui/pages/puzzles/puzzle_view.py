"""Puzzles as a person can look at them: the picture, what the network is asked, and the answer it must give."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QWidget

from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import Card, clear, column, row, symbol, text
from sslstudio.ui.widgets.picture import Picture, to_image

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.tasks.base import Puzzle

CARD_WIDTH = 316
COLUMNS = 3
SIDES = (84, 200)  # of a picture, least and most


class PuzzleCard(Card):
    """One puzzle: three pictures side by side and the pseudo label in words."""

    def __init__(self, puzzle: "Puzzle") -> None:
        super().__init__(margin=14, gap=10)
        pictures = [
            (self.tr("Your picture"), puzzle.source),
            (self.tr("Question"), puzzle.input),
            (self.tr("Right answer"), puzzle.target),
        ]
        line = row(gap=12)
        self._pictures: list[Picture] = []
        for caption, picture in pictures:
            shown = Picture(SIDES[0])
            self._pictures.append(shown)
            shown.show_image(to_image(picture), caption)
            line.addLayout(column(text(caption, "small", wrap=False), shown, gap=5), 1)
        self.add(line, row(symbol("tag", "accent", 18), (text(formatting.render(puzzle.label)), 1), gap=8))

    def fit(self, width: int) -> None:
        """Make the pictures as high as they are wide in a card of this width."""
        side = min(SIDES[1], max(SIDES[0], (width - 2 * 14 - 2 * 12) // 3))
        for picture in self._pictures:
            picture.setFixedHeight(side)


class PuzzleGrid(QWidget):
    """Puzzle cards in as many columns as fit."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 8, 8)
        self._grid.setSpacing(12)
        self._cards: list[PuzzleCard] = []
        self._columns = 0

    def show_puzzles(self, puzzles: list["Puzzle"]) -> None:
        """Show other puzzles."""
        clear(self._grid)
        self._cards = [PuzzleCard(puzzle) for puzzle in puzzles]
        self._columns = 0
        self._arrange()

    def count(self) -> int:
        """How many are shown."""
        return len(self._cards)

    def _arrange(self) -> None:
        widest = max((card.minimumSizeHint().width() + self._grid.spacing() for card in self._cards), default=0)
        columns = max(1, min(COLUMNS, self.width() // max(CARD_WIDTH, widest)))
        for card in self._cards:
            card.fit((self.width() - 8) // columns - 12)
        if columns == self._columns:
            return
        self._columns = columns
        for number in range(self._grid.rowCount()):
            self._grid.setRowStretch(number, 0)
        for number in range(max(columns, self._grid.columnCount())):
            self._grid.setColumnStretch(number, 1 if number < columns else 0)
        for number, card in enumerate(self._cards):
            self._grid.addWidget(card, number // columns, number % columns)
        self._grid.setRowStretch(len(self._cards) // columns + 1, 1)

    def resizeEvent(self, event: object) -> None:
        """Another number of columns may fit."""
        self._arrange()
