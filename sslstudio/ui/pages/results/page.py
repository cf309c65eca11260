"""What came out of a fine-tuning, read from the run's own files."""

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractItemView, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from sslstudio.engine.runs.metrics import class_columns
from sslstudio.ui.background import jobs
from sslstudio.ui.pages.page import Page
from sslstudio.ui.pages.results import data as results_data
from sslstudio.ui.pages.results.confusion_matrix import ConfusionMatrix
from sslstudio.ui.pages.results.data import Results
from sslstudio.ui.pages.results.doubts import DoubtsController
from sslstudio.ui.pages.results.doubts_view import DoubtsView
from sslstudio.ui.pages.results.export_view import ExportView
from sslstudio.ui.pages.results.inspection import InspectionController
from sslstudio.ui.pages.results.label_curve_card import LabelCurveCard
from sslstudio.ui.pages.results.map_view import MapView
from sslstudio.ui.pages.results.predictions_view import PredictionsView
from sslstudio.ui.pages.results.twins_view import TwinsView, compared
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.choice_box import RoomyBox
from sslstudio.ui.widgets.flow import Sides
from sslstudio.ui.widgets.ladder_view import Rungs, VerdictLine
from sslstudio.ui.widgets.layout import (
    Card,
    EmptyState,
    Notice,
    button,
    clear,
    column,
    make_scrollable,
    row,
    text,
    wrap_layout,
)
from sslstudio.ui.widgets.score_table import ScoreTable, part_title
from sslstudio.ui.widgets.tables import fill, make_room, table
from sslstudio.ui.workspace.roles import roles_of
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:
    from sslstudio.engine.evaluate.class_rates import ClassRates, Rate

BESIDE = 820  # pixels of a tab from which on its two halves lie beside each other
MOST_WIDE = 440  # pixels for the table of classes: the matrix beside it needs the rest


class ResultsPage(Page):
    """Verdict, scores, confusion matrix, the test pictures with the worst mistakes first, the map, doubtful labels, and
    ways to take it all away."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            workspace, self.tr("Results"), self.tr("Measured on test pictures that no training has seen the labels of.")
        )
        self.results: Results | None = None
        self._cell: jobs.Job | None = None

    def build(self) -> Iterator[None]:
        """The head and the foot, and a tab each."""
        self._add_ends()
        yield
        yield from self._add_result()
        workspace = self.workspace
        workspace.call_on(Change.PICTURES, self._pictures_changed)
        workspace.call_on(Change.RESULT, self._load)
        self._forget()
        self._load()

    def _add_ends(self) -> None:
        workspace = self.workspace
        self.part = RoomyBox()
        self.part.setAccessibleName(self.tr("Which network"))
        self.part.currentIndexChanged.connect(self._show_part)
        self.part_label = text(self.tr("Look at:"), "muted", wrap=False)
        self.corner.addWidget(self.part_label)
        self.corner.addWidget(self.part)
        again = button(self.tr("Learn again"), self.learn_again, icon="refresh")
        again.setToolTip(self.tr("Fine-tune with the labels there are now, from the start that measures better"))
        self.folder = button(self.tr("Open its folder"), self.open_folder, icon="folder")
        self.propose = button(self.tr("Check what it proposes"), self.look_at_proposals, "primary", "check")
        self.propose.setToolTip(
            self.tr("Its answers for the pictures without a label, to accept, correct or reject one by one")
        )
        self.worth = button(
            self.tr("How many labels is it worth?"), lambda: workspace.ask_comparison("compare"), icon="compare"
        )
        self.end_with(again, self.folder, None, self.propose)
        self.to_labels = button(
            self.tr("To fine-tuning"), lambda: workspace.wants_page.emit("finetune"), "primary", "tag"
        )
        self.missing = EmptyState(
            "chart", self.tr("No result yet"),
            self.tr("Fine-tune on labelled pictures first, or open an earlier run there. Its result appears here."),
            self.to_labels,
        )  # fmt: skip
        self.faces = QStackedWidget()
        self.faces.addWidget(self.missing)
        self.content.addWidget(self.faces, 1)

    def _add_result(self) -> Iterator[None]:
        self.line = VerdictLine()
        self.verdict = self.line.said
        self.counts = text("", "muted")
        self.older = text("", "muted")  # said of results of an earlier version
        for one in (self.counts, self.older):
            self.line.below.addWidget(one)
        self.copies = Notice()
        self.to_copies = button(self.tr("Look at the near copies"), self.workspace.ask_copies, icon="images")
        self.to_copies.hide()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        head = Card(margin=16).add(self.line)
        self.near_copies = wrap_layout(row((self.copies, 1), self.to_copies))
        self.tabs.currentChanged.connect(self._give_room)
        self.result = wrap_layout(column(head, self.near_copies, (self.tabs, 1), gap=12))
        self.faces.addWidget(self.result)
        self.tabs.addTab(self._scores_tab(), self.tr("Scores"))
        yield
        self.tabs.addTab(self._matrix_tab(), self.tr("What is taken for what"))
        yield
        self.inspection = InspectionController(self)
        self.predictions = PredictionsView(self.inspection)
        roles_of(self.workspace).changed.connect(self.predictions.mark_left_out)
        self.predictions.is_left_out = self._is_left_out
        self.tabs.addTab(wrap_layout(column(12, self.predictions)), self.tr("Test pictures"))
        yield
        self.map = MapView(self.inspection)
        self.map.opened.connect(self._open_picture)
        self.map.gathered.connect(self._gather)
        self.tabs.addTab(wrap_layout(column(12, self.map)), self.tr("Map"))
        yield
        self.doubts = DoubtsView(self.inspection, DoubtsController(self.workspace, self))
        self.tabs.addTab(wrap_layout(column(12, self.doubts)), self.tr("Doubtful labels"))
        yield
        self.take = ExportView()
        self.take_tab = make_scrollable(wrap_layout(column(12, self.take)))
        self.tabs.addTab(self.take_tab, self.tr("Take it away"))
        yield

    def _scores_tab(self) -> QWidget:
        self.rungs = Rungs()
        self.scores = ScoreTable()
        self.notes = QVBoxLayout()
        self.notes.setSpacing(8)
        self.twins = TwinsView()
        self.twins.chosen.connect(self._show_twins)
        notes = Card(self.tr("How to read this"), margin=16).add(self.notes, self.worth, None)
        self.twins_card = Card(self.tr("Picture by picture"), margin=16).add(
            self.twins, text(self.tr("Click a stretch to see its pictures."), "small")
        )
        self.more_labels = LabelCurveCard()
        left = column(self.scores, self.more_labels, self.twins_card, None, gap=14)
        inside = Sides((left, 3), (notes, 2), least=BESIDE)
        return make_scrollable(wrap_layout(column(12, self.rungs, inside, None, gap=14)))

    def _matrix_tab(self) -> QWidget:
        self.matrix = ConfusionMatrix()
        self.matrix.cell_chosen.connect(self._show_cell)
        self.per_class = table(["", "", "", "", ""], stretch=0)
        self.per_class.setAccessibleName(self.tr("Class by class"))
        self.hint = text("", "small")
        left = Card(margin=16).add((self.matrix, 1), self.hint)
        self.rates = table([self.tr("Class"), *rate_heads()], stretch=0)
        self.rates.setAccessibleName(self.tr("Each class against all others"))
        self.rates.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.per_class.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.rates_title = text(self.tr("Each class against all others, with 95 % intervals"), "field")
        right = Card(self.tr("Class by class"), margin=16).add(
            (self.per_class, 1), self.rates_title, (self.rates, 1),
            text(self.tr("Ctrl+C copies the selected lines, for a spreadsheet."), "small"),
        )  # fmt: skip
        return make_scrollable(wrap_layout(column(12, (Sides((left, 3), (right, 2), least=BESIDE), 1))))

    def arrive(self) -> None:
        """Show the tab that another page asked for."""
        if self.workspace.wants_use:
            self.workspace.wants_use = False
            self.tabs.setCurrentWidget(self.take_tab)

    # --- loading

    def _load(self) -> None:
        """Read the result of the workspace, if there is one."""
        if self.workspace.result is not None:
            op = partial(results_data.load_results, self.workspace.result)
            jobs.run(op, self.show_results, self._not_loaded, owner=self)

    def _not_loaded(self, error: Exception) -> None:
        self._forget()
        self.missing.heading.setText(self.tr("The result cannot be read"))
        dialogs.tell_error(self, error)

    def _pictures_changed(self) -> None:
        """Other labels for the same pictures leave the result as it is."""
        if self.results is None or self.results.run != self.workspace.result:
            self._forget()

    def _forget(self) -> None:
        self.results = None
        self._show_face(False)

    def _show_face(self, there: bool) -> None:
        reading = not there and self.workspace.result is not None
        self.missing.heading.setText(self.tr("Reading the result…") if reading else self.tr("No result yet"))
        self.missing.explanation.setVisible(not reading)
        self.to_labels.setVisible(not reading)
        self.faces.setCurrentWidget(self.result if there else self.missing)
        self.footer.setVisible(there)
        for widget in (self.part, self.part_label):
            widget.setVisible(there and self.part.count() > 1)

    def show_results(self, results: Results) -> None:
        """Show a result."""
        self.results = results
        metrics = results.metrics
        ladder = results.ladder
        self.line.show_ladder(ladder)
        if ladder is not None:
            self.rungs.show_ladder(ladder)
        trained = formatting.count(metrics["n_train"], self.tr("labelled picture"), self.tr("labelled pictures"))
        tested = formatting.count(metrics["n_test"], self.tr("test picture"), self.tr("test pictures"))
        parts = [self.tr("Trained on {0}").format(trained), self.tr("measured on {0}").format(tested), results.run.name]
        self.counts.setText(formatting.facts_line(parts))
        older = formatting.earlier_version(metrics["verdict"])
        self.older.setText(older)
        self.older.setVisible(bool(older))
        self.scores.show_scores(metrics)
        self.more_labels.show_results(results)
        clear(self.notes)
        for sentence in [metrics["verdict"], self._reading(), *metrics["notes"]]:
            self.notes.addWidget(text(formatting.tidy(formatting.render(sentence))))
        self._repeat_copies(results)
        self._fill_parts()
        groups = compared(results.predictions)
        self.twins_card.setVisible(groups is not None)
        if groups is not None:
            self.twins.show_counts([len(group) for group in groups], metrics["kind"] == "segmentation")
        self._show_face(True)

    def _of_these_pictures(self) -> bool:
        """Whether the result is one of the open folder."""
        recognised, results = self.workspace.recognised, self.results
        return bool(recognised and results and recognised.pictures.root.resolve() == results.folder.resolve())

    def _is_left_out(self, file: str) -> bool:
        return self._of_these_pictures() and roles_of(self.workspace).is_excluded(file)

    def _repeat_copies(self, results: Results) -> None:
        """A test that near copies give answers away in is said beside the verdict, with the way to them."""
        warning = next(filter(results_data.warns_of_copies, results.metrics["notes"]), None)
        self.copies.say("" if warning is None else formatting.tidy(formatting.render(warning)))
        self.to_copies.setVisible(warning is not None and self._of_these_pictures())
        self._give_room()

    def _give_room(self) -> None:
        """What near copies did to the scores is said above the scores; pictures and maps need the room themselves."""
        self.near_copies.setVisible(bool(self.copies.label.text()) and self.tabs.currentIndex() == 0)

    def _reading(self) -> str:
        return self.tr(
            "The dot is the score, the stroke its 95 % interval: where the score would most likely lie with other test "
            "pictures of the same kind. The small tick is what one reaches by always answering the most frequent class."
        )

    def _fill_parts(self) -> None:
        assert self.results is not None
        self.part.blockSignals(True)
        self.part.clear()
        for part in self.results.metrics["parts"]:
            self.part.addItem(part_title(part), part)
        self.part.setCurrentIndex(0)
        self.part.blockSignals(False)
        self._show_part()

    def _show_part(self) -> None:
        if self._cell is not None:
            self._cell.cancel()
        if self.results is None:
            return
        metrics, part = self.results.metrics, str(self.part.currentData())
        content = metrics["parts"][part]
        masks = metrics["kind"] == "segmentation"
        unit = self.tr("pixels") if masks else self.tr("pictures")
        named = formatting.mask_class if masks else str
        self.matrix.show_matrix([named(name) for name in metrics["classes"]], content["confusion"], unit)
        self._hint()
        lines = content["per_class"]
        keys = class_columns(lines)
        self.per_class.setColumnCount(len(keys) + 1)
        self.per_class.setHorizontalHeaderLabels([self.tr("Class"), *(class_head(key, unit) for key in keys)])
        fill(self.per_class, [[named(line["name"]), *(_figure(key, line[key]) for key in keys)] for line in lines])
        make_room(self.per_class, MOST_WIDE)
        rates = self.results.rates.get(part, [])
        fill(self.rates, [[name, *rate_words(one)] for name, one in zip(metrics["classes"], rates, strict=False)])
        make_room(self.rates, MOST_WIDE)
        for one in (self.rates, self.rates_title):
            one.setVisible(bool(rates))
        self.inspection.look_at(self.results.run, part)
        self.predictions.show_predictions(self.results, part)
        self.map.show_results(self.results, part)
        self.doubts.show_results(self.results)
        self.take.show_results(self.results, part)

    def command(self) -> object:
        """Score this network on its test pictures."""
        if self.results is None:
            return None
        return ["evaluate", self.results.network, self.results.folder, "--part", self.part.currentData()]

    def _hint(self, more: str = "") -> None:
        said = [self.tr("Framed: right answers."), more or self.tr("Click a square to see its pictures.")]
        self.hint.setText(" ".join(said))

    def _show_cell(self, truth: int, predicted: int) -> None:
        if self._cell is not None:
            self._cell.cancel()
        if self.results is None:
            return
        names = self.results.metrics["classes"]
        if self.results.metrics["kind"] == "classification":
            self.predictions.filter_by(names[truth], names[predicted])
            self.tabs.setCurrentIndex(2)
            return
        pair = formatting.mask_class(names[truth]), formatting.mask_class(names[predicted])
        op = partial(results_data.confused_in, self.results.run, str(self.part.currentData()), truth, predicted)
        told = partial(self._show_confused, *pair)
        self._cell = jobs.run(op, told, lambda error: self._hint(dialogs.error_text(error)), owner=self)

    def _show_confused(self, label: str, predicted: str, pixels: dict[str, int]) -> None:
        if pixels:
            self._hint()
            self.predictions.filter_confused(label, predicted, pixels)
            self.tabs.setCurrentIndex(2)
        elif label == predicted:
            self._hint(self.tr("No pixel of “{0}” was found.").format(label))
        else:
            self._hint(self.tr("No pixel of “{0}” was taken for “{1}”.").format(label, predicted))

    def _show_twins(self, number: int) -> None:
        groups = compared(self.results.predictions) if self.results is not None else None
        if groups is not None and self.results is not None:
            masks = self.results.metrics["kind"] == "segmentation"
            self.predictions.show_files(groups[number], self.twins.titles(masks)[number])
            self.tabs.setCurrentIndex(2)

    def _open_picture(self, file: str) -> None:
        if self.predictions.open_file(file):
            self.tabs.setCurrentIndex(2)

    def _gather(self, files: list[str]) -> None:
        self.predictions.show_files(set(files), self.tr("they lie together on the map"))
        self.tabs.setCurrentIndex(2)

    def finish(self) -> None:
        """The window closes: end what goes on in this page."""
        self.take.finish()
        self.more_labels.finish()
        self.map.finish()
        self.doubts.deciding.labels.close()
        super().finish()

    def leave(self) -> None:
        """Labels that were changed here are used by the next fine-tuning."""
        self.doubts.deciding.labels.hand_over()

    def learn_again(self) -> None:
        """Fine-tune with the labels as they are now."""
        self.workspace.wants_page_now.emit("finetune")
        self.workspace.learn_again.emit()

    def look_at_proposals(self) -> None:
        """Lead to the page that labels, where the network's answers are proposals."""
        self.workspace.wants_page_now.emit("label")
        self.workspace.proposals_wanted.emit()

    def open_folder(self) -> None:
        """Show the run's files in the system's own window."""
        if self.results is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.results.run)))


def class_head(key: str, unit: str) -> str:
    """The heading of a column of the class table, which counts pictures or pixels."""
    known = {
        "n": unit.capitalize(),
        "precision": formatting.tr("Precision"),
        "recall": formatting.tr("Recall"),
        "f1": formatting.tr("F1"),
        "iou": formatting.tr("IoU"),
        "dice": formatting.tr("Dice"),
    }
    return known.get(key, key)


def rate_heads() -> list[str]:
    """The headings of what is said of each class against all others."""
    return [formatting.tr("Sensitivity"), formatting.tr("Specificity"), formatting.tr("AUC")]


def rate_words(rates: "ClassRates") -> list[str]:
    """A cell for each of them: the value, and its interval in brackets."""
    shares = [_between(one, 100) for one in (rates.sensitivity, rates.specificity)]
    return [*shares, _between(rates.auc, 1)]


def _between(rate: "Rate", times: int) -> str:
    if not math.isfinite(rate.value):
        return "–"
    digits = 0 if times == 100 else 2
    value, low, high = (formatting.figures(f"{times * one:.{digits}f}") for one in (rate.value, rate.low, rate.high))
    return f"{value} % ({low}–{high})" if times == 100 else f"{value} ({low}–{high})"


def _figure(key: str, value: float | None) -> str:
    if value is None:
        return "–"
    return formatting.count(int(value)) if key == "n" else formatting.percent(value, 0)
