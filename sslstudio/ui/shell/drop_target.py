"""What can be dropped on the window, and what becomes of it: folders, zip files, CSV and COCO files, runs, projects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QUrl, Signal
from PySide6.QtWidgets import QWidget

from sslstudio.engine.images.listing import SUFFIXES as PICTURES
from sslstudio.engine.images.zip_archive import unpack
from sslstudio.engine.labels.formats.coco.search import pictures_folder
from sslstudio.engine.projects.project import FILE, is_project
from sslstudio.engine.runs.experiment_folder import experiment_job
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings, error_log
from sslstudio.ui.operations import projects as project_operations
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.operations.projects import Known
from sslstudio.ui.operations.runs import RunAbout
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.folders import folders_of
from sslstudio.ui.workspace.workspace import Change, Workspace

FOLDER, ZIP, LABELS, RUN, PROJECT, OTHER = "folder", "zip", "labels", "run", "project", "other"
ORDER = (PROJECT, RUN, FOLDER, ZIP, LABELS, OTHER)  # which of several things is opened
FIND, WITHOUT = "find", "without"
UNPACKED = "Unpacked"  # folder in the user's own
SUFFIXES = {".zip": ZIP, ".csv": LABELS, ".tsv": LABELS, ".json": LABELS}


@dataclass(frozen=True)
class Dropped:
    """A folder of pictures, a zip file, a file of labels, a run, a project, or a file that is none of these."""

    kind: str
    path: Path
    more: tuple[Path, ...] = ()  # further folders of pictures
    labels: str = ""  # a table that was dropped with the folder
    left: tuple[Path, ...] = ()  # what is not opened


def recognise_drop(data: QMimeData) -> Dropped | None:
    """What is dragged, see `recognise_paths`. None for what is not on this computer's disks."""
    return recognise_paths([Path(QUrl(url).toLocalFile()) for url in data.urls() if url.isLocalFile()])


def recognise_paths(paths: Sequence[Path]) -> Dropped | None:
    """What files and folders are: a project or a run before pictures, and one table of labels goes with one folder or
    zip file of them. A picture stands for the folder that it lies in. None where there is nothing."""
    found = list(dict.fromkeys(one for path in paths if (one := _recognise(path)) is not None))
    if not found:
        return None
    first = min(found, key=lambda one: ORDER.index(one.kind))
    rest = [one for one in found if one is not first]
    if first.kind == FOLDER:
        more = tuple(one.path for one in rest if one.kind == FOLDER)
        tables = [one.path for one in rest if one.kind == LABELS][: 0 if more else 1]
        first = replace(first, more=more, labels=str(tables[0]) if tables else "")
    taken = {*first.more, Path(first.labels)}
    return replace(first, left=tuple(one.path for one in rest if one.path not in taken))


def _recognise(path: Path) -> Dropped | None:
    if path.is_dir():
        is_run = ((path / "config.toml").is_file() and (path / "events.jsonl").is_file()) or bool(experiment_job(path))
        return Dropped(RUN if is_run else PROJECT if is_project(path) else FOLDER, path)
    if path.name == FILE:
        return Dropped(PROJECT, path.parent)
    if not path.is_file():
        return None
    suffix = path.suffix.lower()
    kind = SUFFIXES.get(suffix, FOLDER if suffix in PICTURES or not suffix else OTHER)
    return Dropped(kind, path.parent if kind == FOLDER else path)


class Opener(QObject):
    """Opens what was dropped. `run_wanted` (job, run, go on) asks for the page of a run, its pictures open."""

    run_wanted = Signal(str, object, bool)

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self.workspace, self._window = workspace, window
        self._awaited: tuple[RunAbout, bool] | None = None  # a run whose pictures are being opened; to go on with it
        workspace.call_on(Change.PICTURES, self._show_awaited)
        workspace.project_wanted.connect(self.open_project)

    def open(self, what: Dropped) -> None:
        """Open it, whatever it is."""
        self._awaited = None
        error_log.note_place(what.path, *what.more)
        ways: dict[str, Callable[[Path], None]] = {
            FOLDER: partial(self._open_folders, what),
            ZIP: self._open_zip,
            LABELS: self._open_labels,
            RUN: self.open_run,
            PROJECT: self.open_project,
            OTHER: self._refuse,
        }
        if what.left and what.kind != OTHER:
            self._say_left(what)
        ways[what.kind](what.path)

    def _open_folders(self, what: Dropped, folder: Path) -> None:
        if what.labels:
            self.workspace.open_folder(folder, what.labels)
        else:
            folders_of(self.workspace).open([folder, *what.more])

    def _say_left(self, what: Dropped) -> None:
        names = ", ".join(path.name for path in what.left)
        said = self.tr("“{0}” is opened. These are left alone: {1}. Drop them one after the other.")
        dialogs.tell(self._window, self.tr("Several things at once"), said.format(what.path.name, names))

    def _refuse(self, file: Path) -> None:
        said = self.tr(
            "“{0}” is neither a picture nor anything else that can be opened. Drop a folder of pictures, a zip file of "
            "them, a table of labels (CSV, TSV), a COCO file, a run or a project."
        )
        dialogs.tell(self._window, self.tr("This cannot be opened"), said.format(file.name))

    def _open_zip(self, archive: Path) -> None:
        self.workspace.prepare_folder(partial(unpack, archive, app_settings.home() / UNPACKED), archive.name)

    def _open_labels(self, file: Path) -> None:
        """Labels belong to the open pictures; without any, to those beside the file."""
        self.workspace.open_folder(self.workspace.folder or pictures_folder(file), str(file))

    def open_project(self, folder: Path) -> None:
        """Open a project; where its pictures are is asked if they are gone."""
        if self.workspace.may_open():
            self.workspace.cancel_opening()
            self.workspace.announce(folder.name)
            self._ask_project(partial(project_operations.read_project, folder))

    def _ask_project(self, op: "partial[Known]") -> None:
        jobs.run(op, self._take_project, self._give_up, owner=self)

    def _give_up(self, error: Exception) -> None:
        self.workspace.end_opening()
        dialogs.tell_error(self._window, error)

    def _take_project(self, known: Known) -> None:
        if known.gone is None:
            self.workspace.open_project(known.opened)
            return
        self.workspace.end_opening()  # until a person has answered
        name, place = known.gone
        one = self.tr("The folder “{0}” of this project is not in {1}. Is its disk plugged in?")
        everything = self.tr("The pictures of this project are no longer in {0}. Where are they now?")
        answer = self._ask_lost(name, one.format(name, place), everything.format(place))
        if answer == WITHOUT:
            self._ask_project(partial(project_operations.take_out, known))
        elif answer is not None:
            self._ask_project(partial(project_operations.relink, known, Path(answer)))

    def _ask_lost(self, name: str, one: str, everything: str) -> str | Path | None:
        """Where a folder of pictures is now; WITHOUT to go on without it, None to leave it all as it is. `one` asks
        about one of several, `name`; `everything` about the place."""
        if name:
            answers = {FIND: self.tr("Say where it is…"), WITHOUT: self.tr("Go on without it")}
            answer = dialogs.choose(self._window, one, answers, self.tr("Cancel"))
            if answer != FIND:
                return WITHOUT if answer == WITHOUT else None
        return dialogs.choose_folder(self._window, everything)

    def open_run(self, run: Path, go_on: bool = False) -> None:
        """Show an earlier run, wherever it lies, or go on with it."""
        self._ask(partial(run_operations.describe_run, run), go_on)

    def _ask(self, op: "partial[RunAbout]", go_on: bool) -> None:
        jobs.run(op, partial(self._take_run, go_on), partial(dialogs.tell_error, self._window), owner=self)

    def _take_run(self, go_on: bool, about: RunAbout) -> None:
        if about.gone is not None:
            name, place = about.gone
            one = self.tr("The folder “{0}” of this run's pictures is not in {1}. Is its disk plugged in?")
            everything = self.tr("The pictures of this run are no longer in {0}. Where are they now?")
            answer = self._ask_lost(name, one.format(name, place), everything.format(place))
            if answer == WITHOUT:
                self._ask(partial(run_operations.leave_out_folder, about.run, name), go_on)
            elif answer is not None:
                self._ask(partial(run_operations.relink_run, about.run, name, Path(answer)), go_on)
        elif self.workspace.folder is not None and self.workspace.folder.resolve() == about.folder.resolve():
            self.run_wanted.emit(about.job, about.run, go_on)
        else:
            self._awaited = (about, go_on)
            self.workspace.open_folder(about.folder, about.labels)

    def _show_awaited(self) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited is not None and self.workspace.folder == awaited[0].folder:
            about, go_on = awaited
            self.run_wanted.emit(about.job, about.run, go_on)
