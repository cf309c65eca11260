"""The settings of a comparison and of a tournament, made from their declared configs."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.forms.config_form import ConfigForm
from sslstudio.ui.forms.run_settings import SPLIT, BudgetEditor, DeviceBox
from sslstudio.ui.pages.compare.task_checks import TaskChecks
from sslstudio.ui.widgets.collapsible import Fold
from sslstudio.ui.widgets.layout import Notice, button, column, held, row, text

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.core.config import BaseConfig
    from sslstudio.ui.operations.engine import EngineFacts

COMPARE_PLAIN = ("kind", "labels", "seeds")
COMPARE_MORE = (
    "steps", "scratch_labels", "weights", "keep_weights", "pretrain_settings", "finetune_settings",
)  # fmt: skip


def form_of(config: "BaseConfig", only: tuple[str, ...]) -> ConfigForm:
    """A form of some options."""
    form = ConfigForm(folding=False, resetting=False)
    form.show_config(config, only)
    return form


class ExperimentSettings(QWidget):
    """What both have: tasks, pictures, network, device. `changed` follows every edit, `label_wanted` asks for the page
    where pictures are labelled."""

    changed = Signal()
    label_wanted = Signal()
    form: ConfigForm  # the options at the top
    more: ConfigForm  # those under `More options`

    def __init__(self, engine: "EngineFacts", checked: list[str]) -> None:
        from sslstudio.engine.models.encoders import EncoderConfig
        from sslstudio.engine.training.config import DataConfig, HardwareConfig

        super().__init__()
        self.tasks = TaskChecks(engine.tasks, checked)
        self.device = DeviceBox(engine.devices)
        self.encoder = form_of(EncoderConfig(), ("name",))
        self.data = form_of(DataConfig(), SPLIT)
        self.precision = form_of(HardwareConfig(), ("precision",))
        self.wrong = Notice()
        self.estimate = text("", "muted")
        self.estimate.setAccessibleName(self.tr("How long it takes"))
        self.to_label = button(self.tr("Label some pictures"), self.label_wanted.emit, icon="pencil")
        self.offer_labelling(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addWidget(self.wrong)
        layout.addWidget(self.estimate)
        layout.addLayout(row(self.to_label, None))
        for piece in self.make_own():
            layout.addWidget(piece)
        layout.addWidget(self.tasks)
        layout.addLayout(column(text(self.tr("Device"), "field"), self.device, gap=5))
        more = held(column(*self.make_more(), self.encoder, self.data, self.precision, gap=14))
        layout.addWidget(Fold(self.tr("More options"), more))
        for form in (self.encoder, self.data, self.precision):
            form.changed.connect(self.changed)
        self.tasks.changed.connect(self.changed)
        self.device.currentIndexChanged.connect(self.changed)

    def show_config(self, config: Any) -> None:
        """Set everything as in an earlier one."""
        for form in (self.form, self.more):
            for name in form.values():
                form.editor(name).set_value(getattr(config, name))
        self.show_shared(config)

    def offer_labelling(self, offered: bool, needed: bool = False) -> None:
        """Lead to the page where pictures are labelled; `needed` where nothing can be done before."""
        self.to_label.setVisible(offered)
        set_role(self.to_label, "primary" if needed else "plain")
        tint(self.to_label, "pencil", "accent_text" if needed else "text")

    def make_own(self) -> list[QWidget]:
        """What stands at the top."""
        raise NotImplementedError

    def make_more(self) -> list[QWidget]:
        """What stands first under `More options`."""
        raise NotImplementedError

    def shared(self, data: Any) -> dict[str, Any]:
        """The options that both configs have; `data` is the engine's DataConfig of the open folder."""
        from sslstudio.engine.models.encoders import EncoderConfig
        from sslstudio.engine.training.config import HardwareConfig

        values: dict[str, Any] = dict(self.precision.values())
        encoder: dict[str, Any] = dict(self.encoder.values())
        return {
            "tasks": tuple(self.tasks.chosen()),
            "data": data.replace(**self.data.values()),
            "encoder": EncoderConfig(**encoder),
            "hardware": HardwareConfig(device=self.device.device(), **values),
        }

    def show_shared(self, config: Any) -> None:
        """Set what both have."""
        self.tasks.choose(config.tasks)
        for form, section in ((self.encoder, config.encoder), (self.data, config.data)):
            for name in form.values():
                form.editor(name).set_value(getattr(section, name))


class CompareSettings(ExperimentSettings):
    """Labels, draws, minutes of each pretraining."""

    def make_own(self) -> list[QWidget]:
        """Kind, labels, draws, time."""
        from sslstudio.engine.experiments.compare_config import CompareConfig

        self.form = form_of(CompareConfig(), COMPARE_PLAIN)
        self.budget = BudgetEditor(10.0)
        self.form.changed.connect(self.changed)
        self.budget.amount.valueChanged.connect(self.changed)
        self.budget.unit.currentIndexChanged.connect(self.changed)
        time = held(column(text(self.tr("How long each pretraining is"), "field"), self.budget, gap=5))
        return [self.form, time]

    def make_more(self) -> list[QWidget]:
        """Steps and what is compared beside the tasks."""
        from sslstudio.engine.experiments.compare_config import CompareConfig

        self.more = form_of(CompareConfig(), COMPARE_MORE)
        self.more.changed.connect(self.changed)
        return [self.more]

    def config(self, out: str, data: Any) -> Any:
        """The engine's CompareConfig. Raises ConfigError."""
        from sslstudio.engine.experiments.compare_config import CompareConfig

        values: dict[str, Any] = {**self.form.values(), **self.more.values(), **self.shared(data)}
        return CompareConfig(out=out, pretraining=self.budget.budget(), **values)

    def show_config(self, config: Any) -> None:
        """Set everything as in an earlier comparison."""
        super().show_config(config)
        if config.pretraining.epochs is not None:
            self.budget.set_epochs(config.pretraining.epochs)
        elif config.pretraining.minutes is not None:
            self.budget.set_minutes(config.pretraining.minutes)


class TournamentSettings(ExperimentSettings):
    """Minutes in all."""

    def make_own(self) -> list[QWidget]:
        """The time there is."""
        from sslstudio.engine.experiments.tournament_config import TournamentConfig

        self.form = form_of(TournamentConfig(), ("minutes",))
        self.form.changed.connect(self.changed)
        return [self.form]

    def make_more(self) -> list[QWidget]:
        """Options of the tasks."""
        from sslstudio.engine.experiments.tournament_config import TournamentConfig

        self.more = form_of(TournamentConfig(), ("pretrain_settings",))
        self.more.changed.connect(self.changed)
        return [self.more]

    def config(self, out: str, data: Any) -> Any:
        """The engine's TournamentConfig. Raises ConfigError."""
        from sslstudio.engine.experiments.tournament_config import TournamentConfig

        values: dict[str, Any] = {**self.form.values(), **self.more.values(), **self.shared(data)}
        return TournamentConfig(out=out, **values)
