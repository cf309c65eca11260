"""Names of what is half written, and its removal when whoever wrote it is dead.

A file or folder that is being written has a name that says which process of which machine does it. What such a process
leaves behind when it is killed goes as soon as another one writes into the same folder: nothing else is ever touched.
"""

import hashlib
import itertools
import os
import re
import shutil
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DAY = 24 * 3600.0  # seconds after which what another machine or an earlier version wrote is taken for left behind
SHOWN = 40  # letters of a folder's name in that of its unfinished one

_HOST = hashlib.blake2b(socket.gethostname().encode(errors="replace"), digest_size=4).hexdigest()
_PART = re.compile(r"\..{1,40}\.([0-9a-f]{8})\.(\d{1,10})\.\d+\.part\Z", re.DOTALL)
_OLD_PART = re.compile(r"\.(?:[0-9a-f]{16}\.\d{1,10}|.{1,40}\.\d{1,10}\.\d+)\.part\Z", re.DOTALL)
_TEMPORARY = re.compile(r"sslstudio-([0-9a-f]{8})-(\d{1,10})-[^/]+\Z")
_numbers = itertools.count()
_in_use: set[str] = set()
_swept: set[str] = set()
_lock = threading.Lock()


def lives(pid: int) -> bool:
    """Whether a process of this machine is there. Where it cannot be asked (Windows) it is taken to be."""
    if os.name == "nt":  # there a signal would end it
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return not _has_ended(pid)


def _has_ended(pid: int) -> bool:
    """Whether a process is over and has only not been collected by the one that started it; asked on Linux alone."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except OSError:
        return False
    return said.rpartition(")")[2].split()[:1] in (["Z"], ["X"])


def part_of(path: Path, stem: str = "") -> Path:
    """A new name beside `path` for what is to be renamed to it. A digest stands for the name of a file, because a name
    that is as long as names can be has no room for more."""
    stem = stem or hashlib.blake2b(os.fsencode(path.name), digest_size=8).hexdigest()
    part = path.with_name(f".{stem}.{_HOST}.{os.getpid()}.{next(_numbers)}.part")
    with _lock:
        _in_use.add(str(part))
    return part


def forget(part: Path) -> None:
    """A name of `part_of` is not used any more."""
    with _lock:
        _in_use.discard(str(part))


def give_up(part: Path) -> None:
    """A name of `part_of` did not become what it was made for. A disk that has gone keeps what lies there, so that the
    next one that writes into the folder looks again, this process too."""
    forget(part)
    with _lock:
        _swept.discard(os.path.abspath(part.parent))


def sweep_once(folder: Path) -> None:
    """The first time that this process writes into a folder: remove what dead processes left half written there."""
    place = os.path.abspath(folder)
    with _lock:
        if place in _swept:
            return
        _swept.add(place)
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove from a folder what dead processes left half written. Nothing is raised: it is in nobody's way."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.name.endswith(".part") and _is_left(Path(entry.path)):
                _remove(Path(entry.path))


def temporary_folder() -> Path:
    """A new folder for temporary files, with the name of this process in its own; those of dead ones go first."""
    sweep_temporary()
    return Path(tempfile.mkdtemp(prefix=f"sslstudio-{_HOST}-{os.getpid()}-"))


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder for temporary files, gone afterwards; if this process is killed, as soon as another one needs one."""
    folder = temporary_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_temporary() -> None:
    """Remove the folders for temporary files of dead processes."""
    with suppress(OSError):
        for entry in list(os.scandir(tempfile.gettempdir())):
            said = _TEMPORARY.match(entry.name)
            ours = said is not None and said[1] == _HOST and not lives(int(said[2]))
            if ours and entry.is_dir(follow_symlinks=False) and _is_own(Path(entry.path)):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_left(path: Path) -> bool:
    if (said := _PART.match(path.name)) is not None and said[1] == _HOST and os.name != "nt":
        pid = int(said[2])
        return str(path) not in _in_use if pid == os.getpid() else not lives(pid)
    if said is None and _OLD_PART.match(path.name) is None:
        return False
    try:
        return str(path) not in _in_use and time.time() - path.lstat().st_mtime > DAY
    except OSError:
        return False


def _is_own(path: Path) -> bool:
    return os.name == "nt" or path.lstat().st_uid == os.getuid()


def _remove(path: Path) -> None:
    with suppress(OSError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
