"""Files can be dropped on every spot of every page: through Qt's own way from the system's window to a widget."""

import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Advanced
from sslstudio.engine.experiments.compare import compare
from sslstudio.engine.experiments.tournament import tournament
from sslstudio.ui.pages.compare.page import ComparePage
from sslstudio.ui.pages.spec import page_names
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.support.small_comparisons import compare_config
from tests.ui.conftest import Said
from tests.ui.shell.test_drop_target import trained
from tests.ui.shell.test_main_window import training
from tests.ui.shell.test_recovery import breaks_off, small_tournament

LONG = 60_000
COPY, LEFT, NONE = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def carried(*paths: Path) -> QMimeData:
    """As file managers do: the place of the file, and its name as a text."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    data.setText("\n".join(map(str, paths)))
    return data


def let_fall(window: MainWindow, at: QPoint, *paths: Path) -> bool:
    """Carry a file over the window and let it fall; whether it was taken."""
    system, data = window.windowHandle(), carried(*paths)
    enter = QDragEnterEvent(at, COPY, data, LEFT, NONE)
    QApplication.sendEvent(system, enter)
    if not enter.isAccepted():
        QApplication.sendEvent(system, QDragLeaveEvent())
        return False
    QApplication.sendEvent(system, QDragMoveEvent(at, COPY, data, LEFT, NONE))
    drop = QDropEvent(QPointF(at), COPY, data, LEFT, NONE)
    QApplication.sendEvent(system, drop)
    return drop.isAccepted()


def spots(window: MainWindow) -> list[QPoint]:
    """The middle of the page, and of whatever would take a text for itself."""
    inside: list[QWidget] = [window.centralWidget()]  # type: ignore[list-item]
    inside += [one for one in window.findChildren(QLineEdit) if not one.visibleRegion().isEmpty()]
    return [one.mapTo(window, one.visibleRegion().boundingRect().center()) for one in inside]


@pytest.mark.parametrize("name", page_names())
def test_a_folder_is_opened_wherever_it_falls(name: str, window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    window.resize(1280, 900)
    window.go(name)
    qtbot.waitUntil(
        lambda: name not in ("pretrain", "label", "finetune", "compare") or len(spots(window)) > 1, timeout=LONG
    )
    for number in range(min(4, len(spots(window)))):
        window.go(name)
        QApplication.processEvents()
        place = spots(window)[number]
        with changing(qtbot, window.workspace, Change.READABLE, LONG):
            assert let_fall(window, place, sample), f"{name}: {window.childAt(place)} keeps it"
        assert window.stack.currentWidget() is window.pages["images"]


def test_while_a_training_goes_on_it_is_said_why_nothing_is_taken(
    window: MainWindow, sample: Path, qtbot: QtBot
) -> None:
    window.workspace.runner.start("pretrain", training)
    assert not let_fall(window, QPoint(600, 400), sample)
    assert "stop it before you open other pictures" in window.told.text()
    with qtbot.waitSignal(window.workspace.runner.ended, timeout=LONG):
        window.workspace.runner.stop()


@pytest.mark.parametrize("name", page_names())
def test_labels_and_zip_files_are_taken_on_every_page(
    name: str, window: MainWindow, sample: Path, tmp_path: Path, own_settings: Path, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    files = [file.relative_to(sample).as_posix() for file in sorted((sample / "images").rglob("*.png"))]
    table, archive = tmp_path / "elsewhere.csv", tmp_path / "animals.zip"
    table.write_text("file,label\n" + "\n".join(f"{file},{number % 3}" for number, file in enumerate(files)))
    with zipfile.ZipFile(archive, "w") as packed:
        for file in files:
            packed.write(sample / file, file)
    window.resize(1280, 900)
    window.go(name)
    QApplication.processEvents()
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        assert let_fall(window, spots(window)[0], table)
    recognised = window.workspace.recognised
    assert recognised is not None
    assert recognised.classes is not None
    assert recognised.classes.names == ("0", "1", "2")
    window.go(name)
    QApplication.processEvents()
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        assert let_fall(window, spots(window)[0], archive)
    assert window.workspace.folder == own_settings / "Unpacked" / "animals"


@pytest.fixture(scope="module")
def other_run(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(sample, tmp_path_factory.mktemp("runs") / "a run")


@pytest.mark.parametrize("name", page_names())
def test_runs_and_projects_are_taken_on_every_page(
    name: str, window: MainWindow, sample: Path, sample_folder: Path, other_run: Path, qtbot: QtBot
) -> None:
    workspace = window.workspace
    with changing(qtbot, workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    assert workspace.project is not None
    project = workspace.project.folder
    with changing(qtbot, workspace, Change.READABLE, LONG):
        window.open_folder(sample_folder)
    window.go(name)
    QApplication.processEvents()
    with changing(qtbot, workspace, Change.READABLE, LONG):
        assert let_fall(window, spots(window)[0], project)
    assert (workspace.project.folder, workspace.folder) == (project, sample)
    window.go(name)
    QApplication.processEvents()
    assert let_fall(window, spots(window)[0], other_run)
    qtbot.waitUntil(lambda: workspace.pretrained == other_run, timeout=LONG)
    assert window.stack.currentWidget() is window.pages["pretrain"]


def test_comparisons_and_tournaments_are_taken_on_every_page(
    window: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    comparison, played = compare_config(sample, tmp_path / "a"), small_tournament(sample, tmp_path / "b")
    breaks_off(compare(comparison, RunControl()), Advanced)
    breaks_off(tournament(played, RunControl()), Advanced)
    window.resize(1280, 900)
    window.go("compare")
    page = window.pages["compare"]
    assert isinstance(page, ComparePage)
    for number, name in enumerate((*page_names(), page_names()[0])):
        tab, out = (page.tournament, tmp_path / "b") if number % 2 else (page.efficiency, tmp_path / "a")
        tab.begin_new()
        window.go(name)
        QApplication.processEvents()
        assert let_fall(window, spots(window)[0], out)
        qtbot.waitUntil(lambda tab=tab, out=out: tab.out == out, timeout=LONG)  # type: ignore[misc]
        assert (window.stack.currentWidget(), page.current, window.workspace.folder) == (page, tab, sample)


def test_a_folder_with_its_table_and_what_is_left_are_said(
    window: MainWindow, sample: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    files = [file.relative_to(sample).as_posix() for file in sorted((sample / "images").rglob("*.png"))]
    table, letter = tmp_path / "elsewhere.csv", tmp_path / "letter.docx"
    table.write_text("file,label\n" + "\n".join(f"{file},{number % 3}" for number, file in enumerate(files)))
    letter.write_bytes(b"dear")
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        assert let_fall(window, QPoint(600, 400), letter, table, sample)  # in whatever order they come
    assert (window.workspace.folder, window.workspace.labels_file) == (sample, str(table))
    (told,) = said.questions
    assert "“little zoo” is opened" in told
    assert "letter.docx" in told
    assert "elsewhere.csv" not in told


def test_two_folders_are_opened_as_one_set(
    window: MainWindow, sample: Path, sample_folder: Path, said: Said, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        assert let_fall(window, QPoint(600, 400), sample, sample_folder)
    assert {*window.workspace.several.values()} == {sample, sample_folder}
    assert not said.questions


@pytest.mark.parametrize("file", ["notes.txt", "letter.docx", "broken.zip"])
def test_what_cannot_be_opened_is_said_and_nothing_is_lost(
    file: str, window: MainWindow, sample: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    recognised, project = window.workspace.recognised, window.workspace.project
    (tmp_path / file).write_bytes(b"nothing")
    assert let_fall(window, QPoint(600, 400), tmp_path / file)
    qtbot.waitUntil(lambda: bool(said.questions or said.errors), timeout=LONG)
    assert file in "".join([*said.questions, *map(str, said.errors)])
    said.errors.clear()
    assert window.workspace.recognised is recognised
    assert window.workspace.project is project
    page = window.pages["images"]
    assert page.stack.currentWidget() is page.loaded  # type: ignore[attr-defined]
    assert (tmp_path / file).read_bytes() == b"nothing"
