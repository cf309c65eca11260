"""The runs that wait: look, put in another order, take out, start."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from sslstudio.engine.runs.queue import Waiting
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.flow import Flow
from sslstudio.ui.widgets.layout import Card, button, text
from sslstudio.ui.widgets.run_list import LINES, NOTHING, TELLING, source_words
from sslstudio.ui.widgets.tables import fill, spare, table
from sslstudio.ui.workspace.run_queue import QueueController

MOST = 6  # ends that are told
CARD = 250  # pixels: two runs, and the buttons on two lines, which Qt asks of no layout that scrolls


class QueueView(QWidget):
    """A list of the waiting line, with buttons."""

    def __init__(self, queue: QueueController) -> None:
        super().__init__()
        self._queue = queue
        self._gone: tuple[int, Waiting] | None = None
        self.empty = text(
            self.tr("Runs that are added to the queue wait here. The next one starts by itself when the one before it "
                    "ends, and they still wait after the program was closed."), "muted"
        )  # fmt: skip
        heads = ["", self.tr("What"), self.tr("From"), self.tr("Labels"), self.tr("Time"), self.tr("Kept in")]
        self.table = table(heads, stretch=1)
        self.table.setMinimumHeight(LINES)
        self.table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        spare(self.table, (5, 3, 2, 4), stretch=1, least=TELLING)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # the end tells one run from another
        self.table.itemSelectionChanged.connect(self._offer)
        self.up = button(self.tr("Earlier"), lambda: self._move(-1), icon="up")
        self.down = button(self.tr("Later"), lambda: self._move(1), icon="down")
        self.out = button(self.tr("Take out"), self.take_out, icon="cross")
        self.undo = button(self.tr("Put back"), self.put_back, "link", "refresh")
        self.begin = button(self.tr("Start the next one"), queue.start, icon="play")
        self.over = text("", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        buttons = Flow(between=6)
        for one in (self.begin, self.up, self.down, self.out, self.undo):
            buttons.addWidget(one)
        self._card = Card(margin=16).add(self.empty, (self.table, 1), self.over, buttons)
        layout.addWidget(self._card, 1)
        queue.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what waits now."""
        runs, chosen = self._queue.runs, self.chosen
        fill(
            self.table,
            [
                (str(place), formatting.render(run.title), *_whence(run), run.config.get("out", ""))
                for place, run in enumerate(runs, 1)
            ],
        )
        self.empty.setVisible(not runs)
        over = [f"{formatting.render(title)}: {how}" for title, how in self._queue.over[-MOST:]]
        self.over.setText("\n".join([self.tr("Done so far:"), *over]))
        self.over.setVisible(bool(over))
        self.table.setVisible(bool(runs))
        self._card.setMinimumHeight(CARD if runs else 0)
        if chosen is not None and runs:
            self.table.selectRow(min(chosen, len(runs) - 1))
        self._offer()

    @property
    def has_news(self) -> bool:
        """Whether something waits, or was done since the window opened, or was just taken out."""
        return bool(self._queue.runs or self._queue.over or self._gone)

    @property
    def chosen(self) -> int | None:
        """Number of the selected run, from 0."""
        lines = self.table.selectionModel().selectedRows()
        return lines[0].row() if lines else None

    def take_out(self) -> None:
        """The selected one waits no more."""
        number = self.chosen
        gone = self._queue.remove(number) if number is not None else None
        self._gone = (number, gone) if number is not None and gone is not None else None
        self._offer()

    def put_back(self) -> None:
        """Undo taking out."""
        if self._gone is not None:
            (number, run), self._gone = self._gone, None
            self._queue.insert(number, run)

    def _move(self, by: int) -> None:
        if self.chosen is not None:
            self.table.selectRow(self._queue.move(self.chosen, by))

    def _offer(self) -> None:
        number, count = self.chosen, len(self._queue.runs)
        none = self.tr("Choose a run of the list first.") if number is None else ""
        empty = "" if count else self.tr("Nothing waits. “Add to queue” below puts a run here.")
        first, last = self.tr("It is the first already."), self.tr("It is the last already.")
        offer(self.up, unless=empty or none or ("" if number else first))
        offer(self.down, unless=empty or none or ("" if number != count - 1 else last))
        offer(self.out, unless=empty or none)
        offer(self.begin, unless=empty)
        self.undo.setVisible(self._gone is not None)


def _whence(run: Waiting) -> tuple[str, str, str]:
    """What a waiting run starts from, how many labels it takes (of each class, or all), and its time."""
    config, budget = run.config, run.config.get("budget", {})
    source, labels = source_words(str(config.get("source", ""))), NOTHING
    if run.job == "finetune":
        wanted = config.get("labels_per_class")
        masks = config.get("kind") == "segmentation"
        each = formatting.tr("{0} in all") if masks else formatting.tr("{0} a class")
        labels = each.format(formatting.count(int(wanted))) if wanted else formatting.tr("all")
    if budget.get("steps"):
        return source, labels, formatting.count(int(budget["steps"]), formatting.tr("step"), formatting.tr("steps"))
    if budget.get("epochs"):
        return source, labels, formatting.count(int(budget["epochs"]), formatting.tr("pass"), formatting.tr("passes"))
    return source, labels, formatting.duration(60.0 * float(budget.get("minutes") or 0.0))
