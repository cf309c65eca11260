"""Scores of predictions with their intervals, all from confusion matrices.

Each test picture is one confusion matrix (truth down, prediction across): a single 1 for a classification, pixel
counts for a mask. A score is a function of their sum. Its 95 % interval comes from its sampling variance
(`intervals.py`): of a classification class by class, so that a rare class is not taken for a sure one; of masks, and
where pictures belong together, from a bootstrap over pictures or groups (Efron & Tibshirani 1993, ch. 13). Two networks
are compared picture by picture, which takes out what makes a test picture hard for both.

Letters: n pictures (or groups), C classes, R resamples.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.evaluate.intervals import bound_gap, bound_recall, bound_share, smooth_recall, student, wilson
from sslstudio.engine.runs.metrics import ClassLine, ScoreInterval

Array = npt.NDArray[np.float64]
RESAMPLES = 2000
CHUNK = 100  # resamples at once, so that memory stays flat
NO_SPREAD = 1e-12  # a bootstrap that varies less has seen nothing vary
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


def belong(groups: Sequence[str] | None) -> bool:
    """Whether pictures belong together: groups are given, and one has more than one picture."""
    return bool(groups) and len(set(groups or ())) < len(groups or ())


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
    if kind == "classification" and not belong(groups):
        return _by_class(units, seed)
    scorer = SCORERS[kind]
    if counted is not None and kind == "segmentation":
        scorer = partial(segmentation_scores, counted=counted)
    values = scorer(units.sum(0))
    drawn = [scorer(sums) for sums in _resamples(units, seed)]
    return {
        name: _by_units(float(value), np.concatenate([part[name] for part in drawn]), len(units))
        for name, value in values.items()
    }


def _by_class(units: Array, seed: int) -> dict[str, Score]:
    """Of a classification without groups: each class is a binomial, all pictures together are another."""
    total = units.sum(0)
    there = total[total.sum(1) > 0]
    right, count = np.diagonal(total)[total.sum(1) > 0], there.sum(1)
    values = {name: float(value) for name, value in classification_scores(total).items()}
    bounds = {
        "accuracy": bound_recall(right.sum(keepdims=True), count.sum(keepdims=True)),
        "balanced_accuracy": bound_recall(right, count),
        "macro_f1": _bound_f1(total, values["macro_f1"], seed),
    }
    return {name: Score(value, *bounds[name], len(units)) for name, value in values.items()}


def _bound_f1(total: Array, value: float, seed: int) -> tuple[float, float]:
    """The interval of macro F1, which depends on what is taken for what: from draws of the smoothed rows of (C, C)."""
    there = total.sum(1) > 0
    count = total.sum(1)[there]
    right, others = smooth_recall(np.diagonal(total)[there], count), max(1, len(total) - 1)
    wrong = total[there] + (1 - right[:, None]) / others  # a picture more that is wrong anywhere
    wrong[np.arange(len(count)), np.flatnonzero(there)] = 0.0
    rows = wrong * ((1 - right) / np.maximum(wrong.sum(1), 1e-12))[:, None]
    rows[np.arange(len(count)), np.flatnonzero(there)] = 1 - rows.sum(1)
    rng = np.random.default_rng(derive(seed, "bootstrap"))
    drawn = np.zeros((CHUNK, *total.shape))
    found = []
    for _ in range(RESAMPLES // CHUNK):
        drawn[:, there] = rng.multinomial(count.astype(int), rows, size=(CHUNK, len(count)))
        found.append(classification_scores(drawn)["macro_f1"])
    scores = np.concatenate(found)
    variance = float(scores.var())
    if variance < NO_SPREAD:  # there is one class only
        return wilson(value, float(count.sum()))
    return bound_share(value, float(scores.mean()), variance)


def _by_units(value: float, drawn: Array, n: int) -> Score:
    """From the bootstrap over n pictures or groups, as wide as the variance and the t of n units demand."""
    if np.isnan(value):  # nothing to score: every pixel is marked to be ignored
        return Score(value, value, value, n)
    variance = float(np.nanvar(drawn)) * n / max(1, n - 1)
    if variance < NO_SPREAD:  # all or nothing right: [1, 1] would be a lie
        return Score(value, *wilson(value, n), n)
    typical = min(max(value, 0.5 / n), 1 - 0.5 / n)
    return Score(value, *bound_share(value, typical, variance, n - 1), n)


def difference(kind: str, first: Array, second: Array, groups: Sequence[str] | None = None, seed: int = 0) -> Score:
    """The headline score of `first` minus that of `second` on the same pictures, compared picture by picture."""
    name, scorer = HEADLINE[kind], SCORERS[kind]
    ours, theirs = pooled(first, groups), pooled(second, groups)
    n = len(ours)
    value = float(scorer(ours.sum(0))[name] - scorer(theirs.sum(0))[name])
    if np.isnan(value):
        return Score(value, value, value, n)
    if kind == "classification" and not belong(groups):
        return Score(value, *_bound_pairs(ours, theirs), n)
    pairs = zip(_resamples(ours, seed), _resamples(theirs, seed), strict=True)
    drawn = np.concatenate([scorer(a)[name] - scorer(b)[name] for a, b in pairs])
    reach = student(n - 1) * float(np.nanvar(drawn) * n / max(1, n - 1)) ** 0.5
    return Score(value, value - reach, value + reach, n)


def _bound_pairs(ours: Array, theirs: Array) -> tuple[float, float]:
    truth = ours.sum(2)  # (n, C)
    count = truth.sum(0)
    right = [np.einsum("ncc->n", one) for one in (ours, theirs)]
    only = [((mine * (1 - other)) @ truth)[count > 0] for mine, other in (right, right[::-1])]
    return bound_gap(only[0], only[1], count[count > 0])


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
