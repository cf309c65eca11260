"""What is told often and shown less often."""

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QTimer

T = TypeVar("T")


class Paced(Generic[T]):
    """Shows the first value at once, and the newest one after each rest: figures that change twenty times a second
    cannot be read, and drawing them takes time from the training. `flush` shows what waits, `drop` forgets it."""

    def __init__(self, show: Callable[[T], None], milliseconds: int, parent: QObject) -> None:
        self._show = show
        self._newest: T | None = None
        self._rest = QTimer(parent, interval=milliseconds, singleShot=True)
        self._rest.timeout.connect(self.flush)

    def put(self, value: T) -> None:
        """Show it now, or when the rest is over."""
        self._newest = value
        if not self._rest.isActive():
            self.flush()

    def flush(self) -> None:
        """Show what waits, if anything does."""
        if self._newest is not None:
            newest, self._newest = self._newest, None
            self._rest.start()
            self._show(newest)

    def drop(self) -> None:
        """Forget what waits."""
        self._newest = None
        self._rest.stop()
