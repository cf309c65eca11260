"""What the window is about: which task it begins with."""

import shutil
from pathlib import Path

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change, Workspace
from tests.support.changes import changing

LONG = 60_000


def only_masks(sample: Path, folder: Path) -> Path:
    """The pictures of the sample and their masks without class folders."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
        for file in (sample / part).rglob("*.png"):
            shutil.copy(file, folder / part / f"{file.parent.name}-{file.name}")
    return folder


def test_it_begins_with_the_task_that_gives_most_for_such_labels_until_a_person_chooses(
    window: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    workspace = window.workspace
    assert workspace.task == "vicreg"
    window.go("pretext")
    page = window.pages["pretext"]
    assert isinstance(page, PretextPage)
    assert page.tasks.currentItem().text() == "VICReg"
    with changing(qtbot, workspace, Change.READABLE, LONG):
        window.open_folder(only_masks(sample, tmp_path / "cells"))
    assert workspace.task == "vicregl"
    assert page.tasks.currentItem().text() == "VICRegL"
    page.choose_task("inpainting")
    with changing(qtbot, workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    assert workspace.task == "vicreg"  # what was chosen for the cells is theirs
    qtbot.waitUntil(lambda: page._job is None, timeout=LONG)
    qtbot.waitUntil(lambda: not page.clinic.under_way, timeout=LONG)


class Heard(QObject):
    """Remembers what it heard."""

    def __init__(self, all_of_it: list[str]) -> None:
        super().__init__()
        self._all = all_of_it

    def split(self) -> None:
        self._all.append("split")

    def either(self) -> None:
        self._all.append("split or runs")


def test_a_listener_hears_of_what_it_asked_for_in_its_turn_and_as_long_as_it_lives(qtbot: QtBot) -> None:
    workspace, said = Workspace(), list[str]()
    heard = Heard(said)
    workspace.call_on(Change.SPLIT, heard.split)
    workspace.call_on(Change.SPLIT | Change.RUNS, heard.either)
    workspace.set_data({"side": 32})
    assert said == ["split", "split or runs"]
    workspace.changed.emit(Change.RUNS | Change.RESULT)
    assert said[2:] == ["split or runs"]
    del heard
    workspace.set_data({"side": 64})
    assert len(said) == 3


def test_opening_pictures_is_one_change(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    said: list[Change] = []
    window.workspace.changed.connect(said.append)
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    assert said == [Change.PICTURES | Change.TASK | Change.RESULT, Change.READABLE]
