"""The tab of comparisons: how many labels is a pretraining worth?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.engine.runs.experiment_folder import COMPARE
from sslstudio.ui.background import jobs
from sslstudio.ui.pages.compare import words as experiment_words
from sslstudio.ui.pages.compare.experiment_settings import ExperimentSettings
from sslstudio.ui.pages.compare.experiment_view import EfficiencyView
from sslstudio.ui.pages.compare.tab import ExperimentTab
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.labels_view import lacks_labels
from sslstudio.ui.workspace.clinic import ClinicController
from sslstudio.ui.workspace.workspace import Workspace

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.experiments.compare import ahead_of
    from sslstudio.engine.experiments.config import ExperimentConfig
else:
    ahead_of = jobs.late("sslstudio.engine.experiments.compare", "ahead_of")


class EfficiencyTab(ExperimentTab):
    """How many labels is a pretraining worth?"""

    job = COMPARE
    top = ("kind", "labels", "seeds", "pretrain_seeds", "general", "after_general")
    more = (
        "steps",
        "longer",
        "read_at",
        "suggested",
        "scratch_labels",
        "weights",
        "keep_weights",
        "pretrain_settings",
        "finetune_settings",
    )
    budgeted = True

    def __init__(self, workspace: Workspace, clinic: ClinicController) -> None:
        self.shown = EfficiencyView()
        self._all_done = False
        super().__init__(workspace, self.shown, clinic)
        self.shown.rows.itemSelectionChanged.connect(self.changed)

    def default_config(self) -> "ExperimentConfig":
        """A comparison."""
        from sslstudio.engine.experiments.compare_config import CompareConfig

        return CompareConfig()

    def suggest_tasks(self) -> list[str]:
        """Suggest the chosen task and those that are compared by default."""
        return [self.workspace.task, *self.default_config().task_names()]

    def start_title(self) -> str:
        """What the start button says."""
        return self.tr("Start the comparison")

    def suit(self) -> None:
        """The kind of answer that the labels allow."""
        recognised = self.workspace.recognised
        if self.settings is not None and recognised is not None:
            masks_only = recognised.classes is None and recognised.masks is not None
            self.settings.form.editor("kind").set_value("segmentation" if masks_only else "classification")

    def is_complete(self) -> bool:
        """Whether all is done, until something is added: a task, labels, draws."""
        return self.out is not None and self._all_done

    def over_words(self) -> str:
        """What can be done then."""
        return self.tr("All of it is done. Check another task, or ask for more labels or repeats, to go on.")

    def _settle(self) -> None:
        self._all_done = False  # until it is counted
        self.changed.emit()
        super()._settle()

    def estimate(self, config: Any, settings: ExperimentSettings) -> None:
        """Have the engine count runs and time one."""
        if self.workspace.runner.active:
            return
        recognised = self.workspace.recognised
        without = recognised is not None and recognised.classes is None and recognised.masks is None
        settings.offer_labelling(without, needed=True)
        if without:
            settings.estimate.setText(
                self.tr("These pictures have no labels, so nothing can be measured. The tournament needs none.")
            )
            return
        settings.estimate.setText(self.tr("Working out how long it takes…"))
        op = jobs.without_control(ahead_of, config)
        self._job = jobs.run(op, self._say_estimate, self._no_estimate, owner=self)

    def _say_estimate(self, left: Any) -> None:
        self._job = None
        if self.settings is not None:
            self.settings.estimate.setText(experiment_words.ahead_words(left))
        if self.out is not None and not self.workspace.runner.active:
            self.view.show_stand(left.done, left.total)
            self._all_done = left.done == left.total
            self.changed.emit()

    def _no_estimate(self, error: Exception) -> None:
        self._job = None
        if self.settings is not None:
            recognised = self.workspace.recognised
            self.settings.estimate.setText("")
            self.settings.wrong.say(dialogs.error_text(error))
            self.settings.offer_labelling(recognised is not None and lacks_labels(recognised))

    def encoder_run(self) -> Path | None:
        """The pretraining of the chosen line of the table."""
        table, line = self.shown.efficiency, self.shown.rows.currentRow()
        if self.view.out is None or table is None or not 0 <= line < len(table["rows"]):
            return None
        row = table["rows"][line]
        task = row["source"].partition("+")[0]  # beside general weights it is the same pretraining
        return self.view.out / "pretrained" / task if row.get("pretraining") else None
