"""What is what: seen with reasons, changed, kept in the project, undone; pictures with their masks beside it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QTreeWidgetItemIterator
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import scan
from sslstudio.engine.images.listing import ignored_title
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.roles import OF_FOLDERS, Role
from sslstudio.engine.projects.project import open_project
from sslstudio.ui.operations.roles import show_examples
from sslstudio.ui.pages.images import roles_view
from sslstudio.ui.pages.images.page import ROLES, ImagesPage
from sslstudio.ui.pages.images.roles_view import PATH
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.text import translate
from tests.ui.shell.test_projects import open_folder

LONG = 60_000


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Eight photographs and, in a folder of another name, their masks."""
    rng, folder = np.random.default_rng(0), tmp_path / "street"
    for place in ("train", "trainannot"):
        (folder / place).mkdir(parents=True)
    for number in range(8):
        Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8)).save(folder / f"train/{number}.png")
        mask = np.zeros((40, 60), np.uint8)
        mask[10:30, 10:40] = 255
        Image.fromarray(mask).save(folder / f"trainannot/{number}.png")
    return folder


def lines(page: ImagesPage) -> dict[str, tuple[str, str]]:
    """Path -> count and reason."""
    found = {}
    walk = QTreeWidgetItemIterator(page.roles_view.tree)
    while item := walk.value():
        found[str(item.data(0, PATH))] = (item.text(2), item.text(3))
        walk += 1
    return found


def take(page: ImagesPage, path: str) -> None:
    """Choose a line."""
    tree = page.roles_view.tree
    walk = QTreeWidgetItemIterator(tree)
    while item := walk.value():
        if item.data(0, PATH) == path:
            tree.setCurrentItem(item)
        walk += 1


def test_a_role_is_seen_changed_kept_and_undone(window: MainWindow, pairs: Path, qtbot: QtBot) -> None:
    open_folder(window, pairs, qtbot)
    page, workspace = window.pages["images"], window.workspace
    assert isinstance(page, ImagesPage)
    page.tabs.setCurrentIndex(ROLES)
    view = page.roles_view
    assert lines(page)["trainannot"] == (
        "8",
        "Its files are called like the pictures in train, and hold few flat values.",
    )
    take(page, "trainannot")
    assert view.box.currentText() == "masks"
    qtbot.waitUntil(lambda: view.examples.isVisibleTo(view), timeout=LONG)

    view.box.activated.emit(view.box.findData("pictures"))
    qtbot.waitUntil(lambda: workspace.roles == {"trainannot": "pictures"} and not workspace.taking_labels, timeout=LONG)
    assert workspace.recognised is not None
    assert workspace.recognised.masks is None
    assert len(workspace.recognised.pictures) == 16
    assert page.tabs.currentIndex() == ROLES
    assert lines(page)["trainannot"][1] == "You said so."
    assert workspace.data_config().roles["trainannot"] == "pictures"
    assert "--role" in page.command()  # type: ignore[operator]
    project = workspace.project_now()
    assert project is not None
    assert project.roles == {"trainannot": "pictures"}
    qtbot.waitUntil(lambda: open_project(project.folder).project.roles == project.roles, timeout=LONG)

    assert view.undo.isEnabled()
    view.undo.click()
    qtbot.waitUntil(lambda: workspace.roles == {} and not workspace.taking_labels, timeout=LONG)
    assert workspace.recognised.masks is not None
    view.redo.click()
    qtbot.waitUntil(lambda: workspace.roles != {} and not workspace.taking_labels, timeout=LONG)
    view.box.activated.emit(view.box.findData(""))
    qtbot.waitUntil(lambda: workspace.roles == {} and not workspace.taking_labels, timeout=LONG)


def test_five_pictures_come_with_their_masks_over_them(pairs: Path) -> None:
    found = recognise(scan(pairs))
    shown = show_examples(found, "trainannot", RunControl())
    assert len(shown) == 5
    bare = show_examples(recognise(scan(pairs), roles={"trainannot": "ignore"}), "train", RunControl())
    assert (shown[0].pixels != bare[0].pixels).any(-1).mean() == pytest.approx(20 * 30 / (40 * 60), abs=0.02)
    assert (shown[0].pixels[:5] == bare[0].pixels[:5]).all()
    left_out = show_examples(recognise(scan(pairs), roles={"trainannot": "ignore"}), "trainannot", RunControl())
    assert len(left_out) == 5


def test_kinds_of_files_left_out_are_named_in_the_language_of_the_window() -> None:
    german = translate.read("de").language
    for kind in ("no suffix", "hidden", "hidden folder", "folder of thumbnails or deleted files"):
        said = ignored_title(kind)
        assert isinstance(said, Message)
        assert said.render(german) != str(said)
    assert ignored_title(".xml") == ".xml"
    assert (
        roles_view._name(Role("hidden", "left out", Message("..."), 2, choices=OF_FOLDERS)) == "hidden/"
    )  # a folder of that name
