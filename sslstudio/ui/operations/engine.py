"""What the window asks of the engine. These run on other threads, and only here is the engine's torch side imported:
the window stands before torch is loaded.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event, Preparing, RunStarted
from sslstudio.engine.core.messages import Message
from sslstudio.ui.background.runner import Factory
from sslstudio.ui.base import app_settings
from sslstudio.ui.text.formatting import told

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.clinic.clinic import Clinic
    from sslstudio.engine.compute.device import DeviceFound
    from sslstudio.engine.images.index import ImageIndex
    from sslstudio.engine.labels.types import Recognised
    from sslstudio.engine.pretraining.play import Round
    from sslstudio.engine.tasks.base import AnyTask, Puzzle
    from sslstudio.engine.training.config import DataConfig, FinetuneConfig, PretrainConfig


@dataclass(frozen=True)
class TaskFacts:
    """A pretext task as the window shows it."""

    name: str
    title: str
    summary: str
    paper: str
    label_from: str
    helps: str
    fails: str
    config: type[BaseConfig]


@dataclass(frozen=True)
class EngineFacts:
    """What there is to choose from."""

    tasks: dict[str, TaskFacts]
    default: str
    default_for_masks: str
    devices: tuple["DeviceFound", ...]


def load_engine(control: RunControl) -> EngineFacts:
    """Import torch and everything a training needs. The first optimizer imports a further second's worth of modules,
    which would stop the window for moments when a training starts: so make one here."""
    import torch

    from sslstudio.engine.compute import device
    from sslstudio.engine.finetuning import entry as finetune  # noqa: F401  loaded now, used later
    from sslstudio.engine.launch import launcher  # noqa: F401  loaded now, used later
    from sslstudio.engine.pretraining import preview  # noqa: F401  loaded now, used later
    from sslstudio.engine.tasks.base import load_tasks
    from sslstudio.engine.training import config as training_config

    torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.1)
    tasks = load_tasks()
    facts = {name: _facts(name, tasks[name]) for name in tasks}
    return EngineFacts(facts, training_config.DEFAULT_TASK, training_config.DEFAULT_FOR_MASKS, tuple(device.found()))


def _facts(name: str, task: type["AnyTask"]) -> TaskFacts:
    return TaskFacts(
        name, told(task.title), told(task.summary), task.paper, told(task.label_from), told(task.helps),
        told(task.fails), task.Config
    )  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What a scan that goes on has found so far: how many pictures, and the first of them."""

    pictures: int
    first: tuple[Path, ...]


def look_at_folder(
    folder: Path, labels_file: str, control: RunControl
) -> Generator["Preparing | Seen", None, "Recognised"]:
    """Look for the pictures of a folder and the labels beside them."""
    from sslstudio.engine.labels.recognise import recognising

    index = yield from scan_pictures(folder)
    yield Preparing(stage=Message("Looking for labels"), done=0, total=0)
    recognised = yield from recognising(index, labels_file)
    return recognised


def scan_pictures(folder: Path) -> Generator["Preparing | Seen", None, "ImageIndex"]:
    """Look for the pictures of a folder."""
    from sslstudio.engine.images.index import scanning
    from sslstudio.engine.images.multi_folder import root_of

    yield Preparing(stage=Message("Looking for pictures"), done=0, total=0)
    steps, root = scanning(folder), root_of(folder)
    while True:
        try:
            found = next(steps)
        except StopIteration as end:
            index: ImageIndex = end.value
            return index
        yield Seen(found.pictures, tuple(root / path for path in found.first))


def groups_in(paths: Sequence[str], control: RunControl) -> str:
    """Find the rule by which pictures seem to belong together; '' if there is none."""
    from sslstudio.engine.dataset.groups import suggest_groups

    return suggest_groups(paths) or ""


def check_pictures(
    recognised: "Recognised", config: "DataConfig", control: RunControl
) -> Generator[Preparing, None, "ImageIndex"]:
    """Read every picture once, as the training will; the index then knows what cannot be read, and why."""
    from sslstudio.engine.compute import device
    from sslstudio.engine.images.cache.pixel_cache import build_cache
    from sslstudio.engine.training.session import suitable_side

    side = config.side or suitable_side(recognised.pictures, device.choose())
    cache = yield from build_cache(recognised.pictures, side, control=control)
    return cache.index


def puzzles_of(
    config: "PretrainConfig", count: int, draw: int, control: RunControl
) -> Generator[Preparing, None, list["Puzzle"]]:
    """Make puzzles of a task on the user's pictures."""
    from sslstudio.engine.pretraining.preview import PuzzlesReady, preview_puzzles

    puzzles: list[Puzzle] = []
    for said in preview_puzzles(config, count, draw, control):
        if isinstance(said, PuzzlesReady):
            puzzles = said.puzzles
        else:
            yield said
    return puzzles


def round_of(
    config: "PretrainConfig", run: Path | None, count: int, draw: int, control: RunControl
) -> Generator[Preparing, None, "Round"]:
    """Make held-out puzzles to play, with the answers of a run's network if one is given."""
    from sslstudio.engine.pretraining.play import play_round

    return play_round(config, run, count, draw, control)


@dataclass(frozen=True)
class CheckedUp:
    """What the clinic says about a folder, with a drawn example for each finding (uint8 (h, w, 3))."""

    clinic: "Clinic"
    examples: dict[str, Any]


def examine_folder(
    data: "DataConfig", options: dict[str, Any], control: RunControl
) -> Generator[Preparing, None, CheckedUp]:
    """Examine whether the tasks suit the pictures of a folder."""
    from sslstudio.engine.clinic.run import examine

    found = yield from examine(data, options, control)
    return CheckedUp(found.clinic, found.example_sheets())


def pretraining(config: "PretrainConfig") -> Factory:
    """Make a pretraining run for the runner to start."""
    return partial(_start, config, app_settings.apart())


def _start(config: "PretrainConfig | FinetuneConfig", apart: bool, control: RunControl) -> Iterator[Event]:
    from sslstudio.engine.launch.launcher import started

    return started(config, control, apart=apart)


def finetuning(config: "FinetuneConfig") -> Factory:
    """Make a fine-tuning run for the runner to start."""
    return partial(_start, config, app_settings.apart())


def resuming(run: Path) -> Factory:
    """Make the rest of a run for the runner to start."""
    return partial(_resume, run, app_settings.apart())


def _resume(run: Path, apart: bool, control: RunControl) -> Iterator[Event]:
    from sslstudio.engine.launch.launcher import resumed

    return resumed(run, control, apart=apart)


def following(run: Path) -> Factory:
    """Make a run that another process writes, for the runner to watch."""
    return partial(_follow, run)


def _follow(run: Path, control: RunControl) -> Iterator[Event]:
    from sslstudio.engine.runs.follow import follow

    return follow(run, control)


def runs_in(folders: Sequence[Path], control: RunControl) -> list[Any]:
    """List the runs of some folders; what is not there yet is left out."""
    from sslstudio.engine.projects import runs as project_runs

    return project_runs.runs_in(folders)


def events_of(run: Path, control: RunControl) -> list[Event]:
    """Read what a run said; one that has moved since says where it is now."""
    from sslstudio.engine.runs.run_folder import RunFolder

    return [
        replace(event, run=str(run)) if isinstance(event, RunStarted) and Path(event.run).name == run.name else event
        for event in RunFolder.open(run).events()
    ]


def licences(control: RunControl) -> list[tuple[str, str, str]]:
    """List name, version and licence of every part of the program."""
    from sslstudio.engine.about.licences import licences as found

    return [(one.name, one.version, one.licence) for one in found()]


def bug_report(
    file: Path, log: list[str], run: Path | None, places: dict[str, str], pictures: Sequence[str], control: RunControl
) -> Path:
    """Write a bug report and return where it is."""
    from sslstudio.engine.about.bug_report import write_report

    return write_report(file, log, run, places, pictures)


@dataclass(frozen=True)
class RunAbout:
    """A run, the page that shows it (pretrain, finetune or compare), and where its pictures are, or were. `gone`: the
    folder of them that is not there, '' for the only one, and where it was; None when all are there."""

    run: Path
    job: str
    folder: Path
    labels: str
    gone: tuple[str, Path] | None


def about_run(run: Path, control: RunControl) -> RunAbout:
    """Find what a run, a comparison or a tournament needs to be shown."""
    from sslstudio.engine.runs.experiment_folder import experiment_job
    from sslstudio.engine.runs.relink import gone_folder, pictures_folder, settings_of

    config, folder = settings_of(run), pictures_folder(run)
    job = "compare" if experiment_job(run) else str(config.get("job", "pretrain"))
    labels = str(config.get("data", {}).get("labels", ""))
    return RunAbout(run, job, folder, labels, gone_folder(folder))


def relink_run(run: Path, name: str, folder: Path, control: RunControl) -> RunAbout:
    """Write down that its pictures, or those of the folder of this name, have moved to `folder`."""
    from sslstudio.engine.runs.relink import relink, relink_listed

    if name:
        relink_listed(run, name, folder)
    else:
        relink(run, folder)
    return about_run(run, control)


def run_without(run: Path, name: str, control: RunControl) -> RunAbout:
    """Write down that it goes on without the missing folder of this name."""
    from sslstudio.engine.runs.relink import without_listed

    without_listed(run, name)
    return about_run(run, control)
