"""The fixture that looks after every test of the window fails for each kind of thing that one may leave behind."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QThread, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from tests.support import leftovers

Undo = Callable[[], object]


def qt_thread() -> Undo:
    thread = QThread()
    thread.start()  # its event loop goes on until it is told to end

    def undo() -> None:
        thread.quit()
        thread.wait()

    return undo


def timer() -> Undo:
    ticking = QTimer(interval=60_000)
    ticking.start()
    return ticking.stop


def python_thread() -> Undo:
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="left behind", daemon=True)
    thread.start()

    def undo() -> None:
        over.set()
        thread.join()

    return undo


def process() -> Undo:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)

    def undo() -> None:
        child.communicate()

    return undo


def window() -> Undo:
    left = QWidget()
    left.show()
    return left.close


def hidden() -> Undo:
    left = QWidget()
    left.setObjectName("of nobody")
    return lambda: shiboken6.delete(left)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is about to end."""
    monkeypatch.setattr(leftovers, "PATIENCE", 0.1)


LEFT: dict[str, Callable[[], Undo]] = {
    "threads still run": qt_thread,
    "timers still tick": timer,
    "Python's threads still run: .*left behind": python_thread,
    "windows are still open": window,
    "hidden widgets have no parent: .*of nobody": hidden,
}
if Path("/proc/self/task").is_dir():
    LEFT["processes still run: .*stdin.read"] = process


@pytest.mark.parametrize("said", LEFT)
def test_what_is_left_behind_is_found(said: str, qapp: QApplication, hurried: None) -> None:
    look = leftovers.watch(qapp)
    next(look)
    undo = LEFT[said]()
    try:
        with pytest.raises(AssertionError, match=f"^{said}") as failed:
            next(look)
        assert "\n" not in str(failed.value)  # and nothing else is blamed
    finally:
        undo()


@pytest.mark.parametrize("said", LEFT)
def test_what_was_there_before_or_is_gone_is_nobodys_fault(said: str, qapp: QApplication) -> None:
    look = leftovers.watch(qapp)
    next(look)
    LEFT[said]()()
    with pytest.raises(StopIteration):
        next(look)


def test_every_test_of_the_window_is_looked_after(request: pytest.FixtureRequest) -> None:
    assert "nothing_left" in request.fixturenames
