"""The one function that finds what lies beside the program: in the source tree, in an installed wheel and in the frozen
program."""

import sys
from pathlib import Path

import sslstudio


def resource_places() -> list[Path]:
    """The folders that may be resources/, the likeliest first."""
    package = Path(sslstudio.__file__).resolve().parent
    frozen = getattr(sys, "_MEIPASS", None)
    bundled = [Path(frozen) / "resources"] if frozen else []
    return [*bundled, package.parent / "resources", package / "resources"]


def find_resource(name: str) -> Path:
    """The file or folder `name` below resources/. Raises FileNotFoundError naming where it was looked for."""
    places = resource_places()
    for place in places:
        if (place / name).exists():
            return place / name
    raise FileNotFoundError(f"{name} is in none of {', '.join(str(place) for place in places)}")
