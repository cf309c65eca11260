"""Near copies as a person meets them: found, decided on with one click, undone, and met again in a result."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.messages import Message
from sslstudio.engine.training.session import draw_split
from sslstudio.ui.operations.closely import best_of
from sslstudio.ui.pages.images.copies_view import CopiesView
from sslstudio.ui.pages.images.page import ImagesPage
from sslstudio.ui.pages.results.data import warns_of_copies
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.copies import IGNORED, ONE_LEFT, OPEN, TOGETHER_NOW
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty pictures, and copies of four of them, a little brighter."""
    rng = np.random.default_rng(3)
    place = tmp_path / "scenes"
    place.mkdir()
    for number in range(20):
        coarse = rng.integers(0, 220, (6, 6, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((64, 64), Image.Resampling.NEAREST)
        picture.save(place / f"{number:02}.png")
        if number < 4:
            picture.point(lambda shade: min(255, shade + 12)).save(place / f"{number:02} copy.png")
    return place


@pytest.fixture
def view(window: MainWindow, qtbot: QtBot, folder: Path) -> CopiesView:
    workspace = window.workspace
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        workspace.open_folder(folder)
    window.go("puzzles" if "puzzles" in window.specs else "pretext")
    workspace.ask_copies()
    page = window.pages["images"]
    assert isinstance(page, ImagesPage)
    assert page.copies.isVisible()
    qtbot.waitUntil(lambda: page.copies.copies.found is not None, timeout=30_000)
    return page.copies


def decisions(view: CopiesView) -> list[str]:
    return [view.copies.decision(group) for group in view.copies.groups]


def test_all_groups_are_kept_together_excluded_or_ignored_with_one_click_and_undone(
    view: CopiesView, window: MainWindow, qtbot: QtBot
) -> None:
    workspace, copies = window.workspace, view.copies
    assert len(copies.groups) == 4
    assert decisions(view) == [OPEN] * 4
    assert view.list.rowCount() == 4
    assert view.gallery.model().rowCount() == 2
    assert "8 of 24 pictures have a near copy, in 4 groups" in view.told.text()
    with changing(qtbot, workspace, Change.PICTURES, 10_000):
        QTest.mouseClick(view.all_together, LEFT)
    assert decisions(view) == [TOGETHER_NOW] * 4
    assert not view.leaking.isVisible()
    assert not view.all_together.isEnabled()
    assert workspace.recognised is not None
    for seed in range(4):
        split = draw_split(workspace.recognised, workspace.data_config().replace(split_seed=seed))
        parts = {path: part for part in ("train", "validation", "test") for path in getattr(split, part)}
        assert all(len({parts[path] for path in group.paths}) == 1 for group in copies.groups)
    with changing(qtbot, workspace, Change.PICTURES, 10_000):
        QTest.mouseClick(view.undo, LEFT)
    assert decisions(view) == [OPEN] * 4
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        QTest.mouseClick(view.one, LEFT)
    assert sorted(decisions(view)) == sorted([ONE_LEFT, OPEN, OPEN, OPEN])
    assert len(workspace.recognised.pictures) == 23
    assert len(workspace.recognised.excluded) == 1
    QTest.mouseClick(view.all_ignored, LEFT)
    assert sorted(decisions(view)) == sorted([ONE_LEFT, IGNORED, IGNORED, IGNORED])
    QTest.mouseClick(view.undo, LEFT)
    assert decisions(view).count(OPEN) == 3
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        QTest.mouseClick(view.undo, LEFT)
    assert not workspace.recognised.excluded


def test_the_largest_file_of_a_group_is_kept() -> None:
    assert best_of(["b.png", "a.png", "c.png"], [10, 10, 3]) == "a.png"


def test_only_the_note_that_warns_of_copies_is_repeated() -> None:
    assert warns_of_copies(
        Message("{count:,} of the {test:,} test pictures {count:plural(has|have)} a near copy among the pictures "
                "trained on, for example {one} and {other}: the result is too good by what they give away.",
                count=3, test=9, one="a", other="b")
    )  # fmt: skip
    assert not warns_of_copies(Message("No test picture has a near copy among the pictures trained on."))
