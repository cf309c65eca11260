"""What the window asks of the engine about runs. These run on other threads; see engine.py."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Event, Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.ui.text.formatting import told

if TYPE_CHECKING:
    from sslstudio.engine.finetuning.split_policy import Leak
    from sslstudio.engine.labels.types import Recognised
    from sslstudio.engine.runs.queue import Waiting
    from sslstudio.engine.training.config import DataConfig


def strip(sheet: Path, control: RunControl) -> Any:
    """Lay the puzzles of a sheet of answers side by side, uint8 (h, w, 3)."""
    import numpy as np
    from PIL import Image

    from sslstudio.engine.pretraining.animation import strip_of

    with Image.open(sheet) as file:
        return np.asarray(strip_of(file))


def film(run: Path, out: Path, control: RunControl) -> Generator[Preparing, None, Path]:
    """Write the film of a run; where it is. A name without .gif gets it, and then replaces nothing."""
    from sslstudio.engine.pretraining.animation import write_film
    from sslstudio.engine.runs.run_folder import RunFolder

    if out.suffix.lower() != ".gif":
        out = out.with_name(f"{out.name}.gif")
        if out.exists():  # nobody was asked about this name
            raise DataError("{out} exists already. Choose another name.", out=out)
    yield from write_film(RunFolder.open(run), out)
    return out


def use_weights(run: Path, which: str, control: RunControl) -> None:
    """Choose the weights of a run that others start from: best or last."""
    from sslstudio.engine.runs.run_folder import RunFolder

    RunFolder.open(run).use_weights(which)


def set_aside(run: Path, control: RunControl) -> Path:
    """Move a run out of the list; where it is."""
    from sslstudio.engine.runs.trash import set_aside as move

    return move(run)


def bring_back(place: Path, control: RunControl) -> Path:
    """Undo `set_aside`; where the run is again."""
    from sslstudio.engine.runs.trash import bring_back as move

    return move(place)


def remove(place: Path) -> None:
    """Remove a run that was set aside, at once: the window is closing."""
    from sslstudio.engine.runs.trash import remove as delete

    delete(place)


def events_of(runs: Sequence[Path], control: RunControl) -> dict[Path, list[Event]]:
    """Read the events of several runs."""
    from sslstudio.engine.runs.run_folder import RunFolder

    return {run: RunFolder.open(run).events() for run in runs}


def summary_of(run: Path, control: RunControl) -> str:
    """Say what became of a run, in a sentence."""
    from sslstudio.engine.runs.run_folder import RunFolder
    from sslstudio.engine.runs.summary import summary

    return told(summary(RunFolder.open(run).events()))


def start_waiting(waiting: "Waiting", control: RunControl) -> Iterator[Event]:
    """Start a run that waited."""
    from sslstudio.engine.finetuning.entry import finetune
    from sslstudio.engine.pretraining.run import pretrain
    from sslstudio.engine.training.config import finetune_from_dict, pretrain_from_dict

    values = {key: value for key, value in waiting.config.items() if key != "job"}
    if waiting.job == "finetune":
        return finetune(finetune_from_dict(values), control)
    return pretrain(pretrain_from_dict(values), control)


def config_of(job: str, config: Any) -> dict[str, Any]:
    """Give a config the form that the queue keeps: what config.toml will hold. Quick, once the engine is there."""
    from sslstudio.engine.training.config import config_dict

    return config_dict(job, config)


def title_of(config: Any) -> Message:
    """Name a pretraining or a fine-tuning in the queue: in English, as in every record."""
    from sslstudio.engine.evaluate.verdict import KINDS
    from sslstudio.engine.images import multi_folder
    from sslstudio.engine.tasks.base import load_tasks

    task = getattr(config, "task", "")
    what = load_tasks()[task].title if task else KINDS[config.kind]
    return Message("{what} on {folder}", what=what, folder=multi_folder.title_of(config.data.folder))


@dataclass(frozen=True)
class Interrupted:
    """A run that has no end, `done` of its `total` steps; a comparison or tournament, `done` of its `total` runs."""

    run: Path
    job: str
    title: str
    done: int
    total: int


def interrupted_run(run: Path, control: RunControl) -> Interrupted | None:
    """Find out whether this is a run without an end but with a checkpoint, or a comparison or tournament with something
    left; None otherwise."""
    from sslstudio.engine.runs.experiment_folder import experiment_job
    from sslstudio.engine.runs.run_folder import summary_of

    if experiment_job(run):
        from sslstudio.engine.experiments.catalogue import stand_of

        stand = stand_of(run)
        left = stand.settled < stand.total
        return Interrupted(run, stand.job, stand.title, stand.settled, stand.total) if left else None
    found = summary_of(run)
    if found is None or found.outcome != "interrupted" or not any(run.rglob("*last.safetensors")):
        return None  # in a cross-validation the weights lie in its folds
    return Interrupted(run, found.job, found.title, found.step, found.total_steps)


def split_leak(recognised: "Recognised", config: "DataConfig", folders: Sequence[Path], control: RunControl) -> "Leak":
    """Find the tests of the runs in some folders that a training with this split would spoil."""
    from sslstudio.engine.finetuning.split_policy import leak_of
    from sslstudio.engine.runs.run_folder import run_folders

    return leak_of(recognised, config, [run for folder in folders for run in run_folders(folder)])


def split_of_source(run: Path, config: "DataConfig") -> dict[str, Any]:
    """Read the settings by which a pretraining on the same pictures set them apart, where `config` has others, by
    option. Reads one small file."""
    from sslstudio.engine.finetuning.split_policy import SETTINGS
    from sslstudio.engine.runs.run_folder import RunFolder
    from sslstudio.engine.training.config import pretrain_from_dict

    theirs = pretrain_from_dict(RunFolder.open(run).config()).data
    if Path(theirs.folder).resolve() != Path(config.folder).resolve():
        return {}
    return {name: getattr(theirs, name) for name in SETTINGS if getattr(theirs, name) != getattr(config, name)}
