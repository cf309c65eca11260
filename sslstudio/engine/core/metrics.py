"""Metrics, declared: what a number of a record is called for people, and how it is read.

What a record holds has a plain name ("balanced_accuracy"). Everything else that a window, a table or an alarm has to
know of it stands here or, for a metric of one pretext task, with that task, which declares it when it is registered.
"""

from dataclasses import dataclass
from typing import Literal

from sslstudio.engine.core.messages import NOTHING, Message, plain


@dataclass(frozen=True)
class Metric:
    """`title` is for people, `unit` follows its values. `is_share`: it lies between 0 and 1 and is told in per cent.

    `better` is "" for what is neither good nor bad when it rises.
    """

    name: str
    title: Message
    unit: Message = NOTHING
    better: Literal["higher", "lower", ""] = "higher"
    is_share: bool = False


LOSS = Metric("loss", Message("Loss"), better="lower")
ACCURACY = Metric("accuracy", Message("Accuracy"), is_share=True)

_METRICS: dict[str, Metric] = {}


def declare(*metrics: Metric) -> None:
    """Make metrics known. Raises ValueError for a second one of the same name that is not the same."""
    for metric in metrics:
        if _METRICS.setdefault(metric.name, metric) != metric:
            raise ValueError(f"metric {metric.name!r} is declared twice")


def forget(*names: str) -> None:
    """Take metrics out again, for tests that declare some."""
    for name in names:
        _METRICS.pop(name, None)


def find_metric(name: str) -> Metric:
    """Find the metric of that name; of one that nobody has declared its name is all that is known."""
    known = _METRICS.get(name)
    return known or Metric(name, plain(name.replace("_", " ").capitalize()), better="")


declare(
    LOSS,
    ACCURACY,
    Metric("balanced_accuracy", Message("Balanced accuracy"), is_share=True),
    Metric("macro_f1", Message("Mean F1"), is_share=True),
    Metric("mean_iou", Message("Overlap (mean IoU)"), is_share=True),
    Metric("mean_dice", Message("Mean Dice"), is_share=True),
    Metric("pixel_accuracy", Message("Pixels right"), is_share=True),
    Metric("precision", Message("Precision"), is_share=True),
    Metric("recall", Message("Recall"), is_share=True),
    Metric("f1", Message("F1"), is_share=True),
    Metric("iou", Message("IoU"), is_share=True),
    Metric("dice", Message("Dice"), is_share=True),
)
