"""Sensitivity, specificity and AUC of each class against all others."""

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sslstudio.engine.evaluate.class_rates import area, class_rates, rates_of
from sslstudio.engine.runs.run_folder import RunFolder


def test_shares_and_areas_are_those_of_their_definitions() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 90)
    chances = rng.dirichlet(np.ones(3), 90) + np.eye(3)[truth] * 0.4
    predicted = chances.argmax(axis=1)
    for number, rates in enumerate(class_rates(truth, predicted, chances, 3)):
        own, named = truth == number, predicted == number
        assert rates.sensitivity.value == pytest.approx((own & named).sum() / own.sum())
        assert rates.specificity.value == pytest.approx((~own & ~named).sum() / (~own).sum())
        assert rates.auc.value == pytest.approx(roc_auc_score(own, chances[:, number]))
        for one in (rates.sensitivity, rates.specificity, rates.auc):
            assert 0 <= one.low <= one.value <= one.high <= 1


def test_what_cannot_be_told_is_no_number() -> None:
    rates = class_rates(np.zeros(4, np.int64), np.zeros(4, np.int64), None, 2)
    assert math.isnan(rates[1].sensitivity.value)
    assert math.isnan(rates[0].specificity.value)
    assert math.isnan(rates[0].auc.value)
    assert area(np.array([True, False]), np.array([1.0, 0.0])).low < 1  # two pictures prove little


def test_the_area_covers_what_it_claims() -> None:
    """Of normal scores one deviation apart the area is 0.76; 30 pictures a class."""
    rng = np.random.default_rng(1)
    own = np.arange(60) < 30
    hits = sum(found.low <= 0.7602 <= found.high for found in
               (area(own, rng.normal(size=60) + own) for _ in range(200)))  # fmt: skip
    assert hits >= 184


def test_those_of_a_run(classified: Path, segmented: Path) -> None:
    metrics = RunFolder(classified).finetune_metrics()
    assert metrics is not None
    names = metrics["classes"]
    assert len(rates_of(classified, "pretrained", names)) == len(names)
    assert rates_of(segmented, "pretrained", ["background"]) == []
