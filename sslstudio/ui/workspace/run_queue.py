"""Runs that wait for the one before them: kept in an open file in the user's folder, started one after the other."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.runs.queue import RunQueue, Waiting
from sslstudio.ui.background.runner import Runner
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.widgets import dialogs

FILE = "queue.json"
T = TypeVar("T")


class QueueController(QObject):
    """The queue of the window. After a run that ended by itself the next one starts; after one that a person stopped,
    or a start of the program, it waits for `start`."""

    changed = Signal()
    starting = Signal(object)  # Waiting

    def __init__(self, runner: Runner, parent: QObject) -> None:
        super().__init__(parent)
        self._runner = runner
        self._queue = RunQueue(app_settings.home() / FILE)
        self._next = QTimer(self, interval=0, singleShot=True)  # once every page has heard that the run has ended
        self._next.timeout.connect(self.start)
        self._now: Waiting | None = None  # the run of the queue that goes on
        self._error = ""
        self._taken_from: RunQueue | None = None  # until that run has begun
        self.over: list[tuple[str, str]] = []  # title and end of those that ran since the window opened
        runner.begun.connect(lambda _: self._settle())
        runner.failed.connect(lambda _, error: self._note_error(error))
        runner.ended.connect(lambda _: self._note_end())

    @property
    def queue(self) -> RunQueue:
        """The runs that wait; another folder of runs has another queue."""
        file = app_settings.home() / FILE
        if self._queue.file != file:
            self._queue = RunQueue(file)
        return self._queue

    @property
    def runs(self) -> tuple[Waiting, ...]:
        """What waits, the next one first; nothing, and the reason told once, when the file is damaged."""
        return self._try(lambda: self.queue.runs) or ()

    def add(self, job: str, title: str, config: Any) -> None:
        """Put a run at the end. `config` is the engine's."""
        from sslstudio.engine.training.config import config_dict

        self._change(lambda: self.queue.add(Waiting(job, title, config_dict(job, config))))

    def remove(self, number: int) -> Waiting | None:
        """Take one out; it is given back, so that it can be put in again."""
        gone = self._try(lambda: self.queue.remove(number))
        self.changed.emit()
        return gone

    def insert(self, number: int, run: Waiting) -> None:
        """Put one in at a place."""
        self._change(lambda: self.queue.insert(number, run))

    def move(self, number: int, by: int) -> int:
        """One up or down; its new number."""
        place = self._try(lambda: self.queue.move(number, by))
        self.changed.emit()
        return number if place is None else place

    def start(self) -> None:
        """Start the next one, unless a run goes on."""
        self._settle()
        queue = self.queue
        waiting = None if self._runner.active else self._try(queue.take)
        if waiting is not None:
            out = str(waiting.config.get("out", ""))
            waiting = Waiting(waiting.job, waiting.title, {**waiting.config, "out": _free(out, waiting.config)})
            self._follow(out, str(waiting.config["out"]))
            self._now, self._error, self._taken_from = waiting, "", queue
            self.changed.emit()
            self.starting.emit(waiting)
            self._runner.start(waiting.job, partial(run_operations.start_waiting, waiting, app_settings.apart()))

    def _follow(self, out: str, place: str) -> None:
        """Runs that wait to start from this one are told where it is kept, when that is not where it was to be."""
        if out == place:
            return
        for number, run in enumerate(self.runs):
            if run.config.get("source") == out:
                self._try(partial(self.queue.remove, number))
                moved = Waiting(run.job, run.title, {**run.config, "source": place})
                self._try(partial(self.queue.insert, number, moved))

    def _settle(self) -> None:
        """The run that was taken has begun, or has ended without: it does not wait any more."""
        queue, self._taken_from = self._taken_from, None
        if queue is not None:
            self._try(queue.settle)

    def _note_error(self, error: Exception) -> None:
        self._error = dialogs.error_text(error)

    def _note_end(self) -> None:
        self._settle()
        if self._now is not None:
            how = self.tr("Stopped") if self._runner.was_stopped else self.tr("Finished")
            failed = self.tr("It could not go on: {0}").format(self._error)
            self.over.append((self._now.title, failed if self._error else how))
            self._now = None
            self.changed.emit()
        if not self._runner.was_stopped and self.runs:
            self._next.start()

    def _change(self, call: Callable[[], None]) -> None:
        self._try(call)
        self.changed.emit()

    def _try(self, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except StudioError as error:
            dialogs.tell_error(None, error)
            return None


def _free(out: str, config: dict[str, Any]) -> str:
    """The folder of a run, another name when it is taken by now: nothing is ever overwritten. One that holds no more
    than the beginning of this very run is its own."""
    path, number = Path(out), 2
    while path.exists() and not run_operations.not_begun(path, config):
        path, number = Path(f"{out} {number}"), number + 1
    return str(path)
