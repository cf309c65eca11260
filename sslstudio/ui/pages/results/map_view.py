"""The map of all labelled pictures: those that the network sees alike lie together."""

from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QStackedWidget, QWidget

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.runs.test_predictions import Prediction
from sslstudio.ui.background import jobs
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.operations import inspection as inspection_operations
from sslstudio.ui.operations.inspection import Spot
from sslstudio.ui.pages.results import data as results_data
from sslstudio.ui.pages.results.data import Results
from sslstudio.ui.pages.results.inspection import InspectionController
from sslstudio.ui.pages.results.map_colours import Colouring, colourings, measured
from sslstudio.ui.pages.results.map_legend import MapLegend
from sslstudio.ui.plots.scatter_map import EmbeddingMap
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.choice_box import RoomyBox
from sslstudio.ui.widgets.job_row import BusyLine
from sslstudio.ui.widgets.layout import Card, button, column, row, symbol, text, wrap_layout
from sslstudio.ui.widgets.picture import Picture


class MapView(QWidget):
    """The map, the picture that was clicked in large, and the legend.

    `opened` carries a picture that is to be seen among the test pictures, `gathered` those with a line around them.
    """

    opened = Signal(str)
    gathered = Signal(list)

    def __init__(self, inspection: InspectionController) -> None:
        super().__init__()
        self._inspection = inspection
        self._results: Results | None = None
        self._tested: dict[str, Prediction] = {}
        self._ways: list[Colouring] = []
        self.spots: list[Spot] = []
        self._of: list[int] = []  # the number of each spot's group
        self._job: jobs.Job | None = None
        self.told = text("", "muted")
        self.by = RoomyBox()
        self.by.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.by.setAccessibleName(self.tr("Colours by"))
        self.by.currentIndexChanged.connect(self._colour)
        self.canvas = EmbeddingMap()
        self.canvas.chosen.connect(self._point)
        self.canvas.lassoed.connect(self._gather)
        self.open_button = button(self.tr("Among the test pictures"), self._open, icon="right")
        self.picture, self.said = Picture(least=100, enlarge=6.0), text("", "small")
        self.legend = MapLegend()
        self.legend.changed.connect(self._mark)
        head = row((self.told, 1), text(self.tr("Colours by"), "small", wrap=False), self.by)
        side = column((self.picture, 2), self.said, row(self.open_button, None), 6, (self.legend, 3), gap=8)
        inside = column(head, (row((self.canvas, 3), (side, 1), gap=14), 1), gap=10)
        self.faces = QStackedWidget()
        self.waiting = BusyLine(self.stop, self._look)
        wait = column(None, row(None, symbol("images", "disabled", 48), None), row(None, self.waiting, None), None)
        self.faces.addWidget(wrap_layout(wait))
        drawn = wrap_layout(inside)
        self.canvas.saved_with = drawn
        self.faces.addWidget(drawn)
        layout = column((Card(margin=12).add((self.faces, 1)), 1))
        self.setLayout(layout)
        inspection.found.connect(self._ask)
        inspection.failed.connect(self._failed)
        inspection.progressed.connect(self.waiting.show_progress)

    def sizeHint(self) -> QSize:
        """Room for the map."""
        return QSize(820, 460)

    def show_results(self, results: Results, part: str) -> None:
        """Another network: its map is drawn when it is looked at."""
        self._results, self.spots = results, []
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._tested = {one.file: one for one in results.predictions[part]}
        self._ways = colourings(results, part)
        self.by.blockSignals(True)
        self.by.clear()
        self.by.addItems([way.title for way in self._ways])
        self.by.blockSignals(False)
        self._wait()
        self.waiting.rest(self.tr("The map is drawn when you open it."))
        if self.isVisible():
            self._inspection.ask()

    def showEvent(self, event: object) -> None:
        """It is needed now."""
        if self._results is not None and not self.spots and self._job is None:
            self._inspection.ask()

    def _wait(self) -> None:
        if not self.spots:
            self.faces.setCurrentIndex(0)

    def _ask(self) -> None:
        if self._inspection.closer is not None and not self.spots and self._job is None and self.isVisible():
            self._wait()
            self.waiting.wait(self.tr("Drawing the map…"))
            op = partial(inspection_operations.place_spots, self._inspection.closer)
            self._job = jobs.run(op, self._take, self._failed, owner=self, progress=self.waiting.show_progress)

    def _failed(self, error: Exception) -> None:
        self._job = None
        self._wait()
        self.waiting.rest(dialogs.error_text(error), stopped=True)

    def stop(self) -> None:
        """Draw no map; it can be asked for again."""
        self._inspection.stop()
        if self._job is not None:
            self._job.cancel()
            self._failed(StudioError(self.tr("Stopped.")))

    def _look(self) -> None:
        self._inspection.ask()

    def _take(self, spots: list[Spot]) -> None:
        self._job, self.spots = None, spots
        counted = formatting.count(len(spots), self.tr("labelled picture"), self.tr("labelled pictures"))
        self.told.setText(self.tr("{0}; what the network sees alike lies together").format(counted))
        self.faces.setCurrentIndex(1)
        self.picture.show_image(QImage())
        self.picture.hide()  # the room is the legend's until one is clicked
        self.said.setText(
            self.tr(
                "Point at a picture, click to see it in large, or draw a line around many to list those that were "
                "tested. The wheel zooms."
            )
        )
        self.open_button.hide()
        places = np.array([(one.x, one.y) for one in spots])
        self.canvas.show_points(places, [0] * len(spots), [self._item(one) for one in spots])
        self._colour()

    @property
    def way(self) -> Colouring:
        """What the points are coloured by."""
        return self._ways[self.by.currentIndex()]

    def _item(self, spot: Spot) -> GalleryItem:
        assert self._results is not None
        answer = self.tr("{0}, the network: {1}").format(spot.label, spot.answer) if spot.label else ""
        mark = "" if not spot.label else "good" if spot.label == spot.answer else "bad"
        return GalleryItem(
            self._results.file(spot.file), answer or self._overlap(spot) or Path(spot.file).name, mark,
            file=spot.file, label=spot.label, predicted=spot.answer,
        )  # fmt: skip

    def _overlap(self, spot: Spot) -> str:
        iou = measured(self._tested, spot)
        return "" if iou is None else formatting.overlap(iou)

    def _colour(self) -> None:
        if not self.spots:
            return
        self._of = [self.way.of(one) for one in self.spots]
        sizes = np.bincount(self._of, minlength=len(self.way.names))
        self.legend.show_groups(self.way.names, sizes.tolist(), self.way.marks)
        self._mark()

    def _mark(self) -> None:
        self.canvas.show_groups([self.legend.group_of(number) for number in self._of])

    def _point(self, number: int) -> None:
        if self._results is None or not 0 <= number < len(self.spots):
            return
        spot = self.spots[number]
        said = [Path(spot.file).name]
        if spot.label:
            said += [self.tr("Your label: {0}").format(spot.label), self.tr("The network: {0}").format(spot.answer)]
        elif self._results.metrics["kind"] == "segmentation":
            said.append(self._overlap(spot) or self.tr("not measured"))
        self.said.setText("\n".join(said))
        self.open_button.setVisible(spot.file in self._tested)
        op = partial(results_data.load_picture, self._results.file(spot.file))
        jobs.run(op, partial(self._show, spot), lambda error: self.said.setText(dialogs.error_text(error)), owner=self)

    def _show(self, spot: Spot, image: QImage) -> None:
        self.picture.show_image(image, spot.file)
        self.picture.show()

    def _open(self) -> None:
        if 0 <= self.canvas.current < len(self.spots):
            self.opened.emit(self.spots[self.canvas.current].file)

    def _gather(self, numbers: list[int]) -> None:
        files = [self.spots[number].file for number in numbers if self.spots[number].file in self._tested]
        if files:
            self.gathered.emit(files)
        elif numbers:
            self.said.setText(self.tr("None of these is a test picture."))

    def finish(self) -> None:
        """The window closes: let what is being decoded end."""
        self.canvas.finish()
