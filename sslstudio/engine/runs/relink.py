"""A run, a comparison or a tournament whose pictures have moved is told where they are now."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sslstudio.engine.core.config import to_toml
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.images.multi_folder import Album, folders_of, root_of, write_album
from sslstudio.engine.runs.experiment_folder import CONFIGS, experiment_job, experiment_settings
from sslstudio.engine.runs.run_folder import CONFIG, RunFolder, run_folders

BEFORE = "config.before-move.toml"  # the settings as they were, kept once
ENOUGH = 0.5  # share of a run's pictures that must be found again


def settings_of(run: Path) -> dict[str, Any]:
    """What a run, a comparison or a tournament was told."""
    return experiment_settings(run) if experiment_job(run) else RunFolder.open(run).config()


def pictures_folder(run: Path) -> Path:
    """The folder of pictures that a run was made on, whether it is still there or not."""
    data = settings_of(run).get("data")
    return Path(str(data.get("folder", "")) if isinstance(data, dict) else "")


def gone_folder(place: Path) -> tuple[str, Path] | None:
    """The folder of pictures that is not there: of those that `place` lists the first by name, '' for `place` itself;
    and where it was. None when all are there."""
    if not os.path.isdir(place):  # Path.is_dir raises for a name that is too long
        return "", place
    root = root_of(place)
    return next(iter(root.find_missing().items()), None) if isinstance(root, Album) else None


def relink(run: Path, folder: Path) -> int:
    """Say that the pictures of `run` lie in `folder` now; returns how many of them are there.

    Raises DataError when fewer than half of them are: that is another folder, and the run is left as it is.
    """
    found = _found(_pictures(run), folder)
    if experiment_job(run):
        for inner in run_folders(run):
            _tell(inner, folder)
    _tell(run, folder)
    return found


def _tell(run: Path, folder: Path) -> None:
    file = run / CONFIGS.get(experiment_job(run), CONFIG)
    config = settings_of(run)  # in the format of today
    if not (run / BEFORE).exists():
        write_atomic(run / BEFORE, file.read_bytes())
    config["data"] = {**config.get("data", {}), "folder": str(folder.resolve())}
    write_atomic(file, to_toml(config).encode())


def relink_listed(run: Path, name: str, folder: Path) -> int:
    """The same for one of several folders that the pictures of `run` lie in: their list says where it is now."""
    place = pictures_folder(run)
    begin = f"{name}/"
    paths = [path.removeprefix(begin) for path in _pictures(run) if path.startswith(begin)]
    found = _found(paths, folder)
    write_album(place, {**folders_of(place), name: folder.absolute()})
    return found


def without_listed(run: Path, name: str) -> None:
    """Take one of several folders out of the list that the pictures of `run` come from. Raises DataError when it is
    the only one."""
    place = pictures_folder(run)
    rest = {one: folder for one, folder in folders_of(place).items() if one != name}
    if not rest:
        raise DataError("{name} is the only folder of the pictures of this run. Say where it is instead.", name=name)
    write_album(place, rest)


def _pictures(run: Path) -> list[str]:
    """Those that a run has set apart; of a comparison or cross-validation those of its first run that has."""
    for one in run_folders(run):
        split = RunFolder(one).split_table()
        paths = [*split["train"], *split["validation"], *split["test"]] if split else []
        if paths:
            return paths
    return []


def _found(paths: Sequence[str], folder: Path) -> int:
    """How many of a run's pictures are in a folder."""
    root = root_of(folder)
    found = sum((root / path).exists() for path in paths)
    if found < ENOUGH * len(paths):
        raise DataError(
            "Only {found:,} of the {paths:,} pictures of this run are in {folder}, where it looks for "
            "{example} and the like. Choose the folder that holds them in the same folders as before.",
            found=found,
            paths=len(paths),
            folder=folder,
            example=paths[0],
        )
    return found
