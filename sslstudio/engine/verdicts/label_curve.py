"""How the score grows with the number of labels, from the labels that there are, and what further ones may give.

Nested random subsets of the labelled pictures teach a ridge regression on features that stay as they are; the pictures
of a fold that taught nothing are scored. The mean curve is followed by an inverse power law, score = top - drop *
labels ** -rate, as learning curves of few labels are (Figueroa et al., BMC Medical Informatics 12:8, 2012), and read a
little further than there are labels.

The band covers what can go another way: which pictures are labelled and which are scored (the spread of the repeats,
which share their pictures, so that their mean is less sure than their number says: Nadeau & Bengio, Machine Learning
52, 2003), and which of the laws that fit about as well is right.

Letters: n labelled pictures, D features, C classes, R repeats, M sizes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.core.messages import Message
from sslstudio.engine.evaluate.linear_and_knn import linear_answers
from sslstudio.engine.verdicts.ladder import MORE_LABELS

Array = npt.NDArray[np.float64]
FOLDS, REPEATS = 5, 8  # foldings, each of five parts, so that every picture is scored eight times
SIZES = 7
FEWEST = 12  # labelled pictures under which there is no curve
FEWEST_EACH = 2  # of a class that counts
RATES = (0.25, 0.5, 0.75, 1.0, 1.5)
AS_GOOD = 1.5  # laws whose error is at most so many times that of the best one are believed as well
T = 2.0  # reach of the band in standard deviations: about 95 %


@dataclass(frozen=True)
class CurvePoint:
    """So many labels in all, and the balanced accuracy that they give or would give, with its band."""

    labels: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LabelCurve:
    """What was measured, and the last point what `more` further labels are expected to reach. `gain`: how much that
    adds, its least and its most."""

    points: tuple[CurvePoint, ...]
    expected: CurvePoint
    more: int
    gain: tuple[float, float]

    @property
    def said(self) -> Message:
        """In a sentence."""
        low, high = (round(100 * end) for end in self.gain)
        if high <= 0:
            return Message("{more} more labels are not likely to give anything.", more=self.more)
        if low <= 0:
            return Message(
                "{more} more labels may give nothing, or up to {high} {high:plural(point|points)}.", more=self.more,
                high=high,
            )  # fmt: skip
        return Message(
            "{more} more labels are likely to give {low:+d} to {high:+d} points.", more=self.more, low=low, high=high
        )


def measure_curve(
    features: Tensor, targets: Tensor, classes: int, groups: Tensor | None = None, *, more: int = MORE_LABELS,
    seed: int = 0,
) -> LabelCurve | None:  # fmt: skip
    """The curve of standardised `features` (n, D) with classes `targets` int64 (n,), of which there are `classes`.

    `groups` int64 (n,): pictures of one are never on both sides. None where the labels are too few for a curve.
    """
    kept = torch.bincount(targets, minlength=classes)[targets] >= FEWEST_EACH
    features, targets = features[kept].double(), targets[kept]
    groups = torch.arange(len(targets)) if groups is None else groups[kept]
    if len(targets) < FEWEST or len(torch.unique(targets)) < 2 or len(torch.unique(groups)) < FOLDS:
        return None
    sizes = _sizes(len(targets), len(torch.unique(targets)))
    scores = np.stack([_repeat(features, targets, groups, classes, sizes, derive(seed, "curve", str(number)))
                       for number in range(REPEATS)])  # fmt: skip
    return _follow(np.array(sizes, float), scores, len(targets), more)


def _sizes(n: int, classes: int) -> list[int]:
    """Sizes of the subsets, from two of each class to what a fold leaves, in equal ratios."""
    most = n - -(-n // FOLDS)
    first = min(2 * classes, most // 2)
    return sorted({round(size) for size in np.geomspace(first, most, SIZES)})


def _repeat(features: Tensor, targets: Tensor, groups: Tensor, classes: int, sizes: list[int], seed: int) -> Array:
    """Scores (M,) of one folding: in each of its parts nested subsets of the rest teach."""
    rng = np.random.default_rng(seed)
    names, place = torch.unique(groups, return_inverse=True)
    fold = torch.from_numpy(rng.permutation(len(names)) % FOLDS)[place]
    right = torch.zeros(len(sizes), len(targets), dtype=torch.float64)
    for part in range(FOLDS):
        out = (fold == part).nonzero().flatten()
        order = _in_turn(targets, (fold != part).nonzero().flatten(), rng)
        for row, size in enumerate(sizes):
            taught = order[:size]
            answers = linear_answers(features[taught], targets[taught], features[out], classes)
            right[row, out] = (answers == targets[out]).double()
    counts = torch.bincount(targets, minlength=classes)
    sums = torch.zeros(len(sizes), classes, dtype=torch.float64).index_add_(1, targets, right)
    present = counts > 0
    shares: Array = (sums[:, present] / counts[present]).mean(dim=1).numpy()
    return shares


def _in_turn(targets: Tensor, members: Tensor, rng: np.random.Generator) -> Tensor:
    """Members in a drawn order in which the first subsets hold each class, as a person labels: one of each in turn."""
    drawn = members[torch.from_numpy(rng.permutation(len(members)))]
    seen: dict[int, int] = {}
    turn = []
    for label in targets[drawn].tolist():
        seen[label] = seen.get(label, -1) + 1
        turn.append(seen[label])
    firsts = torch.tensor([min(number, FEWEST_EACH) for number in turn])  # after the first two, as they come
    return drawn[torch.argsort(firsts, stable=True)]


def _follow(sizes: Array, scores: Array, n: int, more: int) -> LabelCurve:
    """From scores (R, M) at sizes (M,) of n labelled pictures to the curve and what comes after it."""
    mean = scores.mean(axis=0)
    # What one repeat leaves open: the luck of labels and scored pictures. All repeats score the same n pictures, so
    # the luck of these does not average out: a binomial share of n.
    luck = scores.var(axis=0, ddof=1) * (1 / len(scores) + 1 / (FOLDS - 1)) + mean * (1 - mean) / n
    points = tuple(
        _point(int(size), value, float(var) ** 0.5) for size, value, var in zip(sizes, mean, luck, strict=True)
    )
    at = np.array([n, n + more], float)
    laws = np.array([_law(sizes, mean, rate, at) for rate in RATES])  # (laws, 3): error, score now, score later
    believed = laws[laws[:, 0] <= AS_GOOD * laws[:, 0].min() + 1e-6]
    later = float(believed[:, 2].mean())
    doubt = float(np.ptp(believed[:, 2])) / 2 + _wobble(sizes, scores, at[1:])
    expected = _point(n + more, later, float(luck[-1]) ** 0.5 + doubt)
    gains = believed[:, 2] - believed[:, 1]
    reach = T * _wobble(sizes, scores, at)
    gain = (max(0.0, float(gains.min()) - reach), float(gains.max()) + reach)
    return LabelCurve(points, expected, more, gain)


def _point(labels: int, value: float, deviation: float) -> CurvePoint:
    value = min(1.0, max(0.0, value))
    return CurvePoint(labels, value, max(0.0, value - T * deviation), min(1.0, value + T * deviation))


def _law(sizes: Array, mean: Array, rate: float, at: Array) -> tuple[float, ...]:
    """The law of a rate that fits best: its squared error, and what it says `at` some numbers of labels. More labels
    never do harm in it, and nothing is above 1."""
    base = sizes**-rate
    weight = sizes / sizes.sum()  # the end is what is read on, and the surest
    middle, level = (weight * base).sum(), (weight * mean).sum()
    spread = (weight * (base - middle) ** 2).sum()
    drop = max(0.0, -float((weight * (base - middle) * (mean - level)).sum() / max(1e-12, spread)))
    top = min(1.0, float(level + drop * middle))
    fitted = top - drop * base
    error = float((weight * (mean - fitted) ** 2).sum())
    return (error, *(top - drop * at**-rate))


def _wobble(sizes: Array, scores: Array, at: Array) -> float:
    """How much what the law of the middle rate says (the last of `at` less the first, or that alone) varies between
    repeats: the standard deviation of its mean."""
    said = np.array([_law(sizes, one, 0.5, at)[1:] for one in scores])
    values = said[:, -1] - (said[:, 0] if len(at) > 1 else 0.0)
    variance = float(values.var(ddof=1)) * (1 / len(scores) + 1 / (FOLDS - 1))
    return float(np.sqrt(variance))
