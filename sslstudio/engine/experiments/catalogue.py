"""The comparisons and tournaments in a folder: listed, opened, and what another one would take."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslstudio.engine.core.errors import RunError, StudioError
from sslstudio.engine.core.events import RunFinished
from sslstudio.engine.core.messages import NOTHING, Message, from_stored
from sslstudio.engine.experiments.compare import resolved, stored_config
from sslstudio.engine.experiments.compare_cells import FAILED, REFUSED
from sslstudio.engine.experiments.compare_config import CompareConfig, tasks_of
from sslstudio.engine.experiments.plan import Ahead, ahead, settled, timed_cell, units_of
from sslstudio.engine.experiments.tournament_config import TournamentConfig, places_of, stored_tournament, winner_place
from sslstudio.engine.experiments.tournament_plan import schedule
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.runs.experiment_folder import COMPARE, CONFIGS, TABLES, TOURNAMENT


@dataclass(frozen=True)
class StudySummary:
    """One comparison or tournament, for lists. `modified` is in seconds since 1970."""

    path: Path
    job: str
    tasks: tuple[str, ...]
    outcome: str  # finished, stopped or damaged
    modified: float


@dataclass(frozen=True)
class OpenedStudy:
    """What a comparison or tournament was told, and its table as far as it goes ({} where nothing is done)."""

    path: Path
    config: CompareConfig | TournamentConfig
    table: Mapping[str, Any]


def list_studies(folder: Path, job: str) -> list[StudySummary]:
    """Those of one job that lie in a folder, newest first; none where there is no folder."""
    found = [_summary(file.parent, job) for file in folder.glob(f"*/{CONFIGS[job]}")]
    return sorted(found, key=lambda one: one.modified, reverse=True)


def _summary(path: Path, job: str) -> StudySummary:
    when = (path / CONFIGS[job]).stat().st_mtime
    try:
        opened = open_study(path)
        if isinstance(opened.config, CompareConfig):
            config = opened.config
            done = all(settled(unit, config) for unit in units_of(config))
        else:
            done = bool(opened.table.get("winner"))
    except StudioError:
        return StudySummary(path, job, (), "damaged", when)
    return StudySummary(path, job, opened.config.tasks, "finished" if done else "stopped", when)


def open_study(path: Path) -> OpenedStudy:
    """Raises RunError when the folder holds neither, or when its table is damaged."""
    config = stored_config(path) or stored_tournament(path)
    if config is None:
        raise RunError("{path} holds no comparison and no tournament.", path=path)
    job = COMPARE if isinstance(config, CompareConfig) else TOURNAMENT
    file = path / TABLES[job]
    try:
        table = from_stored(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}
    except ValueError as error:
        raise RunError(
            "{file} is damaged: {error}. Remove it; going on writes it anew.", file=file, error=error
        ) from error
    return OpenedStudy(path, config.replace(out=str(path)), table)


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
    """From what its folder holds. Raises RunError as `open_study` does."""
    config = open_study(path).config
    if isinstance(config, CompareConfig):
        units = units_of(config)
        places = [unit.place(config) for unit in units]
        done, total = sum(settled(unit, config) for unit in units), len(units)
    else:
        winner = winner_place(config)
        places = [*places_of(config), winner]
        done = sum(place.outcome() is not None for place in places)
        planned = sum(runs for runs, _ in schedule(len(tasks_of(config.runs())), config.minutes))
        total = planned if winner.outcome() is None else done
    job = COMPARE if isinstance(config, CompareConfig) else TOURNAMENT
    outcomes = [place.outcome() for place in places]
    return Stand(job, config.title(), done, outcomes.count(REFUSED), outcomes.count(FAILED), total)


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


def ahead_of(config: CompareConfig) -> Ahead:
    """What a comparison that has not begun, or not come to its end, will take on this machine."""
    config = resolved(config)
    units = units_of(config)
    left = ahead(config, units)
    if left.cells and math.isnan(left.cell_seconds):
        return ahead(config, units, cell_seconds=timed_cell(config, _classes(config)))
    return left


def _classes(config: CompareConfig) -> int:
    """How many classes have labels; 1 for masks."""
    found = recognise(scan(Path(config.data.folder)), config.data.labels).classes
    return len(found.names) if config.kind == "classification" and found is not None else 1
