"""A folder -> the list of its pictures, of what cannot be read and of what is no picture. Opens (almost) no file."""

import os
import stat
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from sslstudio.engine.data.cache_folder import cache_folder
from sslstudio.engine.data.listing import (
    HIDDEN,
    HIDDEN_FOLDER,
    NO_SUFFIX,
    SUFFIXES,
    Listed,
    Unreadable,
    list_folder,
    printable,
)
from sslstudio.engine.data.reasons import from_os
from sslstudio.engine.data.remembered import Remembered
from sslstudio.engine.errors import DataError

__all__ = [
    "HIDDEN", "HIDDEN_FOLDER", "NO_SUFFIX", "SUFFIXES", "Found", "ImageFile", "ImageIndex", "Unreadable", "file_at",
    "printable", "scan", "scanning",
]  # fmt: skip
FIRST = 60  # pictures named while a scan goes on: what a screen shows
_SAY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A picture: its path relative to the root (with /), its size in bytes and when it was last changed.

    A name that is not UTF-8 is kept with surrogate escapes, so that it can be opened; `printable` makes it a text.
    """

    path: str
    size: int
    mtime_ns: int


class Found(NamedTuple):
    """How far a scan is: pictures so far, and the first of them."""

    pictures: int
    first: tuple[str, ...]


class Run(NamedTuple):
    """Pictures of one folder that follow one another: the folder ('' or with a slash at the end), and the names with a
    slash between them. A million pictures take some 15 MB this way, as objects a hundred."""

    prefix: str
    names: str
    pictures: int


@dataclass(frozen=True)
class ImageIndex:
    """What a folder holds: pictures sorted by path, what cannot be read, and the other files counted by suffix.

    Hidden files count as 'hidden' whatever their suffix; a hidden folder is not entered and counts as one. Sizes and
    times are not here: they are asked for when a picture is read (`file_at`), so that they are those of that moment.
    """

    root: Path
    runs: tuple[Run, ...]
    unreadable: tuple[Unreadable, ...] = ()
    ignored: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path, paths: Iterable[str]) -> "ImageIndex":
        """The index of these paths."""
        return cls(root, tuple(_runs_of(sorted(paths))))

    def __len__(self) -> int:
        return sum(run.pictures for run in self.runs)

    @cached_property
    def paths(self) -> list[str]:
        """The relative paths of the pictures, in order; made once, for all who look at them. Do not change the list."""
        return [run.prefix + name for run in self.runs for name in run.names.split("/")]

    @cached_property
    def places(self) -> dict[str, int]:
        """Path -> its number in `paths`; made once."""
        return {path: number for number, path in enumerate(self.paths)}

    def subset(self, keep: Collection[str]) -> "ImageIndex":
        """The same folder with only the pictures whose path is in `keep`, in the same order."""
        wanted = keep if isinstance(keep, (set, frozenset, dict)) else frozenset(keep)
        return replace(self, runs=tuple(_runs_of(path for path in self.paths if path in wanted)))


def _runs_of(paths: Iterable[str]) -> Iterator[Run]:
    """Sorted paths, cut where the folder changes."""
    prefix, names = "", list[str]()
    for path in paths:
        folder, slash, name = path.rpartition("/")
        if folder + slash != prefix and names:
            yield Run(prefix, "/".join(names), len(names))
            names = []
        prefix = folder + slash
        names.append(name)
    if names:
        yield Run(prefix, "/".join(names), len(names))


def file_at(root: Path, path: str) -> ImageFile:
    """The picture as it is now. Raises CannotOpen, in words, when it is gone."""
    try:
        about = os.stat(os.path.join(root, path))
    except OSError as error:
        raise from_os(error) from error
    return ImageFile(path, about.st_size, about.st_mtime_ns)


def scan(root: Path | str, cache_dir: Path | None = None) -> ImageIndex:
    """List the pictures below `root`, nested folders and linked folders included, each folder once.

    Known suffixes are taken without looking inside; a file without suffix, or with digits for one (DICOM exports),
    is a picture if its first bytes say so. What folders held is remembered in `cache_dir`. Raises DataError for a
    folder that is missing, is no folder, cannot be listed or holds no picture.
    """
    steps = scanning(root, cache_dir)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            index: ImageIndex = end.value
            return index


def scanning(root: Path | str, cache_dir: Path | None = None) -> Generator[Found, None, ImageIndex]:
    """`scan` that says how far it is, first as soon as there are pictures to show."""
    folder = Path(os.path.abspath(Path(root).expanduser()))
    _check_root(os.fspath(folder))
    walk = _Walk(folder, Remembered(os.fspath(folder), cache_dir or cache_folder()))
    yield from walk.run()
    if not walk.pictures:
        raise DataError(_no_pictures(folder, walk.unreadable, walk.ignored))
    unreadable = tuple(sorted(walk.unreadable, key=lambda item: item.path))
    return ImageIndex(folder, tuple(walk.runs()), unreadable, dict(walk.ignored.most_common()))


class _Walk:
    """One pass over a tree. Linked folders wait until all real ones are done, so that a picture keeps its real path."""

    def __init__(self, root: Path, remembered: Remembered) -> None:
        self.pictures = 0
        self.unreadable: list[Unreadable] = []
        self.ignored: Counter[str] = Counter()
        self._root = os.fspath(root)
        self._remembered = remembered
        self._seen: set[tuple[int, int]] = set()
        self._folders: deque[str] = deque([""])
        self._links: deque[str] = deque()
        self._listed: dict[str, Listed] = {}  # by prefix
        self._first: tuple[str, ...] = ()
        self._said, self._shown = 0.0, False

    def run(self) -> Iterator[Found]:
        while self._folders or self._links:
            prefix = self._folders.popleft() if self._folders else self._links.popleft()
            try:
                yield from self._list(prefix)
            except OSError as error:
                if not prefix:
                    raise DataError(
                        f"The folder {printable(self._root)} cannot be listed: {from_os(error)}."
                    ) from error
                reason = f"the folder cannot be listed: {from_os(error)}"
                self.unreadable.append(Unreadable(prefix.rstrip("/"), reason))
        self._remembered.keep(self.pictures)

    def _list(self, prefix: str) -> Iterator[Found]:
        began = time.time_ns()
        about = os.stat(os.path.join(self._root, prefix))
        if (about.st_dev, about.st_ino) in self._seen:
            return
        self._seen.add((about.st_dev, about.st_ino))
        listed = self._remembered.recall(prefix, about)
        if listed is None:
            steps = list_folder(self._root, prefix)
            while True:
                try:
                    yield from self._say(prefix, next(steps).names)
                except StopIteration as end:
                    folder = end.value
                    break
            listed = self._remembered.note(prefix, about, folder, began)
        self._take(prefix, listed)
        yield from self._say(prefix, [])

    def _say(self, prefix: str, names: list[str]) -> Iterator[Found]:
        """Tell of the first pictures at once, and then ten times a second."""
        now = time.monotonic()
        full = not self._shown and len(self._first) + len(names) >= FIRST
        if full or now - self._said >= _SAY_SECONDS:
            self._said, self._shown = now, self._shown or full
            room = max(0, FIRST - len(self._first))
            more = tuple(prefix + name for name in names[:room])
            yield Found(self.pictures + len(names), self._first + more)

    def _take(self, prefix: str, folder: Listed) -> None:
        self.pictures += folder.pictures
        self._first += tuple(prefix + name for name in folder.first(FIRST - len(self._first)))
        self.unreadable += folder.unreadable
        self.ignored.update(folder.ignored)
        self._folders.extend(prefix + name + "/" for name in folder.folders)
        self._links.extend(prefix + name + "/" for name in folder.links)
        self._listed[prefix] = folder

    def runs(self) -> Iterator[Run]:
        """Everything in the order of the paths: the pictures of a folder are cut where a folder in it has its place."""
        ahead: list[str | Run] = [""]
        while ahead:
            part = ahead.pop()
            if isinstance(part, Run):
                yield part
            elif part in self._listed:
                ahead += reversed(list(self._parts(part)))

    def _parts(self, prefix: str) -> Iterator[str | Run]:
        names, count, folders, links, *_ = self._listed[prefix]
        below = folders + links
        if not below or not count:
            yield from [Run(prefix, names, count)] if count else []
            yield from sorted(f"{prefix}{name}/" for name in below)
            return
        rest, start = names.split("/"), 0
        for name in sorted(name + "/" for name in below):
            end = bisect_left(rest, name)
            if end > start:
                yield Run(prefix, "/".join(rest[start:end]), end - start)
            yield prefix + name
            start = end
        if start < count:
            yield Run(prefix, "/".join(rest[start:]), count - start)


def _check_root(root: str) -> None:
    try:
        mode = os.stat(root).st_mode
    except FileNotFoundError:
        raise DataError(f"There is no folder {printable(root)}. Check the spelling, or choose it again.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"The folder {printable(root)} cannot be opened: {error}.") from error
    if not stat.S_ISDIR(mode):
        raise DataError(f"{printable(root)} is a file, not a folder. Choose the folder that holds the pictures.")


def _no_pictures(root: Path, unreadable: list[Unreadable], ignored: Counter[str]) -> str:
    parts = [f"There are no pictures in {printable(os.fspath(root))}. Looked for {', '.join(SUFFIXES)}."]
    if ignored:
        most = ", ".join(f"{suffix} {count}" for suffix, count in ignored.most_common(5))
        rest = ", ..." if len(ignored) > 5 else ""
        total = ignored.total()
        parts.append(f"Found {total} other {'file' if total == 1 else 'files'} ({most}{rest}).")
    if unreadable:
        first = unreadable[0]
        parts.append(f"{len(unreadable)} could not be read, first {printable(first.path)}: {first.reason}.")
    parts.append("Choose the folder that holds the pictures.")
    return " ".join(parts)
