"""Groups of a map's points that are told truthfully: every overlap in its own step, from bad to good."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.runs.test_predictions import Prediction
from sslstudio.ui.operations.inspection import Spot
from sslstudio.ui.pages.results.data import Results
from sslstudio.ui.pages.results.map_colours import STEPS, colourings
from tests.support.results import finetune_result

SPOT = Spot("a.png", 0.5, 0.5, "", "", False)


def results_with(iou: float) -> Results:
    found = {"scratch": [Prediction("a.png", mask="a.png", iou=iou)]}
    return Results(Path(), Path(), "scratch", finetune_result(kind="segmentation"), found)


@given(iou=st.floats(0, 1))
def test_an_overlap_is_in_the_step_that_its_name_says(iou: float) -> None:
    number = colourings(results_with(iou), "scratch")[0].of(SPOT)
    edges = [0.0, *STEPS, 1.1]
    assert edges[number] <= iou < edges[number + 1]


def test_what_was_not_measured_is_in_no_step() -> None:
    nothing_counts, other = results_with(float("nan")), Spot("b.png", 0.5, 0.5, "", "", True)
    overlap, use = colourings(nothing_counts, "scratch")
    assert overlap.names[overlap.of(SPOT)] == overlap.names[overlap.of(other)] == "not measured"
    assert (use.names[use.of(SPOT)], use.names[use.of(other)]) == ("test picture", "it was trained on")


def test_classes_have_labels_and_mistakes() -> None:
    found = {"scratch": [Prediction("a.png", "cat", "dog", 0.9)]}
    results = Results(Path(), Path(), "scratch", finetune_result(classes=["cat", "dog"]), found)
    label, error = colourings(results, "scratch")
    spot = Spot("a.png", 0.5, 0.5, "cat", "dog", False)
    assert (label.names[label.of(spot)], error.names[error.of(spot)]) == ("cat", "wrong")
