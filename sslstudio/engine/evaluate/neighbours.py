"""Pictures in feature space: which are alike, and whose label their neighbours contradict.

Letters: n pictures, D features, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
NEIGHBOURS = 10


def directions(features: Array) -> Array:
    """float32 (n, D) of length 1, the mean taken off: features behind a ReLU all point the same way."""
    centred = features - features.mean(axis=0, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    directed: Array = np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-12)
    return directed


def nearest(places: Array, number: int, count: int) -> list[tuple[int, float]]:
    """The `count` pictures most like picture `number`, itself left out, each with its cosine; most alike first."""
    alike = places @ places[number]
    order = np.argsort(-alike, kind="stable")
    return [(int(one), float(alike[one])) for one in order if one != number][:count]


@dataclass(frozen=True)
class Doubt:
    """A label that is probably wrong: picture number, the label, what is more likely, and how sure that is (0 to 1).

    `chance` and `other_chance` are the network's for the label and for the other class; `agree` and `other_agree` the
    shares of the nearest pictures that have the one and the other.
    """

    number: int
    label: int
    suggested: int
    doubt: float
    chance: float
    other_chance: float
    agree: float
    other_agree: float


def doubts(
    places: Array, labels: Sequence[int], chances: Array, asked: Sequence[int], count: int = NEIGHBOURS
) -> list[Doubt]:
    """Labels that the network and the neighbours both contradict, the most doubtful first.

    `labels` (n,) and `places` (n, D) are of all labelled pictures, `chances` (n, C) the network's; `asked` are the
    pictures that it was not trained on: only for these its answer says anything. A label is doubted when the other
    class gets at least the probability that pictures of that class get on average (confident learning, Northcutt et
    al., JAIR 2021) and more of the nearest pictures have that class than the label's.
    """
    truth = np.asarray(labels, np.int64)
    usual = _usual(truth, chances, asked)
    found = []
    for number in asked:
        label, other = int(truth[number]), int(chances[number].argmax())
        if other == label or chances[number, other] < usual[other]:
            continue
        near = truth[[one for one, _ in nearest(places, number, count)]]
        agree, other_agree = float((near == label).mean()), float((near == other).mean())
        if other_agree <= agree:
            continue
        gap = float(chances[number, other] - chances[number, label])
        found.append(Doubt(
            number, label, other, (gap + other_agree - agree) / 2, float(chances[number, label]),
            float(chances[number, other]), agree, other_agree,
        ))  # fmt: skip
    return sorted(found, key=lambda one: (-one.doubt, one.number))


def _usual(truth: Numbers, chances: Array, asked: Sequence[int]) -> Array:
    """(C,) the mean probability of a class among the pictures that are labelled so; 1 where there is none."""
    rows = np.asarray(list(asked), np.int64)
    usual = np.ones(chances.shape[1], np.float32)
    for label in np.unique(truth[rows]):
        usual[label] = chances[rows[truth[rows] == label], label].mean()
    return usual
