"""Comparisons and tournaments alike: run, listed, opened, how far they are, and what became of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError, StudioError
from sslstudio.engine.core.events import Event, RunFinished
from sslstudio.engine.core.files.checked_files import read_json
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.experiments.compare import Comparison, compare
from sslstudio.engine.experiments.compare_config import CompareConfig
from sslstudio.engine.experiments.config import stored_config
from sslstudio.engine.experiments.experiment_run import FAILED, REFUSED
from sslstudio.engine.experiments.tournament import Tournament, tournament
from sslstudio.engine.experiments.tournament_config import TournamentConfig
from sslstudio.engine.runs.experiment_folder import CONFIGS, TABLES

AnyConfig = CompareConfig | TournamentConfig


def strategy_of(config: AnyConfig) -> Comparison | Tournament:
    """What an experiment of this config is."""
    return Comparison(config) if isinstance(config, CompareConfig) else Tournament(config)


def run_experiment(config: AnyConfig, control: RunControl) -> Iterator[Event]:
    """Do what is left of an experiment of either kind."""
    return compare(config, control) if isinstance(config, CompareConfig) else tournament(config, control)


@dataclass(frozen=True)
class ExperimentSummary:
    """One comparison or tournament, for lists. `modified` is in seconds since 1970."""

    path: Path
    job: str
    tasks: tuple[str, ...]
    outcome: str  # finished, stopped or damaged
    modified: float


@dataclass(frozen=True)
class OpenedExperiment:
    """What a comparison or tournament was told, and its table as far as it goes ({} where nothing is done)."""

    path: Path
    config: AnyConfig
    table: Mapping[str, object]


def list_experiments(folder: Path, job: str) -> list[ExperimentSummary]:
    """Those of one job that lie in a folder, newest first; none where there is no folder."""
    found = [_summary(file.parent, job) for file in folder.glob(f"*/{CONFIGS[job]}")]
    return sorted(found, key=lambda one: one.modified, reverse=True)


def _summary(path: Path, job: str) -> ExperimentSummary:
    when = (path / CONFIGS[job]).stat().st_mtime
    try:
        opened = open_experiment(path)
        done = strategy_of(opened.config).is_over()
    except StudioError:
        return ExperimentSummary(path, job, (), "damaged", when)
    return ExperimentSummary(path, job, opened.config.tasks, "finished" if done else "stopped", when)


def open_experiment(path: Path) -> OpenedExperiment:
    """Raises RunError when the folder holds neither, or when its table is damaged."""
    config = stored_config(CompareConfig, path) or stored_config(TournamentConfig, path)
    if config is None:
        raise RunError("{path} holds no comparison and no tournament.", path=path)
    file = path / TABLES[config.job]
    try:
        table = read_json(file, dict[str, Any], advice=Message("Remove it; going on writes it anew."))
    except FileNotFoundError:
        table = {}
    return OpenedExperiment(path, config.replace(out=str(path)), table)


@dataclass(frozen=True)
class Stand:
    """How far a comparison or tournament is: runs that are settled, those of them that came to nothing, and all."""

    job: str
    title: str
    settled: int
    refused: int
    failed: int
    total: int


def stand_of(path: Path) -> Stand:
    """From what its folder holds. Raises RunError as `open_experiment` does."""
    strategy = strategy_of(open_experiment(path).config)
    outcomes = [run.outcome() for run in strategy.runs]
    done, total = strategy.count()
    config = strategy.config
    return Stand(config.job, config.title(), done, outcomes.count(REFUSED), outcomes.count(FAILED), total)


def what_became(path: Path, end: RunFinished) -> Message:
    """How it ended, in a sentence for whoever comes back: 'Ran 7 h 12 min, 65 of 65 runs done, nothing lost.'"""
    stand = stand_of(path)
    done, total = stand.settled, stand.total
    stopped = Message("stopped with {done:,} of {total:,} runs done", done=done, total=total)
    parts = [
        Message("Ran {seconds:duration}", seconds=end.seconds),
        Message("{done:,} of {total:,} runs done", done=done, total=total) if end.outcome == "finished" else stopped,
        Message("{refused:,} did not suit the pictures", refused=stand.refused) if stand.refused else NOTHING,
        Message("{failed:,} failed", failed=stand.failed) if stand.failed else NOTHING,
        Message("nothing lost"),
    ]
    return Message("{parts}.", parts=[part for part in parts if part])
