"""A change of the split is taken back like any other, and what it would spoil is said first: real run, real window."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from sslstudio.engine.projects.project import open_project
from sslstudio.engine.training.session import draw_split
from sslstudio.ui.forms.split_line import SplitLine
from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.pages.split import split_of
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.shell.test_drop_target import trained

LONG = 60_000
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def page(window: MainWindow, sample: Path, qtbot: QtBot) -> PretrainPage:
    """The page that pretrains, with pictures and no run."""
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    window.go("pretrain")
    made = window.pages["pretrain"]
    assert isinstance(made, PretrainPage)
    assert made.settings is not None
    return made


def line_of(page: PretrainPage | FinetunePage) -> SplitLine:
    (line,) = page.findChildren(SplitLine)
    return line


def shown(page: PretrainPage | FinetunePage) -> dict[str, object]:
    assert page.settings is not None
    return page.settings.data_values()


def choose(page: PretrainPage | FinetunePage, name: str, value: float | str) -> None:
    assert page.settings is not None
    page.settings.forms["data"].editor(name).set_value(value)


def click(one: QPushButton) -> None:
    assert one.isVisible()
    QTest.mouseClick(one, Qt.MouseButton.LeftButton)


def test_a_change_is_taken_back_and_made_again(page: PretrainPage, qtbot: QtBot) -> None:
    workspace, line = page.workspace, line_of(page)
    before = shown(page)
    assert not line.isVisible()
    for share in (0.3, 0.31, 0.35):  # as when an arrow is held
        choose(page, "test", share)
    choose(page, "groups", "folder:1")
    assert (page.config().data.test, page.config().data.groups) == (0.35, "folder:1")
    assert line.undo.text() == "Undo: Keep together"
    click(line.undo)
    assert shown(page) == {**before, "test": 0.35}
    assert line.undo.text() == "Undo: Test share"
    click(line.undo)
    assert shown(page) == before
    assert page.config().data.test == 0.2
    assert not line.undo.isVisible()
    page.start.setFocus()
    QTest.keyClick(page.start, Qt.Key.Key_Z, CTRL | SHIFT)
    click(line.redo)
    assert shown(page) == {**before, "test": 0.35, "groups": "folder:1"}
    page.start.setFocus()
    QTest.keyClick(page.start, Qt.Key.Key_Z, CTRL)
    assert shown(page) == {**before, "test": 0.35}
    assert workspace.project is not None
    folder = workspace.project.folder
    qtbot.waitUntil(lambda: open_project(folder).project.data.get("groups") == "", timeout=LONG)
    assert open_project(folder).project.data["test"] == 0.35


def test_what_a_change_would_spoil_is_said_before_a_training(page: PretrainPage, sample: Path, qtbot: QtBot) -> None:
    workspace, line = page.workspace, line_of(page)
    assert workspace.recognised is not None
    run = trained(sample, workspace.runs_folder / "first")
    choose(page, "split_seed", 7)
    qtbot.waitUntil(line.notice.isVisible, timeout=LONG)
    tested = set(json.loads((run / "split.json").read_text())["test"])
    torn = tested & set(draw_split(workspace.recognised, page.config().data).train)
    assert f"({len(torn)} pictures; 1 run)" in line.notice.label.text()
    click(line.undo)
    assert not line.notice.isVisible()
    with qtbot.waitSignal(split_of(workspace).warned, timeout=LONG):
        choose(page, "validation", 0.15)
    torn = tested & set(draw_split(workspace.recognised, page.config().data).train)
    assert line.notice.isVisible() == bool(torn)


def test_a_warning_ends_where_a_training_begins(page: PretrainPage, sample: Path, qtbot: QtBot) -> None:
    trained(sample, page.workspace.runs_folder / "first")
    choose(page, "split_seed", 7)
    line = line_of(page)
    qtbot.waitUntil(line.notice.isVisible, timeout=LONG)
    assert page.settings is not None
    page.settings.budget.set_epochs(1)
    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        click(page.start)
        assert not line.notice.isVisible()
        assert line.undo.isVisible()


def test_one_split_for_both_pages_that_train(window: MainWindow, page: PretrainPage, qtbot: QtBot) -> None:
    choose(page, "groups", "name:(\\d)")
    window.go("finetune")
    other = window.pages["finetune"]
    assert isinstance(other, FinetunePage)
    assert shown(other) == shown(page)
    qtbot.waitUntil(lambda: not other._listing, timeout=LONG)
    assert other.config().source == "scratch"
    assert other.config().data.groups == "name:(\\d)"
    choose(other, "test", 0.4)
    assert page.config().data.test == 0.4
    click(line_of(other).undo)
    click(line_of(other).undo)
    assert shown(page)["groups"] == other.config().data.groups == ""


def test_what_the_clinic_changes_is_taken_back(window: MainWindow, page: PretrainPage, qtbot: QtBot) -> None:
    window.go("pretext")
    puzzles = window.pages["pretext"]
    assert isinstance(puzzles, PretextPage)
    qtbot.waitUntil(lambda: puzzles.faces.currentWidget() is puzzles.puzzles, timeout=LONG)
    puzzles.apply_change("data.groups=folder:1")
    window.go("pretrain")
    assert shown(page)["groups"] == "folder:1"
    click(line_of(page).undo)
    assert (shown(page)["groups"], page.workspace.data_config().groups) == ("", "")
    qtbot.waitUntil(lambda: puzzles._job is None and not puzzles.clinic.under_way, timeout=LONG)


def test_other_pictures_leave_nothing_to_take_back(
    window: MainWindow, page: PretrainPage, sample_folder: Path, qtbot: QtBot
) -> None:
    choose(page, "test", 0.4)
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample_folder)
    window.go("pretrain")
    assert not line_of(page).isVisible()
    assert shown(page)["test"] == 0.2
    QTest.keyClick(page.start, Qt.Key.Key_Z, CTRL)
    assert window.workspace.data_values.get("test", 0.2) == 0.2
