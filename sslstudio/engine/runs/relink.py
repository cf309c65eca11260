"""A run whose pictures have moved is told where they are now."""

from pathlib import Path

from sslstudio.engine.config import to_toml
from sslstudio.engine.data.album import root_of
from sslstudio.engine.errors import DataError
from sslstudio.engine.files import write_atomic
from sslstudio.engine.runs.store import CONFIG, RunFolder

BEFORE = "config.before-move.toml"  # the settings as they were, kept once
ENOUGH = 0.5  # share of a run's pictures that must be found again


def pictures_folder(run: Path) -> Path:
    """The folder of pictures that a run was made on, whether it is still there or not."""
    return Path(str(RunFolder.open(run).config().get("data", {}).get("folder", "")))


def relink(run: Path, folder: Path) -> int:
    """Say that the pictures of `run` lie in `folder` now; returns how many of them are there.

    Raises DataError when fewer than half of them are: that is another folder, and the run is left as it is.
    """
    stored = RunFolder.open(run)
    split = stored.read_json("split.json") or {}
    paths: list[str] = [path for part in ("train", "validation", "test") for path in split.get(part, [])]
    root = root_of(folder)
    found = sum((root / path).exists() for path in paths)
    if found < ENOUGH * len(paths):
        raise DataError(
            f"Only {found:,} of the {len(paths):,} pictures of this run are in {folder}, where it looks for "
            f"{paths[0]} and the like. Choose the folder that holds them in the same folders as before."
        )
    config = stored.config()
    if not (run / BEFORE).exists():
        write_atomic(run / BEFORE, (run / CONFIG).read_bytes())
    config["data"] = {**config.get("data", {}), "folder": str(folder.resolve())}
    write_atomic(run / CONFIG, to_toml(config).encode())
    return found
