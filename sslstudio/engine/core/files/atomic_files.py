"""Everything that the program writes goes through here: whole or not there at all, and on the disk where it counts.

A file is written beside its place, synced and then renamed over it, so that a power cut leaves the old one or the
new one. What was half written by a process that was killed is removed by the next one (`leftovers`). An error says
which file it is, why, and what to do.
"""

import errno
import os
import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import filelock

from sslstudio.engine.core.errors import DataError, DiskFull, RunError
from sslstudio.engine.core.files import leftovers
from sslstudio.engine.core.messages import Message

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BINARY = getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY
CHUNK = 1 << 20  # bytes that are copied at once
WINDOWS = os.name == "nt"
PAUSES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4)  # seconds between tries to rename


# --- one file


def write_atomic(path: Path, content: bytes, *, confirmed: bool = True, keep: Path | None = None) -> None:
    """Replace `path` by these bytes in one go. The file that was there gets the name `keep`, if one is given.

    `confirmed`: it is on the disk when this returns, whatever happens to the power then; without it a power cut may
    bring the old one back, or leave a file that is not whole: only for what can be made again.
    Raises DiskFull when there is no room, RunError when the disk does not take it for another reason.
    """
    with replacing(path, confirmed=confirmed, keep=keep) as part:
        write_plain(part, content)


@contextmanager
def replacing(path: Path, *, confirmed: bool = True, keep: Path | None = None) -> Iterator[Path]:
    """The name of a file beside `path` to write, by whatever; at the end it replaces `path` in one go.

    What is raised within leaves `path` as it was. See `write_atomic`; OSError within becomes what is raised there.
    """
    leftovers.sweep_once(path.parent)
    part, leave = leftovers.part_of(path), leftovers.give_up
    try:
        yield part
        if confirmed:
            sync_file(part)
        if keep is not None:
            _keep_old(path, keep)
        rename_patiently(part, path)
        leave = leftovers.forget
        if confirmed:
            sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):  # it is there after an error alone, and that one is to be told
            part.unlink(missing_ok=True)
        leave(part)


def _keep_old(path: Path, keep: Path) -> None:
    """Give the file that is there a second name, with no moment without it. Systems without links copy it."""
    part, leave = leftovers.part_of(keep), leftovers.give_up
    try:
        try:
            os.link(path, part)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno in FULL:
                raise
            shutil.copyfile(path, part)
            sync_file(part)
        rename_patiently(part, keep)
        leave = leftovers.forget
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        leave(part)


def write_plain(path: Path, content: bytes) -> None:
    """Write a file that nobody relies on before the folder that it lies in has got its name. Raises OSError."""
    handle = os.open(path, _NEW, 0o666)
    try:
        write_all(handle, content)
    finally:
        os.close(handle)


def write_all(handle: int, content: bytes | memoryview) -> None:
    """Write all of it: the system may take a part at a time. Raises OSError."""
    left = memoryview(content)
    while left:
        done = os.write(handle, left[: 64 * CHUNK])
        if not done:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left = left[done:]


def sync_file(path: Path) -> None:
    """See the content of a file to the disk. Raises OSError."""
    handle = os.open(path, (os.O_RDWR if os.name == "nt" else os.O_RDONLY) | _BINARY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def rename_patiently(source: Path, target: Path) -> Path:
    """Give a file or folder another name, a file in place of one that is there; returns the new path.

    On Windows it is refused while another program, such as a virus scanner or a search index, has the file open, which
    passes within moments: then it is tried again for a second in all. Raises OSError.
    """
    for pause in PAUSES:
        try:
            return source.replace(target)
        except PermissionError:
            if not WINDOWS:  # elsewhere it means that it is not allowed, and will not be
                raise
            time.sleep(pause)
    return source.replace(target)


def sync_folder(folder: Path) -> None:
    """See the names in a folder to the disk. Raises OSError."""
    if os.name == "nt":  # Windows has no handle for a folder; the rename is journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:  # some network shares have no such thing for folders
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def remove_file(path: Path) -> None:
    """Remove a file, if it is there. Raises RunError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_remove(path, error) from error


def copy_file(source: Path, target: Path) -> None:
    """Copy the content of a file into a folder that is being filled. Raises OSError."""
    for _ in copying(source, target):
        pass


def copying(source: Path, target: Path) -> Generator[int, None, None]:
    """`copy_file`, saying after each megabyte how many bytes that were."""
    with source.open("rb") as content:
        yield from writing_from(content, target)


def writing_from(source: IO[bytes], target: Path) -> Generator[int, None, None]:
    """Write what is read of an open file into a folder that is being filled, saying after each megabyte how many bytes
    that were. Raises OSError."""
    handle = os.open(target, _NEW, 0o666)
    try:
        while part := source.read(CHUNK):
            write_all(handle, part)
            yield len(part)
    finally:
        os.close(handle)


def take_lock(path: Path, timeout: float = 0.0) -> filelock.BaseFileLock:
    """Hold the lock between processes that a file stands for (-1: wait for it). Raises filelock.Timeout while another
    process has it, RunError when the disk does not take the file. What dead ones left half written beside it goes."""
    leftovers.sweep_once(path.parent)
    lock = filelock.FileLock(str(path), timeout=timeout, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise
    except (OSError, NotImplementedError) as error:
        raise cannot_write(path, error if isinstance(error, OSError) else OSError(str(error))) from error
    return lock


@contextmanager
def holding(path: Path, timeout: float = 0.0) -> Iterator[None]:
    """Within it the lock of `take_lock` is held. Raises as that does."""
    lock = take_lock(path, timeout)
    try:
        yield
    finally:
        lock.release()


class Appender:
    """A file that grows by whole lines: a line is there or it is not. Close it."""

    def __init__(self, path: Path) -> None:
        """What a crash has left of a line at the end, and half files beside it, goes first. Raises RunError."""
        leftovers.sweep_once(path.parent)
        self.path = path
        self._broken_at: int | None = None  # where a part of a line begins that could not be cut off
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o666)
        except OSError as error:
            raise cannot_write(path, error) from error
        try:
            self._cut(whole_size(self._handle))
        except OSError as error:
            os.close(self._handle)
            raise cannot_write(path, error) from error

    def append(self, content: bytes) -> None:
        """Write lines. Raises DiskFull or RunError; then nothing of them is in the file."""
        try:
            if self._broken_at is not None:
                self._cut(self._broken_at)
            end = os.lseek(self._handle, 0, os.SEEK_END)  # a resume may have cut the file
            try:
                write_all(self._handle, content)
            except OSError:
                self._broken_at = end
                with suppress(OSError):
                    self._cut(end)
                raise
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def _cut(self, size: int) -> None:
        if os.fstat(self._handle).st_size > size:
            os.ftruncate(self._handle, size)
        self._broken_at = None

    def sync(self) -> None:
        """See what was written to the disk. Raises RunError."""
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        """Let go of the file."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            with suppress(OSError):
                os.close(handle)

    def __enter__(self) -> "Appender":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def whole_size(handle: int) -> int:
    """The bytes of a file of lines up to the end of its last whole line."""
    end = os.lseek(handle, 0, os.SEEK_END)
    while end:
        start = max(0, end - CHUNK)
        os.lseek(handle, start, os.SEEK_SET)
        place = os.read(handle, end - start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return 0


def cut_file(path: Path, size: int) -> None:
    """Forget what a file holds after its first `size` bytes. Raises RunError."""
    try:
        os.truncate(path, size)
    except OSError as error:
        raise cannot_write(path, error) from error


# --- what to say


def cannot_write(path: Path, error: OSError) -> RunError:
    """What to tell people when the disk does not take a file: which one, why, and what to do."""
    reason = error.strerror or str(error)
    told = RunError("{path} could not be written: {reason}. {advice}", path=path, reason=reason, advice=_advice(error))
    return DiskFull.of(told.message) if error.errno in FULL else told


def cannot_remove(path: Path, error: OSError) -> RunError:
    """What to tell people when a file cannot be removed."""
    reason = error.strerror or str(error)
    return RunError("{path} could not be removed: {reason}. {advice}", path=path, reason=reason, advice=_advice(error))


def _advice(error: OSError) -> Message:
    if error.errno in FULL:
        return Message("The disk is full: make room on it, then try again.")
    if error.errno == errno.EROFS:
        return Message("The disk is read-only: let it be written to, or choose another place.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Message("You may not write there: choose another place, or ask whoever owns the folder.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV, errno.ENXIO):
        return Message("Its folder is gone: connect the disk or share again, then try again.")
    if error.errno == errno.EIO:
        return Message("The disk does not work as it should: copy what matters to another one, then check it.")
    return Message("Is the disk full or read-only?")


# --- folders


def make_folder(path: Path) -> None:
    """Make a folder that people asked for, with those above it. Raises DataError, in words."""
    try:
        make_parents(path)
    except OSError as error:
        raise folder_error(path, error) from error


def make_parents(folder: Path) -> None:
    """Make a folder with those above it, and see the names of new ones to the disk. Raises OSError."""
    missing: list[Path] = []
    place = folder
    while not os.path.lexists(place) and place != place.parent:
        missing.append(place)
        place = place.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        sync_folder(one.parent)
    folder.mkdir(exist_ok=True, parents=True)  # raises where something else has its name


def folder_error(path: Path, error: OSError) -> DataError:
    """What to tell people of a folder that could not be made."""
    return DataError(
        "The folder {folder} cannot be made: {reason}. Choose another one.",
        folder=path,
        reason=error.strerror or error,
    )


def folder_beside(path: Path) -> Path:
    """Make a new folder beside `path`, to be filled and then renamed to it. Raises OSError."""
    make_parents(path.parent)
    leftovers.sweep_once(path.parent)
    while True:
        beside = leftovers.part_of(path, path.name[: leftovers.SHOWN])
        try:
            beside.mkdir()
        except FileExistsError:  # of a dead process with our number
            leftovers.forget(beside)
        else:
            return beside


def put_folder(part: Path, path: Path) -> None:
    """Give a folder of `folder_beside` its name, in one go, when all that is in it has reached the disk; an empty
    folder of that name makes room. Raises OSError."""
    sync_tree(part)
    if path.is_dir() and not path.is_symlink():
        with suppress(OSError):
            path.rmdir()  # renaming says why not
    rename_patiently(part, path)
    sync_folder(path.parent)
    leftovers.forget(part)


def sync_tree(folder: Path) -> None:
    """See all files below a folder to the disk, and their names. Raises OSError."""
    for place, _, files in os.walk(folder):
        for name in files:
            sync_file(Path(place) / name)
        sync_folder(Path(place))


def discard_folder(part: Path) -> None:
    """Remove a folder of `folder_beside` that did not get its name, if it is still there."""
    if part.name.endswith(".part"):
        shutil.rmtree(part, ignore_errors=True)
    leftovers.give_up(part)
