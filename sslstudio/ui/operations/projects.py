"""What the window asks of the engine about projects; as in engine.py, nothing here runs on the UI thread."""

import os
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.engine.core.config import BaseConfig, from_dict, to_dict
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.projects import project as projects
from sslstudio.engine.projects.project import Opened, Project
from sslstudio.ui.operations import engine as engine_operations
from sslstudio.ui.operations.engine import EngineFacts, Seen

if TYPE_CHECKING:
    from sslstudio.engine.labels.types import Recognised
    from sslstudio.engine.projects.runs import Newest

PROJECTS, RUNS = (
    "Projects",
    Message("Runs"),
)  # folders in the user's own; in Runs are those from before there were projects
Opening = Generator[Preparing | Seen, None, "OpenedPictures"]


@dataclass(frozen=True)
class OpenedPictures:
    """A project with its pictures. `new`: nothing was known of them; `told`: what a person must hear, '' as a rule."""

    project: Project
    recognised: "Recognised"
    newest: "Newest"
    new: bool
    told: str


def open_pictures(home: Path, others: Sequence[Path], folder: Path, labels: str, control: RunControl) -> Opening:
    """Open the pictures of a folder and the project for them; others: projects that lie elsewhere."""
    from sslstudio.engine.labels.editing.start import labels_folder
    from sslstudio.engine.projects.runs import earlier_runs

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
    from sslstudio.engine.labels.editing.start import is_edited
    from sslstudio.engine.projects.runs import mend_runs, newest

    said = [told] if told else []
    known = project.labels
    if known and not labels and not os.path.exists(known):
        said.append(
            Message(
                "The labels {known} are no longer there: those that are found by themselves are taken.", known=known
            )
        )
        known = ""
    project, wrong = _with_good_split(project)
    said += wrong
    labels = labels or known or (str(project.labels_folder) if is_edited(project.labels_folder) else "")
    recognised = yield from engine_operations.look_at_folder(project.pictures, labels, control)
    seen = projects.examples_of(recognised.pictures.paths)
    now = replace(project, labels=labels, examples=seen, opened=time.strftime("%Y-%m-%d %H:%M"))
    mend_runs(now)
    try:
        projects.save_project(now)
    except StudioError as error:  # the pictures can be looked at all the same
        said.append(str(error))
    return OpenedPictures(now, recognised, newest(now), not project.opened, " ".join(said))


def _with_good_split(project: Project) -> tuple[Project, list[str]]:
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


def changed_options(engine: EngineFacts, options: Mapping[str, BaseConfig]) -> dict[str, dict[str, Any]]:
    """Collect the options that are not at their defaults, as a project keeps them."""
    changed = (name for name, config in options.items() if config != engine.tasks[name].config())
    return {name: to_dict(options[name]) for name in changed}


def all_options(engine: EngineFacts, project: Project) -> tuple[dict[str, BaseConfig], list[ConfigError]]:
    """Read the options of all tasks from a project, and what is wrong where its file was edited: defaults there."""
    options: dict[str, BaseConfig] = {name: task.config() for name, task in engine.tasks.items()}
    wrong = []
    for name in [name for name in project.options if name in engine.tasks]:
        try:
            options[name] = from_dict(engine.tasks[name].config, project.options[name])
        except ConfigError as error:
            wrong.append(error)
    return options, wrong


def rename(project: Project, name: str, control: RunControl) -> Opened:
    """Give a project another name."""
    from sslstudio.engine.core.cache_folder import cache_folder
    from sslstudio.engine.projects import relocate

    return Opened(relocate.renamed(project, name, cache_folder()))


def copy(project: Project, target: Path, runs: bool, control: RunControl) -> Generator[Preparing, None, Project]:
    """Copy a project to another folder, as it is set now."""
    from sslstudio.engine.projects import relocate

    projects.save_project(project)
    return (yield from relocate.copied(project, target, runs, control))


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


def recent(folders: Sequence[str], control: RunControl) -> list[Recent]:
    """Read what is known of projects; those that cannot be read are named by their folder and say why when they are
    opened."""
    from sslstudio.engine.images.multi_folder import folders_of
    from sslstudio.engine.projects.runs import runs_counted

    found = []
    for folder in map(Path, folders):
        try:
            one = projects.open_project(folder).project
            first, *more = folders_of(one.pictures).items()
            names = tuple(name for name, _ in more)
            found.append(Recent(folder, one.name, first[1], one.opened, runs_counted(one), names))
        except (StudioError, OSError):
            found.append(Recent(folder, folder.name, folder))
    return found
