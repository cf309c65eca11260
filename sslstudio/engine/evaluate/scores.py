"""Scores of predictions with their intervals, all from confusion matrices.

Each test picture is one confusion matrix (truth down, prediction across): a single 1 for a classification, pixel
counts for a mask. A score is a function of their sum; its 95 % interval is the percentile bootstrap over pictures
(Efron & Tibshirani 1993, ch. 13) or, where pictures belong together, over groups. Two networks are compared on the
same resamples, which takes out what makes a test picture hard for both.

Letters: n pictures (or groups), C classes, R resamples.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.runs.metrics import ClassLine, ScoreInterval

Array = npt.NDArray[np.float64]
RESAMPLES = 2000
CHUNK = 100  # resamples at once, so that memory stays flat
HEADLINE = {"classification": "balanced_accuracy", "segmentation": "mean_iou"}


@dataclass(frozen=True)
class Score:
    """A value, the 95 % interval around it and how many pictures (or groups) it rests on."""

    value: float
    low: float
    high: float
    n: int

    def to_json(self) -> ScoreInterval:
        """As it stands in a result."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def classification_scores(confusion: Array) -> dict[str, Array]:
    """accuracy, balanced accuracy and macro F1 of (..., C, C). Classes without a test picture do not count."""
    right, truth, guessed = _margins(confusion)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(truth > 0, right / truth, np.nan)
        f1 = np.where(truth + guessed > 0, 2 * right / (truth + guessed), np.nan)
        accuracy = right.sum(-1) / truth.sum(-1)
    return {"accuracy": accuracy, "balanced_accuracy": _mean(recall), "macro_f1": _mean(f1)}


def segmentation_scores(confusion: Array, counted: npt.NDArray[np.bool_] | None = None) -> dict[str, Array]:
    """mean IoU and mean Dice over the classes (background is one of them), and pixel accuracy, of (..., C, C).

    counted: (C,) the classes that are to be in the means; None: all that occur.
    """
    right, truth, guessed = _margins(confusion)
    union = truth + guessed - right
    union = union if counted is None else np.where(counted, union, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        iou = np.where(union > 0, right / union, np.nan)
        dice = np.where(union > 0, 2 * right / (truth + guessed), np.nan)
        accuracy = right.sum(-1) / truth.sum(-1)
    return {"mean_iou": _mean(iou), "mean_dice": _mean(dice), "pixel_accuracy": accuracy}


Scorer = Callable[[Array], dict[str, Array]]
SCORERS: dict[str, Scorer] = {"classification": classification_scores, "segmentation": segmentation_scores}


def _margins(confusion: Array) -> tuple[Array, Array, Array]:
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    return right, confusion.sum(-1), confusion.sum(-2)


def _mean(values: Array) -> Array:
    """Mean over the last axis without the nan; nan where there is nothing else."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Array = total / known.sum(-1)
    return mean


def one_hot_confusions(truth: Sequence[int], predicted: Sequence[int], classes: int) -> Array:
    """(n, C, C) with a single 1 for each picture."""
    confusions = np.zeros((len(truth), classes, classes))
    confusions[np.arange(len(truth)), np.asarray(truth, int), np.asarray(predicted, int)] = 1.0
    return confusions


def pooled(confusions: Array, groups: Sequence[str] | None) -> Array:
    """Pictures of one group added up: what is resampled must be independent of the rest."""
    if not groups:
        return confusions
    _, number = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.zeros((int(number.max()) + 1, *confusions.shape[1:]))
    np.add.at(sums, number, confusions)
    return sums


def _resamples(units: Array, seed: int) -> Iterator[Array]:
    """Sums over resampled units: (CHUNK, C, C) at a time, R in all."""
    rng = np.random.default_rng(derive(seed, "bootstrap"))
    count = len(units)
    flat = units.reshape(count, -1)
    for _ in range(RESAMPLES // CHUNK):
        weights = rng.multinomial(count, np.full(count, 1.0 / count), size=CHUNK).astype(np.float64)
        yield (weights @ flat).reshape(CHUNK, *units.shape[1:])


def score(
    kind: str, confusions: Array, groups: Sequence[str] | None = None, seed: int = 0,
    counted: npt.NDArray[np.bool_] | None = None,
) -> dict[str, Score]:  # fmt: skip
    """Every score of `kind` (classification or segmentation) for (n, C, C), with intervals.

    counted: see `segmentation_scores`; of a classification, classes without a picture never count.
    """
    units = pooled(confusions, groups)
    scorer = SCORERS[kind]
    if counted is not None and kind == "segmentation":
        scorer = partial(segmentation_scores, counted=counted)
    values = scorer(units.sum(0))
    drawn = [scorer(sums) for sums in _resamples(units, seed)]
    return {
        name: _with_interval(float(value), np.concatenate([part[name] for part in drawn]), len(units))
        for name, value in values.items()
    }


def difference(kind: str, first: Array, second: Array, groups: Sequence[str] | None = None, seed: int = 0) -> Score:
    """The headline score of `first` minus that of `second` on the same pictures, resampled together."""
    name, scorer = HEADLINE[kind], SCORERS[kind]
    ours, theirs = pooled(first, groups), pooled(second, groups)
    value = float(scorer(ours.sum(0))[name] - scorer(theirs.sum(0))[name])
    pairs = zip(_resamples(ours, seed), _resamples(theirs, seed), strict=True)
    drawn = np.concatenate([scorer(a)[name] - scorer(b)[name] for a, b in pairs])
    return _with_interval(value, drawn, len(ours), bounded=False)


def _with_interval(value: float, drawn: Array, n: int, *, bounded: bool = True) -> Score:
    if np.isnan(value):  # nothing to score: every pixel is marked to be ignored
        return Score(value, value, value, n)
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    if bounded and high - low < 1e-12:
        # All or nothing right: the bootstrap sees no spread, and [1, 1] would be a lie. Wilson (1927) does not.
        low, high = wilson(value, n)
    return Score(value, float(low), float(high), n)


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share of n (Wilson 1927)."""
    z = 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach))  # past what rounding does


def per_class(kind: str, confusion: Array, names: Sequence[str]) -> list[ClassLine]:
    """For each class: n, and precision, recall and F1 or IoU and Dice (None where there is nothing to divide by)."""
    right, truth, guessed = _margins(confusion)
    rows: list[ClassLine] = []
    for number, name in enumerate(names):
        r, t, g = float(right[number]), float(truth[number]), float(guessed[number])
        if kind == "classification":
            precision, recall, f1 = _ratio(r, g), _ratio(r, t), _ratio(2 * r, t + g)
            rows.append({"name": name, "n": int(t), "precision": precision, "recall": recall, "f1": f1})
        else:
            iou, dice = _ratio(r, t + g - r), _ratio(2 * r, t + g)
            rows.append({"name": name, "n": int(t), "iou": iou, "dice": dice})
    return rows


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def always(confusions: Array, guess: int) -> Array:
    """The confusions that guessing `guess` every time would have given."""
    guessed = np.zeros_like(confusions)
    guessed[:, :, guess] = confusions.sum(2)
    return guessed
