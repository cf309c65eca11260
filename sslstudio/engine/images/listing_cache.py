"""What the folders below a root held when they were last listed, kept in the cache folder.

A folder is listed again when its own times or its place on the disk have changed. They change when a name in it comes,
goes or is renamed, and when it is locked; what cannot be told that way (links, files that were looked into, folders
that changed moments before) is never remembered. Changed content needs no listing: a picture's size and time are asked
for when its pixels are (see cache/pixel_cache.py).
"""

import hashlib
import json
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sslstudio.engine.core.errors import RunError, StudioError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import read_json
from sslstudio.engine.images.listing import Folder, Listed

FORMAT: Final = 2
LEAST = 2000  # pictures: fewer are listed as fast as they are remembered
STALE = 0.05  # of the pictures listed anew: then what is remembered is written again
RACE_NS = 3_000_000_000  # a folder that changed so shortly before may change again within one tick of its clock
# Windows does not touch the time of a folder on FAT and exFAT (memory cards) when files come and go.
TELLING = os.name == "posix"

Key = tuple[int, int, int, int]
_Row = tuple[Key, str, str, dict[str, int]]  # as a list


def key_of(about: os.stat_result) -> Key:
    """What is the same as long as nothing has changed in a folder."""
    return about.st_dev, about.st_ino, about.st_mtime_ns, about.st_ctime_ns


class Remembered:
    """The listings of one root: what was known, and what is to be known next time."""

    def __init__(self, root: str, cache_dir: Path) -> None:
        digest = hashlib.blake2b(os.fsencode(os.path.realpath(root)), digest_size=16).hexdigest()
        self._path = cache_dir / "folders" / f"{digest}.json"
        self._old = _load(self._path) if TELLING else {}
        self._new: dict[str, list[Any]] = {}
        self._listed = 0

    def recall(self, prefix: str, about: os.stat_result) -> Listed | None:
        """What the folder holds, if it is unchanged."""
        row = self._old.get(prefix)
        if row is None or tuple(row[0]) != key_of(about):
            return None
        self._new[prefix] = row
        names, folders = row[1], row[2]
        pictures = names.count("/") + 1 if names else 0
        return Listed(names, pictures, folders.split("/") if folders else [], [], [], Counter(row[3]))

    def note(self, prefix: str, about: os.stat_result, folder: Folder, began: int) -> Listed:
        """Remember a listing that began at `began` (ns), `about` being from just before."""
        listed = Listed.of(folder)
        self._listed += listed.pictures
        if folder.settled and max(about.st_mtime_ns, about.st_ctime_ns) < began - RACE_NS:
            self._new[prefix] = [key_of(about), listed.names, "/".join(folder.folders), dict(folder.ignored)]
        return listed

    def keep(self, pictures: int) -> None:
        """Write it down if that is worth it. A cache that cannot be written costs time only, so nothing is raised."""
        if not TELLING or pictures < LEAST or self._listed <= STALE * pictures or not self._new:
            return
        content = json.dumps([FORMAT, self._new], separators=(",", ":")).encode("ascii")
        with suppress(OSError, RunError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, content, confirmed=False)  # half a file is no JSON: all is listed again


def _load(path: Path) -> dict[str, list[Any]]:
    try:
        version, rows = read_json(path, tuple[int, dict[str, _Row]])
    except (OSError, StudioError):
        return {}
    return rows if version == FORMAT else {}
