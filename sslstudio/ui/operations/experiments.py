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
    from sslstudio.engine.experiments.catalogue import OpenedStudy, StudySummary
    from sslstudio.engine.experiments.compare_config import CompareConfig
    from sslstudio.engine.experiments.plan import Ahead
    from sslstudio.engine.experiments.tournament_config import TournamentConfig


def compare(config: "CompareConfig", control: RunControl) -> Iterator[Event]:
    """Run a comparison."""
    from sslstudio.engine.experiments import compare as comparison

    return comparison.compare(config, control)


def play_tournament(config: "TournamentConfig", control: RunControl) -> Iterator[Event]:
    """Run a tournament."""
    from sslstudio.engine.experiments.tournament import tournament

    return tournament(config, control)


def ahead_of(config: "CompareConfig", control: RunControl) -> "Ahead":
    """Count the runs of a comparison and the time that they take."""
    from sslstudio.engine.experiments import catalogue

    return catalogue.ahead_of(config)


def studies_in(places: Sequence[Path], job: str, control: RunControl) -> "list[StudySummary]":
    """List the comparisons or tournaments of a folder, newest first, and then older ones, each in its own folder."""
    from sslstudio.engine.experiments.catalogue import list_studies

    older = places[1:]
    elsewhere = [one for parent in sorted({place.parent for place in older}) for one in list_studies(parent, job)]
    return [*list_studies(places[0], job), *(one for one in elsewhere if one.path in older)]


def open_experiment(path: Path, control: RunControl) -> "OpenedStudy":
    """Open an earlier comparison or tournament."""
    from sslstudio.engine.experiments.catalogue import open_study

    return open_study(path)


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
