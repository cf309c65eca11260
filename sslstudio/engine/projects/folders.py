"""The folders that the pictures of a project lie in: one as a rule. More are added, one is taken out of the list, one
that has moved is found again. Only the list changes (see images/multi_folder.py): nothing is copied, and the folders
stay as they are.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.dataset.groups import below
from sslstudio.engine.images.cache.store import move_stores
from sslstudio.engine.images.multi_folder import PLACE, check_nesting, folders_of, free_name, is_album, write_album
from sslstudio.engine.labels.editing.files import is_labelling
from sslstudio.engine.labels.editing.start import is_edited
from sslstudio.engine.labels.editing.transfer import labels_below
from sslstudio.engine.projects.project import (
    ENOUGH,
    LABELS,
    Opened,
    Project,
    explain_skipping,
    find_projects,
    free_project,
    open_project,
    real_place,
    save_project,
)
from sslstudio.engine.runs.trash import free_path

NAMED = 3  # folders in the name of a project


def with_more(project: Project, folders: Sequence[Path]) -> Generator[Preparing, None, Project]:
    """The project with further folders of pictures, written down. The first time its labels are copied to a new place,
    for the paths of its pictures begin with the name of their folder from then on.

    Raises DataError for a folder that is not there, is in the project already, or lies in another one of it.
    """
    listed = extend_list(project, folders)
    if is_album(project.pictures):
        return with_folders(project, listed)
    place = project.folder / PLACE
    write_album(place, listed)
    name = next(iter(listed))
    project = yield from _move_labels(project, name, place)
    examples = tuple(f"{name}/{path}" for path in project.examples)
    data: dict[str, Any] = {**project.data}
    if data.get("groups"):
        data["groups"] = below(data["groups"])
    project = replace(project, pictures=place, examples=examples, data=data)
    move_stores(listed[name], place, cache_folder(), name)
    save_project(project)  # last: after a crash on the way it is as it was
    return project


def extend_list(project: Project, folders: Sequence[Path]) -> dict[str, Path]:
    """Add folders to the list of a project's. Raises DataError as `with_more` does."""
    listed = folders_of(project.pictures)
    for folder in folders:
        if not folder.is_dir():
            raise DataError("There is no folder {folder}. Check the spelling, or choose it again.", folder=folder)
        if folder.resolve() in [one.resolve() for one in listed.values()]:
            raise DataError("{folder} is in the project already.", folder=folder)
        listed[free_name(folder, listed)] = folder.absolute()
    if torn := check_nesting(listed.values()):
        raise DataError(torn)
    return listed


def _move_labels(project: Project, name: str, place: Path) -> Generator[Preparing, None, Project]:
    used = Path(project.labels) if project.labels and is_labelling(Path(project.labels)) else project.labels_folder
    made = project.folder / LABELS
    if not is_edited(used):  # what was begun from the folders is begun again, with more of them
        own = made if not is_edited(made) else free_path(made)
        return replace(project, made=own.name, labels="" if is_labelling(used) else project.labels)
    target = free_path(made)
    yield from labels_below(used, target, name, place.resolve())
    table = project.labels and not is_labelling(Path(project.labels))
    return replace(project, made=target.name, labels=project.labels if table else str(target))


def with_folders(project: Project, folders: Mapping[str, Path]) -> Project:
    """The project with this list of folders, written down; to undo a change, hand in the list from before it."""
    if not folders:
        raise DataError("A project needs a folder of pictures. Open other pictures instead of taking this out.")
    write_album(project.pictures, folders)
    return project


def without(project: Project, name: str) -> Project:
    """The project without one of its folders. Labels of its pictures stay, for the case that it comes back."""
    return with_folders(project, {one: folder for one, folder in folders_of(project.pictures).items() if one != name})


def relocate_folder(project: Project, name: str, folder: Path) -> Project:
    """Say where one of the folders of a project lies now. Raises DataError when its pictures are not there."""
    wanted = [path.partition("/")[2] for path in project.examples if path.startswith(f"{name}/")]
    found = sum((folder / path).exists() for path in wanted)
    if found < ENOUGH * len(wanted):
        raise DataError(
            "Only {found:,} of {wanted:,} pictures that were looked for are in {folder}, where they "
            "would be called {example} and the like. Choose the folder that holds them as before.",
            found=found,
            wanted=len(wanted),
            folder=folder,
            example=wanted[0],
        )
    return with_folders(project, {**folders_of(project.pictures), name: folder.absolute()})


def project_of_several(folders: Sequence[Path], projects: Path, others: Sequence[Path] = ()) -> Opened:
    """The project whose pictures lie in just these folders; a new one, written down, where there is none."""
    wanted = {real_place(folder) for folder in folders}
    passed: list[Path] = []
    for found in find_projects(projects, others, passed):
        place = found.project.pictures
        try:
            if is_album(place) and {real_place(folder) for folder in folders_of(place).values()} == wanted:
                return found
        except DataError:  # its list is damaged
            passed.append(found.project.folder)
    listed: dict[str, Path] = {}
    for folder in folders:
        listed[free_name(folder, listed)] = folder.absolute()
    more = [f"{len(listed) - NAMED}"] if len(listed) > NAMED else []
    free = free_project(projects, " + ".join([*list(listed)[:NAMED], *more]))
    home = (projects / free).absolute()
    write_album(home / PLACE, listed)
    save_project(Project(folder=home, pictures=home / PLACE, name=free))
    return replace(open_project(home), told=explain_skipping(passed))
