"""The statistics of label efficiency: against plain loops, and by their laws."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit
from sklearn.isotonic import isotonic_regression

from sslstudio.engine.evaluate.intervals import bound_gap, bound_recall
from sslstudio.engine.evaluate.scores import HEADLINE, SCORERS, Array, one_hot_confusions
from sslstudio.engine.experiments.label_efficiency import (
    USUAL,
    USUAL_PRETRAINING,
    Spread,
    draw_scores,
    estimate,
    hold_together,
    labels_needed,
    monotone,
    picture_variance,
    resampled_scores,
    resampling,
    spread,
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
    fast = resampled_scores("classification", matrices, luck)
    for number in range(7):
        for draw in range(3):
            total = sum(luck.pictures[number, picture] * matrices[draw, picture] for picture in range(20))
            score = float(SCORERS["classification"](np.asarray(total))[HEADLINE["classification"]])
            assert fast[number, draw] == pytest.approx(score)


def test_resampling_takes_as_many_pictures_of_each_class_as_there_are() -> None:
    classes = np.array([0] * 20 + [1] * 8 + [2] * 2)
    luck = resampling(5, 30, seed=0, count=50, classes=classes)
    for number, count in ((0, 20), (1, 8), (2, 2)):
        assert (luck.pictures[:, classes == number].sum(1) == count).all()
    assert (resampling(5, 30, count=5).pictures.sum(1) == 30).all()
    again = resampling(5, 30, seed=0, count=50, classes=classes)
    assert (again.pictures == luck.pictures).all()
    assert luck.draws.shape == (50, 5)


def of_pictures_without_number(scores: Array, which: list[int] | None = None) -> Spread:
    """The spread where no test picture varies."""
    luck = resampling(len(scores), 20, seed=1, count=20_000)
    return spread(scores, np.tile(scores, (20_000, 1)), luck, which or range(len(scores)), 0.0)


def test_the_spread_over_draws_is_that_of_their_mean_drawn_towards_the_usual_one() -> None:
    scores = np.array([0.40, 0.52, 0.47, 0.60, 0.55])
    found = of_pictures_without_number(scores)
    usual = (USUAL**2 + 4 * scores.var(ddof=1)) / 5
    assert found.variance == pytest.approx(usual / 5)
    assert found.freedom == pytest.approx(5)
    assert found.reach() == pytest.approx(2.570582 * math.sqrt(usual / 5))
    deviations = np.sort(np.abs(found.deviations))
    assert deviations[19_000] == pytest.approx(found.reach(), rel=0.05)  # 95 % of what may be, as Student says


def of_pretrainings(scores: Array, pretrainings: list[int], count: int = 20_000) -> Spread:
    """The spread of draws that rest on several pretrainings, where no test picture varies."""
    luck = resampling(len(scores), 20, seed=1, count=count)
    return spread(scores, np.tile(scores, (count, 1)), luck, range(len(scores)), 0.0, pretrainings)


def test_the_spread_over_pretrainings_is_that_of_their_means() -> None:
    """Two draws rest on each of three pretrainings: by the textbook of nested samples, moderated as draws are."""
    scores = np.array([0.40, 0.55, 0.47, 0.42, 0.57, 0.43])
    found = of_pretrainings(scores, [0, 1, 2, 0, 1, 2])
    means = np.array([0.41, 0.56, 0.45])
    within = (USUAL**2 + 2 * 0.01**2 * 2 + 2 * 0.02**2) / 4
    single = (USUAL_PRETRAINING**2 + within / 2 + 2 * means.var(ddof=1)) / 3
    assert found.value == pytest.approx(scores.mean())
    assert found.variance == pytest.approx(single / 3)
    assert found.freedom == pytest.approx(4.5)
    assert found.draws == 6
    deviations = np.sort(np.abs(found.deviations))
    assert deviations[19_000] == pytest.approx(found.reach(), rel=0.05)


@settings(deadline=None)  # the cores may be busy
@given(st.lists(st.floats(0.2, 0.8), min_size=4, max_size=9), st.integers(2, 4))
def test_one_pretraining_is_as_none_and_names_do_not_matter(scores: list[float], count: int) -> None:
    values = np.array(scores)
    known = of_pretrainings(values, [], 50)
    assert of_pretrainings(values, [1] * len(scores), 50).variance == pytest.approx(known.variance)
    of = [draw % count for draw in range(len(scores))]
    ours, theirs = of_pretrainings(values, of, 50), of_pretrainings(values, [7 - one for one in of], 50)
    assert ours.value == pytest.approx(known.value)
    assert ours.variance == pytest.approx(theirs.variance)
    alone = of_pretrainings(values, list(range(len(scores))), 50)  # a pretraining a draw: the draws, and a bit more
    assert alone.variance == pytest.approx(known.variance + (USUAL_PRETRAINING / len(scores)) ** 2)
    assert alone.freedom == pytest.approx(known.freedom)


def test_pretrainings_that_differ_widen_what_draws_alone_make_narrow() -> None:
    """Three pretrainings twelve points apart, whose draws hardly differ: draws alone would be sure of the mean."""
    scores = np.array([0.40, 0.52, 0.64] * 4) + np.tile([0.0, 0.002], 6)
    apart = of_pretrainings(scores, [0, 1, 2] * 4)
    assert apart.reach() > 2 * of_pretrainings(scores, []).reach()
    mixed = of_pretrainings(scores, [0] * 6 + [1] * 6)  # each has the same mean: nothing is known to widen it
    assert mixed.reach() < apart.reach()


def test_few_draws_widen_like_students_t() -> None:
    two, five = (of_pictures_without_number(np.array(scores)) for scores in ([0.4, 0.6], [0.4, 0.6, 0.4, 0.6, 0.5]))
    assert two.reach() / math.sqrt(two.variance) == pytest.approx(4.302653)
    assert two.reach() > 2 * five.reach()


def test_what_is_between_draws_and_pictures_counts_once() -> None:
    """Each draw has its own half of the pictures right, at random: all luck is in the single answers, n times S of
    them, and their mean varies by p (1 - p) / (n S)."""
    draws, pictures = 40, 200
    classes = np.zeros(pictures, int)
    luck = resampling(draws, pictures, seed=3, count=2000, classes=classes)
    variances = []
    for seed in range(8):
        right = (np.random.default_rng(seed).random((draws, pictures)) < 0.5).astype(float)
        drawn = luck.pictures @ right.T / pictures
        found = spread(right.mean(1), drawn, luck, range(draws), picture_variance(right, classes))
        variances.append(found.variance - (USUAL**2) / draws**2)
    assert np.mean(variances) == pytest.approx(0.25 / (draws * pictures), rel=0.25)


def test_one_draw_is_given_the_usual_spread() -> None:
    scores = np.array([0.6])
    luck = resampling(1, 100, count=500)
    found = spread(scores, np.full((500, 1), 0.6), luck, [0], 0.001)
    assert found.variance == pytest.approx(0.001 + USUAL**2)


def test_with_one_draw_the_variance_over_pictures_is_that_of_a_single_result() -> None:
    rng = np.random.default_rng(2)
    classes = np.array([0] * 40 + [1] * 6 + [2] * 3)
    ours, theirs = ((rng.random((1, 49)) < share).astype(float) for share in (0.8, 0.6))
    count = np.bincount(classes).astype(np.float64)
    only = [
        np.bincount(classes, (one * (1 - other))[0]).astype(np.float64)
        for one, other in ((ours, theirs), (theirs, ours))
    ]
    low, high = bound_gap(only[0], only[1], count)
    variance = picture_variance(ours - theirs, classes, gap=True)
    assert (high - low) / 2 / math.sqrt(variance) == pytest.approx(2.0, abs=0.15)  # a quantile of t
    right = np.bincount(classes, ours[0]).astype(np.float64)
    low, high = bound_recall(right, count)
    middle = (low + high) / 2
    reach = math.sqrt(picture_variance(ours, classes))
    assert low < middle - 1.5 * reach
    assert high > middle + 1.5 * reach


def test_an_estimate_has_student_s_interval_beside_its_own() -> None:
    scores = np.array([0.5, 0.6, 0.7])
    found = estimate(scores, of_pictures_without_number(scores))
    reach = 4.302652729 * 0.1 / math.sqrt(3)  # t of 2 degrees of freedom
    assert found.value == pytest.approx(0.6)
    assert found.draws == 3
    assert found.t_low == pytest.approx(0.6 - reach)
    assert found.t_high == pytest.approx(0.6 + reach)
    assert 0 < found.low < found.value < found.high < 1
    assert math.isnan(estimate(scores[:1], of_pictures_without_number(scores[:1])).t_low)
    gap = estimate(scores, of_pictures_without_number(scores), 0.8)
    assert (gap.low, gap.high) == pytest.approx((-0.2, 1.4))


def test_a_paired_difference_is_narrower_than_its_parts() -> None:
    """What makes a picture hard for both drops out."""
    first = confusions(5, 120, [0.5] * 5, seed=2)
    second = first.copy()
    second[:, :12] = confusions(5, 12, [1.0] * 5)
    luck = resampling(5, 120)
    ours, theirs = (resampled_scores("classification", one, luck) for one in (second, first))
    scores = [draw_scores("classification", one) for one in (second, first)]
    gap = spread(scores[0] - scores[1], ours - theirs, luck, range(5))
    alone = spread(scores[0], ours, luck, range(5))
    assert gap.value > gap.reach() > 0
    assert gap.reach() < alone.reach()


def independent(count: int, seed: int = 0) -> list[Spread]:
    """Differences that have nothing to do with each other, of variance 1 and degrees of freedom without number."""
    rng = np.random.default_rng(seed)
    return [Spread(0.0, 1.0, 1e9, rng.standard_normal(20_000), 5) for _ in range(count)]


def test_intervals_that_hold_together_are_those_of_sidak_where_rows_are_independent() -> None:
    for count in (2, 8):
        wanted = float(stdtrit(1e9, (1 + 0.95 ** (1 / count)) / 2))
        assert hold_together(independent(count)) == pytest.approx([wanted] * count, rel=0.02)
    assert hold_together(independent(1)) == pytest.approx([1.959964], rel=1e-3)


def test_rows_that_vary_alike_need_no_wider_intervals() -> None:
    one = independent(1)[0]
    assert hold_together([one] * 6) == pytest.approx([1.959964] * 6, rel=0.02)


def test_a_row_without_any_variance_does_not_disturb_the_others() -> None:
    still = Spread(0.0, 0.0, 5.0, np.zeros(20_000), 5)
    assert hold_together([still, *independent(1)]) == pytest.approx([0.0, 1.959964], rel=1e-3)
    assert hold_together([]) == []


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


@example(np.array([0.0, 0.0, 0.0, 2.225073858507e-311]), 0.0, 0.5, 5)  # a rise that nothing can be divided by
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


def known(value: float, reach: float = 0.0, seed: int = 0) -> Spread:
    """A score that varies by so much."""
    noise = np.random.default_rng(seed).standard_normal(400)
    return Spread(value, reach**2, 1e9, reach * noise, 5)


HEIGHTS = [0.4, 0.5, 0.6, 0.8]
RISING = [True, True, True]


def test_worth_reads_the_curve_in_the_logarithm_of_the_labels() -> None:
    found = worth(5, known(0.55), GRID, [known(height) for height in HEIGHTS], RISING)
    assert found.value == pytest.approx(math.sqrt(10 * 25) / 5)
    assert found.low == pytest.approx(found.value)
    assert found.high == pytest.approx(found.value)
    assert found.bound == 0
    assert not found.flat


def test_beyond_what_scratch_was_given_it_is_a_bound() -> None:
    curve = [known(height) for height in HEIGHTS]
    found = worth(10, known(0.85, 0.1), GRID, curve, RISING)
    assert found.value == pytest.approx(10.0)
    assert found.bound == 1
    assert 2.5 < found.low < 10.0
    assert found.low_bound == 0
    assert found.high == pytest.approx(10.0)
    assert found.high_bound == 1
    below = worth(10, known(0.1), GRID, curve, RISING)
    assert below.value == pytest.approx(0.5)
    assert below.bound == -1


def test_nothing_is_said_where_scratch_is_flat() -> None:
    flat = [known(height) for height in (0.4, 0.6, 0.6, 0.605)]
    rising = [True, False, False]
    assert worth(5, known(0.7), GRID, flat, rising).flat
    assert worth(5, known(0.603), GRID, flat, rising).flat
    assert not worth(5, known(0.5), GRID, flat, rising).flat
