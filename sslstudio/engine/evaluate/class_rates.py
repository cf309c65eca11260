"""Sensitivity, specificity and AUC of each class, with their 95 % intervals, from the predictions of a run.

Sensitivity and specificity are shares of pictures: Wilson's interval. The area under the ROC curve has the interval of
Hanley & McNeil (Radiology 143, 1982), which is rough where few pictures of a class are tested.

Letters: n test pictures, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from sslstudio.engine.evaluate.intervals import Z, wilson
from sslstudio.engine.runs.test_predictions import read_chances

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """A share between 0 and 1 with its interval; nan where there is no picture to tell by."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassRates:
    """Of one class against all others. `auc` nan where the chances are not known."""

    sensitivity: Rate
    specificity: Rate
    auc: Rate


UNKNOWN = Rate(float("nan"), float("nan"), float("nan"))


def class_rates(truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], chances: Array | None, classes: int
                ) -> list[ClassRates]:  # fmt: skip
    """The rates of each class. truth, predicted: (n,) class numbers; chances: (n, C), None where they are not known."""
    rates = []
    for number in range(classes):
        own, named = truth == number, predicted == number
        rates.append(
            ClassRates(
                _share(int((own & named).sum()), int(own.sum())),
                _share(int((~own & ~named).sum()), int((~own).sum())),
                UNKNOWN if chances is None else area(own, chances[:, number]),
            )
        )
    return rates


def rates_of(run: Path, part: str, names: Sequence[str]) -> list[ClassRates]:
    """Those of a part of a run, from its predictions; none where it answers with masks or its table has no chances.
    Raises RunError when the table cannot be read."""
    kept = read_chances(run, part, names)
    if kept is None:
        return []
    number = {name: place for place, name in enumerate(names)}
    known = [line for line in kept if line[0] in number and line[1] in number]
    truth = np.array([number[label] for label, _, _ in known], np.int64)
    predicted = np.array([number[answer] for _, answer, _ in known], np.int64)
    return class_rates(truth, predicted, np.array([chances for _, _, chances in known], np.float64), len(names))


def _share(right: int, n: int) -> Rate:
    if not n:
        return UNKNOWN
    return Rate(right / n, *wilson(right / n, n))


def area(own: npt.NDArray[np.bool_], chances: Array) -> Rate:
    """The area under the ROC curve of `chances` (n,) for the pictures that are `own` (n,) against the others."""
    ours, others = int(own.sum()), int((~own).sum())
    if not ours or not others:
        return UNKNOWN
    value = float((rankdata(chances)[own].sum() - ours * (ours + 1) / 2) / (ours * others))
    both, same = value / (2 - value), 2 * value * value / (1 + value)
    spread = value * (1 - value) + (ours - 1) * (both - value**2) + (others - 1) * (same - value**2)
    smallest = 0.25 / (ours * others)  # an area of 1 seen in few pictures is not sure
    reach = Z * float(np.sqrt(max(smallest, spread) / (ours * others)))
    return Rate(value, max(0.0, value - reach), min(1.0, value + reach))
