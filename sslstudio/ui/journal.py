"""What went wrong since the program was started, for a bug report: the last hundred entries, kept in memory only."""

import time
import traceback
from collections import deque

MOST = 100
_entries: deque[str] = deque(maxlen=MOST)


def note(error: BaseException) -> None:
    """Keep an error with its traceback."""
    said = "".join(traceback.format_exception(error)).rstrip()
    _entries.append(f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{said}")


def lines() -> list[str]:
    """The entries, oldest first."""
    return list(_entries)
