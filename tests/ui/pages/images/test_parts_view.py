"""The pictures page says what of the files is not used, and each page can be made a picture."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot

from sslstudio.ui.pages.images.page import ImagesPage
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


def test_plain_pictures_have_nothing_to_choose(qtbot: QtBot, window: MainWindow, sample: Path) -> None:
    workspace, page = window.workspace, window.pages["images"]
    assert isinstance(page, ImagesPage)
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        workspace.open_folder(sample)
    assert not page.parts.pages.isVisible()
    assert not page.parts.channels.isVisible()
