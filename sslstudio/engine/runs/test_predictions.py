"""The predictions that a fine-tuning run keeps of its test pictures, read back. evaluate/predict.py writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.files.checked_files import read_table
from sslstudio.engine.core.files.named_paths import inside, leads_out
from sslstudio.engine.core.messages import Message

AGAIN = Message("Score that run again.")


@dataclass(frozen=True)
class Prediction:
    """A line of predictions-<part>.csv. For masks `iou` is set and label and predicted are empty."""

    file: str
    label: str = ""
    predicted: str = ""
    confidence: float = 0.0
    mask: str = ""
    iou: float | None = None

    @property
    def wrong(self) -> bool:
        """Whether the predicted class is another than the label."""
        return self.label != self.predicted


def predictions_of(run: Path, part: str) -> list[Prediction]:
    """Those of a run, or of all folds of a cross-validation together, those most worth a look first. Raises DataError
    when they are gone, RunError when they are damaged."""
    own = run / f"predictions-{part}.csv"
    tables = [own] if own.exists() else sorted(run.glob(f"fold-*/predictions-{part}.csv"))
    if not tables:
        raise DataError("The predictions of {run} are gone: {own} is not there.", run=run.name, own=own.name)
    return sorted((one for table in tables for one in read_predictions(table)), key=_worth_a_look)


def read_predictions(file: Path) -> list[Prediction]:
    """The lines of a table: wrong and sure ones first, or the masks that overlap least first. Raises RunError when it
    cannot be read."""
    try:
        found = [_prediction(line) for line in read_table(file, ("file",), advice=AGAIN)]
    except (OSError, ValueError, KeyError) as error:
        raise RunError("{file} cannot be read: {error}. Score that run again.", file=file, error=error) from error
    return sorted(found, key=_worth_a_look)


def read_chances(run: Path, part: str, names: Sequence[str]) -> list[tuple[str, str, list[float]]] | None:
    """Label, predicted class and the probability of each of the classes `names`, a test picture a line; None where they
    were not kept, as of masks. Raises RunError when a table cannot be read."""
    own = run / f"predictions-{part}.csv"
    tables = [own] if own.exists() else sorted(run.glob(f"fold-*/predictions-{part}.csv"))
    found: list[tuple[str, str, list[float]]] = []
    for table in tables:
        rows = read_table(table, ("file",), advice=AGAIN)
        if any("label" not in row or any(f"p_{name}" not in row for name in names) for row in rows):
            return None
        try:
            found += [(row["label"], row["predicted"], [float(row[f"p_{name}"]) for name in names]) for row in rows]
        except ValueError as error:
            raise RunError("{file} cannot be read: {error}. Score that run again.", file=table, error=error) from error
    return found or None


def mask_file(run: Path, part: str, file: str) -> Path:
    """Where a run, or the fold that tested the picture, keeps the mask that it predicted for it."""
    name = f"predictions-{part}"
    own = inside(run, name, f"{file}.png")
    if own.exists():
        return own
    of_folds = (inside(fold, name, f"{file}.png") for fold in sorted(run.glob("fold-*")))
    return next((one for one in of_folds if one.exists()), own)


def _prediction(line: Mapping[str, str]) -> Prediction:
    if leads_out(line["file"]) or (line.get("mask") and leads_out(line["mask"])):
        raise ValueError(Message("{file!r} leads out of its folder", file=line["file"][:80]))
    if "iou" in line:
        return Prediction(file=line["file"], mask=line["mask"], iou=float(line["iou"]))
    return Prediction(line["file"], line.get("label", ""), line["predicted"], float(line["confidence"]))


def _worth_a_look(one: Prediction) -> tuple[float, float]:
    if one.iou is not None:
        return (one.iou, 0.0)
    return (0.0, -one.confidence) if one.wrong else (1.0, one.confidence)
