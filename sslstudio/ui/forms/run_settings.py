"""The settings that both kinds of run share: how long, on what, which network; the rest is folded away."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sslstudio.engine.core.config import options_of
from sslstudio.ui.base import app_settings
from sslstudio.ui.forms.config_form import ConfigForm
from sslstudio.ui.forms.editors import NumberBox, roomy, steady
from sslstudio.ui.forms.reset_row import ResetRow
from sslstudio.ui.forms.start_from import GENERAL, StartFrom
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.choice_box import ChoiceBox
from sslstudio.ui.widgets.collapsible import Fold
from sslstudio.ui.widgets.layout import button, column, keep_hidden, text, wrap_layout

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.compute.device import DeviceFound
    from sslstudio.engine.models.encoders import EncoderConfig
    from sslstudio.engine.training.config import BudgetConfig, HardwareConfig, OptimiserConfig

SPLIT = ("side", "groups", "validation", "test", "split_seed")


class BudgetEditor(QWidget):
    """So many minutes, or so many passes over the pictures."""

    def __init__(self, minutes: float) -> None:
        super().__init__()
        self.amount, self.unit = NumberBox(), ChoiceBox()
        self.unit.addItem(self.tr("minutes"), "minutes")
        self.unit.addItem(self.tr("passes (epochs)"), "epochs")
        self.unit.currentIndexChanged.connect(self._limit)
        roomy(self.amount)
        self.amount.setAccessibleName(self.tr("How long"))
        self.unit.setAccessibleName(self.tr("Minutes or passes"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget, share in ((self.amount, 2), (self.unit, 3)):
            steady(widget)
            layout.addWidget(widget, share)
        self._limit()
        self.amount.setValue(minutes)

    def _limit(self) -> None:
        whole = self.unit.currentData() == "epochs"
        self.amount.setDecimals(0 if whole else 4)
        self.amount.setRange(1 if whole else 0.02, 100_000)

    def set_epochs(self, epochs: int) -> None:
        """So many passes."""
        self.unit.setCurrentIndex(1)
        self.amount.setValue(epochs)

    def set_minutes(self, minutes: float) -> None:
        """So many minutes."""
        self.unit.setCurrentIndex(0)
        self.amount.setValue(minutes)

    def budget(self) -> "BudgetConfig":
        """The engine's config."""
        from sslstudio.engine.training.config import BudgetConfig

        if self.unit.currentData() == "epochs":
            return BudgetConfig(epochs=int(self.amount.value()), minutes=None)
        return BudgetConfig(minutes=self.amount.value())


class DeviceBox(ChoiceBox):
    """What it runs on; a device that does not work is listed with its reason and cannot be chosen."""

    def __init__(self, devices: Sequence["DeviceFound"], *, sharing: bool = False) -> None:
        """`sharing`: whether several GPUs can share the work."""
        super().__init__()
        steady(self)
        self._gpus = sum(one.name.startswith("cuda") and not one.trouble for one in devices) if sharing else 0
        best = next((formatting.render(one.title) for one in devices if not one.trouble), "")
        self.addItem(self.tr("Automatic: {0}").format(best), "auto")
        for one in devices:
            self.addItem(formatting.render(one.title), one.name)
        self.trouble = "\n".join(f"{one.title}: {formatting.render(one.trouble)}" for one in devices if one.trouble)
        items = self.model()
        for number, one in enumerate(devices, start=1):
            if one.trouble and isinstance(items, QStandardItemModel):
                items.item(number).setEnabled(False)
        if self._gpus > 1:
            self.addItem(self.tr("All {0} GPUs together").format(self._gpus), "together")
        self.setAccessibleName(self.tr("Device"))
        self.prefer(app_settings.device())

    def prefer(self, name: str) -> None:
        """Choose a device by its name if it is there and works, else leave the choice to the program."""
        number, items = self.findData(name), self.model()
        works = number >= 0 and isinstance(items, QStandardItemModel) and items.item(number).isEnabled()
        self.setCurrentIndex(number if works else 0)

    def device(self) -> str:
        """The engine's name of it."""
        return "auto" if self.processes() else str(self.currentData())

    def processes(self) -> int:
        """How many GPUs are to share the work; 0 if it is not shared."""
        return self._gpus if self.currentData() == "together" else 0


def _list_forms(starting: bool) -> list[tuple[str, Any, tuple[str, ...]]]:
    """The forms of a run's settings: name, config, and which of its options."""
    from sslstudio.engine.models.encoders import EncoderConfig
    from sslstudio.engine.training.config import DataConfig, HardwareConfig, OptimiserConfig, PretrainConfig

    return [
        ("encoder", EncoderConfig(), ("name",)),
        ("batch", OptimiserConfig(), ("batch_size",)),
        ("data", DataConfig(), SPLIT),
        ("stem", EncoderConfig(), ("stem",) if starting else ("name", "stem")),
        ("optimiser", OptimiserConfig(), ("learning_rate", "weight_decay", "warmup_steps", "clip")),
        ("precision", HardwareConfig(), ("precision", "processes") if starting else ("precision",)),
        ("seed", PretrainConfig(), ("seed",)),
    ]


def setting_titles(*, starting: bool) -> list[str]:
    """What the settings of a run are called, without a form of them. Loads the engine."""
    forms = [(options_of(type(config)), only) for _, config, only in _list_forms(starting)]
    return [formatting.render(one.about.title) for fields, only in forms for one in fields if one.name in only]


class RunSettings(QWidget):
    """Time, device, network; under `More options` the split, the optimiser and the seed."""

    data_changed = Signal()  # side, groups or split
    changed = Signal()  # anything that says how long a run takes

    def __init__(
        self, devices: Sequence["DeviceFound"], *, minutes: float, starting: bool, further: ConfigForm | None = None
    ) -> None:
        super().__init__()
        self.budget = BudgetEditor(minutes)
        self.device = DeviceBox(devices, sharing=starting)
        self._make_forms(starting)
        self.weights = StartFrom()
        self.weights.changed.connect(self._follow_start)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        self._long = column(text(self.tr("How long"), "field"), self.budget, gap=5)
        layout.addLayout(self._long)
        layout.addLayout(column(text(self.tr("Runs on"), "field"), self.device, self._trouble(), gap=5))
        if starting:
            layout.addLayout(column(text(self.tr("Starts from"), "field"), self.weights, gap=5))
        for piece in (self.encoder, self.batch) if starting else (self.batch,):
            layout.addWidget(piece)
        layout.addWidget(self._together())
        layout.addWidget(self._more(starting, further))
        if not starting:
            keep_hidden(self, self.encoder, self.weights)
        self.budget.amount.valueChanged.connect(self.changed)
        self.budget.unit.currentIndexChanged.connect(self.changed)
        self.device.currentIndexChanged.connect(self.changed)
        for form in self.forms.values():
            form.changed.connect(self.changed)

    def _follow_start(self) -> None:
        """General weights bring their encoder."""
        self.keep_encoder(self.weights.path == GENERAL)
        self.changed.emit()

    def keep_encoder(self, kept: bool) -> None:
        """Leave the encoder to what it starts from, or to a person again."""
        form = self.forms["stem"] if "name" in self.forms["stem"].values() else self.encoder
        editor = form.editor("name")
        if kept:
            editor.set_value("auto")
        editor.setEnabled(not kept)

    def say_below_budget(self, line: QWidget) -> None:
        """A line on what the time comes to."""
        self._long.addWidget(line)

    def _together(self) -> QWidget:
        """Shown when file names look like several pictures of one patient, slide or video."""
        self.groups_told = text("", "small")
        self._groups = ""
        take = button(self.tr("Keep them together"), lambda: self.set_data({"groups": self._groups}), "link", "check")
        self.together = wrap_layout(
            column(text(self.tr("Pictures that belong together"), "field"), self.groups_told, take, gap=4)
        )
        self.together.hide()
        return self.together

    def suggest_groups(self, rule: str | None) -> None:
        """Offer the rule by which the names of the pictures say what must not be torn apart by the split."""
        self._groups = rule or ""
        self.together.setVisible(bool(self._groups))
        self.groups_told.setText(
            self.tr("By their names, several pictures may come from one patient, slide or video ({0}). If so, keep "
                    "them on one side of the split, or the result will look better than it is.").format(self._groups)
        )  # fmt: skip

    def _trouble(self) -> QWidget:
        told = text(self.device.trouble, "small")
        told.setVisible(bool(self.device.trouble))
        return told

    def _make_forms(self, starting: bool) -> None:
        forms = _list_forms(starting)
        self.forms: dict[str, ConfigForm] = {}
        for name, config, only in forms:
            form = ConfigForm(folding=False, resetting=False)
            form.show_config(config, only)
            self.forms[name] = form
        self.forms["data"].changed.connect(self.data_changed)
        self.encoder, self.batch = self.forms["encoder"], self.forms["batch"]

    def _more(self, starting: bool, further: ConfigForm | None) -> Fold:
        pieces: list[QWidget] = [self.forms[name] for name in ("data", "stem", "optimiser", "precision", "seed")]
        if further is not None:
            pieces.insert(0, further)
        pieces.append(ResetRow(self._all_values, self.reset, self._restore))
        return Fold(self.tr("More options"), wrap_layout(column(*pieces, gap=14)))

    def reset(self) -> None:
        """Everything back to its default."""
        for form in self.forms.values():
            form.reset()
        self.weights.set_path("")

    def _all_values(self) -> tuple[dict[str, Any], str]:
        return {name: form.values() for name, form in self.forms.items()}, self.weights.path

    def _restore(self, before: tuple[dict[str, Any], str]) -> None:
        values, weights = before
        for name, form in self.forms.items():
            form.restore(values[name])
        self.weights.set_path(weights)

    # --- what is set

    def data_values(self) -> dict[str, Any]:
        """Side, groups and split."""
        return dict(self.forms["data"].values())

    def set_data(self, values: dict[str, Any]) -> None:
        """Show other values of the split."""
        for name, value in values.items():
            self.forms["data"].editor(name).set_value(value)

    def show_data(self, values: dict[str, Any]) -> None:
        """Show the values of other pictures; what is not among them is back to its default."""
        self.forms["data"].blockSignals(True)  # nobody has changed anything
        self.forms["data"].reset()
        self.set_data(values)
        self.forms["data"].blockSignals(False)

    def seed(self) -> int:
        """The seed."""
        value = self.forms["seed"].values()["seed"]
        return int(value or 0)

    def encoder_config(self) -> "EncoderConfig":
        """The engine's config."""
        from sslstudio.engine.models.encoders import EncoderConfig

        values: dict[str, Any] = {**self.encoder.values(), **self.forms["stem"].values()}
        return EncoderConfig(weights=self.weights.path, **values)

    def optimiser_config(self) -> "OptimiserConfig":
        """The engine's config."""
        from sslstudio.engine.training.config import OptimiserConfig

        values: dict[str, Any] = {**self.batch.values(), **self.forms["optimiser"].values()}
        return OptimiserConfig(**values)

    def hardware_config(self) -> "HardwareConfig":
        """The engine's config."""
        from sslstudio.engine.training.config import HardwareConfig

        values: dict[str, Any] = dict(self.forms["precision"].values())
        if self.device.processes():
            values["processes"] = self.device.processes()
        return HardwareConfig(device=self.device.device(), **values)
