"""How much further labels go: scores over draws of labels with intervals, paired differences, and what labels are
worth.

Two kinds of luck are in a score with few labels: which labelled pictures were drawn, and which pictures it is tested
on. The intervals cover both: draws and test pictures are resampled independently of each other (the pigeonhole
bootstrap: Owen 2007, The Annals of Applied Statistics 1:386). Every row of a table sees the same resamples, so that
what makes a draw or a picture hard for all rows drops out of a difference.

Letters: S draws of labels, n test pictures (or groups), C classes, R resamples, K numbers of labels of a curve.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.evaluate.scores import HEADLINE, SCORERS, Array

RESAMPLES = 1000
CHUNK = 100  # resamples at once, so that memory stays flat
ROUNDING = 1e-9


@dataclass(frozen=True)
class Luck:
    """R resamples: how often each draw and each test picture is in one. The same for all rows of a table."""

    draws: Array  # (R, S)
    pictures: Array  # (R, n)


@dataclass(frozen=True)
class Estimate:
    """A mean over draws, its 95 % interval over draws and test pictures, and Student's over draws alone."""

    value: float
    low: float
    high: float
    t_low: float
    t_high: float
    draws: int


@dataclass(frozen=True)
class Worth:
    """What labels are worth: scratch needs `value` times as many.

    A bound of 1 says that it is at least that (scratch was not given enough labels to catch up), −1 that it is at
    most that, 0 that it is known.
    """

    value: float
    low: float
    high: float
    bound: int
    low_bound: int
    high_bound: int


def resampling(draws: int, pictures: int, seed: int = 0, count: int = RESAMPLES) -> Luck:
    """`count` resamples of `draws` draws and of `pictures` test pictures.

    One draw fewer than there are is taken, with replacement: the variance of a mean of few is then right (McCarthy &
    Snowden 1985), where a resample of all of five draws would give four fifths of it.
    """
    rng = np.random.default_rng(derive(seed, "label efficiency"))
    taken = max(1, draws - 1)
    return Luck(
        rng.multinomial(taken, np.full(draws, 1.0 / draws), size=count).astype(np.float64),
        rng.multinomial(pictures, np.full(pictures, 1.0 / pictures), size=count).astype(np.float64),
    )


def draw_scores(kind: str, confusions: Array) -> Array:
    """The headline score of each draw: (S, n, C, C) -> (S,)."""
    return SCORERS[kind](confusions.sum(1))[HEADLINE[kind]]


def resampled_scores(kind: str, confusions: Array, luck: Luck) -> Array:
    """The headline score of each draw on each resample of the test pictures: (S, n, C, C) -> (R, S)."""
    draws, count = confusions.shape[:2]
    flat = np.ascontiguousarray(confusions.swapaxes(0, 1)).reshape(count, -1)
    scored = []
    for start in range(0, len(luck.pictures), CHUNK):
        sums = luck.pictures[start : start + CHUNK] @ flat
        scored.append(SCORERS[kind](sums.reshape(-1, draws, *confusions.shape[2:]))[HEADLINE[kind]])
    return np.concatenate(scored)


def mean_over_draws(scores: Array, luck: Luck, which: Sequence[int]) -> Array:
    """The mean over the resampled draws: (R, len(which)) -> (R,); nan where a resample holds none of `which`."""
    weights = luck.draws[:, list(which)]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Array = (weights * scores).sum(1) / weights.sum(1)
    return mean


def estimate(per_draw: Array, resampled: Array) -> Estimate:
    """The mean of `per_draw` (S,) with the interval that `resampled` means (R,) give."""
    value = float(per_draw.mean())
    low, high = interval(resampled)
    reach = float("nan")
    if len(per_draw) > 1:
        reach = float(stdtrit(len(per_draw) - 1, 0.975) * per_draw.std(ddof=1) / np.sqrt(len(per_draw)))
    return Estimate(value, low, high, value - reach, value + reach, len(per_draw))


def interval(resampled: Array) -> tuple[float, float]:
    """The middle 95 % of what is a number; nan when nothing is."""
    if np.isnan(resampled).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return float(low), float(high)


def monotone(values: Array) -> Array:
    """The nearest curve that never falls (isotonic regression, all weights alike): (..., K) -> (..., K).

    max over i <= k of the min over j >= k of the mean of i..j (Robertson, Wright & Dykstra 1988, theorem 1.4.4).
    """
    size = values.shape[-1]
    sums = np.concatenate([np.zeros((*values.shape[:-1], 1)), values.cumsum(-1)], -1)
    means = np.full((*values.shape[:-1], size, size), np.inf)
    for first in range(size):
        for last in range(first, size):
            means[..., first, last] = (sums[..., last + 1] - sums[..., first]) / (last + 1 - first)
    lowest = np.minimum.accumulate(means[..., ::-1], -1)[..., ::-1]  # over all ends from here on
    return np.stack([lowest[..., : k + 1, k].max(-1) for k in range(size)], -1)


def labels_needed(score: Array, labels: int, grid: Sequence[int], curve: Array) -> tuple[Array, npt.NDArray[np.int_]]:
    """How many labels the curve needs for `score`, and whether that is a bound.

    score (...), curve (..., K): a curve that never falls, of scores at `grid` labels, straight in the logarithm of
    the labels between them. Where it is flat, many numbers of labels have the same score: the one nearest to `labels`
    is meant. The bound is 1 for a score above the curve's end (at least so many), −1 below its start, else 0.
    """
    places = np.log(np.asarray(grid, np.float64))
    above, below = score > curve[..., -1] + ROUNDING, score < curve[..., 0] - ROUNDING
    least = _crossing(score, curve, places, (curve < score[..., None] - ROUNDING).sum(-1))
    most = _crossing(score, curve, places, (curve <= score[..., None] + ROUNDING).sum(-1))
    needed = np.clip(np.log(labels), least, most)
    needed = np.where(above, places[-1], np.where(below, places[0], needed))
    return np.exp(needed), above.astype(np.int_) - below.astype(np.int_)


def _crossing(score: Array, curve: Array, places: Array, count: npt.NDArray[np.int_]) -> Array:
    """Where the straight line from the last of the `count` points that come before it to the next one has `score`."""
    right = np.clip(count, 1, len(places) - 1) if len(places) > 1 else np.zeros_like(count)
    left = np.maximum(right - 1, 0)
    before = np.take_along_axis(curve, left[..., None], -1)[..., 0]
    after = np.take_along_axis(curve, right[..., None], -1)[..., 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(after > before, (score - before) / (after - before), 0.0)
    between = places[left] + np.clip(share, 0.0, 1.0) * (places[right] - places[left])
    return np.where(count == 0, places[0], np.where(count >= len(places), places[-1], between))


def worth(labels: int, score: float, grid: Sequence[int], curve: Array, scores: Array, curves: Array) -> Worth:
    """How many times the labels scratch needs for the same score, with its interval.

    score, curve (K,): the means; scores (R,), curves (R, K): the same on each resample.
    """
    value, bound = labels_needed(np.array(score), labels, grid, monotone(curve))
    known = ~(np.isnan(scores) | np.isnan(curves).any(-1))
    if not known.any():
        return Worth(float(value) / labels, float("nan"), float("nan"), int(bound), 0, 0)
    values, bounds = labels_needed(scores[known], labels, grid, monotone(curves[known]))
    order = np.lexsort((bounds, values))
    low, high = (order[round(share * (len(order) - 1))] for share in (0.025, 0.975))
    return Worth(
        float(value) / labels,
        float(values[low]) / labels,
        float(values[high]) / labels,
        int(bound),
        int(bounds[low]),
        int(bounds[high]),
    )
