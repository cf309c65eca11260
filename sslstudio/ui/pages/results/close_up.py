"""A test picture in large: its label, the answer, what speaks for the answer, and the pictures most like it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage

from sslstudio.engine.runs.test_predictions import Prediction
from sslstudio.ui.background import jobs
from sslstudio.ui.gallery.model import GalleryItem, GalleryModel
from sslstudio.ui.gallery.view import CELL, GalleryView
from sslstudio.ui.operations.inspection import find_neighbours, paint_heat
from sslstudio.ui.pages.results import data as results_data
from sslstudio.ui.pages.results.inspection import InspectionController
from sslstudio.ui.pages.results.mask_overlay import MaskedPicture
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.job_row import BusyLine
from sslstudio.ui.widgets.layout import Card, button, column, row, text

NEIGHBOURS = 6


class CloseUp(Card):
    """One picture at a time. `opened` carries the file of a neighbour that was clicked."""

    opened = Signal(str)

    def __init__(self, inspection: InspectionController) -> None:
        super().__init__(margin=14, gap=8)
        self._inspection = inspection
        self._file_of: Callable[[str], Path] = Path
        self._one: Prediction | None = None
        self._files: list[str] = []
        self._jobs: dict[str, jobs.Job] = {}
        self._image = QImage()
        self.picture = MaskedPicture(enlarge=6.0, least=110)
        self.picture.set_opacity(0.75)
        self.truth, self.answer = text("", "field"), text("")
        self.why = button(self.tr("What speaks for it?"), self._toggle, icon="question")
        self.why.setCheckable(True)
        self.told, self.busy = text("", "small"), BusyLine(self.stop, inspection.ask, wrap=True)
        self.near = GalleryView(GalleryModel(self))
        self.near.setWrapping(False)  # one line of them
        self.near.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.near.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.near.setFixedHeight(CELL.height() + 16)
        self.near.setMinimumWidth(200)
        self.near.setAccessibleName(self.tr("The pictures most like this one"))
        self.near.clicked.connect(lambda index: self.opened.emit(self._files[index.row()]))
        self.near_told = text(self.tr("Most like it, as the network sees them"), "small", wrap=False)
        said = column(self.truth, self.answer, row(self.why, None), self.told, None)
        self.add((row((self.picture, 3), (said, 4), gap=14), 1), self.busy, self.near_told, self.near)
        inspection.found.connect(self._ask_more)
        inspection.failed.connect(lambda error: self.busy.rest(dialogs.error_text(error), stopped=True))
        inspection.progressed.connect(self.busy.show_progress)

    def sizeHint(self) -> QSize:
        """Room for the picture above the neighbours."""
        return QSize(480, 420)

    def show_one(self, results: results_data.Results, one: Prediction) -> None:
        """Show a picture; neighbours and heat map follow when the engine has looked closer."""
        for job in self._jobs.values():
            job.cancel()
        self._jobs = {}
        self._file_of, self._one, self._image = results.file, one, QImage()
        self.picture.show_mask(QImage(), QImage(), "")
        self.truth.setText(self.tr("Your label: {0}").format(one.label) if one.label else "")
        said = self.tr("The network says {0}, {1} sure\n{2}")
        self.answer.setText(said.format(one.predicted, formatting.percent(one.confidence, 0), one.file))
        self.near.show_items([])
        self.told.setText("")
        self._run("picture", partial(results_data.load_picture, results.file(one.file)), self._show_picture)
        self._inspection.ask()

    def _run(self, name: str, op: Callable[..., Any], then: Callable[[Any], None]) -> None:
        self._jobs[name] = jobs.run(
            op, then, partial(self._not_found, name), owner=self, progress=self.busy.show_progress
        )  # fmt: skip

    def _show_picture(self, image: QImage) -> None:
        self._image = image
        self.picture.show_mask(image, QImage(), self.answer.text())

    def stop(self) -> None:
        """Look no closer, and at no heat map; both can be asked for again."""
        self._inspection.stop()
        if "heat" in self._jobs:
            self._jobs.pop("heat").cancel()
            self.busy.rest(self.tr("Stopped."), stopped=True)

    def _toggle(self) -> None:
        if self.why.isChecked():
            self._inspection.ask()
        else:
            if "heat" in self._jobs:
                self._jobs.pop("heat").cancel()
                self.busy.rest()
            self.told.setText("")
            self.picture.show_mask(self._image, QImage(), self.answer.text())

    def _ask_more(self) -> None:
        if "heat" not in self._jobs:
            self.busy.rest()
        closer, one = self._inspection.closer, self._one
        if closer is None or one is None:
            return
        self.told.setText("")
        if self.near.gallery.rowCount() == 0:
            self._run("near", partial(find_neighbours, closer, one.file, NEIGHBOURS), self._show_near)
        if self.why.isChecked() and "heat" not in self._jobs:
            self.busy.wait(self.tr("Covering one part after the other…"))
            self._run("heat", partial(paint_heat, closer, one.file, one.predicted), self._show_heat)

    def _show_near(self, found: list[tuple[str, float, str]]) -> None:
        self._files = [file for file, _, _ in found]
        one = self._one
        items = []
        for file, alike, label in found:
            mark = "" if one is None or not one.label or not label else "good" if label == one.label else "bad"
            tip = self.tr("{0}\nYour label: {1}\nLikeness {2}").format(file, label or "–", formatting.number(alike))
            items.append(GalleryItem(self._file_of(file), label or Path(file).name, mark, tip, file, label))
        self.near.show_items(items)

    def _show_heat(self, image: QImage) -> None:
        self._jobs.pop("heat", None)
        if not self.why.isChecked():
            return
        self.busy.rest()
        self.picture.show_mask(self._image, image, self.tr("Heat map over the picture"))
        self.told.setText(
            self.tr("Orange: without this place the network would be less sure of its answer. Blue: it would be surer.")
        )

    def _not_found(self, name: str, error: Exception) -> None:
        if name == "heat":
            self._jobs.pop(name, None)
            self.busy.rest()
        self.told.setText(dialogs.error_text(error))
