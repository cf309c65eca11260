"""What the window asks of the engine about folders of pictures: several of them in a project, and those that are made
first. Nothing here runs on the UI thread."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.projects import project as projects
from sslstudio.engine.projects.project import Opened, Project
from sslstudio.ui.operations import engine as engine_operations
from sslstudio.ui.operations.engine import Seen
from sslstudio.ui.operations.projects import PROJECTS


@dataclass(frozen=True)
class Known:
    """A project as it was saved. `gone`: the folder of pictures that is not there, '' for its only one, and where it
    was; None when all are there."""

    opened: Opened
    gone: tuple[str, Path] | None


def read_project(folder: Path, control: RunControl) -> Known:
    """Read a project as it was saved, and which of its folders is missing."""
    return _known(projects.open_project(folder))


def _known(opened: Opened) -> Known:
    from sslstudio.engine.runs.relink import gone_folder

    return Known(opened, gone_folder(opened.project.pictures))


def relink(known: Known, folder: Path, control: RunControl) -> Known:
    """Tell the project where its missing folder is."""
    from sslstudio.engine.projects.folders import moved
    from sslstudio.engine.projects.runs import relink_project

    assert known.gone is not None
    name, project = known.gone[0], known.opened.project
    there = moved(project, name, folder) if name else relink_project(project, folder)
    return _known(Opened(there, known.opened.told))


def take_out(known: Known, control: RunControl) -> Known:
    """Take the missing folder out of the project."""
    from sslstudio.engine.projects.folders import without

    assert known.gone is not None
    return _known(Opened(without(known.opened.project, known.gone[0]), known.opened.told))


def add_folders(
    project: Project, folders: Sequence[Path], control: RunControl
) -> Generator[Preparing | Seen, None, Opened]:
    """Add folders to a project. Raises DataError for one without pictures."""
    from sslstudio.engine.projects.folders import listed_with, with_more

    listed_with(project, folders)  # what cannot be is said before anything is looked for
    for folder in folders:
        yield from engine_operations.scan_pictures(folder)
    return Opened((yield from with_more(project, folders)))


def open_together(
    home: Path, others: Sequence[Path], folders: Sequence[Path], control: RunControl
) -> Generator[Preparing | Seen, None, Opened]:
    """Open the project of these folders together. Raises DataError for one without pictures."""
    from sslstudio.engine.images.multi_folder import nested
    from sslstudio.engine.projects.folders import project_of_several

    if torn := nested(folders):
        raise DataError(torn)
    for folder in folders:
        yield from engine_operations.scan_pictures(folder)
    return project_of_several(folders, home / PROJECTS, others)


def without(project: Project, name: str, control: RunControl) -> Opened:
    """Remove a folder from a project."""
    from sslstudio.engine.projects.folders import without as taken_from

    return Opened(taken_from(project, name))


def with_folders(project: Project, folders: Mapping[str, Path], control: RunControl) -> Opened:
    """Give a project the folders that it had before."""
    from sslstudio.engine.projects.folders import with_folders as listing

    return Opened(listing(project, folders))


def draw_sample(folder: Path, control: RunControl) -> Generator[Preparing, None, Path]:
    """Draw the sample pictures, unless they are there."""
    from sslstudio.engine.sample.make import make_sample

    done = folder / ".complete"
    if not done.exists():
        yield from make_sample(folder)
        if control.stopping:
            raise RunError("Stopped while drawing the sample pictures.")
        done.touch()
    return folder


def unpack_pictures(archive: Path, into: Path, control: RunControl) -> Generator[Preparing, None, Path]:
    """Unpack a zip file of pictures into a folder."""
    from sslstudio.engine.images.zip_archive import unpack

    return unpack(archive, into, control)
