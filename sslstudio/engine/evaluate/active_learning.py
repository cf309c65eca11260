"""Which pictures to label next: typical ones, far from each other and from what is labelled; uncertain ones later.

Few labels teach most when each stands for many pictures and no two for the same ones: typical and diverse (Hacohen et
al., ICML 2022, "Active learning on a budget"); what the network is unsure of pays only once it knows something. Each
pick is the most typical picture of the region that is farthest from all picks and labels (the k-center rule of Sener &
Savarese, ICLR 2018, which alone would pick the odd ones out).

Letters: N pictures, D features.
"""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from sslstudio.engine.evaluate.embedding_map import Features, compact

MOST = 10_000  # pictures compared: the time grows with their square
NEIGHBOURS = 8
ODD = 0.05  # share of the pictures that are left out as odd ones: the least typical
REGION = 0.5  # the region around the farthest picture reaches this far back to the nearest pick
UNSURE = 1 / 3  # share of the pictures that are picked from once the network says what it is unsure of

Numbers = npt.NDArray[np.float64]


def suggest(
    features: Features, labelled: Collection[int], count: int, uncertainty: Sequence[float] | None = None
) -> list[int]:
    """Numbers of up to `count` pictures without a label, the most useful first.

    features     (N, D), see `evaluate.features`
    labelled     numbers of those that have a label
    uncertainty  (N,) of a fine-tuned network: then only the third of which it is least sure is picked from
    """
    looked_at = _looked_at(len(features), labelled)
    parts = compact(features[looked_at])
    known = frozenset(labelled)
    is_known = np.array([number in known for number in looked_at.tolist()], np.bool_)
    typical = _typicality(parts)
    free = ~is_known & (typical >= np.quantile(typical, ODD) if len(typical) else is_known)
    if uncertainty is not None and free.any():
        unsure = np.asarray(uncertainty, np.float64)[looked_at]
        free &= unsure >= np.quantile(unsure[free], 1 - UNSURE)
    picked = _pick(parts, typical, is_known, free, count)
    if len(picked) < count:  # the odd ones and the sure ones come last
        rest = ~is_known
        rest[picked] = False
        already = is_known.copy()
        already[picked] = True
        picked += _pick(parts, typical, already, rest, count - len(picked))
    return [int(looked_at[place]) for place in picked]


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
