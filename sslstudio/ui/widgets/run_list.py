"""Earlier runs: when, what, how they ended; open one, go on with one."""

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.flow import Flow
from sslstudio.ui.widgets.layout import Card, button, text
from sslstudio.ui.widgets.tables import fill, spare, table

if TYPE_CHECKING:
    from sslstudio.engine.runs.run_folder import RunSummary


WHEN, WHAT, ENDED, SCORE, FROM, LABELS, TIME = range(7)  # the columns
NOTHING = "–"
TELLING = 130  # pixels, what a run is
CARD = 280  # pixels: the same, what became of the chosen one, and the buttons on two lines
LINES = 108  # pixels, the heads and two runs


class RunList(QWidget):
    """The runs of one job."""

    opened = Signal(object)  # Path
    resumed = Signal(object)  # Path
    renamed = Signal(object, str)  # Path, and its new name
    removed = Signal(object)  # Path: to where it can be brought back from
    ticked = Signal(list)  # Paths: runs whose curves are to be laid over the others

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[RunSummary] = []
        self._busy = False
        self._by, self._falling = WHEN, True
        heads = [self.tr("When"), self.tr("What"), self.tr("How it ended"), self.tr("Score"), self.tr("From"),
                 self.tr("Labels"), self.tr("Time")]  # fmt: skip
        self.table = table(heads, stretch=WHAT)
        self.table.setMinimumHeight(LINES)
        self.table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        spare(self.table, (TIME, LABELS, FROM, ENDED), stretch=WHAT, least=TELLING)  # what tells least goes first
        self.table.horizontalHeader().setSectionsClickable(True)
        self.table.horizontalHeader().sectionClicked.connect(self.sort_by)
        self.table.horizontalHeader().setSortIndicatorShown(True)
        self.table.itemSelectionChanged.connect(self._offer)
        self.table.cellDoubleClicked.connect(lambda line, _: self.opened.emit(self._runs[line].path))
        self.table.itemChanged.connect(lambda _: self.ticked.emit(self.ticked_runs))
        self.told = text("", "muted")
        self.empty = text(self.tr("Runs on these pictures are listed here, also those that were stopped."), "muted")
        self.open_button = button(self.tr("Open"), lambda: self._emit(self.opened), icon="folder")
        self.resume_button = button(self.tr("Go on with it"), lambda: self._emit(self.resumed), icon="play")
        self.rename_button = button(self.tr("Rename…"), self._rename, icon="pencil")
        self.remove_button = button(self.tr("Delete"), lambda: self._emit(self.removed), icon="cross")
        self.remove_button.setToolTip(self.tr("It can be brought back until the window is closed"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        buttons = Flow(between=6)
        for one in (self.open_button, self.resume_button, self.rename_button, self.remove_button):
            buttons.addWidget(one)
        self._card = Card(margin=16).add(self.empty, (self.table, 1), self.told, buttons)
        layout.addWidget(self._card, 1)
        self.show_runs([])

    def show_runs(self, runs: list["RunSummary"]) -> None:
        """Show other runs."""
        before, chosen = set(self.ticked_runs), self.chosen
        self._runs = sorted(runs, key=lambda run: _order(run, self._by), reverse=self._falling)
        runs = self._runs
        self.table.blockSignals(True)
        fill(self.table, [_line(run) for run in runs])
        for line, run in enumerate(runs):
            self._make_tickable(line, run.path in before)
        self.table.blockSignals(False)
        if before - set(self.ticked_runs):
            self.ticked.emit(self.ticked_runs)
        if chosen is not None:
            self.select(chosen.path)
        self.empty.setVisible(not runs)
        self.table.setVisible(bool(runs))
        self._card.setMinimumHeight(CARD if runs else 0)
        self._offer()

    def sort_by(self, column: int) -> None:
        """Put the list in the order of a column; once more turns it round."""
        self._falling = not self._falling if column == self._by else column in (WHEN, SCORE, LABELS, TIME)
        self._by = column
        order = Qt.SortOrder.DescendingOrder if self._falling else Qt.SortOrder.AscendingOrder
        self.table.horizontalHeader().setSortIndicator(column, order)
        self.show_runs(self._runs)

    def _rename(self) -> None:
        run = self.chosen
        if run is not None:
            before = run.name or formatting.render(run.title)
            name = dialogs.ask_text(self, self.tr("Rename the run"), self.tr("Its name"), before)
            if name:
                self.renamed.emit(run.path, name)

    def _make_tickable(self, line: int, ticked: bool) -> None:
        item = self.table.item(line, 0)
        if item is not None:
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            item.setToolTip(self.tr("Tick it to lay its curves over the others"))

    @property
    def ticked_runs(self) -> list[Path]:
        """Those whose curves are to be seen beside the others."""
        items = ((run.path, self.table.item(line, 0)) for line, run in enumerate(self._runs))
        return [path for path, item in items if item is not None and item.checkState() is Qt.CheckState.Checked]

    def title_of(self, path: Path) -> str:
        """What a run is called in a legend: what it does and when it began."""
        known = {run.path: run for run in self._runs}
        return time.strftime("%d %b %H:%M", time.localtime(known[path].modified)) if path in known else path.name

    def set_busy(self, busy: bool) -> None:
        """Nothing is opened or resumed while a run goes on."""
        self._busy = busy
        self._offer()

    def select(self, path: Path) -> None:
        """Choose a run."""
        for line, run in enumerate(self._runs):
            if run.path == path:
                self.table.selectRow(line)

    def goes_on(self, path: Path) -> bool:
        """Whether another process is writing this run."""
        return any(run.path == path and run.outcome == "running" for run in self._runs)

    @property
    def chosen(self) -> "RunSummary | None":
        """The selected run."""
        lines = self.table.selectionModel().selectedRows() if self._runs else []
        return self._runs[lines[0].row()] if lines else None

    def _offer(self) -> None:
        run = self.chosen
        reason = self.tr("Choose a run of the list first.") if run is None else ""
        if self._busy:
            reason = self.tr("Wait until the training that goes on has ended.")
        damaged = self.tr("Its record is damaged.") if run is not None and run.outcome == "damaged" else ""
        on_its_way = run is not None and run.outcome in ("stopped", "interrupted")
        over = "" if on_its_way else self.tr("It is not one that was stopped on its way.")
        offer(self.open_button, unless=reason or damaged)
        offer(self.resume_button, unless=reason or damaged or over)
        self.told.setText(formatting.render(run.told) if run is not None else "")
        self.told.setVisible(bool(self.told.text()))
        movable = run is not None and run.outcome != "running" and not self._busy
        for one in (self.rename_button, self.remove_button):
            offer(one, unless="" if movable else reason or self.tr("Wait until the training that goes on has ended."))
        for one in (self.open_button, self.resume_button, self.rename_button, self.remove_button):
            one.setVisible(bool(self._runs))

    def _emit(self, signal: SignalInstance) -> None:
        if self.chosen is not None:
            signal.emit(self.chosen.path)


def _line(run: "RunSummary") -> tuple[str, ...]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.modified))
    what = run.name or formatting.render(run.title)
    labels = formatting.count(run.labels) if run.labels else NOTHING
    took = formatting.duration(run.seconds) if run.seconds else NOTHING
    return when, what, outcome_title(run.outcome), score_words(run), source_words(run.source), labels, took


def _order(run: "RunSummary", column: int) -> tuple[bool, float | str]:
    """What a run is sorted by; what is not known stands below all else, whichever way."""
    keys: dict[int, float | str | None] = {
        WHEN: run.modified, WHAT: (run.name or formatting.render(run.title)).casefold(),
        ENDED: outcome_title(run.outcome), SCORE: run.score, FROM: source_words(run.source), LABELS: run.labels,
        TIME: run.seconds,
    }  # fmt: skip
    key = keys[column]
    return (key is not None, 0.0 if key is None else key)


def score_words(run: "RunSummary") -> str:
    """The score of a fine-tuning; of a pretraining what it gained over untrained features, in points."""
    if run.score is None or not math.isfinite(run.score):
        return NOTHING
    if run.job == "pretrain":
        points = formatting.figures(f"{100 * run.score:+.1f}").replace("-", "\u2212")
        return formatting.tr("{0} points").format(points)
    return formatting.percent(run.score)


def source_words(source: str) -> str:
    """What a fine-tuning started from, for people."""
    known = {"": NOTHING, "scratch": formatting.tr("from scratch")}
    if source.startswith("general"):
        return formatting.tr("general weights")
    return known.get(source) or formatting.when_of(Path(source).name)


def outcome_title(outcome: str) -> str:
    """How a run ended, for people."""
    known = {
        "finished": formatting.tr("Finished"),
        "stopped": formatting.tr("Paused, can go on"),
        "interrupted": formatting.tr("Unfinished, can go on"),
        "running": formatting.tr("Goes on in another process"),
        "damaged": formatting.tr("Damaged"),
    }
    return known.get(outcome, outcome)
