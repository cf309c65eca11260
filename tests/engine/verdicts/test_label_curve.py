"""The curve of the score against the number of labels, replayed: the band covers what further labels really gave."""

import numpy as np
import pytest
import torch
from torch import Tensor

from sslstudio.engine.evaluate.linear_and_knn import linear_answers, standardised
from sslstudio.engine.verdicts.label_curve import FEWEST, LabelCurve, measure_curve

MORE = 20


def clouds(seed: int, n: int, classes: int = 4, width: int = 24, apart: float = 1.6) -> tuple[Tensor, Tensor]:
    """Pictures of overlapping classes, some of them easier, as features: (n, D), (n,)."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(classes, width)) * apart / np.sqrt(width) * rng.uniform(1.0, 3.0, size=(classes, 1))
    targets = rng.integers(0, classes, n)
    features = middles[targets] * np.sqrt(width) / 2 + rng.normal(size=(n, width)) * rng.uniform(0.7, 1.6, size=(n, 1))
    return standardised(torch.from_numpy(features)), torch.from_numpy(targets)


def score(features: Tensor, targets: Tensor, taught: int, tested: slice) -> float:
    classes = int(targets.max()) + 1
    answers = linear_answers(features[:taught].double(), targets[:taught], features[tested].double(), classes)
    right = (answers == targets[tested]).double()
    return float(torch.stack([right[targets[tested] == one].mean() for one in range(classes)]).mean())


def replay(features: Tensor, targets: Tensor, labelled: int, most: int) -> tuple[LabelCurve, float, float]:
    """The curve of the first labels, the score that twenty more gave on pictures beyond `most`, and the gain."""
    curve = measure_curve(features[:labelled], targets[:labelled], int(targets.max()) + 1, more=MORE)
    assert curve is not None
    tested = slice(most, None)
    now, later = (score(features, targets, count, tested) for count in (labelled, labelled + MORE))
    return curve, later, later - now


def test_more_labels_are_worth_less_and_less() -> None:
    features, targets = clouds(0, 400)
    few = measure_curve(features[:40], targets[:40], 4)
    many = measure_curve(features, targets, 4)
    assert few is not None
    assert many is not None
    assert few.gain[1] > many.gain[1]
    assert 0 <= few.gain[0] <= few.gain[1]
    assert [point.labels for point in few.points] == sorted({point.labels for point in few.points})
    assert few.expected.labels == 60
    assert all(point.low <= point.value <= point.high for point in (*few.points, few.expected))
    assert "20 more labels" in few.said


def test_what_cannot_be_learnt_gets_no_promise() -> None:
    rng = np.random.default_rng(1)
    features = standardised(torch.from_numpy(rng.normal(size=(60, 16))))
    curve = measure_curve(features, torch.from_numpy(rng.integers(0, 3, 60)), 3)
    assert curve is not None
    assert curve.gain[0] == 0
    assert "likely to give +" not in curve.said


def test_too_few_labels_have_no_curve() -> None:
    features, targets = clouds(0, FEWEST - 1)
    assert measure_curve(features, targets, 4) is None
    features, targets = clouds(0, 60)
    assert measure_curve(features, torch.zeros(60, dtype=torch.int64), 4) is None
    one_patient = torch.zeros(60, dtype=torch.int64)
    assert measure_curve(features, targets, 4, one_patient) is None


def test_the_same_labels_give_the_same_curve() -> None:
    features, targets = clouds(3, 60)
    assert measure_curve(features, targets, 4) == measure_curve(features, targets, 4)


@pytest.mark.slow
@pytest.mark.parametrize("labelled", [30, 60, 120])
def test_the_band_covers_the_later_score(labelled: int) -> None:
    """On made pictures whose later score is known: of 40 curves at least 8 in 10 are covered."""
    covered, gains = 0, 0
    for seed in range(40):
        features, targets = clouds(seed, 2200, apart=0.8 + 0.03 * seed)
        curve, later, gain = replay(features, targets, labelled, 200)
        covered += curve.expected.low <= later <= curve.expected.high
        gains += curve.gain[0] - 0.005 <= gain <= curve.gain[1] + 0.005  # as far as it is said: whole points
    print(f"{labelled} labels: {covered} of 40 later scores covered, {gains} gains")  # noqa: T201  # shown by -rP
    assert covered >= 32
    assert gains >= 32
