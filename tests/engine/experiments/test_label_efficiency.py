"""The statistics of label efficiency: against plain loops, and by their laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import isotonic_regression

from sslstudio.engine.evaluate.scores import HEADLINE, SCORERS, Array, one_hot_confusions
from sslstudio.engine.experiments.label_efficiency import (
    Luck,
    draw_scores,
    estimate,
    labels_needed,
    mean_over_draws,
    monotone,
    resampled_scores,
    resampling,
    worth,
)

GRID = [5, 10, 25, 100]
curves = st.lists(st.floats(0.0, 1.0), min_size=len(GRID), max_size=len(GRID)).map(lambda values: np.array(values))


def confusions(draws: int, pictures: int, shares: list[float], seed: int = 0) -> Array:
    """(S, n, 3, 3): in draw s each picture is right with probability shares[s]."""
    rng = np.random.default_rng(seed)
    truth = np.arange(pictures) % 3
    guesses = [np.where(rng.random(pictures) < share, truth, rng.integers(0, 3, pictures)) for share in shares[:draws]]
    return np.stack([one_hot_confusions(truth.tolist(), guess.tolist(), 3) for guess in guesses])


def test_resampled_scores_are_those_of_a_plain_loop() -> None:
    matrices = confusions(3, 20, [0.3, 0.6, 0.9])
    luck = resampling(3, 20, seed=4, count=7)
    fast = mean_over_draws(resampled_scores("classification", matrices, luck), luck, range(3))
    for number in range(7):
        taken: list[float] = []
        for draw in range(3):
            total = np.zeros((3, 3))
            for picture in range(20):
                total += luck.pictures[number, picture] * matrices[draw, picture]
            score = float(SCORERS["classification"](total)[HEADLINE["classification"]])
            taken += [score] * int(luck.draws[number, draw])
        assert fast[number] == pytest.approx(sum(taken) / len(taken))


def test_resampling_takes_one_draw_fewer_and_all_pictures() -> None:
    luck = resampling(5, 30, seed=0, count=50)
    assert (luck.draws.sum(1) == 4).all()
    assert (luck.pictures.sum(1) == 30).all()
    assert (resampling(1, 30, count=5).draws == 1).all()
    again = resampling(5, 30, seed=0, count=50)
    assert (again.pictures == luck.pictures).all()


def test_the_spread_over_draws_has_the_right_size() -> None:
    """With test pictures beyond number, the resampled means vary as the mean of the draws does: s / sqrt(S)."""
    scores = np.array([0.40, 0.52, 0.47, 0.60, 0.55])
    luck = resampling(5, 10, seed=1, count=20_000)
    drawn = mean_over_draws(np.tile(scores, (20_000, 1)), luck, range(5))
    assert drawn.std() == pytest.approx(scores.std(ddof=1) / math.sqrt(5), rel=0.03)


def test_an_estimate_has_student_s_interval_beside_the_bootstrap() -> None:
    scores = np.array([0.5, 0.6, 0.7])
    found = estimate(scores, np.linspace(0.4, 0.8, 1001))
    reach = 4.302652729 * 0.1 / math.sqrt(3)  # t of 2 degrees of freedom
    assert found.value == pytest.approx(0.6)
    assert found.draws == 3
    assert found.t_low == pytest.approx(0.6 - reach)
    assert found.t_high == pytest.approx(0.6 + reach)
    assert found.low == pytest.approx(0.41)
    assert found.high == pytest.approx(0.79)
    assert math.isnan(estimate(scores[:1], np.array([0.5])).t_low)


def test_a_paired_difference_is_narrower_than_its_parts() -> None:
    """What makes a picture hard for both drops out."""
    first = confusions(5, 120, [0.5] * 5, seed=2)
    second = first.copy()
    second[:, :12] = confusions(5, 12, [1.0] * 5)
    luck = resampling(5, 120)
    ours, theirs = (resampled_scores("classification", one, luck) for one in (second, first))
    gap = estimate(
        draw_scores("classification", second) - draw_scores("classification", first),
        mean_over_draws(ours - theirs, luck, range(5)),
    )
    alone = estimate(draw_scores("classification", second), mean_over_draws(ours, luck, range(5)))
    assert 0 < gap.low < gap.value < gap.high
    assert gap.high - gap.low < alone.high - alone.low


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Luck of draws and of pictures, 150 studies: 95 % within the noise of such a count."""
    rng = np.random.default_rng(3)
    truth, hits = 0.6, 0
    for study in range(150):
        hard, good = rng.normal(0, 0.15, 60), rng.normal(0, 0.04, 5)
        right = rng.random((5, 60)) < np.clip(truth + hard[None] + good[:, None], 0, 1)
        kind = np.arange(60) % 2
        guesses = np.where(right, kind, 1 - kind)
        matrices = np.stack([one_hot_confusions(kind.tolist(), guess.tolist(), 2) for guess in guesses])
        luck = resampling(5, 60, seed=study, count=300)
        drawn = mean_over_draws(resampled_scores("classification", matrices, luck), luck, range(5))
        found = estimate(draw_scores("classification", matrices), drawn)
        hits += found.low <= truth <= found.high
    assert hits >= 0.88 * 150


def test_draws_that_a_resample_lacks_do_not_count() -> None:
    luck = Luck(np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]]), np.ones((2, 4)))
    mean = mean_over_draws(np.array([[0.3, 0.6], [0.3, 0.6]]), luck, [0, 2])
    assert mean[0] == pytest.approx((2 * 0.3 + 0.6) / 3)
    assert math.isnan(mean[1])


@given(curves)
def test_monotone_is_isotonic_regression(values: Array) -> None:
    assert monotone(values) == pytest.approx(isotonic_regression(values), abs=1e-9)
    assert monotone(np.stack([values, values[::-1]]))[1] == pytest.approx(isotonic_regression(values[::-1]), abs=1e-9)


@given(curves, st.sampled_from(range(len(GRID))))
def test_scratch_itself_is_worth_once_its_labels(values: Array, place: int) -> None:
    curve = monotone(values)
    needed, bound = labels_needed(curve[place], GRID[place], GRID, curve)
    assert float(needed) == pytest.approx(GRID[place])
    assert bound == 0


@given(curves, st.floats(-0.2, 1.2), st.floats(0.0, 0.5), st.sampled_from(GRID))
def test_a_better_score_is_never_worth_less(values: Array, score: float, more: float, labels: int) -> None:
    curve = monotone(values)
    first, first_bound = labels_needed(np.array(score), labels, GRID, curve)
    second, second_bound = labels_needed(np.array(score + more), labels, GRID, curve)
    assert second >= first - 1e-9
    assert second_bound >= first_bound
    assert GRID[0] - 1e-9 <= first <= GRID[-1] + 1e-9


@given(curves, st.floats(0.0, 1.0), st.sampled_from(GRID))
def test_the_curve_has_the_score_at_the_labels_that_it_needs(values: Array, score: float, labels: int) -> None:
    curve = monotone(values)
    needed, bound = labels_needed(np.array(score), labels, GRID, curve)
    if bound == 0:
        # A jump between two floats of almost the same height cannot be hit better than this.
        assert np.interp(math.log(needed), np.log(GRID), curve) == pytest.approx(score, abs=1e-6)
    else:
        assert (score > curve[-1]) == (bound == 1)


def test_worth_reads_the_curve_in_the_logarithm_of_the_labels() -> None:
    curve = np.array([0.4, 0.5, 0.6, 0.8])
    drawn = np.tile(curve, (50, 1))
    found = worth(5, 0.55, GRID, curve, np.full(50, 0.55), drawn)
    assert found.value == pytest.approx(math.sqrt(10 * 25) / 5)
    assert found.low == pytest.approx(found.value)
    assert found.high == pytest.approx(found.value)
    assert found.bound == 0


def test_beyond_what_scratch_was_given_it_is_a_bound() -> None:
    curve = np.array([0.4, 0.5, 0.6, 0.8])
    scores = np.concatenate([np.full(40, 0.6), np.full(10, 0.95)])
    found = worth(10, 0.85, GRID, curve, scores, np.tile(curve, (50, 1)))
    assert found.value == pytest.approx(10.0)
    assert found.bound == 1
    assert found.low == pytest.approx(2.5)
    assert found.low_bound == 0
    assert found.high == pytest.approx(10.0)
    assert found.high_bound == 1
    below = worth(10, 0.1, GRID, curve, np.full(50, 0.1), np.tile(curve, (50, 1)))
    assert below.value == pytest.approx(0.5)
    assert below.bound == -1
