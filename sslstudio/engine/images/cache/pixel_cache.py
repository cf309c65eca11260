"""Every picture is decoded once, by all cores, into one file of uint8 squares that is mapped into memory."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import numpy as np
import numpy.typing as npt

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.cache.reader import (
    WAITING,
    Pace,
    check_stop,
    compare,
    cores,
    decoded,
    keep,
    make_folder,
    outcome_of,
    released,
    room,
    wait_for,
)
from sslstudio.engine.images.cache.store import PixelStore, store_folder
from sslstudio.engine.images.index import ImageIndex, Unreadable

if TYPE_CHECKING:  # scanning and decoding work without torch: the first page of the window must not load it
    import torch

__all__ = ["STAGE", "WAITING", "PixelCache", "Positions", "build_cache"]
STAGE = Message("Reading pictures")

Positions = Sequence[int] | npt.NDArray[np.integer]


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

    @property
    def complete(self) -> bool:
        """Whether everything is read: see growing.py for a cache that is not."""
        return True

    @property
    def broken(self) -> list[str]:
        """Pictures of `index` that cannot be read: none here."""
        return []

    def readable(self, positions: Positions) -> npt.NDArray[np.bool_]:
        """Which of these can be read: all that this cache holds."""
        return np.ones(len(positions), np.bool_)

    def close(self) -> None:
        """Nothing is under way: see growing.py."""

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
    make_folder(folder)
    lock = filelock.FileLock(folder / "lock", thread_local=False)  # a generator may be closed by another thread
    with room(folder, len(index) * side * side * 3):
        yield from wait_for(lock, control, len(index))
        with released(lock), closing(PixelStore(folder, side)) as store:
            passing = yield from _fill(store, index, control, workers or cores())
    return assembled(store, index, passing)


def _fill(
    store: PixelStore, index: ImageIndex, control: RunControl, workers: int
) -> Generator[Preparing, None, dict[str, str]]:
    """Decode the missing pictures into the store. Returns path -> reason of those that cannot be opened just now."""
    compared = yield from compare(store, index, control)
    done, total = len(index) - len(compared.missing), len(index)
    pace = Pace()
    try:
        with closing(decoded(compared.missing, partial(outcome_of, index.root, store.side), workers)) as outcomes:
            for task, outcome in outcomes:
                check_stop(control)
                if outcome is not None:
                    done += 1
                    keep(store, task.file, outcome, compared.passing)
                pace.commit(store)
                if pace.is_time():
                    yield Preparing(stage=STAGE, done=done, total=total)
    finally:
        store.commit()
    yield Preparing(stage=STAGE, done=done, total=total)
    return compared.passing


def assembled(store: PixelStore, index: ImageIndex, passing: dict[str, str]) -> PixelCache:
    """The cache of the readable pictures of `index`. Raises DataError if there is none."""
    rows = [store.rows.get(path) for path in index.paths if path not in passing]
    bad = {row.path: row.reason for row in rows if row is not None and row.slot is None} | passing
    good = [row for row in rows if row is not None and row.slot is not None]
    found = {item.path: item for item in index.unreadable}
    found.update((path, Unreadable(path, reason)) for path, reason in bad.items())
    unreadable = tuple(sorted(found.values(), key=lambda item: item.path))
    if not good:
        raise none_readable(index, unreadable)
    kept = {row.path for row in good}
    readable = replace(index.subset(kept), unreadable=unreadable)
    sizes = np.array([(row.height, row.width) for row in good], dtype=np.int32)
    slots = np.array([row.slot for row in good], dtype=np.int64)
    return PixelCache(readable, store.side, sizes, store.pixel_path, slots)


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
