"""How much further labels go: scores over draws of labels with intervals, paired differences, and what labels are
worth.

Two kinds of luck are in a score with few labels: which labelled pictures were drawn, and which pictures it is tested
on. The variance of a mean over draws is that of the draws plus that of the pictures. What is between them (a picture
that is hard for one draw alone) is in both and counted once, as Owen (2007, The Annals of Applied Statistics 1:386)
works it out for two crossed factors. Few draws say little of their own spread: it is drawn towards a usual one (a
moderated variance: Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3:3), and the interval is
Student's with the degrees of freedom of the sum (Welch and Satterthwaite). How often intervals hold the truth was
simulated: decision 0039 and tests/engine/experiments/test_coverage.py.

Where each task was pretrained several times, with other seeds, a third kind of luck is known, above the other two: the
draws of labels are spread over the pretrainings, and the means over the draws of one pretraining take the place of
single draws, drawn towards a usual spread of pretrainings beside that of draws (decision 0049).

Every row of a table sees the same resamples, so that what makes a draw or a picture hard for all rows drops out of a
difference, and several differences have intervals that hold together.

Letters: S draws of labels, U units of luck (draws, or pretrainings), n test pictures (or groups), C classes,
R resamples, K numbers of labels of a curve.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, stdtr, stdtrit

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.evaluate.intervals import LEAST_FREEDOM, bound_share, student
from sslstudio.engine.evaluate.scores import HEADLINE, SCORERS, Array

RESAMPLES = 1000
CHUNK = 100  # resamples at once, so that memory stays flat
ROUNDING = 1e-9
NO_SPREAD = 1e-12
USUAL = 0.04  # by how much scores of single draws usually deviate; it counts as much as one draw more
USUAL_PRETRAINING = 0.02  # the same of several pretrainings of one task, beside what draws do


@dataclass(frozen=True)
class Luck:
    """R resamples, the same for all rows of a table. `pictures`: how often each test picture is in one. The others are
    normal numbers for each draw and for what no resample shows, and numbers between 0 and 1 for Student's t."""

    pictures: Array  # (R, n)
    draws: Array  # (R, S)
    unseen: Array  # (R,)
    chance: Array  # (R,)


@dataclass(frozen=True)
class Spread:
    """A mean over draws and how it would vary: variance, degrees of freedom, and where R repetitions would be."""

    value: float
    variance: float
    freedom: float
    deviations: Array  # (R,)
    draws: int

    def reach(self, chance: float = 0.95) -> float:
        """How far the interval around a difference goes on either side."""
        return student(self.freedom, (1 + chance) / 2) * float(np.sqrt(self.variance))


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
    most that, 0 that it is known. `flat`: scratch does not clearly get better with labels there, so nothing is said.
    """

    value: float
    low: float
    high: float
    bound: int
    low_bound: int
    high_bound: int
    flat: bool


def resampling(
    draws: int, pictures: int, seed: int = 0, count: int = RESAMPLES, classes: npt.NDArray[np.int_] | None = None
) -> Luck:
    """`count` resamples of `pictures` test pictures, of each of their `classes` (n,) as many as there are, and numbers
    for `draws` draws."""
    rng = np.random.default_rng(derive(seed, "label efficiency"))
    taken = np.zeros((count, pictures))
    for number in np.unique(classes) if classes is not None else [None]:
        here = np.arange(pictures) if number is None else np.flatnonzero(classes == number)
        taken[:, here] = rng.multinomial(len(here), np.full(len(here), 1.0 / len(here)), size=count)
    return Luck(taken, rng.standard_normal((count, draws)), rng.standard_normal(count), rng.random(count))


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


def picture_variance(right: Array, classes: npt.NDArray[np.int_], *, gap: bool = False) -> float:
    """The variance over test pictures of a mean recall over draws, smoothed for rare classes.

    right (S, n): 1 where a draw has a picture of `classes` (n,) right, or with `gap` the difference of two networks,
    between -1 and 1. The variance of one draw is that of `intervals.bound_recall` and `bound_gap`; the mean of several
    draws varies less, by a share that is alike in all classes.
    """
    each, single = right.mean(0), (right**2).mean(0)
    count = np.bincount(classes).astype(np.float64)
    there = count > 0
    sums, averaged, squares = (np.bincount(classes, one)[there] for one in (each, each**2, single))
    count = count[there]
    spent, whole = ((one - sums**2 / count).sum() for one in (averaged, squares))
    share = min(1.0, max(1 / len(right), float(spent / whole))) if whole > NO_SPREAD else 1.0
    if gap:
        disagree = (float(np.abs(right).mean(0).sum()) + 1) / (len(each) + 2)
        more, first, second = 2.0, 0.0, 0.5 + disagree
    else:
        together = (float(each.sum()) + 0.5) / (len(each) + 1)
        more, first, second = 3.0, 1 + together, 1 + together
    variances = (squares + second) / (count + more) - ((sums + first) / (count + more)) ** 2
    return share * float((variances / count).sum()) / len(count) ** 2


def spread(
    scores: Array,
    resampled: Array,
    luck: Luck,
    which: Sequence[int],
    known: float | None = None,
    pretrainings: Sequence[int] = (),
) -> Spread:
    """How the mean of `scores` (S,) of the draws `which` would vary with other draws and test pictures.

    resampled (R, S): the same on each resample of the pictures. known: the variance over pictures where it is better
    known than from these, see `picture_variance`. pretrainings: which pretraining each draw rests on; where these are
    several, how the mean would vary with others is in it, too. With one draw the usual spread stands for its own.
    """
    count, value = len(scores), float(scores.mean())
    if np.isnan(value):
        return Spread(value, value, LEAST_FREEDOM, np.full(len(resampled), value), count)
    resampled = np.where(np.isnan(resampled), scores, resampled)
    means = resampled.mean(1)
    units = _units(scores, resampled, luck.draws[:, list(which)], pretrainings)
    among = len(units.scores)
    alone = float((units.weights**2).sum())  # 1 / U where all weigh alike
    between, both, apart = float(means.var(ddof=1)) if known is None else known, 0.0, 0.0
    if among > 1:
        own = (units.resampled - means[:, None]) - (units.scores - value)
        both = float((own**2).mean(0) @ units.weights) / (1 - alone)
        apart = float(units.weights @ (units.scores - value) ** 2) / (1 - alone)
    pictures = max(between - both * alone, 0.0)
    single = (both + units.usual + (among - 1) * apart) / among  # of one unit
    upper = single * alone
    variance = upper + pictures
    tested = luck.pictures.shape[1]
    freedom = variance**2 / (upper**2 / units.freedom + pictures**2 / max(1, tested - 1))
    if count == 1:
        freedom = float(max(1, tested - 1))  # the usual spread is taken for known
    noise = _draw_noise(units.weights**0.5 * (units.scores - value), units.numbers) * upper**0.5
    noise = noise + _picture_noise(means, luck.unseen) * pictures**0.5
    freedom = max(LEAST_FREEDOM, freedom)
    return Spread(value, variance, freedom, noise / np.sqrt(chdtri(freedom, luck.chance) / freedom), count)


@dataclass(frozen=True)
class _Units:
    """What is independent of the rest, draws or pretrainings, each with its share of the draws as its weight. `usual`:
    the variance that one more unit would have, by what is usual and by how draws differ within a pretraining;
    `freedom`: of the variance that comes of it."""

    scores: Array  # (U,)
    resampled: Array  # (R, U)
    numbers: Array  # (R, U) normal
    weights: Array  # (U,) sum to 1
    usual: float
    freedom: float


def _units(scores: Array, resampled: Array, numbers: Array, pretrainings: Sequence[int]) -> _Units:
    """The draws, or the means over the draws of each pretraining where these are several."""
    names, place = np.unique(np.asarray(pretrainings, int), return_inverse=True)
    draws = len(scores)
    if len(names) < 2:
        return _Units(scores, resampled, numbers, np.full(draws, 1 / draws), USUAL**2, draws)
    belongs = (place[:, None] == np.arange(len(names))).astype(np.float64)  # (S, U)
    count = belongs.sum(0)
    means = scores @ belongs / count
    within = float(((scores - means[place]) ** 2).sum())
    draw = (USUAL**2 + within) / (1 + draws - len(names))
    usual = USUAL_PRETRAINING**2 + draw * len(names) / draws
    # What is usual is known where draws within pretrainings tell it: the variance of U - 1 units is in doubt, of U.
    freedom = len(names) ** 2 / (len(names) - 1) if draws > len(names) else len(names)
    return _Units(means, resampled @ belongs / count, numbers @ belongs / count**0.5, count / draws, usual, freedom)


def _draw_noise(apart: Array, numbers: Array) -> Array:
    """(R,) of variance 1: the same draws weigh alike in all rows."""
    length = float(np.sqrt((apart**2).sum()))
    if length < NO_SPREAD:
        alike: Array = numbers.sum(1) / np.sqrt(numbers.shape[1])
        return alike
    noise: Array = numbers @ (apart / length)
    return noise


def _picture_noise(means: Array, unseen: Array) -> Array:
    """(R,) of variance 1: the same test pictures weigh alike in all rows."""
    deviation = float(means.std())
    return (means - means.mean()) / deviation if deviation > NO_SPREAD else unseen


def estimate(scores: Array, found: Spread, reach: float | None = None) -> Estimate:
    """The mean with its interval. reach None: a score between 0 and 1; else a difference with that interval."""
    if reach is not None:
        low, high = found.value - reach, found.value + reach
    elif np.isnan(found.value) or found.variance < NO_SPREAD:
        low = high = found.value
    else:
        typical = min(max(found.value, 0.01), 0.99)
        low, high = bound_share(found.value, typical, found.variance, found.freedom)
    alone = float("nan")
    if len(scores) > 1:
        alone = float(stdtrit(len(scores) - 1, 0.975) * scores.std(ddof=1) / np.sqrt(len(scores)))
    return Estimate(found.value, low, high, found.value - alone, found.value + alone, len(scores))


def hold_together(found: Sequence[Spread]) -> list[float]:
    """How far the intervals of several differences go on either side, so that in 95 % all of them hold the truth.

    The largest of the studentised deviations decides, each seen by its own distribution, so that all intervals are
    equally sure (Beran 1988, Journal of the American Statistical Association 83:679). One alone has its own interval.
    """
    known = [one for one in found if one.variance > NO_SPREAD]
    chance = 0.95
    if len(known) > 1:
        sure = [2 * stdtr(one.freedom, np.abs(one.deviations) / np.sqrt(one.variance)) - 1 for one in known]
        chance = max(chance, float(np.percentile(np.max(sure, axis=0), 95)))
    return [one.reach(chance) for one in found]


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


def labels_needed(
    score: Array, labels: float, grid: Sequence[float], curve: Array
) -> tuple[Array, npt.NDArray[np.int_]]:
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
    # Of a rise too small to divide by the share overflows, and is clipped to the whole way.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share = np.where(after > before, (score - before) / (after - before), 0.0)
    between = places[left] + np.clip(share, 0.0, 1.0) * (places[right] - places[left])
    return np.where(count == 0, places[0], np.where(count >= len(places), places[-1], between))


def worth(
    labels: float, score: Spread, grid: Sequence[float], curve: Sequence[Spread], rising: Sequence[bool]
) -> Worth:
    """How many times the labels scratch needs for the same score, with its interval.

    curve: scratch at the `grid` of labels; rising: whether it clearly gets better from each of these to the next. Where
    it does not, any number of labels may have the same score: nothing is said.
    """
    heights = np.array([one.value for one in curve])
    value, bound = labels_needed(np.array(score.value), labels, grid, monotone(heights))
    scores, curves = (
        score.value + score.deviations,
        np.stack([one.value + one.deviations for one in curve], axis=-1),
    )
    segment = min(max(int((np.asarray(grid) < value * (1 - ROUNDING)).sum()) - 1, 0), len(grid) - 2)
    flat = bool(len(grid) > 1 and not rising[segment])
    known = ~(np.isnan(scores) | np.isnan(curves).any(-1))
    if not known.any():
        return Worth(float(value) / labels, float("nan"), float("nan"), int(bound), 0, 0, flat)
    values, bounds = labels_needed(scores[known], labels, grid, monotone(curves[known]))
    order = np.lexsort((bounds, values))
    low, high = (order[round(share * (len(order) - 1))] for share in (0.025, 0.975))
    ends = float(values[low]) / labels, float(values[high]) / labels
    return Worth(float(value) / labels, *ends, int(bound), int(bounds[low]), int(bounds[high]), flat)
