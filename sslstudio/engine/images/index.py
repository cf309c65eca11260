"""A folder -> the list of its pictures, of what cannot be read and of what is no picture. Opens (almost) no file."""

import os
import stat
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message, join, printable
from sslstudio.engine.images.formats.errors import from_os
from sslstudio.engine.images.formats.wanted import channels_suffix
from sslstudio.engine.images.listing import HIDDEN, HIDDEN_FOLDER, NO_SUFFIX, SUFFIXES, SYSTEM_FOLDER, Unreadable
from sslstudio.engine.images.listing_cache import Remembered
from sslstudio.engine.images.multi_folder import Album, root_of, where
from sslstudio.engine.images.scanner import FIRST, Found, Run, Walk

__all__ = [
    "HIDDEN", "HIDDEN_FOLDER", "NO_SUFFIX", "SUFFIXES", "SYSTEM_FOLDER", "Found", "ImageFile", "ImageIndex",
    "Unreadable", "file_at", "picture_file", "printable", "scan", "scanning",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A picture: its path relative to the root (with /), its size in bytes and when it was last changed.

    A name that is not UTF-8 is kept with surrogate escapes, so that it can be opened; `printable` makes it a text.
    """

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class ImageIndex:
    """What a folder holds: pictures sorted by path, what cannot be read, and the other files counted by suffix.

    Hidden files count as 'hidden' whatever their suffix; a hidden folder is not entered and counts as one, and so does
    a folder of thumbnails or deleted files that a storage box or a system keeps beside pictures. Sizes and
    times are not here: they are asked for when a picture is read (`file_at`), so that they are those of that moment.
    `channels` are those that were chosen (formats/wanted.py), () for the usual ones; `left`, once the pictures are
    read: path -> what of its file is not used, and `notes` the sentences on it.
    """

    root: Path
    runs: tuple[Run, ...]
    unreadable: tuple[Unreadable, ...] = ()
    ignored: dict[str, int] = field(default_factory=dict)
    channels: tuple[int, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()

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

    def file(self, path: str) -> Path:
        """Where a picture is, as `read_picture` takes it: with the channels that were chosen."""
        return picture_file(self.root, path, self.channels)

    @cached_property
    def places(self) -> dict[str, int]:
        """Path -> its number in `paths`; made once."""
        return {path: number for number, path in enumerate(self.paths)}

    def first(self, count: int) -> tuple[str, ...]:
        """The first of the paths."""
        return tuple(islice((run.prefix + name for run in self.runs for name in run.names.split("/")), count))

    def counts(self) -> dict[str, int]:
        """How many pictures there are below each folder of the first level."""
        found = Counter[str]()
        for run in self.runs:
            found[run.prefix.partition("/")[0]] += run.pictures
        return dict(found)

    def and_below(self, prefix: str, other: "ImageIndex") -> "ImageIndex":
        """This and, below a folder that comes after all that is here, another one."""
        runs = (Run(prefix + run.prefix, run.names, run.pictures) for run in other.runs)
        unreadable = (Unreadable(prefix + one.path, one.reason) for one in other.unreadable)
        ignored = Counter(self.ignored) + Counter(other.ignored)
        return replace(
            self, runs=(*self.runs, *runs), unreadable=(*self.unreadable, *unreadable),
            ignored=dict(ignored.most_common()),
        )  # fmt: skip

    def subset(self, keep: Collection[str]) -> "ImageIndex":
        """The same folder with only the pictures whose path is in `keep`, in the same order."""
        wanted = keep if isinstance(keep, (set, frozenset, dict)) else frozenset(keep)
        return replace(self, runs=tuple(_runs_of(path for path in self.paths if path in wanted)))


def picture_file(root: Path, path: str, channels: Sequence[int] = ()) -> Path:
    """Where a picture below `root` is, as `read_picture` takes it: a page of a file, with these channels (from 1)."""
    return Path(f"{where(root, path, whole=True)}{channels_suffix(channels)}")


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
        about = os.stat(where(root, path))
    except OSError as error:
        raise from_os(error) from error
    return ImageFile(path, about.st_size, about.st_mtime_ns)


def scan(root: Path | str, cache_dir: Path | None = None) -> ImageIndex:
    """List the pictures below `root`, nested folders and linked folders included, each folder once; of an album those
    of the folders that it lists, each path with the name of its folder before it.

    Known suffixes are taken without looking inside; a file without suffix, or with digits for one (DICOM exports),
    is a picture if its first bytes say so. What folders held is remembered in `cache_dir`. Raises DataError for a
    folder that is missing, is no folder, cannot be listed or holds no picture.
    """
    return to_end(scanning(root, cache_dir))


def scanning(root: Path | str, cache_dir: Path | None = None) -> Generator[Found, None, ImageIndex]:
    """`scan` that says how far it is, first as soon as there are pictures to show."""
    folder = Path(os.path.abspath(Path(root).expanduser()))
    _check_root(os.fspath(folder))
    place = root_of(folder)
    index = yield from _walk_album(place, cache_dir) if isinstance(place, Album) else _walk_folder(folder, cache_dir)
    if not index.runs:
        raise DataError(_no_pictures(index))
    return index


def _walk_folder(folder: Path, cache_dir: Path | None) -> Generator[Found, None, ImageIndex]:
    walk = Walk(folder, Remembered(os.fspath(folder), cache_dir or cache_folder()))
    yield from walk.run()
    unreadable = tuple(sorted(walk.unreadable, key=lambda item: item.path))
    return ImageIndex(folder, tuple(walk.runs()), unreadable, dict(walk.ignored.most_common()))


def _walk_album(album: Album, cache_dir: Path | None) -> Generator[Found, None, ImageIndex]:
    """Walk one folder after the other: what is remembered of each is the same as when it is opened alone."""
    for name, folder in album.find_missing().items():
        raise DataError(
            "The folder {name} is not there: {folder}. Plug in its disk, say where it is now, or take it "
            "out of the project.",
            name=name,
            folder=folder,
        )
    whole = ImageIndex(album, ())
    for prefix in sorted(f"{name}/" for name in album.folders):
        walk, first = _walk_folder(album.folders[prefix[:-1]], cache_dir), whole.first(FIRST)
        while True:
            try:
                found = next(walk)
            except StopIteration as end:
                whole = whole.and_below(prefix, end.value)
                break
            more = tuple(prefix + path for path in found.first)
            yield Found(len(whole) + found.pictures, (first + more)[:FIRST])
    return whole


def _check_root(root: str) -> None:
    try:
        mode = os.stat(root).st_mode
    except FileNotFoundError:
        raise DataError("There is no folder {root}. Check the spelling, or choose it again.", root=root) from None
    except (OSError, ValueError) as error:
        raise DataError("The folder {root} cannot be opened: {error}.", root=root, error=error) from error
    if not stat.S_ISDIR(mode):
        raise DataError("{root} is a file, not a folder. Choose the folder that holds the pictures.", root=root)


def _no_pictures(index: ImageIndex) -> Message:
    unreadable, ignored = index.unreadable, Counter(index.ignored)
    parts = [Message("There are no pictures in {root}. Looked for {suffixes}.", root=index.root, suffixes=SUFFIXES)]
    if ignored:
        most = [Message("{suffix} {n}", suffix=suffix, n=count) for suffix, count in ignored.most_common(5)]
        rest = ", ..." if len(ignored) > 5 else ""
        total = ignored.total()
        parts.append(
            Message("Found {total} other {total:plural(file|files)} ({most}{rest}).", total=total, most=most, rest=rest)
        )
    if unreadable:
        first = unreadable[0]
        parts.append(
            Message(
                "{unreadable} could not be read, first {first}: {reason}.",
                unreadable=len(unreadable),
                first=first.path,
                reason=first.reason,
            )
        )
    parts.append(Message("Choose the folder that holds the pictures."))
    return join(parts)
