"""The comparisons and tournaments in a folder: listed, opened, and what another one would take."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslstudio.engine.data.index import scan
from sslstudio.engine.data.labels import recognise
from sslstudio.engine.errors import RunError, StudioError
from sslstudio.engine.train import compare_settings, tournament
from sslstudio.engine.train.compare import resolved, stored_config
from sslstudio.engine.train.compare_settings import CompareConfig
from sslstudio.engine.train.compare_units import Ahead, ahead, settled, timed_cell, units_of
from sslstudio.engine.train.tournament import TournamentConfig, stored_tournament

COMPARE, TOURNAMENT = "compare", "tournament"
CONFIGS = {COMPARE: compare_settings.CONFIG, TOURNAMENT: tournament.CONFIG}
TABLES = {COMPARE: "table.json", TOURNAMENT: "tournament.json"}


@dataclass(frozen=True)
class StudySummary:
    """One comparison or tournament, for lists. `modified` is in seconds since 1970."""

    path: Path
    job: str
    tasks: str
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
        return StudySummary(path, job, "", "damaged", when)
    return StudySummary(path, job, opened.config.tasks, "finished" if done else "stopped", when)


def open_study(path: Path) -> OpenedStudy:
    """Raises RunError when the folder holds neither, or when its table is damaged."""
    config = stored_config(path) or stored_tournament(path)
    if config is None:
        raise RunError(f"{path} holds no comparison and no tournament.")
    job = COMPARE if isinstance(config, CompareConfig) else TOURNAMENT
    file = path / TABLES[job]
    try:
        table = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except ValueError as error:
        raise RunError(f"{file} is damaged: {error}. Remove it; going on writes it anew.") from error
    return OpenedStudy(path, config.replace(out=str(path)), table)


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
