"""Events on a terminal: progress bars with an ETA, or one JSON line an event."""

import json
import signal
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import (
    Alarm,
    Evaluated,
    Event,
    Note,
    Preparing,
    Probed,
    RunFinished,
    RunStarted,
    Stalled,
    StepDone,
    to_json,
)
from sslstudio.engine.core.messages import Message, duration, neutral
from sslstudio.engine.evaluate.arms import TITLES, arm_title
from sslstudio.engine.runs.metrics import FinetuneMetrics, ScoreInterval, interval_of

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.verdicts.effort import Effort

R = TypeVar("R")
PART_TITLES = {"": Message("Training"), **TITLES}


def say(text: str) -> None:
    """A line for people."""
    sys.stdout.write(neutral(text) + "\n")


@contextmanager
def steered() -> Iterator[RunControl]:
    """A control that Ctrl+C and SIGTERM stop: the run saves its weights and ends. A second Ctrl+C ends at once."""
    control = RunControl()

    def stop(number: int, frame: object) -> None:
        if control.stopping:
            raise KeyboardInterrupt
        control.stop()
        sys.stderr.write("Stopping after this step; what was learnt is kept. Again: at once.\n")

    before = {kind: signal.signal(kind, stop) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield control
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def returned(events: Generator[Event, None, R], as_json: bool) -> R:
    """Show the events of a generator and give back what it returns."""
    result: list[R] = []

    def passing() -> Iterator[Event]:
        result.append((yield from events))

    show(passing(), as_json)
    return result[0]


def show(events: Iterable[Event], as_json: bool) -> Event | None:
    """Draw events as they come; returns the last one."""
    return _show_json(events) if as_json else _Bars().show(events)


def _show_json(events: Iterable[Event]) -> Event | None:
    last = None
    for last in events:
        sys.stdout.write(neutral(to_json(last)) + "\n")
        sys.stdout.flush()
    return last


def print_json(content: Any) -> None:
    """A result as one line of JSON."""
    sys.stdout.write(neutral(json.dumps(content, ensure_ascii=False, default=str)) + "\n")


def _console() -> Console:
    """As wide as the terminal; wide enough for a table when written to a file."""
    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 140)


class _Bars:
    """One bar a stage or part, with what is worth knowing beside it."""

    def __init__(self) -> None:
        self.console = _console()
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
            console=self.console,
        )
        self.bars: dict[str, TaskID] = {}

    def show(self, events: Iterable[Event]) -> Event | None:
        last = None
        with self.progress:
            for last in events:
                self._one(last)
        return last

    def _one(self, event: Event) -> None:
        match event:
            case Preparing():
                self._bar(event.stage, event.done, event.total, "")
            case RunStarted():
                self._print(event.title, style="bold")
                for name, value in event.facts.items():
                    self._print(f"  {name}: {value}")
                self._print(f"  Run folder: {event.run}")
            case StepDone():
                self._bar(
                    str(PART_TITLES.get(event.part, event.part)), event.step, event.total_steps, _step_words(event)
                )
            case Evaluated() if not self.console.is_terminal:
                self._print(f"  step {event.step}, {event.n} held-out pictures: {_metric_words(event)}")
            case Note() | Stalled():
                warns = isinstance(event, Stalled) or event.level == "warning"
                self._print(f"  {'Warning: ' if warns else ''}{event.text}")
            case Probed():
                self._print(f"  Probe at {event.share:.0%}: {event.text}")
            case Alarm():
                self._print(f"  Alarm, {event.name}: {alarm_words(event)}")
            case RunFinished():
                self._print(f"  {event.outcome.capitalize()} after {duration(event.seconds)}.")
            case _:
                pass

    def _print(self, text: str, style: str | None = None) -> None:
        self.progress.console.print(neutral(text), style=style)

    def _bar(self, name: str, done: int, total: int, detail: str) -> None:
        if name not in self.bars:
            self.bars[name] = self.progress.add_task(neutral(name), total=total or None, detail=detail)
        self.progress.update(self.bars[name], completed=done, total=total or None, detail=detail)


def alarm_words(event: Alarm) -> str:
    """What is wrong and the change that answers it."""
    return f"{event.text} Try --set {event.change}" if event.change else event.text


def _step_words(event: StepDone) -> str:
    shown = [f"loss {event.loss:.3f}"]
    for name, value in event.metrics.items():
        chance = f" (chance {event.chance[name]:.3f})" if name in event.chance else ""
        shown.append(f"{name.replace('_', ' ')} {value:.3f}{chance}")
    shown.append(f"{event.pictures_per_second:,.0f} pictures/s")
    shown.append(f"{duration(event.seconds_left) or '…'} left")
    return ", ".join(shown)


def _metric_words(event: Evaluated) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in event.metrics.items())


_MARKS = {"good": "+", "bad": "-", "open": "?"}


def print_result(metrics: FinetuneMetrics, effort: "Effort | None" = None) -> None:
    """The result of a fine-tuning run: the table with intervals and baseline, the ladder of verdicts, the notes.
    effort: how long was trained, where that is known."""
    console = _console()
    table = Table(title=f"{metrics['kind'].capitalize()}: {metrics['n_test']} test pictures")
    table.add_column("")
    for name in metrics["baseline"]:
        table.add_column(_cell(name.replace("_", " ")))
    for part, content in metrics["parts"].items():
        table.add_row(_cell(arm_title(part)), *(_interval(content["scores"][name]) for name in metrics["baseline"]))
    guesses = ["–" if guess is None else f"{guess:.3f}" for guess in metrics["baseline"].values()]
    table.add_row("Always the most frequent class", *guesses)
    if list(metrics["parts"]) == ["pretrained"]:
        table.caption = "Not compared with not pretraining: no twin from scratch."
    console.print(table)
    from sslstudio.engine.verdicts.ladder import climb

    ladder = climb(metrics, effort)
    for rung in ladder.rungs:
        console.print(neutral(f"{_MARKS[rung.state]} {rung.question} {rung.said}"))
    if ladder.then:
        console.print(neutral(f"Next: {ladder.then}"))
    console.print(neutral(metrics["verdict"]))
    for note in metrics["notes"]:
        console.print(neutral(f"Note: {note}"))


def _cell(name: str) -> Text:
    """A name as it is: in a table rich would take [red] for a colour."""
    return Text(neutral(name))


def print_arms(arms: Sequence[tuple[str, ScoreInterval]], winner: str) -> None:
    """What each start got on the same labels and test pictures, the best first, and which one won."""
    console = _console()
    table = Table(title=f"Sample: {arms[0][1]['n']} test pictures")
    table.add_column("Start")
    table.add_column("Balanced accuracy (95 % interval)")
    for title, score in arms:
        table.add_row(title, _interval(score))
    console.print(table)
    console.print(winner)


def _interval(score: ScoreInterval) -> str:
    value, low, high = interval_of(score)
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
