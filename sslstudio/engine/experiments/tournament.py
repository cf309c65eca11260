"""A tournament on a time budget: short runs of every task, ranked by the early probe; the best one goes on.

    for event in tournament(config, control): ...

Successive halving (Jamieson & Talwalkar, AISTATS 2016): in each round every task that is left has the same time, and
the best few go on from their weights. Half of the time finds the winner, the rest is the winner's. A run that goes on
begins its learning rate anew: the cosine of the short run has come to its end.
"""

import json
from collections.abc import Generator, Iterator
from pathlib import Path

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, DataError, StudioError, TaskDoesNotFit
from sslstudio.engine.core.events import Advanced, Event, Note, Preparing
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.messages import Message, from_stored, to_stored
from sslstudio.engine.experiments.config import follow, resolve, set_up_pretraining
from sslstudio.engine.experiments.experiment import Experiment, Strategy
from sslstudio.engine.experiments.experiment_run import DONE, FAILED, REFUSED, ExperimentRun, Spent
from sslstudio.engine.experiments.report import tournament_markdown
from sslstudio.engine.experiments.tables import Entry, TournamentTable
from sslstudio.engine.experiments.tournament_config import (
    LEAST,
    SEARCH,
    TournamentConfig,
    minutes_after,
    round_run,
    round_runs,
    rounds,
    schedule,
    survivors,
    winner_run,
)
from sslstudio.engine.experiments.winner import measure_winner, measured
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import BudgetConfig, PretrainConfig


def tournament(config: TournamentConfig, control: RunControl) -> Iterator[Event]:
    """Play what is left of a tournament. The last event's metrics are the content of tournament.json.

    Raises StudioError in words when the folder holds another tournament, or when no task suits the pictures.
    """
    return Experiment(Tournament, config, control).run()


class Tournament(Strategy[TournamentConfig]):
    """Several processes may share the runs of a round; the next one begins when its last run is settled, because who
    plays there depends on how this one was ranked."""

    counted = False

    def __init__(self, config: TournamentConfig, whole: TournamentConfig | None = None) -> None:
        super().__init__(config, whole)
        tasks = len(config.task_names())
        self.rounds, self.planned = rounds(tasks), schedule(tasks, config.minutes)
        self.runs = [*round_runs(config), winner_run(config)]

    @staticmethod
    def settle(config: TournamentConfig, stored: TournamentConfig | None) -> tuple[TournamentConfig, TournamentConfig]:
        """Nothing can be added to one that is there, but it may go on on another machine."""
        config = config.replace(tasks=config.tasks or tuple(load_tasks()))
        if stored is None:
            config = resolve(config)
            return config, config
        config = follow(config, stored)
        if config.replace(hardware=stored.hardware) != stored:
            raise ConfigError(
                "{out} holds a tournament with other settings (tasks {tasks}; {minutes:g} minutes). Go on "
                "with the same ones, or choose another --out.",
                out=stored.out,
                tasks=stored.tasks,
                minutes=stored.minutes,
            )
        return config, stored

    def count(self) -> tuple[int, int]:
        """As if every task suited, until it is over."""
        settled, planned = super().count()[0], sum(runs for runs, _ in self.planned)
        return settled, settled if self.is_over() else planned

    def facts(self) -> dict[str, str | Message]:
        """The tasks."""
        return {Message("Tasks"): ", ".join(self.config.task_names())}

    def entries(self, number: int) -> list[ExperimentRun]:
        """Who plays in round `number`, counted from 1, once the rounds before it are over."""
        tasks = self.config.task_names()
        if number > 1:
            before = self.entries(number - 1)
            best = survivors(len(before), last=number > self.rounds)
            tasks = [run.source for run in ranking(before)[:best]]
        return [round_run(self.config, number, task) for task in tasks]

    def order(self) -> Iterator[ExperimentRun | Event | None]:
        """Round after round, then the winner. What was played before is told all the same."""
        for number in range(1, self.rounds + 1):
            entries = self.entries(number)
            yield from self._settle_all(entries)
            ranked = ranking(entries)
            if not ranked:
                write_table(self.config)
                raise TaskDoesNotFit(_none_left(entries))
            titles = [_title(run.source) for run in ranked]
            yield Note(level="info", text=Message("Round {number}: {task}", number=number, task=titles))
        yield from self._settle_all([winner_run(self.config, self.entries(self.rounds + 1)[0].source)])

    def _settle_all(self, runs: list[ExperimentRun]) -> Iterator[ExperimentRun | Event | None]:
        """Hand out these runs until each is settled, by this process or by another."""
        for run in runs:
            yield run if run.outcome() is None else self.stand(run)
        while left := [run for run in runs if run.outcome() is None]:
            yield from left
            if all(run.outcome() is None for run in left):
                yield None

    def start(self, run: ExperimentRun, control: RunControl) -> Iterator[Event]:
        """A pretraining that goes on from the weights of the round before."""
        return pretrain(self._pretraining(run), control)

    def _pretraining(self, run: ExperimentRun) -> PretrainConfig:
        before = (run.round or self.rounds + 1) - 1
        base = set_up_pretraining(self.config, run.source, run.path, BudgetConfig())
        weights = str(round_run(self.config, before, run.source).path / "last.safetensors")
        return base.replace(
            budget=BudgetConfig(minutes=max(LEAST, self._minutes(run))),
            encoder=base.encoder.replace(weights=weights if before else base.encoder.weights),
            probe=base.probe.replace(enabled=True),
        )

    def _minutes(self, run: ExperimentRun) -> float:
        """The winner has the rest of the time, but half of that which was meant for it at least."""
        minutes = self.config.minutes
        if run.round:
            return SEARCH * minutes / self.rounds / len(self.entries(run.round))
        spent: float = sum(one.facts().get("seconds", 0.0) for one in round_runs(self.config)) / 60
        return max((1 - SEARCH) / 2 * minutes, minutes - spent)

    def ends_all(self, run: ExperimentRun, error: StudioError) -> bool:
        """When it is the pictures, no task can be played."""
        return isinstance(error, DataError)

    def facts_of(self, outcome: str, seconds: float) -> Spent:
        """How long it took: the winner has the rest."""
        return {"seconds": seconds}

    def tell(self, run: ExperimentRun) -> Note | None:
        """Who does not take part, and why."""
        outcome, task, error = run.outcome(), _title(run.source), run.facts()["words"]
        if outcome == REFUSED:
            return Note(level="info", text=Message("{task} does not suit: {error}", task=task, error=error))
        if outcome == FAILED:
            return Note(level="warning", text=Message("{task} failed: {error}", task=task, error=error))
        return None

    def name_run(self, run: ExperimentRun) -> Message:
        """For people."""
        task = _title(run.source)
        if not run.round:
            return Message("the winner goes on: {task}", task=task)
        return Message("round {number} of {count}: {task}", number=run.round, count=self.rounds, task=task)

    def stand(self, now: ExperimentRun | None) -> Advanced:
        """The table is told as each run is begun."""
        assert now is not None
        before = sum(runs for runs, _ in self.planned[: (now.round or self.rounds + 1) - 1])
        done = before + (self.entries(now.round).index(now) if now.round else 0)
        return Advanced(
            done=done,
            total=sum(runs for runs, _ in self.planned),
            now=self.name_run(now),
            seconds_after=60 * minutes_after(self.planned, done),
            table=dict(write_table(self.config)),
        )

    def conclude(self, control: RunControl) -> Generator[Preparing, None, TournamentTable]:
        """Measure the winner on pictures that no choice has seen; write tournament.json and tournament.md."""
        yield from measure_winner(self.config, control)
        return write_table(self.config)

    def is_over(self) -> bool:
        """Whether there is a winner."""
        return winner_run(self.config).outcome() is not None


def score(run: ExperimentRun) -> tuple[float, float] | None:
    """What a run is ranked by, best first when sorted: the gain of the probe, or of RankMe without labels."""
    metrics = run.folder.pretrain_metrics() if run.outcome() == DONE else None
    probe = metrics.get("probe") if metrics else None
    if not probe:
        return None
    ours, untrained = probe["rank"], probe["untrained_rank"]
    rank = 0.0 if ours is None or untrained is None else ours / max(1e-9, untrained)
    gain = probe["difference"].get("value")
    return (rank, 0.0) if gain is None else (gain, rank)


def ranking(runs: list[ExperimentRun]) -> list[ExperimentRun]:
    """Those that have a score, best first."""
    scored = [(found, run) for run in runs if (found := score(run)) is not None]
    return [run for _, run in sorted(scored, key=lambda pair: pair[0], reverse=True)]


def _title(task: str) -> Message:
    return load_tasks()[task].title


def _none_left(entries: list[ExperimentRun]) -> Message:
    reasons = [
        Message("{task}: {why}", task=_title(run.source), why=run.facts().get("words") or Message("no probe"))
        for run in entries
    ]
    return Message("No task suits these pictures. {reasons:semicolons}", reasons=reasons)


def write_table(config: TournamentConfig) -> TournamentTable:
    """Write tournament.json and tournament.md of what was played so far, and give back the content."""
    tasks = config.task_names()
    winner = winner_run(config)
    played = [_round(config, number, tasks) for number in range(1, rounds(len(tasks)) + 1)]
    content = TournamentTable(
        folder=config.data.folder,
        minutes=config.minutes,
        rounds=[entries for entries in played if entries],
        winner=_entry(winner, _task_of(winner)) if winner.outcome() is not None else None,
        winner_run=str(winner.path) if winner.outcome() == DONE else "",
        measured=measured(config),
    )
    table: TournamentTable = from_stored(to_stored(content))
    out = Path(config.out)
    write_atomic(out / "tournament.json", (json.dumps(to_stored(table), indent=1) + "\n").encode())
    write_atomic(out / "tournament.md", tournament_markdown(table).encode(errors="backslashreplace"))
    return table


def _task_of(run: ExperimentRun) -> str:
    return str(RunFolder(run.path).config()["task"])


def _round(config: TournamentConfig, number: int, tasks: list[str]) -> list[Entry]:
    runs = [round_run(config, number, task) for task in tasks]
    ranked = ranking(runs)
    rest = [run for run in runs if run.outcome() is not None and run not in ranked]
    return [_entry(run, run.source) for run in (*ranked, *rest)]


def _entry(run: ExperimentRun, task: str) -> Entry:
    facts, metrics = run.facts(), run.folder.pretrain_metrics()
    return {
        "task": task,
        "title": _title(task),
        "outcome": facts.get("outcome"),
        "words": facts.get("words", ""),
        "minutes": metrics["seconds"] / 60 if metrics else 0.0,
        "steps": metrics["steps"] if metrics else 0,
        "probe": metrics.get("probe") if metrics else None,
    }
