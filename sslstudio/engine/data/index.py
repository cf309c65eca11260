"""A folder -> the list of its pictures, of what cannot be read and of what is no picture. Opens (almost) no file."""

import os
import stat
from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from sslstudio.engine.data.reasons import from_os
from sslstudio.engine.data.signature import HEAD, kind_of
from sslstudio.engine.errors import DataError

SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".dcm", ".dicom",
)  # fmt: skip
HIDDEN, HIDDEN_FOLDER, NO_SUFFIX = "hidden", "hidden folder", "no suffix"  # keys of `ignored` that are no suffixes


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A picture: its path relative to the root (with /), its size in bytes and when it was last changed.

    A name that is not UTF-8 is kept with surrogate escapes, so that it can be opened; `printable` makes it a text.
    """

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or folder that should hold pictures and cannot be read, and why, in plain words."""

    path: str
    reason: str


@dataclass(frozen=True)
class ImageIndex:
    """What a folder holds: pictures sorted by path, what cannot be read, and the other files counted by suffix.

    Hidden files count as 'hidden' whatever their suffix; a hidden folder is not entered and counts as one.
    """

    root: Path
    files: tuple[ImageFile, ...]
    unreadable: tuple[Unreadable, ...] = ()
    ignored: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.files)

    @property
    def paths(self) -> list[str]:
        """The relative paths of the pictures, in order."""
        return [file.path for file in self.files]

    def subset(self, keep: Collection[str]) -> "ImageIndex":
        """The same folder with only the pictures whose path is in `keep`, in the same order."""
        wanted = frozenset(keep)
        return replace(self, files=tuple(file for file in self.files if file.path in wanted))


def printable(path: str) -> str:
    """The path as a text for screens, JSON and logs: bytes that are no UTF-8 become the replacement character."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def scan(root: Path | str) -> ImageIndex:
    """List the pictures below `root`, nested folders and linked folders included, each folder once.

    Known suffixes are taken without looking inside; a file without suffix, or with digits for one (DICOM exports),
    is a picture if its first bytes say so. Raises DataError for a folder that is missing, is no folder, cannot be
    listed or holds no picture.
    """
    folder = Path(os.path.abspath(Path(root).expanduser()))
    walk = _Walk(folder)
    walk.run()
    if not walk.files:
        raise DataError(_no_pictures(folder, walk.unreadable, walk.ignored))
    return ImageIndex(
        folder,
        tuple(sorted(walk.files, key=lambda file: file.path)),
        tuple(sorted(walk.unreadable, key=lambda item: item.path)),
        dict(walk.ignored.most_common()),
    )


class _Walk:
    """One pass over a tree. Linked folders wait until all real ones are done, so that a picture keeps its real path."""

    def __init__(self, root: Path) -> None:
        self.files: list[ImageFile] = []
        self.unreadable: list[Unreadable] = []
        self.ignored: Counter[str] = Counter()
        self._root = os.fspath(root)
        self._seen: set[tuple[int, int]] = set()
        self._folders: deque[str] = deque([""])
        self._links: deque[str] = deque()

    def run(self) -> None:
        _check_root(self._root)
        while self._folders or self._links:
            self._list(self._folders.popleft() if self._folders else self._links.popleft())

    def _list(self, prefix: str) -> None:
        """Take in one folder; `prefix` is '' or its relative path with a slash at the end."""
        path = os.path.join(self._root, prefix)
        try:
            about = os.stat(path)
            if (about.st_dev, about.st_ino) in self._seen:
                return
            self._seen.add((about.st_dev, about.st_ino))
            with os.scandir(path) as entries:
                for entry in entries:
                    self._take(entry, prefix + entry.name)
        except OSError as error:
            if not prefix:
                raise DataError(f"The folder {printable(path)} cannot be listed: {from_os(error)}.") from error
            self.unreadable.append(Unreadable(prefix.rstrip("/"), f"the folder cannot be listed: {from_os(error)}"))

    def _take(self, entry: os.DirEntry[str], path: str) -> None:
        try:
            about = entry.stat()
        except OSError as error:
            self._cannot_stat(entry, path, error)
            return
        if stat.S_ISDIR(about.st_mode):
            self._take_folder(entry, path)
        elif entry.name.startswith("."):
            self.ignored[HIDDEN] += 1
        else:
            self._take_file(path, about)

    def _cannot_stat(self, entry: os.DirEntry[str], path: str, error: OSError) -> None:
        if entry.name.startswith("."):
            self.ignored[HIDDEN] += 1
        else:
            self.unreadable.append(Unreadable(path, _why_no_stat(entry, error)))

    def _take_folder(self, entry: os.DirEntry[str], path: str) -> None:
        if entry.name.startswith("."):
            self.ignored[HIDDEN_FOLDER] += 1
        else:
            (self._links if entry.is_symlink() else self._folders).append(path + "/")

    def _take_file(self, path: str, about: os.stat_result) -> None:
        suffix = os.path.splitext(path)[1].lower()
        known = suffix in SUFFIXES
        if not stat.S_ISREG(about.st_mode):
            if known:
                self.unreadable.append(Unreadable(path, "not a file with content (a pipe, a socket or a device)"))
            else:
                self.ignored[printable(suffix) or NO_SUFFIX] += 1
        elif known or (_may_be_picture(suffix) and self._sniff(path)):
            self.files.append(ImageFile(path, about.st_size, about.st_mtime_ns))
        elif not _may_be_picture(suffix):
            self.ignored[printable(suffix)] += 1

    def _sniff(self, path: str) -> bool:
        """Whether a file without a telling suffix begins like a picture; if not, it is counted here."""
        try:
            with open(os.path.join(self._root, path), "rb", buffering=0) as file:
                if kind_of(file.read(HEAD)) is not None:
                    return True
        except OSError as error:
            self.unreadable.append(Unreadable(path, str(from_os(error))))
            return False
        self.ignored[os.path.splitext(path)[1] or NO_SUFFIX] += 1
        return False


def _may_be_picture(suffix: str) -> bool:
    return not suffix.strip(".") or (suffix[1:].isascii() and suffix[1:].isdigit())


def _why_no_stat(entry: os.DirEntry[str], error: OSError) -> str:
    if not entry.is_symlink():
        return str(from_os(error))
    return "a link that leads nowhere" if isinstance(error, FileNotFoundError) else f"a broken link: {from_os(error)}"


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
