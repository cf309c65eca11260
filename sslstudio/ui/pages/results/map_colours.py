"""What the points of a map may be coloured by, in groups that each have a name and a mark.

Classes: by label, or by right and wrong. Masks have neither one label nor one answer: by how far the predicted mask
overlaps the true one, or by what a picture was used for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

from sslstudio.engine.runs.test_predictions import Prediction
from sslstudio.ui.operations.inspection import Spot
from sslstudio.ui.pages.results.data import Results
from sslstudio.ui.text import formatting

STEPS = (0.25, 0.5, 0.75)  # of the IoU of a picture: the mean over the classes in it
# Vermilion, orange, sky blue, blue: from bad to good for any colour vision, and each with a shape of its own; grey.
STEP_MARKS = (6, 9, 2, 5, 0)


@dataclass(frozen=True)
class Colouring:
    """`of` gives the number of a point's group in `names`. marks: of each group (class_marks.py), or in turn."""

    title: str
    names: tuple[str, ...]
    of: Callable[[Spot], int]
    marks: tuple[int, ...] | None = None


def colourings(results: Results, part: str) -> list[Colouring]:
    """What the map of a network can be coloured by, the most telling first."""
    tested = {one.file: one for one in results.predictions[part]}
    if results.metrics["kind"] == "segmentation":
        return [_by_overlap(tested), _by_use(tested)]
    classes = tuple(results.metrics["classes"])
    return [Colouring(formatting.tr("your label"), classes, lambda spot: classes.index(spot.label)), _by_error()]


def _by_error() -> Colouring:
    names = formatting.tr("right"), formatting.tr("wrong"), formatting.tr("it was trained on")
    return Colouring(
        formatting.tr("right or wrong"), names, lambda spot: 2 if spot.taught else int(spot.label != spot.answer)
    )


def _by_overlap(tested: dict[str, Prediction]) -> Colouring:
    low, half, high = (formatting.figures(f"{step:g}") for step in STEPS)
    names = (
        formatting.tr("hardly: below {0}").format(low),
        formatting.tr("partly: {0} to {1}").format(low, half),
        formatting.tr("mostly: {0} to {1}").format(half, high),
        formatting.tr("well: {0} and more").format(high),
        formatting.tr("not measured"),
    )

    def of(spot: Spot) -> int:
        iou = measured(tested, spot)
        return len(STEPS) + 1 if iou is None else sum(iou >= step for step in STEPS)

    return Colouring(formatting.tr("overlap with your mask (IoU)"), names, of, STEP_MARKS)


def measured(tested: dict[str, Prediction], spot: Spot) -> float | None:
    """The IoU of a picture; None for one that is no test picture, or of whose mask no pixel counts."""
    one = tested.get(spot.file)
    return None if one is None or one.iou is None or isnan(one.iou) else one.iou


def _by_use(tested: dict[str, Prediction]) -> Colouring:
    names = formatting.tr("it was trained on"), formatting.tr("test picture"), formatting.tr("neither of the two")
    return Colouring(
        formatting.tr("what they were used for"),
        names,
        lambda spot: 0 if spot.taught else 1 if spot.file in tested else 2,
    )
