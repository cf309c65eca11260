"""What the window asks of the engine about how long a pretraining takes, and for the line that does the same in a
terminal. These run on other threads: the configs import torch."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing

if TYPE_CHECKING:
    from sslstudio.engine.training.config import PretrainConfig
    from sslstudio.engine.training.time_estimate import Estimate

ROUNDS = 3


def estimate_time(
    config: "PretrainConfig", pictures: int, runs: Sequence[Path], measured: float | None, control: RunControl
) -> "Estimate | None":
    """What the budget comes to: as it was measured, else as an earlier run shows; None where nothing is known."""
    from sslstudio.engine.training.time_estimate import estimate, known_speed, training_pictures

    pace = measured or known_speed(runs, config)
    if pace is None:
        return None
    return estimate(config.budget, training_pictures(pictures, config.data), config.optimiser.batch_size, pace)


def measure_pace(config: "PretrainConfig", control: RunControl) -> Generator[Preparing, None, float]:
    """Measure the pictures a second of this pretraining on this machine, on a part of the pictures."""
    from sslstudio.engine.pretraining.bench import bench

    found = yield from bench(config, control, ROUNDS)
    return found.end_to_end


def line_of(said: Any, control: RunControl) -> str:
    """Write a config, or the words of a command without the empty ones, as a line for a terminal of this system."""
    from sslstudio.engine.report.command_line import command_line, typed

    return typed([str(word) for word in said if str(word)]) if isinstance(said, list) else command_line(said)


def preview_words(config: Any, out: str, count: int, draw: int) -> list[object]:
    """Write the command that draws puzzles of the chosen task. Quick, once the engine is there."""
    from sslstudio.engine.report.command_line import PREVIEW, command_words

    words: list[object] = [*command_words(config.replace(out=out), PREVIEW), "--count", count]
    return [*words, "--draw", draw] if draw else words
