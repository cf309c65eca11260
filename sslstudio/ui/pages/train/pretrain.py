"""Pretraining, to be watched."""

from functools import partial
from typing import Any

from PySide6.QtWidgets import QPushButton

from sslstudio.engine.dataset.groups import suggest_groups
from sslstudio.ui.background import jobs
from sslstudio.ui.forms.run_settings import RunSettings
from sslstudio.ui.pages.split import SplitLink
from sslstudio.ui.pages.train.curves import Curves
from sslstudio.ui.pages.train.remembered_choices import RememberedChoices
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.pages.train.run_view import RunView
from sslstudio.ui.pages.train.time_line import TimeEstimateLine
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.layout import button, column, text, wrap_layout
from sslstudio.ui.workspace.workspace import Change, Workspace

MINUTES = 10.0


class PretrainPage(RunPage):
    """Settings, start and stop, and the run as it goes."""

    job = "pretrain"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            workspace, self.tr("Pretrain"), self.tr("The network solves puzzles on your pictures. No labels are used.")
        )

    def make_view(self) -> RunView:
        """With the network's answers."""
        return RunView(Curves(), answers=True)

    def add_own(self) -> None:
        """What is learnt from."""
        workspace = self.workspace
        self.task_title = text("", "heading")
        change = button(
            self.tr("Choose another puzzle"), lambda: workspace.wants_page.emit("pretext"), "link", "puzzle"
        )
        compete = button(
            self.tr("Which one? Let them compete"), lambda: workspace.ask_comparison("tournament"), "link", "compare"
        )
        about = column(text(self.tr("Learns from"), "small"), self.task_title, change, compete, gap=3)
        self.place_on_top(wrap_layout(about))
        workspace.call_on(Change.TASK | Change.ENGINE, self._show_task)
        self._show_task()

    def start_title(self) -> str:
        """What the start button says."""
        return self.tr("Start pretraining")

    def make_forward(self) -> QPushButton:
        """To the labels."""
        return self.next_button(self.tr("Next: labels"), "finetune")

    def make_settings(self) -> RunSettings:
        """Ten minutes on what there is."""
        return RunSettings(self.devices(), minutes=MINUTES, starting=True)

    def link_settings(self, settings: RunSettings) -> None:
        """To the split, to what is known of time, and to what was chosen before."""
        SplitLink(self.workspace, settings, self)
        self.pace = TimeEstimateLine(self.workspace, self.config)
        settings.say_below_budget(self.pace)
        settings.changed.connect(self.pace.ask)
        RememberedChoices(self.workspace, self.job, settings)

    def show_runs(self, runs: list[Any]) -> None:
        """Earlier pretrainings to the list; they say how fast this machine is."""
        super().show_runs(runs)
        if self.settings is not None:
            self.pace.show_runs([run.path for run in runs if run.job == "pretrain"])

    def _show_task(self) -> None:
        facts = self.workspace.task_facts
        self.task_title.setText(facts.title if facts else "…")

    def show_pictures(self) -> None:
        """Say which of the pictures seem to belong together."""
        if self.settings is not None and self.workspace.recognised is not None:
            op = jobs.without_control(suggest_groups, self.workspace.recognised.pictures.paths)
            jobs.run(op, self.settings.suggest_groups, partial(dialogs.tell_error, self), owner=self.settings)

    def config(self) -> Any:
        """The engine's PretrainConfig as it is set. Raises ConfigError."""
        from sslstudio.engine.training.config import PretrainConfig

        assert self.settings is not None
        workspace = self.workspace
        return PretrainConfig(
            out=str(workspace.new_run(workspace.task)), task=workspace.task, seed=self.settings.seed(),
            data=workspace.data_config(),
            encoder=self.settings.encoder_config(), optimiser=self.settings.optimiser_config(),
            budget=self.settings.budget.budget(), hardware=self.settings.hardware_config(),
            options=workspace.options[workspace.task],
        )  # fmt: skip
