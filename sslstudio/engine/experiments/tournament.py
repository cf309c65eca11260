"""A tournament on a time budget: short runs of every task, ranked by the early probe; the best one goes on.

    for event in tournament(config, control): ...

Successive halving (Jamieson & Talwalkar, AISTATS 2016): in each round every task that is left has the same time, and
the best few go on from their weights. Half of the time finds the winner, the rest is the winner's. A run that goes on
begins its learning rate anew: the cosine of the short run has come to its end.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sslstudio.engine.core.atomic_files import write_atomic
from sslstudio.engine.core.config import to_dict
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, DataError, RunError, StudioError, TaskDoesNotFit
from sslstudio.engine.core.events import Advanced, CheckpointSaved, Event, Note, Preparing, RunFinished, RunStarted
from sslstudio.engine.core.messages import Message, from_stored, to_stored
from sslstudio.engine.experiments.compare import resolved
from sslstudio.engine.experiments.compare_cells import DONE, FAILED, REFUSED, Place, carried_out
from sslstudio.engine.experiments.compare_config import pretrain_config, tasks_of
from sslstudio.engine.experiments.tournament_config import (
    TournamentConfig,
    place_of,
    places_of,
    stored_tournament,
    winner_place,
)
from sslstudio.engine.experiments.tournament_plan import (
    LEAST,
    SEARCH,
    Planned,
    minutes_after,
    rounds,
    schedule,
    survivors,
)
from sslstudio.engine.experiments.tournament_report import tournament_markdown
from sslstudio.engine.finetuning.label_snapshot import keep_labels
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.experiment_folder import TOURNAMENT, write_study_settings
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import BudgetConfig, PretrainConfig


@dataclass(frozen=True)
class Entry:
    """One run of a round."""

    task: str
    place: Place

    def score(self) -> tuple[float, float] | None:
        """What it is ranked by, best first when sorted: the gain of the probe, or of RankMe without labels."""
        probe = self.place.metrics().get("probe") if self.place.outcome() == DONE else None
        if not probe:
            return None
        rank = probe["rank"] / max(1e-9, probe["untrained_rank"])
        return (probe["difference"]["value"], rank) if probe["difference"] else (rank, 0.0)


def tournament(config: TournamentConfig, control: RunControl) -> Iterator[Event]:
    """Play what is left of a tournament. The last event's metrics are the content of tournament.json.

    Raises StudioError in words when the folder holds another tournament, or when no task suits the pictures.
    """
    began = time.monotonic()
    yield Preparing(stage=Message("Looking for pictures"), done=0, total=0)
    config = _settled(config)
    out = Path(config.out)
    lock = FileLock(out / "tournament.lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(
            "Another process plays the tournament in {out}. Wait for it, or choose another --out.", out=out
        ) from None
    try:
        yield RunStarted(
            job=TOURNAMENT,
            run=config.out,
            title=config.title(),
            facts={Message("Tasks"): ", ".join(tasks_of(config.runs()))},
            total_steps=0,
        )
        kept = yield from keep_labels(out, config.data)
        if kept.note:
            yield Note(level="warning", text=kept.note)
        yield from _play(config.replace(data=kept.data), control)
        table = write_table(config)
    finally:
        lock.release()
    outcome = "finished" if table["winner"] else "stopped"
    yield RunFinished(outcome=outcome, step=0, seconds=time.monotonic() - began, metrics=table)


def _settled(config: TournamentConfig) -> TournamentConfig:
    out = Path(config.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            "The folder {out} cannot be made: {reason}. Choose another one.", out=out, reason=error.strerror
        ) from error
    folder = str(Path(config.data.folder).resolve())
    config = config.replace(tasks=config.runs().tasks, data=config.data.replace(folder=folder))
    stored = stored_tournament(out)
    if stored is not None:
        return _same(config, stored.replace(out=config.out))
    whole = resolved(config.runs())
    config = config.replace(data=whole.data, encoder=whole.encoder)
    write_study_settings(out, TOURNAMENT, to_dict(config))
    return config


def _same(config: TournamentConfig, stored: TournamentConfig) -> TournamentConfig:
    """The stored one on this machine. Raises ConfigError when another one is asked for; `auto` asks for nothing."""
    data = config.data.replace(side=config.data.side or stored.data.side)
    name = stored.encoder.name if config.encoder.name == "auto" else config.encoder.name
    stem = stored.encoder.stem if config.encoder.stem == "auto" else config.encoder.stem
    asked = config.replace(data=data, encoder=config.encoder.replace(name=name, stem=stem))
    if asked.replace(hardware=stored.hardware) != stored:
        raise ConfigError(
            "{out} holds a tournament with other settings (tasks {tasks}; {minutes:g} minutes). Go on "
            "with the same ones, or choose another --out.",
            out=stored.out,
            tasks=stored.tasks,
            minutes=stored.minutes,
        )
    return asked


def _play(config: TournamentConfig, control: RunControl) -> Iterator[Event]:
    tasks = tasks_of(config.runs())
    planned = schedule(len(tasks), config.minutes)
    count = len(planned) - 1
    for number in range(1, count + 1):
        entries = [Entry(task, place_of(config, number, task)) for task in tasks]
        minutes = SEARCH * config.minutes / count / len(entries)
        begun = sum(runs for runs, _ in planned[: number - 1])
        for done, entry in enumerate(entries, start=begun):
            yield _advanced(
                config,
                planned,
                done,
                Message("round {number} of {count}: {task}", number=number, count=count, task=entry.task),
            )
            yield from _do(_round_config(config, entry, number, minutes), entry, control)
            if entry.place.outcome() is None:  # stopped
                return
        ranked = ranking(entries)
        if not ranked:
            write_table(config)
            raise TaskDoesNotFit(_none_left(entries))
        yield Note(
            level="info", text=Message("Round {number}: {task}", number=number, task=(entry.task for entry in ranked))
        )
        tasks = [entry.task for entry in ranked[: survivors(len(entries), last=number == count)]]
    entry = Entry(tasks[0], winner_place(config))
    yield _advanced(
        config, planned, sum(runs for runs, _ in planned[:-1]), Message("the winner goes on: {task}", task=entry.task)
    )
    yield from _do(_winner_config(config, entry), entry, control)


def _advanced(config: TournamentConfig, planned: Planned, done: int, now: str) -> Advanced:
    total, after = sum(runs for runs, _ in planned), 60 * minutes_after(planned, done)
    return Advanced(done=done, total=total, now=now, seconds_after=after, table=write_table(config))


def ranking(entries: list[Entry]) -> list[Entry]:
    """The entries that have a score, best first."""
    scored = [(score, entry) for entry in entries if (score := entry.score()) is not None]
    return [entry for _, entry in sorted(scored, key=lambda pair: pair[0], reverse=True)]


def _none_left(entries: list[Entry]) -> Message:
    reasons = [
        Message("{task}: {why}", task=entry.task, why=entry.place.facts().get("words") or Message("no probe"))
        for entry in entries
    ]
    return Message("No task suits these pictures. {reasons:semicolons}", reasons=reasons)


def _round_config(config: TournamentConfig, entry: Entry, number: int, minutes: float) -> PretrainConfig:
    before = place_of(config, number - 1, entry.task).path / "last.safetensors" if number > 1 else None
    return _run_config(config, entry, minutes, before)


def _winner_config(config: TournamentConfig, entry: Entry) -> PretrainConfig:
    """The rest of the time, but half of that which was meant for it at least."""
    spent = sum(place.facts().get("seconds", 0.0) for place in places_of(config)) / 60
    before = place_of(config, rounds(len(tasks_of(config.runs()))), entry.task).path / "last.safetensors"
    minutes = max((1 - SEARCH) / 2 * config.minutes, config.minutes - spent)
    return _run_config(config, entry, minutes, before)


def _run_config(config: TournamentConfig, entry: Entry, minutes: float, weights: Path | None) -> PretrainConfig:
    base = pretrain_config(config.runs(), entry.task)
    return base.replace(
        out=str(entry.place.path),
        budget=BudgetConfig(minutes=max(LEAST, minutes)),
        encoder=base.encoder.replace(weights=str(weights) if weights else base.encoder.weights),
        probe=base.probe.replace(enabled=True),
    )


def _do(run: PretrainConfig, entry: Entry, control: RunControl) -> Iterator[Event]:
    place = entry.place
    if place.outcome() is not None or not control.proceed():
        return
    began = time.monotonic()
    try:
        for event in carried_out(place, lambda: pretrain(run, control), control):
            if not isinstance(event, (RunFinished, CheckpointSaved)):
                yield event
    except TaskDoesNotFit as error:
        place.note(REFUSED, error.message, seconds=time.monotonic() - began)
        yield Note(level="info", text=Message("{task} does not suit: {error}", task=entry.task, error=error))
        return
    except StudioError as error:
        if isinstance(error, DataError):
            raise  # it is the pictures: no task can be played
        place.note(FAILED, error.message, seconds=time.monotonic() - began)
        yield Note(level="warning", text=Message("{task} failed: {error}", task=entry.task, error=error))
        return
    if place.finished():
        place.note(DONE, seconds=max(time.monotonic() - began, place.metrics()["seconds"]))


def write_table(config: TournamentConfig) -> dict[str, Any]:
    """Write tournament.json and tournament.md of what was played so far, and give back the content."""
    tasks = tasks_of(config.runs())
    winner = winner_place(config)
    played = [_round_rows(config, number, tasks) for number in range(1, rounds(len(tasks)) + 1)]
    table: dict[str, Any] = from_stored(
        to_stored(
            {
                "folder": config.data.folder,
                "minutes": config.minutes,
                "rounds": [rows for rows in played if rows],
                "winner": _winner(winner),
                "winner_run": str(winner.path) if winner.outcome() == DONE else "",
            }
        )
    )
    out = Path(config.out)
    write_atomic(out / "tournament.json", (json.dumps(to_stored(table), indent=1) + "\n").encode())
    write_atomic(out / "tournament.md", tournament_markdown(table).encode(errors="backslashreplace"))
    return table


def _winner(place: Place) -> dict[str, Any] | None:
    if place.outcome() is None:
        return None
    task = str(RunFolder(place.path).config()["task"])
    return _line(task, place)


def _round_rows(config: TournamentConfig, number: int, tasks: list[str]) -> list[Mapping[str, Any]]:
    entries = [Entry(task, place_of(config, number, task)) for task in tasks]
    ranked = ranking(entries)
    rest = [entry for entry in entries if entry.place.outcome() is not None and entry not in ranked]
    return [_line(entry.task, entry.place) for entry in (*ranked, *rest)]


def _line(task: str, place: Place) -> dict[str, Any]:
    facts, metrics = place.facts(), place.metrics()
    return {
        "task": task,
        "title": load_tasks()[task].title,
        "outcome": facts.get("outcome"),
        "words": facts.get("words", ""),
        "minutes": metrics.get("seconds", 0.0) / 60,
        "steps": metrics.get("steps", 0),
        "probe": metrics.get("probe"),
    }
