"""What the page of comparisons asks of the engine; as in engine.py, nothing here runs on the UI thread."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QImage

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import Event, RunFinished
from sslstudio.engine.runs import experiment_folder
from sslstudio.ui.background.runner import Factory
from sslstudio.ui.text.formatting import told, tr

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.experiments.catalogue import OpenedStudy, StudySummary
    from sslstudio.engine.experiments.compare_config import CompareConfig
    from sslstudio.engine.experiments.plan import Ahead
    from sslstudio.engine.experiments.tournament_config import TournamentConfig


def comparing(config: "CompareConfig") -> Factory:
    """A comparison, to be started by the runner."""
    return partial(_compare, config)


def _compare(config: "CompareConfig", control: RunControl) -> Iterator[Event]:
    from sslstudio.engine.experiments.compare import compare

    return compare(config, control)


def playing(config: "TournamentConfig") -> Factory:
    """A tournament, to be started by the runner."""
    return partial(_play, config)


def _play(config: "TournamentConfig", control: RunControl) -> Iterator[Event]:
    from sslstudio.engine.experiments.tournament import tournament

    return tournament(config, control)


def ahead_of(config: "CompareConfig", control: RunControl) -> "Ahead":
    """What a comparison will take."""
    from sslstudio.engine.experiments import catalogue

    return catalogue.ahead_of(config)


def studies_in(places: Sequence[Path], job: str, control: RunControl) -> "list[StudySummary]":
    """The comparisons or tournaments of a folder, newest first, and after them older ones, each at its own place."""
    from sslstudio.engine.experiments.catalogue import list_studies

    older = places[1:]
    elsewhere = [one for parent in sorted({place.parent for place in older}) for one in list_studies(parent, job)]
    return [*list_studies(places[0], job), *(one for one in elsewhere if one.path in older)]


def opened_study(path: Path, control: RunControl) -> "OpenedStudy":
    """An earlier one."""
    from sslstudio.engine.experiments.catalogue import open_study

    return open_study(path)


def what_became(out: Path, end: RunFinished, control: RunControl) -> str:
    """How a comparison or tournament ended, in a sentence."""
    from sslstudio.engine.experiments import catalogue

    return told(catalogue.what_became(out, end))


def sheet_text(out: Path, job: str, control: RunControl) -> str:
    """The table as Markdown, as the engine wrote it."""
    return experiment_folder.sheet_of(out, job)


def save_picture(file: Path, picture: QImage, control: RunControl) -> Path:
    """Write a picture into a file of the user's choice, and give that back. Raises StudioError when the disk does not
    take it."""
    if not picture.save(str(file)):
        raise StudioError(tr("{0} cannot be written. Try another folder.").format(file))
    return file


def table_csv(table: Mapping[str, Any], job: str) -> str:
    """The table as CSV: quick, it is at hand."""
    return experiment_folder.csv_of(table, job)


def save_table(file: Path, out: Path, job: str, table: Mapping[str, Any], control: RunControl) -> Path:
    """Write the table into a file of the user's choice; where it is."""
    experiment_folder.save_table(file, out, job, table)
    return file
