"""Runs commands of the command line one after the other and says what Python code asked of the network meanwhile.

python offline_child.py COMMANDS.json RESULT.json
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

ASKED: list[str] = []
EVENTS = (
    "socket.connect",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "urllib.Request",
)


def note(event: str, details: tuple[Any, ...]) -> None:
    """Notes everything but sockets that are files of this machine."""
    if event in EVENTS and not (len(details) > 1 and isinstance(details[1], (str, bytes))):
        ASKED.append(f"{event} {details[1:]!r}")


def files_below(folder: str) -> set[str]:
    """Every file and empty folder."""
    found = set()
    for place, folders, names in os.walk(folder):
        inside = [os.path.join(place, name) for name in names]
        found |= set(inside if inside or folders else [place])
    return {os.path.relpath(one, folder) for one in found - {folder}}


def state_of(folder: str) -> str:
    """What stands for a folder as it is: its files with their times and sizes."""
    stats = [(one, os.stat(os.path.join(folder, one))) for one in sorted(files_below(folder))]
    content = repr([(name, stat.st_mtime_ns, stat.st_size) for name, stat in stats])
    return hashlib.sha256(content.encode()).hexdigest()


def main(commands: Path, result: Path) -> None:
    """Run them; the result holds for each its exit code, what was asked, and the files that appeared at home."""
    from sslstudio.cli.main import main as sslstudio

    told = []
    for arguments in json.loads(commands.read_text()):
        before = files_below(os.environ["HOME"])
        ASKED.clear()
        try:
            code = sslstudio(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        new = files_below(os.environ["HOME"]) - before
        told.append({
            "command": arguments[0], "code": code, "asked": list(ASKED), "new": sorted(new),
            "pictures": state_of(str(result.parent / "pictures")),
        })  # fmt: skip
    result.write_text(json.dumps(told))


if __name__ == "__main__":
    sys.addaudithook(note)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
