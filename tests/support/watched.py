"""Notes every file that Python code changes, and everything that it asks of the network, by an audit hook.

`environment` is what a Python program must find to be watched, with all Python programs that it starts: a sitecustomize
in a folder of its own (for PYTHONPATH), and in WATCHED the file that notes are added to.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

OF_SOCKETS = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")
NETWORK = (*OF_SOCKETS, "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request")
CHANGES = (
    "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime",
    "shutil.rmtree", "shutil.copyfile", "shutil.move",
)  # fmt: skip
BOTH = ("os.rename", "os.link", "os.symlink", "shutil.move")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LOCAL = ("127.", "::1", "localhost")
SITE = "import os, runpy\nrunpy.run_path(os.environ['WATCHED_BY'])['begin'](os.environ['WATCHED'])\n"


def begin(result: str) -> None:
    """From now on add a line to this file for whatever is changed or asked for."""
    handle = os.open(result, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    busy = False

    def note(event: str, details: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy:
            return
        busy = True
        try:
            told = network(event, details) or changed(event, details)
            for one in told:
                line = json.dumps([event, one, " ".join(sys.argv[:3])])
                os.write(handle, f"{line}\n".encode(errors="backslashreplace"))
        finally:
            busy = False

    sys.addaudithook(note)


def network(event: str, details: tuple[Any, ...]) -> list[str]:
    """What is asked of others; local sockets and this machine itself are not."""
    if event not in NETWORK:
        return []
    place = details[1] if event in OF_SOCKETS else details[0]
    if event in OF_SOCKETS and not isinstance(place, tuple):  # a file of this machine, or where it is connected to
        return []
    host = str(place[0] if isinstance(place, tuple) and place else place or "")
    return [] if host.startswith(LOCAL) or not host else [f"net {place!r}"]


def changed(event: str, details: tuple[Any, ...]) -> list[str]:
    """Paths that are written, made, moved or removed."""
    if event == "open":
        flags = details[2] if isinstance(details[2], int) else 0
        places = details[:1] if flags & WRITES else ()
    elif event in CHANGES:
        places = details[: 2 if event in BOTH else 1]
    else:
        return []
    return [whole(one, details[-1]) for one in places if isinstance(one, (str, bytes, os.PathLike))]


def whole(place: Any, holder: object) -> str:
    """The path, where it is told beside the handle of an open folder."""
    name = os.fsdecode(place)
    if isinstance(holder, int) and holder > 2 and not os.path.isabs(name) and os.path.isdir(f"/proc/self/fd/{holder}"):
        name = os.path.join(os.readlink(f"/proc/self/fd/{holder}"), name)
    return os.path.realpath(os.path.dirname(os.path.abspath(name))) + "/" + os.path.basename(name)


def environment(folder: Path) -> dict[str, str]:
    """What the environment of a Python program must hold to be watched, and all that it starts; the notes are in
    `folder`/watched."""
    site = folder / "site"
    site.mkdir(parents=True, exist_ok=True)
    (site / "sitecustomize.py").write_text(SITE)
    return {"WATCHED": str(folder / "watched"), "WATCHED_BY": __file__, "WATCHED_SITE": str(site)}


def foreign(folder: Path, *own: Path) -> list[str]:
    """What was changed outside these folders, and what was asked of the network; '' of nobody."""
    file = folder / "watched"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    roots = [f"{os.path.realpath(one)}/" for one in (folder, *own)]
    devices = ("/dev/", "/proc/")
    return sorted(
        {
            f"{event} {place} ({program})"
            for event, place, program in lines
            if place.startswith("net ") or not f"{place}/".startswith((*roots, *devices))
        }
    )
