"""The tab of tournaments: which task is best in the time there is?"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.engine.runs.experiment_folder import TOURNAMENT
from sslstudio.ui.background import jobs
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.compare import words as experiment_words
from sslstudio.ui.pages.compare.experiment_settings import ExperimentSettings
from sslstudio.ui.pages.compare.experiment_view import TournamentView
from sslstudio.ui.pages.compare.tab import ExperimentTab
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.clinic import ClinicController
from sslstudio.ui.workspace.workspace import Workspace

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.experiments.config import ExperimentConfig


class TournamentTab(ExperimentTab):
    """Which task is best in the time there is?"""

    job = TOURNAMENT
    adds = False
    top = ("minutes",)
    more = ("pretrain_settings",)

    def __init__(self, workspace: Workspace, clinic: ClinicController) -> None:
        self.shown = TournamentView()
        self._problem = ""
        super().__init__(workspace, self.shown, clinic)

    def default_config(self) -> "ExperimentConfig":
        """A tournament."""
        from sslstudio.engine.experiments.tournament_config import TournamentConfig

        return TournamentConfig()

    def suggest_tasks(self) -> list[str]:
        """Suggest every task that suits."""
        assert self.workspace.engine is not None
        return list(self.workspace.engine.tasks)

    def start_title(self) -> str:
        """What the start button says."""
        return self.tr("Start the tournament")

    def is_complete(self) -> bool:
        """Whether it has a winner: nothing can be added then."""
        return self.out is not None and self.encoder_run() is not None

    def over_words(self) -> str:
        """What is said then."""
        return self.tr("It is over. Begin a new one for other tasks or more time.")

    def estimate(self, config: Any, settings: ExperimentSettings) -> None:
        """The rounds and their minutes follow from the settings."""
        from sslstudio.engine.experiments.tournament_config import schedule

        planned = schedule(len(config.task_names()), config.minutes)
        over = self.is_complete()
        settings.estimate.setText(self.over_words() if over else experiment_words.schedule_words(planned))
        self._problem = ""
        if not over:
            op = partial(run_operations.find_rank_problem, config, self.workspace.all_runs)
            self._job = jobs.run(op, self._refuse, partial(dialogs.tell_error, self), owner=self)
        if over and not self.view.outcome:  # one that was opened
            runs = sum(runs for runs, _ in planned)
            self.view.show_stand(runs, runs)

    def _refuse(self, problem: str) -> None:
        """It could not rank: say so before it starts."""
        self._job, self._problem = None, formatting.render(problem)
        if self.settings is not None and problem:
            self.settings.wrong.say(self._problem)

    def refusal(self) -> str:
        """Why what is set is not to be started; '' where it may be."""
        return self._problem

    def encoder_run(self) -> Path | None:
        """The winner's own run."""
        table = self.shown.tournament
        return Path(table["winner_run"]) if table is not None and table["winner_run"] else None
