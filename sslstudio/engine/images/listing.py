"""One folder -> the names of its pictures, told from what the folder says: no file is asked for its size or time.

That a name is a file and not a folder comes with the name; a million questions to the disk would take longer than all
the rest of a scan.
"""

import os
import stat
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from sslstudio.engine.core.messages import Message, printable
from sslstudio.engine.images.formats.errors import from_os
from sslstudio.engine.images.formats.file_type import HEAD, ORDINARY, kind_of, refused_by_name

SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".dcm", ".dicom",
    ".jp2", ".j2k", ".jpx", ".jls", ".jxl", ".avif", ".pgm", ".ppm", ".pnm", ".pbm", ".tga", ".mpo", ".lsm", ".ima",
)  # fmt: skip
HIDDEN, HIDDEN_FOLDER, SYSTEM_FOLDER, NO_SUFFIX = (
    "hidden",
    Message("hidden folder"),
    Message("folder of thumbnails or deleted files"),
    Message("no suffix"),
)  # keys of `ignored` that are no suffixes
_SAID = {
    **{str(one): one for one in (HIDDEN_FOLDER, SYSTEM_FOLDER, NO_SUFFIX)},
    HIDDEN: Message("hidden files"),
}
_ENOUGH = 64  # files of a suffix in one folder that are no pictures: the others of this suffix are not opened
# What storage boxes, systems and catalogues keep beside pictures: small copies of them, and what was deleted.
SYSTEM_FOLDERS = frozenset({
    "@eadir", "@__thumb", "@recycle", "@recently-snapshot", "@tmp", "@sharebin", "#recycle", "#snapshot",
    "$recycle.bin", "recycler", "recycled", "system volume information", "__macosx", "lost+found", "_thumbnails",
    "picasaoriginals", "network trash folder", "temporary items",
})  # fmt: skip
_AT_ONCE = 4096  # names between two signs of life


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or folder that should hold pictures and cannot be read, and why, in plain words."""

    path: str
    reason: str


@dataclass(slots=True)
class Folder:
    """What one folder holds. `settled`: the folder's own times tell of every change that matters here."""

    names: list[str] = field(default_factory=list)  # of the pictures
    folders: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)  # to other folders
    unreadable: list[Unreadable] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    settled: bool = True


class Listed(NamedTuple):
    """What one folder holds as it is kept: the names of its pictures in order, with a slash between them, which no name
    can hold. One text for a thousand names is copied, counted and written down at once."""

    names: str
    pictures: int
    folders: list[str]
    links: list[str]
    unreadable: list[Unreadable]
    ignored: Counter[str]

    @classmethod
    def of(cls, folder: Folder) -> "Listed":
        """The same as a listing."""
        names = "/".join(folder.names)
        return cls(names, len(folder.names), folder.folders, folder.links, folder.unreadable, folder.ignored)

    def first(self, count: int) -> list[str]:
        """The first names, at most `count`."""
        return self.names.split("/", count)[:count] if self.names and count > 0 else []


def ignored_title(kind: str) -> str:
    """What a key of `ignored` is called, for people: a suffix as it is, others as messages, also when they come from a
    file."""
    return _SAID.get(kind, kind)


def list_folder(root: str, prefix: str) -> Generator[Folder, None, Folder]:
    """List the folder `prefix` ('' or a relative path with a slash at the end) below `root`, its subfolders by name.

    Yields what it has so far every few thousand names. Raises OSError when the folder cannot be listed.
    """
    lister = _Lister(root, prefix)
    with os.scandir(os.path.join(root, prefix)) as entries:
        while some := list(islice(entries, _AT_ONCE)):
            lister.take(some)
            yield lister.found
    lister.found.names.sort()
    return lister.found


class _Lister:
    def __init__(self, root: str, prefix: str) -> None:
        self.found = Folder()
        self._root, self._prefix = root, prefix
        self._others: Counter[str] = Counter()  # suffix -> files of it that were looked into and are no pictures
        self._known: dict[str, bool] = {}  # suffix as written -> whether it is a picture's

    def take(self, entries: Iterable[os.DirEntry[str]]) -> None:
        """Kept flat: this loop is what a scan costs."""
        names, known = self.found.names, self._known
        for entry in entries:
            name = entry.name
            if name[0] == "." or not _is_plain(entry):
                self._take_other(entry)
                continue
            dot = name.rfind(".")
            suffix = name[dot:] if dot > 0 else ""
            if suffix not in known:
                known[suffix] = suffix.lower() in SUFFIXES
            if known[suffix]:
                names.append(name)
            else:
                self._take_unknown(name, suffix.lower())

    def _take_unknown(self, name: str, suffix: str) -> None:
        """A file whose suffix is none or not known is a picture if its first bytes say so."""
        if (refused := refused_by_name(name)) is not None:
            self._cannot(name, refused)
            return
        if suffix in ORDINARY or self._others[suffix] >= _ENOUGH:
            self.found.ignored[printable(suffix)] += 1
            return
        self.found.settled = False  # its content decides, and the folder does not tell when that changes
        try:
            with open(os.path.join(self._root, self._prefix, name), "rb", buffering=0) as file:
                picture = kind_of(file.read(HEAD)) is not None
        except OSError as error:
            self._cannot(name, str(from_os(error)))
            return
        if picture:
            self.found.names.append(name)
        else:
            self.found.ignored[printable(suffix) or NO_SUFFIX] += 1
            self._others[suffix] += bool(suffix.strip(".")) and not suffix[1:].isdecimal()

    def _take_other(self, entry: os.DirEntry[str]) -> None:
        """Hidden things, folders, links, and what is neither file nor folder."""
        try:
            plain, link = _is_plain(entry), entry.is_symlink()
            folder = not plain and entry.is_dir()
            about = None if plain or folder else entry.stat()
        except OSError as error:
            plain, link, folder, about = False, True, False, None
            if not entry.name.startswith("."):
                self._cannot(entry.name, _why_no_stat(entry, error))
        self.found.settled &= not link
        if entry.name.startswith("."):
            self.found.ignored[HIDDEN_FOLDER if folder else HIDDEN] += 1
        elif folder and _is_of_the_system(entry.name):
            self.found.ignored[SYSTEM_FOLDER] += 1
        elif folder:
            (self.found.links if link else self.found.folders).append(entry.name)
        elif about is not None:
            self._take_linked(entry.name, about)

    def _take_linked(self, name: str, about: os.stat_result) -> None:
        suffix = os.path.splitext(name)[1].lower()
        if stat.S_ISREG(about.st_mode):
            if suffix in SUFFIXES:
                self.found.names.append(name)
            else:
                self._take_unknown(name, suffix)
        elif suffix in SUFFIXES:
            self._cannot(name, Message("not a file with content (a pipe, a socket or a device)"))
        else:
            self.found.ignored[printable(suffix) or NO_SUFFIX] += 1

    def _cannot(self, name: str, reason: str) -> None:
        self.found.unreadable.append(Unreadable(self._prefix + name, reason))
        self.found.settled = False


def _is_of_the_system(name: str) -> bool:
    lower = name.lower()
    return lower in SYSTEM_FOLDERS or lower.endswith((".lrdata", ".photoslibrary"))


def _is_plain(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:  # file systems that do not say are asked, and may refuse
        return False


def _why_no_stat(entry: os.DirEntry[str], error: OSError) -> Message:
    if not entry.is_symlink():
        return from_os(error).message
    return (
        Message("a link that leads nowhere")
        if isinstance(error, FileNotFoundError)
        else Message("a broken link: {reason}", reason=from_os(error))
    )
