"""What the window asks about runs and experiments, their time and their commands, off the UI thread."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, StudioError
from sslstudio.engine.core.events import Event, Preparing, RunFinished, RunStarted
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images import multi_folder
from sslstudio.engine.projects.runs import runs_in
from sslstudio.engine.runs import relink
from sslstudio.engine.runs.experiment_folder import experiment_job
from sslstudio.engine.runs.queue import Waiting
from sslstudio.engine.runs.run_folder import RunFolder, run_folders, summary_of
from sslstudio.engine.runs.summary import summary
from sslstudio.ui.text.formatting import render

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.experiments.catalogue import ExperimentSummary
    from sslstudio.engine.experiments.tournament_config import TournamentConfig
    from sslstudio.engine.finetuning.split_policy import Leak
    from sslstudio.engine.labels.types import Recognised
    from sslstudio.engine.training.config import DataConfig, PretrainConfig
    from sslstudio.engine.training.time_estimate import Estimate
    from sslstudio.engine.verdicts.ladder import Ladder


def read_events(run: Path, control: RunControl) -> list[Event]:
    """Read what a run said; one that has moved since says where it is now."""
    return [
        replace(event, run=str(run)) if isinstance(event, RunStarted) and Path(event.run).name == run.name else event
        for event in RunFolder.open(run).events()
    ]


def read_events_of(runs: Sequence[Path], control: RunControl) -> dict[Path, list[Event]]:
    """Read the events of several runs."""
    return {run: RunFolder.open(run).events() for run in runs}


@dataclass(frozen=True)
class RunAbout:
    """A run, the page that shows it (pretrain, finetune or compare), and where its pictures are, or were. `gone`: the
    folder of them that is not there, '' for the only one, and where it was; None when all are there."""

    run: Path
    job: str
    folder: Path
    labels: str
    gone: tuple[str, Path] | None


def describe_run(run: Path, control: RunControl) -> RunAbout:
    """Find what a run, a comparison or a tournament needs to be shown."""
    config, folder = relink.settings_of(run), relink.pictures_folder(run)
    job = "compare" if experiment_job(run) else str(config.get("job", "pretrain"))
    labels = str(config.get("data", {}).get("labels", ""))
    return RunAbout(run, job, folder, labels, relink.gone_folder(folder))


def relink_run(run: Path, name: str, folder: Path, control: RunControl) -> RunAbout:
    """Write down that its pictures, or those of the folder of this name, have moved to `folder`."""
    if name:
        relink.relink_listed(run, name, folder)
    else:
        relink.relink(run, folder)
    return describe_run(run, control)


def leave_out_folder(run: Path, name: str, control: RunControl) -> RunAbout:
    """Write down that it goes on without the missing folder of this name."""
    relink.without_listed(run, name)
    return describe_run(run, control)


def summarise_run(run: Path, control: RunControl) -> str:
    """Say what became of a run, in a sentence."""
    return render(summary(RunFolder.open(run).events()))


def run_kind(run: Path) -> str:
    """Say what a fine-tuning answers: classification or segmentation; '' where that cannot be read."""
    with suppress(StudioError, OSError):
        return str(RunFolder.open(run).config().get("kind", ""))
    return ""


def judge_run(run: Path, control: RunControl) -> "Ladder | None":
    """Say what a run shows, question by question; None while it has no result."""
    from sslstudio.engine.verdicts.effort import read_effort
    from sslstudio.engine.verdicts.ladder import judge

    metrics = RunFolder.open(run).metrics()
    return None if metrics is None else judge(metrics, read_effort(run))


def read_answers(sheet: Path, control: RunControl) -> Any:
    """The puzzles of a sheet of answers, a list of the engine's `Answer`."""
    from PIL import Image

    from sslstudio.engine.pretraining.animation import answers_of

    with Image.open(sheet) as file:
        return answers_of(file)


def write_film(run: Path, out: Path, control: RunControl) -> Generator[Preparing, None, Path]:
    """Write the film of a run; where it is. A name without .gif gets it, and then replaces nothing."""
    from sslstudio.engine.pretraining import animation

    if out.suffix.lower() != ".gif":
        out = out.with_name(f"{out.name}.gif")
        if out.exists():  # nobody was asked about this name
            raise DataError("{out} exists already. Choose another name.", out=out)
    yield from animation.write_film(RunFolder.open(run), out)
    return out


def not_begun(run: Path, config: dict[str, Any]) -> bool:
    """Say whether a folder holds nothing but the beginning of the run with these settings, left by a process that died
    before its first step: that run is then done there."""
    try:
        if not (run / "config.toml").is_file():
            return run.is_dir() and not any(run.iterdir())
        folder = RunFolder.open_unfinished(run)
        there = folder.config()
        same = all(there.get(name) == value for name, value in config.items() if value is not None)
        return same and not any(isinstance(event, RunStarted) for event in folder.events())
    except (StudioError, OSError):
        return False


def start_waiting(waiting: Waiting, apart: bool, control: RunControl) -> Iterator[Event]:
    """Start a run that waited. Nobody may be there to be asked, so a process that dies is started once more."""
    from sslstudio.engine.launch.launcher import resume_run, start_run
    from sslstudio.engine.training.config import finetune_from_dict, pretrain_from_dict

    out = Path(str(waiting.config.get("out", "")))
    if (out / "config.toml").is_file() and not_begun(out, waiting.config):
        return resume_run(out, control, apart=apart)
    values = {key: value for key, value in waiting.config.items() if key != "job"}
    if waiting.job == "finetune":
        _check_source(str(values.get("source", "")))
        return start_run(finetune_from_dict(values), control, apart=apart)
    return start_run(pretrain_from_dict(values), control, apart=apart)


def _check_source(source: str) -> None:
    """Raises DataError when a run that was to end before this one left nothing to start from."""
    path = Path(source)
    if path.is_absolute() and not path.is_file() and not (path / "last.safetensors").exists():
        raise DataError(
            "The run that it was to start from, {name}, has left no weights: it failed or was taken out. Choose "
            "another start, and queue it again.",
            name=path.name,
        )


def name_run(config: Any) -> Message:
    """Name a pretraining or a fine-tuning in the queue: in English, as in every record."""
    from sslstudio.engine.evaluate.verdict import KINDS
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
    saved: bool = False  # it was stopped, and not cut off


def find_interrupted(run: Path, control: RunControl) -> Interrupted | None:
    """Find out whether this is a run that can go on from a checkpoint, or a comparison or tournament with something
    left; None otherwise."""
    if experiment_job(run):
        from sslstudio.engine.experiments.catalogue import stand_of

        stand = stand_of(run)
        left = stand.settled < stand.total
        return Interrupted(run, stand.job, stand.title, stand.settled, stand.total) if left else None
    found = summary_of(run)
    if found is None or found.outcome not in ("interrupted", "stopped") or not any(run.rglob("*last.safetensors")):
        return None  # in a cross-validation the weights lie in its folds
    saved = found.outcome == "stopped"
    return Interrupted(run, found.job, found.title, found.step, found.total_steps, saved)


def find_leak(recognised: "Recognised", config: "DataConfig", folders: Sequence[Path], control: RunControl) -> "Leak":
    """Find the tests of the runs in some folders that a training with this split would spoil."""
    from sslstudio.engine.finetuning.split_policy import leak_of

    return leak_of(recognised, config, [run for folder in folders for run in run_folders(folder)])


def find_split_of_source(run: Path, config: "DataConfig") -> dict[str, Any]:
    """Read the settings by which a pretraining on the same pictures set them apart, where `config` has others, by
    option. Reads one small file."""
    from sslstudio.engine.finetuning.split_policy import SETTINGS
    from sslstudio.engine.training.config import pretrain_from_dict

    theirs = pretrain_from_dict(RunFolder.open(run).config()).data
    if Path(theirs.folder).resolve() != Path(config.folder).resolve():
        return {}
    return {name: getattr(theirs, name) for name in SETTINGS if getattr(theirs, name) != getattr(config, name)}


def collect_experiments(places: Sequence[Path], job: str, control: RunControl) -> "list[ExperimentSummary]":
    """List the comparisons or tournaments of a folder, newest first, and then older ones, each in its own folder."""
    from sslstudio.engine.experiments.catalogue import list_experiments

    older = places[1:]
    elsewhere = [one for parent in sorted({place.parent for place in older}) for one in list_experiments(parent, job)]
    return [*list_experiments(places[0], job), *(one for one in elsewhere if one.path in older)]


def summarise_experiment(out: Path, end: RunFinished, control: RunControl) -> str:
    """Say how a comparison or tournament ended, in a sentence."""
    from sslstudio.engine.experiments import catalogue

    return render(catalogue.what_became(out, end))


def estimate_time(
    config: "PretrainConfig", pictures: int, runs: Sequence[Path], measured: float | None, control: RunControl
) -> "Estimate | None":
    """What the budget comes to: as it was measured, else as an earlier run shows; None where nothing is known."""
    from sslstudio.engine.training.time_estimate import estimate, find_speed, training_pictures

    pace = measured or find_speed(runs, config)
    if pace is None:
        return None
    return estimate(config.budget, training_pictures(pictures, config.data), config.optimiser.batch_size, pace)


def warn_short(found: "Estimate", batch_size: int) -> str:
    """Say before it starts that a pretraining will be too short to conclude anything from; '' where it is not."""
    from sslstudio.engine.verdicts.effort import warn_before

    return warn_before(found.epochs, found.seconds * found.pace / max(1, batch_size), found.seconds)


def find_rank_problem(config: "TournamentConfig", folders: Sequence[Path], control: RunControl) -> str:
    """Say why a tournament could not rank its tasks in its time; '' where it can, or nothing is known of the speed."""
    from sslstudio.engine.experiments.rankable import rank_problem

    return rank_problem(config, [run.path for run in runs_in(folders) if run.job == "pretrain"])


def write_command(said: Any, control: RunControl) -> str:
    """Write a config, or the words of a command without the empty ones, as a line for a terminal of this system."""
    from sslstudio.engine.report.command_line import command_line, typed

    return typed([str(word) for word in said if str(word)]) if isinstance(said, list) else command_line(said)


def word_preview(config: Any, out: str, count: int, draw: int) -> list[object]:
    """Write the command that draws puzzles of the chosen task. Quick, once the engine is there."""
    from sslstudio.engine.report.command_line import PREVIEW, command_words

    words: list[object] = [*command_words(config.replace(out=out), PREVIEW), "--count", count]
    return [*words, "--draw", draw] if draw else words
