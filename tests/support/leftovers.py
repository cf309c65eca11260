"""What a test of the window left behind: threads, processes, timers and widgets of nobody, shown or not."""

import gc
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from shiboken6 import Shiboken, getCppPointer, isValid, ownedByPython

from sslstudio.ui.background import jobs

PATIENCE = 3.0  # seconds for what is about to end
# Python's own process that watches over shared memory and stays until the program ends
STAYS = ("multiprocessing.resource_tracker",)
# menus that the plotting library makes for each plot and keeps without a parent
OF_PLOTS = ("ViewBoxMenu", "Plot Options", "Mouse Mode")


@dataclass(frozen=True)
class Present:
    """What there was before."""

    threads: frozenset[threading.Thread]
    processes: frozenset[int]
    widgets: frozenset[int]

    @classmethod
    def now(cls) -> "Present":
        """What there is."""
        widgets = frozenset(address(one) for one in hidden())
        return cls(frozenset(python_threads()), frozenset(children()), widgets)


def watch(app: QApplication) -> Iterator[None]:
    """Raises AssertionError if what happens between its two steps leaves something behind."""
    before = Present.now()
    yield
    settle()
    if left_since(before, app):
        gc.collect()  # a widget in a ring of references is gone as soon as the ring is looked for
        deadline = time.monotonic() + PATIENCE
        while left_since(before, app) and time.monotonic() < deadline:
            settle()
    found = left_since(before, app)
    for window in windows():
        window.close()
    assert not found, "\n".join(found)


def settle() -> None:
    """Let everything that is due happen."""
    for _ in range(3):
        jobs.wait_for_all()
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def left_since(before: Present, app: QApplication) -> list[str]:
    """A line for each kind of thing that is there and was not, with what to do about it."""
    wrapped = [one for one in Shiboken.getAllValidWrappers() if isinstance(one, (QThread, QTimer)) and isValid(one)]
    kinds: tuple[tuple[list[object], str], ...] = (
        (
            [one for one in wrapped if isinstance(one, QThread) and one is not app.thread() and one.isRunning()],
            "threads still run: {}; wait for them",
        ),
        (
            [one for one in wrapped if isinstance(one, QTimer) and one.isActive()],
            "timers still tick: {}; stop them or give them a parent that is deleted",
        ),
        (
            [one for one in python_threads() if one not in before.threads],
            "Python's threads still run: {}; join them",
        ),
        (
            [about for number, about in children().items() if number not in before.processes],
            "processes still run: {}; wait for them",
        ),
        (
            list(windows()),
            "windows are still open: {}; hand them to qtbot.addWidget",
        ),
        (
            [one for one in hidden() if address(one) not in before.widgets],
            "hidden widgets have no parent: {}; give them one that is deleted",
        ),
    )
    return [said.format(found) for found, said in kinds if found]


def windows() -> list[QWidget]:
    """Every window that is open."""
    return [one for one in widgets() if one.isVisible() and one.isWindow()]


def hidden() -> list[QWidget]:
    """Every widget of nobody that is not shown: it would be a window, and nothing deletes it. Python owns those."""
    return [one for one in widgets() if ownedByPython(one) and not one.isVisible() and not of_plots(one)]


def widgets() -> list[QWidget]:
    """Those that Python knows. `QApplication.topLevelWidgets` makes a Python object of each of Qt's own too (lists of
    boxes, tips), also of one that is just going, and that ended a process once."""
    return [one for one in Shiboken.getAllValidWrappers() if isinstance(one, QWidget) and isValid(one)]


def of_plots(widget: QWidget) -> bool:
    """Whether it is one of the menus of the plotting library."""
    return isinstance(widget, QMenu) and (type(widget).__name__ in OF_PLOTS or widget.title() in OF_PLOTS)


def address(widget: QWidget) -> int:
    """Where Qt has it; the widget itself is not held."""
    found: int = getCppPointer(widget)[0]
    return found


def python_threads() -> list[threading.Thread]:
    """Threads that Python started: one of Qt's that runs Python is a dummy to it, and is looked after as a QThread."""
    dummy = threading._DummyThread
    return [one for one in threading.enumerate() if one.is_alive() and not isinstance(one, dummy)]


def children() -> dict[int, str]:
    """Processes that this one started and that have not ended, with their command; {} where the system has no /proc."""
    found = {}
    for file in Path("/proc/self/task").glob("*/children"):
        try:
            numbers = [int(number) for number in file.read_text().split()]
        except OSError:  # that thread has ended
            continue
        for number in numbers:
            about = Path("/proc", str(number))
            try:
                state = (about / "stat").read_text().rpartition(")")[2].split()[0]
                command = (about / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:  # it has ended meanwhile
                continue
            if state != "Z" and not any(name in command for name in STAYS):
                found[number] = f"{number} {command or os.fspath(about)}"
    return found
