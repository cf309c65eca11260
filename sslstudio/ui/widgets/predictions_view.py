"""Predictions on test pictures: the ones most worth a look first; beside them the chosen one in large."""

from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from sslstudio.ui import jobs, messages, results_data, words
from sslstudio.ui.results_data import Prediction, Results
from sslstudio.ui.widgets.gallery_model import GalleryModel
from sslstudio.ui.widgets.gallery_view import GalleryView
from sslstudio.ui.widgets.layout import Card, button, row, text
from sslstudio.ui.widgets.overlay_view import OverlayView
from sslstudio.ui.widgets.picture import Picture


class PredictionsView(QWidget):
    """A gallery, and the chosen picture with its label and prediction, or with its masks."""

    def __init__(self) -> None:
        super().__init__()
        self._results: Results | None = None
        self._part = ""
        self._all: list[Prediction] = []
        self._shown: list[Prediction] = []
        self._job: jobs.Job | None = None
        self.gallery = GalleryView(GalleryModel(self))
        self.gallery.chosen.connect(self._choose)
        self.told = text("", "muted")
        self.everything = button(self.tr("Show all"), self.show_all, "link", "cross")
        self.picture = Picture(least=160, enlarge=6.0)
        self.truth, self.answer = text("", "field"), text("")
        self.overlay = OverlayView()
        self.closer = QStackedWidget()
        one = Card(margin=16).add((self.picture, 1), self.truth, self.answer)
        self.closer.addWidget(one)
        self.closer.addWidget(self.overlay)
        head = row((self.told, 1), self.everything)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(14)
        self._layout.addWidget(Card(margin=12).add(head, (self.gallery, 1)), 1)
        self._layout.addWidget(self.closer, 1)

    def show_predictions(self, results: Results, part: str) -> None:
        """Show the predictions of one part of a run."""
        self._results, self._part = results, part
        self._all = list(results.predictions[part])
        masks = results.metrics["kind"] == "segmentation"
        self.closer.setCurrentIndex(1 if masks else 0)
        self._layout.setStretch(1, 2 if masks else 1)
        if masks:
            self.overlay.name_classes(results.metrics["classes"])
        self.show_all()

    def show_all(self) -> None:
        """Every prediction, the ones most worth a look first."""
        wrong = sum(one.iou is None and one.wrong for one in self._all)
        if self._all and self._all[0].iou is not None:
            said = self.tr("{0}, those that fit least first").format(self._counted(len(self._all)))
        else:
            said = self.tr("{0}, {1} wrong; first the mistakes it was most sure of").format(
                self._counted(len(self._all)), words.count(wrong)
            )
        self._show(self._all, said)
        self.everything.hide()

    def filter_by(self, label: str, predicted: str) -> None:
        """Only pictures of one class that were taken for one class."""
        found = [one for one in self._all if one.label == label and one.predicted == predicted]
        said = self.tr("{0} labelled “{1}” and taken for “{2}”").format(self._counted(len(found)), label, predicted)
        self._show(found, said)
        self.everything.show()

    def _counted(self, number: int) -> str:
        return words.count(number, self.tr("picture"), self.tr("pictures"))

    def _show(self, predictions: list[Prediction], said: str) -> None:
        assert self._results is not None
        self._shown = predictions
        self.told.setText(said)
        self.gallery.show_items(results_data.items_of(self._results.folder, predictions))
        self.closer.setVisible(bool(predictions))
        if predictions:
            self.gallery.setCurrentIndex(self.gallery.gallery.index(0))

    def _choose(self, number: int) -> None:
        if self._results is None or not 0 <= number < len(self._shown):
            return
        if self._job is not None:
            self._job.cancel()
        one = self._shown[number]
        if one.iou is None:
            self._say(one)
            picture = partial(results_data.load_picture, self._results.folder / one.file)
            self._job = jobs.run(picture, self.picture.show_image, self._not_shown, owner=self)
        else:
            overlay = partial(results_data.load_overlay, self._results, self._part, one)
            self._job = jobs.run(overlay, self.overlay.show_overlay, self._not_shown, owner=self)

    def _say(self, one: Prediction) -> None:
        self.truth.setText(self.tr("Your label: {0}").format(one.label))
        self.answer.setText(
            self.tr("The network says {0}, {1} sure\n{2}").format(
                one.predicted, words.percent(one.confidence, 0), one.file
            )
        )

    def _not_shown(self, error: Exception) -> None:
        self.told.setText(messages.error_text(error))
