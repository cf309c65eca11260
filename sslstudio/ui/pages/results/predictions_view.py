"""Predictions on test pictures: the ones most worth a look first; beside them the chosen one in large."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.runs.test_predictions import Prediction
from sslstudio.ui.background import jobs
from sslstudio.ui.gallery.filter_bar import FilterBar
from sslstudio.ui.gallery.model import GalleryModel
from sslstudio.ui.gallery.view import GalleryView
from sslstudio.ui.operations.inspection import find_neighbours, paint_uncertainty
from sslstudio.ui.pages.results import data as results_data
from sslstudio.ui.pages.results.close_up import CloseUp
from sslstudio.ui.pages.results.data import Results
from sslstudio.ui.pages.results.inspection import InspectionController
from sslstudio.ui.pages.results.mask_overlay import OverlayView
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.layout import Card, button, make_scrollable, row, text

ALIKE = 12  # pictures that are shown as most like one


class PredictionsView(QWidget):
    """A gallery, and the chosen picture with its label and prediction, or with its masks."""

    def __init__(self, inspection: InspectionController) -> None:
        super().__init__()
        self.inspection = inspection
        self._results: Results | None = None
        self._part = ""
        self._all: list[Prediction] = []
        self._shown: list[Prediction] = []
        self._job: jobs.Job | None = None
        self._chosen: Prediction | None = None
        self._wants_alike = False
        self.is_left_out: Callable[[str], bool] = lambda _: False  # by a person, of everything that comes after
        self.gallery = GalleryView(GalleryModel(self))
        self.gallery.chosen.connect(self._choose)
        self.filter = FilterBar(self.gallery, ("label", "judged", "confidence"))
        self.told = text("", "muted")
        self.everything = button(self.tr("Show all"), self.show_all, "link", "cross")
        self.close_up = CloseUp(inspection)
        self.close_up.opened.connect(self.open_file)
        self.overlay = OverlayView()
        self.overlay.wants_uncertainty.connect(self._look_closer)
        self.overlay.wants_alike.connect(self._want_alike)
        self.overlay.goes_on.connect(self._go_on)
        self.overlay.gives_up.connect(inspection.stop)
        inspection.found.connect(self._ask_more)
        inspection.failed.connect(self._not_found)
        inspection.progressed.connect(self._tell_progress)
        self.closer = QStackedWidget()
        self.closer.addWidget(make_scrollable(self.close_up))
        self.closer.addWidget(self.overlay)
        head = row((self.told, 1), self.everything)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(14)
        self._layout.addWidget(Card(margin=12).add(head, self.filter, (self.gallery, 1)), 1)
        self._layout.addWidget(self.closer, 1)

    def show_predictions(self, results: Results, part: str) -> None:
        """Show the predictions of one part of a run."""
        self._results, self._part = results, part
        self._all = list(results.predictions[part])
        self._wants_alike = False
        self.filter.name_classes(results.metrics["classes"])
        self.overlay.busy.rest()
        masks = results.metrics["kind"] == "segmentation"
        self.closer.setCurrentIndex(1 if masks else 0)
        self._layout.setStretch(1, 2 if masks else 1)
        if masks:
            self.overlay.name_classes([formatting.mask_class(name) for name in results.metrics["classes"]])
        self.show_all()

    def show_all(self) -> None:
        """Every prediction, the ones most worth a look first."""
        wrong = sum(one.iou is None and one.wrong for one in self._all)
        if self._all and self._all[0].iou is not None:
            said = self.tr("{0}, those that fit least first").format(self._counted(len(self._all)))
        else:
            said = self.tr("{0}, {1} wrong; first the mistakes it was most sure of").format(
                self._counted(len(self._all)), formatting.count(wrong)
            )
        self._show(self._all, said)
        self.everything.hide()

    def mark_left_out(self) -> None:
        """A person has left pictures out, or has brought some back: the result stays, and they are marked."""
        for number in range(len(self._shown)):
            item = self.gallery.gallery.item(number)
            if item.excluded != self.is_left_out(item.file):
                self.gallery.gallery.replace(number, replace(item, excluded=not item.excluded))

    def filter_by(self, label: str, predicted: str) -> None:
        """Only pictures of one class that were taken for one class."""
        found = [one for one in self._all if one.label == label and one.predicted == predicted]
        said = self.tr("{0} labelled “{1}” and taken for “{2}”").format(self._counted(len(found)), label, predicted)
        self._show(found, said)
        self.everything.show()

    def filter_confused(self, label: str, predicted: str, pixels: Mapping[str, int]) -> None:
        """Only pictures with pixels of one class that were taken for one class, in this order."""
        by_file = {one.file: one for one in self._all}
        found = [by_file[file] for file in pixels if file in by_file]
        counted, total = self._counted(len(found)), sum(pixels.values())
        if label == predicted:
            said = self.tr("{0}, most first: {2} of “{1}” found")
        else:
            said = self.tr("{0}, most first: {2} of “{1}” taken for “{3}”")
        of_pixels = formatting.count(total, self.tr("pixel"), self.tr("pixels"))
        captions = {
            file: formatting.count(number, self.tr("pixel"), self.tr("pixels")) for file, number in pixels.items()
        }
        self._show(found, said.format(counted, label, of_pixels, predicted), captions)
        self.everything.show()

    def _counted(self, number: int) -> str:
        return formatting.count(number, self.tr("picture"), self.tr("pictures"))

    def _show(self, predictions: list[Prediction], said: str, captions: Mapping[str, str] | None = None) -> None:
        assert self._results is not None
        self._shown = predictions
        self.told.setText(said)
        items = results_data.items_of(self._results, self._part, predictions, captions)
        self.gallery.show_items([replace(one, excluded=self.is_left_out(one.file)) for one in items])
        self.closer.setVisible(bool(predictions))
        if predictions:
            self.gallery.choose(self.gallery.gallery.number_of(0))

    def _choose(self, number: int) -> None:
        if self._results is None or not 0 <= number < len(self._shown):
            return
        if self._job is not None:
            self._job.cancel()
        one = self._shown[number]
        self._chosen = one
        if one.iou is None:
            self.close_up.show_one(self._results, one)
        else:
            overlay = partial(results_data.load_overlay, self._results, self._part, one)
            self._job = jobs.run(overlay, self.overlay.show_overlay, self._not_shown, owner=self)

    def open_file(self, file: str) -> bool:
        """Show a picture of the gallery in large; False when it is no test picture."""
        if not any(one.file == file for one in self._all):
            return False
        if not any(one.file == file for one in self._shown):
            self.show_all()
        place = next(number for number, one in enumerate(self._shown) if one.file == file)
        if not self.gallery.gallery.place_of(place).isValid():
            self.filter.reset()
        self.gallery.choose(place)
        return True

    def show_files(self, files: set[str], said: str) -> None:
        """Only some pictures, with a sentence on which."""
        found = [one for one in self._all if one.file in files]
        self._show(found, f"{self._counted(len(found))}: {said}")
        self.everything.show()

    # --- what the network says of masks beyond the run's own files

    def _look_closer(self) -> None:
        if self.inspection.closer is None and not self.overlay.busy.going:
            self.overlay.busy.wait(self.tr("Asking the network about the labelled pictures…"))
        self.inspection.ask()

    def _want_alike(self) -> None:
        self._wants_alike = True
        self._look_closer()

    def _go_on(self) -> None:
        if self.overlay.waits:
            self._look_closer()
        else:
            self._want_alike()

    def _tell_progress(self, said: Preparing) -> None:
        if self.overlay.waits or self._wants_alike:
            self.overlay.busy.show_progress(said)

    def _not_found(self, error: Exception) -> None:
        if self.overlay.waits or self._wants_alike:
            self._wants_alike = False
            self.overlay.busy.rest(dialogs.error_text(error), stopped=True)

    def _ask_more(self) -> None:
        closer, one = self.inspection.closer, self._chosen
        if closer is None or one is None or one.iou is None:
            return
        self.overlay.busy.rest()
        if self._wants_alike:
            self._wants_alike = False
            op = partial(find_neighbours, closer, one.file, len(closer.paths))
            jobs.run(op, partial(self._show_alike, one), self._not_found, owner=self)
        if self.overlay.waits:
            jobs.run(
                partial(paint_uncertainty, closer, one.file), partial(self._take_uncertainty, one),
                self._not_found, owner=self,
            )  # fmt: skip

    def _show_alike(self, one: Prediction, found: list[tuple[str, float, str]]) -> None:
        by_file = {tested.file: tested for tested in self._all}
        likeness = {file: alike for file, alike, _ in found if file in by_file}
        near = list(likeness)[:ALIKE]
        captions = {file: self.tr("likeness {0}").format(formatting.figures(f"{likeness[file]:.2f}")) for file in near}
        said = self.tr("{0} most like {1}, as the network sees them").format(
            self._counted(len(near)), Path(one.file).name
        )
        shown = [one, *(by_file[file] for file in near)]
        self._show(shown, said, {one.file: self.tr("this picture"), **captions})
        self.everything.show()

    def _take_uncertainty(self, one: Prediction, image: QImage) -> None:
        if one is self._chosen:
            self.overlay.show_uncertainty(image)

    def _not_shown(self, error: Exception) -> None:
        self.told.setText(dialogs.error_text(error))
