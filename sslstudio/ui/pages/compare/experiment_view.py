"""A comparison or a tournament to watch: where the whole stands, what is done now, its table, what to know of it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtWidgets import QHeaderView, QProgressBar, QTabWidget, QVBoxLayout, QWidget

from sslstudio.engine.core.events import (
    Advanced,
    Alarm,
    Event,
    Note,
    Paused,
    Preparing,
    Resumed,
    RunFinished,
    RunStarted,
    StepDone,
)
from sslstudio.engine.experiments.report import tournament_notes
from sslstudio.engine.experiments.tables import (
    EfficiencyTable,
    Entry,
    Longer,
    Row,
    TournamentTable,
    efficiency_table,
    tournament_table,
    used_counts,
)
from sslstudio.engine.runs.experiment_folder import COMPARE, TOURNAMENT
from sslstudio.ui.background.progress import Progress
from sslstudio.ui.pages.compare import words as experiment_words
from sslstudio.ui.pages.compare.efficiency_plot import EfficiencyPlot
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import Card, Figure, Notice, clear, column, make_scrollable, row, text, wrap_layout
from sslstudio.ui.widgets.tables import fill, table, wrap

PARTS = 1000  # of the bar
ROOM = 3  # columns of scores that find room beside each other


class ExperimentView(QWidget):
    """What both have in common. Fed with events, or with the table of an earlier one."""

    def __init__(self) -> None:
        super().__init__()
        self.out: Path | None = None
        self.table: Mapping[str, object] = {}
        self.outcome = ""
        self._at: Advanced | None = None
        self._progress = Progress()
        self.state = text("", "heading")
        self.now = text("", "muted", wrap=False)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("How far the whole is"))
        self.left, self.runs = Figure(self.tr("Left of the whole")), Figure(self.tr("Runs done"))
        self.runs.setMinimumWidth(150)  # "120 of 200"
        self.trouble = Notice()
        self.notes = column(gap=8)
        self.older = text("", "muted")  # said of notes that an earlier version has kept
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.notes_tab = make_scrollable(wrap_layout(column(12, self.older, self.notes, None, gap=8)))
        self.add_tabs()
        self.tabs.addTab(self.notes_tab, self.tr("What to know of it"))
        said = column(self.state, self.now, self.bar, gap=4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addLayout(row((said, 3), (wrap_layout(row(self.left, self.runs, gap=12)), 2), gap=18))
        layout.addWidget(self.trouble)
        layout.addWidget(self.tabs, 1)
        self.clear()

    def add_tabs(self) -> None:
        """The tabs before the notes."""
        raise NotImplementedError

    def show_rows(self, content: Mapping[str, object]) -> None:
        """Show a table that has something in it, or {}."""
        raise NotImplementedError

    def notes_of(self, content: Mapping[str, object]) -> Sequence[str]:
        """What is to be known of a table, or of {}."""
        raise NotImplementedError

    def clear(self) -> None:
        """Begin anew."""
        self.out, self.outcome, self._at = None, "", None
        self.state.setText(self.tr("Not started"))
        self.now.setText("")
        self.bar.setRange(0, PARTS)
        self.bar.setValue(0)
        self.left.say(experiment_words.NOTHING)
        self.runs.say(experiment_words.NOTHING)
        self.trouble.say("")
        self._show_table({})
        self._show_notes([])

    def show_experiment(self, out: Path, content: Mapping[str, object]) -> None:
        """Show an earlier one."""
        self.clear()
        self.out = out
        self.state.setText(formatting.tidy(out.name))
        self._show_table(content)
        self._show_notes(self.notes_of(content))

    def show_stand(self, done: int, total: int) -> None:
        """How much of an opened one is done."""
        self.runs.say(self.tr("{0} of {1}").format(formatting.count(done), formatting.count(total)))
        self._fill_bar(done, total)

    def take(self, events: list[Event]) -> None:
        """Show what happened."""
        for event in events:
            self._take(event)
        steps = [event for event in events if isinstance(event, StepDone)]
        if steps and not self.outcome:
            self._take_step(steps[-1])

    def fail(self, sentence: str) -> None:
        """It ended with an error."""
        self.outcome = "failed"
        self.state.setText(self.tr("It could not go on"))
        self.now.setText("")
        self.trouble.say(sentence)

    def _take(self, event: Event) -> None:
        match event:
            case RunStarted() if event.job in (COMPARE, TOURNAMENT):
                self.out = Path(event.run)
                self.state.setText(formatting.render(event.title))
            case Preparing():
                self.now.setText(self._progress.describe(event))
            case Advanced():
                self._advance(event)
            case Note(level="warning") | Alarm():
                self._add_note(event.text, warning=True)
            case Paused():
                self.now.setText(self.tr("Paused. Everything up to here is saved."))
            case Resumed():
                self.now.setText(self.tr("Going on"))
            case RunFinished():
                self._finish(event)

    def _advance(self, event: Advanced) -> None:
        if event.now:
            self._at = event
            self.now.setText(self.tr("Now: {0}").format(formatting.render(event.now)))
        self.runs.say(self.tr("{0} of {1}").format(formatting.count(event.done), formatting.count(event.total)))
        self._fill_bar(event.done, event.total)
        if event.table:
            self._show_table(event.table)

    def _take_step(self, event: StepDone) -> None:
        if self._at is None:
            return
        share = min(1.0, event.step / event.total_steps) if event.total_steps else 0.0
        self._fill_bar(self._at.done + share, self._at.total)
        self.left.say(experiment_words.write_time_to_go(self._at.seconds_after, event.seconds_left))
        step = self.tr("step {0} of about {1}").format(
            formatting.count(event.step), formatting.count(event.total_steps)
        )
        now = self.tr("Now: {0}").format(formatting.render(self._at.now))
        self.now.setText(formatting.facts_line([now, step]))

    def say_stopping(self) -> None:
        """Stop was pressed."""
        self.now.setText(self.tr("Stopping: the run that goes on is saved first."))

    def _fill_bar(self, done: float, total: int) -> None:
        self.bar.setRange(0, PARTS)
        self.bar.setValue(round(PARTS * done / max(1, total)))

    def _finish(self, event: RunFinished) -> None:
        self.outcome = event.outcome
        finished = event.outcome == "finished"
        took = formatting.duration(event.seconds)
        self.state.setText(
            self.tr("Finished after {0}").format(took) if finished
            else self.tr("Stopped. What is done is kept; it can go on.")
        )  # fmt: skip
        self.now.setText("")
        if finished:
            self._fill_bar(1, 1)
            if self._at is not None:
                self.runs.say(self.tr("{0} of {0}").format(formatting.count(self._at.total)))
        self.left.say(experiment_words.NOTHING)
        self._show_table(event.metrics)
        self._show_notes(self.notes_of(event.metrics))

    def _show_table(self, content: Mapping[str, object]) -> None:
        self.table = content
        self.show_rows(content)

    def _show_notes(self, notes: Sequence[str]) -> None:
        clear(self.notes)
        for note in notes:
            self._add_note(note, warning=False)
        unsaid = next((note for note in notes if formatting.render(note) == note), "")  # fixed ones are in German too
        older = formatting.earlier_version(unsaid)
        self.older.setText(older)
        self.older.setVisible(bool(older))
        self._count_notes()

    def _add_note(self, sentence: str, *, warning: bool) -> None:
        notice = Notice("warning" if warning else "info")
        self.notes.addWidget(notice)
        notice.say(formatting.tidy(formatting.render(sentence)))
        self._count_notes()

    def _count_notes(self) -> None:
        title = self.tr("What to know of it")
        count = self.notes.count()
        self.tabs.setTabText(self.tabs.indexOf(self.notes_tab), f"{title} ({count})" if count else title)


class EfficiencyView(ExperimentView):
    """The curve, and the table behind it."""

    efficiency: EfficiencyTable | None = None

    def add_tabs(self) -> None:
        """Curve and table."""
        self.plot = EfficiencyPlot()
        self.rows = table([""], stretch=0)
        wrap(self.rows)
        self.none = text(
            self.tr("Scores, differences to not pretraining and what the labels are worth stand here."), "muted"
        )
        self.tabs.addTab(wrap_layout(column(10, (self.plot, 1), gap=0)), self.tr("Curve"))
        card = Card(margin=14).add(self.none, (self.rows, 1))
        self.tabs.addTab(wrap_layout(column(10, (card, 1), gap=0)), self.tr("Table"))

    def show_rows(self, content: Mapping[str, object]) -> None:
        """One line a row of the table, one column a number of labels."""
        shown = self.efficiency = efficiency_table(content)
        self.plot.show_table(shown)
        self.none.setVisible(shown is None)
        self.rows.setVisible(shown is not None)
        if shown is None:
            fill(self.rows, [])
            return
        counts = shown["scratch_labels"]
        unit = self.tr("{0} labels a class") if shown["kind"] == "classification" else self.tr("{0} labelled")
        heads = [
            self.tr("Learnt from"),
            *(unit.format(experiment_words.count_words(count, used)) for count, used in used_counts(shown).items()),
        ]
        if shown.get("read_at") in counts:
            place = 1 + counts.index(shown["read_at"])
            heads[place] += "\n" + self.tr("worth is read here")
        self.rows.setColumnCount(len(heads))
        self.rows.setHorizontalHeaderLabels(heads)
        self.rows.setAccessibleName(", ".join(heads).replace("\n", " "))
        header = self.rows.horizontalHeader()
        by_content, stretch = QHeaderView.ResizeMode.ResizeToContents, QHeaderView.ResizeMode.Stretch
        for place in range(len(heads)):  # few columns share the room, many are scrolled through
            header.setSectionResizeMode(place, stretch if place and len(counts) <= ROOM else by_content)
        lines = [_line(one, counts) for one in shown["rows"]]
        fill(self.rows, [*lines, *(_longer_line(one, counts) for one in shown.get("longer", []))])

    def notes_of(self, content: Mapping[str, object]) -> Sequence[str]:
        """What the table itself notes."""
        shown = efficiency_table(content)
        return shown["notes"] if shown is not None else []


def _line(one: Row, counts: list[int]) -> list[str]:
    cells = {cell["labels"]: experiment_words.cell_words(cell) for cell in one["cells"]}
    said = (formatting.render(one["title"]), formatting.render(one["note"]), experiment_words.cost_words(one))
    title = "\n".join(part for part in said if part)
    return [title, *(cells.get(count, experiment_words.NOTHING) for count in counts)]


def _longer_line(one: Longer, counts: list[int]) -> list[str]:
    """A row with more steps, against its usual ones."""
    title = formatting.tr("{0}, {1} times the steps").format(formatting.render(one["title"]), one["times"])
    said = "\n".join(part for part in (title, formatting.render(one["note"])) if part)
    words = experiment_words.longer_words(one)
    return [said, *(words if count == one["labels"] else experiment_words.NOTHING for count in counts)]


class TournamentView(ExperimentView):
    """The rounds: who is out, and why."""

    tournament: TournamentTable | None = None

    def add_tabs(self) -> None:
        """The table of the rounds."""
        heads = [
            self.tr("Round"), self.tr("Task"), self.tr("How it did"), self.tr("Against untrained"),
            self.tr("Minutes"),
        ]  # fmt: skip
        self.rows = table(heads, stretch=2)
        wrap(self.rows)
        self.none = text(
            self.tr("Every task has the same short time; the best go on from where they are. The rounds stand here."),
            "muted",
        )
        self.verdict = text("", "verdict")
        card = Card(margin=14).add(self.none, self.verdict, (self.rows, 1))
        self.tabs.addTab(wrap_layout(column(10, (card, 1), gap=0)), self.tr("Rounds"))

    def show_rows(self, content: Mapping[str, object]) -> None:
        """A line a run."""
        shown = self.tournament = tournament_table(content)
        rounds, winner = (shown["rounds"], shown["winner"]) if shown is not None else ([], None)
        self.none.setVisible(not rounds)
        self.rows.setVisible(bool(rounds))
        self.verdict.setVisible(winner is not None)
        lines = []
        for number, entries in enumerate(rounds, start=1):
            later = rounds[number] if number < len(rounds) else [winner] if winner else []
            on = [entry["task"] for entry in later]
            lines += [_entry(str(number), entry, entry["task"] in on, bool(later)) for entry in entries]
        if winner is not None:
            said = self.tr("The winner: {0}") if _ahead(rounds) else self.tr("Ahead, but not clearly: {0}")
            self.verdict.setText(said.format(formatting.render(winner["title"])))
            lines.append(_entry(self.tr("Winner"), winner, True, False))
        fill(self.rows, lines)

    def notes_of(self, content: Mapping[str, object]) -> Sequence[str]:
        """How sure the ranking is."""
        shown = tournament_table(content)
        return tournament_notes(shown) if shown is not None and shown["rounds"] else []


def _ahead(rounds: Sequence[Sequence[Entry]]) -> bool:
    """Whether the interval of the best of the last round lies above what the next one reached."""
    found = [entry["probe"]["difference"] for entry in (rounds[-1] if rounds else []) if entry["probe"]]
    if len(found) < 2:
        return True
    low, second = found[0].get("low"), found[1].get("value")
    return low is None or second is None or low > second


def _entry(name: str, entry: Entry, on: bool, known: bool) -> list[str]:
    """One run: `on` if it went on, which is `known` once the next round has begun."""
    tr = formatting.tr
    probe = entry["probe"]
    if entry["outcome"] == "refused":
        how = tr("Out: it does not suit these pictures. {0}").format(formatting.render(entry["words"]))
    elif entry["outcome"] == "failed":
        how = tr("Out: it failed. {0}").format(formatting.render(entry["words"]))
    else:
        state = (tr("Went on") if on else tr("Out: others did better")) if known else ""
        verdict = experiment_words.verdict_title(probe["verdict"] if probe else None)
        how = "\n".join(part for part in (state, verdict) if part)
    minutes = entry["minutes"]
    took = formatting.figures(f"{minutes:.1f}") if math.isfinite(minutes) and minutes else experiment_words.NOTHING
    return [name, formatting.render(entry["title"]), how, experiment_words.probe_words(probe), took]
