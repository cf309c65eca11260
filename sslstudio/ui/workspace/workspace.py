"""What the window is about right now: pictures, labels, the chosen task and the runs. Pages look at it and listen to
it; no page knows another one."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Flag, auto
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from sslstudio.engine.core.config import BaseConfig, Table
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.multi_folder import Album
from sslstudio.engine.projects.project import RUNS, Opened, Project, is_project
from sslstudio.engine.runs.trash import free_path
from sslstudio.ui.background import jobs
from sslstudio.ui.background.runner import Runner
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations import pictures as picture_operations
from sslstudio.ui.operations import projects as project_operations
from sslstudio.ui.operations.engine import EngineFacts, TaskFacts, load_engine
from sslstudio.ui.operations.projects import OpenedPictures
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.run_queue import QueueController

if TYPE_CHECKING:
    from sslstudio.engine.images.index import ImageIndex
    from sslstudio.engine.labels.types import Recognised

SAMPLE = "Sample pictures"  # folder in the user's own


class Change(Flag):
    """What has changed in a workspace; several at once may have."""

    ENGINE = auto()  # it has been loaded, or could not be
    PICTURES = auto()  # other ones, or other labels for the same
    READABLE = auto()  # every picture has been read: which of them cannot be is known
    TASK = auto()  # or options of one
    SPLIT = auto()
    CHOICES = auto()  # how long, which network
    RUNS = auto()
    RESULT = auto()  # the fine-tuning that is looked at


class Workspace(QObject):
    """The state that the pages share. `changed` says what of it is new; the other signals tell what goes on, what is
    about to happen, and what is wished for."""

    changed = Signal(object)  # Change
    opening = Signal(object)  # Preparing, Seen while a scan goes on, or None when it is over
    checking = Signal(object)  # Preparing, or None when it is over
    leaving = Signal()  # the open pictures, for others
    letting_go = Signal()  # of the labels: what they are for is about to change
    project_wanted = Signal(object)  # Path of a project, whose pictures may be somewhere else now
    wants_page = Signal(str)
    wants_page_now = Signal(str)  # the same, whole at once: it is told something right after
    wants_expert = Signal(str)  # a page that the simple way does not show
    wants_file = Signal()  # a file is to be chosen and opened
    learn_again = Signal()  # with the labels as they are now, after the result that is looked at
    proposals_wanted = Signal()  # what the last network proposes is to be looked at, on the page that labels
    wants_copies = Signal()  # the near copies among the pictures
    cannot = Signal(str)  # a warning about the run that goes on
    said = Signal(str)  # a line for the status bar

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.window = parent if isinstance(parent, QWidget) else None
        self.engine: EngineFacts | None = None
        self.engine_error: Exception | None = None
        self.project: Project | None = None
        self.folder: Path | None = None
        self.labels_file = ""
        self.roles: dict[str, str] = {}  # what a person said that folders, tables, columns and pictures are
        self._roles_to_come: dict[str, str] | None = None
        self.recognised: Recognised | None = None
        self.readable: ImageIndex | None = None
        self.task = ""
        self._task_chosen = False
        self.options: dict[str, BaseConfig] = {}
        self.data_values: dict[str, Any] = {}
        self.choices: dict[str, dict[str, Any]] = {}  # by page: what was chosen there, as a project keeps it
        self.pretrained: Path | None = None
        self.result: Path | None = None
        self.goes_on_later = False  # the run that is being stopped was saved to go on, when the window closed
        self.comparison = ""  # compare or tournament: what the page of comparisons is to show first
        self.wants_use = False  # the network that is looked at is to answer new pictures: the page of results shows how
        self.runner = Runner(self)
        self.queue = QueueController(self.runner, self)
        self.opening_name = ""  # what is being opened, as a person knows it
        self._opening: jobs.Job | None = None  # one thing is opened or made at a time
        self._reading: jobs.Job | None = None
        self._labels_job: jobs.Job | None = None
        self.runner.started.connect(self.stop_reading)
        self.runner.ended.connect(self._read_on)

    def call_on(self, what: Change, method: Callable[[], object]) -> None:
        """Call a method after every such change, as long as its object lives; in the order in which this is asked."""
        living = WeakMethod(method)

        def hear(changed: Change) -> None:
            call = living()
            if changed & what and call is not None:
                call()

        self.changed.connect(hear)

    # --- the engine

    def load_engine(self) -> None:
        """Import torch off the UI thread."""
        jobs.run(load_engine, self._take_engine, self._take_engine_error, owner=self)

    def _take_engine(self, facts: EngineFacts) -> None:
        self.engine = facts
        self._suggest_task()
        for name, task in facts.tasks.items():
            self.options.setdefault(name, task.config())
        if self.project is not None:
            self._bring_back_options(self.project)
        self.changed.emit(Change.ENGINE)
        self.read_pictures()

    def _take_engine_error(self, error: Exception) -> None:
        self.engine_error = error
        self.changed.emit(Change.ENGINE)
        self._tell(error)

    @property
    def task_facts(self) -> TaskFacts | None:
        """The chosen task, None while the engine is being loaded."""
        return self.engine.tasks[self.task] if self.engine else None

    def _suggest_task(self) -> None:
        """Until a person chooses, the task that gives most for such labels."""
        if self.engine is not None and not self._task_chosen:
            masks = self.recognised is not None and self.recognised.masks is not None and not self.recognised.classes
            self.task = self.engine.default_for_masks if masks else self.engine.default

    def choose_task(self, name: str, options: BaseConfig) -> None:
        """What the network is to learn from."""
        self.task, self._task_chosen = name, True
        self.options[name] = options
        self.changed.emit(Change.TASK)

    # --- pictures

    def open_folder(self, folder: Path, labels_file: str = "") -> None:
        """Look for pictures and labels, and bring back what is known of them; PICTURES have changed then. Their project
        is made the first time. The labels used last, or made in the program, are taken, unless others are asked for."""
        if is_project(folder):
            self.project_wanted.emit(folder)
            return
        others = [Path(one) for one in app_settings.recent_folders() if is_project(Path(one))]
        op = partial(project_operations.open_pictures, app_settings.home(), others, folder, labels_file)
        self.begin_opening(op, self._take_pictures, folder.name)

    def open_project(self, opened: Opened) -> None:
        """The same for a project whose pictures are there."""
        name = opened.project.name
        self.begin_opening(partial(project_operations.open_known, opened), self._take_pictures, name)

    def open_sample(self) -> None:
        """Draw the sample pictures into the user's folder and open them."""
        self.prepare_folder(partial(picture_operations.draw_sample, app_settings.home() / SAMPLE), SAMPLE)

    def prepare_folder(self, op: Callable[..., Any], name: str = "") -> None:
        """Open the folder that `op` makes: one that is drawn or unpacked first."""
        self.begin_opening(op, self.open_folder, name)

    def open_new(self, op: Callable[..., Any]) -> None:
        """Open the project that `op` makes."""
        self.begin_opening(op, self.open_project)

    def change_project(self, op: Callable[..., Any]) -> None:
        """Open the project that `op` makes of the open one: its folders change, or its name."""
        if self.may_open():
            self.letting_go.emit()
            self.stop_reading()
            if self._labels_job is not None and self.taking_labels:
                self._labels_job.cancel()  # they are looked for again, where they are then
            self.begin_opening(op, self._take_project, self.project.name if self.project else "")

    def _take_project(self, project: Project) -> None:
        """It has another name or list on the disk now, whether or not its pictures are waited for."""
        if self.project is not None and project.folder != self.project.folder:
            self.project, self.folder, self.labels_file = project, project.pictures, project.labels
            self.roles = dict(project.roles)
            self.pretrained = self.result = None  # until they are looked for
        self.open_project(Opened(project))

    def may_open(self) -> bool:
        """Whether other pictures can be opened now; if not, that is said."""
        active = self.runner.active
        if active:
            self.said.emit(self.tr("A training goes on: stop it before you open other pictures."))
        return not active

    def begin_opening(self, op: Callable[..., Any], then: Callable[[Any], None], name: str = "") -> None:
        """Do `op` off the UI thread instead of what is being opened; `then` gets what it returns, and ends it. `name`:
        how a person calls it. What goes on about the pictures that are open ends: nobody waits for it now."""
        if not self.may_open():
            return
        self.cancel_opening()
        self.stop_reading()
        self.announce(name)
        self._opening = jobs.run(op, then, self._give_up_opening, owner=self, progress=self.opening.emit)

    def announce(self, name: str) -> None:
        """Say that something is about to be opened, before anything of it has been read."""
        self.opening_name = name
        self.opening.emit(Preparing(stage=Message("Looking for pictures"), done=0, total=0))

    def cancel_opening(self) -> None:
        """Forget about what is being opened."""
        if self._opening is not None:
            self._opening.cancel()
            self.end_opening()

    def end_opening(self) -> None:
        """Nothing is being opened any more."""
        self._opening, self.opening_name = None, ""
        self.opening.emit(None)
        self._read_on()

    def _give_up_opening(self, error: Exception) -> None:
        self.end_opening()
        self._tell(error)

    def _take_pictures(self, opened: OpenedPictures) -> None:
        self._opening, self.opening_name = None, ""
        self.leaving.emit()
        if self.project is not None and self.project.folder != opened.project.folder:
            self._task_chosen = False  # it was chosen for the others
        self.project, self.recognised, self.readable = opened.project, opened.recognised, None
        self.folder, self.labels_file = opened.project.pictures, opened.project.labels
        self.roles, self._roles_to_come = dict(opened.project.roles), None
        self.pretrained, self.result = opened.newest.pretrained, opened.newest.result
        app_settings.add_recent(opened.project.folder, self.folder)
        self._bring_back(opened)
        self.opening.emit(None)
        self.changed.emit(Change.PICTURES | Change.TASK | Change.RESULT)
        self.read_pictures()
        if opened.told:
            dialogs.tell(self.window, self.tr("Project"), opened.told)

    @property
    def several(self) -> Mapping[str, Path]:
        """The folders by name where the open pictures come from a list of them; {} where they lie in one folder."""
        root = self.recognised.pictures.root if self.recognised else None
        return root.folders if isinstance(root, Album) else {}

    # --- each picture is read once, as a training will read it, while nothing else does: which of them cannot be?

    def read_pictures(self) -> None:
        """Read them, from the beginning: what was read before is not read again."""
        self.stop_reading()
        if self.engine is None or self.recognised is None or self.runner.active:
            return
        op = partial(picture_operations.check_pictures, self.recognised, self.data_config())
        self._reading = jobs.run(
            op, self._take_readable, self._not_read, owner=self, progress=self.checking.emit, behind=True
        )

    def stop_reading(self) -> None:
        """A run reads the pictures itself, in the order in which it wants them: what is read by now stays."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
            self.checking.emit(None)

    def _read_on(self) -> None:
        if self.readable is None and self._reading is None:
            self.read_pictures()

    def _take_readable(self, index: "ImageIndex") -> None:
        self._reading, self.readable = None, index
        self.checking.emit(None)
        self.changed.emit(Change.READABLE)

    def _not_read(self, error: Exception) -> None:
        self._reading = None
        self.checking.emit(None)
        self._tell(error)

    # --- labels

    def use_labels(self, labels_file: str) -> None:
        """Take other labels for the open pictures; what was pretrained on them stays."""
        if self.folder is not None:
            roles = self.roles_wanted
            op = self._look_at(self.folder, labels_file, roles)
            then = partial(self._take_labels, self.folder, labels_file, roles)
            if self._labels_job is not None and self.taking_labels:
                self._labels_job.cancel()  # these are newer
            self._labels_job = jobs.run(op, then, self._tell, owner=self)

    def use_roles(self, roles: dict[str, str]) -> None:
        """Take folders, tables and columns for what a person says; what was pretrained on the pictures stays."""
        if self.folder is not None:
            op = self._look_at(self.folder, self.labels_file, roles)
            then = partial(self._take_roles, self.folder, roles)
            if self._labels_job is not None and self.taking_labels:
                self._labels_job.cancel()  # these are newer
            self._roles_to_come = roles
            self._labels_job = jobs.run(op, then, self._refuse_roles, owner=self)

    @property
    def roles_wanted(self) -> dict[str, str]:
        """What a person said last, whether or not the pictures have been looked at by it."""
        return self.roles if self._roles_to_come is None else self._roles_to_come

    def _take_roles(self, folder: Path, roles: dict[str, str], recognised: "Recognised") -> None:
        if folder != self.folder:
            return
        others = self.recognised is None or recognised.pictures.paths != self.recognised.pictures.paths
        self.roles, self.recognised, self._roles_to_come = roles, recognised, None
        if others:
            self.readable = None
        self.changed.emit(Change.PICTURES if self.readable is None else Change.PICTURES | Change.READABLE)
        if others:
            self.read_pictures()

    def _refuse_roles(self, error: Exception) -> None:
        self._roles_to_come = None
        self._tell(error)
        self.changed.emit(Change.PICTURES)  # what is shown is as it was

    @property
    def file_parts(self) -> dict[str, str]:
        """Which channels and pages of the files are the pictures, where that was chosen."""
        return {name: str(self.data_values[name]) for name in ("channels", "pages") if name in self.data_values}

    def choose_file_parts(self, channels: str, pages: str) -> bool:
        """Take other channels and pages of the open files for pictures; False where nothing changes, or not now."""
        chosen = {"channels": channels, "pages": pages}
        rest = {name: value for name, value in self.data_values.items() if name not in chosen}
        kept = {name: value for name, value in chosen.items() if value not in ("", "first")}
        if self.folder is None or {**rest, **kept} == self.data_values or not self.may_open():
            return False
        self.letting_go.emit()
        self.stop_reading()
        self.set_data({**rest, **kept})
        op = self._look_at(self.folder, self.labels_file, self.roles)
        self.begin_opening(op, self._take_file_parts)
        return True

    def _look_at(self, folder: Path, labels_file: str, roles: dict[str, str]) -> Callable[..., Any]:
        parts = self.file_parts
        channels, pages = parts.get("channels", ""), parts.get("pages", "first")
        return partial(picture_operations.look_at_folder, folder, labels_file, roles, channels=channels, pages=pages)

    def _take_file_parts(self, recognised: "Recognised") -> None:
        self.recognised, self.readable = recognised, None
        self.end_opening()
        self.changed.emit(Change.PICTURES)
        self.read_pictures()

    @property
    def taking_labels(self) -> bool:
        """Whether other labels were asked for and are not there yet."""
        return self._labels_job is not None and isValid(self._labels_job)

    def _take_labels(self, folder: Path, labels_file: str, roles: dict[str, str], recognised: "Recognised") -> None:
        if folder == self.folder:
            self.labels_file = labels_file
            if roles != self.roles:  # they were on their way when other labels were asked for
                self._take_roles(folder, roles, recognised)
                return
            self.recognised = recognised
            self.changed.emit(Change.PICTURES if self.readable is None else Change.PICTURES | Change.READABLE)

    def data_config(self) -> Any:
        """The engine's DataConfig of the open folder."""
        from sslstudio.engine.training.config import DataConfig

        values = {**self.data_values, "roles": Table(self.roles)}
        return DataConfig(folder=str(self.folder or ""), labels=self.labels_file, **values)

    def ask_comparison(self, kind: str) -> None:
        """Lead to the page of comparisons: compare or tournament."""
        self.comparison = kind
        self.wants_page.emit("compare")

    def ask_copies(self) -> None:
        """Lead to the near copies among the pictures."""
        self.wants_page_now.emit("images")
        self.wants_copies.emit()

    # --- the project

    def set_data(self, values: dict[str, Any]) -> None:
        """How the pictures are to be split, and their size."""
        if values != self.data_values:
            self.data_values = values
            self.changed.emit(Change.SPLIT)

    def keep_choices(self, page: str, values: dict[str, Any]) -> None:
        """What was chosen on a page, as far as it is not how the page begins."""
        if values != self.choices.get(page, {}):
            self.choices[page] = values
            self.changed.emit(Change.CHOICES)

    def _bring_back(self, opened: OpenedPictures) -> None:
        """Split, task and options of a project; with a new one, what a person has chosen before stays chosen."""
        project = opened.project
        self.data_values = dict(project.data)
        kept = self.choices if opened.new else project.choices
        self.choices = {page: dict(values) for page, values in kept.items()}
        if opened.new:  # but the kind of answer is a matter of the labels
            self.choices.get("finetune", {}).pop("kind", None)
        if project.task:
            self.task, self._task_chosen = project.task, True
        self._suggest_task()
        if self.engine is not None and not opened.new:
            self._bring_back_options(project)

    def _bring_back_options(self, project: Project) -> None:
        assert self.engine is not None
        if self.task not in self.engine.tasks:  # a task that this program does not have
            self._task_chosen = False
            self._suggest_task()
        self.options, wrong = project_operations.read_options(self.engine, project)
        for error in wrong:
            self._tell(error)

    def project_now(self) -> Project | None:
        """The project as it is to be saved; None while there is nothing to save."""
        if self.project is None:
            return None
        options = project_operations.collect_options(self.engine, self.options) if self.engine else self.project.options
        task = self.task if self._task_chosen else ""
        choices = {page: dict(values) for page, values in self.choices.items() if values}
        return replace(
            self.project,
            labels=self.labels_file,
            roles=self.roles,
            task=task,
            data=self.data_values,
            options=options,
            choices=choices,
        )

    # --- runs

    @property
    def runs_folder(self) -> Path:
        """Where runs on the open folder are kept."""
        return self.project.runs if self.project else app_settings.home() / project_operations.PROJECTS / SAMPLE / RUNS

    @property
    def all_runs(self) -> tuple[Path, ...]:
        """Where to look for them: older ones may be kept elsewhere."""
        return self.project.all_runs if self.project else (self.runs_folder,)

    def new_run(self, what: str) -> Path:
        """A folder for a new run, named after the time and what it does."""
        name = f"{time.strftime('%Y-%m-%d %H.%M.%S')} {what}"
        return free_path(self.runs_folder / name)

    def take_outcome(self, job: str, run: Path, outcome: str) -> None:
        """Remember a run that is over as the start of a fine-tuning, or as the result to look at."""
        if job == "pretrain":  # one that was stopped has weights too
            self.pretrained = run
        elif outcome == "finished":
            self.show_result(run)
        self.changed.emit(Change.RUNS)

    def forget_run(self, run: Path) -> None:
        """A run was thrown away: nothing starts from it, and it is no result to look at."""
        if self.pretrained == run:
            self.pretrained = None
        if self.result == run:
            self.result = None
            self.changed.emit(Change.RESULT)

    def show_result(self, run: Path) -> None:
        """Make a fine-tuning run the result that is looked at."""
        self.result = run
        self.changed.emit(Change.RESULT)

    def _tell(self, error: Exception) -> None:
        dialogs.tell_error(self.window, error)
