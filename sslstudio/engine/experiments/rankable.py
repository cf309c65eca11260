"""Whether a tournament can rank its tasks in the time that it has, known before it starts where this machine is."""

from collections.abc import Sequence
from pathlib import Path

from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.experiments.config import set_up_pretraining
from sslstudio.engine.experiments.tournament_config import TournamentConfig, schedule
from sslstudio.engine.training.config import BudgetConfig
from sslstudio.engine.training.time_estimate import find_speed
from sslstudio.engine.verdicts.effort import FEWEST_STEPS

FEWEST_TASKS = 2


def rank_problem(config: TournamentConfig, runs: Sequence[Path]) -> Message:
    """Why a tournament could only draw lots, and what could be done; '' where it can rank, or nothing is known.

    runs: earlier ones, newest first, which show how fast this machine is.
    """
    tasks = config.task_names()
    rates = [rate for task in tasks if (rate := _steps_a_minute(config, task, runs)) is not None]
    if not rates:
        return NOTHING
    slowest = min(rates)
    return short_rounds(len(tasks), config.minutes, slowest)


def short_rounds(tasks: int, minutes: float, steps_a_minute: float) -> Message:
    """The same for so many tasks in so many minutes, with what the slowest of them does in one."""
    each = schedule(tasks, minutes)[0][1]
    steps = each * steps_a_minute
    if steps >= FEWEST_STEPS:
        return NOTHING
    fewer = [count for count in range(FEWEST_TASKS, tasks)
             if schedule(count, minutes)[0][1] * steps_a_minute >= FEWEST_STEPS]  # fmt: skip
    longer = 60 * minutes * FEWEST_STEPS / max(1e-9, steps)
    said = Message(
        "{tasks} tasks would have {time:duration} each, about {steps:,.0f} {steps:plural(step|steps)} of the slowest: "
        "they could not be ranked, and the winner would be chance. Give it about {longer:duration}",
        tasks=tasks,
        time=60 * each,
        steps=round(steps),
        longer=longer,
    )
    if not fewer:
        return Message("{said}.", said=said)
    return Message("{said}, or choose {fewer} tasks.", said=said, fewer=fewer[-1])


def _steps_a_minute(config: TournamentConfig, task: str, runs: Sequence[Path]) -> float | None:
    asked = set_up_pretraining(config, task, Path(config.out), BudgetConfig())
    pace = find_speed(runs, asked)
    return None if pace is None else 60 * pace / asked.optimiser.batch_size
