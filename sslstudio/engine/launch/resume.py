"""Go on with a run that was stopped or killed."""

from collections.abc import Iterator
from pathlib import Path

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Event, RunFinished
from sslstudio.engine.finetuning.entry import resume_finetune
from sslstudio.engine.pretraining.run import resume_pretrain
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.runs.writer_lock import refuse_second_writer
from sslstudio.engine.training.config import pretrain_from_dict


def resume(path: Path, control: RunControl) -> Iterator[Event]:
    """The rest of a run, from its last checkpoint. Raises DataError when it is no run or is finished."""
    run = unfinished(path)
    if run.job == "finetune":
        yield from resume_finetune(run, control)
    else:
        yield from resume_pretrain(run, pretrain_from_dict({**run.config(), "out": str(path)}), control)


def unfinished(path: Path) -> RunFolder:
    """A run that has something left to do. Raises DataError when it is no run or is finished.

    RunError while another process writes it.
    """
    run = RunFolder.open(path)
    refuse_second_writer(path)
    events = run.events()
    if events and isinstance(events[-1], RunFinished) and events[-1].outcome == "finished":
        raise DataError(
            "{path} is finished: there is nothing left to do. Start another run to train longer.", path=path
        )
    return run
