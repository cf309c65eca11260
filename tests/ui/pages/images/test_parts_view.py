"""The pictures page says what of the files is not used, and each page can be made a picture."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.ui.pages.images.page import ImagesPage
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for number in range(5):
        pages = draw.integers(0, 255, (6, 24, 32), np.uint8)
        tifffile.imwrite(tmp_path / f"stack {number}.tif", pages, photometric="minisblack")
    tifffile.imwrite(
        tmp_path / "five.tif", draw.integers(0, 255, (24, 32, 5), np.uint8), photometric="minisblack",
        planarconfig="contig",
    )  # fmt: skip
    return tmp_path


def test_what_is_left_out_is_said_and_pages_become_pictures(qtbot: QtBot, window: MainWindow, stacks: Path) -> None:
    workspace, page = window.workspace, window.pages["images"]
    assert isinstance(page, ImagesPage)
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        workspace.open_folder(stacks)
    said = page.parts.words.text()
    assert "5 files have up to 6 pages: only the first is used, 25 in all are not" in said
    assert "1 file has up to 5 channels: 2 channels in all are not used" in said
    assert page.parts.isVisible()
    assert workspace.recognised is not None
    assert len(workspace.recognised.pictures) == 6
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        page.parts.pages.setCurrentIndex(page.parts.pages.findData("all"))
        page.parts.pages.activated.emit(page.parts.pages.currentIndex())
    assert len(workspace.recognised.pictures) == 31
    assert workspace.data_config().pages == "all"
    assert "pages: only the first" not in page.parts.words.text()
    assert page.parts.pages.currentData() == "all"
    command = page.command()
    assert isinstance(command, list)
    assert command[2:4] == ["--pages", "all"]
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        page.parts.channels.setCurrentIndex(page.parts.channels.findData("1"))
        page.parts.channels.activated.emit(page.parts.channels.currentIndex())
    assert workspace.recognised.pictures.channels == (1,)
    assert workspace.readable is not None
    assert not workspace.readable.unreadable
    project = workspace.project_now()
    assert project is not None
    assert project.data == {"pages": "all", "channels": "1"}
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        page.file_parts.undo()
    assert workspace.file_parts == {"pages": "all"}
    assert page.parts.channels.currentData() == ""
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        page.file_parts.undo()
    assert len(workspace.recognised.pictures) == 6
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        page.file_parts.redo()
    assert len(workspace.recognised.pictures) == 31


def test_what_was_chosen_is_taken_back_by_its_key(qtbot: QtBot, window: MainWindow, stacks: Path) -> None:
    workspace, page = window.workspace, window.pages["images"]
    assert isinstance(page, ImagesPage)
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        workspace.open_folder(stacks)
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        page.file_parts.choose("2", "first")
    window.go("label")
    label = window.pages["label"]
    assert isinstance(label, LabelPage)
    qtbot.waitUntil(lambda: label.labels.store is not None and label.board.canvas.drawn.size > 0, timeout=20_000)
    assert label.editing.file_of("five.tif").name == "five.tif#channels=2"  # what is labelled is what is learnt from
    window.go("images")
    page.gallery.setFocus()
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        QTest.keyClick(page.gallery, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert workspace.file_parts == {}
    page.file_parts.undo()  # nothing is left to take back
    assert workspace.file_parts == {}


def test_plain_pictures_have_nothing_to_choose(qtbot: QtBot, window: MainWindow, sample: Path) -> None:
    workspace, page = window.workspace, window.pages["images"]
    assert isinstance(page, ImagesPage)
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        workspace.open_folder(sample)
    assert not page.parts.pages.isVisible()
    assert not page.parts.channels.isVisible()
