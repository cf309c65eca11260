"""A run to watch: where it stands, its curves, the network's own answers, notes and facts. Fed with events, live or
from the record of an earlier run."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QProgressBar, QTabWidget, QVBoxLayout, QWidget

from sslstudio.engine.core.events import (
    Alarm,
    Event,
    Note,
    Paused,
    Preparing,
    Probed,
    Resumed,
    RunFinished,
    RunStarted,
    SampleSaved,
    Stalled,
    StepDone,
)  # fmt: skip
from sslstudio.engine.core.files.named_paths import leads_out
from sslstudio.engine.core.migrations import current_key
from sslstudio.ui.background.progress import Progress
from sslstudio.ui.background.throttle import Paced
from sslstudio.ui.pages.train.answers import Answers
from sslstudio.ui.pages.train.curves import Curves, state_line
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.ladder_view import VerdictLine
from sslstudio.ui.widgets.layout import (
    Card,
    Figure,
    Notice,
    button,
    clear,
    column,
    keep_hidden,
    make_scrollable,
    retitle,
    row,
    text,
    wrap_layout,
)

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.runs.run_folder import RunSummary
    from sslstudio.engine.verdicts.ladder import Ladder

STATES = (Preparing, RunStarted, Paused, Resumed, RunFinished)
FIGURES_MS = 1000  # between two looks at step, speed and time left


class RunView(QWidget):
    """Shows one run. `resumed` carries the path of a paused one that is to go on; `given_up`: one that hangs is to be
    ended."""

    resumed = Signal(object)
    given_up = Signal()

    def __init__(self, curves: Curves, *, answers: bool) -> None:
        super().__init__()
        self.curves = curves
        self.run: Path | None = None
        self.outcome = ""
        self._progress = Progress()
        self.parts = 1
        self._parts_seen: list[str] = []
        self._figures = Paced(self._show_step, FIGURES_MS, self)
        self.state = text(self.tr("Not started"), "field", wrap=False)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.left, self.speed = Figure(self.tr("Time")), Figure(self.tr("Pictures a second"))
        self.step, self.epoch = Figure(self.tr("Steps")), Figure(self.tr("Passes"))
        self.epoch.setToolTip(self.tr("Passes over the pictures"))
        self.trouble = Notice()
        self.alarm = Notice()
        self.stalled = Notice()
        self.end_it = button(self.tr("End it"), self.given_up.emit, icon="stop")
        self.stalled.add(self.end_it)
        self.answers = Answers()
        self.notes = column(gap=8)
        self.facts = QFormLayout()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self._add_tabs(answers)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(9)
        self._paused: Path | None = None
        self.go_on = button(self.tr("Go on with it"), self._resume, "primary", "play")
        self.told = text("", "muted")
        self.older = text("", "muted")  # said of records of an earlier version
        layout.addLayout(row((self.state, 1), self.go_on))
        for piece in (self.bar, self.told, self.older):
            layout.addWidget(piece)
        self.line = VerdictLine()
        self.verdict = Card(margin=14).add(self.line)
        self.figures = wrap_layout(row(self.left, self.speed, self.step, self.epoch, gap=12))
        layout.addWidget(self.verdict)
        layout.addWidget(self.figures)
        layout.addWidget(self.trouble)
        layout.addWidget(self.stalled)
        layout.addWidget(self.alarm)
        layout.addWidget(self.tabs, 1)
        self.clear()

    def _add_tabs(self, answers: bool) -> None:
        self.tabs.addTab(self.curves, self.tr("Curves"))
        if answers:
            shown = make_scrollable(wrap_layout(column(12, (self.answers, 1), gap=0)))
            self.tabs.addTab(shown, self.tr("The network's answers"))
        else:
            keep_hidden(self, self.answers)
        self.facts.setHorizontalSpacing(24)
        self.facts.setVerticalSpacing(8)
        self.notes_tab = make_scrollable(wrap_layout(column(12, self.notes, None, gap=0)))
        about = Card().add(self.facts)
        self.facts_tab = make_scrollable(wrap_layout(column(12, about, None, gap=0)))
        self.tabs.addTab(self.notes_tab, self.tr("Notes"))
        self.tabs.addTab(self.facts_tab, self.tr("About this run"))

    def clear(self) -> None:
        """Begin anew."""
        self.run, self.outcome, self._parts_seen = None, "", []
        self._figures.drop()
        self.state.setText(self.tr("Not started"))
        self.bar.setRange(0, 1000)
        self.bar.setValue(0)
        for figure in (self.left, self.speed, self.step, self.epoch):
            figure.say("–")
        self.trouble.say("")
        self.stalled.say("")
        self.tell("")
        self.show_verdict(None)
        self.offer_paused(None)
        self._tell_older("")
        self.alarm.say("")
        self.curves.clear()
        self.answers.clear()
        clear(self.notes)
        clear(self.facts)
        self._count_notes()

    def tell(self, sentence: str) -> None:
        """The run in a sentence, once it has ended."""
        self.told.setText(sentence)
        self.told.setVisible(bool(sentence))

    def offer_paused(self, found: "RunSummary | None") -> None:
        """While nothing is shown: a run that was saved to go on later, or was cut off. None: there is none."""
        self._paused = found.path if found is not None else None
        self.go_on.setVisible(found is not None)
        retitle(self.go_on, self.tr("Go on with it"))
        if found is not None:
            said = self.tr("Paused at step {0}: {1}")
            self.state.setText(said.format(formatting.count(found.step), found.name or formatting.render(found.title)))
        elif self.run is None and not self.outcome:
            self.state.setText(self.tr("Not started"))

    def _resume(self) -> None:
        if self._paused is not None:
            self.resumed.emit(self._paused)

    def show_verdict(self, ladder: "Ladder | None") -> None:
        """What the run shows, once it has ended: then nobody needs its speed. None: there is nothing to say yet."""
        self.line.show_ladder(ladder)
        self.verdict.setVisible(ladder is not None)
        self.figures.setVisible(ladder is None)

    def _tell_older(self, sentence: str) -> None:
        self.older.setText(sentence)
        self.older.setVisible(bool(sentence))

    def show_curves(self) -> None:
        """Bring the curves to the front."""
        self.tabs.setCurrentWidget(self.curves)

    def take(self, events: list[Event]) -> None:
        """Show what happened; one redraw however many events, and figures no more often than they can be read."""
        newest: StepDone | None = None
        if events:
            last = events[-1]
            self.stalled.say(formatting.render(last.text) if isinstance(last, Stalled) else "")
        for event in events:
            if isinstance(event, StepDone):
                newest = event
            elif isinstance(event, STATES):  # which come after the steps before them
                self._tell(newest)
                self._figures.flush()
                newest = None
            self._take(event)
        self._tell(newest)
        self.curves.flush_by_turns()

    def _tell(self, step: StepDone | None) -> None:
        if step is None:
            return
        self._figures.put(step)
        if step.part not in self._parts_seen:
            self._parts_seen.append(step.part)
            self._figures.flush()

    def fail(self, sentence: str, go_on: Path | None = None) -> None:
        """The run ended with an error; `go_on`: it can go on from what it saved."""
        self.stalled.say("")
        self._paused = go_on
        self.go_on.setVisible(go_on is not None)
        retitle(self.go_on, self.tr("Go on from the last checkpoint"))
        self._figures.flush()
        self.outcome = "failed"
        self.bar.setRange(0, 1000)
        self.state.setText(self.tr("It could not go on"))
        self.trouble.say(sentence)

    def _take(self, event: Event) -> None:
        self.curves.take(event)
        match event:
            case Preparing():
                self._take_preparing(event)
            case RunStarted():
                self._take_start(event)
            case SampleSaved() if self.run is not None and not leads_out(event.path):
                self.answers.add_sheet(event.step, self.run / event.path)
            case Note():
                self.add_note(formatting.render(event.text), warning=event.level == "warning")
            case Probed() | Alarm():
                self._add_finding(event)
            case Paused():
                self.state.setText(self.tr("Paused. Everything up to here is saved."))
            case Resumed():
                self.state.setText(self.tr("Going on"))
            case RunFinished():
                self._take_finish(event)

    def _take_preparing(self, event: Preparing) -> None:
        self.bar.setRange(0, event.total)
        self.bar.setValue(event.done)
        self.state.setText(self._progress.describe(event))

    def _take_start(self, event: RunStarted) -> None:
        self.run = Path(event.run)
        self._tell_older(formatting.earlier_version(event.title))
        self.bar.setRange(0, 1000)
        begun = self.tr("{0}: going on from step {1}") if event.first_step else self.tr("{0}: the first steps …")
        self.state.setText(begun.format(formatting.render(event.title), formatting.count(event.first_step)))
        clear(self.facts)
        for name, fact in event.facts.items():
            self.facts.addRow(text(formatting.render(name), "muted", wrap=False), text(formatting.render(fact)))
        self.facts.addRow(text(self.tr("Kept in"), "muted", wrap=False), text(str(self.run)))

    def _show_step(self, event: StepDone) -> None:
        if event.total_steps:
            share = min(1.0, event.step / event.total_steps)
            before = max(0, len(self._parts_seen) - 1)
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(1000 * (before + share) / max(self.parts, len(self._parts_seen))))
        if not self.outcome:
            self.state.setText(state_line(event))
            self.left.say(formatting.duration(event.seconds_left) or "–", self.tr("Left"))
        self.speed.say(formatting.number(event.pictures_per_second))
        self.step.say(formatting.count(event.step))
        self.epoch.say(formatting.figures(f"{event.epoch:,.1f}"))

    def _take_finish(self, event: RunFinished) -> None:
        self.outcome = event.outcome
        took = formatting.duration(event.seconds)
        if event.outcome == "finished":
            self.bar.setRange(0, 1000)
            self.bar.setValue(1000)
            self.state.setText(self.tr("Finished after {0}").format(took))
        else:
            self.state.setText(
                self.tr("Stopped at step {0}. It is saved and can go on.").format(formatting.count(event.step))
            )
        self.left.say(took or "–", self.tr("Taken"))

    def _add_finding(self, event: Probed | Alarm) -> None:
        if isinstance(event, Probed):
            said = formatting.render(event.text)
            self.add_note(said, warning=event.verdict == "harms")
            return
        self.add_note(alarm_text(event), warning=True)
        self.alarm.say(alarm_text(event))

    def add_note(self, sentence: str, *, warning: bool) -> None:
        """A sentence for the notes."""
        notice = Notice("warning" if warning else "info")
        self.notes.addWidget(notice)
        notice.say(sentence)
        self._count_notes()

    def _count_notes(self) -> None:
        count = self.notes.count()
        title = self.tr("Notes ({0})").format(count) if count else self.tr("Notes")
        self.tabs.setTabText(self.tabs.indexOf(self.notes_tab), title)


def alarm_text(alarm: Alarm) -> str:
    """What is wrong, and the setting that answers it, by its name of today."""
    if not alarm.change:
        return formatting.render(alarm.text)
    key, _, value = alarm.change.partition("=")
    name = current_key(key).rpartition(".")[2].replace("_", " ")
    change: str = formatting.tr("What to change: {0} to {1}.").format(name, value)
    return f"{formatting.render(alarm.text)} {change}"
