"""Who reads a folder of the pixel cache just now: while anybody does, no slot is written a second time.

Each reader holds a lock of its own, which the system lets go when the process ends however it ends.
"""

import os
from contextlib import suppress
from itertools import count
from pathlib import Path

import filelock

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.files.atomic_files import remove_file

_numbers = count()
_PATTERN = "reader-*.lock"


class ReaderLock:
    """Held as long as slots of this folder are looked at. To be taken while nobody else may write there."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"reader-{os.getpid()}-{next(_numbers)}.lock"
        self._lock = filelock.FileLock(self._file, timeout=0, thread_local=False)
        self._lock.acquire()

    def release(self) -> None:
        """Let others use the slots again. May be called more than once."""
        if self._lock.is_locked:
            self._lock.release()
            with suppress(RunError):
                remove_file(self._file)

    def __del__(self) -> None:  # a cache that nobody closes is let go with its mapping
        with suppress(Exception):
            self.release()


def anybody_reads(folder: Path) -> bool:
    """Whether a process looks at slots of this folder. What a dead one left is removed."""
    return any(not _is_free(file) for file in folder.glob(_PATTERN))


def _is_free(file: Path) -> bool:
    lock = filelock.FileLock(file, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        return False
    except OSError:  # it has gone, or nobody can tell
        return not file.exists()
    lock.release()
    with suppress(RunError):
        remove_file(file)
    return True
