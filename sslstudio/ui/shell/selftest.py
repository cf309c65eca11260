"""The last part of the self-test: open the window, have its pages drawn, close it."""

import time
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from sslstudio.engine.core.errors import RunError
from sslstudio.ui.shell.main_window import MainWindow

PATIENCE = 120.0  # seconds: importing torch from a slow disk takes most of a minute
WATCH_MS = 100


def try_window(*, every_page: bool) -> int:
    """Open the window, with `every_page` have the engine loaded and each page drawn; returns how many were.

    Raises RunError when the window does not come up, and with its words when a dialog does.
    """
    app = QApplication.instance() or QApplication(["sslstudio"])
    window = MainWindow()
    watch = _DialogWatch(window)
    window.show()
    _wait(lambda: window.windowHandle().isExposed(), "The window did not come up")
    if every_page:
        window.workspace.load_engine()
        _wait(lambda: window.workspace.engine is not None or bool(watch.said), "The window could not load the engine")
        for name in window.specs:
            window.go(name)
            app.processEvents()
        window.help.manual()  # its pages and pictures must have come along with the program
        if window.help.reading is not None:
            window.help.reading.open_each()
    drawn = len(window.pages)
    window.close()
    app.processEvents()
    if watch.said:
        raise RunError("The window opened a dialog: {said}", said=watch.said[0])
    return drawn


def _wait(until: Callable[[], bool], otherwise: str) -> None:
    """Let Qt work until something is so. Raises RunError after `PATIENCE` seconds."""
    deadline = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > deadline:
            raise RunError("{otherwise} within {patience:.0f} seconds.", otherwise=otherwise, patience=PATIENCE)
        QApplication.processEvents()
        time.sleep(0.002)
    QApplication.processEvents()


class _DialogWatch:
    """Closes every dialog, which would wait for a person for ever, and keeps its words."""

    def __init__(self, window: QWidget) -> None:
        self.said: list[str] = []
        self._timer = QTimer(window, interval=WATCH_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is not None:
            texts = [label.text() for label in dialog.findChildren(QLabel) if label.text()]
            self.said.append(" ".join([dialog.windowTitle(), *texts]))
            dialog.close()
