import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from sslstudio.engine.tasks.base import Puzzle
from sslstudio.ui.pages.puzzles.puzzle_view import PuzzleCard, PuzzleGrid


def puzzle(number: int) -> Puzzle:
    picture = np.full((64, 64, 3), number, np.uint8)
    return Puzzle(picture, picture, picture, None, f"answer {number}")


@pytest.mark.parametrize(("width", "columns"), [(340, 1), (700, 2), (3400, 3)])
def test_cards_fill_the_width_in_equal_columns(width: int, columns: int, qtbot: QtBot) -> None:
    grid = PuzzleGrid()
    qtbot.addWidget(grid)
    grid.resize(width, 600)
    grid.show_puzzles([puzzle(number) for number in range(12)])
    grid.show()
    qtbot.waitUntil(lambda: grid.findChildren(PuzzleCard)[0].width() > 100)
    cards = grid.findChildren(PuzzleCard)
    assert len({card.x() for card in cards}) == columns
    widths = {card.width() for card in cards}
    assert max(widths) - min(widths) <= 2
    assert max(card.geometry().right() for card in cards) >= width - 30
