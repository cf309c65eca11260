"""Which pictures to label next: typical ones, far from each other and from what is labelled; uncertain ones later.

Few labels teach most when each stands for many pictures and no two for the same ones: typical and diverse (Hacohen et
al., ICML 2022, "Active learning on a budget"); what a network is unsure of pays only once it knows something. Each
of the first picks is the most typical picture of the region that is farthest from all picks and labels (the k-center
rule of Sener & Savarese, ICLR 2018, which alone would pick the odd ones out). Later the most uncertain pictures are put
into clusters, weighted by their uncertainty, and the middle of each is picked (Zhdanov 2019, "Diverse mini-batch active
learning").

Letters: N pictures, D features, C classes.
"""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from sslstudio.engine.evaluate.embedding_map import Features, compact

MOST = 10_000  # pictures compared: the time grows with their square
NEIGHBOURS = 8
ODD = 0.05  # share of the pictures that are left out as odd ones: the least typical
REGION = 0.5  # the region around the farthest picture reaches this far back to the nearest pick
UNSURE = 0.2  # share of the pictures without a label that are picked from by uncertainty
FIRST = 20  # labels; before there are so many, what is uncertain is not known either
RIDGE = 0.3  # penalty of the read-out that says what is uncertain, per labelled picture, as of the read-out of a run
KNOWING = 0.5  # of what lies between guessing and knowing; before that its doubts are noise
SHARPNESS = 8.0  # its scores times this, through a softmax, are its answer

Numbers = npt.NDArray[np.float64]


def suggest(features: Features, labelled: Collection[int], count: int, uncertainty: Numbers | None = None) -> list[int]:
    """Numbers of up to `count` pictures without a label, the most useful first.

    features     (N, D), see `evaluate.features`
    labelled     numbers of those that have a label
    uncertainty  (N,) of a network that was taught the labels, or `doubts_of`: then the most uncertain ones are picked,
                 no two alike
    """
    looked_at = _looked_at(len(features), labelled)
    parts = compact(features[looked_at])
    known = frozenset(labelled)
    is_known = np.array([number in known for number in looked_at.tolist()], np.bool_)
    typical = _typicality(parts)
    free = ~is_known & (typical >= np.quantile(typical, ODD) if len(typical) else is_known)
    if uncertainty is not None:
        unsure = uncertainty[looked_at]
        picked = _pick_unsure(parts, unsure, np.flatnonzero(free), count)
    else:
        picked = _pick(parts, typical, is_known, free, count)
    if len(picked) < count:  # the odd ones and the sure ones come last
        rest = ~is_known
        rest[picked] = False
        already = is_known.copy()
        already[picked] = True
        picked += _pick(parts, typical, already, rest, count - len(picked))
    return [int(looked_at[place]) for place in picked]


def doubts_of(features: Features, classes: Mapping[int, int]) -> Numbers | None:
    """(N,): how uncertain a ridge regression on these features (N, D) is of each picture: the entropy of its answer.

    classes: number of a picture -> its class. None while the regression knows too little for its doubts to mean
    anything: fewer than `FIRST` labels, or left out one by one these are told less than half as well as could be.
    """
    if len(classes) < FIRST or len(set(classes.values())) < 2:
        return None
    numbers = np.array(sorted(classes), np.int64)
    _, of = np.unique([classes[number] for number in numbers.tolist()], return_inverse=True)
    spread = features.std(axis=0)
    varied = spread > 1e-6
    scaled = ((features - features.mean(axis=0))[:, varied] / spread[varied]).astype(np.float64)
    scaled /= np.sqrt(max(1, scaled.shape[1]))
    weights = 1.0 / np.bincount(of)[of]  # each class counts the same
    weights /= weights.sum()
    truth = np.eye(of.max() + 1)[of]
    middle, share = weights @ scaled[numbers], weights @ truth
    roots = np.sqrt(weights)[:, None]
    known, wanted = roots * (scaled[numbers] - middle), roots * (truth - share)
    inverse = np.linalg.inv(known @ known.T + RIDGE / len(numbers) * np.eye(len(numbers)))
    dual = inverse @ wanted
    left_out = truth - dual / np.diagonal(inverse)[:, None] / roots  # what it says of each without having seen it
    if _skill(left_out.argmax(axis=1), of) < KNOWING:
        return None
    scores = SHARPNESS * ((scaled - middle) @ (known.T @ dual) + share)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray(-(shares * np.log(shares + 1e-12)).sum(axis=1), np.float64)


def _skill(answers: npt.NDArray[np.int64], of: npt.NDArray[np.int64]) -> float:
    """Balanced accuracy, 0 for guessing and 1 for knowing."""
    right = np.array([np.mean(answers[of == one] == one) for one in range(of.max() + 1)])
    chance = 1.0 / len(right)
    return float((right.mean() - chance) / (1.0 - chance))


def _pick_unsure(parts: Features, unsure: Numbers, free: npt.NDArray[np.int64], count: int) -> list[int]:
    """Places of up to `count` of the most uncertain free pictures: the middles of clusters, most uncertain first."""
    from sklearn.cluster import KMeans

    most = min(len(free), max(count, round(UNSURE * len(free))))
    near = free[np.argsort(-unsure[free], kind="stable")[:most]]
    if count < 1 or len(near) <= count:
        return [int(place) for place in near]
    weights = unsure[near] - unsure[near].min() + 1e-6
    groups = KMeans(count, n_init=3, random_state=0).fit(parts[near], sample_weight=weights)
    distances = groups.transform(parts[near])
    picked = []
    for cluster in range(count):
        members = np.flatnonzero(groups.labels_ == cluster)
        if len(members):
            picked.append(int(near[members[distances[members, cluster].argmin()]]))
    return sorted(picked, key=lambda place: -float(unsure[place]))


def _looked_at(count: int, labelled: Collection[int]) -> npt.NDArray[np.int64]:
    """All pictures, or as many as can be compared: the labelled ones and evenly spaced others."""
    if count <= MOST:
        return np.arange(count)
    kept = np.array(sorted(labelled), np.int64)[: MOST // 2]
    others = np.setdiff1d(np.arange(count), kept)
    spaced = others[np.linspace(0, len(others) - 1, MOST - len(kept)).astype(np.int64)]
    return np.sort(np.concatenate([kept, spaced]))


def _typicality(parts: Features) -> Numbers:
    """(N,): the inverse of the mean distance to the nearest neighbours."""
    near = min(NEIGHBOURS, len(parts) - 1)
    if near < 1:
        return np.ones(len(parts))
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=near + 1).fit(parts).kneighbors(parts)
    return np.asarray(1.0 / (distances[:, 1:].mean(axis=1) + 1e-9), np.float64)


def _pick(
    parts: Features, typical: Numbers, known: npt.NDArray[np.bool_], free: npt.NDArray[np.bool_], count: int
) -> list[int]:
    """Places of up to `count` free pictures, one after the other."""
    free = free.copy()
    far = np.full(len(parts), np.inf)  # to the nearest pick or label
    for one in np.flatnonzero(known).tolist():
        np.minimum(far, _distances(parts, one), out=far)
    picked: list[int] = []
    while free.any() and len(picked) < count:
        candidates = np.flatnonzero(free)
        if np.isinf(far).all():  # the very first one
            place = int(candidates[typical[candidates].argmax()])
        else:
            farthest = int(candidates[far[candidates].argmax()])
            around = _distances(parts, farthest)
            region = candidates[around[candidates] <= REGION * far[farthest]]
            place = int(region[typical[region].argmax()])
        picked.append(place)
        free[place] = False
        np.minimum(far, _distances(parts, place), out=far)
    return picked


def _distances(parts: Features, place: int) -> Numbers:
    return np.asarray(np.linalg.norm(parts - parts[place], axis=1), np.float64)
