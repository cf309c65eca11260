"""What is particular to fine-tuning: the kind of answer, what it starts from, how many labels."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.forms.config_form import ConfigForm
from sslstudio.ui.forms.editors import NumberEditor, steady
from sslstudio.ui.forms.start_from import FILE, GENERAL, FileLine, tell_general
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.choice_box import ChoiceBox
from sslstudio.ui.widgets.layout import column, text

if TYPE_CHECKING:
    from sslstudio.engine.labels.types import Recognised
    from sslstudio.engine.runs.run_folder import RunSummary

SCRATCH = "scratch"


SOME_LABELS = 10  # a class: few, and enough to learn something


class FinetuneSettings(QWidget):
    """Made once the engine is loaded. `below_source`: a line on what it starts from."""

    source_changed = Signal()

    def __init__(self, below_source: QWidget) -> None:
        from sslstudio.engine.training.config import FinetuneConfig

        super().__init__()
        self.kind, self.source = ChoiceBox(), ChoiceBox()
        for box, name in ((self.kind, self.tr("The answer is")), (self.source, self.tr("Starts from"))):
            steady(box)
            box.setAccessibleName(name)
        self.kind.addItem(self.tr("One class for each picture"), "classification")
        self.kind.addItem(self.tr("A mask: which pixels are what"), "segmentation")
        self.weights = FileLine(self.tr("Weights to start from"), self.tr("Weights (*.safetensors *.pth *.pt)"))
        self.general = tell_general()
        self._chosen: str | None = None  # by a person
        self._proposed: Path | None = None
        self.source.currentIndexChanged.connect(self._choose_source)
        self.form = ConfigForm(folding=False, resetting=False)
        self.form.show_config(FinetuneConfig(), ("labels_per_class", "twin", "general"))
        amount = self.form.editor("labels_per_class")
        if isinstance(amount, NumberEditor):
            amount.sensible = SOME_LABELS
        self.more = ConfigForm(folding=False, resetting=False)  # shown under the common settings' further options
        self.more.show_config(FinetuneConfig(), ("mode", "flip", "turn"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addLayout(column(text(self.tr("The answer is"), "field"), self.kind, gap=5))
        below = (self.weights, self.general, below_source)
        layout.addLayout(column(text(self.tr("Starts from"), "field"), self.source, *below, gap=5))
        layout.addWidget(self.form)
        self.kind.currentIndexChanged.connect(self._name_labels)
        self.forget_sources()

    def _name_labels(self) -> None:
        """Masks have labels in all, and not so many of each class."""
        masks = self.kind.currentData() == "segmentation"
        self.form.retitle("labels_per_class", self.tr("Labelled masks") if masks else self.tr("Labels a class"))

    def suit(self, recognised: "Recognised") -> None:
        """Propose the kind of answer that these labels allow."""
        masks_only = recognised.classes is None and recognised.masks is not None
        self.kind.setCurrentIndex(1 if masks_only else 0)

    def forget_sources(self) -> None:
        """Other pictures: what there is to start from is not known yet."""
        self._chosen = self._proposed = None
        self.show_sources([], None)

    def keep_source(self, newest: Path | None) -> None:
        """The same pictures were opened once more: that alone proposes nothing."""
        self._proposed = newest

    def show_sources(
        self, runs: list["RunSummary"], newest: Path | None, waiting: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Offer pretraining runs, newest first, and those that are `waiting` in the queue (path, title). A `newest`
        that was not proposed yet is, if it has ended by itself or was stopped by a person; else what a person has
        chosen stays while it is there, and else the best finished run is proposed. What has no weights cannot be
        chosen."""
        before = self.source.currentData()
        if newest != self._proposed:
            self._chosen, self._proposed = None, newest
        self.source.blockSignals(True)
        self.source.clear()
        for run in runs:
            self._offer(run)
        for path, title in waiting:
            self.source.addItem(self.tr("Waiting: {0}").format(title), path)
        self.source.addItem(self.tr("General photographs"), GENERAL)
        self.source.addItem(self.tr("A weights file"), FILE)
        self.source.addItem(self.tr("Nothing: from scratch"), SCRATCH)
        best = best_source(runs)
        proposed = str(newest) if newest and any(run.path == newest and _sound(run) for run in runs) else None
        if proposed is None and newest is None:
            proposed = before if before != SCRATCH else None
        wanted = (self._chosen, proposed, str(best) if best else None, SCRATCH)
        places = [self.source.findData(one) for one in wanted if one]
        self.source.setCurrentIndex(next(place for place in places if place >= 0))
        self.source.blockSignals(False)
        self._show_source()

    def _offer(self, run: "RunSummary") -> None:
        title = f"{formatting.when_of(run.path.name)}  {run.name or formatting.render(run.title)}"
        if run.outcome != "finished":
            title = self.tr("{0} (unfinished)").format(title)
        tip = str(run.path)
        if not run.weights:
            title = self.tr("{0}: no weights yet").format(title)
            tip = self.tr("It has saved no weights that one could start from. Go on with it first.")
        self.source.addItem(title, str(run.path))
        place, model = self.source.count() - 1, self.source.model()
        self.source.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
        if not run.weights and isinstance(model, QStandardItemModel):
            model.item(place).setEnabled(False)

    def _choose_source(self) -> None:
        self._chosen = self.source.currentData()
        self._show_source()

    def _show_source(self) -> None:
        chosen = self.source.currentData()
        self.weights.setVisible(chosen == FILE)
        self.general.setVisible(chosen == GENERAL)
        self.form.editor("twin").setEnabled(chosen != SCRATCH)
        self.source_changed.emit()

    def start_at(self, source: str) -> None:
        """Choose what it starts from, as the engine names it: a run that is listed, general, scratch, or a file."""
        place = self.source.findData(source)
        if place < 0:
            self.weights.set_path(source)
            place = self.source.findData(FILE)
        self.source.setCurrentIndex(place)

    def run(self) -> Path | None:
        """The pretraining run that it starts from; None for general weights, a file or from scratch."""
        chosen = self.source.currentData()
        return None if chosen in (SCRATCH, FILE, GENERAL) else Path(chosen)

    def start_from(self) -> str:
        """What the engine is to start from."""
        chosen = str(self.source.currentData())
        return (self.weights.path or SCRATCH) if chosen == FILE else chosen

    def values(self) -> dict[str, Any]:
        """These options of the engine's FinetuneConfig."""
        return {
            "kind": str(self.kind.currentData()),
            "source": self.start_from(),
            **self.form.values(),
            **self.more.values(),
        }


def _sound(run: "RunSummary") -> bool:
    """Whether one starts from a run without being asked: it is finished, or a person ended it and kept its weights."""
    return run.weights and run.outcome in ("finished", "stopped")


def best_source(runs: Sequence["RunSummary"]) -> Path | None:
    """The pretraining to start from: of the finished ones that with the highest gain over untrained features, where
    that is known, and the newest of equal ones; None where none is finished."""
    finished = [run for run in runs if run.weights and run.outcome == "finished"]
    best = max(finished, key=lambda run: (-math.inf if run.score is None else run.score, run.modified), default=None)
    return best.path if best is not None else None
