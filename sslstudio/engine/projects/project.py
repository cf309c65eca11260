"""A project: a folder that keeps together what is known of a set of pictures.

sslstudio.toml           where the pictures are, labels, split, the chosen task and its options; any editor reads it
sslstudio.before.toml    the last good copy of it
sslstudio.damaged.toml   what was found when it could not be read any more, if that ever happened
runs/                    the runs on these pictures
labels/                  the labels that were made in the program

Paths of what lies inside the project or beside it are kept relative to it, so that they can be moved together.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from sslstudio.engine.core import migrations
from sslstudio.engine.core.config import to_toml
from sslstudio.engine.core.errors import ConfigError, DataError, RunError, StudioError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import read_toml
from sslstudio.engine.core.files.file_names import free_among, portable_name
from sslstudio.engine.core.files.leftovers import sweep_once
from sslstudio.engine.core.files.named_paths import leads_out
from sslstudio.engine.core.messages import NOTHING, Message, join
from sslstudio.engine.images.formats.wanted import file_of
from sslstudio.engine.images.multi_folder import root_of
from sslstudio.engine.labels.editing.files import is_labelling

FILE, COPY, DAMAGED = "sslstudio.toml", "sslstudio.before.toml", "sslstudio.damaged.toml"
RUNS, LABELS = "runs", "labels"
EXAMPLES = 12  # names of pictures by which a folder that was moved is known again
ENOUGH = 0.5  # share of them that must be found again
TABLES, LISTS = (
    ("data", "options", "choices", "roles"),
    ("earlier", "examples"),
)  # fields of the file; the others are texts
PATHS = ("pictures", "labels", "made", "earlier")
_one_at_a_time = threading.Lock()  # the window saves off its own thread, and once more when it is closed


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a project file holds. `labels`: a CSV or a folder of labels, '' for those found by themselves; `made`: the
    folder for labels that are made in the program; `roles`: what a person said that folders, files and columns are (see
    `labels.roles`); `data`: side, groups and split; `task`: '' until a person has
    chosen; `options`: what differs from the defaults, by task; `choices`: time, network and the like, by page;
    `earlier`: older runs on these pictures, kept elsewhere.
    """

    folder: Path
    pictures: Path
    name: str = ""
    opened: str = ""  # 2026-11-25 07:02
    labels: str = ""
    made: str = LABELS
    task: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    earlier: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def runs(self) -> Path:
        """Where new runs go."""
        return self.folder / RUNS

    @property
    def labels_folder(self) -> Path:
        """Where labels are made."""
        return self.folder / self.made

    @property
    def all_runs(self) -> tuple[Path, ...]:
        """The folder of runs, and every older run that is kept elsewhere."""
        return (self.runs, *(self.folder / run for run in self.earlier))


@dataclass(frozen=True)
class Opened:
    """A project, and what is to be said of how it was read ('' as a rule)."""

    project: Project
    told: str = ""


def is_project(folder: Path) -> bool:
    """Whether a folder holds a project, damaged or not."""
    return (folder / FILE).is_file() or (folder / COPY).is_file()


def open_project(folder: Path) -> Opened:
    """Read a project; of one that is damaged the last good copy.

    Raises DataError when the folder holds none, or when neither file can be read; ConfigError when a newer version of
    the program has written it.
    """
    if not is_project(folder):
        raise DataError(
            "{folder} is not a project: there is no {file} in it. Choose the folder that holds it.",
            folder=folder,
            file=FILE,
        )
    folder = folder.absolute()
    try:
        return _read(folder, FILE)
    except RunError as error:
        try:
            copy = _read(folder, COPY)
        except RunError as second:
            raise DataError(
                "{error} The copy beside it cannot be read either: {second} Mend one of them with an editor, "
                "or move both away and open the pictures anew; the runs beside them stay.",
                error=error,
                second=second,
            ) from error
        told = Message(
            "{error} The last good copy of it was opened: what was changed after it is missing.", error=error
        )
        return Opened(copy.project, join([told, copy.told]) if copy.told else told)


def save_project(project: Project, *, wanted: Callable[[], bool] = lambda: True) -> None:
    """Write a project down; the file that was there becomes the last good copy. After a crash one of them is whole.
    wanted: asked when it is this call's turn; False writes nothing.

    Raises RunError when the disk does not take it, DataError for a name that cannot be written, ConfigError rather
    than replace the file of a newer version.
    """
    content = _encode(project)
    with _one_at_a_time:
        if not wanted():
            return
        try:
            for folder in (project.folder, project.runs):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                "The project {folder} cannot be made: {reason}.", folder=project.folder, reason=error.strerror
            ) from error
        sweep_once(project.folder)  # also where there is nothing to write: nobody else may ever write here again
        file = project.folder / FILE
        old = file.read_bytes() if file.is_file() else b""
        if old == content:
            return
        if old:
            try:
                _read(project.folder, FILE)
                write_atomic(project.folder / COPY, old)
            except RunError:
                if not (project.folder / DAMAGED).exists():
                    write_atomic(project.folder / DAMAGED, old)
        write_atomic(file, content)


def _encode(project: Project) -> bytes:
    values: dict[str, Any] = migrations.stamp({})
    for one in fields(Project):
        if one.name != "folder":
            values[one.name] = getattr(project, one.name)
    base = project.folder.absolute()
    values["pictures"] = _shorten(str(project.pictures), base)
    values["labels"] = _shorten(project.labels, base) if project.labels else ""
    values["made"] = _shorten(str(project.labels_folder), base)
    values["earlier"] = [_shorten(str(base / run), base) for run in project.earlier]
    values["examples"] = list(project.examples)
    values["data"] = _without_none(project.data)
    values["roles"] = dict(project.roles)
    for name in ("options", "choices"):
        values[name] = {key: _without_none(one) for key, one in getattr(project, name).items()}
    try:
        return to_toml(values).encode()
    except UnicodeEncodeError as error:
        raise DataError(
            "The project cannot be written down: a name in it is not UTF-8 ({object!r}). Rename the file.",
            object=error.object[:80],
        ) from error


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}  # TOML has no null


def _shorten(path: str, base: Path) -> str:
    """Make a path relative to the project where it lies in it or beside it, with / on every system."""
    absolute = Path(os.path.abspath(base / path))
    if absolute.is_relative_to(base.parent) and absolute != base.parent:
        return Path(os.path.relpath(absolute, base)).as_posix()
    return str(absolute)


def _read(folder: Path, name: str) -> Opened:
    """Raises RunError for a file that is missing or damaged, ConfigError for a newer one."""
    file = folder / name
    try:
        values = read_toml(file)
    except OSError as error:
        raise RunError("{file} cannot be read: {reason}.", file=file, reason=error.strerror) from error
    except ConfigError as error:
        raise RunError("{file} is damaged.", file=file) from error
    written = values.get(migrations.KEY)
    if type(written) is int and written > 0:
        values = migrations.migrate(migrations.PROJECT, values, str(file))
    return _project(folder, file, values)


def _project(folder: Path, file: Path, values: dict[str, Any]) -> Opened:
    known = {one.name for one in fields(Project)} - {"folder"}
    wrong = [key for key in values if key in known and not _is_fitting(key, values[key])]
    if values.get(migrations.KEY) != migrations.FORMAT or not values.get("pictures") or wrong:
        raise RunError(
            "{file} is damaged: {wrong} is not as it should be.",
            file=file,
            wrong=", ".join(wrong) or Message("format or pictures"),
        )
    given = {key: value for key, value in values.items() if key in known}
    given["pictures"] = Path(os.path.abspath(folder / values["pictures"]))
    if given.get("labels"):
        given["labels"] = os.path.abspath(folder / given["labels"])
    given["earlier"] = tuple(given.get("earlier", ()))
    given["examples"] = tuple(name for name in given.get("examples", ()) if not leads_out(name))  # only looked for
    given["roles"] = {path: role for path, role in given.get("roles", {}).items() if isinstance(role, str)}
    for name in ("options", "choices"):
        given[name] = {key: one for key, one in given.get(name, {}).items() if isinstance(one, dict)}
    made, told = given.get("made") or LABELS, NOTHING
    if not _can_hold_labels(folder, made):
        told = Message(
            "{file} names {made!r} as the folder for labels, which lies outside the project and holds none that were "
            "made in this program: labels are made in {labels}.",
            file=file,
            made=made,
            labels=folder / LABELS,
        )
        made = LABELS
    return Opened(Project(folder=folder, **{**given, "made": made}), told)


def _can_hold_labels(folder: Path, made: str) -> bool:
    """Whether labels may be written where a project file says: in the project, or elsewhere in a folder of labels."""
    try:
        place, home = (folder / made).resolve(), folder.resolve()
        return (place != home and place.is_relative_to(home)) or is_labelling(place)
    except (OSError, RuntimeError, ValueError):  # links in a circle, or a name that none can be
        return False


def _is_fitting(key: str, value: object) -> bool:
    """Whether a value of the file has the type of its field; a path has no zero character in it."""
    if key in TABLES:
        return isinstance(value, dict)
    texts: list[Any] = value if isinstance(value, list) else [value]
    if (key in LISTS) is not isinstance(value, list) or not all(isinstance(one, str) for one in texts):
        return False
    return key not in PATHS or not any("\0" in one for one in texts)


def project_of(pictures: Path, projects: Path, others: Sequence[Path] = ()) -> Opened:
    """The project for these pictures among those in `projects` and the `others`; a new one with a free name, not yet
    written, where there is none."""
    wanted = real_place(pictures)
    passed: list[Path] = []
    for found in find_projects(projects, others, passed):
        if real_place(found.project.pictures) == wanted:
            return found
    free = free_project(projects, wanted.name or Message("Pictures"))
    anew = Project(folder=(projects / free).absolute(), pictures=pictures.absolute(), name=free)
    return Opened(anew, explain_skipping(passed))


def real_place(folder: Path) -> Path:
    """A folder without links, whether it is there or not; `Path.resolve` raises where links lead in a circle."""
    return Path(os.path.realpath(folder))


def find_projects(projects: Path, others: Sequence[Path] = (), passed: list[Path] | None = None) -> Iterator[Opened]:
    """Find the `others` and those in `projects` that can be read. Folders of those that cannot are added to `passed`:
    they are left alone, and keep nobody from opening another one."""
    for folder in dict.fromkeys(folder.absolute() for folder in [*others, *_inside(projects)]):
        try:
            if not is_project(folder):
                continue
            opened = open_project(folder)
        except (StudioError, OSError):
            if passed is not None:
                passed.append(folder)
            continue
        yield opened


def explain_skipping(folders: Sequence[Path]) -> Message:
    """Say that a new project is begun although one of these may have been the right one; '' for none."""
    if not folders:
        return NOTHING
    return Message(
        "A project that cannot be read was passed over, and a new one begun: {folders}. Open it from its "
        "folder to see what is wrong with it.",
        folders=folders,
    )


def _inside(projects: Path) -> list[Path]:
    try:
        return sorted(projects.iterdir())
    except OSError:  # not there, or not ours to look into
        return []


def free_project(projects: Path, name: str) -> str:
    """The nearest name that every system takes, or the first of 'name 2', 'name 3' ... that no folder in `projects`
    has, whatever its case."""
    return free_among(portable_name(name, Message("Pictures")), (folder.name for folder in _inside(projects)))


def examples_of(paths: Sequence[str]) -> tuple[str, ...]:
    """Names of pictures from all over a folder."""
    apart = max(1, len(paths) // EXAMPLES)
    return tuple(path for path in map(file_of, paths[::apart][:EXAMPLES]) if path.isprintable())


def with_pictures(project: Project, pictures: Path) -> Project:
    """The same project, its pictures somewhere else. Raises DataError when they are not there."""
    root = root_of(pictures)
    found = sum((root / path).exists() for path in project.examples)
    if found < ENOUGH * len(project.examples):
        raise DataError(
            "Only {found:,} of {examples:,} pictures that were looked for are in {pictures}, where they "
            "would be called {example} and the like. Choose the folder that holds them as before.",
            found=found,
            examples=len(project.examples),
            pictures=pictures,
            example=project.examples[0],
        )
    labels = Path(project.labels)
    if project.labels and labels.is_relative_to(project.pictures):  # they have moved with the pictures
        labels = pictures.absolute() / labels.relative_to(project.pictures)
    return replace(project, pictures=pictures.absolute(), labels=str(labels) if project.labels else "")
