"""Brings puzzles to the table: asks the engine for rounds, finds networks to play against, says what is missing."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.projects.runs import runs_in
from sslstudio.engine.runs.run_folder import RunSummary
from sslstudio.ui.background import jobs
from sslstudio.ui.pages.puzzles.play_view import Network, PlayView
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.job_row import BusyState
from sslstudio.ui.widgets.layout import make_scrollable
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:
    from sslstudio.engine.pretraining.play import Round, play_round
else:
    play_round = jobs.late("sslstudio.engine.pretraining.play", "play_round")

GAMES = 8  # in a round
NOBODY = ""


class PlayTab(QWidget):
    """The puzzles of the chosen task, played. Nothing is asked of the engine before it is first seen."""

    def __init__(self, workspace: Workspace, config: Callable[[], Any]) -> None:
        super().__init__()
        self._workspace, self._config = workspace, config
        self._jobs: list[jobs.Job] = []
        self._draw = 0
        self._run: str | None = None  # None: not chosen yet, the newest run of the task is taken
        self._stale = True
        self.view = PlayView()
        self.view.more_wanted.connect(self._more)
        self.view.other_network.connect(self._other_network)
        self.told = BusyState("puzzle", self.tr("Making puzzles…"), self.stop, self._go_on)
        self.faces = QStackedWidget()
        self.faces.addWidget(self.told)
        self.faces.addWidget(make_scrollable(self.view))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.faces)
        workspace.call_on(Change.RUNS, self.begin_anew)

    def begin_anew(self) -> None:
        """Another task, other options or pictures: everything on the table is old."""
        self._stale, self._run, self._draw = True, None, 0
        self._let_go()
        self._say(self.tr("Making puzzles…"), "")
        if self.isVisible():
            self._begin()

    def showEvent(self, event: QShowEvent) -> None:
        """Deal the first round once somebody looks."""
        super().showEvent(event)
        if self._stale:
            self._begin()

    def _let_go(self) -> None:
        for job in self._jobs:
            job.cancel()
        self._jobs = []

    def stop(self) -> None:
        """Make no puzzles now."""
        self._let_go()
        self.told.show_stop(self.tr("No puzzles were made"))

    def _go_on(self) -> None:
        if self._run is None:
            self._begin()
        else:
            self._wait()
            self._deal()

    def _begin(self) -> None:
        if self._workspace.recognised is None or self._workspace.engine is None:
            self._say(self.tr("No pictures yet"), self.tr("Choose a folder first; then its puzzles can be played."))
            return
        self._stale = False
        self._wait()
        self._ask(jobs.without_control(runs_in, self._workspace.all_runs), self._take_runs)

    def _take_runs(self, runs: list[RunSummary]) -> None:
        task = self._workspace.task
        usable = [run for run in runs if run.task == task and (run.path / "last.safetensors").exists()]
        networks = [Network(self.tr("nobody"), NOBODY)]
        networks += [
            Network(
                self.tr("{0}, step {1}").format(formatting.when_of(run.path.name), formatting.count(run.step)),
                str(run.path),
            )
            for run in usable
        ]
        self._run = networks[1].run if usable else NOBODY
        self.view.show_networks(networks, self._run)
        self.view.forget_score()
        self._deal()

    def _other_network(self, run: str) -> None:
        self._run, self._draw = run, 0
        self.view.forget_score()
        self._deal()

    def _more(self) -> None:
        self._draw += 1
        self._deal()

    def _deal(self) -> None:
        run = Path(self._run) if self._run else None
        op = partial(play_round, self._config(), run, GAMES, self._draw)
        self._ask(op, self._take_round)

    def _wait(self) -> None:
        self.told.wait(self.tr("Making puzzles…"))
        self.faces.setCurrentIndex(0)

    def _ask(self, op: Callable[..., Any], then: Callable[[Any], None]) -> None:
        self._jobs = [jobs.run(op, then, self._refuse, owner=self, progress=self._progress)]

    def _progress(self, said: Preparing) -> None:
        # Once all pictures are read, the next puzzles come at once: those that are there stay on the table till then.
        if said.done < said.total or self.faces.currentIndex() == 0:
            self.told.busy.show_progress(said)
            self.faces.setCurrentIndex(0)

    def _take_round(self, dealt: "Round") -> None:
        if dealt.games:
            self.view.show_games(list(dealt.games), dealt.step)
            self.faces.setCurrentIndex(1)
        else:
            self._say(self.tr("Nobody can play this one"), dealt.why)

    def _refuse(self, error: Exception) -> None:
        self._say(self.tr("There is nothing to play"), dialogs.error_text(error))
        if not isinstance(error, StudioError):
            dialogs.tell_error(self, error)

    def _say(self, heading: str, explanation: str) -> None:
        self.told.say(heading, explanation)
        self.faces.setCurrentIndex(0)
