"""What the window asks about projects and their folders of pictures, off the UI thread."""

import os
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sslstudio.engine.core.config import BaseConfig, from_dict, to_dict
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, DataError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.multi_folder import check_nesting, folders_of
from sslstudio.engine.labels.editing.start import is_edited, labels_folder
from sslstudio.engine.labels.roles import check_choices
from sslstudio.engine.labels.types import Recognised
from sslstudio.engine.projects import folders as project_folders
from sslstudio.engine.projects import project as projects
from sslstudio.engine.projects import relocate
from sslstudio.engine.projects.project import Opened, Project
from sslstudio.engine.projects.runs import Newest, count_runs, earlier_runs, mend_runs, newest, relink_project
from sslstudio.engine.runs.relink import gone_folder
from sslstudio.ui.operations.engine import EngineFacts
from sslstudio.ui.operations.pictures import Seen, look_at_folder, scan_pictures

PROJECTS, RUNS = "Projects", "Runs"  # folders in the user's own; in Runs are those from before there were projects
Opening = Generator[Preparing | Seen, None, "OpenedPictures"]


@dataclass(frozen=True)
class OpenedPictures:
    """A project with its pictures. `new`: nothing was known of them; `told`: what a person must hear, '' as a rule."""

    project: Project
    recognised: Recognised
    newest: Newest
    new: bool
    told: str


def open_pictures(home: Path, others: Sequence[Path], folder: Path, labels: str, control: RunControl) -> Opening:
    """Open the pictures of a folder and the project for them; others: projects that lie elsewhere."""
    opened = projects.project_of(folder, home / PROJECTS, others)
    project = opened.project
    if not projects.is_project(project.folder):
        made = labels_folder(home, folder)
        project = replace(project, earlier=earlier_runs(home / RUNS / folder.name, folder))
        project = replace(project, made=str(made)) if made else project
    return (yield from _look(replace(project, pictures=folder.absolute()), labels, opened.told, control))


def open_known(opened: Opened, control: RunControl) -> Opening:
    """Open a project whose pictures are there."""
    return (yield from _look(opened.project, "", opened.told, control))


def _look(project: Project, labels: str, told: str, control: RunControl) -> Opening:
    said = [told] if told else []
    known = project.labels
    if known and not labels and not os.path.exists(known):
        said.append(
            Message(
                "The labels {known} are no longer there: those that are found by themselves are taken.", known=known
            )
        )
        known = ""
    project, wrong = _drop_bad_split(project)
    said += wrong
    labels = labels or known or (str(project.labels_folder) if is_edited(project.labels_folder) else "")
    project, wrong = _drop_bad_roles(project)
    said += wrong
    parts = {name: str(project.data[name]) for name in ("channels", "pages") if name in project.data}
    recognised = yield from look_at_folder(project.pictures, labels, project.roles, control, **parts)
    seen = projects.examples_of(recognised.pictures.paths)
    now = replace(project, labels=labels, examples=seen, opened=time.strftime("%Y-%m-%d %H:%M"))
    mend_runs(now)
    try:
        projects.save_project(now)
    except StudioError as error:  # the pictures can be looked at all the same
        said.append(str(error))
    return OpenedPictures(now, recognised, newest(now), not project.opened, " ".join(said))


def _drop_bad_split(project: Project) -> tuple[Project, list[str]]:
    """Leave out a split that cannot be used: somebody may have edited the file."""
    if not project.data:
        return project, []
    from sslstudio.engine.training.config import DataConfig

    try:
        DataConfig(**{**project.data, "folder": "", "labels": ""})
    except (ConfigError, TypeError) as error:  # TypeError: a name that is none of its options
        return replace(project, data={}), [
            Message("The split in the project cannot be used, the usual one is: {error}", error=error)
        ]
    return project, []


def _drop_bad_roles(project: Project) -> tuple[Project, list[str]]:
    """Leave out roles that there are not: somebody may have edited the file."""
    try:
        check_choices(project.roles)
    except ConfigError as error:
        return replace(project, roles={}), [Message("The roles in the project cannot be used: {error}", error=error)]
    return project, []


def collect_options(engine: EngineFacts, options: Mapping[str, BaseConfig]) -> dict[str, dict[str, Any]]:
    """Collect the options that are not at their defaults, as a project keeps them."""
    changed = (name for name, config in options.items() if config != engine.tasks[name].config())
    return {name: to_dict(options[name]) for name in changed}


def read_options(engine: EngineFacts, project: Project) -> tuple[dict[str, BaseConfig], list[ConfigError]]:
    """Read the options of all tasks from a project, and what is wrong where its file was edited: defaults there."""
    options: dict[str, BaseConfig] = {name: task.config() for name, task in engine.tasks.items()}
    wrong = []
    for name in [name for name in project.options if name in engine.tasks]:
        try:
            options[name] = from_dict(engine.tasks[name].config, project.options[name])
        except ConfigError as error:
            wrong.append(error)
    return options, wrong


def copy(project: Project, target: Path, runs: bool, control: RunControl) -> Generator[Preparing, None, Project]:
    """Copy a project to another folder, as it is set now."""
    projects.save_project(project)
    return (yield from relocate.copy_project(project, target, runs, control))


def save(project: Project, control: RunControl) -> None:
    """Write a project down, unless a newer state of it has been written since this was asked for."""
    projects.save_project(project, wanted=lambda: not control.stopping)


@dataclass(frozen=True)
class Recent:
    """A project that was open before, or only a folder of pictures: then without a count of runs. `more`: names of
    further folders of pictures."""

    folder: Path
    name: str
    pictures: Path
    opened: str = ""
    runs: int | None = None
    more: tuple[str, ...] = ()


def read_recent(folders: Sequence[str], control: RunControl) -> list[Recent]:
    """Read what is known of projects; those that cannot be read are named by their folder and say why when they are
    opened."""
    found = []
    for folder in map(Path, folders):
        try:
            one = projects.open_project(folder).project
            first, *more = folders_of(one.pictures).items()
            names = tuple(name for name, _ in more)
            found.append(Recent(folder, one.name, first[1], one.opened, count_runs(one), names))
        except (StudioError, OSError):
            found.append(Recent(folder, folder.name, folder))
    return found


@dataclass(frozen=True)
class Known:
    """A project as it was saved. `gone`: the folder of pictures that is not there, '' for its only one, and where it
    was; None when all are there."""

    opened: Opened
    gone: tuple[str, Path] | None


def read_project(folder: Path, control: RunControl) -> Known:
    """Read a project as it was saved, and which of its folders is missing."""
    return _find_gone(projects.open_project(folder))


def _find_gone(opened: Opened) -> Known:
    return Known(opened, gone_folder(opened.project.pictures))


def relink(known: Known, folder: Path, control: RunControl) -> Known:
    """Tell the project where its missing folder is."""
    assert known.gone is not None
    name, project = known.gone[0], known.opened.project
    there = project_folders.relocate_folder(project, name, folder) if name else relink_project(project, folder)
    return _find_gone(Opened(there, known.opened.told))


def take_out(known: Known, control: RunControl) -> Known:
    """Take the missing folder out of the project."""
    assert known.gone is not None
    return _find_gone(Opened(project_folders.without(known.opened.project, known.gone[0]), known.opened.told))


def add_folders(
    project: Project, folders: Sequence[Path], control: RunControl
) -> Generator[Preparing | Seen, None, Project]:
    """Add folders to a project. Raises DataError for one without pictures."""
    project_folders.extend_list(project, folders)  # what cannot be is said before anything is looked for
    for folder in folders:
        yield from scan_pictures(folder)
    return (yield from project_folders.with_more(project, folders))


def open_together(
    home: Path, others: Sequence[Path], folders: Sequence[Path], control: RunControl
) -> Generator[Preparing | Seen, None, Opened]:
    """Open the project of these folders together. Raises DataError for one without pictures."""
    if torn := check_nesting(folders):
        raise DataError(torn)
    for folder in folders:
        yield from scan_pictures(folder)
    return project_folders.project_of_several(folders, home / PROJECTS, others)
