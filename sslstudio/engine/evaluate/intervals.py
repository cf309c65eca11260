"""Intervals around scores of few test pictures: of one score, and of the difference of two networks.

A score v of which the sampling variance is V is as sure as a share of v (1 - v) / V pictures would be: its effective
number of pictures (Kish, Survey Sampling, 1965, section 8.2). Its interval is Wilson's for that number, with Student's
t for the normal quantile because V is an estimate. It lies within 0 and 1 and always holds the score.

V comes from the classes, each a binomial of its own. A class with two pictures that are both right seems not to vary at
all, so each class is smoothed by `PRIOR` before its variance is taken, and only for that: the score stays as it is.
How often such intervals hold the truth was simulated: decision 0039 and tests/engine/evaluate/test_coverage.py.

Letters: C classes that have test pictures.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Array = npt.NDArray[np.float64]
Z = 1.959964
LEAST_FREEDOM = 2.0
PRIOR = 1.0  # one picture more of each class that is right, one that is wrong, and one like all classes together


def wilson(share: float, n: float, quantile: float = Z) -> tuple[float, float]:
    """The 95 % score interval of a share of n pictures (Wilson 1927). `quantile`: of the normal or of Student's t."""
    squared = quantile * quantile
    middle = (share + squared / (2 * n)) / (1 + squared / n)
    spread = float(np.sqrt(share * (1 - share) / n + squared / (4 * n * n)))
    reach = quantile / (1 + squared / n) * spread
    return min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach))  # past what rounding does


def student(freedom: float, chance: float = 0.975) -> float:
    """The quantile of Student's t; of too few degrees of freedom that of two."""
    return float(stdtrit(max(LEAST_FREEDOM, freedom), chance))


def bound_share(value: float, typical: float, variance: float, freedom: float | None = None) -> tuple[float, float]:
    """Wilson's interval of a score of which the variance is known. `freedom` None: the effective pictures less one.

    `typical`: the score that goes with the variance (smoothed, strictly between 0 and 1), for the effective number.
    """
    effective = typical * (1 - typical) / variance
    return wilson(value, effective, student(effective - 1 if freedom is None else freedom))


def smooth_recall(right: Array, count: Array) -> Array:
    """The share of each class that is right, smoothed: (C,) of right (C,) and count (C,) pictures."""
    together = (right.sum() + 0.5) / (count.sum() + 1)
    smoothed: Array = (right + PRIOR * (1 + together)) / (count + 3 * PRIOR)
    return smoothed


def bound_recall(right: Array, count: Array) -> tuple[float, float]:
    """The interval of the mean over classes of the share that is right. right, count: (C,), count above 0."""
    smoothed = smooth_recall(right, count)
    variance = float((smoothed * (1 - smoothed) / count).sum()) / len(count) ** 2
    return bound_share(float((right / count).mean()), float(smoothed.mean()), variance)


def bound_gap(first: Array, second: Array, count: Array) -> tuple[float, float]:
    """The interval of the mean over classes of (first - second) / count: a difference of balanced accuracies.

    first, second: (C,) pictures that only the first or only the second network has right, of count (C,). Student's
    interval; each class is smoothed by half a picture and by one like all classes together (as Agresti & Min,
    Biometrics 61, 2005, do for one class).
    """
    disagree = (first.sum() + second.sum() + 1) / (count.sum() + 2)
    ours, theirs = ((part + disagree / 2 + 0.25) / (count + 2) for part in (first, second))
    variance = float(((ours + theirs - (ours - theirs) ** 2) / count).sum()) / len(count) ** 2
    effective = min(float((ours + theirs).mean()) / variance, float(count.sum()))
    value, reach = float(((first - second) / count).mean()), student(effective - 1) * variance**0.5
    return value - reach, value + reach
