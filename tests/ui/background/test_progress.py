"""Long work in the background says how far it is and how long it still takes, and can be stopped and begun again."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QThreadPool
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.ui.background.progress import Progress
from sslstudio.ui.pages.images.page import ImagesPage
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets.job_row import BusyLine
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.support.clipped import clipped

LONG = 60_000


def click(one: QAbstractButton) -> None:
    """As a person does: only what is seen can be clicked."""
    assert one.isVisible()
    assert one.isEnabled()
    QTest.mouseClick(one, Qt.MouseButton.LeftButton)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def reading(done: int, total: int = 1000) -> Preparing:
    return Preparing(stage=Message("Reading pictures"), done=done, total=total)


def test_the_time_left_is_that_of_the_pace_since_the_stage_began() -> None:
    clock = Clock()
    progress = Progress(clock)
    assert progress.describe(reading(400)) == "Reading pictures  ·  400 of 1,000"  # 400 were there before
    clock.now += 10
    assert progress.describe(reading(500)) == "Reading pictures  ·  500 of 1,000  ·  50 s left"
    assert progress.describe(Preparing(stage=Message("Drawing the map"), done=0, total=0)) == "Drawing the map"
    clock.now += 1000
    assert progress.far(reading(10)) == "10 of 1,000"
    clock.now += 1
    assert progress.far(reading(20)) == "20 of 1,000  ·  2 min left"
    assert progress.far(reading(0)) == "0 of 1,000"  # begun anew
    clock.now += 1
    assert progress.far(reading(1000)) == "1,000 of 1,000"


def stop_at_the_first_word(line: BusyLine) -> None:
    """Stop it as soon as it says something."""
    if line.stop.isVisible():
        click(line.stop)


@pytest.fixture
def filled(window: MainWindow, sample_folder: Path, qtbot: QtBot) -> MainWindow:
    """The window with pictures that have classes and masks."""
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample_folder)
    return window


def test_reading_the_pictures(window: MainWindow, sample_folder: Path, qtbot: QtBot) -> None:
    page = window.pages["images"]
    assert isinstance(page, ImagesPage)
    once = window.workspace.checking.connect(lambda _: stop_at_the_first_word(page.checking))
    window.open_folder(sample_folder)
    qtbot.waitUntil(lambda: page.checking.told.text() == "Reading was stopped.", timeout=LONG)
    window.workspace.checking.disconnect(once)
    QThreadPool.globalInstance().waitForDone()
    assert window.workspace.readable is None
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        click(page.checking.again)
    assert not page.checking.isVisible()


def test_looking_whether_a_task_suits(filled: MainWindow, qtbot: QtBot) -> None:
    filled.go("pretext")
    page = filled.pages["pretext"]
    assert isinstance(page, PretextPage)
    qtbot.waitUntil(lambda: page.copy.isEnabled() and page.clinic.found is not None, timeout=LONG)
    busy = page.clinic_view.busy
    once = page.clinic.progressed.connect(lambda _: stop_at_the_first_word(busy))
    page.clinic.ask()
    assert busy.stop.isVisible()
    qtbot.waitUntil(lambda: busy.told.text() == "Not known.", timeout=LONG)
    page.clinic.progressed.disconnect(once)
    QThreadPool.globalInstance().waitForDone()
    assert page.clinic.found is None
    click(busy.again)
    qtbot.waitUntil(lambda: "your pictures" in page.clinic_view.verdict.text() and not busy.isVisible(), timeout=LONG)


def _hear(page: ResultsPage, drawn: list[str]) -> None:
    job = page.map._job
    if job is not None:
        job.progressed.connect(lambda _: drawn.append(page.map.waiting.told.text()))


def test_looking_closer_at_a_result(filled: MainWindow, classified: Path, qtbot: QtBot) -> None:
    filled.go("results")
    page = filled.pages["results"]
    assert isinstance(page, ResultsPage)
    filled.workspace.show_result(classified)
    qtbot.waitUntil(lambda: page.results is not None, timeout=LONG)
    once = page.inspection.progressed.connect(lambda _: stop_at_the_first_word(page.map.waiting))
    page.tabs.setCurrentIndex(3)
    qtbot.waitUntil(lambda: page.map.waiting.told.text() == "Stopped.", timeout=LONG)
    page.inspection.progressed.disconnect(once)
    click(page.map.waiting.again)
    drawn: list[str] = []
    page.inspection.found.connect(lambda: _hear(page, drawn))
    qtbot.waitUntil(lambda: bool(page.map.spots), timeout=LONG)
    assert any(one.startswith("Drawing the map  ·  1 of 4") for one in drawn)

    page.tabs.setCurrentIndex(2)
    close_up = page.predictions.close_up
    qtbot.waitUntil(lambda: close_up.near.gallery.rowCount() == 6, timeout=LONG)
    click(close_up.why)
    heat = close_up._jobs["heat"]
    click(close_up.why)  # no longer wanted
    assert heat.control.stopping
    QThreadPool.globalInstance().waitForDone()
    assert not close_up.picture.mask_shown
    assert not close_up.busy.isVisible()
    click(close_up.why)
    click(close_up.busy.stop)
    assert close_up.busy.told.text() == "Stopped."
    QThreadPool.globalInstance().waitForDone()
    assert not close_up.picture.mask_shown
    heard: list[str] = []
    click(close_up.busy.again)
    close_up._jobs["heat"].progressed.connect(lambda event: heard.append(close_up.busy._progress.describe(event)))
    qtbot.waitUntil(lambda: close_up.picture.mask_shown, timeout=LONG)
    assert any(one.startswith("Covering one part after the other  ·  5 of ") for one in heard)
    assert not close_up.busy.isVisible()
    assert "less sure" in close_up.told.text()
    filled.resize(1280, 720)
    qtbot.waitUntil(lambda: not clipped(close_up), timeout=LONG)
    close_up.told.setText("")
    close_up.busy.wait("Looking at the labelled pictures  ·  12,176 of 12,400  ·  3 min left")
    QApplication.processEvents()
    assert close_up.busy.stop.isVisible()
    assert not clipped(close_up)


def test_comparing_pictures_to_label(filled: MainWindow, qtbot: QtBot) -> None:
    filled.go("label")
    page = filled.pages["label"]
    assert isinstance(page, LabelPage)
    qtbot.waitUntil(lambda: page.faces.currentWidget() is page.board, timeout=LONG)
    page.board.tabs.setCurrentIndex(2)
    qtbot.waitUntil(page.halt.isVisible, timeout=LONG)
    click(page.halt)
    assert "Stopped" in page.board.map.busy.explanation.text()
    assert page._alike is None
    assert not page.halt.isVisible()
    page.board.tabs.setCurrentIndex(0)
    page.board.tabs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: page._alike is not None, timeout=LONG)
