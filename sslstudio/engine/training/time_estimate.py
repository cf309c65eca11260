"""How long a pretraining takes on this machine, from what earlier ones or a measurement have shown."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import StepDone
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import BudgetConfig, DataConfig, PretrainConfig, pretrain_from_dict


class Estimate(NamedTuple):
    """Seconds and passes (epochs) that a budget comes to, at so many pictures a second."""

    seconds: float
    epochs: float
    pace: float


def find_speed(runs: Sequence[Path], config: PretrainConfig) -> float | None:
    """Find the pictures a second of the first of `runs` that computed what `config` asks for; None without one."""
    for run in runs:
        with suppress(StudioError, OSError):
            folder = RunFolder.open(run)
            if folder.job == "pretrain" and _alike(pretrain_from_dict(folder.config()), config):
                steps = [event for event in folder.events() if isinstance(event, StepDone)]
                if steps and steps[-1].pictures_per_second > 0:
                    return steps[-1].pictures_per_second
    return None


def _alike(done: PretrainConfig, asked: PretrainConfig) -> bool:
    """Whether a step costs the same. What is left to the program is filled in where a run was made (auto, None)."""
    encoder, stem, side = asked.encoder.name, asked.encoder.stem, asked.data.side
    return (
        done.task == asked.task
        and done.options == asked.options
        and done.optimiser.batch_size == asked.optimiser.batch_size
        and done.hardware.replace(autotune="auto") == asked.hardware.replace(autotune="auto")
        and encoder in ("auto", done.encoder.name)
        and stem in ("auto", done.encoder.stem)
        and side in (None, done.data.side)
    )


def training_pictures(pictures: int, data: DataConfig) -> int:
    """About how many of so many pictures a pretraining learns from."""
    return max(1, round(pictures * (1.0 - data.validation - data.test)))


def estimate(budget: BudgetConfig, pictures: int, batch_size: int, pace: float) -> Estimate:
    """What a budget comes to with so many pictures to train on. Reading them for the first time is not in it."""
    if budget.steps:
        seen = float(budget.steps * min(batch_size, pictures))
    elif budget.epochs:
        seen = float(budget.epochs * pictures)
    else:
        seen = 60.0 * (budget.minutes or 10.0) * pace
    return Estimate(seen / pace, seen / pictures, pace)
