"""The settings of a comparison or a tournament, made from its declared config."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.forms.config_form import ConfigForm
from sslstudio.ui.forms.run_settings import SPLIT, BudgetEditor, DeviceBox
from sslstudio.ui.pages.compare.task_checks import TaskChecks
from sslstudio.ui.widgets.collapsible import Fold
from sslstudio.ui.widgets.layout import Notice, button, column, row, text, wrap_layout

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.core.config import BaseConfig
    from sslstudio.engine.experiments.config import ExperimentConfig
    from sslstudio.engine.training.config import DataConfig
    from sslstudio.ui.operations.engine import EngineFacts

MINUTES = 10.0  # of each pretraining


def form_of(config: "BaseConfig", only: tuple[str, ...]) -> ConfigForm:
    """A form of some options."""
    form = ConfigForm(folding=False, resetting=False)
    form.show_config(config, only)
    return form


class ExperimentSettings(QWidget):
    """Tasks, options, pictures, network, device. `changed` follows every edit, `label_wanted` asks for the page where
    pictures are labelled.

    `config` is the kind of experiment with its defaults; `top` are its options that stand at the top, `more` those
    under `More options`; `budgeted`: whether each pretraining has a budget of its own. The tasks `checked` take part.
    """

    changed = Signal()
    label_wanted = Signal()

    def __init__(
        self, engine: "EngineFacts", config: "ExperimentConfig", checked: list[str], *, top: tuple[str, ...],
        more: tuple[str, ...], budgeted: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self._config = config
        self.form, self.more = form_of(config, top), form_of(config, more)
        self.budget = BudgetEditor(MINUTES) if budgeted else None
        self.tasks = TaskChecks(engine.tasks, checked)
        self.device = DeviceBox(engine.devices)
        self.encoder = form_of(config.encoder, ("name",))
        self.data = form_of(config.data, SPLIT)
        self.precision = form_of(config.hardware, ("precision",))
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
        layout.addWidget(self.form)
        if self.budget is not None:
            layout.addLayout(column(text(self.tr("How long each pretraining is"), "field"), self.budget, gap=5))
            self.budget.amount.valueChanged.connect(self.changed)
            self.budget.unit.currentIndexChanged.connect(self.changed)
        layout.addWidget(self.tasks)
        layout.addLayout(column(text(self.tr("Device"), "field"), self.device, gap=5))
        inside = wrap_layout(column(self.more, self.encoder, self.data, self.precision, gap=14))
        layout.addWidget(Fold(self.tr("More options"), inside))
        for form in (self.form, self.more, self.encoder, self.data, self.precision):
            form.changed.connect(self.changed)
        self.tasks.changed.connect(self.changed)
        self.device.currentIndexChanged.connect(self.changed)

    def show_config(self, config: Any) -> None:
        """Set everything as in an earlier one."""
        shown = ((self.form, config), (self.more, config), (self.encoder, config.encoder), (self.data, config.data))
        for form, section in shown:
            for name in form.values():
                form.editor(name).set_value(getattr(section, name))
        self.tasks.choose(config.tasks)
        if self.budget is not None and config.pretraining.epochs is not None:
            self.budget.set_epochs(config.pretraining.epochs)
        elif self.budget is not None and config.pretraining.minutes is not None:
            self.budget.set_minutes(config.pretraining.minutes)

    def offer_labelling(self, offered: bool, needed: bool = False) -> None:
        """Lead to the page where pictures are labelled; `needed` where nothing can be done before."""
        self.to_label.setVisible(offered)
        set_role(self.to_label, "primary" if needed else "plain")
        tint(self.to_label, "pencil", "accent_text" if needed else "text")

    def config(self, out: str, data: "DataConfig") -> "ExperimentConfig":
        """The engine's config of what is set; `data` is that of the open folder. Raises ConfigError."""
        return self._config.replace(
            out=out,
            tasks=tuple(self.tasks.chosen()),
            data=data.replace(**self.data.values()),
            encoder=self._config.encoder.replace(**self.encoder.values()),
            hardware=self._config.hardware.replace(device=self.device.device(), **self.precision.values()),
            **self.form.values(),
            **self.more.values(),
            **({"pretraining": self.budget.budget()} if self.budget is not None else {}),
        )
