"""What the simple way asks about pictures, runs and results, off the UI thread."""

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.projects.runs import runs_in
from sslstudio.engine.runs.run_folder import RunFolder

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.evaluate.plain_verdict import PlainVerdict
    from sslstudio.engine.training.config import PretrainConfig

ROUNDS = 2  # of a measurement: a third would make it little surer


@dataclass(frozen=True)
class Survey:
    """What is there already, and how fast this machine is: the newest pretraining that came to its end, None without;
    pictures a second, None where a short measurement failed."""

    pretrained: Path | None
    speed: float | None


def survey(
    config: "PretrainConfig", runs: Sequence[Path], measure: bool, control: RunControl
) -> Generator[Preparing, None, Survey]:
    """Look for a pretraining that came to its end, and find out how fast another one would be: as an earlier one was,
    else as measured now, if `measure` says that one is to be made."""
    from sslstudio.engine.pretraining.bench import bench
    from sslstudio.engine.training.time_estimate import find_speed

    yield Preparing(stage=Message("Measuring this computer"), done=0, total=0)
    made = [one for one in runs_in(runs) if one.job == "pretrain"]
    done = (one.path for one in made if one.outcome == "finished" and (one.path / "last.safetensors").exists())
    pretrained = next(done, None)
    if pretrained is not None or not measure:
        return Survey(pretrained, None)
    speed = find_speed([one.path for one in made], config)
    if speed is None:
        with suppress(StudioError):  # it is then said that the time is not known
            speed = (yield from bench(config, control, ROUNDS)).end_to_end
    return Survey(None, speed)


def read_verdict(run: Path, control: RunControl) -> "PlainVerdict | None":
    """Read what became of a fine-tuning, in plain words; None while there is no result."""
    from sslstudio.engine.evaluate.plain_verdict import plain_verdict
    from sslstudio.engine.models.encoders.general import is_general

    folder = RunFolder.open(run)
    metrics, source = folder.finetune_metrics(), str(folder.config().get("source", ""))
    own = source != "scratch" and not is_general(source)
    return plain_verdict(metrics, own=own) if metrics is not None else None
