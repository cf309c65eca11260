"""The boards, played with the mouse and with the keyboard."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.engine.tasks.base import Game
from sslstudio.ui.pages.puzzles.board import Board
from sslstudio.ui.pages.puzzles.boards import Choice, TurnBoard, board_for
from sslstudio.ui.pages.puzzles.tile_board import TileBoard

SIDES = ("above left", "above", "above right", "left", "right", "below left", "below", "below right")
HUES = ("red to yellow", "yellow to green", "green to blue", "blue to red")


def game(kind: str, pieces: int, choices: tuple[str, ...], *right: int) -> Game:
    pictures = tuple(np.full((32, 32, 3), 20 * number, np.uint8) for number in range(pieces))
    return Game(kind, "What is right?", pictures, choices, right, None, pictures[0])


ORDER = game("order", 9, tuple(f"place {place}" for place in range(9)), 1, 0, 2, 3, 4, 5, 6, 7, 8)


def shown(qtbot: QtBot, one: Game) -> Board:
    board = board_for(one)
    qtbot.addWidget(board)
    board.resize(420, 420)
    board.show()
    board.activateWindow()
    board.setFocus()
    return board


def middle(board: TileBoard, place: int) -> QPoint:
    return board.cell(place).center().toPoint()


def test_a_tile_is_dragged_to_another_place(qtbot: QtBot) -> None:
    board = shown(qtbot, ORDER)
    assert isinstance(board, TileBoard)
    with qtbot.waitSignal(board.changed):
        QTest.mousePress(board, Qt.MouseButton.LeftButton, pos=middle(board, 0))
        QTest.mouseMove(board, middle(board, 4))
        QTest.mouseRelease(board, Qt.MouseButton.LeftButton, pos=middle(board, 1))
    assert board.answer() == ORDER.targets


def test_tiles_are_moved_with_arrows_and_space(qtbot: QtBot) -> None:
    board = shown(qtbot, ORDER)
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_Space):
        QTest.keyClick(board, key)
    assert board.answer() == ORDER.targets
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_Escape, Qt.Key.Key_Up, Qt.Key.Key_Space):
        QTest.keyClick(board, key)
    assert board.answer() == ORDER.targets  # what was taken first was put back


def test_nothing_moves_once_the_answer_is_shown(qtbot: QtBot) -> None:
    board = shown(qtbot, ORDER)
    assert isinstance(board, TileBoard)
    board.reveal(ORDER.targets)
    QTest.mousePress(board, Qt.MouseButton.LeftButton, pos=middle(board, 0))
    QTest.mouseRelease(board, Qt.MouseButton.LeftButton, pos=middle(board, 1))
    QTest.keyClick(board, Qt.Key.Key_Space)
    assert board.answer() == tuple(range(9))
    assert not board.grab().isNull()


@pytest.mark.parametrize(("kind", "pieces", "choices"), [("side", 2, SIDES), ("colour", 5, HUES)])
def test_one_of_several_is_chosen(qtbot: QtBot, kind: str, pieces: int, choices: tuple[str, ...]) -> None:
    board = shown(qtbot, game(kind, pieces, choices, 3))
    assert isinstance(board, Choice)
    assert board.answer() is None
    with qtbot.waitSignal(board.changed):
        QTest.mouseClick(board.group.button(1), Qt.MouseButton.LeftButton)
    QTest.mouseClick(board.group.button(2), Qt.MouseButton.LeftButton)
    assert board.answer() == (2,)
    assert [one.accessibleName() for one in board.group.buttons()] == list(choices)
    board.reveal((3,))
    assert [one.text() for one in board.group.buttons()[:4]] == ["", "", "✗", "✓"]


def test_a_side_is_chosen_with_the_keyboard(qtbot: QtBot) -> None:
    board = shown(qtbot, game("side", 2, SIDES, 3))
    assert isinstance(board, Choice)
    board.group.button(0).setFocus()
    QTest.keyClick(board.group.button(0), Qt.Key.Key_Space)
    assert board.answer() == (0,)


def test_a_picture_is_turned_with_buttons_and_keys(qtbot: QtBot) -> None:
    board = shown(qtbot, game("turn", 1, ("upright", "left", "down", "right"), 3))
    assert isinstance(board, TurnBoard)
    assert board.answer() == (0,)
    QTest.mouseClick(board.left, Qt.MouseButton.LeftButton)
    assert board.answer() == (3,)
    QTest.keyClick(board, Qt.Key.Key_Right)
    QTest.keyClick(board, Qt.Key.Key_Right)
    assert board.answer() == (1,)
    board.reveal((3,))
    QTest.keyClick(board, Qt.Key.Key_Right)
    assert board.answer() == (1,)
