import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import CheckpointSaved, Event, RunFinished, RunStarted, StepDone
from sslstudio.engine.core.messages import Message
from sslstudio.ui.pages.page import Page
from sslstudio.ui.pages.spec import PageSpec, page_names
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.shell.step_list import DONE, STATE
from sslstudio.ui.workspace.workspace import Change, Workspace
from tests.support.changes import changing


def drop(window: MainWindow, *paths: Path) -> None:
    """Carry files or folders over the window and let them fall."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dragEnterEvent(QDragEnterEvent(QPoint(300, 300), Qt.DropAction.CopyAction, data, buttons, keys))
    window.dropEvent(QDropEvent(QPointF(300, 300), Qt.DropAction.CopyAction, data, buttons, keys))


def training(control: RunControl) -> Iterator[Event]:
    """A run that goes on until it is told to stop, then saves, as the engine's do."""
    yield RunStarted(job="pretrain", run="/nowhere/run", title=Message("A run"), facts={}, total_steps=0)
    step = 0
    while control.proceed():
        step += 1
        yield StepDone(step=step, total_steps=0, epoch=0.1, loss=1.0, metrics={}, chance={}, learning_rate=1e-3,
                       pictures_per_second=10.0, seconds_left=60.0)  # fmt: skip
    yield CheckpointSaved(step=step, path="last.safetensors", best=False)
    yield RunFinished(outcome="stopped", step=step, seconds=1.0, metrics={})


def test_importing_the_window_leaves_torch_alone() -> None:
    code = "import sys, sslstudio.ui.shell.main_window; print({'torch', 'pyqtgraph'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_pages_are_imported_on_the_windows_own_thread(window: MainWindow, qtbot: QtBot) -> None:
    """Beside the window's thread, importing what draws and building a page crashed in native code."""
    threads: list[threading.Thread] = []

    def watched(spec: PageSpec) -> PageSpec:
        def load() -> Callable[[Workspace], Page]:
            threads.append(threading.current_thread())
            return spec.load()

        return replace(spec, load=load)

    window.specs = {name: watched(spec) for name, spec in window.specs.items()}
    window._load_pages()
    assert threads == []  # one a turn, so that clicks come in between
    qtbot.waitUntil(lambda: len(threads) == len(window.specs))
    assert set(threads) == {threading.main_thread()}


def test_a_dropped_folder_is_opened(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    window.go("results")
    with changing(qtbot, window.workspace, Change.READABLE, 20_000):
        drop(window, sample)
    page = window.pages["images"]
    assert window.stack.currentWidget() is page
    assert page.title.text() == "little zoo"
    assert page.pictures.value.text() == "60"  # type: ignore[attr-defined]
    assert page.labels.value.text() == "5"  # type: ignore[attr-defined]
    assert not page.broken.isVisible()  # type: ignore[attr-defined]


def test_a_dropped_file_stands_for_its_folder(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    picture = next(sample.rglob("*.png"))
    with changing(qtbot, window.workspace, Change.PICTURES, 20_000):
        drop(window, picture)
    assert window.workspace.folder == picture.parent
    qtbot.waitUntil(lambda: window.workspace.readable is not None)


def test_unreadable_files_are_listed_with_their_reasons(
    window: MainWindow, tmp_path: Path, sample: Path, qtbot: QtBot
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number, picture in enumerate(sorted((sample / "images").rglob("*.png"))[:8]):
        (folder / f"good {number}.png").write_bytes(picture.read_bytes())
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("hello")
    with changing(qtbot, window.workspace, Change.READABLE, 20_000):
        window.open_folder(folder)
    page = window.pages["images"]
    assert page.pictures.value.text() == "8"  # type: ignore[attr-defined]
    table = page.broken_table  # type: ignore[attr-defined]
    assert table.rowCount() == 1
    assert table.item(0, 0).text() == "empty.jpg"
    assert "empty" in table.item(0, 1).text()
    assert page.others_table.item(0, 0).text() == ".txt"  # type: ignore[attr-defined]


def test_a_folder_without_pictures_is_refused_in_words(qtbot: QtBot, tmp_path: Path, said: object) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    window.open_folder(tmp_path)
    errors = said.errors  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: len(errors) == 1)
    assert isinstance(errors[0], DataError)
    assert "no pictures" in str(errors[0])
    page = window.pages["images"]
    assert page.stack.currentWidget() is page.welcome  # type: ignore[attr-defined]


def test_keys_go_to_the_steps(window: MainWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    for number, name in enumerate(page_names(), start=1):
        QTest.keyClick(window, getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.ControlModifier)
        qtbot.waitUntil(lambda name=name: window.shown == name)  # type: ignore[misc]
        assert window.stack.currentWidget() is window.pages[name]
        assert window.steps.currentRow() == number - 1


@pytest.mark.parametrize("name", page_names())
def test_every_page_says_what_to_do_while_it_is_empty(name: str, window: MainWindow) -> None:
    window.go(name)
    page = window.pages[name]
    shown = [one for one in page.findChildren(QPushButton) if one.isVisible() and one.property("role") == "primary"]
    assert [one for one in shown if one.isEnabled()]


def test_closing_while_training_asks_and_loses_nothing(window: MainWindow, said: object, qtbot: QtBot) -> None:
    heard: list[Event] = []
    window.workspace.runner.events.connect(lambda job, events: heard.extend(events))
    window.workspace.runner.start("pretrain", training)
    qtbot.waitUntil(lambda: len(heard) > 5)
    said.agrees = False  # type: ignore[attr-defined]
    assert not window.close()
    assert len(said.questions) == 1  # type: ignore[attr-defined]
    assert not window.workspace.runner.stopping
    said.agrees = True  # type: ignore[attr-defined]
    window.close()
    assert window.isVisible()  # it waits for the run to save itself
    qtbot.waitUntil(lambda: not window.isVisible())
    assert not window.workspace.runner.active
    steps = [event.step for event in heard if isinstance(event, StepDone)]
    assert steps == list(range(1, len(steps) + 1))
    assert isinstance(heard[-2], CheckpointSaved)
    assert isinstance(heard[-1], RunFinished)


def test_a_run_that_breaks_leaves_the_page_usable(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, 20_000):
        window.open_folder(sample)
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, RunPage)

    def breaks(control: RunControl) -> Iterator[Event]:
        yield RunStarted(job="pretrain", run="/nowhere/run", title=Message("A run"), facts={}, total_steps=0)
        raise DataError("The folder is gone. Choose it again.")

    with qtbot.waitSignal(window.workspace.runner.ended):
        window.workspace.runner.start("pretrain", breaks)
    assert page.view.trouble.label.text() == "The folder is gone. Choose it again."
    assert page.start.isEnabled()
    assert page.start.isVisible()


def test_a_step_that_is_done_is_marked(window: MainWindow, tmp_path: Path) -> None:
    item = window.steps.item(page_names().index("pretrain"))
    assert not item.data(DONE)
    window.workspace.take_outcome("pretrain", tmp_path, "finished")
    assert item.data(DONE)
    assert item.data(STATE) == "Done"


def test_a_page_that_is_left_gives_the_focus_to_the_steps(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, 20_000):
        drop(window, sample)
    window.activateWindow()
    onward = next(one for one in window.pages["images"].findChildren(QPushButton) if one.text().startswith("Next"))
    onward.setFocus()
    QTest.mouseClick(onward, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.shown == "pretext")
    assert window.stack.currentWidget() is window.pages["pretext"]
    qtbot.waitUntil(lambda: QApplication.focusWidget() is window.steps)
