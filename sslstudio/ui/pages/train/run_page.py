"""What the two pages that train have in common: settings, the run, the queue and the list of earlier runs."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QPushButton, QStackedWidget, QWidget

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.projects.runs import runs_in
from sslstudio.engine.runs.queue import Waiting
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.forms.run_settings import RunSettings
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.page import Page
from sslstudio.ui.pages.train.activity import Activity
from sslstudio.ui.pages.train.queue_view import QueueView
from sslstudio.ui.pages.train.run_controller import RunController
from sslstudio.ui.pages.train.run_view import RunView
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.layout import EmptyState, Notice, button, column, retitle, row, side_panel, wrap_layout
from sslstudio.ui.widgets.run_list import RunList
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.compute.device import DeviceFound
    from sslstudio.engine.launch.launcher import start_run
else:
    start_run = jobs.late("sslstudio.engine.launch.launcher", "start_run")


PAUSED = ("stopped", "interrupted")  # ends of runs that can go on


class RunPage(Page):
    """Settings on the left, the run on the right."""

    job = ""

    def __init__(self, workspace: Workspace, title: str, subtitle: str) -> None:
        super().__init__(workspace, title, subtitle)
        self.settings: RunSettings | None = None
        self._filled = False
        self._folder = workspace.folder

    def build(self) -> Iterator[None]:
        """The run, the lists of runs, the faces, the settings."""
        self.view = self.make_view()
        self.view.setParent(self)  # until it has its place: the window may close before the page is whole
        yield
        self._add_faces()
        yield
        self._add_runs()
        yield
        self._add_buttons()
        self.add_own()
        yield
        if self.waiting_face(self.missing, self.loading) is None:
            yield from self._build_settings()
        self._listen()
        self.refresh()

    def _add_faces(self) -> None:
        self.sheet = column(gap=14)
        self.settings_place = column(gap=14)
        self.wrong = Notice()
        self.sheet.addWidget(self.wrong)
        self.sheet.addLayout(self.settings_place)
        self.sheet.addStretch(1)
        self.left = side_panel(self.sheet)
        wants = self.workspace.wants_page
        to_images = button(self.tr("Choose pictures"), lambda: wants.emit("images"), "primary", "images")
        missing = self.tr("Choose a folder first; then a training can start here.")
        self.missing = EmptyState("images", self.tr("No pictures yet"), missing, to_images)
        self.loading = EmptyState("network", self.tr("Loading…"), self.tr("The learning engine is being loaded."))
        self.work = wrap_layout(row(self.left, self.view, gap=18))
        self.faces = QStackedWidget()
        for face in (self.missing, self.loading, self.work):
            self.faces.addWidget(face)
        self.content.addWidget(self.faces, 1)

    def _add_runs(self) -> None:
        self.runs = RunList()
        self.queue_view = QueueView(self.workspace.queue)
        self.activity = Activity(self.queue_view, self.runs)
        self.view.tabs.addTab(self.activity, "")
        self.controller = RunController(self.job, self.workspace, self.view, self.runs, self)
        self.content.insertWidget(0, self.controller.bar)

    def _add_buttons(self) -> None:
        self.start = button(self.start_title(), self.start_run, "primary", "play")
        self.pause = button(self.tr("Pause"), self.toggle_pause, icon="pause")
        self.stop = button(self.tr("Stop…"), self.ask_stop, icon="stop")
        self.later = button(self.tr("Add to queue"), self.add_to_queue, icon="queue")
        self.forward = self.make_forward()
        self.end_with(self.start, self.pause, self.stop, self.later, None, self.forward)

    def _listen(self) -> None:
        workspace = self.workspace
        workspace.call_on(Change.ENGINE, self.refresh)
        workspace.call_on(Change.PICTURES, self._other_pictures)
        workspace.call_on(Change.RUNS, self.list_runs)
        workspace.queue.changed.connect(self._count_queue)
        workspace.queue.starting.connect(self._expect_queued)
        self.controller.changed.connect(self.offer)
        self.controller.listing_wanted.connect(self.list_runs)
        self._count_queue()

    # --- for the two pages to say

    def make_view(self) -> RunView:
        """What shows the run."""
        raise NotImplementedError

    def add_own(self) -> None:
        """What only one of the two pages has, besides settings."""

    def start_title(self) -> str:
        """What the start button says."""
        raise NotImplementedError

    def make_forward(self) -> QPushButton:
        """The button that leads on."""
        raise NotImplementedError

    def prepare_settings(self) -> None:
        """Settings of the page's own, before the common ones."""

    def make_settings(self) -> RunSettings:
        """The settings, once the engine is there."""
        raise NotImplementedError

    def link_settings(self, settings: RunSettings) -> None:
        """Tie them to what else is known of the pictures."""

    def config(self) -> Any:
        """The engine's config of the run that is set. Raises ConfigError."""
        raise NotImplementedError

    def command(self) -> object:
        """The run that is set."""
        return self.config() if self.settings is not None else None

    def expect(self, config: dict[str, Any]) -> None:
        """A run of this job with this config is about to start."""

    def show_pictures(self) -> None:
        """Other pictures were chosen, or the page is first shown with some."""

    def devices(self) -> tuple["DeviceFound", ...]:
        """What a run can be on."""
        return self.workspace.engine.devices if self.workspace.engine else ()

    # --- what is shown

    def refresh(self) -> None:
        """The face that fits: no pictures, no engine yet, or work."""
        waiting = self.waiting_face(self.missing, self.loading)
        if waiting is not None:
            self.faces.setCurrentWidget(waiting)
        else:
            self._ready()
        self.offer()

    def _build_settings(self) -> Iterator[None]:
        self.prepare_settings()
        yield
        self.settings = self.make_settings()
        yield
        self.link_settings(self.settings)
        yield
        self.settings_place.addWidget(self.settings)
        yield

    def _ready(self) -> None:
        if self.settings is None:
            for _ in self._build_settings():
                pass
        if not self._filled:
            self._filled = True
            self.show_pictures()
            self.list_runs()
        self.faces.setCurrentWidget(self.work)

    def _other_pictures(self) -> None:
        self.refresh()
        if self.settings is not None:
            if self.workspace.folder != self._folder and not self.workspace.runner.active:  # not for other labels alone
                self.view.clear()
            self._folder = self.workspace.folder
            self.show_pictures()
            self.list_runs()

    def offer(self) -> None:
        """Enable what can be done now."""
        runner = self.workspace.runner
        ours = runner.active and runner.job == self.job
        working = self.faces.currentWidget() is self.work
        self.start.setVisible(not ours)
        missing = "" if working else self.tr("Choose pictures first.")
        if not missing and self.workspace.engine is None:
            missing = self.tr("The learning engine is being loaded.")
        busy = self.tr("Another training goes on. “Add to queue” starts this one after it.") if runner.active else ""
        offer(self.start, unless=missing or busy)
        self.pause.setVisible(ours and not self.controller.following)
        retitle(self.pause, self.tr("Go on") if runner.paused else self.tr("Pause"))
        tint(self.pause, "play" if runner.paused else "pause")
        saving = self.tr("It is being saved.") if runner.stopping else ""
        offer(self.pause, unless=saving)
        self.stop.setVisible(ours)
        retitle(self.stop, self.tr("Stop watching") if self.controller.following else self.tr("Stop and save"))
        offer(self.stop, unless=saving)
        self.left.setEnabled(working)
        offer(self.later, unless=missing)
        self.runs.set_busy(runner.active)
        for one in (self.forward, self.copy):
            offer(one, unless=missing)
        self.lead_on(bool(self.view.outcome) and not runner.active)

    def lead_on(self, done: bool) -> None:
        """One primary button: start before a run, the next step after it."""
        for one, role, icon in ((self.start, not done, "play"), (self.forward, done, "next")):
            set_role(one, "primary" if role else "plain")
            tint(one, icon, "accent_text" if role else "text")

    # --- runs

    def start_run(self) -> None:
        """Start what is set; what is wrong with it is said beside the settings."""
        from sslstudio.engine.training.config import config_dict

        if self.settings is None or self.workspace.runner.active:
            return
        try:
            config = self.config()
        except StudioError as error:
            self.wrong.say(str(error))
            return
        self.wrong.say("")
        self.expect(config_dict(self.job, config))
        self.workspace.runner.start(self.job, partial(start_run, config, apart=app_settings.apart(), restarts=0))

    def toggle_pause(self) -> None:
        """Pause the run or go on with it."""
        self.controller.toggle_pause()

    def ask_stop(self) -> None:
        """Ask what is to become of the run, and stop it."""
        self.controller.ask_stop()

    def open_run(self, run: Path) -> None:
        """Show the record of an earlier run."""
        self.controller.open(run)

    def resume_run(self, run: Path) -> None:
        """Go on with an earlier run."""
        self.controller.resume(run)

    # --- the queue

    def add_to_queue(self) -> None:
        """Put what is set at the end of the queue; what is wrong with it is said beside the settings."""
        if self.settings is None:
            return
        try:
            config = self.config()
        except StudioError as error:
            self.wrong.say(str(error))
            return
        self.wrong.say("")
        self.workspace.queue.add(self.job, run_operations.name_run(config), config)

    def _count_queue(self) -> None:
        count, tabs = len(self.workspace.queue.runs), self.view.tabs
        said = self.tr("Runs ({0})").format(count) if count else self.tr("Runs")
        tabs.setTabText(tabs.indexOf(self.activity), said)
        waiting = self.tr("{0} waiting in the queue").format(count) if count else ""
        tabs.setTabToolTip(tabs.indexOf(self.activity), waiting)
        self.activity.suit()

    def _expect_queued(self, waiting: Waiting) -> None:
        if waiting.job == self.job:
            self.expect(waiting.config)

    # --- earlier runs

    def list_runs(self) -> None:
        """Look for the runs on these pictures."""
        op = jobs.without_control(runs_in, self.workspace.all_runs)
        jobs.run(op, self.show_runs, self.tell_listing_error, owner=self)

    def tell_listing_error(self, error: Exception) -> None:
        """Say that the runs could not be looked for."""
        dialogs.tell_error(self, error)

    def show_runs(self, runs: list[Any]) -> None:
        """List the runs of this job."""
        own = [run for run in runs if run.job in (self.job, "?")]
        self.runs.show_runs(own)
        free = self.view.run is None and not self.view.outcome and not self.workspace.runner.active
        newest = own[0] if own and own[0].outcome in PAUSED else None
        if free:
            self.view.offer_paused(newest)

    def finish(self) -> None:
        """The window closes: what was discarded goes for good."""
        self.controller.finish()
        super().finish()

    def place_on_top(self, widget: QWidget) -> None:
        """Put settings of the page's own above the common ones."""
        self.sheet.insertWidget(1, widget)
