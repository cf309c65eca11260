"""A run on its own thread. The window speaks to it through RunControl and hears it through signals.

QThread is subclassed and only `run` overridden: a worker object whose loop never returns to the thread's event loop
never gets its queued slots, and then `quit` waits for ever.
"""

from collections import deque
from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from sslstudio.engine.compute.malloc import give_back
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event, RunStarted

FLUSH_MS = 50
ENDING_MS = 2000  # for a process that was ended to be gone
Factory = Callable[[RunControl], Iterator[Event]]


class RunThread(QThread):
    """Pulls a run's generator. `events` carries what came since the last flush, at most 20 times a second and never
    while nothing came: each look at the queue would stop the training for a moment, which shares Python's lock.
    `failed` carries an error that ended the run; `ended` comes last, when the thread is over.
    """

    events = Signal(list)
    failed = Signal(object)
    ended = Signal()
    _came = Signal()

    def __init__(self, factory: Factory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.control = RunControl()
        self._factory = factory
        self._waiting: deque[Event] = deque()  # append and popleft of a deque are atomic
        self._error: Exception | None = None
        self._timer = QTimer(self, interval=FLUSH_MS, singleShot=True)
        self._timer.timeout.connect(self._flush)
        self._came.connect(self._timer.start)
        self.finished.connect(self._finish)

    def run(self) -> None:
        """Everything that happens on the other thread."""
        try:
            for event in self._factory(self.control):
                self._waiting.append(event)
                if len(self._waiting) == 1:  # else the timer runs already
                    self._came.emit()
        except Exception as error:  # handed to the UI thread, which shows it
            self._error = error
        give_back()  # the window stays for long after a run

    def _flush(self) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if self._waiting:  # what came meanwhile to a queue that was not empty has told nobody
            self._timer.start()
        if batch:
            self.events.emit(batch)

    def _finish(self) -> None:
        self._timer.stop()
        self._flush()
        if self._error is not None:
            self.failed.emit(self._error)
        self.ended.emit()


class Runner(QObject):
    """The run that goes on, if any: one at a time. Pages listen here; `job` is pretrain, finetune or compare. `begun`
    carries its RunStarted, once: those that come later are of the runs that a comparison or tournament is made of."""

    started = Signal(str)
    begun = Signal(object)
    events = Signal(str, list)
    failed = Signal(str, object)
    ended = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job = ""
        self.was_stopped = False  # whether the newest run was asked to end
        self._thread: RunThread | None = None
        self._has_begun = False

    @property
    def active(self) -> bool:
        """Whether a run goes on."""
        return self._thread is not None

    @property
    def paused(self) -> bool:
        """Whether the run is asked to wait."""
        return self._thread is not None and self._thread.control.paused

    @property
    def stopping(self) -> bool:
        """Whether the run is asked to save and end."""
        return self._thread is not None and self._thread.control.stopping

    def start(self, job: str, factory: Factory) -> None:
        """Start a run. One at a time: another one is a mistake of the caller."""
        if self._thread is not None:
            raise RuntimeError("a run goes on already")
        thread = RunThread(factory, self)
        self.job, self._thread, self.was_stopped, self._has_begun = job, thread, False, False
        thread.events.connect(self._relay)
        thread.failed.connect(self._fail)
        thread.ended.connect(self._end)
        self.started.emit(job)
        thread.start()

    def stop(self) -> None:
        """Ask the run to save and end."""
        if self._thread is not None:
            self.was_stopped = True
            self._thread.control.stop()

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        if self._thread is not None:
            control = self._thread.control
            (control.resume if control.paused else control.pause)()

    def end_process(self) -> None:
        """End the process of a run that hangs, at once; nothing for one that has none of its own. Its error follows."""
        if self._thread is not None:
            self._thread.control.abandon()

    def abandon(self, milliseconds: int) -> None:
        """The way out when a run does not answer: wait once more, then end its process if it has one of its own, else
        its thread. The last checkpoint stays."""
        if self._thread is None or self._thread.wait(milliseconds):
            return
        self._thread.control.abandon()
        if not self._thread.wait(ENDING_MS):
            self._thread.terminate()
            self._thread.wait()

    def _relay(self, batch: list[Event]) -> None:
        first = None if self._has_begun else next((one for one in batch if isinstance(one, RunStarted)), None)
        if first is not None:
            self._has_begun = True
            self.begun.emit(first)
        self.events.emit(self.job, batch)

    def _fail(self, error: Exception) -> None:
        self.failed.emit(self.job, error)

    def _end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.wait()
            thread.deleteLater()
        self.ended.emit(self.job)
