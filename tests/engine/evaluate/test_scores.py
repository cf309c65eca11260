"""Scores against scikit-learn's, and what must hold of their intervals."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    jaccard_score,
    precision_recall_fscore_support,
)

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.evaluate.intervals import wilson
from sslstudio.engine.evaluate.scores import (
    Array,
    always,
    classification_scores,
    difference,
    one_hot_confusions,
    per_class,
    pooled,
    score,
    segmentation_scores,
)


@st.composite
def answers(draw: st.DrawFn, most: int = 40) -> tuple[list[int], list[int], int]:
    """Truth, predictions and the number of classes, not all of which need occur."""
    classes = draw(st.integers(2, 5))
    pairs = draw(
        st.lists(st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1)), min_size=1, max_size=most)
    )
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs], classes


Answers = tuple[list[int], list[int], int]


@given(answers())
@settings(max_examples=40, deadline=None)
def test_classification_scores_are_scikit_learns(given_answers: Answers) -> None:
    truth, guess, classes = given_answers
    ours = classification_scores(one_hot_confusions(truth, guess, classes).sum(0))
    assert float(ours["accuracy"]) == pytest.approx(accuracy_score(truth, guess))
    assert float(ours["macro_f1"]) == pytest.approx(f1_score(truth, guess, average="macro", zero_division=0.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a guessed class has no true picture
        wanted = balanced_accuracy_score(truth, guess)
    assert float(ours["balanced_accuracy"]) == pytest.approx(wanted)


@given(answers())
@settings(max_examples=40, deadline=None)
def test_segmentation_scores_are_scikit_learns(given_answers: Answers) -> None:
    """Each pair is a pixel."""
    truth, guess, classes = given_answers
    ours = segmentation_scores(one_hot_confusions(truth, guess, classes).sum(0))
    assert float(ours["mean_iou"]) == pytest.approx(jaccard_score(truth, guess, average="macro", zero_division=0.0))
    assert float(ours["mean_dice"]) == pytest.approx(f1_score(truth, guess, average="macro", zero_division=0.0))
    assert float(ours["pixel_accuracy"]) == pytest.approx(accuracy_score(truth, guess))


@given(answers())
@settings(max_examples=40, deadline=None)
def test_the_table_of_classes_is_scikit_learns(given_answers: Answers) -> None:
    truth, guess, classes = given_answers
    confusion = one_hot_confusions(truth, guess, classes).sum(0)
    names = [f"class {number}" for number in range(classes)]
    labels = list(range(classes))
    theirs = precision_recall_fscore_support(truth, guess, labels=labels, zero_division=np.nan)
    for row, name, *wanted in zip(per_class("classification", confusion, names), names, *theirs, strict=True):
        assert (row["name"], row["n"]) == (name, wanted[3])
        for key, value in zip(("precision", "recall", "f1"), wanted, strict=False):
            assert (math.nan if row[key] is None else row[key]) == pytest.approx(value, nan_ok=True)
    jaccards = jaccard_score(truth, guess, labels=labels, average=None, zero_division=0.0)
    for row, value in zip(per_class("segmentation", confusion, names), jaccards, strict=True):
        occurs = row["name"] in {names[number] for number in truth + guess}
        assert (row["iou"] is None) == (not occurs)
        assert row["iou"] is None or row["iou"] == pytest.approx(value)
        assert row["iou"] is None or row["dice"] == pytest.approx(2 * value / (1 + value))


@given(answers(most=12), st.sampled_from(["classification", "segmentation"]))
@settings(max_examples=40, deadline=None)
def test_an_interval_lies_within_0_and_1_and_around_its_value(given_answers: Answers, kind: str) -> None:
    truth, _, _ = given_answers
    for name, result in score(kind, one_hot_confusions(*given_answers)).items():
        assert 0.0 <= result.low <= result.value <= result.high <= 1.0, name
        assert result.n == len(truth)
        assert result.to_json() == {"value": result.value, "low": result.low, "high": result.high, "n": len(truth)}


def guesses(n: int, seed: int = 0, recalls: tuple[float, ...] = (0.9, 0.7, 0.6)) -> Array:
    """n pictures of three classes (60, 30 and 10 %), each recognised with its own chance."""
    rng = np.random.default_rng(derive(seed, "guesses"))
    truth = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    right = rng.random(n) < np.asarray(recalls)[truth]
    other = (truth + rng.integers(1, 3, n)) % 3
    return one_hot_confusions(truth.tolist(), np.where(right, truth, other).tolist(), 3)


@pytest.mark.parametrize("kind", ["classification", "segmentation"])
def test_an_interval_narrows_with_the_root_of_n(kind: str) -> None:
    some = guesses(60)
    few, many = score(kind, some), score(kind, np.concatenate([some] * 16))
    for name in few:
        assert many[name].value == pytest.approx(few[name].value)
        ratio = (few[name].high - few[name].low) / (many[name].high - many[name].low)
        assert 3.2 < ratio < 5.0, name


def test_the_interval_of_an_accuracy_is_the_normal_one() -> None:
    """Of many pictures the bootstrap and the textbook say the same."""
    result = score("classification", guesses(1000))["accuracy"]
    reach = 1.96 * math.sqrt(result.value * (1 - result.value) / 1000)
    assert (result.value - result.low, result.high - result.value) == pytest.approx((reach, reach), rel=0.08)


def test_about_95_of_100_intervals_cover_the_truth() -> None:
    """The truth is the mean of the three chances of being recognised."""
    truth = (0.9 + 0.7 + 0.6) / 3
    runs = 100
    missed = 0
    for seed in range(runs):
        result = score("classification", guesses(200, seed), seed=seed)["balanced_accuracy"]
        missed += not result.low <= truth <= result.high
    assert 0.01 <= missed / runs <= 0.10


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(right: int, n: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    assert wilson(right / n, n) == pytest.approx((low, high), abs=6e-5)
    assert wilson(1 - right / n, n) == pytest.approx((1 - high, 1 - low), abs=6e-5)


@pytest.mark.parametrize("kind", ["classification", "segmentation"])
def test_all_right_is_not_certain(kind: str) -> None:
    truth = [0, 1, 2, 1] * 5
    for result in score(kind, one_hot_confusions(truth, truth, 3)).values():
        assert result.value == result.high == 1.0
        assert 0.6 < result.low < 0.9
        assert kind == "classification" or result.low == pytest.approx(wilson(1.0, 20)[0])
    wrong = [(label + 1) % 3 for label in truth]
    for result in score(kind, one_hot_confusions(truth, wrong, 3)).values():
        assert result.value == result.low == 0.0
        assert result.high > 0.1


def test_one_picture_says_almost_nothing() -> None:
    result = score("classification", one_hot_confusions([1], [1], 2))["accuracy"]
    assert result.n == 1
    assert result.high - result.low > 0.7


def test_pictures_of_a_group_that_agree_widen_the_interval() -> None:
    some = guesses(50)
    repeated = np.repeat(some, 8, axis=0)
    groups = [f"patient {number // 8}" for number in range(400)]
    alone, together = (score("classification", repeated, group)["accuracy"] for group in (None, groups))
    assert together.value == alone.value
    assert (alone.n, together.n) == (400, 50)
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(math.sqrt(8), rel=0.2)


def test_groups_of_one_change_nothing() -> None:
    some = guesses(40)
    names = [f"{number:03}" for number in range(40)]
    assert score("classification", some, names) == score("classification", some)
    assert score("classification", some, []) == score("classification", some)


def test_a_group_is_the_sum_of_its_pictures() -> None:
    some = guesses(6)
    sums = pooled(some, ["b", "a", "b", "c", "a", "b"])
    assert np.array_equal(sums, [some[1] + some[4], some[0] + some[2] + some[5], some[3]])


@pytest.mark.parametrize("kind", ["classification", "segmentation"])
def test_the_difference_of_a_network_to_itself_is_exactly_0(kind: str) -> None:
    some = guesses(60)
    result = difference(kind, some, some.copy())
    assert result.value == 0.0
    assert result.low == -result.high
    # That 60 pictures were answered alike does not say that all would be; of masks the bootstrap knows no better.
    assert 0.0 < result.high < 0.3 if kind == "classification" else result.high == 0.0
    grouped = difference(kind, some, some, [f"{number // 6}" for number in range(60)])
    assert (grouped.value, grouped.low, grouped.high, grouped.n) == (0.0, 0.0, 0.0, 10)


@pytest.mark.parametrize("kind", ["classification", "segmentation"])
def test_a_difference_turns_its_sign_with_its_order(kind: str) -> None:
    first, second = guesses(80), guesses(80)
    second[:12] = always(second[:12], 2)
    there, back = difference(kind, first, second), difference(kind, second, first)
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))
    assert there.low <= there.value <= there.high
    assert there.value != 0


def test_the_same_pictures_are_compared_pair_by_pair() -> None:
    """Two networks that fail on the same pictures, one on a few more: unpaired, that would drown in the luck."""
    first = guesses(300)
    second = first.copy()
    right = np.flatnonzero(first[:, 0, 0])[:18]
    second[right] = always(first[right], 1)
    gap = difference("classification", first, second)
    single = score("classification", first)["balanced_accuracy"]
    assert gap.low > 0
    assert gap.high - gap.low < 0.5 * (single.high - single.low)


def test_a_network_that_is_always_better_is_told_from_one_that_is_not() -> None:
    good, poor = guesses(200), guesses(200, recalls=(0.6, 0.4, 0.3))
    assert difference("classification", good, poor).low > 0
    assert difference("classification", poor, good).high < 0


def test_the_same_seed_gives_the_same_interval() -> None:
    some = guesses(50)
    assert score("classification", some, seed=3) == score("classification", some, seed=3)
    assert score("classification", some, seed=3) != score("classification", some, seed=4)


def test_guessing_one_class_always() -> None:
    confusions = guesses(40)
    guessed = always(confusions, 1)
    assert np.array_equal(guessed.sum(2), confusions.sum(2))
    assert guessed[:, :, [0, 2]].sum() == 0
    assert float(classification_scores(guessed.sum(0))["balanced_accuracy"]) == pytest.approx(1 / 3)


def test_masks_that_say_nothing_give_no_score_and_no_warning() -> None:
    """Every pixel of the test masks is marked to be ignored."""
    results = score("segmentation", np.zeros((5, 3, 3)))
    assert all(math.isnan(result.value) for result in results.values())
    assert math.isnan(difference("segmentation", np.zeros((5, 3, 3)), np.zeros((5, 3, 3))).value)


def test_one_empty_mask_among_others_does_not_matter() -> None:
    some = guesses(30)
    more = np.concatenate([some, np.zeros((1, 3, 3))])
    assert score("segmentation", more)["mean_iou"].value == score("segmentation", some)["mean_iou"].value
