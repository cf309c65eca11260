"""The folder of a comparison or of a tournament, which holds runs and is none itself: how it is known, what lies in it.

compare.toml, tournament.toml         the settings, with every choice that was left to the program filled in
labels/                               the labels that it began with; whoever labels on does not change it
table.json, tournament.json           what was found so far, after each point of the curve or each run
table.md, tournament.md, curve.png    the same to read
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sslstudio.engine.core import migrations
from sslstudio.engine.core.config import to_toml
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import check_kinds, read_limited, read_settings

COMPARE, TOURNAMENT = migrations.COMPARE, migrations.TOURNAMENT
CONFIGS = {COMPARE: "compare.toml", TOURNAMENT: "tournament.toml"}  # not config.toml: that makes a folder a run
TABLES = {COMPARE: "table.json", TOURNAMENT: "tournament.json"}
SHEETS = {COMPARE: "table.md", TOURNAMENT: "tournament.md"}
CURVE = "curve.png"


def experiment_job(folder: Path) -> str:
    """compare or tournament; '' for a folder that is neither."""
    return next((job for job, name in CONFIGS.items() if (folder / name).is_file()), "")


def experiment_settings(folder: Path, job: str = "") -> dict[str, Any]:
    """The content of compare.toml or tournament.toml, in the format of today."""
    job = job or experiment_job(folder)
    file = folder / CONFIGS[job]
    values = migrations.migrate(job, read_settings(file), str(file))
    check_kinds(values, {"data": dict, "data.folder": str}, str(file))
    return values


def write_experiment_settings(folder: Path, job: str, values: Mapping[str, object]) -> None:
    """Write compare.toml or tournament.toml."""
    write_atomic(folder / CONFIGS[job], to_toml(migrations.stamp(values)).encode())


def sheet_of(folder: Path, job: str) -> str:
    """The table as Markdown. Raises RunError when there is none yet."""
    try:
        return read_limited(folder / SHEETS[job]).decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise RunError(
            "There is no table in {folder} yet. Go on until the first result is there.", folder=folder
        ) from error
