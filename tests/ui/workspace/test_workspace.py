"""What the window is about: which task it begins with."""

import shutil
from pathlib import Path

from pytestqt.qtbot import QtBot

from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.shell.main_window import MainWindow

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
    with qtbot.waitSignal(workspace.checked, timeout=LONG):
        window.open_folder(only_masks(sample, tmp_path / "cells"))
    assert workspace.task == "vicregl"
    assert page.tasks.currentItem().text() == "VICRegL"
    page.choose_task("inpainting")
    with qtbot.waitSignal(workspace.checked, timeout=LONG):
        window.open_folder(sample)
    assert workspace.task == "inpainting"
    qtbot.waitUntil(lambda: page._job is None, timeout=LONG)
    qtbot.waitUntil(lambda: not page.clinic.under_way, timeout=LONG)
