"""Sets of permutations of nine tiles that differ in as many places as can be.

A jigsaw puzzle is answered with the number of a permutation. Two permutations that differ in two places only are told
apart by two tiles, so sets with a large least Hamming distance make the better question (Noroozi & Favaro, ECCV 2016,
section 4.2). Authors pick them greedily among all 9! = 362,880; groups of permutations do better and cost
milliseconds, because in a sharply t-transitive group two members agree in fewer than t places:

    set                                            k      least distance    each tile at each place
    AGL(1,9)     x -> ax + b over GF(9)            72     8                 exactly 8 times
    PGL(2,8)     (ax + b) / (cx + d) over GF(8)    504    7                 exactly 56 times
    PGammaL(2,8) the same after x -> x^(2^i)       1512   6                 exactly 168 times
    two cosets of PGammaL(2,8)                     3024   4                 exactly 336 times
    four cosets                                    6048   4                 exactly 672 times

Greedy max-min over all 9! reaches 7 for k = 64, 6 for 100 and 5 for 504 and 1000; greedy max-mean and random sets
reach 2. So for every other k the set is picked inside the smallest of these that holds k permutations, and keeps its
distance or more, with each tile at each place k/9 times, give or take two. (Above 1512 sets with distance 5 exist, but
those found, up to 2016, show one tile at one place up to twice as often as another; and published results do not gain
from more than 100.)

A permutation p is a row of nine numbers: place i of the board shows tile p[i]. Places are counted row by row.
"""

from functools import cache, lru_cache
from itertools import permutations, product

import numpy as np
import numpy.typing as npt

from sslstudio.engine.core.messages import Message

Permutations = npt.NDArray[np.int64]  # (k, 9)

MOST = 5000
INFINITY = 8  # the ninth point of the projective line over GF(8)


@lru_cache(maxsize=16)
def permutation_set(count: int) -> Permutations:
    """`count` permutations (count, 9), always the same ones, read-only. The first is the identity.

    Sets that come from the same group are nested: the first 30 of the 72 are the set of 30.
    Raises ValueError unless 2 <= count <= 5000.
    """
    if not 2 <= count <= MOST:
        raise ValueError(
            Message("{count} permutations were asked for; there are sets of 2 to {most}.", count=count, most=MOST)
        )
    if count <= 72:
        chosen = _greedy(affine_group(), count)
    elif count <= 504:
        chosen = _greedy(projective_group(), count)
    else:
        chosen = _from_cosets(count)
    chosen.flags.writeable = False
    return chosen


def min_hamming(members: Permutations) -> int:
    """The least number of places in which two of the permutations differ."""
    places = np.eye(9, dtype=np.float32)[members].reshape(len(members), 81)
    nearest = 0.0
    for first in range(0, len(members), 1024):
        same = places[first : first + 1024] @ places.T  # agreements of every pair
        same[np.arange(len(same)), first + np.arange(len(same))] = 0.0  # each with itself
        nearest = max(nearest, float(same.max()))
    return 9 - int(nearest)


@cache
def affine_group() -> Permutations:
    """AGL(1,9) (72, 9): x -> ax + b, a != 0, over GF(9) = GF(3)[i] with i^2 = -1. The place n is n % 3 + (n // 3) i."""
    members = [[_add9(_times9(a, x), b) for x in range(9)] for a in range(1, 9) for b in range(9)]
    return np.array(members, dtype=np.int64)


def _add9(a: int, b: int) -> int:
    return (a % 3 + b % 3) % 3 + 3 * ((a // 3 + b // 3) % 3)


def _times9(a: int, b: int) -> int:
    real = (a % 3) * (b % 3) - (a // 3) * (b // 3)
    imaginary = (a % 3) * (b // 3) + (a // 3) * (b % 3)
    return real % 3 + 3 * (imaginary % 3)


@cache
def projective_group() -> Permutations:
    """PGL(2,8) (504, 9): x -> (ax + b) / (cx + d) with ad != bc over GF(8) = GF(2)[t]/(t^3 + t + 1), and infinity."""
    members = {
        tuple(_moebius(a, b, c, d, x) for x in range(9))
        for a, b, c, d in product(range(8), repeat=4)
        if _times8(a, d) != _times8(b, c)
    }
    return np.array(sorted(members), dtype=np.int64)


@cache
def semilinear_group() -> Permutations:
    """PGammaL(2,8) (1512, 9): PGL(2,8) after the field's automorphisms x, x^2 and x^4."""
    square = np.array([_times8(x, x) for x in range(8)] + [INFINITY], dtype=np.int64)
    group = projective_group()
    return np.concatenate([group, group[:, square], group[:, square[square]]])


def _times8(a: int, b: int) -> int:
    result = 0
    for bit in range(3):
        result ^= (a << bit) if b >> bit & 1 else 0
    for bit in (4, 3):  # t^3 = t + 1
        result ^= (0b1011 << (bit - 3)) if result >> bit & 1 else 0
    return result


@cache
def _inverse8(a: int) -> int:
    return next(b for b in range(1, 8) if _times8(a, b) == 1)


def _moebius(a: int, b: int, c: int, d: int, x: int) -> int:
    top, bottom = (a, c) if x == INFINITY else (_times8(a, x) ^ b, _times8(c, x) ^ d)
    return INFINITY if bottom == 0 else _times8(top, _inverse8(bottom))


def _greedy(candidates: Permutations, count: int, taken: Permutations | None = None) -> Permutations:
    """`count` rows: each the candidate farthest from its nearest taken row, and among equals the one that agrees least.

    The agreements with all taken rows are also how often its tiles already stand where it has them: the tie goes to
    the candidate that evens out the positions.
    """
    nearest = np.zeros(len(candidates), dtype=np.int64)  # agreements with the most similar taken row
    total = np.zeros(len(candidates), dtype=np.int64)
    for row in taken if taken is not None else ():
        agreements = (candidates == row).sum(axis=1)
        nearest, total = np.maximum(nearest, agreements), total + agreements
    picks: list[int] = []
    for _ in range(count):
        cost = nearest * (9 * MOST + 1) + total
        pick = int(cost.argmin()) if picks or taken is not None else _identity_row(candidates)
        agreements = (candidates == candidates[pick]).sum(axis=1)
        nearest, total = np.maximum(nearest, agreements), total + agreements
        nearest[pick] = 9 * 9  # never again
        picks.append(pick)
    return candidates[picks]


def _identity_row(members: Permutations) -> int:
    return int((members == np.arange(9)).all(axis=1).argmax())


def _from_cosets(count: int) -> Permutations:
    """Whole cosets of PGammaL(2,8) first, then the best of the next one."""
    group = semilinear_group()
    taken = np.empty((0, 9), dtype=np.int64)
    for leader in _coset_leaders(-(-count // len(group))):
        coset = leader[group]
        missing = min(len(group), count - len(taken))
        taken = np.concatenate([taken, _greedy(coset, missing, taken if len(taken) else None)])
    return taken


@cache
def _coset_leaders(count: int) -> tuple[Permutations, ...]:
    """Leaders s of left cosets s·G of PGammaL(2,8), each as far as can be from the cosets before it.

    The distance is invariant on both sides, so two cosets s·G and t·G are as near as t is to s·G. PGL(2,8) is
    3-transitive, so each of the 240 cosets has a leader that keeps places 0, 1 and 2: only 6! need to be looked at.
    """
    group = semilinear_group()
    rest = np.array(list(permutations(range(3, 9))), dtype=np.int64)
    candidates = np.concatenate([np.tile(np.arange(3, dtype=np.int64), (len(rest), 1)), rest], axis=1)
    leaders: list[Permutations] = [candidates[0]]
    nearest = np.zeros(len(candidates), dtype=np.int64)
    while len(leaders) < count:
        coset = leaders[-1][group]
        nearest = np.maximum(nearest, (candidates[:, None, :] == coset[None, :, :]).sum(axis=2).max(axis=1))
        leaders.append(candidates[int(nearest.argmin())])
    return tuple(leaders)
