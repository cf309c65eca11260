"""Pictures in several folders are one set: added, dropped together, taken out, brought back, found again."""

import shutil
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.images.multi_folder import folders_of, write_album
from sslstudio.engine.projects.project import open_project
from sslstudio.engine.training.config import BudgetConfig, DataConfig, FinetuneConfig, HardwareConfig, OptimiserConfig
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations.projects import read_recent
from sslstudio.ui.pages.images.page import FOLDERS, ImagesPage
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.results.data import load_overlay, load_results
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said
from tests.ui.shell.test_drop_target import pictures, trained
from tests.ui.shell.test_main_window import drop
from tests.ui.shell.test_projects import open_folder

LONG = 60_000
__all__ = ["pictures"]


@pytest.fixture
def second(pictures: Path, tmp_path: Path) -> Path:
    """Ten other pictures of the same two classes, on another disk."""
    folder = tmp_path / "usb" / "archive"
    for kind in sorted(pictures.iterdir()):
        shutil.copytree(kind, folder / kind.name)
        for file in sorted((folder / kind.name).iterdir())[5:]:
            file.unlink()
    return folder


def images(window: MainWindow) -> ImagesPage:
    page = window.pages["images"]
    assert isinstance(page, ImagesPage)
    return page


def listed(window: MainWindow) -> list[tuple[str, str, str]]:
    table = images(window).folders.table
    cells = [[table.item(row, place) for place in range(3)] for row in range(table.rowCount())]
    return [(a.text(), b.text(), c.text()) for a, b, c in cells if a and b and c]


def every_file(*folders: Path) -> list[tuple[Path, int]]:
    return sorted((file, file.stat().st_mtime_ns) for folder in folders for file in folder.rglob("*"))


def test_a_second_folder_is_added_with_its_labels_kept_and_the_folders_left_alone(
    window: MainWindow, pictures: Path, second: Path, said: Said, qtbot: QtBot
) -> None:
    before = every_file(pictures, second)
    open_folder(window, pictures, qtbot)
    page, workspace = images(window), window.workspace
    assert not page.tabs.isTabVisible(FOLDERS)
    window.go("label")
    label = window.pages["label"]
    assert isinstance(label, LabelPage)
    qtbot.waitUntil(lambda: label.labels.store is not None, timeout=LONG)
    assert label.labels.store is not None
    assert label.labels.do(label.labels.store.adding("classification", "mouse"))
    assert label.labels.do(label.labels.store.labelling([sorted(label.labels.store.of)[0]], 3))
    said.folder = second
    window._add_folder()
    qtbot.waitUntil(lambda: len(workspace.readable or ()) == 30, timeout=LONG)
    assert window.stack.currentWidget() is page
    assert page.title.text() == "pets"
    assert page.subtitle.text() == "pets (20), archive (10)"
    assert page.tabs.isTabVisible(FOLDERS)
    assert listed(window) == [("pets", "20", str(pictures)), ("archive", "10", str(second))]
    assert page.gallery.gallery.rowCount() == 30
    window.go("label")
    qtbot.waitUntil(lambda: label.labels.store is not None, timeout=LONG)
    assert label.labels.store is not None
    assert len(label.labels.store.of) == 20
    assert [one.name for one in label.labels.store.names("classification")][-1] == "mouse"
    assert list(label.labels.store.of.values()).count(3) == 1
    assert len(label.board.gallery._paths) == 30
    assert every_file(pictures, second) == before


def test_folders_dropped_together_are_one_project_that_comes_back(
    window: MainWindow, pictures: Path, second: Path, said: Said, own_settings: Path, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        drop(window, pictures, second)
    assert window.workspace.project is not None
    assert window.workspace.project.folder == own_settings / "Projects" / "pets + archive"
    recognised = window.workspace.recognised
    assert recognised is not None
    assert recognised.classes is not None
    assert len(recognised.classes.of) == 30
    assert len(recognised.classes.names) == 2
    open_folder(window, second.parent, qtbot)
    assert images(window).title.text() == "usb"
    said.choice = "instead"
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        drop(window, second, pictures)
    assert window.workspace.project.folder.name == "pets + archive"
    assert said.offered == ["add", "instead"]
    assert said.questions == []
    (again,) = [one for one in read_recent(app_settings.recent_folders(), RunControl()) if one.more]
    assert (again.name, again.pictures, again.more) == ("pets + archive", pictures, ("archive",))


def test_a_folder_that_is_dropped_on_others_is_added_opened_instead_or_left(
    window: MainWindow, pictures: Path, second: Path, said: Said, qtbot: QtBot
) -> None:
    open_folder(window, pictures, qtbot)
    said.choice = ""
    drop(window, second)
    assert window.workspace.folder == pictures
    said.choice = "add"
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        drop(window, second)
    assert [name for name, *_ in listed(window)] == ["pets", "archive"]
    said.offered = []
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        drop(window, second)  # it is open already: looked at again, nothing is asked
    assert said.offered == []
    drop(window, second.parent)
    qtbot.waitUntil(lambda: bool(said.errors), timeout=LONG)
    error = said.errors.pop()
    assert isinstance(error, DataError)
    assert "its pictures would count twice" in str(error)
    assert len(listed(window)) == 2


def test_a_folder_is_taken_out_and_brought_back(
    window: MainWindow, pictures: Path, second: Path, said: Said, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        drop(window, pictures, second)
    view = images(window).folders
    images(window).tabs.setCurrentIndex(FOLDERS)
    assert not view.out.isEnabled()
    assert not view.back.isVisible()
    view.table.selectRow(0)
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        view.out.click()
    assert [name for name, *_ in listed(window)] == ["archive"]
    assert images(window).pictures.value.text() == "10"
    view.table.selectRow(0)
    assert not view.out.isEnabled()  # the last one stays
    assert view.back.isVisible()
    assert "pets" in view.back.text()
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        view.back.click()
    assert sorted(name for name, *_ in listed(window)) == ["archive", "pets"]
    assert not view.back.isVisible()
    assert every_file(pictures)


@pytest.mark.parametrize("answer", ["find", "without", ""])
def test_the_folder_of_an_unplugged_disk_is_asked_for_by_name(
    window: MainWindow, pictures: Path, second: Path, tmp_path: Path, said: Said, qtbot: QtBot, answer: str
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        drop(window, pictures, second)
    assert window.workspace.project is not None
    project = window.workspace.project.folder
    open_folder(window, pictures, qtbot)  # one of them alone is other pictures
    said.folder = second.rename(tmp_path / "moved")
    said.choice = answer
    drop(window, project)
    qtbot.waitUntil(lambda: said.offered == ["find", "without"], timeout=LONG)
    if not answer:
        assert window.workspace.folder == pictures
        return
    qtbot.waitUntil(
        lambda: window.workspace.project is not None and window.workspace.project.folder == project, timeout=LONG
    )
    folders = folders_of(open_project(project).project.pictures)
    assert folders == ({"pets": pictures, "archive": said.folder} if answer == "find" else {"pets": pictures})
    qtbot.waitUntil(lambda: window.workspace.readable is not None, timeout=LONG)


@pytest.mark.parametrize("answer", ["find", "without", ""])
def test_a_run_whose_pictures_lay_on_an_unplugged_disk_asks_for_that_folder(
    window: MainWindow, pictures: Path, second: Path, tmp_path: Path, said: Said, qtbot: QtBot, answer: str
) -> None:
    place = tmp_path / "both"
    write_album(place, {"pets": pictures, "archive": second})
    run = trained(place, tmp_path / "run")
    said.folder = second.rename(tmp_path / "moved")
    said.choice = answer
    drop(window, run)
    qtbot.waitUntil(lambda: said.offered == ["find", "without"], timeout=LONG)
    if not answer:
        assert window.workspace.folder is None
        assert folders_of(place) == {"pets": pictures, "archive": second}
        return
    qtbot.waitUntil(lambda: window.workspace.pretrained == run, timeout=LONG)
    assert folders_of(place) == ({"pets": pictures, "archive": said.folder} if answer == "find" else {"pets": pictures})
    assert window.workspace.folder == place
    qtbot.waitUntil(lambda: len(window.workspace.readable or ()) == (30 if answer == "find" else 20), timeout=LONG)


def test_results_on_several_folders_show_the_pictures_and_masks_where_they_are(sample: Path, tmp_path: Path) -> None:
    disks = (tmp_path / "a", tmp_path / "b")
    for number, file in enumerate(sorted((sample / "images").rglob("*.png"))):
        for part in ("images", "masks"):
            path = Path(part) / file.relative_to(sample / "images")
            (disks[number % 2] / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(sample / path, disks[number % 2] / path)
    write_album(tmp_path / "both", {disk.name: disk for disk in disks})
    config = FinetuneConfig(
        out=str(tmp_path / "run"), kind="segmentation", labels_per_class=4,
        data=DataConfig(folder=str(tmp_path / "both")),
        budget=BudgetConfig(steps=2), hardware=HardwareConfig(device="cpu"), optimiser=OptimiserConfig(batch_size=8),
    )  # fmt: skip
    list(finetune(config, RunControl()))
    results = load_results(tmp_path / "run", RunControl())
    assert list(results.predictions) == ["scratch", "untrained", "general"]
    for part, answers in results.predictions.items():
        assert {one.file[:2] for one in answers} == {"a/", "b/"}
        for one in answers[:3]:
            assert load_overlay(results, part, one, RunControl()).picture.width() > 0
