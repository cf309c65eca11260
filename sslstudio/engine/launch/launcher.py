"""Where a run is carried out: in this process, as this process's part of a team, or by a team of child processes."""

from collections.abc import Iterator
from pathlib import Path

from sslstudio.engine.compute.process_group import place
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.launch.child_process import in_child, order_to_resume, order_to_start
from sslstudio.engine.launch.resume import resume
from sslstudio.engine.launch.torchrun import pretrain_together, resume_together
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import FinetuneConfig, PretrainConfig


def started(config: PretrainConfig | FinetuneConfig, control: RunControl, *, apart: bool = False) -> Iterator[Event]:
    """A run from its start. `apart`: in a child process, also when one process is enough."""
    if isinstance(config, FinetuneConfig):
        return in_child(order_to_start("finetune", config), control) if apart else finetune(config, control)
    where = place()
    if where is not None:
        return pretrain_together(config, control, where)
    if apart or config.hardware.processes > 1:
        return in_child(order_to_start("pretrain", config), control)
    return pretrain(config, control)


def resumed(path: Path, control: RunControl, *, apart: bool = False) -> Iterator[Event]:
    """The rest of a run."""
    where = place()
    if where is not None:
        return resume_together(path, control, where)
    order = order_to_resume(RunFolder.open(path))
    return in_child(order, control) if apart or order.processes > 1 else resume(path, control)
