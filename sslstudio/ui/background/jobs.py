"""Short work off the UI thread: the operation gets plain data and never a widget; its answer comes back on the UI
thread. An operation is a generator of events that returns its result, as the engine's own are, or a plain function.

A function of the engine is an operation as it is: `partial(unpack, archive, folder)` where it wants the job's control,
`without_control(suggest_groups, paths)` where it does not. One whose module loads torch is named by `late`.
"""

import importlib
from collections.abc import Callable, Generator
from typing import Any, ParamSpec, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, QRunnable, Qt, QThread, QThreadPool, Signal
from shiboken6 import isValid

from sslstudio.engine.core.control import RunControl

P = ParamSpec("P")
T = TypeVar("T")
Steps = Generator[Any, None, Any]
_alive: set["Job"] = set()
FOREGROUND = 4  # threads at least for what a person waits for, also on a machine of one core: they mostly read files
BEHIND = 2  # threads for what takes long and nobody waits for: reading all pictures, and the clinic
_behind: QThreadPool | None = None


def pool(*, behind: bool = False) -> QThreadPool:
    """The threads that jobs run on: those for what a person waits for, or those `behind` them, which never hold one of
    the first. Made on first use, on the UI thread."""
    global _behind
    shared = QThreadPool.globalInstance()
    if not behind:
        shared.setMaxThreadCount(max(FOREGROUND, shared.maxThreadCount()))
        return shared
    if _behind is None or not isValid(_behind):
        _behind = QThreadPool(QCoreApplication.instance())
        _behind.setMaxThreadCount(BEHIND)
        _behind.setThreadPriority(QThread.Priority.LowPriority)
    return _behind


def wait_for_all() -> None:
    """Wait until no job goes on any more, on any thread."""
    for one in (pool(), pool(behind=True)):
        one.waitForDone()


def without_control(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[RunControl], T]:
    """Make an operation of a call that nothing can stop once it has begun."""
    return lambda _: function(*args, **kwargs)


def late(module: str, name: str) -> Callable[..., Any]:
    """Stand for a function whose module loads torch: the first call imports it, on the thread that calls. Stands in the
    `else` of `if TYPE_CHECKING`, which imports the function itself, so that its calls are checked."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*args, **kwargs)

    return call


class Job(QObject):
    """One piece of work on its way. Cancelled, or with its owner gone, it says nothing any more."""

    progressed = Signal(object)
    done = Signal(object)
    failed = Signal(object)
    over = Signal()

    def __init__(self, owner: QObject) -> None:
        # Owned by the application: the last Python reference may be dropped on the worker's thread.
        super().__init__(QCoreApplication.instance())
        self.control = RunControl()
        self._owner = owner

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for the answer."""
        return not self.control.stopping and isValid(self._owner)

    def cancel(self) -> None:
        """Ask the work to end and forget its answer."""
        self.control.stop()


class _Runnable(QRunnable):
    def __init__(self, job: Job, op: Callable[[RunControl], Any]) -> None:
        super().__init__()
        self._job, self._op = job, op

    def run(self) -> None:
        try:
            result = self._op(self._job.control)
            if isinstance(result, Generator):
                result = self._pull(result)
            self._job.done.emit(result)
        except Exception as error:  # handed to the UI thread, which shows it
            self._job.failed.emit(error)
        finally:
            self._job.over.emit()

    def _pull(self, steps: Steps) -> Any:
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                return end.value
            if self._job.control.stopping:
                steps.close()
                return None
            self._job.progressed.emit(event)


def run(
    op: Callable[[RunControl], Any],
    then: Callable[[Any], None],
    failed: Callable[[Exception], None],
    *,
    owner: QObject,
    progress: Callable[[Any], None] | None = None,
    over: Callable[[], None] | None = None,
    behind: bool = False,
) -> Job:
    """Start `op` on a thread; `then`, `failed` and `progress` are called on the UI thread while `owner` lives.

    `behind`: it takes long, and what a person waits for goes before it. `op` gets the job's RunControl, which
    `Job.cancel` stops. `over` comes last, also when it was cancelled: by then nothing of it goes on.
    """
    job = Job(owner)
    _alive.add(job)

    def guard(call: Callable[[Any], None]) -> Callable[[Any], None]:
        return lambda value: call(value) if job.wanted else None

    # A context object on the UI thread makes each call a queued one, whatever thread emits.
    for signal, call in ((job.done, then), (job.failed, failed), (job.progressed, progress or (lambda _: None))):
        relay = _Relay(job, guard(call))
        signal.connect(relay.take, Qt.ConnectionType.QueuedConnection)

    def bid_farewell(_: object) -> None:
        if over is not None and isValid(owner):
            over()
        _forget(job)

    farewell = _Relay(job, bid_farewell)
    job.over.connect(farewell.take_nothing, Qt.ConnectionType.QueuedConnection)
    pool(behind=behind).start(_Runnable(job, op))
    return job


def _forget(job: Job) -> None:
    _alive.discard(job)
    job.deleteLater()


class _Relay(QObject):
    """Receives a signal on the thread it was made on."""

    def __init__(self, job: Job, call: Callable[[Any], None]) -> None:
        super().__init__(job)
        self._call = call

    def take(self, value: object) -> None:
        self._call(value)

    def take_nothing(self) -> None:
        self._call(None)


def cancel_all() -> None:
    """Ask all work to end, for closing the program."""
    for job in list(_alive):
        job.cancel()
