"""The tab of tournaments: which task is best in the time there is?"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.engine.runs.experiment_folder import TOURNAMENT
from sslstudio.ui.background import jobs
from sslstudio.ui.background.runner import Factory
from sslstudio.ui.pages.compare import words as experiment_words
from sslstudio.ui.pages.compare.experiment_settings import ExperimentSettings, TournamentSettings
from sslstudio.ui.pages.compare.experiment_view import TournamentView
from sslstudio.ui.pages.compare.tab import ExperimentTab
from sslstudio.ui.workspace.clinic import ClinicController
from sslstudio.ui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from sslstudio.engine.experiments.tournament import tournament
else:
    tournament = jobs.late("sslstudio.engine.experiments.tournament", "tournament")


class TournamentTab(ExperimentTab):
    """Which task is best in the time there is?"""

    job = TOURNAMENT
    adds = False

    def __init__(self, workspace: Workspace, clinic: ClinicController) -> None:
        self.shown = TournamentView()
        super().__init__(workspace, self.shown, clinic)

    def make_settings(self) -> ExperimentSettings:
        """Every task that suits."""
        assert self.workspace.engine is not None
        return TournamentSettings(self.workspace.engine, list(self.workspace.engine.tasks))

    def start_title(self) -> str:
        """What the start button says."""
        return self.tr("Start the tournament")

    def config(self) -> Any:
        """The engine's TournamentConfig."""
        assert isinstance(self.settings, TournamentSettings)
        return self.settings.config(str(self.out_folder()), self.workspace.data_config())

    def nothing_left(self) -> bool:
        """It has a winner, and nothing can be added."""
        return self.out is not None and self.encoder_run() is not None

    def over_words(self) -> str:
        """What is said then."""
        return self.tr("It is over. Begin a new one for other tasks or more time.")

    def factory(self, config: Any) -> Factory:
        """A tournament."""
        return partial(tournament, config)

    def ask_estimate(self) -> None:
        """The rounds and their minutes follow from the settings."""
        from sslstudio.engine.experiments.tournament_plan import schedule

        self._settling.stop()
        config = self.checked_config()
        if config is not None and self.settings is not None:
            planned = schedule(len(self.settings.tasks.chosen()), config.minutes)
            said = self.over_words() if self.nothing_left() else experiment_words.schedule_words(planned)
            self.settings.estimate.setText(said)
            if self.nothing_left() and not self.view.outcome:  # one that was opened
                runs = sum(runs for runs, _ in planned)
                self.view.show_stand(runs, runs)

    def encoder_run(self) -> Path | None:
        """The winner's own run."""
        run = self.view.table.get("winner_run")
        return Path(run) if run else None
