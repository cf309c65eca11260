"""Files that are whole or not there at all, and names of files that come from a file.

A file is written beside its place, synced and then renamed over it, so that a power cut leaves the old one or the
new one. What a file says of other files may have been written by anybody: `inside` is how a name from it becomes a
path that something is done to.
"""

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path, PurePath

from sslstudio.engine.core.errors import DataError, RunError

SHOWN = 200  # letters of a name
WINDOWS = os.name == "nt"
PAUSES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4)  # seconds between tries to rename


def write_atomic(path: Path, content: bytes) -> None:
    """Replace `path` by these bytes in one go. Raises RunError when the disk does not take them."""
    # A digest stands for the name, because a name that is as long as names can be has no room for more.
    digest = hashlib.blake2b(os.fsencode(path.name), digest_size=8).hexdigest()
    beside = path.with_name(f".{digest}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        rename_patiently(beside, path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(
            OSError
        ):  # where it could not be made it cannot be removed, and the first error is the one to tell
            beside.unlink()
        raise RunError(
            "{path} could not be written: {reason}. Is the disk full or read-only?", path=path, reason=error.strerror
        ) from error


def rename_patiently(source: Path, target: Path) -> Path:
    """Give a file or folder another name, a file in place of one that is there; returns the new path.

    On Windows it is refused while another program, such as a virus scanner or a search index, has the file open, which
    passes within moments: then it is tried again for a second in all. Raises OSError.
    """
    for pause in PAUSES:
        try:
            return source.replace(target)
        except PermissionError:
            if not WINDOWS:  # elsewhere it means that it is not allowed, and will not be
                raise
            time.sleep(pause)
    return source.replace(target)


def sync_folder(folder: Path) -> None:
    """See the names in a folder to the disk. Raises OSError."""
    if os.name == "nt":  # Windows has no handle for a folder; the rename is journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def leads_out(name: str) -> bool:
    """Whether a name from a file is none of something in a folder: absolute, with '..' in it, or nothing at all."""
    path = PurePath(name)
    return not path.parts or "\0" in name or bool(path.drive or path.root) or ".." in path.parts


def inside(folder: Path, *names: str) -> Path:
    """The path in a folder that names from a file stand for. Raises DataError when it lies elsewhere, also by a link;
    what has this path may be a link itself."""
    path = folder.joinpath(*names)
    try:
        out = any(map(leads_out, names)) or not path.parent.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle
        out = True
    if out:
        said = "/".join(names)[:SHOWN]
        raise DataError("{name!r} leads out of {folder}: nothing there was touched.", name=said, folder=folder)
    return path


def make_folder(path: Path) -> None:
    """Make a folder that people asked for, with those above it. Raises DataError, in words."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_error(path, error) from error


def folder_error(path: Path, error: OSError) -> DataError:
    """What to tell people of a folder that could not be made."""
    return DataError(
        "The folder {folder} cannot be made: {reason}. Choose another one.",
        folder=path,
        reason=error.strerror or error,
    )


def folder_beside(path: Path) -> Path:
    """Make a new folder beside `path`, to be filled and then renamed to it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = 0
    while True:
        beside = path.with_name(f".{path.name[:40]}.{os.getpid()}.{number}.part")
        try:
            beside.mkdir()
        except FileExistsError:
            number += 1
        else:
            return beside
