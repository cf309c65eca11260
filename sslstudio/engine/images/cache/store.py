"""What the pixel cache keeps on disk: a file of squares of the same size (slots) and a table that says whose they are.

The order of writing makes it safe to be killed at any point: a row is recorded only after its pixels have reached the
disk, and the row of a file that changed or is gone is taken out before its slot is written again.
"""

import contextlib
import gc
import hashlib
import io
import os
import re
import shutil
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import filelock
import numpy as np
import numpy.typing as npt

from sslstudio.engine.core.errors import DiskFull, RunError
from sslstudio.engine.core.files.atomic_files import FULL, remove_file, write_all
from sslstudio.engine.core.messages import from_text, to_text
from sslstudio.engine.images.formats.wanted import LeftOut, channels_suffix
from sslstudio.engine.images.formats.wanted import to_text as left_text
from sslstudio.engine.images.index import ImageFile, printable

MOST_SIDE: Final = 1024
FORMAT: Final = 3  # raise it when decoding changes: everything is then decoded again, in another folder
_INSERT = "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TABLE = """CREATE TABLE IF NOT EXISTS pictures (
    path BLOB PRIMARY KEY,  -- relative to the root, as the bytes of the file system
    size INTEGER NOT NULL,
    mtime_ns TEXT NOT NULL, -- a text: dates after 2262 do not fit an integer of SQLite
    slot INTEGER UNIQUE,    -- NULL if it cannot be read
    height INTEGER NOT NULL,
    width INTEGER NOT NULL,
    reason TEXT NOT NULL,   -- why it cannot be read; '' if it can
    left_out TEXT NOT NULL, -- what of the file is not in the pixels: formats/wanted.py
    checksum INTEGER NOT NULL -- CRC-32 of the pixels; 0 if it cannot be read
) WITHOUT ROWID"""
LOCK_SECONDS = 3.0  # until a reading that was told to stop has stopped
LOOKED_AT = 64  # squares whose checksums are looked at when a store is opened, at least
LOOKED_AT_BYTES = 64 << 20
TABLE: Final = "pictures.sqlite"
_BINARY = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a picture: the slot of its pixels, its size in the file and what of that is left out
    (`wanted.from_text`), or why it cannot be read."""

    path: str
    size: int
    mtime_ns: int
    slot: int | None
    height: int = 0
    width: int = 0
    reason: str = ""
    left: str = ""
    checksum: int = 0

    def fits(self, file: ImageFile) -> bool:
        """Whether the file is still the one that was read."""
        return self.size == file.size and self.mtime_ns == file.mtime_ns


def store_folder(cache_dir: Path, root: Path, side: int, channels: Sequence[int] = ()) -> Path:
    """Where the pixels of the pictures below `root`, squeezed to `side`, are kept; apart for chosen `channels`."""
    words = [str(side), str(FORMAT), *([channels_suffix(channels)] if channels else [])]
    key = b"\0".join([os.fsencode(os.path.realpath(root)), *(word.encode() for word in words)])
    return cache_dir / "pixels" / hashlib.blake2b(key, digest_size=16).hexdigest()


def move_stores(old: Path, new: Path, cache_dir: Path, name: str = "") -> None:
    """What was read of the pictures below `old` counts for `new` from now on, where they are the same or lie below a
    folder `name`. What cannot be moved, or is being read just now, is read again."""
    for side in range(1, MOST_SIDE + 1):
        there, then = store_folder(cache_dir, old, side), store_folder(cache_dir, new, side)
        if there.is_dir() and not then.exists():
            with contextlib.suppress(OSError, sqlite3.Error, filelock.Timeout):
                if name:
                    _put_below(there, name)
                there.rename(then)


def _put_below(folder: Path, name: str) -> None:
    """Begin the paths of a store with `name`. Whoever finds them so at the old place takes them for gone."""
    lock = filelock.FileLock(folder / "lock", timeout=LOCK_SECONDS)
    with lock, contextlib.closing(_connect(folder / TABLE)) as table:
        table.execute("UPDATE pictures SET path = CAST(? || path AS BLOB)", (os.fsencode(f"{name}/"),))
        table.commit()


def make_folder(folder: Path) -> None:
    """Make a folder of the cache. Raises RunError, in words, when it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if is_full(error):
            raise disk_full(folder, 0) from error
        raise RunError(
            "The folder for decoded pictures, {folder}, cannot be made: {reason}. Set SSLSTUDIO_CACHE to "
            "a folder that can be written.",
            folder=folder,
            reason=error.strerror,
        ) from error


@contextlib.contextmanager
def room(folder: Path, needed: int) -> Iterator[None]:
    """What the disk says becomes a RunError in words."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            raise disk_full(folder, needed) from error
        raise RunError("Decoded pictures cannot be kept in {folder}: {error}.", folder=folder, error=error) from error


class PixelStore:
    """The slots and the table of one folder of the cache. For one thread, under a lock between processes.

    `shared`: others look at the slots just now, so that none is written a second time. `fixed`: nothing can be written
    here at all, as on a disk that is read-only.
    """

    def __init__(self, folder: Path, side: int, *, shared: bool = False, fixed: bool = False) -> None:
        self.folder, self.side, self.fixed = folder, side, fixed
        self.slot_bytes = side * side * 3
        self.pixel_path = folder / "pixels.bin"
        self._shared = shared
        # never truncated: whoever has it mapped would be ended by the system
        self._handle = os.open(self.pixel_path, (os.O_RDONLY if fixed else os.O_RDWR | os.O_CREAT) | _BINARY, 0o666)
        with contextlib.ExitStack() as on_error:
            on_error.callback(os.close, self._handle)
            self._table = _look_at_table(folder / TABLE) if fixed else _open_table(folder / TABLE)
            on_error.callback(self._table.close)
            self.rows = self._load()
            on_error.pop_all()
        used = {row.slot for row in self.rows.values() if row.slot is not None}
        self._end = max(used, default=-1) + 1
        self._free = sorted(set(range(self._end)) - used, reverse=True)  # the lowest is taken first
        if shared:  # they may have been given up behind the last one that is used, too
            self._end, self._free = max(self._end, -(-self.size() // self.slot_bytes)), []
        self._pending: list[Row] = []
        self._unsynced = False

    def size(self) -> int:
        """Bytes of the file of slots, now."""
        return os.fstat(self._handle).st_size

    def _load(self) -> dict[str, Row]:
        """The table without the rows whose pixels are missing (someone cut the file). Where pixels are not those that
        were written, none of the file is believed."""
        whole = self.size() // self.slot_bytes
        rows: dict[str, Row] = {}
        unfit: list[tuple[Any]] = []
        with garbage_collection_put_off():
            rest = self._table.execute("SELECT * FROM pictures")
            for values in rest:
                row = _row_of(*values)
                if row is None:
                    unfit.append((values[0],))
                elif row.slot is None or row.slot < whole:
                    rows[row.path] = row
        damaged = not self._is_as_written([row for row in rows.values() if row.slot is not None])
        if damaged:
            rows = {path: row for path, row in rows.items() if row.slot is None}
        if not self.fixed:
            self._table.execute("DELETE FROM pictures WHERE slot >= ?", (0 if damaged else whole,))
            self._table.executemany("DELETE FROM pictures WHERE path IS ?", unfit)
            self._table.commit()
        return rows

    def _is_as_written(self, rows: Sequence[Row]) -> bool:
        """Whether the pixels are those that were written: all of a small file, of a large one the first, the last and
        some between."""
        count = max(LOOKED_AT, LOOKED_AT_BYTES // self.slot_bytes)
        ordered = sorted(rows, key=lambda row: row.slot or 0)
        places = np.linspace(0, len(ordered) - 1, min(count, len(ordered))).astype(int).tolist()
        return all(zlib.crc32(self._read(ordered[place].slot or 0)) == ordered[place].checksum for place in places)

    def _read(self, slot: int) -> bytes:
        return _read_at(self._handle, slot * self.slot_bytes, self.slot_bytes)

    def forget(self, paths: Iterable[str]) -> None:
        """Take rows out, committed before this returns, so that their slots may be written again."""
        gone = [self.rows.pop(path) for path in list(paths)]
        if not gone:
            return
        self._table.executemany("DELETE FROM pictures WHERE path = ?", [(os.fsencode(row.path),) for row in gone])
        self._table.commit()
        if not self._shared:
            self._free.extend(row.slot for row in gone if row.slot is not None)
            self._free.sort(reverse=True)

    def put(
        self, file: ImageFile, pixels: npt.NDArray[np.uint8], height: int, width: int, left: Sequence[LeftOut] = ()
    ) -> int:
        """Write a picture to a free slot and return that. It is recorded by the next `commit`.

        Raises OSError if the disk is full.
        """
        slot = self._free[-1] if self._free else self._end
        content = pixels.tobytes()
        self._write(slot, content)
        if self._free:  # only now: where the disk was full the same slot is tried again
            self._free.pop()
        self._end = max(self._end, slot + 1)
        checksum, said = zlib.crc32(content), left_text(left)
        self._pending.append(
            Row(file.path, file.size, file.mtime_ns, slot, height, width, left=said, checksum=checksum)
        )
        return slot

    def _write(self, slot: int, content: bytes) -> None:
        os.lseek(self._handle, slot * self.slot_bytes, os.SEEK_SET)
        write_all(self._handle, content)

    def check_room(self, count: int) -> None:
        """Raises RunError when the disk has no room for so many pictures more."""
        needed = count * self.slot_bytes
        if needed > shutil.disk_usage(self.folder).free:
            raise disk_full(self.folder, needed)

    def put_reason(self, file: ImageFile, reason: str) -> None:
        """Remember that a file cannot be read, and why."""
        self._pending.append(Row(file.path, file.size, file.mtime_ns, None, reason=reason))

    def commit(self) -> None:
        """Record what was put since the last commit, after its pixels have reached the disk. What the disk refuses can
        be tried again."""
        if not self._pending:
            return
        if self._unsynced:
            self._write_again()
        self._unsynced = True
        os.fsync(self._handle)
        self._unsynced = False
        try:
            self._table.executemany(_INSERT, map(_values, self._pending))
            self._table.commit()
        except sqlite3.Error:
            self._table.rollback()
            raise
        self.rows.update((row.path, row) for row in self._pending)
        self._pending = []

    def _write_again(self) -> None:
        """After a sync that failed the system takes for written what may not be: it goes to the disk once more."""
        for row in self._pending:
            if row.slot is not None:
                self._write(row.slot, self._read(row.slot))

    def close(self) -> None:
        """Close both files; what was not committed is not recorded."""
        self._table.close()
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def peek(folder: Path, side: int, files: Sequence[ImageFile]) -> dict[str, npt.NDArray[np.uint8]]:
    """uint8 (side, side, 3) of those files that are in a store, which another thread or process may be writing.

    A row that is the same before and after has had its slot to itself: rows go before their slots are written again.
    """
    uri = (folder / TABLE).absolute().as_uri() + "?mode=ro"
    try:
        with (
            contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1.0)) as table,
            open(folder / "pixels.bin", "rb", buffering=0) as pixels,
        ):
            if not _is_ours(table):
                return {}
            before = {file.path: _slot(table, file) for file in files}
            found = {path: _square(pixels, slot, side) for path, slot in before.items() if slot is not None}
            return {file.path: found[file.path] for file in files if (slot := before[file.path]) is not None
                    and slot == _slot(table, file) and found[file.path].shape == (side, side, 3)}  # fmt: skip
    except (OSError, sqlite3.Error):  # there is no store yet, or it cannot be looked at just now
        return {}


@contextlib.contextmanager
def garbage_collection_put_off() -> Iterator[None]:
    """Put off Python's search for cycles: where very many objects without any are made at once it would go through all
    of them again and again. It is off in all threads: not for long, and not around a `yield` of a generator."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _slot(table: sqlite3.Connection, file: ImageFile) -> int | None:
    query = "SELECT slot FROM pictures WHERE path = ? AND size = ? AND mtime_ns = ? AND slot IS NOT NULL"
    row = table.execute(query, (os.fsencode(file.path), file.size, str(file.mtime_ns))).fetchone()
    return int(row[0]) if row else None


def _square(pixels: io.FileIO, slot: int, side: int) -> npt.NDArray[np.uint8]:
    pixels.seek(slot * side * side * 3)
    values = np.frombuffer(pixels.read(side * side * 3), np.uint8)
    return values.reshape(side, side, 3) if values.size == side * side * 3 else values


def _values(row: Row) -> tuple[Any, ...]:
    return (
        os.fsencode(row.path),
        row.size,
        str(row.mtime_ns),
        row.slot,
        row.height,
        row.width,
        printable(to_text(row.reason)),
        row.left,
        row.checksum,
    )


def _row_of(
    path: Any, size: Any, mtime_ns: Any, slot: Any, height: Any, width: Any, reason: Any, left: Any, checksum: Any
) -> Row | None:
    """A row as the table has it; None where a value is not of its kind, as of a damaged file: it is decoded again."""
    try:
        taken = None if slot is None else int(slot)
        numbers = (int(height), int(width))
        return Row(
            os.fsdecode(path), int(size), int(mtime_ns), taken, *numbers, from_text(reason), str(left), int(checksum)
        )
    except (TypeError, ValueError, OverflowError):
        return None


def _open_table(path: Path) -> sqlite3.Connection:
    """The table; one that is damaged is thrown away, which costs no more than decoding again."""
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if is_full(error):
            raise
        for leftover in (path, path.with_name(path.name + "-journal")):
            remove_file(leftover)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    with contextlib.ExitStack() as on_error:
        table = sqlite3.connect(path, check_same_thread=False)  # a generator may be closed by another thread
        on_error.callback(table.close)
        table.execute(_TABLE)
        if not _is_ours(table) or table.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("damaged")
        table.commit()
        on_error.pop_all()
    return table


def _look_at_table(path: Path) -> sqlite3.Connection:
    """The table of a folder in which nothing can be written, and so nobody writes."""
    uri = path.absolute().as_uri() + "?mode=ro&immutable=1"
    with contextlib.ExitStack() as on_error:
        table = sqlite3.connect(uri, uri=True, check_same_thread=False)
        on_error.callback(table.close)
        if not _is_ours(table):
            raise sqlite3.DatabaseError("damaged")
        on_error.pop_all()
    return table


def _is_ours(table: sqlite3.Connection) -> bool:
    """Whether a file holds our table and nothing else. A view, a trigger or a check in one of somebody else's would
    have this process compute or fill the memory without end; nothing of them is carried out by asking this."""
    made = table.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL LIMIT 2").fetchall()
    return len(made) == 1 and _plain(str(made[0][0])) == _plain(_TABLE.replace("IF NOT EXISTS ", ""))


def _plain(sql: str) -> str:
    """A statement without remarks and white space."""
    return "".join(re.sub("--.*", "", sql).split())


def _read_at(handle: int, place: int, size: int) -> bytes:
    os.lseek(handle, place, os.SEEK_SET)
    return os.read(handle, size)


def is_full(error: Exception) -> bool:
    """Whether the error says that there is no room left on the disk."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return isinstance(error, sqlite3.OperationalError) and "full" in str(error)


def disk_full(folder: Path, needed: int) -> DiskFull:
    """The error for a disk that cannot take `needed` bytes more."""
    return DiskFull(
        "The disk is full: the decoded pictures need {needed:,.1f} MB more in {folder}. Make room "
        "there, choose a smaller picture size, or set SSLSTUDIO_CACHE to a folder on a larger disk.",
        needed=needed / 1000000.0,
        folder=folder,
    )
