"""The sheet of keys is true: what a board, a map, a matrix or a plot hears is on it, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.pages.puzzles.boards import Choice, board_for
from sslstudio.ui.pages.results.confusion_matrix import ConfusionMatrix
from sslstudio.ui.pages.results.twins_view import TwinsView
from sslstudio.ui.pages.spec import page_specs
from sslstudio.ui.plots.live_plot import LivePlot
from sslstudio.ui.plots.scatter_map import EmbeddingMap
from sslstudio.ui.shell.help import page_key_rows
from sslstudio.ui.widgets.shortcuts import (
    PageKey,
    choice_keys,
    map_keys,
    matrix_keys,
    native,
    plot_keys,
    tile_keys,
    turn_keys,
    twin_keys,
)
from tests.ui.pages.puzzles.test_boards import HUES, ORDER, SIDES, game

Key = Qt.Key
KEYS = (
    Key.Key_Left, Key.Key_Right, Key.Key_Up, Key.Key_Down, Key.Key_Home, Key.Key_End, Key.Key_PageUp, Key.Key_PageDown,
    Key.Key_Space, Key.Key_Return, Key.Key_Enter, Key.Key_Escape, Key.Key_Backspace, Key.Key_Delete, Key.Key_N,
)  # fmt: skip


def press(widget: QWidget, key: Qt.Key) -> bool:
    """Whether the widget does something with the key, and does not leave it to others."""
    event = QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
    (widget._plot if isinstance(widget, LivePlot) else widget).keyPressEvent(event)
    return event.isAccepted()


def tiles() -> QWidget:
    """One is carried."""
    board = board_for(ORDER)
    assert press(board, Key.Key_Space)
    return board


def points() -> QWidget:
    """Some are chosen."""
    shown = EmbeddingMap()
    shown.show_points(np.random.default_rng(0).random((5, 2)), [0] * 5, [GalleryItem(Path("none.png"), "one")] * 5)
    shown.select([1, 2])
    return shown


def matrix() -> QWidget:
    """A cell is chosen."""
    shown = ConfusionMatrix()
    shown.show_matrix(["cat", "dog"], [[3, 1], [0, 2]], "")
    shown._choose(0, 0)
    return shown


def twins() -> QWidget:
    """All stretches have pictures."""
    shown = TwinsView()
    shown.show_counts([4, 3, 2, 1], masks=False)
    return shown


def plot() -> QWidget:
    """The marker stands."""
    card = LivePlot("Loss", "")
    for x in range(5):
        card.append("training", x, 1.0)
    assert press(card, Key.Key_End)
    return card


HEARERS: dict[str, tuple[Callable[[], QWidget], Callable[[], list[PageKey]]]] = {
    "tiles": (tiles, tile_keys),
    "turning": (lambda: board_for(game("turn", 1, ("0", "1", "2", "3"), 1)), turn_keys),
    "map": (points, map_keys),
    "matrix": (matrix, matrix_keys),
    "twins": (twins, twin_keys),
    "plot": (plot, plot_keys),
}


@pytest.mark.parametrize("name", list(HEARERS))
def test_the_sheet_says_what_is_heard(name: str, qtbot: QtBot) -> None:
    make, keys = HEARERS[name]
    heard = set()
    for key in KEYS:
        widget = make()  # a key may leave nothing for the next one to do
        qtbot.addWidget(widget)
        if press(widget, key):
            heard.add(native(key))
        if isinstance(widget, EmbeddingMap):
            widget.finish()
    told = [key for one in keys() for key in one.keys.split(", ")]
    assert sorted(told) == sorted(heard)


def test_all_of_it_is_on_the_sheet() -> None:
    rows = page_key_rows(page_specs())
    on_sheet = {(title, keys) for _, title, keys in rows}
    for keys in (tile_keys, turn_keys, choice_keys, map_keys, matrix_keys, twin_keys, plot_keys):
        assert {(one.title, one.keys) for one in keys()} <= on_sheet
    assert ("Plots", "Read the point before or after", "Left, Right") in rows
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(("kind", "names"), [("side", SIDES), ("colour", HUES)])
def test_arrows_and_space_choose_an_answer(kind: str, names: tuple[str, ...], qtbot: QtBot) -> None:
    board = board_for(game(kind, 1 + len(names) if kind == "colour" else 2, names, 0))
    assert isinstance(board, Choice)
    qtbot.addWidget(board)
    board.resize(420, 420)
    with qtbot.waitExposed(board):
        board.show()
    board.activateWindow()
    board.places[0].setFocus()
    qtbot.waitUntil(board.places[0].hasFocus)
    QTest.keyClick(board.places[0], Key.Key_Right)
    at = QApplication.focusWidget()
    assert at is board.places[1]
    QTest.keyClick(at, Key.Key_Space)
    assert board.answer() == (1,)
    QTest.keyClick(at, Key.Key_Left)
    assert QApplication.focusWidget() is board.places[0]
    if kind == "side":
        QTest.keyClick(board.places[0], Key.Key_Down)
        assert QApplication.focusWidget() is board.places[3]
