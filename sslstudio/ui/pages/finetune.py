"""Step 4: the labels, and fine-tuning on a few of them beside a twin that starts from scratch."""

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from sslstudio.ui import engine_calls, messages
from sslstudio.ui.pages.run_page import RunPage
from sslstudio.ui.run_thread import Factory
from sslstudio.ui.study import Study
from sslstudio.ui.widgets.config_form import ConfigForm
from sslstudio.ui.widgets.curves import TwinCurves
from sslstudio.ui.widgets.fields import steady
from sslstudio.ui.widgets.labels_view import LabelsView
from sslstudio.ui.widgets.layout import Notice, button, column, held, row, scrolled, text
from sslstudio.ui.widgets.run_settings import FileLine, RunSettings
from sslstudio.ui.widgets.run_view import RunView

MINUTES = 5.0
SCRATCH, FILE = "scratch", "file"


class FinetunePage(RunPage):
    """Labels, what to start from, and the run as it goes."""

    job = "finetune"

    def __init__(self, study: Study) -> None:
        super().__init__(study, "", "", RunView(TwinCurves(), answers=False))
        self.title.setText(self.tr("Labels and fine-tuning"))
        self.subtitle.setText(
            self.tr("A few labels turn what was learnt into answers. A twin without pretraining runs beside it.")
        )
        study.result_ready.connect(lambda _: self.offer())

    def start_title(self) -> str:
        """What the start button says."""
        return self.tr("Start fine-tuning")

    def make_forward(self) -> Any:
        """To the results."""
        return self.next_button(self.tr("Next: results"), "results")

    def make_settings(self) -> RunSettings:
        """The page's own settings above the common ones."""
        assert self.study.engine is not None
        self._make_own()
        settings = RunSettings(self.study.engine.devices, minutes=MINUTES, starting=False)
        settings.batch.editor("batch_size").set_value(16)
        return settings

    def _make_own(self) -> None:
        from sslstudio.engine.train.settings import FinetuneConfig

        self.kind, self.source = QComboBox(), QComboBox()
        for box, name in ((self.kind, self.tr("Result")), (self.source, self.tr("Start from"))):
            steady(box)
            box.setAccessibleName(name)
        self.kind.addItem(self.tr("One class for each picture"), "classification")
        self.kind.addItem(self.tr("A mask: which pixels are what"), "segmentation")
        self.weights = FileLine(self.tr("Weights to start from"), self.tr("Weights (*.safetensors *.pth *.pt)"))
        self.source.currentIndexChanged.connect(self._source_chosen)
        self.form = ConfigForm(folding=False, resetting=False)
        self.form.show_config(FinetuneConfig(), ("labels_per_class", "twin", "mode", "flip"))
        self.labels_view = LabelsView()
        self.file_note = Notice("info")
        table = button(self.tr("Labels from a CSV file…"), self.choose_table, icon="tag")
        own = QVBoxLayout()
        own.setSpacing(14)
        own.addLayout(column(text(self.tr("The answer is"), "field"), self.kind, gap=5))
        own.addLayout(column(text(self.tr("Starts from"), "field"), self.source, self.weights, gap=5))
        own.addWidget(self.form)
        self.place_on_top(_plain(own))
        labels = held(column(12, self.labels_view, row(table, None), None, gap=12))
        self.view.tabs.insertTab(0, scrolled(labels), self.tr("Labels"))

    def choose_table(self) -> None:
        """Take the labels from a CSV file; the folder is looked at again."""
        folder = self.study.folder
        file = messages.choose_file(self, self.tr("Labels"), self.tr("Tables (*.csv *.tsv *.txt)"), folder)
        if file is not None and folder is not None:
            self.study.open_folder(folder, str(file))

    # --- what is shown

    def show_pictures(self) -> None:
        """The labels of the open folder, and the kind of answer that they allow."""
        recognised = self.study.recognised
        if recognised is None or self.settings is None and not hasattr(self, "labels_view"):
            return
        self.labels_view.show_labels(recognised)
        self.kind.setCurrentIndex(1 if recognised.classes is None and recognised.masks is not None else 0)
        self.view.tabs.setCurrentIndex(0)
        self._show_sources([])

    def _show_runs(self, runs: list[Any]) -> None:
        super()._show_runs(runs)
        self._show_sources([run for run in runs if run.job == "pretrain" and (run.path / "last.safetensors").exists()])

    def _show_sources(self, runs: list[Any]) -> None:
        if self.settings is None and not hasattr(self, "source"):
            return
        before = self.source.currentData()
        self.source.blockSignals(True)
        self.source.clear()
        for run in runs:
            self.source.addItem(f"{run.title}, {run.path.name[:16]}", str(run.path))
        self.source.addItem(self.tr("A weights file…"), FILE)
        self.source.addItem(self.tr("Nothing: from scratch"), SCRATCH)
        wanted = str(self.study.pretrained) if self.study.pretrained else before
        place = self.source.findData(wanted)
        first = 0 if runs else self.source.findData(SCRATCH)
        self.source.setCurrentIndex(place if place >= 0 and (runs or wanted == FILE) else first)
        self.source.blockSignals(False)
        self._source_chosen()

    def _source_chosen(self) -> None:
        chosen = self.source.currentData()
        self.weights.setVisible(chosen == FILE)
        self.form.editor("twin").setEnabled(chosen != SCRATCH)

    # --- the run

    def start_from(self) -> str:
        """What the engine is to start from."""
        chosen = str(self.source.currentData())
        return self.weights.path or SCRATCH if chosen == FILE else chosen

    def config(self) -> Any:
        """The engine's FinetuneConfig as it is set. Raises ConfigError."""
        from sslstudio.engine.train.settings import FinetuneConfig

        assert self.settings is not None
        values: dict[str, Any] = dict(self.form.values())
        kind, source = str(self.kind.currentData()), self.start_from()
        return FinetuneConfig(
            out=str(self.study.new_run(kind)), kind=kind, source=source, seed=self.settings.seed(),
            data=self._data(source), encoder=self.settings.encoder_config(),
            optimiser=self.settings.optimiser_config(), budget=self.settings.budget.budget(),
            hardware=self.settings.hardware_config(), **values,
        )  # fmt: skip

    def _data(self, source: str) -> Any:
        """The split of the pretraining, so that its test pictures stay unseen; else what is set here."""
        data = self.study.data_config()
        if source != SCRATCH and Path(source).is_dir():
            theirs = engine_calls.data_config_of(Path(source))
            if Path(theirs.folder).resolve() == Path(data.folder).resolve():
                return theirs.replace(labels=data.labels)
        assert self.settings is not None
        return data.replace(**self.settings.data_values())

    def factory(self) -> Factory:
        """The fine-tuning that is set."""
        config = self.config()
        self.view.parts = 2 if config.twin and config.source != SCRATCH else 1
        return engine_calls.finetuning(config)

    def _started(self, job: str) -> None:
        super()._started(job)
        if job == self.job:
            self.view.tabs.setCurrentIndex(1)


def _plain(layout: QVBoxLayout) -> QWidget:
    layout.setContentsMargins(0, 0, 0, 0)
    return held(layout)
