"""Every picture is decoded once, by all cores, into one file of uint8 squares that is mapped into memory.

`build_cache` reads them all before it returns. `stream_cache` returns at once: a thread reads them in the order in
which they will be wanted, what is asked for meanwhile comes first, and whoever asks for pictures waits for these alone.
What anyone gets depends on the pictures alone and never on how far the reading is: it only comes later.
"""

import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from sslstudio.engine.core import room
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, DiskFull, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.cache.mapped import MappedSquares
from sslstudio.engine.images.cache.reader import Outcome, Pace, Reading, Task, check_stop, cores, no_room, open_store
from sslstudio.engine.images.cache.readers import ReaderLock
from sslstudio.engine.images.index import ImageIndex, Unreadable

if TYPE_CHECKING:  # scanning and decoding work without torch: the first page of the window must not load it
    import torch

STAGE = Message("Reading pictures")
LEAST = 4  # pictures that a training can be made of

_UNKNOWN, _BROKEN = -1, -2  # instead of a slot
_TELL_SECONDS = 0.005  # between two words to those who wait: small pictures come by the thousand
_WAIT_SECONDS = 0.02

T = TypeVar("T")
Positions = Sequence[int] | npt.NDArray[np.integer]


class PixelCache:
    """The decoded pictures of a folder, squeezed to `side` x `side`, mapped into memory.

    `index` holds the pictures that can be read, in order, and all that cannot with their reasons; `sizes` is int32
    (n, 2): height and width of each picture in its file.
    """

    def __init__(
        self,
        index: ImageIndex,
        side: int,
        sizes: npt.NDArray[np.int32],
        path: Path,
        slots: npt.NDArray[np.int64],
        reader: ReaderLock | None = None,
    ) -> None:
        self.index, self.side, self.sizes = index, side, sizes
        self._slots, self._reader = slots, reader
        self._mapped = MappedSquares(path, side, int(slots.max()) + 1)
        self._pixels = self._mapped.squares
        self._in_order = np.array_equal(slots, np.arange(len(slots)))

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def complete(self) -> bool:
        """Whether everything is read: see StreamingCache."""
        return True

    @property
    def broken(self) -> list[str]:
        """Pictures of `index` that cannot be read: none here."""
        return []

    @property
    def left(self) -> Mapping[str, str]:
        """Path -> what of its file is not used (`wanted.to_text`), of the pictures that are read so far."""
        return self.index.left

    def readable(self, positions: Positions) -> npt.NDArray[np.bool_]:
        """Which of these can be read: all that this cache holds."""
        return np.ones(len(positions), np.bool_)

    def read_first(self, positions: Positions, count: int, control: RunControl) -> Generator[Preparing, None, None]:
        """Nothing is to be read: see StreamingCache."""
        yield from ()

    def await_read(self, positions: Positions) -> None:
        """Nothing is to be read: see StreamingCache."""

    def close(self) -> None:
        """Nothing is under way: see StreamingCache. The pixels may still be asked for."""

    def pixels(self, positions: Positions | None = None) -> "torch.Tensor":
        """uint8 (n, 3, side, side), a view of NHWC storage (channels_last), of the pictures at `positions` (or all).

        All of them, if they lie in order, are the mapped file itself and take no memory; else they are copied.
        """
        import torch

        self._mapped.check()
        if positions is None and self._in_order:
            chosen = self._pixels[: len(self._slots)]
        else:
            slots = self._slots if positions is None else self._slots[np.asarray(positions, dtype=np.int64)]
            chosen = self._pixels[slots]
        return torch.from_numpy(chosen).permute(0, 3, 1, 2)


def build_cache(
    index: ImageIndex,
    side: int,
    *,
    control: RunControl | None = None,
    cache_dir: Path | None = None,
    workers: int | None = None,
    patient: bool = False,
) -> Generator[Preparing, None, PixelCache]:
    """Decode what is not decoded yet; used as `cache = yield from build_cache(...)`.

    A picture whose size and time are as recorded is not opened. What was decoded stays if the run is stopped or
    killed. Raises RunError when stopped or when the disk is full, DataError if not one picture can be read. `patient`:
    on a disk that becomes full meanwhile it says so, waits, and goes on when there is room.
    Slots of files that are gone are used again once nobody reads the same folder's cache any more.
    """
    control = control or RunControl()
    reading = yield from open_store(index, side, control, cache_dir)
    done, total = len(index) - len(reading.missing), len(index)
    pace = Pace()
    with reading.closing(), closing(reading.decode(reading.missing, workers or cores())) as outcomes:
        for task, outcome in outcomes:
            check_stop(control)
            done += outcome is not None
            for full in reading.take(task, outcome):
                yield from _wait_for_room(full, reading, control, done, patient=patient)
            if pace.is_time():
                yield Preparing(stage=STAGE, done=done, total=total)
        for full in reading.record():
            yield from _wait_for_room(full, reading, control, done, patient=patient)
    yield Preparing(stage=STAGE, done=done, total=total)
    return assemble(reading)


def _wait_for_room(
    full: DiskFull, reading: Reading, control: RunControl, done: int, *, patient: bool
) -> Iterator[Preparing]:
    """Say that the disk is full and wait a while. Raises that where nobody has the patience, or it is to stop."""
    if not patient:
        raise full
    yield Preparing(stage=no_room(reading.store.folder), done=done, total=len(reading.index))
    if control.wait(room.SECONDS):
        raise full


def assemble(reading: Reading) -> PixelCache:
    """The cache of the pictures that turned out to be readable. Raises DataError if there is none."""
    index, store, passing = reading.index, reading.store, reading.passing
    rows = [store.rows.get(path) for path in index.paths if path not in passing]
    bad = {row.path: row.reason for row in rows if row is not None and row.slot is None} | passing
    good = [row for row in rows if row is not None and row.slot is not None]
    found = {item.path: item for item in index.unreadable}
    found.update((path, Unreadable(path, reason)) for path, reason in bad.items())
    unreadable = tuple(sorted(found.values(), key=lambda item: item.path))
    if not good:
        raise none_readable(index, unreadable)
    kept = {row.path for row in good}
    left = {row.path: row.left for row in good if row.left}
    readable = replace(index.subset(kept), unreadable=unreadable, left=left)
    sizes = np.array([(row.height, row.width) for row in good], dtype=np.int32)
    slots = np.array([row.slot for row in good], dtype=np.int64)
    return PixelCache(readable, store.side, sizes, store.pixel_path, slots, reading.reader)


def check_enough(count: int, folder: str) -> None:
    """Raises DataError when so few pictures of a folder can be read that nothing can be learnt from them."""
    if count < LEAST:
        raise DataError(
            "Only {count} pictures in {folder} can be read; at least {least} are needed, and some "
            "hundreds before anything can be learnt. See what is wrong with: sslstudio index FOLDER",
            count=count,
            folder=folder,
            least=LEAST,
        )


def none_readable(index: ImageIndex, unreadable: Sequence[Unreadable]) -> DataError:
    """The error for a folder of which nothing can be read."""
    first = [Message("{path}: {reason}", path=item.path, reason=item.reason) for item in unreadable[:5]]
    rest = Message(" and {unreadable} more", unreadable=len(unreadable) - 5) if len(unreadable) > 5 else ""
    return DataError(
        "Not one of the {n} pictures in {root} can be read ({first:semicolons}{rest}). Choose another folder.",
        n=len(index),
        root=index.root,
        first=first,
        rest=rest,
    )


# A cache that is used while it is being read


class StreamingCache(PixelCache):
    """All pictures of `index`, whether they turn out to be readable or not; close it, and the reading ends."""

    def __init__(self, opened: Reading, workers: int, control: RunControl, *, patient: bool = False) -> None:
        index, store = opened.index, opened.store
        self.index, self.side = index, store.side
        self.sizes = np.zeros((len(index), 2), np.int32)
        self._slots = np.full(len(index), _BROKEN, np.int64)
        self._opened, self._store, self._workers = opened, store, workers
        self._tasks = {task.number: task for task in opened.missing}
        for number, path in enumerate(index.paths):
            row = store.rows.get(path)
            if number in self._tasks:
                self._slots[number] = _UNKNOWN
            elif row is not None and row.slot is not None and path not in opened.passing:
                self._slots[number] = row.slot
                self.sizes[number] = row.height, row.width
        self._changed = threading.Condition()
        self._orders: list[Iterator[int]] = [iter(list(self._tasks))]  # the last one is served first
        self._control, self._patient = control, patient
        self._full: DiskFull | None = None  # while that is waited for
        self._ending = threading.Event()
        self._told = 0.0
        self._reader = opened.reader
        self._mapped = MappedSquares(store.pixel_path, self.side, 0)
        self._pixels = self._mapped.squares
        self._in_order = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reading")
        self._reading: Future[None] = Future()
        if self._tasks:
            self._reading = self._thread.submit(self._read)
        else:
            self._read()
            self._reading.set_result(None)

    def __len__(self) -> int:
        return len(self._slots)

    # --- on the thread

    def _read(self) -> None:
        with ExitStack() as at_end:
            at_end.callback(self._wake)
            at_end.enter_context(self._opened.closing())
            outcomes = at_end.enter_context(closing(self._opened.decode(self._next_tasks(), self._workers)))
            for task, outcome in outcomes:
                if self._ending.is_set():
                    return
                slot = self._in_time(self._opened.take(task, outcome))
                if outcome is not None:
                    self._tell(task, outcome, slot)
            self._in_time(self._opened.record())

    def _in_time(self, writing: Generator[DiskFull, None, T]) -> T:
        """Write, as there is room. Raises DiskFull where nobody has the patience, or at the end."""
        while True:
            try:
                full = next(writing)
            except StopIteration as end:
                if self._full is not None:
                    self._full = None
                    self._wake()
                result: T = end.value
                return result
            if not self._patient:
                raise full
            self._full = full
            self._wake()
            if self._ending.wait(room.SECONDS):
                raise full

    def _next_tasks(self) -> Iterator[Task]:
        while True:
            with self._changed:
                if self._ending.is_set() or not self._tasks:
                    return
                number = next(self._orders[-1], None)
                task = None if number is None else self._tasks.pop(number, None)
                if number is None and len(self._orders) > 1:
                    self._orders.pop()
            if task is not None:
                yield task

    def _tell(self, task: Task, outcome: Outcome, slot: int | None) -> None:
        with self._changed:
            if not isinstance(outcome, DataError):
                self.sizes[task.number] = outcome.height, outcome.width
            self._slots[task.number] = _BROKEN if slot is None else slot
            if time.monotonic() - self._told >= _TELL_SECONDS:
                self._told = time.monotonic()
                self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    # --- for those who ask

    @property
    def complete(self) -> bool:
        """Whether everything is read."""
        return self._reading.done() and not self._tasks and self._reading.exception() is None

    @property
    def broken(self) -> list[str]:
        """Paths that are known to be unreadable, so far."""
        return [self.index.paths[number] for number in np.flatnonzero(self._slots == _BROKEN).tolist()]

    @property
    def left(self) -> Mapping[str, str]:
        """Path -> what of its file is not used, of the pictures that are read so far."""
        rows = self._store.rows
        known = [rows.get(path) for path in self.index.paths]
        return {row.path: row.left for row in known if row is not None and row.left}

    def prefer(self, positions: Positions) -> None:
        """Read these next, in this order."""
        with self._changed:
            self._orders.append(iter(np.asarray(positions, dtype=np.int64).tolist()))

    def until(self, positions: Positions, control: RunControl) -> Generator[Preparing, None, None]:
        """Have these read, and say how far it is. Raises RunError when stopped."""
        wanted = np.asarray(positions, dtype=np.int64)
        self.prefer(wanted)
        pace = Pace()
        while left := self._count_missing(wanted):
            check_stop(control)
            if pace.is_time():
                stage = no_room(self._store.folder) if self._full else STAGE
                yield Preparing(stage=stage, done=len(wanted) - left, total=len(wanted))

    def read_first(self, positions: Positions, count: int, control: RunControl) -> Generator[Preparing, None, None]:
        """Have the pictures read in this order, and wait for the first `count`.

        Raises DataError when fewer than four pictures can be read, RunError when stopped.
        """
        self.prefer(positions)
        first = positions[:count]
        yield from self.until(first, control)
        if self.readable(first).sum() < LEAST:
            everything = np.arange(len(self))
            yield from self.until(everything, control)
            readable = int(self.readable(everything).sum())
            if not readable:
                raise none_readable(self.index, self.unreadable())
            check_enough(readable, str(self.index.root))

    def readable(self, positions: Positions) -> npt.NDArray[np.bool_]:
        """Which of these can be read; waits until that is known."""
        wanted = np.asarray(positions, dtype=np.int64)
        if (self._slots[wanted] == _UNKNOWN).any():
            self.prefer(wanted)
            while self._count_missing(wanted):
                pass
        return np.asarray(self._slots[wanted] != _BROKEN)

    def await_read(self, positions: Positions) -> None:
        """Wait until it is known of these whether they can be read. Raises DiskFull while there is no room for them:
        they are read as soon as there is, and may be waited for again."""
        wanted = np.asarray(positions, dtype=np.int64)
        if (self._slots[wanted] == _UNKNOWN).any():
            self.prefer(wanted)
        while self._count_missing(wanted):
            with self._changed:  # what was missing may have come meanwhile
                if self._full is not None and (self._slots[wanted] == _UNKNOWN).any():
                    raise self._full

    def _count_missing(self, wanted: npt.NDArray[np.int64]) -> int:
        """Count those of these that are still to be read, after waiting for a few. Raises what ended the reading, and
        DiskFull when the run is to stop while that is waited for."""
        with self._changed:
            left = int((self._slots[wanted] == _UNKNOWN).sum())
            if not left:
                return 0
            if not self._reading.done():
                self._changed.wait(_WAIT_SECONDS)
                if (full := self._full) is not None and self._control.stopping:
                    raise full
                return left
        self._reading.result()
        raise RunError("The pictures are no longer being read: the run that read them is over.")

    def pixels(self, positions: Positions | None = None) -> "torch.Tensor":
        """As of a whole cache, waiting for what is not read yet. Raises DataError for one that cannot be read."""
        import torch

        wanted = np.arange(len(self)) if positions is None else np.asarray(positions, dtype=np.int64)
        good = self.readable(wanted)
        if not good.all():
            raise DataError("{paths} cannot be read.", paths=self.index.paths[int(wanted[~good][0])])
        slots = self._slots[wanted]
        if len(slots) and int(slots.max()) >= len(self._pixels):
            self._map()
        self._mapped.check()
        return torch.from_numpy(self._pixels[slots]).permute(0, 3, 1, 2)

    def _map(self) -> None:
        whole = self._store.pixel_path.stat().st_size // self._store.slot_bytes
        self._mapped = MappedSquares(self._store.pixel_path, self.side, whole)
        self._pixels = self._mapped.squares

    def unreadable(self) -> tuple[Unreadable, ...]:
        """What could not be read, with the reasons; waits for everything."""
        self._reading.result()
        reasons = {path: self._store.rows[path].reason for path in self.broken if path in self._store.rows}
        found = {**reasons, **self._opened.passing}
        return tuple(sorted((*self.index.unreadable, *(Unreadable(*item) for item in found.items())), key=_path))

    def close(self) -> None:
        """End the reading; what is read stays."""
        self._ending.set()
        self._thread.shutdown(wait=True)


def _path(item: Unreadable) -> str:
    return item.path


def stream_cache(
    index: ImageIndex,
    side: int,
    *,
    control: RunControl | None = None,
    cache_dir: Path | None = None,
    workers: int | None = None,
    patient: bool = False,
) -> Generator[Preparing, None, StreamingCache]:
    """`build_cache` that returns at once, with the reading under way; `close` the cache at the end.

    Raises RunError when stopped or when the disk is full.
    """
    control = control or RunControl()
    opened = yield from open_store(index, side, control, cache_dir)
    return StreamingCache(opened, workers or cores(), control, patient=patient)
