"""What the time that is given comes to on this machine: unknown, measured, and known from an earlier run."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing

LONG = 60_000


def opened(window: MainWindow, sample: Path, qtbot: QtBot) -> PretrainPage:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, PretrainPage)
    qtbot.waitUntil(lambda: page.settings is not None)
    assert page.settings is not None
    page.settings.batch.editor("batch_size").set_value(8)
    qtbot.waitUntil(lambda: page.pace.measure.isVisible())
    return page


def test_it_is_measured_and_then_known_for_every_budget(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    page = opened(window, sample, qtbot)
    assert "not known" in page.pace.told.text()
    QTest.mouseClick(page.pace.measure, Qt.MouseButton.LeftButton)
    assert page.pace.stop.isVisible()
    qtbot.waitUntil(lambda: "On this machine: about 10 min" in page.pace.told.text(), timeout=LONG)
    assert not page.pace.measure.isVisible()
    assert not page.pace.stop.isVisible()
    assert page.settings is not None
    page.settings.budget.set_epochs(7)
    qtbot.waitUntil(lambda: "7.0 passes" in page.pace.told.text(), timeout=LONG)
    page.settings.batch.editor("batch_size").set_value(9)  # which was not measured
    qtbot.waitUntil(lambda: page.pace.measure.isVisible(), timeout=LONG)


def test_measuring_can_be_left(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    page = opened(window, sample, qtbot)
    QTest.mouseClick(page.pace.measure, Qt.MouseButton.LeftButton)
    QTest.mouseClick(page.pace.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.pace.measure.isVisible(), timeout=LONG)
    assert "not known" in page.pace.told.text()


def test_a_run_says_how_long_the_next_one_will_take(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    page = opened(window, sample, qtbot)
    assert page.settings is not None
    page.settings.budget.set_epochs(2)
    with qtbot.waitSignal(window.workspace.runner.ended, timeout=LONG):
        page.start_run()
    qtbot.waitUntil(lambda: "2.0 passes" in page.pace.told.text(), timeout=LONG)
