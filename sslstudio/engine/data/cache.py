"""Every picture is decoded once, by all cores, into one file of uint8 squares that is mapped into memory."""

import os
import shutil
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import numpy as np
import numpy.typing as npt
import platformdirs

from sslstudio.engine.control import RunControl
from sslstudio.engine.data.decode import Squeezed, squeeze
from sslstudio.engine.data.index import ImageFile, ImageIndex, Unreadable, printable
from sslstudio.engine.data.pixelstore import PixelStore, disk_full, is_full, store_folder
from sslstudio.engine.data.reasons import CannotOpen
from sslstudio.engine.errors import DataError, RunError
from sslstudio.engine.events import Preparing

if TYPE_CHECKING:  # scanning and decoding work without torch: the first page of the window must not load it
    import torch

STAGE = "Reading pictures"
WAITING = "Waiting for another run that reads the same pictures"
EVENT_SECONDS = 0.1
COMMIT_SECONDS = 1.0
COMMIT_PICTURES = 512
_IN_FLIGHT = 4  # pictures a worker may be ahead of what is written: bounds the memory

Positions = Sequence[int] | npt.NDArray[np.integer]
Outcome = Squeezed | DataError


class PixelCache:
    """The decoded pictures of a folder, squeezed to `side` x `side`, mapped into memory.

    `index` holds the pictures that can be read, in order, and all that cannot with their reasons; `sizes` is int32
    (n, 2): height and width of each picture in its file.
    """

    def __init__(
        self, index: ImageIndex, side: int, sizes: npt.NDArray[np.int32], path: Path, slots: npt.NDArray[np.int64]
    ) -> None:
        self.index, self.side, self.sizes = index, side, sizes
        self._slots = slots
        shape = (int(slots.max()) + 1, side, side, 3)
        # "c": writable in memory, never on disk, because torch warns about arrays that cannot be written
        self._pixels = np.asarray(np.memmap(path, np.uint8, mode="c", shape=shape))
        self._in_order = np.array_equal(slots, np.arange(len(slots)))

    def __len__(self) -> int:
        return len(self._slots)

    def pixels(self, positions: Positions | None = None) -> "torch.Tensor":
        """uint8 (n, 3, side, side), a view of NHWC storage (channels_last), of the pictures at `positions` (or all).

        All of them, if they lie in order, are the mapped file itself and take no memory; else they are copied.
        """
        import torch

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
) -> Generator[Preparing, None, PixelCache]:
    """Decode what is not decoded yet; used as `cache = yield from build_cache(...)`.

    A picture whose size and time are as recorded is not opened. What was decoded stays if the run is stopped or
    killed. Raises RunError when stopped or when the disk is full, DataError if not one picture can be read.
    Slots of files that are gone are used again: do not build while another run still reads the same folder's cache.
    """
    control = control or RunControl()
    folder = store_folder(cache_dir or cache_folder(), index.root, side)
    _make(folder)
    lock = filelock.FileLock(folder / "lock", thread_local=False)  # a generator may be closed by another thread
    with _room(folder, len(index) * side * side * 3):
        yield from _wait_for(lock, control, len(index))
        with _released(lock), closing(PixelStore(folder, side)) as store:
            passing = yield from _fill(store, index, control, workers or _cores())
    return _assembled(store, index, passing)


def cache_folder() -> Path:
    """Where decoded pictures are kept: SSLSTUDIO_CACHE, or the user's cache folder."""
    return Path(os.environ.get("SSLSTUDIO_CACHE") or platformdirs.user_cache_dir("SSLStudio"))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if is_full(error):
            raise disk_full(folder, 0) from error
        raise RunError(
            f"The folder for decoded pictures, {printable(os.fspath(folder))}, cannot be made: {error.strerror}. "
            "Set SSLSTUDIO_CACHE to a folder that can be written."
        ) from error


@contextmanager
def _room(folder: Path, needed: int) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            raise disk_full(folder, needed) from error
        raise RunError(f"Decoded pictures cannot be kept in {printable(os.fspath(folder))}: {error}.") from error


def _wait_for(lock: filelock.BaseFileLock, control: RunControl, total: int) -> Iterator[Preparing]:
    """Take the lock; while another process has it, say so and stay ready to stop."""
    while True:
        try:
            lock.acquire(timeout=0)
            return
        except filelock.Timeout:
            _check_stop(control)
            yield Preparing(stage=WAITING, done=0, total=total)
            time.sleep(EVENT_SECONDS)


@contextmanager
def _released(lock: filelock.BaseFileLock) -> Iterator[None]:
    try:
        yield
    finally:
        lock.release()


def _check_stop(control: RunControl) -> None:
    if control.stopping:
        raise RunError("Stopped while reading pictures.")


def _fill(
    store: PixelStore, index: ImageIndex, control: RunControl, workers: int
) -> Generator[Preparing, None, dict[str, str]]:
    """Decode the missing pictures into the store. Returns path -> reason of those that cannot be opened just now."""
    _drop_stale(store, index)
    missing = [file for file in index.files if file.path not in store.rows]
    _check_room(store, len(missing))
    passing: dict[str, str] = {}
    done, total = len(index) - len(missing), len(index)
    pace = _Pace()
    try:
        with closing(_decoded(missing, partial(_outcome, index.root, store.side), workers)) as outcomes:
            for file, outcome in outcomes:
                _check_stop(control)
                if outcome is not None:
                    done += 1
                    _keep(store, file, outcome, passing)
                pace.commit(store)
                if pace.is_time():
                    yield Preparing(stage=STAGE, done=done, total=total)
    finally:
        store.commit()
    yield Preparing(stage=STAGE, done=total, total=total)
    return passing


def _drop_stale(store: PixelStore, index: ImageIndex) -> None:
    """Forget files that changed, and those that are gone from the disk: an index may be a part of the folder."""
    files = {file.path: file for file in index.files}
    changed = [path for path, row in store.rows.items() if path in files and not row.fits(files[path])]
    root = os.fspath(index.root)
    gone = [path for path in store.rows if path not in files and not os.path.lexists(os.path.join(root, path))]
    store.forget(changed + gone)


def _check_room(store: PixelStore, count: int) -> None:
    needed = count * store.slot_bytes
    if needed > shutil.disk_usage(store.folder).free:
        raise disk_full(store.folder, needed)


def _keep(store: PixelStore, file: ImageFile, outcome: Outcome, passing: dict[str, str]) -> None:
    if isinstance(outcome, Squeezed):
        store.put(file, *outcome)
    elif isinstance(outcome, CannotOpen):
        passing[file.path] = str(outcome)
    else:
        store.put_reason(file, str(outcome))


class _Pace:
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


def _outcome(root: Path, side: int, file: ImageFile) -> Outcome:
    try:
        return squeeze(root / file.path, side)
    except DataError as error:
        return error


def _decoded(
    files: Sequence[ImageFile], work: Callable[[ImageFile], Outcome], workers: int
) -> Generator[tuple[ImageFile, Outcome | None], None, None]:
    """Each file with what became of it, in order, decoded by threads with few in flight.

    While a slow one is awaited, it comes with None every tenth of a second, so that the run can speak and stop.
    """
    waiting: deque[tuple[ImageFile, Future[Outcome]]] = deque()
    rest = iter(files)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        while True:
            while len(waiting) < workers * _IN_FLIGHT and (file := next(rest, None)) is not None:
                waiting.append((file, pool.submit(work, file)))
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


def _assembled(store: PixelStore, index: ImageIndex, passing: dict[str, str]) -> PixelCache:
    """The cache of the readable pictures of `index`. Raises DataError if there is none."""
    rows = [store.rows.get(file.path) for file in index.files]
    bad = {row.path: row.reason for row in rows if row is not None and row.slot is None} | passing
    good = [row for row in rows if row is not None and row.slot is not None]
    found = {item.path: item for item in index.unreadable}
    found.update((path, Unreadable(path, reason)) for path, reason in bad.items())
    unreadable = tuple(sorted(found.values(), key=lambda item: item.path))
    if not good:
        raise DataError(_none_readable(index, unreadable))
    kept = {row.path for row in good}
    readable = replace(index.subset(kept), unreadable=unreadable)
    sizes = np.array([(row.height, row.width) for row in good], dtype=np.int32)
    slots = np.array([row.slot for row in good], dtype=np.int64)
    return PixelCache(readable, store.side, sizes, store.pixel_path, slots)


def _none_readable(index: ImageIndex, unreadable: Sequence[Unreadable]) -> str:
    first = "; ".join(f"{printable(item.path)}: {item.reason}" for item in unreadable[:5])
    rest = f" and {len(unreadable) - 5} more" if len(unreadable) > 5 else ""
    root = printable(os.fspath(index.root))
    return f"Not one of the {len(index)} pictures in {root} can be read ({first}{rest}). Choose another folder."
