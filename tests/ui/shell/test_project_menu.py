"""The File menu gives the open project another name, copies it and shows its folder."""

from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.projects.project import is_project, open_project
from sslstudio.ui.base import app_settings
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from tests.ui.conftest import Said
from tests.ui.shell.test_drop_target import pictures, trained
from tests.ui.shell.test_projects import open_folder

LONG = 60_000
__all__ = ["pictures"]


def command(window: MainWindow, title: str) -> QAction:
    menus = [bar.menu() for bar in window.menuBar().actions()]
    found = [one for menu in menus if isinstance(menu, QMenu) for one in menu.actions() if title in one.text()]
    assert len(found) == 1
    assert not found[0].shortcut().isEmpty()
    return found[0]


def test_a_project_is_renamed_with_its_runs_and_labels(
    window: MainWindow, pictures: Path, said: Said, qtbot: QtBot
) -> None:
    workspace = window.workspace
    open_folder(window, pictures, qtbot)
    old = workspace.runs_folder.parent
    trained(pictures, workspace.new_run("vicreg"))
    window.go("label")
    label = window.pages["label"]
    assert isinstance(label, LabelPage)
    qtbot.waitUntil(lambda: label.labels.store is not None, timeout=LONG)
    assert label.labels.store is not None
    assert label.labels.do(label.labels.store.adding("classification", "mouse"))
    window.go("images")
    qtbot.waitUntil(lambda: workspace.readable is not None, timeout=LONG)
    said.text = "Animals of 2026"
    command(window, "Re&name").trigger()
    new = old.with_name("Animals of 2026")
    qtbot.waitUntil(
        lambda: workspace.pretrained is not None and workspace.pretrained.parent == new / "runs", timeout=LONG
    )
    assert not old.exists()
    assert workspace.project is not None
    assert (workspace.project.name, workspace.folder) == ("Animals of 2026", pictures)
    assert workspace.pretrained is not None
    assert app_settings.recent_folders() == [str(new)]
    window.go("label")
    qtbot.waitUntil(lambda: label.labels.store is not None, timeout=LONG)
    assert label.labels.store is not None
    assert label.labels.store.folder == new / "labels"
    assert [one.name for one in label.labels.store.names("classification")][-1] == "mouse"
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, PretrainPage)
    page.open_run(workspace.pretrained)  # its record names the old folder
    qtbot.waitUntil(lambda: page.view.outcome == "finished", timeout=LONG)
    assert page.view.run == workspace.pretrained
    workspace.choose_task("rotation", workspace.options["rotation"])
    window.autosave.finish()
    assert open_project(new).project.task == "rotation"
    assert not old.exists()  # nothing has begun it anew
    qtbot.waitUntil(lambda: workspace.readable is not None, timeout=LONG)


def test_a_name_that_is_taken_is_refused_and_an_empty_one_is_no_answer(
    window: MainWindow, pictures: Path, said: Said, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    folder = window.workspace.runs_folder.parent
    (folder.parent / "taken").mkdir()
    said.text = "taken"
    window.project_file.rename()
    qtbot.waitUntil(lambda: bool(said.errors), timeout=LONG)
    assert isinstance(said.errors.pop(), DataError)
    said.text = ""
    window.project_file.rename()
    assert window.workspace.project is not None
    assert window.workspace.project.folder == folder
    assert is_project(folder)


@pytest.mark.parametrize("choice", ["all", "bare"])
def test_a_copy_is_saved_with_runs_or_without_and_can_be_gone_on_with(
    window: MainWindow, pictures: Path, tmp_path: Path, said: Said, qtbot: QtBot, choice: str
) -> None:
    workspace = window.workspace
    open_folder(window, pictures, qtbot)
    folder = workspace.runs_folder.parent
    trained(pictures, workspace.new_run("vicreg"))
    workspace.choose_task("jigsaw", workspace.options["jigsaw"].replace(gap=0.3))
    said.folder, said.choice, said.agrees = tmp_path / "usb", choice, choice == "all"
    command(window, "Save a &copy").trigger()
    copy = tmp_path / "usb" / "pets"
    qtbot.waitUntil(lambda: len(said.questions) == 1, timeout=LONG)
    assert str(copy) in said.questions[0]
    saved = open_project(copy).project
    assert (saved.task, saved.options["jigsaw"]["gap"], saved.pictures) == ("jigsaw", 0.3, pictures)
    assert len(list(saved.runs.iterdir())) == (1 if choice == "all" else 0)
    there = copy if choice == "all" else folder
    qtbot.waitUntil(lambda: workspace.project is not None and workspace.project.folder == there, timeout=LONG)
    assert is_project(folder)
    qtbot.waitUntil(lambda: workspace.readable is not None, timeout=LONG)


def test_the_projects_folder_is_shown_and_without_a_project_that_is_said(
    window: MainWindow, pictures: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", shown.append)
    for title in ("Re&name", "Save a &copy", "fol&der"):
        window.told.setText("")
        command(window, title).trigger()
        assert "no project yet" in window.told.text()
    assert shown == []
    open_folder(window, pictures, qtbot)
    command(window, "fol&der").trigger()
    assert [Path(url.toLocalFile()) for url in shown] == [window.workspace.runs_folder.parent]
