"""Puzzles played on the Puzzles page, alone and against a network that was really trained."""

import threading
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.training.config import BudgetConfig, HardwareConfig, OptimiserConfig, PretrainConfig
from sslstudio.ui.operations import pictures as picture_operations
from sslstudio.ui.pages.puzzles import play
from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.pages.puzzles.tile_board import TileBoard
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing

LONG = 60_000


def opened(window: MainWindow, sample: Path, qtbot: QtBot) -> PretextPage:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    window.go("pretext")
    page = window.pages["pretext"]
    assert isinstance(page, PretextPage)
    return page


def trained(window: MainWindow) -> Path:
    """A jigsaw run of one epoch where the window keeps its runs."""
    run = window.workspace.new_run("jigsaw")
    config = PretrainConfig(
        out=str(run), task="jigsaw", data=window.workspace.data_config(), optimiser=OptimiserConfig(batch_size=14),
        budget=BudgetConfig(epochs=1), hardware=HardwareConfig(device="cpu"),
    )  # fmt: skip
    for _ in pretrain(config, RunControl()):
        pass
    return run


def test_a_score_beside_the_networks_on_the_same_puzzles(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    page = opened(window, sample, qtbot)
    run = trained(window)
    page.choose_task("jigsaw")
    page.tabs.setCurrentWidget(page.play)
    view = page.play.view
    qtbot.waitUntil(lambda: view.board is not None and view.isVisible(), timeout=LONG)
    assert view.opponent.currentData() == str(run)
    assert view.guessing.value.text() == "11.1 %"
    assert view.you.value.text() == view.network.value.text() == "–"
    for number in range(1, 3):
        board, game = view.board, view.game
        assert isinstance(board, TileBoard)
        for tile, place in enumerate(game.targets):  # laid as it should be, as a person would
            board.swap(board.answer()[tile], place)
        QTest.mouseClick(view.check, Qt.MouseButton.LeftButton)
        assert view.you.value.text() == f"{number} of {number}"
        assert view.network.value.text().endswith(f"of {number}")
        assert "Right." in view.verdict.text()
        assert view.theirs.text().startswith("The network: ")
        QTest.mouseClick(view.go_on, Qt.MouseButton.LeftButton)
        assert view.board is not board


def test_what_nobody_can_play_says_so(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    page = opened(window, sample, qtbot)
    page.tabs.setCurrentWidget(page.play)
    page.choose_task("inpainting")
    qtbot.waitUntil(lambda: "pixel by pixel" in page.play.told.explanation.text(), timeout=LONG)
    page.choose_task("rotation")
    qtbot.waitUntil(lambda: page.play.view.isVisible(), timeout=LONG)
    view = page.play.view
    assert view.opponent.currentData() == ""  # no network has learnt this yet
    QTest.mouseClick(view.check, Qt.MouseButton.LeftButton)
    assert view.you.value.text() in ("0 of 1", "1 of 1")
    assert view.network.value.text() == "–"
    page.choose_task("jigsaw")
    qtbot.waitUntil(lambda: isinstance(view.board, TileBoard), timeout=LONG)
    assert view.you.value.text() == "–"  # another puzzle is counted anew


def test_puzzles_go_on_after_the_last_one(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    page = opened(window, sample, qtbot)
    page.tabs.setCurrentWidget(page.play)
    page.choose_task("rotation")
    view = page.play.view
    qtbot.waitUntil(lambda: view.isVisible(), timeout=LONG)
    first = view.game
    for _ in range(8):
        view.check_answer()
        view.next_game()
    qtbot.waitUntil(lambda: view.game is not first and view.number.text().startswith("1 "), timeout=LONG)
    assert view.you.value.text().endswith("of 8")


@pytest.mark.parametrize(("place", "name", "tab"), [(picture_operations, "make_puzzles", 0), (play, "play_round", 2)])
def test_making_puzzles_is_stopped_and_begun_again(
    place: ModuleType,
    name: str,
    tab: int,
    window: MainWindow,
    sample: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    real, go = getattr(place, name), threading.Event()

    def held(*given: Any) -> Generator[Preparing, None, Any]:
        yield Preparing(stage=Message("Reading pictures"), done=10, total=60)
        assert go.wait(20)
        return (yield from real(*given))

    monkeypatch.setattr(place, name, held)
    page = opened(window, sample, qtbot)
    page.choose_task("rotation")
    page.tabs.setCurrentIndex(tab)
    busy = (page.play.told if tab else page.waiting).busy
    qtbot.waitUntil(lambda: busy.isVisible() and "10 of 60" in busy.told.text(), timeout=LONG)
    QTest.mouseClick(busy.stop, Qt.MouseButton.LeftButton)
    assert busy.told.text() == "Stopped."
    go.set()
    QTest.mouseClick(busy.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil((page.play.view if tab else page.grid).isVisible, timeout=LONG)
