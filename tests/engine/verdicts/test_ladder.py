"""The ladder of verdicts: asked in order, never praising what the interval of the baseline covers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.evaluate.scores import Array, one_hot_confusions
from sslstudio.engine.evaluate.verdict import summarise
from sslstudio.engine.runs.metrics import FinetuneMetrics
from sslstudio.engine.verdicts.effort import Effort, Trained, is_short, times_longer, warn_before
from sslstudio.engine.verdicts.ladder import BAD, GOOD, OPEN, climb, climb_pretraining
from tests.support.results import finetune_result, pretrain_result, score

NAMES = ["glioma", "healthy", "other"]
LONG = Effort(Trained(40.0, 4000, 600.0, True), 400, 400)
PRAISE = ("Better", "Higher", "above the", "helps")


def masks_of(ours: float, reach: float, pixels: float) -> FinetuneMetrics:
    """The result that a newcomer was praised for: a network that is worse than answering background."""

    def part(iou: float) -> Any:
        return {"scores": {"mean_iou": score(iou, reach, 60), "pixel_accuracy": score(pixels, 0.03, 60)},
                "confusion": [[600, 200], [20, 80]], "per_class": []}  # fmt: skip

    return finetune_result(
        kind="segmentation", classes=["background", "object"], headline="mean_iou",
        baseline={"mean_iou": 0.415, "pixel_accuracy": 0.829}, parts={"pretrained": part(ours), "scratch": part(0.416)},
        difference=score(ours - 0.416, 0.02, 60), compared_with="scratch",
    )  # fmt: skip


@pytest.mark.parametrize("reach", [0.02, 0.08])
def test_fewer_pixels_right_than_by_answering_background_is_never_praised(reach: float) -> None:
    ladder = climb(masks_of(0.466, reach, 0.678), LONG)
    assert ladder.decisive.name == "guessing"
    assert ladder.decisive.state == BAD
    for number in ("0.466", "0.415", "0.678", "0.829"):
        assert number in ladder.decisive.said
    assert [rung.state for rung in ladder.rungs[2:]] == [OPEN, OPEN]
    assert not any(word in rung.said for rung in ladder.rungs for word in PRAISE)
    assert "Next: Label 20 more pictures of each class" in ladder.in_short


def test_the_stored_verdict_of_such_masks_does_not_praise_either() -> None:
    truth = np.array([[829.0, 0.0], [0.0, 171.0]])
    matrix = np.stack([np.array([[560.0, 269.0], [53.0, 118.0]])] * 60)
    better = np.stack([np.array([[600.0, 229.0], [53.0, 118.0]])] * 60)
    assert truth.sum() == matrix[0].sum()
    found = summarise("segmentation", ["background", "object"], {"pretrained": better, "scratch": matrix},
                      n_train=20, most_frequent=0)  # fmt: skip
    assert "Fewer pixels are right" in found["verdict"]
    assert not any(word in found["verdict"] for word in PRAISE)


def classes_of(wrong: dict[str, int], n: int = 300) -> FinetuneMetrics:
    """Of each arm so many of a hundred pictures are taken for the next class."""
    truth = [number % 3 for number in range(n)]
    parts: dict[str, Array] = {}
    for arm, share in wrong.items():
        guess = [(label + 1) % 3 if number % 100 < share else label for number, label in enumerate(truth)]
        parts[arm] = one_hot_confusions(truth, guess, 3)
    return summarise("classification", NAMES, parts, n_train=30, most_frequent=1)


def test_a_short_pretraining_is_said_before_whether_it_helped() -> None:
    two = Effort(Trained(2.0, 23, 120.0, True), 400, 400)
    ladder = climb(classes_of({"pretrained": 10, "scratch": 40}), two)
    assert ladder.decisive.name == "length"
    assert "2 passes over the pictures, 23 steps; nothing to conclude" in ladder.decisive.said
    assert ladder.then == "Pretrain for about 10 min or more."


@pytest.mark.parametrize(
    ("wrong", "state", "said"),
    [
        ({"pretrained": 10, "scratch": 40}, GOOD, "It was not compared with general weights"),
        ({"pretrained": 10, "scratch": 40, "general": 40}, GOOD, "and than general weights"),
        ({"pretrained": 10, "scratch": 40, "general": 10}, BAD, "no difference can be told from general weights"),
        ({"pretrained": 20, "scratch": 40, "general": 2}, BAD, "lower than general weights"),
        ({"pretrained": 20, "scratch": 20}, BAD, "No difference to learning from scratch"),
        ({"pretrained": 40, "scratch": 10}, BAD, "No: lower than learning from scratch"),
        ({"pretrained": 10}, OPEN, "It was not compared"),
        ({"scratch": 10}, OPEN, "Nothing was pretrained"),
    ],
)
def test_pretraining_is_held_against_scratch_and_general_weights(wrong: dict[str, int], state: str, said: str) -> None:
    rung = climb(classes_of(wrong), LONG).rungs[2]
    assert (rung.name, rung.state) == ("pretraining", state)
    assert said in rung.said
    assert rung.then


def test_the_weakest_class_is_named_with_what_it_is_taken_for() -> None:
    truth = [0] * 50 + [1] * 50 + [2] * 50
    guess = [0] * 21 + [2] * 29 + [1] * 50 + [2] * 45 + [1] * 5
    found = summarise("classification", NAMES, {"scratch": one_hot_confusions(truth, guess, 3)}, n_train=60,
                      most_frequent=0)  # fmt: skip
    rung = climb(found, Effort(None, 400, 400)).rungs[3]
    assert rung.said.startswith("glioma: 42% found (")
    assert rung.said.endswith("Most often taken for other.")
    assert rung.then == "Label 20 more of glioma."


def test_where_every_rung_holds_the_score_is_the_news() -> None:
    ladder = climb(classes_of({"pretrained": 4, "scratch": 40, "general": 40}), LONG)
    assert [rung.state for rung in ladder.rungs] == [GOOD] * 4
    assert ladder.decisive.said.startswith("Better than guessing: ")
    assert ladder.then == "Predict new pictures with it."


def test_no_number_is_no_praise() -> None:
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    parts = {"scratch": {"scores": {"balanced_accuracy": nothing}, "confusion": [[0, 0], [0, 0]], "per_class": []}}
    ladder = climb(finetune_result(parts=parts))
    assert ladder.decisive.state == OPEN
    assert ladder.then == "Label more pictures for the test."


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.integers(0, 99), st.integers(30, 200))
def test_no_praise_within_the_interval_of_guessing(ours: int, theirs: int, n: int) -> None:
    found = classes_of({"pretrained": ours, "scratch": theirs}, n)
    ladder, headline = climb(found, LONG), found["headline"]
    low, baseline = found["parts"]["pretrained"]["scores"][headline]["low"], found["baseline"][headline]
    assert low is not None
    assert baseline is not None
    if low <= baseline:
        assert not any(word in f"{found['verdict']} {ladder.in_short}" for word in ("Better than", "Higher", "helps"))
    assert ladder.then


def test_a_pretraining_by_itself() -> None:
    short = climb_pretraining(pretrain_result(), Effort(Trained(2.0, 12, 60.0, True)))
    assert short.decisive.state == BAD
    assert "nothing to conclude" in short.in_short
    fine = climb_pretraining(pretrain_result(), Effort(Trained(40.0, 900, 60.0, True)))
    assert fine.then == "Label some pictures, then fine-tune."


@given(st.floats(0.01, 200), st.floats(1, 20_000))
def test_what_is_asked_for_is_long_enough(passes: float, steps: float) -> None:
    factor = times_longer(passes, steps) * (1 + 1e-9)
    assert factor >= 1
    assert not is_short(passes * factor, steps * factor)


def test_too_short_is_said_before_it_starts() -> None:
    assert "2.0 passes" in warn_before(2.0, 20, 120)
    assert "nothing can be concluded" in warn_before(2.0, 20, 120)
    assert warn_before(30.0, 3000, 120) == ""
