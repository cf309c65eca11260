"""How a run is steered from another thread: stop, pause, resume. The run asks `proceed` between two steps. And how one
that nobody steers is run to its end."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class RunControl:
    """Thread-safe switches of one run. The window holds one end, the run's generator the other."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._listeners: list[Callable[[str], None]] = []
        self._on_proceed: Callable[[], None] | None = None

    def on_proceed(self, call: Callable[[], None]) -> None:
        """Have this called each time the run asks whether it may go on: a sign that it does."""
        self._on_proceed = call

    @contextmanager
    def heard_by(self, listener: Callable[[str], None]) -> Iterator[None]:
        """Within it `listener` is called with each of stop, pause, resume and abandon, on the thread that asks."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _say(self, word: str) -> None:
        for listener in list(self._listeners):
            listener(word)

    def stop(self) -> None:
        """Ask the run to save and end. Wakes a paused run."""
        self._stop.set()
        self._running.set()
        self._say("stop")

    def abandon(self) -> None:
        """Stop, and end at once what is carried out in other processes: nobody waits for it."""
        self.stop()
        self._say("abandon")

    def wait(self, seconds: float) -> bool:
        """Wait for so long at most; True as soon as the run is to stop."""
        return self._stop.wait(seconds)

    def pause(self) -> None:
        """Ask the run to wait before its next step. After a stop it does nothing: the run must come to its end."""
        self._running.clear()
        if self._stop.is_set():
            self._running.set()
        else:
            self._say("pause")

    def resume(self) -> None:
        """Let a paused run go on."""
        self._running.set()
        self._say("resume")

    @property
    def stopping(self) -> bool:
        """True once `stop` was called."""
        return self._stop.is_set()

    @property
    def paused(self) -> bool:
        """True while the run is asked to wait."""
        return not self._running.is_set() and not self._stop.is_set()

    def proceed(self) -> bool:
        """Block while paused; then False if the run is to stop, True otherwise."""
        if self._on_proceed is not None:
            self._on_proceed()
        self._running.wait()
        return not self._stop.is_set()


def to_end(steps: Generator[Any, None, T]) -> T:
    """Run a generator to its end, whatever it says on the way, and give back what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            returned: T = end.value
            return returned
