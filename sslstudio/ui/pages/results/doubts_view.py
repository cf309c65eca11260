"""Labels that are probably wrong, one after the other: keep, change or unsure. What is decided is kept in the run, and
a change among the labels of the project."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QStackedWidget, QWidget

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.runs.metrics import interval_of
from sslstudio.ui.background import jobs
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.gallery.requests import Wish, requests
from sslstudio.ui.operations import inspection as inspection_operations
from sslstudio.ui.operations.inspection import DoubtLine
from sslstudio.ui.pages.results import data as results_data
from sslstudio.ui.pages.results.data import Results
from sslstudio.ui.pages.results.doubts import DoubtsController
from sslstudio.ui.pages.results.inspection import InspectionController
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import offer, offer_undo
from sslstudio.ui.widgets.job_row import BusyLine
from sslstudio.ui.widgets.layout import Card, EmptyState, button, column, row, text, tool, wrap_layout
from sslstudio.ui.widgets.picture import Picture
from sslstudio.ui.widgets.shortcuts import CHOOSE_KEYS, doubt_keys, listen, page_shortcuts
from sslstudio.ui.widgets.tables import fill, table


class DoubtsView(QWidget):
    """The list, the chosen picture and the three answers. Nothing is changed in the user's folder."""

    def __init__(self, inspection: InspectionController, deciding: DoubtsController) -> None:
        super().__init__()
        self._inspection, self.deciding = inspection, deciding
        self._results: Results | None = None
        self.lines: list[DoubtLine] | None = None
        self._job: jobs.Job | None = None
        self.list = table([self.tr("Picture"), self.tr("Your label"), self.tr("Rather"), self.tr("Decided")], stretch=0)
        self.list.setAccessibleName(self.tr("Doubtful labels"))
        self.list.itemSelectionChanged.connect(self._choose)
        self.list.cellDoubleClicked.connect(lambda at, _: requests().opened.emit(self.wish(at)))
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._show_menu)
        for key in CHOOSE_KEYS:
            listen(self.list, key, self._look_closely)
        self.told = text("", "muted")
        self.picture, self.said = Picture(least=180, enlarge=6.0), text("")
        self.keep = button(self.tr("Keep the label"), lambda: self._decide("keep"), icon="check")
        self.change = button(self.tr("Change it"), lambda: self._decide("change"), icon="tag")
        self.unsure = button(self.tr("Unsure"), lambda: self._decide("unsure"), icon="question")
        self.back = button(self.tr("Take back"), lambda: self._decide(""), "link", "refresh")
        keys, stack = doubt_keys(), deciding.undo_stack
        self.undo = tool("undo", keys["undo"].title, keys["undo"].keys, stack.undo)
        self.redo = tool("redo", keys["redo"].title, keys["redo"].keys, stack.redo)
        answers = column(  # the change names a class, which may be long: it has a line of its own
            row(self.keep, self.unsure, None), row(self.change, None),
            row(self.back, None, self.undo, self.redo, gap=6), gap=8,
        )  # fmt: skip
        right = Card(margin=16).add((self.picture, 1), self.said, answers)
        self.corrected = text("", "field")
        self.opening = BusyLine(deciding.labels.stop, wrap=True)  # stopped, a change is not made
        self.again = button(self.tr("Fine-tune again with the corrected labels"), deciding.fine_tune, icon="refresh")
        left = Card(margin=12).add(self.told, (self.list, 1), self.corrected, self.opening, row(self.again, None))
        self.empty = EmptyState("tag", "", "")
        self.faces = QStackedWidget()
        self.faces.addWidget(self.empty)
        self.faces.addWidget(wrap_layout(row((left, 5), (right, 3), gap=14)))
        self.busy = BusyLine(inspection.stop, self._look)
        self.setLayout(column((self.faces, 1), row(None, self.busy, None)))
        for name, one in (("keep", self.keep), ("change", self.change), ("unsure", self.unsure)):
            one.setToolTip(f"{keys[name].title} ({keys[name].keys})")
        page_shortcuts(self, keys, {
            "keep": self.keep.click, "change": self.change.click, "unsure": self.unsure.click,
            "undo": stack.undo, "redo": stack.redo,
        })  # fmt: skip
        deciding.decided.connect(self._decided)
        deciding.changed.connect(self._show_sum)
        inspection.progressed.connect(self._tell_progress)
        deciding.labels.opening.connect(self._say_opening)
        inspection.found.connect(self._ask)
        inspection.failed.connect(self._failed)

    def show_results(self, results: Results) -> None:
        """Another network: its doubts are looked for when they are looked at."""
        self._results, self.lines = results, None
        self.deciding.look_at(results.run, results.folder, [])
        if self._job is not None:
            self._job.cancel()
            self._job = None
        if self._masks:
            self.busy.rest()
            self._say(
                self.tr("Doubtful labels are found for classes only"),
                self.tr("Masks are not looked through here. Among the test pictures, the masks that fit the network's "
                        "least come first: where your mask is the wrong one of the two, draw it anew and fine-tune "
                        "again."),
            )  # fmt: skip
        elif self.isVisible():
            self._look()

    def _look(self) -> None:
        self._say(self.tr("Looking for doubtful labels"), self.tr("The network is asked about all labelled pictures."))
        self._inspection.ask()

    @property
    def _masks(self) -> bool:
        return self._results is not None and self._results.metrics["kind"] == "segmentation"

    def showEvent(self, event: object) -> None:
        """They are needed now."""
        if self._results is not None and not self._masks and self.lines is None and self._job is None:
            self._look()

    def _say(self, heading: str, explanation: str) -> None:
        if not self.lines:
            self.empty.heading.setText(heading)
            self.empty.explanation.setText(explanation)
            self.faces.setCurrentIndex(0)

    def _ask(self) -> None:
        self.busy.rest()
        wanted = self.lines is None and self.isVisible() and not self._masks
        if wanted and self._results is not None and self._inspection.closer is not None:
            op = partial(inspection_operations.list_doubts, self._inspection.closer, self._results.run)
            self._job = jobs.run(op, self._take, self._failed, owner=self)

    def _tell_progress(self, said: Preparing) -> None:
        if not self._masks:
            self.busy.show_progress(said)

    def _failed(self, error: Exception) -> None:
        self._job = None
        if not self._masks:
            self._say(self.tr("Not known"), "")
            self.busy.rest(dialogs.error_text(error), stopped=self.lines is None)

    def _take(self, lines: list[DoubtLine]) -> None:
        self._job, self.lines = None, lines
        if not lines:
            self._say(
                self.tr("No label looks wrong"),
                self.tr("Of the pictures that the network was not trained on, none has a label that both the network "
                        "and the pictures most like it contradict."),
            )  # fmt: skip
            return
        self.told.setText(" ".join(self._explanation(len(lines))))
        self.faces.setCurrentIndex(1)
        self._fill()
        self._select(0)
        assert self._results is not None
        self.deciding.look_at(self._results.run, self._results.folder, lines)

    def _explanation(self, count: int) -> list[str]:
        counted = formatting.count(count, self.tr("label"), self.tr("labels"))
        said = [self.tr("{0} that the network and the pictures most like it contradict, the most doubtful first.")
                .format(counted)]  # fmt: skip
        if self.deciding.possible:
            said.append(self.tr(
                "A change goes into the labels of this project, which the next fine-tuning uses. Your own files stay "
                "as they are; all answers are in doubts.csv in the run."
            ))  # fmt: skip
        else:
            said.append(
                self.tr("What you decide is written to doubts.csv in the run; your own files stay as they are.")
            )
        said += self._own_errors(count)
        if self._weak:
            said.append(self.tr("This network is hardly better than guessing, so its doubts say little."))
        return said

    def _own_errors(self, count: int) -> list[str]:
        """How often the network errs itself: of its doubts, so many may be its own mistakes."""
        assert self._results is not None
        answers = self._results.predictions.get(self._inspection.part) or []
        judged = [one for one in answers if one.iou is None and one.label]
        if not judged:
            return []
        wrong = sum(one.wrong for one in judged) / len(judged)
        said = self.tr("This network itself is wrong in {0} of 100 test pictures").format(round(100 * wrong))
        closer = self._inspection.closer
        asked = len(closer.paths) - len(closer.taught) if closer is not None else len(judged)
        own = wrong * asked  # mistakes that such a network makes where every label is right
        if own >= count:
            return [self.tr("{0}: most of its doubts may be its own mistakes, so look at each.").format(said)]
        return [
            self.tr("{0}: of the labels that it doubts, up to {1} in 100 may be right as they are.").format(
                said, round(100 * own / count)
            )
        ]

    def _say_opening(self, said: Preparing) -> None:
        """A first change has the labels opened, which may take a while where masks are taken over."""
        self.corrected.hide()
        self.opening.show_progress(said)

    def _show_sum(self) -> None:
        """How many labels are changed, and the way on."""
        self.opening.rest()
        changed, stack = self.deciding.corrected(self.shown()), self.deciding.undo_stack
        counted = formatting.count(changed, self.tr("label is changed"), self.tr("labels are changed"))
        self.corrected.setText(self.tr("{0}: the next fine-tuning uses that.").format(counted))
        self.corrected.setVisible(changed > 0)
        self.again.setVisible(changed > 0)
        offer_undo(self.undo, self.redo, stack)

    @property
    def _weak(self) -> bool:
        """Whether the network's score may be no better than always answering the most frequent class."""
        assert self._results is not None
        metrics = self._results.metrics
        part = metrics["parts"].get(self._inspection.part) or next(iter(metrics["parts"].values()))
        headline = metrics["headline"]
        _, low, _ = interval_of(part["scores"][headline])
        baseline = metrics["baseline"][headline]
        return baseline is not None and low <= baseline

    def _fill(self) -> None:
        titles = {"": "", "keep": self.tr("keep"), "change": self.tr("change"), "unsure": self.tr("unsure")}
        fill(self.list, [[Path(one.file).name, one.label, one.suggested, titles[one.decision]] for one in self.shown()])

    def shown(self) -> list[DoubtLine]:
        """The lines of the list."""
        return self.lines or []

    @property
    def chosen(self) -> int:
        """The chosen line, -1 for none."""
        rows = self.list.selectionModel().selectedRows()
        return rows[0].row() if rows else -1

    def _select(self, number: int) -> None:
        """Choose a line and show it, also if it is the one that was chosen before."""
        self.list.blockSignals(True)
        self.list.selectRow(number)
        self.list.blockSignals(False)
        self._choose()

    def _choose(self) -> None:
        if self._results is None or not 0 <= self.chosen < len(self.shown()):
            return
        one = self.shown()[self.chosen]
        said = self.tr(
            "Your label is {0}; of the pictures most like it {1} have that label and {2} are “{3}”. "
            "The network says “{3}”, {4} sure."
        )  # fmt: skip
        self.said.setText(
            formatting.tidy(said.format(
                one.label, formatting.percent(one.agree, 0), formatting.percent(one.other_agree, 0), one.suggested,
                formatting.percent(one.chance, 0),
            ))
        )  # fmt: skip
        self.change.setText(self.tr(" Change it to “{0}”").format(one.suggested))
        offer(self.back, unless="" if one.decision else self.tr("Nothing is decided about this picture yet."))
        op = partial(results_data.load_picture, self._results.file(one.file))
        jobs.run(op, partial(self._show, one.file), lambda error: self.said.setText(dialogs.error_text(error)),
                 owner=self)  # fmt: skip

    def _show(self, file: str, image: QImage) -> None:
        self.picture.show_image(image, file)

    def wish(self, at: int) -> Wish:
        """The picture of a line, among all of the list."""
        assert self._results is not None
        items = [
            GalleryItem(
                self._results.file(one.file), one.label, tip=one.file, file=one.file, label=one.label,
                predicted=one.suggested, confidence=one.chance,
            )
            for one in self.shown()
        ]  # fmt: skip
        return Wish(items, at, self.list, [at], go_to=self.list.selectRow)

    def _look_closely(self) -> None:
        if 0 <= self.chosen < len(self.shown()):
            requests().opened.emit(self.wish(self.chosen))

    def _show_menu(self, place: QPoint) -> None:
        at = self.list.rowAt(place.y())
        if 0 <= at < len(self.shown()):
            requests().menu_wanted.emit(self.wish(at), self.list.viewport().mapToGlobal(place))

    def _decide(self, decision: str) -> None:
        if 0 <= self.chosen < len(self.shown()):
            self.deciding.decide(self.shown()[self.chosen], decision)

    def _decided(self, file: str, decision: str) -> None:
        """Show it, and go to the next one that is open."""
        lines = self.shown()
        number = next((place for place, one in enumerate(lines) if one.file == file), -1)
        if number < 0:
            return
        self.lines = [*lines[:number], replace(lines[number], decision=decision), *lines[number + 1 :]]
        self._fill()
        later = [place for place in range(number, len(lines)) if not self.shown()[place].decision]
        self._select(later[0] if decision and later else number)
        self._show_sum()
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)
