"""What reading a folder's pictures into its store is made of: who may write, what is missing, threads that decode."""

import errno
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import filelock

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, DiskFull, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.cache.readers import ReaderLock, anybody_reads
from sslstudio.engine.images.cache.store import TABLE, PixelStore, disk_full, is_full, make_folder, room, store_folder
from sslstudio.engine.images.formats.decode import Squeezed, squeeze
from sslstudio.engine.images.formats.errors import CannotOpen
from sslstudio.engine.images.index import ImageFile, ImageIndex, file_at
from sslstudio.engine.images.multi_folder import where

COMPARING = Message("Comparing with what was read before")
WAITING = Message("Waiting for another run that reads the same pictures")
EVENT_SECONDS = 0.1
COMMIT_SECONDS = 1.0
COMMIT_PICTURES = 512
_IN_FLIGHT = 4  # pictures a worker may be ahead of what is written: bounds the memory

Outcome = Squeezed | DataError
T = TypeVar("T")


@dataclass(frozen=True)
class Task:
    """A picture to be decoded: its number in the index and the file as it was when it was compared."""

    number: int
    file: ImageFile


@dataclass
class Reading:
    """The store of an index, which this process alone may write just now, and what is still to be decoded into it.

    `passing`: path -> why, for pictures that cannot be opened just now. `reader`: held by whoever looks at the pixels;
    None where nobody can write anyway.
    """

    index: ImageIndex
    store: PixelStore
    lock: filelock.BaseFileLock
    reader: ReaderLock | None
    missing: list[Task]
    passing: dict[str, str]
    pace: "Pace" = field(default_factory=lambda: Pace())

    @contextmanager
    def closing(self) -> Iterator[None]:
        """At the end what was kept is recorded, and others may write. Raises RunError for what the disk says."""
        with room(self.store.folder, len(self.index) * self.store.slot_bytes), ExitStack() as at_end:
            at_end.callback(self.lock.release)
            at_end.callback(self.store.close)
            at_end.callback(self.store.commit)
            yield

    def decode(self, tasks: Iterable[Task], workers: int) -> Generator[tuple[Task, Outcome | None], None, None]:
        """As `decode_all`."""
        yield from decode_all(tasks, partial(outcome_of, self.index, self.store.side), workers)

    def take(self, task: Task, outcome: Outcome | None) -> Generator[DiskFull, None, int | None]:
        """`keep` what became of a file, if that is known; what was kept is recorded every now and then. While the disk
        is full it gives that as an error, and tries again when it is asked to go on."""
        slot = None
        if outcome is not None:
            slot = yield from self._as_there_is_room(lambda: self.keep(task, outcome))
        yield from self._as_there_is_room(lambda: self.pace.commit(self.store))
        return slot

    def record(self) -> Generator[DiskFull, None, None]:
        """Record all that was kept, as there is room."""
        yield from self._as_there_is_room(self.store.commit)

    def _as_there_is_room(self, write: Callable[[], T]) -> Generator[DiskFull, None, T]:
        while True:
            try:
                return write()
            except (OSError, sqlite3.Error) as error:
                if not is_full(error):
                    raise
                yield disk_full(self.store.folder, len(self.missing) * self.store.slot_bytes)

    def keep(self, task: Task, outcome: Outcome) -> int | None:
        """Put what became of a file where it belongs. Returns the slot of its pixels, None if there are none."""
        if isinstance(outcome, Squeezed):
            return self.store.put(task.file, *outcome)
        if isinstance(outcome, CannotOpen):
            self.passing[task.file.path] = outcome.message
        else:
            self.store.put_reason(task.file, outcome.message)
        return None


def open_store(
    index: ImageIndex, side: int, control: RunControl, cache_dir: Path | None = None
) -> Generator[Preparing, None, Reading]:
    """Wait until nobody else writes this folder's store, and find out what it lacks.

    Raises RunError when stopped or when the disk is full.
    """
    folder = store_folder(cache_dir or cache_folder(), index.root, side, index.channels)
    fixed = yield from _open_fixed(folder, index, side, control)
    if fixed is not None:
        return fixed
    make_folder(folder)
    lock = filelock.FileLock(folder / "lock", thread_local=False)  # a generator may be closed by another thread
    with room(folder, len(index) * side * side * 3), ExitStack() as on_error:
        yield from wait_for(lock, control, len(index))
        on_error.callback(lock.release)
        store = PixelStore(folder, side, shared=anybody_reads(folder))
        on_error.callback(store.close)
        missing, passing = yield from compare(store, index, control)
        reader = ReaderLock(folder)
        on_error.pop_all()
    return Reading(index, store, lock, reader, missing, passing)


def _open_fixed(
    folder: Path, index: ImageIndex, side: int, control: RunControl
) -> Generator[Preparing, None, Reading | None]:
    """The store on a disk that is read-only, where everything is read already; None otherwise."""
    if not (folder / TABLE).is_file() or _can_write(folder):
        return None
    try:
        store = PixelStore(folder, side, fixed=True)
    except (OSError, sqlite3.Error):
        return None
    missing, passing = yield from compare(store, index, control)
    if missing:  # what is said then is of the disk
        store.close()
        return None
    return Reading(index, store, filelock.SoftFileLock(folder / "none"), None, [], passing)


def _can_write(folder: Path) -> bool:
    """Whether files of this folder can be written: asked of the table itself, which changes nothing."""
    try:
        os.close(os.open(folder / TABLE, os.O_RDWR))
    except OSError as error:
        return error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM)
    return os.access(folder, os.W_OK)


def no_room(folder: Path) -> Message:
    """What a run does while there is no room for the decoded pictures."""
    return Message("The disk is full: waiting for room for the decoded pictures in {folder}", folder=folder)


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def wait_for(lock: filelock.BaseFileLock, control: RunControl, total: int) -> Iterator[Preparing]:
    """Take the lock; while another process has it, say so and stay ready to stop."""
    while True:
        try:
            lock.acquire(timeout=0)
            return
        except filelock.Timeout:
            check_stop(control)
            yield Preparing(stage=WAITING, done=0, total=total)
            time.sleep(EVENT_SECONDS)


def check_stop(control: RunControl) -> None:
    """Raises RunError when the run is asked to stop."""
    if control.stopping:
        raise RunError("Stopped while reading pictures.")


def compare(
    store: PixelStore, index: ImageIndex, control: RunControl
) -> Generator[Preparing, None, tuple[list[Task], dict[str, str]]]:
    """Ask the disk for size and time of every picture; rows of what has changed or is gone are taken out.

    Returns what is to be decoded, and path -> why for what cannot be opened just now.
    """
    missing: list[Task] = []
    passing: dict[str, str] = {}
    changed: list[str] = []
    pace = Pace()
    for number, path in enumerate(index.paths):
        if number and number % 1000 == 0 and pace.is_time():
            check_stop(control)
            yield Preparing(stage=COMPARING, done=number, total=len(index))
        row = store.rows.get(path)
        try:
            file = file_at(index.root, path)
        except CannotOpen as error:
            passing[path] = error.message
            continue
        if row is None or not row.fits(file):
            missing.append(Task(number, file))
            changed += [path] if row is not None else []
    gone = [path for path in store.rows if path not in index.places and not os.path.lexists(where(index.root, path))]
    if not store.fixed:
        store.forget(changed + gone)
        store.check_room(len(missing))
    return missing, passing


class Pace:
    """When to say something and when to commit, by the clock and the number of pictures."""

    def __init__(self) -> None:
        self._said = self._committed = time.monotonic()
        self._since = 0

    def is_time(self) -> bool:
        now = time.monotonic()
        if now - self._said < EVENT_SECONDS:
            return False
        self._said = now
        return True

    def commit(self, store: PixelStore) -> None:
        self._since += 1
        if self._since >= COMMIT_PICTURES or time.monotonic() - self._committed >= COMMIT_SECONDS:
            store.commit()
            self._committed, self._since = time.monotonic(), 0


def outcome_of(index: ImageIndex, side: int, file: ImageFile) -> Outcome:
    """The pixels of a file, or why there are none."""
    try:
        return squeeze(index.file(file.path), side)
    except DataError as error:
        return error


def decode_all(
    tasks: Iterable[Task], work: Callable[[ImageFile], Outcome], workers: int
) -> Generator[tuple[Task, Outcome | None], None, None]:
    """Decode the tasks' files by threads with few in flight: each task with what became of its file, in order.

    While a slow one is awaited, it comes with None every tenth of a second, so that the run can speak and stop.
    """
    waiting: deque[tuple[Task, Future[Outcome]]] = deque()
    rest = iter(tasks)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        while True:
            while len(waiting) < workers * _IN_FLIGHT and (task := next(rest, None)) is not None:
                waiting.append((task, pool.submit(work, task.file)))
            if not waiting:
                return
            try:
                outcome = waiting[0][1].result(timeout=EVENT_SECONDS or None)
            except TimeoutError:
                yield waiting[0][0], None
                continue
            yield waiting.popleft()[0], outcome
    finally:
        pool.shutdown(cancel_futures=True)
