"""Is the pretrained network better than the same one untrained? One paired difference, its interval and a verdict."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.core.messages import Message
from sslstudio.engine.evaluate.intervals import student
from sslstudio.engine.evaluate.probes import Array, headline

Numbers = npt.NDArray[np.int64]
RESAMPLES = 400
HELPS, UNCLEAR, HARMS = "helps", Message("no difference yet"), "harms"


@dataclass(frozen=True)
class Difference:
    """Ours minus theirs with its 95 % interval; the scores that were compared."""

    value: float
    low: float
    high: float
    ours: float
    theirs: float

    @property
    def verdict(self) -> str:
        """In words: only what the interval leaves no doubt of."""
        return HELPS if self.low > 0 else HARMS if self.high < 0 else UNCLEAR


def chosen_fairly(kind: str, counts: Array, half: Numbers) -> Array:
    """(R, n, 3, C) from (S, R, n, 3, C): each cell from the stage that is best where this cell was not looked at.

    Draws are halved into even and odd, pictures by `half` (n,) of 0 and 1. A cell of one half of the draws and one half
    of the pictures takes the stage that wins in the other half of both, so the winner's luck is not counted.
    """
    fair = np.zeros(counts.shape[1:])
    for parity in (0, 1):
        for side in (0, 1):
            others = counts[:, 1 - parity :: 2][:, :, half != side]
            scores = np.nan_to_num(headline(kind, others.sum(axis=2)).mean(axis=1))
            stage = int(scores.argmax())
            here = np.flatnonzero(half == side)
            fair[parity::2, here] = counts[stage, parity::2][:, here]
    return fair


def halves(group: Numbers, seed: int) -> Numbers:
    """0 or 1 for each picture, half of the groups each, drawn."""
    names, place = np.unique(group, return_inverse=True)
    order = np.random.default_rng(derive(seed, "halves")).permutation(len(names))
    return np.asarray((order % 2)[place], np.int64)


def compare(kind: str, ours: Array, theirs: Array, group: Numbers, seed: int) -> Difference:
    """Two networks on the same draws and pictures: counts (S, R, n, 3, C) each; `group` (n,) of the pictures.

    The interval covers the luck of the scored pictures (bootstrap over groups, averaged over the draws) and that of the
    labelled ones, added up. All draws come from one pool, so their mean is less certain than their spread alone says:
    the share of the pool that teaches is added (as in Nadeau & Bengio, Machine Learning 52, 2003, section 3).
    """
    half = halves(group, seed)
    first, second = (chosen_fairly(kind, counts, half) for counts in (ours, theirs))
    gaps = headline(kind, first.sum(axis=1)) - headline(kind, second.sum(axis=1))  # (R,)
    value = float(gaps.mean())
    taught = 1.0 - float((first[..., 1, :].sum(axis=-1) > 0).mean())
    draws = float(gaps.var(ddof=1)) * (1.0 / len(gaps) + taught)
    pictures = _by_pictures(kind, first, second, group, seed)
    freedom = (len(gaps) - 1) * ((pictures + draws) / draws) ** 2 if draws else 1e9  # Welch and Satterthwaite
    reach = student(freedom) * (pictures + draws) ** 0.5
    scores = (float(headline(kind, part.sum(axis=1)).mean()) for part in (first, second))
    return Difference(value, value - reach, value + reach, *scores)


def _by_pictures(kind: str, first: Array, second: Array, group: Numbers, seed: int) -> float:
    """The variance of the mean difference when other pictures (groups) had been scored."""
    _, place = np.unique(group, return_inverse=True)
    units = int(place.max()) + 1
    weights = np.random.default_rng(derive(seed, "resamples")).multinomial(
        units, np.full(units, 1.0 / units), size=RESAMPLES
    )[:, place]  # (resamples, n)
    drawn = np.zeros(RESAMPLES)
    for number in range(len(first)):
        sums = (
            (weights @ part[number].reshape(len(place), -1)).reshape(-1, *part.shape[2:]) for part in (first, second)
        )
        ours, theirs = (headline(kind, part) for part in sums)
        drawn += (ours - theirs) / len(first)
    return float(np.nanvar(drawn, ddof=1))
