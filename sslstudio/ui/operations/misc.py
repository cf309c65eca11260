"""What the window asks of the engine about how long a pretraining takes. These run on other threads."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing

if TYPE_CHECKING:
    from sslstudio.engine.training.config import PretrainConfig
    from sslstudio.engine.training.time_estimate import Estimate

ROUNDS = 3


def estimated(
    config: "PretrainConfig", pictures: int, runs: Sequence[Path], measured: float | None, control: RunControl
) -> "Estimate | None":
    """What the budget comes to: as it was measured, else as an earlier run shows; None where nothing is known."""
    from sslstudio.engine.training.time_estimate import estimate, known_pace, trained_on

    pace = measured or known_pace(runs, config)
    if pace is None:
        return None
    return estimate(config.budget, trained_on(pictures, config.data), config.optimiser.batch_size, pace)


def measured_pace(config: "PretrainConfig", control: RunControl) -> Generator[Preparing, None, float]:
    """Pictures a second of this pretraining on this machine, tried on a part of the pictures."""
    from sslstudio.engine.pretraining.bench import bench

    found = yield from bench(config, control, ROUNDS)
    return found.end_to_end
