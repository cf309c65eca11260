"""Follows the runs of a page that trains: the one that goes on here or in another process, and the records of earlier
ones; stops it, goes on with it, throws it away and brings it back."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFrame, QWidget

from sslstudio.engine.core.errors import StudioError, TrainerDied
from sslstudio.engine.core.events import Event, RunStarted
from sslstudio.engine.runs import trash
from sslstudio.engine.runs.follow import follow
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.runs.run_name import rename_run
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.train.run_view import RunView
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.layout import button, row, symbol, text
from sslstudio.ui.widgets.run_list import RunList
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:
    from sslstudio.engine.launch.launcher import resume_run
    from sslstudio.engine.verdicts.ladder import Ladder
else:
    resume_run = jobs.late("sslstudio.engine.launch.launcher", "resume_run")

DEATHS = 3  # of a run after which its page offers no further start
BEST, LAST, DISCARD = "best", "last", "discard"


class RunController(QObject):
    """Between the runner and the view of one page. All records are read off the UI thread.

    `changed`: what can be done with the run; `listing_wanted`: there may be other runs than are listed. `bar` is shown
    while there is a discarded run to bring back, until the window closes.
    """

    changed = Signal()
    listing_wanted = Signal()

    def __init__(self, job: str, workspace: Workspace, view: RunView, runs: RunList, owner: QWidget) -> None:
        super().__init__(owner)
        self._job, self._workspace, self._runner = job, workspace, workspace.runner
        self._view, self._runs, self._owner = view, runs, owner
        self._going_on = False  # the run that starts next goes on with the one that is shown
        self.following = False  # the run that is shown is another process's
        self._wanted = LAST  # what is to become of the run that is being stopped
        self._discarded: list[Path] = []
        self._deaths: dict[str, int] = {}  # run -> how often its process died
        self._add_bar()
        self._runner.started.connect(self._show_start)
        self._runner.events.connect(self._take)
        self._runner.failed.connect(self._show_failure)
        self._runner.ended.connect(self._show_end)
        workspace.cannot.connect(self._warn)
        runs.opened.connect(self.open)
        runs.resumed.connect(self.resume)
        runs.ticked.connect(self.show_earlier_curves)
        runs.renamed.connect(self.rename)
        runs.removed.connect(self.discard)
        view.resumed.connect(self.resume)
        view.given_up.connect(self._runner.end_process)

    def _add_bar(self) -> None:
        self.bar = QFrame()
        self.bar.setObjectName("notice")
        self.bar.setProperty("sign", "info")
        self.told = text("")
        self.undo = button(self.tr("Bring it back"), self.bring_back, icon="refresh")
        line = row(symbol("info", "accent", 22), (self.told, 1), self.undo, gap=12)
        line.setContentsMargins(14, 6, 8, 6)
        self.bar.setLayout(line)
        self.bar.hide()

    # --- the run that goes on

    def _show_start(self, job: str) -> None:
        if job == self._job:
            if not self._going_on:
                self._view.clear()
            self._going_on = False
            self._view.outcome = ""
            self._view.show_curves()
        self.changed.emit()

    def _take(self, job: str, events: list[Event]) -> None:
        """Show what happened. A followed run that was cut back to its last saved state is read anew."""
        if job != self._job:
            return
        starts = [place for place, one in enumerate(events) if isinstance(one, RunStarted) and not one.first_step]
        if self.following and starts:
            self._view.clear()
            events = events[starts[0] :]
        self._view.take(events)

    def _warn(self, sentence: str) -> None:
        if self._runner.job == self._job:
            self._view.add_note(sentence, warning=True)

    def _show_failure(self, job: str, error: Exception) -> None:
        if job == self._job:
            if isinstance(error, TrainerDied) and error.saved:
                self._show_death(error)
                return
            self._view.fail(dialogs.error_text(error))
            if not isinstance(error, StudioError):
                dialogs.tell_error_soon(self._owner, error)

    def _show_death(self, error: TrainerDied) -> None:
        """Offer to go on from the last checkpoint, so many times; then say what to try."""
        times = self._deaths[error.run] = self._deaths.get(error.run, 0) + 1
        said = dialogs.error_text(error)
        if times <= DEATHS:
            self._view.fail(said, go_on=Path(error.run))
            return
        advice = self.tr(
            "Its process has ended so {0} times. Before you go on with it from the list of runs, take a smaller batch "
            "or smaller pictures, close other programs, choose another device, or renew the driver."
        )
        self._view.fail(f"{said} {advice.format(formatting.count(times))}")

    def _show_end(self, job: str) -> None:
        run, outcome = self._view.run, self._view.outcome
        if job == self._job:
            self.following = False
        if job == self._job and self._settle() and run and outcome in ("finished", "stopped"):
            self._workspace.take_outcome(job, run, outcome)
            self._sum_up()
        else:
            self.listing_wanted.emit()
        self.changed.emit()

    def toggle_pause(self) -> None:
        """Pause or go on."""
        self._runner.toggle_pause()
        self.changed.emit()

    # --- records

    def open(self, run: Path) -> None:
        """Show the record of an earlier run; one that another process writes is followed as it goes."""
        if self._runs.goes_on(run) and not self._runner.active:
            self.following = True
            self._runner.start(self._job, partial(follow, run))
            return
        jobs.run(partial(run_operations.read_events, run), self._replay, self._tell_error, owner=self)

    def _replay(self, events: list[Event]) -> None:
        if not self._runner.active:
            self._show(events)
            if self._view.run is not None and self._view.outcome:
                self._workspace.take_outcome(self._job, self._view.run, self._view.outcome)
            self.changed.emit()

    def resume(self, run: Path) -> None:
        """Go on with an earlier run; its record up to here is shown first."""
        jobs.run(partial(run_operations.read_events, run), partial(self._go_on, run), self._tell_error, owner=self)

    def _go_on(self, run: Path, events: list[Event]) -> None:
        if not self._runner.active:
            self._show(events)
            self._going_on = True
            self._runner.start(self._job, partial(resume_run, run, apart=app_settings.apart(), restarts=0))

    def _show(self, events: list[Event]) -> None:
        self._view.clear()
        self._view.take(events)
        self._view.show_curves()
        self._sum_up()

    def _sum_up(self) -> None:
        """Say in a sentence what became of the run that is shown."""
        run = self._view.run
        if run is not None and run.is_dir():
            jobs.run(partial(run_operations.summarise_run, run), self._view.tell, self._tell_error, owner=self)
            judged = partial(self._show_verdict, run)
            jobs.run(partial(run_operations.judge_run, run), judged, self._tell_error, owner=self)

    def _show_verdict(self, run: Path, ladder: "Ladder | None") -> None:
        if run == self._view.run:  # another one may be shown by now
            self._view.show_verdict(ladder)

    def show_earlier_curves(self, runs: list[Path]) -> None:
        """Draw the curves of these runs over those of the run that is shown, and of no others."""
        jobs.run(partial(run_operations.read_events_of, runs), self._show_curves, self._tell_error, owner=self)

    def _show_curves(self, found: dict[Path, list[Event]]) -> None:
        self._view.curves.show_earlier({self._runs.title_of(run): events for run, events in found.items()})

    def _tell_error(self, error: Exception) -> None:
        dialogs.tell_error(self._owner, error)

    # --- stopping: which of its weights others start from, or whether it is thrown away

    def ask_stop(self) -> None:
        """Ask what is to become of the run that goes on, and stop it; nothing if it is to go on."""
        if not self._runner.active or self._runner.stopping:
            return
        run = self._view.run
        if run is None:  # still reading pictures: there is nothing to keep
            self._runner.stop()
            return
        answers = {LAST: self.tr("Keep the last state"), DISCARD: self.tr("Discard the run")}
        if self._runner.job == "pretrain" and (run / "best.safetensors").exists():
            answers = {BEST: self.tr("Keep the best state"), **answers}
        question = self.tr(
            "What is to become of this run? What is kept can go on later; fine-tuning starts from the state that is "
            "chosen here."
        )
        chosen = dialogs.choose(self._owner, question, answers, self.tr("Go on training"))
        if chosen and (chosen != DISCARD or self._sure()):
            self._wanted = chosen
            self._runner.stop()

    def _sure(self) -> bool:
        return dialogs.ask(
            self._owner, self.tr("Discard all that this run has learnt? It can be brought back until the window is "
                                 "closed."),
            self.tr("Discard"), self.tr("Keep it"),
        )  # fmt: skip

    def _settle(self) -> bool:
        """The run has ended: do what was chosen. Whether it is kept."""
        wanted, self._wanted = self._wanted, LAST
        run = self._view.run
        if run is None or self._view.outcome != "stopped":  # it was finished before the question was answered
            return True
        if wanted == DISCARD:
            jobs.run(jobs.without_control(trash.set_aside, run), self._show_discarding, self._tell_error, owner=self)
            return False
        if self._runner.job == "pretrain":
            op = jobs.without_control(_use_weights, run, wanted)
            jobs.run(op, lambda _: None, self._tell_error, owner=self)
        return True

    def _show_discarding(self, place: Path) -> None:
        self._discarded.append(place)
        self.told.setText(self.tr("Discarded: {0}").format(place.name))
        self.bar.show()
        self._workspace.changed.emit(Change.RUNS)

    def rename(self, run: Path, name: str) -> None:
        """Call an earlier run something else."""
        op = jobs.without_control(rename_run, run, name)
        jobs.run(op, lambda _: self._workspace.changed.emit(Change.RUNS), self._tell_error, owner=self)

    def discard(self, run: Path) -> None:
        """Throw an earlier run away; it can be brought back until the window closes."""
        if self._runner.active and self._view.run == run:
            return
        if self._view.run == run:
            self._view.clear()
        jobs.run(jobs.without_control(trash.set_aside, run), self._show_discarding, self._tell_error, owner=self)
        self._workspace.forget_run(run)
        self.changed.emit()

    def bring_back(self) -> None:
        """Undo the last discarding."""
        if self._discarded:
            op = jobs.without_control(trash.bring_back, self._discarded.pop())
            jobs.run(op, self._open_again, self._tell_error, owner=self)
        self.bar.setVisible(bool(self._discarded))
        if self._discarded:
            self.told.setText(self.tr("Discarded: {0}").format(self._discarded[-1].name))

    def _open_again(self, run: Path) -> None:
        self._workspace.changed.emit(Change.RUNS)
        self.open(run)

    def finish(self) -> None:
        """The window closes: what was discarded goes for good."""
        for place in self._discarded:
            trash.remove(place)
        self._discarded = []


def _use_weights(run: Path, which: str) -> None:
    RunFolder.open(run).use_weights(which)
