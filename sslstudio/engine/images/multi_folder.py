"""Several folders of pictures as one set: an album. Nothing is copied, and nothing is written into those folders.

sslstudio-folders.toml, in a folder of its own, lists them:

format = 1
[[folder]]
name = "scanner A"        what the paths of its pictures begin with: scanner A/day 1/07.png
path = "/archive/day 1"   relative to the album, or absolute

Whoever is handed the album's folder as the place of pictures reads the listed ones instead. To join a path of a picture
with it, make an `Album` of it first (`root_of`): its `/` leads into the listed folder.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sslstudio.engine.core.config import to_toml
from sslstudio.engine.core.errors import ConfigError, DataError
from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
from sslstudio.engine.core.files.checked_files import read_toml
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.images.formats.wanted import PAGE, file_of

FILE, FORMAT = "sslstudio-folders.toml", 1
PLACE = "pictures"  # the folder of a project that lists its folders of pictures
_NO_FOLDERS: Mapping[str, Path] = MappingProxyType({})

if TYPE_CHECKING:
    _Path = Path
else:
    _Path = type(Path())  # before Python 3.12 only the path of this system can be derived from


class Album(_Path):
    """The folder of an album. `folders`: name -> the folder it stands for. What is derived from one (its parent, say)
    is a plain path. Two are the same when they list the same folders."""

    folders: Mapping[str, Path] = _NO_FOLDERS
    __hash__ = _Path.__hash__

    @classmethod
    def of(cls, place: Path | str, folders: Mapping[str, Path]) -> "Album":
        """The album at `place` that lists these folders."""
        made = cls(place)
        made.folders = dict(folders)
        return made

    def real(self, path: str) -> str:
        """Where the file is that a picture's path stands for."""
        name, _, rest = path.partition("/")
        folder = self.folders.get(name)
        return os.path.join(self, path) if folder is None else os.path.join(folder, rest)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Album) and self.folders != other.folders:
            return False
        return super().__eq__(other)

    def __truediv__(self, path: "str | os.PathLike[str]") -> Path:  # type: ignore[override]
        return Path(self.real(path.as_posix() if isinstance(path, PurePath) else os.fspath(path)))

    def resolve(self, strict: bool = False) -> "Album":
        """The same with no links in its place and folders."""
        folders = {name: folder.resolve(strict) for name, folder in self.folders.items()}
        return Album.of(Path(self).resolve(strict), folders)

    def __reduce__(self) -> tuple[Any, ...]:
        return Album.of, (str(self), dict(self.folders))

    def owner_of(self, file: Path) -> str:
        """The name of the folder that a file lies in, '' when it lies in none of them."""
        return next((name for name, folder in self.folders.items() if file.is_relative_to(folder)), "")

    def find_missing(self) -> dict[str, Path]:
        """Find the folders that are not there: a disk that is not plugged in, or they have moved."""
        return {name: folder for name, folder in self.folders.items() if not os.path.isdir(folder)}


def where(root: Path, path: str, *, whole: bool = False) -> str:
    """`root / path` as a text, for loops over a million pictures: the file of a picture, or with the page that it is of
    that file (`whole`)."""
    there = root.real(path) if isinstance(root, Album) else os.path.join(root, path)
    return there if whole or PAGE not in there or os.path.lexists(there) else file_of(there)


def roots_of(root: Path) -> dict[str, Path]:
    """The folders that are one set, by their names in it; a folder that is alone has none."""
    return dict(root.folders) if isinstance(root, Album) else {"": root}


def is_album(folder: Path) -> bool:
    """Whether a folder lists others."""
    return os.path.isfile(folder / FILE)  # False for a folder that may not be looked into


def root_of(folder: Path) -> Path:
    """The folder as a place to find pictures in: an Album where it lists others. Raises DataError for a list that
    cannot be used."""
    return read_album(folder) if is_album(folder) else folder


def read_album(place: Path) -> Album:
    """The album as it is on the disk. Raises DataError when its list is missing, damaged or of a newer version."""
    file = place / FILE
    try:
        values = read_toml(file)
    except (OSError, ConfigError) as error:
        raise DataError("The list of folders {file} cannot be read: {error}.", file=file, error=error) from error
    if isinstance(values.get("format"), int) and values["format"] > FORMAT:
        raise DataError("{file} was written by a newer version of SSL Studio. Open it with that one.", file=file)
    listed = values.get("folder")
    if not isinstance(listed, list) or not listed or not all(map(_is_entry, listed)):
        raise DataError(
            "{file} lists no folders. It needs, for each of them, [[folder]], name = ... and path = ...", file=file
        )
    base = os.path.abspath(place)
    folders = [(one["name"], Path(os.path.abspath(os.path.join(base, one["path"])))) for one in listed]
    _check(file, folders)
    return Album.of(place, dict(folders))


def write_album(place: Path, folders: Mapping[str, Path]) -> Album:
    """List these folders at `place`; a path to one beside it is kept relative, so that both can be moved together.

    Raises DataError when they cannot be used together, RunError when the disk does not take it.
    """
    base = Path(os.path.abspath(place))
    whole = {name: Path(os.path.abspath(folder)) for name, folder in folders.items()}
    _check(place / FILE, list(whole.items()))
    beside = base.parent.parent  # an album lies in a project
    near = {name for name, folder in whole.items() if folder.is_relative_to(beside) and beside != beside.parent}
    listed = [
        {"name": name, "path": Path(os.path.relpath(folder, base)).as_posix() if name in near else str(folder)}
        for name, folder in whole.items()
    ]
    make_folder(place)
    try:
        content = to_toml({"format": FORMAT, "folder": listed}).encode()
    except UnicodeEncodeError as error:
        raise DataError("The folder cannot be written down: its name is not UTF-8. Rename it first.") from error
    write_atomic(place / FILE, content)
    return Album.of(place, whole)


def _is_entry(one: object) -> bool:
    texts = [one.get("name"), one.get("path")] if isinstance(one, dict) else []
    return bool(texts) and all(isinstance(text, str) and text and "\0" not in text for text in texts)


def _check(file: Path, folders: list[tuple[str, Path]]) -> None:
    taken: set[str] = set()
    for name, _ in folders:
        if "/" in name or "\\" in name or name.startswith(".") or name.casefold() in taken:
            raise DataError(
                "{file}: {name!r} cannot be the name of a folder, or two have it. Give it another one.",
                file=file,
                name=name,
            )
        taken.add(name.casefold())
    if torn := check_nesting([folder for _, folder in folders]):
        raise DataError(torn)


def check_nesting(folders: Iterable[Path]) -> Message:
    """Say why these folders cannot be read together, '' if they can: none may be, hold or list another one."""
    known: list[tuple[Path, Path]] = []
    for folder in folders:
        real = Path(os.path.realpath(folder))  # Path.resolve raises where links lead in a circle
        if is_album(folder):
            return Message("{folder} is a list of folders itself. Add the folders that it lists.", folder=folder)
        for other, there in known:
            if real == there:
                return Message(
                    "{folder} and {other} are the same folder. Keep one of them.", folder=folder, other=other
                )
            if real.is_relative_to(there) or there.is_relative_to(real):
                inner, outer = (folder, other) if real.is_relative_to(there) else (other, folder)
                return Message(
                    "{inner} lies in {outer}: its pictures would count twice. Keep one of the two.",
                    inner=inner,
                    outer=outer,
                )
        known.append((folder, real))
    return NOTHING


def title_of(folder: str | Path) -> str:
    """What the pictures at a place are called: by their folder; where they come from several, by their project."""
    place = Path(folder)
    return place.parent.name if place.name == PLACE and is_album(place) else place.name


def folders_of(place: Path) -> dict[str, Path]:
    """The folders that pictures at this place lie in, by name: those of an album, or the place itself."""
    root = root_of(place)
    return dict(root.folders) if isinstance(root, Album) else {free_name(place, ()): place}


def free_name(folder: Path, taken: Iterable[str]) -> str:
    """A name for a folder in an album: its own, with that of the folder around it or a number where it is taken."""
    used = {name.casefold() for name in taken}
    own = folder.name.lstrip(".").replace("\\", "-") or Message("Pictures")
    names = [own, f"{folder.parent.name} {own}".lstrip(". ").replace("\\", "-")]
    number = 2
    while (name := names.pop(0) if names else f"{own} {number}").casefold() in used:
        number += not names
    return name
