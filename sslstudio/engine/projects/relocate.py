"""A project gets another name, or a copy of it is made at another place: whole, or not at all.

What names the project's own folder, in the settings of its runs say, names the new one afterwards.
"""

import os
import shutil
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sslstudio.engine.core.config import to_toml
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, DataError, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import (
    copying,
    discard_folder,
    folder_beside,
    put_folder,
    remove_file,
    rename_patiently,
    write_atomic,
)
from sslstudio.engine.core.files.checked_files import read_toml
from sslstudio.engine.core.files.file_names import FORBIDDEN, LONGEST, is_reserved
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.cache.store import move_stores
from sslstudio.engine.images.multi_folder import PLACE, is_album, read_album, write_album
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.projects.project import COPY, Project, open_project, save_project
from sslstudio.engine.runs.run_folder import CONFIG

STAGE = Message("Copying the project (megabytes)")
MEGABYTE = 1_000_000
SPARE = 0.95  # share of the free disk that a copy may take


def fitting_name(name: str) -> str:
    """The name without spaces around it. Raises DataError for one that a folder cannot have on every system."""
    plain = " ".join(name.split())
    if not plain or len(plain) > LONGEST:
        raise DataError("A project needs a name of 1 to {longest} letters. Write another one.", longest=LONGEST)
    if set(plain) & FORBIDDEN or not plain.isprintable() or plain[0] == "." or plain[-1] == ".":
        raise DataError(
            "{plain!r} cannot be the name of a folder: leave out {forbidden:words} and dots at its ends.",
            plain=plain,
            forbidden=sorted(FORBIDDEN),
        )
    if is_reserved(plain):
        raise DataError(
            "{plain!r} cannot be the name of a folder: Windows keeps it for itself. Write another one.", plain=plain
        )
    return plain


def rename_project(project: Project, name: str, cache_dir: Path) -> Project:
    """Give the project and its folder another name.

    Raises DataError for a name that cannot be, or is taken; RunError when the system does not let it be renamed.
    """
    plain = fitting_name(name)
    old, new = project.folder.absolute(), project.folder.absolute().with_name(plain)
    if new.name != old.name:
        if new.exists() and not new.samefile(old):  # 'Pets' for 'pets' is the same folder on some systems
            raise DataError(
                "There is something called {plain} in {new} already. Write another name.", plain=plain, new=new.parent
            )
        try:
            rename_patiently(old, new)
        except OSError as error:
            raise RunError(
                "{old} could not be renamed: {reason}. Is a file in it open elsewhere?", old=old, reason=error.strerror
            ) from error
        move_stores(old / PLACE, new / PLACE, cache_dir)
    moved = replace(_in_place(project, old, new), name=plain)
    _redirect(new, old, new)
    save_project(moved)
    return open_project(new).project


def copy_project(
    project: Project, target: Path, runs: bool, control: RunControl
) -> Generator[Preparing, None, Project]:
    """Copy a project to a folder that is not there yet, with its runs or without; the pictures stay where they are.

    Raises DataError when there is something at `target`, or no room, or the copy was stopped; RunError when the disk
    does not take it. Nothing of it is left then.
    """
    old, new = project.folder.absolute(), target.absolute()
    fitting_name(new.name)
    if new.exists():
        raise DataError(
            "There is something called {new} in {folder} already. Choose another name.", new=new.name, folder=new.parent
        )
    if new.is_relative_to(old):
        raise DataError("{new} lies in the project itself. Choose a place outside it.", new=new)
    beside: Path | None = None
    try:
        beside = folder_beside(new)
        yield from _copy_files(old, beside, [*_files(old, runs)], control)
        own = _in_place(project, old, beside)
        if is_album(own.pictures):  # paths to folders beside the project are other ones from here
            write_album(own.pictures, read_album(project.pictures).folders)
        remove_file(beside / COPY)
        save_project(replace(own, name=new.name, earlier=own.earlier if runs else ()))
        _redirect(beside, old, new)
        put_folder(beside, new)
    except OSError as error:
        raise RunError(
            "The project could not be copied to {new}: {reason}.", new=new, reason=error.strerror or error
        ) from error
    finally:
        if beside is not None:
            discard_folder(beside)
    return open_project(new).project


def _in_place(project: Project, old: Path, new: Path) -> Project:
    """The same project in another folder; what lay in the old one lies in the new one."""

    def there(path: str | Path) -> Path:
        whole = Path(os.path.abspath(old / path))
        return new / whole.relative_to(old) if whole.is_relative_to(old) else whole

    return replace(
        project,
        folder=new,
        pictures=there(project.pictures),
        labels=str(there(project.labels)) if project.labels else "",
        made=str(there(project.made)),
        earlier=tuple(str(there(run)) for run in project.earlier),
    )


def _files(folder: Path, runs: bool) -> Iterator[Path]:
    """What a copy of a project holds: no locks, half-written files and discarded runs, which are hidden."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.name.startswith(".") or (entry.name == "runs" and not runs):
            continue
        if entry.is_dir():
            yield from _files(path, True)
        else:
            yield path


def _copy_files(old: Path, beside: Path, files: list[Path], control: RunControl) -> Generator[Preparing, None, None]:
    total = sum(file.stat().st_size for file in files)
    free = shutil.disk_usage(beside).free
    if total > SPARE * free:
        raise DataError(
            "The copy takes {total:,.1f} GB, and {beside} has room for {free:,.1f} GB. Make room, choose "
            "another disk, or leave out the runs.",
            total=total / 1000000000.0,
            beside=beside.parent,
            free=free / 1000000000.0,
        )
    done = 0
    for number, file in enumerate(files):
        target = beside / file.relative_to(old)
        target.parent.mkdir(parents=True, exist_ok=True)
        for size in copying(file, target):
            done += size
            if control.stopping:
                raise DataError("Stopped while the project was copied; nothing of the copy is left.")
        shutil.copystat(file, target)
        if number % 20 == 0 or number + 1 == len(files):
            yield Preparing(stage=STAGE, done=done // MEGABYTE, total=max(1, total // MEGABYTE))


def _redirect(folder: Path, old: Path, new: Path) -> None:
    """In the settings of the runs and the labels of the project in `folder`: `new` wherever it says `old`."""
    for file in sorted((folder / "runs").rglob(CONFIG)):
        try:
            before = read_toml(file)
        except (OSError, ConfigError):
            continue  # damaged, or another program's
        after = _replace_paths(before, str(old), str(new))
        if after != before:
            write_atomic(file, to_toml(after).encode())
    for place in sorted(one for one in folder.iterdir() if label_files.is_labelling(one)):
        said = label_files.pictures_of(place)
        if (there := _replace_paths(said, str(old.resolve()), str(new))) != said:
            label_files.write_about(place, Path(there))


def _replace_paths(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {key: _replace_paths(one, old, new) for key, one in value.items()}
    if isinstance(value, list):
        return [_replace_paths(one, old, new) for one in value]
    if isinstance(value, str) and (value == old or value.startswith(old + os.sep)):
        return new + value[len(old) :]
    return value
