"""Take it away: answers for a new folder, the networks as files, the report as one page."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QWidget

from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations import inspection as inspection_operations
from sslstudio.ui.pages.copy_command import copy_by_menu
from sslstudio.ui.pages.results.data import Results
from sslstudio.ui.pages.results.predict_card import PredictCard
from sslstudio.ui.pages.results.row_job import run_in_row
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import disable, enable
from sslstudio.ui.widgets.choice_box import RoomyBox
from sslstudio.ui.widgets.flow import Sides
from sslstudio.ui.widgets.job_row import JobRow
from sslstudio.ui.widgets.layout import Card, button, column, row, text

if TYPE_CHECKING:
    from sslstudio.engine.export.run import Exported, export_run
else:
    export_run = jobs.late("sslstudio.engine.export.run", "export_run")

BESIDE = 760  # pixels from which on the cards lie beside each other
FORMATS = ("all", "safetensors", "onnx", "torchscript")


class ExportCard(Card):
    """Encoder and model for other programs."""

    def __init__(self) -> None:
        super().__init__(self.tr("The networks as files"), margin=16)
        self._results: Results | None = None
        self._part = ""
        self.out: Path | None = None
        self.told = text(
            self.tr(
                "Encoder and model for other programs. Each file is read back and compared with the network on "
                "pictures of this run. A card says what it is, a short script loads it."
            ),
            "muted",
        )
        self.form = RoomyBox()
        self.form.setAccessibleName(self.tr("Format"))
        titles = (self.tr("All formats"), "safetensors", "ONNX", "TorchScript")
        for name, title in zip(FORMATS, titles, strict=True):
            self.form.addItem(title, name)
        self.start_button = button(self.tr("Export into a folder…"), self.choose, icon="network")
        self.copy = copy_by_menu(self, self.command)
        self.progress = JobRow()
        self.progress.over.connect(lambda: enable(self.start_button))
        self.found = text("", "small")
        self.found.hide()
        self.add(
            self.told, row(self.form, self.start_button, None), self.progress, self.found,
        )  # fmt: skip

    def show_results(self, results: Results, part: str) -> None:
        """The run that is taken away."""
        if results is not self._results or part != self._part:
            self.progress.stop()
            self.progress.said.hide()
            self._results, self._part, self.out = results, part, None
            self.found.hide()

    def choose(self) -> None:
        """Ask for a folder; the files come into a new one in there."""
        if self._results is None:
            return
        inside = dialogs.choose_folder(self, self.tr("The folder to export into"), app_settings.home())
        if inside is None:
            return
        self.out = free_name(inside, f"{self._results.run.name} exported")
        disable(self.start_button, self.tr("It is being written."))
        self.found.hide()
        op = partial(export_run, self._results.run, self.out, str(self.form.currentData()), part=self._part)
        run_in_row(self.progress, op, self._done)

    def _done(self, done: "Exported") -> None:
        self.found.setText("\n".join([self.tr("In {0}:").format(done.out), *done.lines()]))
        self.found.show()

    def command(self) -> list[object]:
        """The command that does the same."""
        if self._results is None:
            return []
        out = self.out or app_settings.home() / f"{self._results.run.name} exported"
        return [
            "export", self._results.run, "--format", self.form.currentData(), "--part", self._part, "--out", out,
        ]  # fmt: skip


class ReportCard(Card):
    """The run as one page."""

    def __init__(self) -> None:
        super().__init__(self.tr("The report"), margin=16)
        self._results: Results | None = None
        self.out: Path | None = None
        self.told = text(
            self.tr(
                "One page to send or print: result, curves, mistakes, settings, and a paragraph on the methods for a "
                "paper. It needs no network."
            ),
            "muted",
        )
        self.pictures = QCheckBox(self.tr("With pictures of mine"))
        self.pictures.setChecked(True)
        self.start_button = button(self.tr("Write the report…"), self.choose, icon="chart")
        self.open_button = button(self.tr("Open it"), self.open_report, icon="right")
        self.open_button.hide()
        self.copy = copy_by_menu(self, self.command)
        self.progress = JobRow()
        self.progress.over.connect(lambda: enable(self.start_button))
        buttons = row(self.start_button, self.open_button, None)
        self.add(self.told, row(self.pictures, None), buttons, self.progress)

    def show_results(self, results: Results, part: str) -> None:
        """The run that is reported."""
        if results is not self._results:
            self.progress.stop()
            self.progress.said.hide()
            self._results, self.out = results, None
            self.open_button.hide()

    def choose(self) -> None:
        """Ask for a name, and write it."""
        if self._results is None:
            return
        start = app_settings.home() / f"{self._results.run.name}.html"
        out = dialogs.choose_new_file(self, self.tr("The report"), self.tr("Web pages (*.html)"), start)
        if out is None:
            return
        disable(self.start_button, self.tr("It is being written."))
        op = partial(inspection_operations.write_report, self._results.run, out, self.pictures.isChecked())
        run_in_row(self.progress, op, self._done)

    def _done(self, out: Path) -> None:
        self.out = out
        self.open_button.show()
        self.open_button.setToolTip(str(out))

    def open_report(self) -> None:
        """Show it in the browser."""
        if self.out is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.out)))

    def command(self) -> list[object]:
        """The command that does the same."""
        if self._results is None:
            return []
        out = self.out or app_settings.home() / f"{self._results.run.name}.html"
        said: list[object] = ["report", self._results.run, "--out", out]
        return said if self.pictures.isChecked() else [*said, "--without-pictures"]


def free_name(folder: Path, name: str) -> Path:
    """A name in a folder that nothing has yet."""
    path, number = folder / name, 2
    while path.exists():
        path, number = folder / f"{name} {number}", number + 1
    return path


class ExportView(QWidget):
    """The three ways out, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.predict, self.export, self.report = PredictCard(), ExportCard(), ReportCard()
        right = column(self.export, self.report, None, gap=14)
        self.setLayout(column(Sides((self.predict, 3), (right, 2), least=BESIDE)))

    def show_results(self, results: Results, part: str) -> None:
        """The run and the network that are taken away."""
        for card in (self.predict, self.export, self.report):
            card.show_results(results, part)

    def finish(self) -> None:
        """The window closes: stop what goes on."""
        for card in (self.predict, self.export, self.report):
            card.progress.stop()
