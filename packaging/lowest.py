"""Writes packaging/constraints-lowest.txt: the lower bound of every dependency, which a job of the workflow tests with.

python packaging/lowest.py          # after a dependency in pyproject.toml has changed
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "packaging" / "constraints-lowest.txt"
EXTRAS = ("export", "test")
BOUND = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*>=\s*([0-9][^,;\s]*)")
HEAD = "# The lower bounds in pyproject.toml; written by packaging/lowest.py.\n"


def constraints(project: dict[str, object]) -> str:
    """What pip is told, from the table [project]. Raises ValueError for a dependency without a lower bound."""
    wanted: list[str] = list(project["dependencies"])  # type: ignore[call-overload]
    extras: dict[str, list[str]] = project["optional-dependencies"]  # type: ignore[assignment]
    wanted += [one for extra in EXTRAS for one in extras[extra]]
    pinned = set()
    for one in wanted:
        if one.startswith("sslstudio["):  # an extra that includes another
            continue
        bound = BOUND.match(one)
        if bound is None:
            raise ValueError(f"{one!r} in pyproject.toml has no lower bound. Write the oldest version that works.")
        pinned.add(f"{bound[1]}=={bound[2]}")
    return HEAD + "\n".join(sorted(pinned, key=str.lower)) + "\n"


def expected() -> str:
    """What the file must hold."""
    return constraints(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"])


if __name__ == "__main__":
    FILE.write_text(expected(), encoding="utf-8")
