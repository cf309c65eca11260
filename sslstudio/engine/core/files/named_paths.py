"""The one way to turn a name that stands in a file into a path: inside its folder, or refused.

A journal, a split, a table of predictions or an archive may come from anybody. What it calls `a/b.png` is joined to a
folder by `inside` and nothing else, so that no name leads to a place that nobody chose: none that is absolute, climbs
up, names a drive or a share, holds a zero character, follows a link out of the folder, or is a device of Windows.
"""

import os
import re
from pathlib import Path, PurePath

from sslstudio.engine.core.errors import DataError

SHOWN = 200  # letters of a name
# A drive (C:\x, C:/x) or a share (\\machine\x): absolute on Windows, refused everywhere, because files travel.
_SUSPECT = re.compile(r"(^|/)\.\.(/|$)|^[/\\.]|^[A-Za-z]:|\0")
_ELSEWHERE = re.compile(r"[A-Za-z]:[\\/]|[\\/]{2}")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(\.|:|$)", re.IGNORECASE)


def leads_out(name: str, windows: bool = os.name == "nt") -> bool:
    """Whether a name from a file is none of something in a folder. `windows`: whether the names of its devices and
    streams are refused, too; elsewhere `con.png` is a picture."""
    if not windows and name not in ("", ".") and not _SUSPECT.search(name):
        return False  # the usual case, in no time
    path = PurePath(name)
    if not path.parts or "\0" in name or path.drive or path.root or ".." in path.parts or _ELSEWHERE.match(name):
        return True
    return windows and any(_DEVICES.match(part) or ":" in part for part in re.split(r"[\\/]", name))


def inside(folder: Path, *names: str) -> Path:
    """The path in a folder that names from a file stand for. Raises DataError when it lies elsewhere, also by a link;
    what has this path may be a link itself."""
    path = folder.joinpath(*names)
    try:
        out = any(map(leads_out, names)) or not path.parent.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # links in a circle, names longer than any can be
        out = True
    if out:
        said = "/".join(names)[:SHOWN]
        raise DataError("{name!r} leads out of {folder}: nothing there was touched.", name=said, folder=folder)
    return path
