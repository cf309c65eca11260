"""What a tournament is made of: its config, who plays when, and where each of its runs is kept."""

from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.config import option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.experiments.config import ExperimentConfig
from sslstudio.engine.experiments.experiment_run import ExperimentRun
from sslstudio.engine.images.multi_folder import title_of
from sslstudio.engine.runs.experiment_folder import TOURNAMENT
from sslstudio.engine.tasks.base import load_tasks

SEARCH = 0.5  # share of the time that finds the winner
MANY = 4  # more tasks than this play two rounds
LEAST = 0.05  # minutes of a run

Planned = list[tuple[int, float]]  # for each round: runs, minutes of each


@dataclass(frozen=True, kw_only=True)
class TournamentConfig(ExperimentConfig):
    """Which task is best for these pictures, in the time that there is."""

    job = TOURNAMENT

    minutes: float = option(30.0, "Minutes", "In all.", low=0.2, high=100_000)

    def title(self) -> Message:
        """What it is called, for people."""
        return Message(
            "Tournament on {folder}, {minutes:g} minutes", folder=title_of(self.data.folder), minutes=self.minutes
        )

    def task_names(self) -> list[str]:
        """Those that were named; every task where none was."""
        return super().task_names() or list(load_tasks())


def rounds(tasks: int) -> int:
    """How many rounds find the winner: with few tasks one, in which each has more time."""
    return 2 if tasks > MANY else 1


def survivors(tasks: int, *, last: bool) -> int:
    """How many go on: the winner after the last round, else a quarter, but two or more."""
    return 1 if last else max(2, round(tasks / 4))


def schedule(tasks: int, minutes: float) -> Planned:
    """The rounds, if every task suits; the last one is the winner's."""
    planned: Planned = []
    left, count = tasks, rounds(tasks)
    for number in range(1, count + 1):
        planned.append((left, max(LEAST, SEARCH * minutes / count / left)))
        left = survivors(left, last=number == count)
    return [*planned, (1, (1 - SEARCH) * minutes)]


def minutes_after(planned: Planned, done: int) -> float:
    """What is planned after run number `done`, counted from 0."""
    each = [minutes for runs, minutes in planned for _ in range(runs)]
    return sum(each[done + 1 :])


def round_run(config: TournamentConfig, number: int, task: str) -> ExperimentRun:
    """The run of a task in round `number`, counted from 1."""
    return ExperimentRun(Path(config.out) / f"round-{number}" / task, task, round=number)


def round_runs(config: TournamentConfig) -> list[ExperimentRun]:
    """Every run that there can be, but the winner's."""
    tasks = config.task_names()
    return [round_run(config, number, task) for number in range(1, rounds(len(tasks)) + 1) for task in tasks]


def winner_run(config: TournamentConfig, task: str = "") -> ExperimentRun:
    """The run in which the winner has the rest of the time; its task may not be known yet."""
    return ExperimentRun(Path(config.out) / "winner", task)
