"""Where a run is carried out: in this process, as this process's part of a team, or by a team of child processes."""

from collections.abc import Iterator
from pathlib import Path

from sslstudio.engine.control import RunControl
from sslstudio.engine.distributed import place
from sslstudio.engine.events import Event
from sslstudio.engine.runs.store import RunFolder
from sslstudio.engine.train.child import in_child, order_to_resume, order_to_start
from sslstudio.engine.train.pretrain import pretrain
from sslstudio.engine.train.resume import resume
from sslstudio.engine.train.settings import PretrainConfig
from sslstudio.engine.train.together import pretrain_together, resume_together


def started(config: PretrainConfig, control: RunControl) -> Iterator[Event]:
    """A pretraining from its start."""
    where = place()
    if where is not None:
        return pretrain_together(config, control, where)
    if config.hardware.processes > 1:
        return in_child(order_to_start("pretrain", config), control)
    return pretrain(config, control)


def resumed(path: Path, control: RunControl) -> Iterator[Event]:
    """The rest of a run."""
    where = place()
    if where is not None:
        return resume_together(path, control, where)
    order = order_to_resume(RunFolder.open(path))
    return in_child(order, control) if order.processes > 1 else resume(path, control)
