"""Which picture of a folder a file of labels means by a name, however much of the path it writes."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from sslstudio.engine.labels.same_name import same_letters

Lookup = dict[str, list[str]]


def lookup_of(paths: Sequence[str]) -> Lookup:
    """Every ending of every path (a/b/1.jpg, b/1.jpg, 1.jpg), with and without the file's suffix, in lower case."""
    lookup: Lookup = {}
    for path in paths:
        parts = path.split("/")
        stem = PurePosixPath(path).stem
        for start in range(len(parts)):
            for last in {parts[-1], stem}:
                lookup.setdefault(same_letters("/".join([*parts[start:-1], last])), []).append(path)
    return lookup


def find_pictures(cells: Sequence[str], lookup: Lookup) -> list[list[str]]:
    """Find the pictures each cell may mean. Folders that all cells begin with may be unknown here (C:/Users/me/...)."""
    names = [_as_path(cell) for cell in cells]
    common = _common_folders([name for name in names if "/" in name])
    tries = [[_find(name, lookup, skipped) for name in names] for skipped in range(common + 1)]
    return max(tries, key=lambda found: sum(map(bool, found)))


def _as_path(cell: str) -> str:
    return re.sub(r"^(\./)+", "", cell.replace("\\", "/")).lstrip("/")


def _common_folders(names: Sequence[str]) -> int:
    if not names:
        return 0
    first, last = min(names).split("/")[:-1], max(names).split("/")[:-1]
    same = [a == b for a, b in zip(first, last, strict=False)]
    return same.index(False) if False in same else len(same)


def _find(name: str, lookup: Lookup, skipped: int) -> list[str]:
    parts = name.split("/")
    wanted = "/".join(parts[skipped:] if len(parts) > skipped else parts[-1:])
    found = lookup.get(same_letters(wanted), []) if wanted else []
    if len(found) < 2:
        return found
    stemless = [path for path in found if wanted in (path, path.rpartition(".")[0])]
    exact = stemless or [path for path in found if f"/{path}".endswith(f"/{wanted}")]
    return exact if len(exact) == 1 else found
