"""Work of the window itself in small pieces: one a turn of its loop, so that clicks and paints come in between."""

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, QTimer
from shiboken6 import isValid

_waiting: deque[tuple[QObject, Callable[[], object]]] = deque()


def in_turn(owner: QObject, call: Callable[[], object]) -> None:
    """Call on the UI thread once everything asked for before has been called, while `owner` lives: one call a turn."""
    _waiting.append((owner, call))
    if len(_waiting) == 1:
        _arm()


def _arm() -> None:
    app = QCoreApplication.instance()
    assert app is not None
    QTimer.singleShot(0, app, _next)


def _next() -> None:
    owner, call = _waiting[0]
    try:
        if isValid(owner):
            call()
    finally:
        _waiting.popleft()
        if _waiting:
            _arm()
