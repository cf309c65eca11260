"""Folders and files that were pointed at since the program was started, so that a bug report can leave them out."""

from collections import deque
from pathlib import Path

MOST = 1000
_places: deque[str] = deque(maxlen=MOST)


def note_place(*paths: Path) -> None:
    """Keep which folders and files were pointed at, so that a report can leave their names out."""
    _places.extend(str(path) for path in paths)


def places() -> list[str]:
    """What was pointed at."""
    return list(dict.fromkeys(_places))
