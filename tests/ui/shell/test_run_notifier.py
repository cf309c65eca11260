"""The end of a run is told to whoever looks elsewhere: in the tray where the system has one, else by the window."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication, QMainWindow, QSystemTrayIcon, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Event
from sslstudio.ui.background.runner import Runner
from sslstudio.ui.base import app_settings, resources
from sslstudio.ui.shell import run_notifier
from sslstudio.ui.shell.run_notifier import RunNotifier

told: list[tuple[str, str]] = []
alerted: list[QWidget] = []


class Tray(QSystemTrayIcon):
    """The real one on a system that has a tray: it notes what it is to show."""

    there = True

    @staticmethod
    def isSystemTrayAvailable() -> bool:
        """As the test wants it."""
        return Tray.there

    @staticmethod
    def supportsMessages() -> bool:
        """As most do."""
        return True

    def showMessage(self, title: str, words: str, *_: object) -> None:
        """Note it."""
        assert self.isVisible()
        told.append((title, words))


class Application(QApplication):
    """The real one: it notes which window asks for attention."""

    @staticmethod
    def alert(widget: QWidget, msecs: int | None = 0) -> None:
        """Note it."""
        alerted.append(widget)


def fails(control: RunControl) -> Iterator[Event]:
    yield from ()
    raise DataError("The disk is full.")


@pytest.mark.qt_log_ignore("systemTrayWindowChanged")  # a screen that is none has no tray to hear of
@pytest.mark.parametrize(
    ("there", "wanted"), [(True, True), (False, True), (True, False)], ids=["tray", "no tray", "not wanted"]
)
def test_the_end_of_a_run_is_told_outside_the_window(
    there: bool, wanted: bool, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(run_notifier, "QSystemTrayIcon", Tray)
    monkeypatch.setattr(run_notifier, "QApplication", Application)
    monkeypatch.setattr(Tray, "there", there)
    monkeypatch.setattr(app_settings, "notifies", lambda: wanted)
    told.clear()
    alerted.clear()
    window = QMainWindow()
    window.setWindowIcon(resources.icon("play", "#000000", "#000000"))
    qtbot.addWidget(window)
    runner = Runner(window)
    looks_after = RunNotifier(runner, window)
    with qtbot.waitSignal(looks_after.told):
        runner.start("pretrain", fails)
    assert alerted == [window] * wanted
    assert told == [("Pretraining could not go on", "The disk is full.")] * (there and wanted)
    looks_after.finish()
    assert looks_after._tray is None or not looks_after._tray.isVisible()
