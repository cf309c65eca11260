"""Start a run, or go on with one: in this process, as one rank of a process group, or in child processes."""

from collections.abc import Iterator
from pathlib import Path

from sslstudio.engine.compute.process_group import rank_info
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event
from sslstudio.engine.finetuning.entry import finetune, resume_finetune
from sslstudio.engine.launch.child_process import in_child, order_to_resume, order_to_start
from sslstudio.engine.launch.torchrun import pretrain_together, resume_together
from sslstudio.engine.pretraining.run import pretrain, resume_pretrain
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import FinetuneConfig, PretrainConfig, pretrain_from_dict


def start_run(
    config: PretrainConfig | FinetuneConfig, control: RunControl, *, apart: bool = False, restarts: int = 1
) -> Iterator[Event]:
    """Start a run. `apart`: in a child process, also when one process is enough; `restarts`: how often a child that
    died is started again without being asked."""
    if isinstance(config, FinetuneConfig):
        order = order_to_start("finetune", config)
        return in_child(order, control, restarts) if apart else finetune(config, control)
    where = rank_info()
    if where is not None:
        return pretrain_together(config, control, where)
    if apart or config.hardware.processes > 1:
        return in_child(order_to_start("pretrain", config), control, restarts)
    return pretrain(config, control)


def resume_run(path: Path, control: RunControl, *, apart: bool = False, restarts: int = 1) -> Iterator[Event]:
    """Do the rest of a run. `apart` and `restarts` as in `start_run`."""
    where = rank_info()
    if where is not None:
        return resume_together(path, control, where)
    order = order_to_resume(RunFolder.open(path))
    return in_child(order, control, restarts) if apart or order.processes > 1 else resume(path, control)


def resume(path: Path, control: RunControl) -> Iterator[Event]:
    """The rest of a run, from its last checkpoint. Raises DataError when it is no run or is finished."""
    run = RunFolder.open_unfinished(path)
    if run.job == "finetune":
        yield from resume_finetune(run, control)
    else:
        yield from resume_pretrain(run, pretrain_from_dict({**run.config(), "out": str(path)}), control)
