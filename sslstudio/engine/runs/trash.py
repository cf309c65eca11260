"""A run that is discarded is moved aside first, so that it can be brought back until it is removed for good."""

import shutil
from pathlib import Path

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.files.atomic_files import rename_patiently
from sslstudio.engine.runs.run_folder import ASIDE, RunFolder


def set_aside(run: Path) -> Path:
    """Move a run out of the list of runs; returns where it is. Raises DataError when it is no run, RunError when the
    system does not let it be moved."""
    RunFolder.open(run)
    return out_of_the_way(run)


def out_of_the_way(folder: Path) -> Path:
    """Move a folder, a run or not, to where discarded runs are; returns where it is. Raises RunError when the system
    does not let it be moved."""
    place = free_path(folder.parent / ASIDE / folder.name)
    try:
        place.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise RunError(
            "{folder} cannot be made: {reason}. Is the disk full or read-only?",
            folder=place.parent,
            reason=error.strerror or error,
        ) from error
    return moved(folder, place)


def bring_back(place: Path) -> Path:
    """Undo `set_aside`; returns where the run is now: where it was, unless that is taken by now."""
    run = moved(place, free_path(place.parent.parent / place.name))
    _tidy(place.parent)
    return run


def remove(place: Path) -> None:
    """Remove a run that was set aside, for good. Raises RunError for any other folder: only those are ever removed."""
    if place.parent.name != ASIDE:
        raise RunError("{place} was not discarded, so it is not removed.", place=place)
    shutil.rmtree(place, ignore_errors=True)
    _tidy(place.parent)


def moved(source: Path, target: Path) -> Path:
    """Move a folder. Raises RunError when the system does not let it be moved."""
    try:
        return rename_patiently(source, target)
    except OSError as error:
        raise RunError(
            "{source} could not be moved: {reason}. Is a file in it open elsewhere?",
            source=source,
            reason=error.strerror,
        ) from error


def free_path(path: Path) -> Path:
    """This path, or the first of 'path 2', 'path 3' ... that is not there yet."""
    number, free = 2, path
    while free.exists():
        free, number = path.with_name(f"{path.name} {number}"), number + 1
    return free


def _tidy(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
