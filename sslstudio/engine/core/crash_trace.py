"""What is known of a process that was ended by native code, by the system or by a power cut.

Python cannot say anything any more then. So the trace of a crash in native code is written into the log by faulthandler
itself, and a window leaves a mark while it is open: a mark without its process tells the next start of the end.
"""

import faulthandler
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sslstudio.engine.core.files.leftovers import lives
from sslstudio.engine.core.mishaps import keep_line, log_file, log_tail, make_room

MARK: Final = "open-window-{pid}.txt"
_MARK = re.compile(r"open-window-(\d+)\.txt")
_FATAL = ("Fatal Python error", "Windows fatal exception")
_ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d process ", re.MULTILINE)
MOST = 40_000  # letters of a trace
_held: list[int] = []  # the mark of this window, open as long as it is


@dataclass(frozen=True)
class LastEnd:
    """A window that ended without being closed. trace: what faulthandler wrote, '' where it could write nothing."""

    pid: int
    begun: str
    trace: str


def watch_crashes() -> bool:
    """Have crashes in native code leave their trace in the log; whether they do.

    Not where it is watched already (PYTHONFAULTHANDLER, a test): whoever did that wants the trace elsewhere.
    """
    if faulthandler.is_enabled():
        return False
    with suppress(OSError, ValueError, RuntimeError):
        file = log_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        make_room(file)
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)  # open as long as the process lives
        faulthandler.enable(handle)
        return True
    return False


def begin(what: str) -> None:
    """Say in the log which process this is, so that a trace below can be told to be its own."""
    keep_line(f"began: {what}")


def begin_window() -> list[LastEnd]:
    """Leave the mark of an open window. Returns the windows that ended without being closed, which are forgotten."""
    folder = log_file().parent
    ended: list[LastEnd] = []
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.iterdir()):
            found = _MARK.fullmatch(file.name)
            if found is not None and (last := _take_mark(file, int(found[1]))) is not None:
                ended.append(last)
        mark = folder / MARK.format(pid=os.getpid())
        _held.append(os.open(mark, os.O_WRONLY | os.O_CREAT, 0o600))
        os.write(_held[-1], time.strftime("%Y-%m-%d %H:%M:%S").encode())
    return ended


def _take_mark(file: Path, pid: int) -> LastEnd | None:
    """What the mark of a dead window says, once it is taken away; None where the window is open."""
    if pid != os.getpid() and os.name != "nt" and lives(pid):
        return None
    begun = file.read_text(encoding="utf-8", errors="replace").strip()
    try:
        file.unlink()
    except OSError:  # Windows takes no file away that its process holds open
        return None
    last = LastEnd(pid, begun, trace_of(pid))
    how = "its trace is above" if last.trace else "without a trace: it was killed, or the power was cut"
    keep_line(f"noticed that the window of process {pid}, begun {begun}, ended unexpectedly, {how}")
    return last


def end_window() -> None:
    """Take the mark away: the window was closed."""
    with suppress(OSError):
        while _held:
            os.close(_held.pop())
        (log_file().parent / MARK.format(pid=os.getpid())).unlink(missing_ok=True)


def trace_of(pid: int) -> str:
    """The trace of a crash of this process, as far as the log has one after the process began; else ''."""
    log = log_tail()
    begun = log.rfind(f" process {pid} began")
    at = max((log.find(fatal, begun) for fatal in _FATAL), default=-1) if begun >= 0 else -1
    if at < 0:
        return ""
    after = _ENTRY.search(log, at)
    return log[at : after.start() if after else len(log)].strip()[:MOST]
