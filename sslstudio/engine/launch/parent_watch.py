"""What a child does when the process that started it has gone: it saves and ends, within ten seconds.

The pipe of its standard input ends with the other process, however that died. A thread waits for it and asks the run to
stop, which saves. A run that does not come to its end is ended: by a timer, and where the interpreter itself stands
still (a driver that hangs, a stopped process) by a small guard, a process of its own (on Linux; Windows cannot fork,
and a Mac must not).
"""

import ctypes
import os
import select
import signal
import stat
import sys
import threading
import time
import warnings
from contextlib import suppress
from types import TracebackType
from typing import Self

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.files.leftovers import sweep_temporary

WORDS = ("stop", "pause", "resume")
GRACE = 7.0  # seconds to save and end once the other process has gone
LATER = 1.0  # seconds after which the guard does what the timer could not
LOOK_MS = 500  # between two looks of the guard
_PDEATHSIG = 1  # PR_SET_PDEATHSIG, <linux/prctl.h>


class ParentWatch:
    """While it is open the words of the other process steer `control`, and its end is heard. `listen` False: another
    process of the group listens, and only the guard is there."""

    def __init__(self, control: RunControl, *, listen: bool = True) -> None:
        self._control, self._listens = control, listen
        self._open = False
        self._timer: threading.Timer | None = None
        self._guard = 0
        self.orphaned = False

    def __enter__(self) -> Self:
        self._open = True
        if sys.platform == "linux" and _is_pipe(0):
            self._guard = _start_guard()
        if self._listens:
            threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
        if self.orphaned:
            sweep_temporary()
        if self._guard:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._guard, signal.SIGKILL)
                os.waitpid(self._guard, 0)

    def _listen(self) -> None:
        rest = b""
        while chunk := os.read(0, 4096):  # not sys.stdin: a thread that waits in it holds up the end of the program
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if (word := line.decode(errors="replace").strip()) in WORDS:
                    getattr(self._control, word)()
        if not self._open:
            return
        self.orphaned = True
        if _is_pipe(0):
            self._timer = threading.Timer(GRACE, _give_up)
            self._timer.daemon = True
            self._timer.start()
        self._control.stop()


def _give_up() -> None:
    """What was saved last is kept; a half-written file has a name by which the next process removes it."""
    sweep_temporary()
    os._exit(1)


def _is_pipe(handle: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(handle).st_mode)
    except OSError:
        return False


def _start_guard() -> int:
    """The process that ends this one if it outlives the other one for too long; returns its number."""
    worker = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: the guard calls the system only
        pid = os.fork()  # on Linux alone
    if pid:
        return pid
    try:
        _end_with(worker)
    finally:
        os._exit(0)


def _end_with(worker: int) -> None:
    with suppress(OSError, AttributeError):  # else it is seen at the next look
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)  # else the pipe would stay open as long as the guard lives
    os.dup2(null, 2)
    os.closerange(3, 1024)
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_DFL)
    poll, gone = select.poll(), 0.0
    poll.register(0, 0)  # the end of the pipe is told in any case
    while os.getppid() == worker:
        if poll.poll(LOOK_MS):
            gone = gone or time.monotonic()
            if time.monotonic() - gone > GRACE + LATER:
                sweep_temporary()  # first: the guard ends with the process that it ends
                os.kill(worker, signal.SIGKILL)
                return
            time.sleep(LOOK_MS / 1000)
