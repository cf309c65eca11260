"""Files that are whole or not there at all.

A file is written beside its place, synced and then renamed over it, so that a power cut leaves the old one or the
new one.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from sslstudio.engine.core.errors import RunError


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
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(
            OSError
        ):  # where it could not be made it cannot be removed, and the first error is the one to tell
            beside.unlink()
        raise RunError(
            "{path} could not be written: {reason}. Is the disk full or read-only?", path=path, reason=error.strerror
        ) from error


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle for a folder; the rename is journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
