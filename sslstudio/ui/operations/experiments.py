"""What the page of comparisons asks of the engine; as in engine.py, nothing here runs on the UI thread."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.events import Event, RunFinished
from sslstudio.ui.text.formatting import told, tr

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.experiments.catalogue import ExperimentSummary, OpenedExperiment
    from sslstudio.engine.experiments.compare import Ahead
    from sslstudio.engine.experiments.compare_config import CompareConfig
    from sslstudio.engine.experiments.tournament_config import TournamentConfig


def run_experiment(config: "CompareConfig | TournamentConfig", control: RunControl) -> Iterator[Event]:
    """Run a comparison or a tournament."""
    from sslstudio.engine.experiments import catalogue

    return catalogue.run_experiment(config, control)


def ahead_of(config: "CompareConfig", control: RunControl) -> "Ahead":
    """Count the runs of a comparison and the time that they take."""
    from sslstudio.engine.experiments import compare

    return compare.ahead_of(config)


def experiments_in(places: Sequence[Path], job: str, control: RunControl) -> "list[ExperimentSummary]":
    """List the comparisons or tournaments of a folder, newest first, and then older ones, each in its own folder."""
    from sslstudio.engine.experiments.catalogue import list_experiments

    older = places[1:]
    elsewhere = [one for parent in sorted({place.parent for place in older}) for one in list_experiments(parent, job)]
    return [*list_experiments(places[0], job), *(one for one in elsewhere if one.path in older)]


def open_experiment(path: Path, control: RunControl) -> "OpenedExperiment":
    """Open an earlier comparison or tournament."""
    from sslstudio.engine.experiments import catalogue

    return catalogue.open_experiment(path)


def what_became(out: Path, end: RunFinished, control: RunControl) -> str:
    """Say how a comparison or tournament ended, in a sentence."""
    from sslstudio.engine.experiments import catalogue

    return told(catalogue.what_became(out, end))


def save_picture(file: Path, picture: QImage, control: RunControl) -> Path:
    """Write a picture into a file of the user's choice, and give that back. Raises StudioError when the disk does not
    take it."""
    if not picture.save(str(file)):
        raise StudioError(tr("{0} cannot be written. Try another folder.").format(file))
    return file
