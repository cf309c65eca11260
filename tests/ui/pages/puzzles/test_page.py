"""The page of puzzles on real pictures: findings are answered with a click, tasks explained, every kind played."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.tasks.base import Puzzle
from sslstudio.engine.training.config import BudgetConfig, HardwareConfig, OptimiserConfig, PretrainConfig
from sslstudio.ui.forms.reset_row import ResetRow
from sslstudio.ui.pages.puzzles.boards import Choice, TurnBoard
from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets.picture import Picture
from tests.ui.pages.puzzles.test_play import opened

LONG = 60_000


@pytest.fixture
def page(window: MainWindow, sample: Path, qtbot: QtBot) -> PretextPage:
    """With puzzles of the first task, and what the clinic found."""
    made = opened(window, sample, qtbot)
    made.choose_task("jigsaw")
    settle(made, qtbot)
    return made


def settle(page: PretextPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.copy.isEnabled() and page.clinic.found is not None and page._job is None, timeout=LONG)


def test_a_finding_is_answered_with_a_click(window: MainWindow, page: PretextPage, qtbot: QtBot) -> None:
    answers = {one.answer.text(): one.answer for one in page.clinic_view.shown if hasattr(one, "answer")}
    QTest.mouseClick(answers["Set “Encoder” to small"], Qt.MouseButton.LeftButton)  # sixty pictures are few
    settle(page, qtbot)
    window.go("pretrain")
    run = window.pages["pretrain"]
    assert isinstance(run, PretrainPage)
    assert run.config().encoder.name == "small"


@pytest.mark.parametrize("made_before", [False, True])
def test_every_kind_of_answer_reaches_the_training(
    made_before: bool, window: MainWindow, page: PretextPage, qtbot: QtBot
) -> None:
    if made_before:
        window.go("pretrain")
    for change in ("jigsaw.min_crop_side=0.5", "rotation.round=true", "data.groups=folder:1", "encoder.name=resnet18"):
        page.apply_change(change)
    settle(page, qtbot)
    assert page.form.editor("min_crop_side").value() == 0.5
    assert page.workspace.options["rotation"].round is True  # type: ignore[attr-defined]
    assert page.workspace.task == "jigsaw"
    window.go("pretrain")
    run = window.pages["pretrain"]
    assert isinstance(run, PretrainPage)
    config = run.config()
    assert (config.options.min_crop_side, config.data.groups, config.encoder.name) == (0.5, "folder:1", "resnet18")
    assert "encoder.name=resnet18" in window.told.text()


def test_an_answer_by_the_name_of_an_earlier_version_is_taken_over(
    window: MainWindow, page: PretextPage, qtbot: QtBot
) -> None:
    page.apply_change("jigsaw.field=0.4")
    settle(page, qtbot)
    assert page.workspace.options["jigsaw"].min_crop_side == 0.4  # type: ignore[attr-defined]
    assert "jigsaw.min_crop_side=0.4" in window.told.text()


def test_a_task_is_explained_with_the_user_s_own_pictures(page: PretextPage, qtbot: QtBot) -> None:
    page.tabs.setCurrentWidget(page.explained)
    facts = page.workspace.task_facts
    assert facts is not None
    shown = [one for one in page.explained.findChildren(Picture) if one.isVisible()]
    assert shown[0].accessibleName() == "Your picture"
    said = " ".join(one.text() for one in page.explained.findChildren(QLabel) if one.isVisible())
    assert all(one in said for one in (facts.summary, facts.label_from, facts.helps, facts.fails, facts.paper))


def test_an_explanation_is_seen_without_scrolling_in_the_smallest_window(page: PretextPage, qtbot: QtBot) -> None:
    page.window().resize(1280, 720)
    page.tabs.setCurrentWidget(page.explained)
    engine = page.workspace.engine
    assert engine is not None
    picture = np.full((96, 96, 3), 120, np.uint8)
    puzzle = Puzzle(picture, picture, picture, None, "the outlined view and the first one are the same picture")
    bar = page.explained.sheet.verticalScrollBar()
    for name, facts in engine.tasks.items():
        page.explained.explain(facts, puzzle)
        qtbot.wait(60)  # until it is laid out
        assert page.explained.sheet.isVisible()
        assert bar.maximum() == 0, name


@pytest.mark.parametrize("task", ["context_prediction", "colorization", "rotation"])
def test_each_kind_is_played_against_a_network(task: str, page: PretextPage, qtbot: QtBot) -> None:
    workspace = page.workspace
    run = workspace.new_run(task)
    config = PretrainConfig(
        out=str(run), task=task, options=workspace.options[task], data=workspace.data_config(),
        optimiser=OptimiserConfig(batch_size=14), budget=BudgetConfig(epochs=1), hardware=HardwareConfig(device="cpu"),
    )  # fmt: skip
    for _ in pretrain(config, RunControl()):
        pass
    page.choose_task(task)
    page.tabs.setCurrentWidget(page.play)
    view = page.play.view
    qtbot.waitUntil(lambda: view.board is not None and view.isVisible(), timeout=LONG)
    assert view.opponent.currentData() == str(run)
    board, right = view.board, view.game.targets
    if isinstance(board, TurnBoard):
        for _ in range(right[0]):
            QTest.mouseClick(board.right, Qt.MouseButton.LeftButton)
    else:
        assert isinstance(board, Choice)
        QTest.mouseClick(board.group.button(right[0]), Qt.MouseButton.LeftButton)
    QTest.mouseClick(view.check, Qt.MouseButton.LeftButton)
    assert view.you.value.text() == "1 of 1"
    assert view.network.value.text().endswith("of 1")
    assert "Right." in view.verdict.text()


def test_what_was_reset_comes_back(window: MainWindow, page: PretextPage, qtbot: QtBot) -> None:
    page.form.editor("gap").set_value(0.3)
    page.form.editor("jitter").set_value(0.1)
    (resetting,) = page.form.findChildren(ResetRow)
    resetting.reset.click()
    assert page.form.editor("gap").value() != 0.3
    resetting.undo.click()
    page._take_options()
    assert (page.workspace.options["jigsaw"].gap, page.workspace.options["jigsaw"].jitter) == (0.3, 0.1)  # type: ignore[attr-defined]

    window.go("pretrain")
    run = window.pages["pretrain"]
    assert isinstance(run, PretrainPage)
    assert run.settings is not None
    run.settings.forms["optimiser"].editor("learning_rate").set_value(0.0123)
    run.settings.set_data({"groups": "folder:1"})
    before = run.config().replace(out="")
    (resetting,) = run.settings.findChildren(ResetRow)
    resetting.reset.click()
    assert run.config().data.groups == ""
    resetting.undo.click()
    assert run.config().replace(out="") == before
    settle(page, qtbot)
