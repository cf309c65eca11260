"""A widget that is shown before it has a parent is a window for a moment: it flashes, and takes the keys away."""

from pathlib import Path

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.pages.spec import page_names
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing


class Watcher(QObject):
    """Notes windows that are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """For Qt."""
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.seen.append(type(watched).__name__)
        return False


def test_no_page_shows_a_window_of_its_own(window: MainWindow, sample: Path, qtbot: QtBot, qapp: QApplication) -> None:
    with changing(qtbot, window.workspace, Change.PICTURES, 20_000):
        window.open_folder(sample)
    watcher = Watcher()
    qapp.installEventFilter(watcher)
    for step in page_names():
        window.go(step)
    qapp.removeEventFilter(watcher)
    window.close()
    assert watcher.seen == []
