"""One tab of the page of comparisons: settings on the left, what is found on the right, earlier ones behind it."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.engine.core.errors import ConfigError, StudioError
from sslstudio.ui.background import jobs
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.compare.experiment_list import ExperimentList
from sslstudio.ui.pages.compare.experiment_settings import ExperimentSettings
from sslstudio.ui.pages.compare.experiment_view import ExperimentView
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.layout import row, side_panel
from sslstudio.ui.workspace.clinic import ClinicController
from sslstudio.ui.workspace.workspace import Workspace

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.experiments.catalogue import open_experiment
    from sslstudio.engine.experiments.config import ExperimentConfig
else:
    open_experiment = jobs.late("sslstudio.engine.experiments.catalogue", "open_experiment")

SETTLE_MS = 400  # after the last edit


class ExperimentTab(QWidget):
    """What both tabs have in common. `out` is the folder that is shown and gone on with; None before the first."""

    job = ""
    adds = True  # whether tasks can be added later
    top: tuple[str, ...] = ()  # the options at the top of the settings
    more: tuple[str, ...] = ()  # those under `More options`
    budgeted = False  # whether each pretraining has a budget of its own
    changed = Signal()  # what can be done now

    def __init__(self, workspace: Workspace, view: ExperimentView, clinic: ClinicController) -> None:
        super().__init__()
        self.workspace, self.view, self.clinic = workspace, view, clinic
        self.out: Path | None = None
        self._known = self._places()  # what is shown is of these pictures
        self.settings: ExperimentSettings | None = None
        self._heard = False  # whether the settings are listened to
        self.earlier = ExperimentList(adds=self.adds)
        self.earlier.opened.connect(self.open_experiment)
        view.tabs.addTab(self.earlier, self.tr("Earlier ones"))
        self._job: jobs.Job | None = None
        self._settling = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settling.timeout.connect(self.ask_estimate)
        self._place = QVBoxLayout()
        self._place.addStretch(1)
        self.left = side_panel(self._place)
        layout = row(self.left, (view, 1), gap=18)
        layout.setContentsMargins(0, 12, 0, 0)
        self.setLayout(layout)
        clinic.changed.connect(self._show_clinic)

    # --- for the two tabs to say

    def default_config(self) -> "ExperimentConfig":
        """The kind of experiment with its defaults."""
        raise NotImplementedError

    def suggest_tasks(self) -> list[str]:
        """Suggest the tasks that take part unless somebody says otherwise."""
        raise NotImplementedError

    def start_title(self) -> str:
        """What the start button says."""
        raise NotImplementedError

    def estimate(self, config: Any, settings: ExperimentSettings) -> None:
        """Say in the settings how long it will take."""
        raise NotImplementedError

    def encoder_run(self) -> Path | None:
        """The pretraining that a fine-tuning can start from, by what is shown; None while there is none."""
        raise NotImplementedError

    def suit(self) -> None:
        """Other pictures were chosen."""

    def is_complete(self) -> bool:
        """Whether all that is set has been done in the folder that is shown."""
        raise NotImplementedError

    def over_words(self) -> str:
        """What is said of it then."""
        raise NotImplementedError

    def refusal(self) -> str:
        """Why what is set is not to be started; '' where it may be."""
        return ""

    # --- what is set and shown

    def build_settings(self) -> Iterator[None]:
        """Make the settings, in parts. Pictures and engine are there."""
        self.settings = self._make_settings()
        yield
        self._place.insertWidget(0, self.settings)
        yield

    def ready(self) -> None:
        """Pictures and engine are there."""
        if self.settings is None:
            for _ in self.build_settings():
                pass
        if not self._heard and self.settings is not None:
            self._heard = True
            self.settings.changed.connect(self._settle)
            self.settings.label_wanted.connect(lambda: self.workspace.wants_page.emit("label"))
            self._show_clinic()
            self.suit()
            self.list_experiments()
        self._settle()

    def _make_settings(self) -> ExperimentSettings:
        assert self.workspace.engine is not None
        return ExperimentSettings(
            self.workspace.engine, self.default_config(), self.suggest_tasks(), top=self.top, more=self.more,
            budgeted=self.budgeted,
        )  # fmt: skip

    def begin_new(self) -> None:
        """Forget what is shown; the next start has a folder of its own."""
        self.out = None
        self.view.clear()
        self._settle()
        self.changed.emit()

    def other_pictures(self) -> None:
        """Another folder of pictures was opened, or other labels for the same: these leave what is shown as it is."""
        if self._places() != self._known:
            self._known, self.out = self._places(), None
            self.view.clear()
        if self.settings is not None:
            if self.out is None:
                self.suit()
            self.list_experiments()
            self._settle()

    def _places(self) -> tuple[Path | None, Path | None]:
        """The pictures, and the project that keeps what is found on them."""
        return self.workspace.folder, self.workspace.project.folder if self.workspace.project else None

    def out_folder(self) -> Path:
        """Where it is kept: the folder that is shown, else a new one."""
        return self.out or self.workspace.new_run(self.job)

    def _settle(self) -> None:
        self._settling.start()

    def ask_estimate(self) -> None:
        """Have it said how long it will take; one that is being worked out is of no use any more."""
        self._settling.stop()
        if self._job is not None:
            self._job.cancel()
            self._job = None
        config = self.check_config()
        if config is not None and self.settings is not None:
            self.estimate(config, self.settings)

    def _show_clinic(self) -> None:
        if self.settings is not None:
            if self.clinic.found is not None:
                self.settings.tasks.show_clinic(self.clinic.found.clinic)
            elif self.clinic.under_way:
                self.settings.tasks.say_waiting()
            else:
                self.settings.tasks.show_clinic(None)

    def config(self) -> Any:
        """The engine's config as it is set. Raises ConfigError."""
        assert self.settings is not None
        return self.settings.config(str(self.out_folder()), self.workspace.data_config())

    def check_config(self) -> Any | None:
        """Read the config and check it; say above the settings what is wrong with it."""
        if self.settings is None:
            return None
        try:
            if not self.settings.tasks.chosen():
                raise ConfigError(self.tr("No pretext task is checked. Check one or more."))
            config = self.config()
        except StudioError as error:
            self.settings.wrong.say(str(error))
            return None
        self.settings.wrong.say("")
        return config

    # --- earlier ones

    def list_experiments(self) -> None:
        """Look for those on these pictures."""
        op = partial(run_operations.collect_experiments, self.workspace.all_runs, self.job)
        jobs.run(op, self.earlier.show_experiments, partial(dialogs.tell_error, self), owner=self)

    def open_experiment(self, path: Path, then: Callable[[Any], None] | None = None) -> None:
        """Show an earlier one, with its settings: it can go on, and tasks may be added. `then` gets its config."""
        op = jobs.without_control(open_experiment, path)
        jobs.run(op, partial(self._show_experiment, then), partial(dialogs.tell_error, self), owner=self)

    def _show_experiment(self, then: Callable[[Any], None] | None, opened: Any) -> None:
        if self.settings is None or self.workspace.runner.active:
            return
        self.out = opened.path
        self.settings.show_config(opened.config)
        self.view.show_experiment(opened.path, opened.table)
        self.view.tabs.setCurrentIndex(0)
        self._settle()
        self.changed.emit()
        if then is not None:
            then(opened.config)
