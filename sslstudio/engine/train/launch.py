"""Where a pretraining is carried out: in this process, or as this process's part of a team."""

from collections.abc import Iterator
from pathlib import Path

from sslstudio.engine.control import RunControl
from sslstudio.engine.distributed import place
from sslstudio.engine.events import Event
from sslstudio.engine.train.pretrain import pretrain
from sslstudio.engine.train.resume import resume
from sslstudio.engine.train.settings import PretrainConfig
from sslstudio.engine.train.together import pretrain_together, resume_together


def started(config: PretrainConfig, control: RunControl) -> Iterator[Event]:
    """A pretraining from its start."""
    where = place()
    return pretrain(config, control) if where is None else pretrain_together(config, control, where)


def resumed(path: Path, control: RunControl) -> Iterator[Event]:
    """The rest of a run."""
    where = place()
    return resume(path, control) if where is None else resume_together(path, control, where)
