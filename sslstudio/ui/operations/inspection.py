"""What the results page asks beyond a run's own files: a closer look, and taking things away, off the UI thread."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.runs.label_decisions import read_decisions
from sslstudio.ui.base.theme import colours
from sslstudio.ui.text import translate

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.finetuning.use.inspection import Closer
    from sslstudio.engine.finetuning.use.predict import Predicted

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Spot:
    """A picture on the map: where (0 to 1), its label ('' for masks), what the network says, whether it was taught."""

    file: str
    x: float
    y: float
    label: str
    answer: str
    taught: bool


@dataclass(frozen=True)
class DoubtLine:
    """A doubtful label as the list shows it. `decision` is '', keep, change or unsure."""

    file: str
    label: str
    suggested: str
    doubt: float
    chance: float
    agree: float
    other_agree: float
    decision: str


def find_neighbours(closer: "Closer", file: str, count: int, control: RunControl) -> list[tuple[str, float, str]]:
    """Find the pictures most like one: file, cosine and label."""
    return [(path, alike, closer.label(path)) for path, alike in closer.neighbours(file, count)]


def paint_heat(closer: "Closer", file: str, target: str, control: RunControl) -> Generator[Preparing, None, QImage]:
    """Paint what speaks for an answer in one colour, what speaks against it in another, clear where nothing does."""
    found = yield from closer.heat(file, target, control)
    most = float(np.abs(found).max()) or 1.0
    shares = found / most
    return _shade(np.clip(np.abs(shares), 0, 1), shares > 0)


def paint_uncertainty(closer: "Closer", file: str, control: RunControl) -> QImage:
    """Paint where a mask is unsure: the more, the less clear."""
    found = closer.uncertainty(file)
    return _shade(found, found >= 0)


def _shade(strength: Pixels, first: npt.NDArray[np.bool_]) -> QImage:
    one, other = QColor(colours().series[1]), QColor(colours().series[0])
    pixels = np.zeros((*strength.shape, 4), np.uint8)
    for colour, where in ((one, first), (other, ~first)):
        pixels[where, :3] = (colour.red(), colour.green(), colour.blue())
    pixels[..., 3] = (strength * 255).astype(np.uint8)
    height, width = strength.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


def place_spots(closer: "Closer", control: RunControl) -> Generator[Preparing, None, list[Spot]]:
    """Place every picture on the map."""
    places = yield from closer.positions()
    masks = closer.trained.config.kind == "segmentation"
    return [
        Spot(
            path, float(x), float(y), closer.label(path), "" if masks else closer.names[int(chances.argmax())],
            path in closer.taught,
        )
        for path, (x, y), chances in zip(closer.paths, places, closer.chances, strict=True)
    ]  # fmt: skip


def list_doubts(closer: "Closer", run: Path, control: RunControl) -> list[DoubtLine]:
    """List labels that are probably wrong, with what was decided on them."""
    decided = read_decisions(run)
    lines = []
    for one in closer.doubts():
        file = closer.paths[one.number]
        decision = decided[file].decision if file in decided else ""
        names = closer.names[one.label], closer.names[one.suggested]
        lines.append(DoubtLine(file, *names, one.doubt, one.other_chance, one.agree, one.other_agree, decision))
    return lines


def predict(
    run: Path, part: str, folder: Path, out: Path, separator: str, control: RunControl
) -> Generator[Preparing, None, "Predicted"]:
    """Predict all pictures of a folder."""
    from sslstudio.engine.finetuning.use.load import load_trained
    from sslstudio.engine.finetuning.use.predict import predict_folder

    return predict_folder(load_trained(run, "auto", part), folder, out, control, separator)


def write_report(run: Path, out: Path, pictures: bool, control: RunControl) -> Generator[Preparing, None, Path]:
    """Write the report as one page, in place of one that a person has agreed to replace. A name without .html gets it,
    and then replaces nothing: nobody was asked about that name. It is in the window's language."""
    from sslstudio.engine.report import run as reports

    asked = bool(out.suffix)
    file = out if asked else out.with_name(f"{out.name}.html")
    return reports.write_report(run, file, control, pictures=pictures, replace=asked, language=translate.spoken())
