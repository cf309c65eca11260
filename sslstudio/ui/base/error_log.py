"""What went wrong since the program was started, for a bug report: the last hundred entries, kept in memory only."""

import time
import traceback
from collections import deque
from pathlib import Path

MOST = 100
_entries: deque[str] = deque(maxlen=MOST)
_places: deque[str] = deque(maxlen=10 * MOST)


def note(error: BaseException) -> None:
    """Keep an error with its traceback."""
    said = "".join(traceback.format_exception(error)).rstrip()
    _entries.append(f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{said}")


def lines() -> list[str]:
    """The entries, oldest first."""
    return list(_entries)


def note_place(*paths: Path) -> None:
    """Keep which folders and files were pointed at, so that a report can leave their names out."""
    _places.extend(str(path) for path in paths)


def places() -> list[str]:
    """What was pointed at."""
    return list(dict.fromkeys(_places))
