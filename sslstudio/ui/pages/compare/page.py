"""Whole trainings beside each other: how many labels a pretraining is worth, and which task wins in a given time."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QBuffer
from PySide6.QtGui import QGuiApplication, QImage, QImageWriter
from PySide6.QtWidgets import QStackedWidget, QTabWidget

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import Event
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.experiments.tables import csv_of, save_table
from sslstudio.engine.runs.experiment_folder import COMPARE, CURVE, experiment_job, sheet_of
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.pages.compare.label_efficiency_tab import EfficiencyTab
from sslstudio.ui.pages.compare.tab import ExperimentTab
from sslstudio.ui.pages.compare.tournament_tab import TournamentTab
from sslstudio.ui.pages.page import Page
from sslstudio.ui.text.formatting import tr
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import ExportButton, offer
from sslstudio.ui.widgets.layout import EmptyState, button, retitle
from sslstudio.ui.workspace.clinic import clinic_of
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.experiments.catalogue import run_experiment
else:
    run_experiment = jobs.late("sslstudio.engine.experiments.catalogue", "run_experiment")

JOB = "compare"  # the name of this page; both kinds of run bear it


class ComparePage(Page):
    """Two tabs, one row of buttons for the one that is shown."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            workspace, self.tr("Compare"),
            self.tr("Which task suits these pictures best, and how many labels is it worth? Measured, not guessed."),
        )  # fmt: skip
        self.clinic = clinic_of(workspace)
        self._running: ExperimentTab | None = None
        # An earlier one that was asked for, whether to go on with it, and the pictures that were open then.
        self._awaited: tuple[Path, bool, Path | None] | None = None

    def build(self) -> Iterator[None]:
        """The faces, and each of the two tabs with its settings."""
        self._add_faces()
        self._add_buttons()
        yield
        self.efficiency = EfficiencyTab(self.workspace, self.clinic)
        self.tabs.addTab(self.efficiency, self.tr("Label efficiency"))
        yield
        self.tournament = TournamentTab(self.workspace, self.clinic)
        self.tabs.addTab(self.tournament, self.tr("Tournament"))
        yield
        self.kinds: tuple[ExperimentTab, ExperimentTab] = (self.efficiency, self.tournament)
        if self.waiting_face(self.missing, self.loading) is None:
            for kind in self.kinds:
                yield from kind.build_settings()
        self._listen()
        self.refresh()

    def _add_faces(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        wants = self.workspace.wants_page
        to_images = button(self.tr("Choose pictures"), lambda: wants.emit("images"), "primary", "images")
        missing = self.tr("Choose a folder first; then tasks can be compared on its pictures.")
        self.missing = EmptyState("images", self.tr("No pictures yet"), missing, to_images)
        self.loading = EmptyState("network", self.tr("Loading…"), self.tr("The learning engine is being loaded."))
        self.faces = QStackedWidget()
        for face in (self.missing, self.loading, self.tabs):
            self.faces.addWidget(face)
        self.content.addWidget(self.faces, 1)

    def _add_buttons(self) -> None:
        self.start = button("", self.start_run, "primary", "play")
        self.pause = button(self.tr("Pause"), self.toggle_pause, icon="pause")
        self.stop = button(self.tr("Stop and save"), self.stop_run, icon="stop")
        self.new = button(self.tr("Begin a new one"), lambda: self.current.begin_new(), icon="refresh")
        self.export = ExportButton(
            self.tr("Take along"),
            {
                self.tr("Copy the table as text (Markdown)"): self.copy_sheet,
                self.tr("Copy the table for a spreadsheet (CSV)"): self.copy_csv,
                self.tr("Copy the curve as a picture"): self.copy_picture,
                self.tr("Save the table…"): self.save_table,
                self.tr("Save the curve…"): self.save_picture,
            },
        )
        self.forward = button("", self.finetune_with, icon="next")
        self.end_with(self.start, self.pause, self.stop, self.new, None, self.export, self.forward)

    def _listen(self) -> None:
        runner, workspace = self.workspace.runner, self.workspace
        runner.started.connect(lambda _: self.offer())
        runner.events.connect(self._take)
        runner.failed.connect(self._show_failure)
        runner.ended.connect(self._show_end)
        workspace.call_on(Change.ENGINE, self.refresh)
        workspace.call_on(Change.PICTURES, self._other_pictures)
        self.tabs.currentChanged.connect(lambda _: self.offer())
        for kind in self.kinds:
            kind.changed.connect(self.offer)

    def arrive(self) -> None:
        """Show the tab that another page asked for."""
        if self.workspace.comparison:
            self.show_kind(self.workspace.comparison)
            self.workspace.comparison = ""

    def show_kind(self, job: str) -> None:
        """Label efficiency or tournament."""
        self.tabs.setCurrentWidget(next(kind for kind in self.kinds if kind.job == job))

    @property
    def current(self) -> ExperimentTab:
        """The tab that is shown."""
        return self.kinds[self.tabs.currentIndex()]

    # --- what is shown

    def refresh(self) -> None:
        """The face that fits: no pictures, no engine yet, or work."""
        waiting = self.waiting_face(self.missing, self.loading)
        if waiting is not None:
            self.faces.setCurrentWidget(waiting)
        else:
            self.faces.setCurrentWidget(self.tabs)
            for kind in self.kinds:
                kind.ready()
            self._open_awaited()
        self.offer()

    def _other_pictures(self) -> None:
        for kind in self.kinds:
            kind.other_pictures()
        self.refresh()

    def offer(self) -> None:
        """Enable what can be done now."""
        runner, current = self.workspace.runner, self.current
        ours = runner.active and runner.job == JOB
        efficient = current is self.efficiency
        working = self.faces.currentWidget() is self.tabs
        self.footer.setVisible(working)
        retitle(self.start, self.tr("Go on with it") if current.out else current.start_title())
        self.start.setVisible(not ours)
        done = current.is_complete()
        busy = self.tr("Wait until the training that goes on has ended.") if runner.active else ""
        missing = "" if working else self.tr("Choose pictures first.")
        offer(self.start, unless=missing or busy or (current.over_words() if done else ""))
        self.pause.setVisible(ours)
        retitle(self.pause, self.tr("Go on") if runner.paused else self.tr("Pause"))
        tint(self.pause, "play" if runner.paused else "pause")
        self.stop.setVisible(ours)
        for one in (self.pause, self.stop):
            offer(one, unless=self.tr("It is being saved.") if runner.stopping else "")
        self.new.setVisible(current.out is not None and not ours)
        for kind in self.kinds:
            kind.left.setEnabled(not (ours and kind is self._running))
            kind.earlier.set_busy(runner.active)
        shown = bool(current.view.table) and current.view.out is not None
        offer(self.export, unless="" if shown else self.tr("There is no table yet: start it first."))
        retitle(
            self.forward,
            self.tr("Fine-tune with the chosen row") if efficient else self.tr("Fine-tune with the winner"),
        )
        none = self.tr("Choose a row of the table first.") if efficient else self.tr("There is no winner yet.")
        offer(self.forward, unless=busy or ("" if current.encoder_run() is not None else none))
        leads_on = done and self.forward.isEnabled()
        set_role(self.forward, "primary" if leads_on else "plain")
        tint(self.forward, "next", "accent_text" if leads_on else "text")

    # --- runs

    def open_run(self, path: Path) -> None:
        """Show an earlier comparison or tournament on the open pictures."""
        self._open(path, go_on=False)

    def resume_run(self, path: Path) -> None:
        """Show it and go on with it, as it was set."""
        self._open(path, go_on=True)

    def _open(self, path: Path, *, go_on: bool) -> None:
        self.show_kind(experiment_job(path))
        self._awaited = (path, go_on, self.workspace.folder)
        self._open_awaited()

    def _open_awaited(self) -> None:
        """Once there are the settings; other pictures that were opened meanwhile go first."""
        if self._awaited is None or self.current.settings is None:
            return
        (path, go_on, folder), self._awaited = self._awaited, None
        if folder == self.workspace.folder:
            self.current.open_experiment(path, partial(self._begin, self.current) if go_on else None)

    def start_run(self) -> None:
        """Start what is set, or go on with what is shown."""
        config = None if self.workspace.runner.active else self.current.check_config()
        refused = self.current.refusal()
        if refused and self.current.settings is not None:
            self.current.settings.wrong.say(refused)
        elif config is not None:
            self._begin(self.current, config)

    def _begin(self, tab: ExperimentTab, config: Any) -> None:
        tab.view.clear()
        tab.out, self._running = Path(config.out), tab
        tab.view.out = tab.out
        tab.view.tabs.setCurrentIndex(0)
        self.workspace.runner.start(JOB, partial(run_experiment, config))

    def stop_run(self) -> None:
        """Stop, and answer at once: the run inside saves itself first, which takes a step."""
        self.workspace.runner.stop()
        if self._running is not None:
            self._running.view.say_stopping()
        self.offer()

    def toggle_pause(self) -> None:
        """Pause or go on, and say so on the button."""
        self.workspace.runner.toggle_pause()
        self.offer()

    def _take(self, job: str, events: list[Event]) -> None:
        if job == JOB and self._running is not None:
            self._running.view.take(events)

    def _show_failure(self, job: str, error: Exception) -> None:
        if job == JOB and self._running is not None:
            self._running.view.fail(dialogs.error_text(error))
            if not isinstance(error, StudioError):
                dialogs.tell_error_soon(self, error)

    def _show_end(self, job: str) -> None:
        if job == JOB and self._running is not None:
            tab, self._running = self._running, None
            tab.list_experiments()
            tab.ask_estimate()
            self.workspace.changed.emit(Change.RUNS)
        self.offer()

    def finetune_with(self) -> None:
        """Make a pretraining the start of a fine-tuning."""
        run = self.current.encoder_run()
        if run is not None:
            self.workspace.take_outcome("pretrain", run, "finished")
            self.workspace.wants_page.emit("finetune")

    # --- taking along

    def command(self) -> object:
        """The comparison, or the tournament, that is set."""
        return self.current.check_config()

    def copy_sheet(self) -> None:
        """Put the table on the clipboard as Markdown."""
        tab = self.current
        if tab.view.out is not None:
            out, job = tab.view.out, tab.job
            copied = self.tr("The table is on the clipboard.")
            jobs.run(
                lambda _: sheet_of(out, job), lambda said: self._copy(said, copied), partial(dialogs.tell_error, self),
                owner=self,
            )  # fmt: skip

    def copy_csv(self) -> None:
        """Put the table on the clipboard as CSV."""
        tab = self.current
        self._copy(csv_of(tab.view.table, tab.job), self.tr("The table is on the clipboard."))

    def copy_picture(self) -> None:
        """Put the curve on the clipboard; a tournament has none, and there the window's table is taken."""
        QGuiApplication.clipboard().setImage(self._picture())
        self.workspace.said.emit(self.tr("The picture is on the clipboard."))

    def save_table(self) -> None:
        """Write the table into a file of the user's choice, CSV or Markdown by its ending."""
        tab = self.current
        kinds = self.tr("CSV (*.csv);;Markdown (*.md)")
        file = dialogs.choose_new_file(self, self.tr("Save the table"), kinds, app_settings.home() / f"{tab.job}.csv")
        if file is not None and tab.view.out is not None:
            out, job, table = tab.view.out, tab.job, tab.view.table
            jobs.run(
                lambda _: save_table(file, out, job, table), lambda _: self._say_saved(file),
                partial(dialogs.tell_error, self), owner=self,
            )  # fmt: skip

    def _say_saved(self, file: Path) -> None:
        self.workspace.said.emit(self.tr("Saved: {0}").format(file))

    def save_picture(self) -> None:
        """Write the curve into a file of the user's choice."""
        file = dialogs.choose_new_file(
            self, self.tr("Save the picture"), "PNG (*.png)", app_settings.home() / f"{self.current.job}.png"
        )
        if file is not None:
            op = jobs.without_control(_save_picture, file, self._picture())
            jobs.run(op, self._say_saved, partial(dialogs.tell_error, self), owner=self)

    def _picture(self) -> QImage:
        view = self.current.view
        if self.current.job == COMPARE and view.out is not None and (view.out / CURVE).exists():
            return QImage(str(view.out / CURVE))
        return view.tabs.grab().toImage()

    def _copy(self, said: str, told: str) -> None:
        QGuiApplication.clipboard().setText(said)
        self.workspace.said.emit(told)


def _save_picture(file: Path, picture: QImage) -> Path:
    """Write a picture, and give its place back. Raises StudioError when the disk does not take it."""
    content = QBuffer()
    content.open(QBuffer.OpenModeFlag.WriteOnly)
    kind = file.suffix.removeprefix(".") or "png"
    if not QImageWriter(content, kind.encode()).write(picture):
        raise StudioError(tr("{0} cannot be written. Try another folder.").format(file))
    write_atomic(file, bytes(content.data().data()))
    return file
