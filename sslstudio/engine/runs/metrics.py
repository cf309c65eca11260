"""metrics.json, the result of a run: what stands in it, and which kind of run a content is of.

What was not finite when it was written is None when it is read. Sentences are messages; files of version 0.2 and
earlier hold their English text.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, TypeGuard

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.files.checked_files import Count, checked


class ScoreInterval(TypedDict):
    """A score between 0 and 1, or a difference of two, with its 95 % interval over `n` pictures (or groups)."""

    value: float | None
    low: float | None
    high: float | None
    n: Count


ClassKey = Literal["n", "precision", "recall", "f1", "iou", "dice"]
CLASS_KEYS: tuple[ClassKey, ...] = ("n", "precision", "recall", "f1", "iou", "dice")


class ClassLine(TypedDict):
    """A class: how many test pictures (of masks: pixels) are of it, and its scores. None: nothing to divide by.
    A classification has the first three, masks the last two."""

    name: str
    n: Count
    precision: NotRequired[float | None]
    recall: NotRequired[float | None]
    f1: NotRequired[float | None]
    iou: NotRequired[float | None]
    dice: NotRequired[float | None]


class PartResult(TypedDict):
    """A part of a fine-tuning on the test pictures. `confusion` (C, C): truth down, answers across."""

    scores: dict[str, ScoreInterval]
    confusion: list[list[int]]
    per_class: list[ClassLine]


class FinetuneMetrics(TypedDict):
    """The result of a fine-tuning, or of all folds of a cross-validation. `parts` by arm (see `evaluate.arms`); where
    one of them is pretrained, with the `difference` of its headline score to the better arm without a pretraining,
    which is `compared_with` (in results of before always scratch); `differences`: to each of the other arms, by its
    name. `baseline`: what always guessing the most frequent class gets. `intervals`: how they were worked out; the
    first versions took percentiles of a bootstrap and did not say so."""

    job: Literal["finetune"]
    kind: str
    classes: list[str]
    n_train: Count
    n_test: Count
    headline: str
    baseline: Mapping[str, float | None]
    intervals: NotRequired[Literal["effective"]]
    parts: Mapping[str, PartResult]
    difference: ScoreInterval | None
    compared_with: NotRequired[str]
    differences: NotRequired[Mapping[str, ScoreInterval]]
    verdict: str
    notes: list[str]


class ProbeResult(TypedDict):
    """What a probe found: the fields of the event `Probed`, which says what they mean."""

    step: int
    share: float
    part: str
    labels: int
    n: Count
    stages: Sequence[Mapping[str, float | None]]
    best_stage: int
    difference: Mapping[str, float | None]
    verdict: str
    text: str
    rank: float | None
    spread: float | None
    untrained_rank: float | None
    untrained_spread: float | None


class ProbeResults(TypedDict):
    """The last look of the probe, and the first after a quarter of the run."""

    probe: NotRequired[ProbeResult | None]  # the first version did not probe
    probe_quarter: NotRequired[ProbeResult | None]


class PretrainMetrics(ProbeResults):
    """The result of a pretraining: scores (`validation`) on `n` held-out pictures, and what guessing
    gets (`chance`)."""

    job: Literal["pretrain"]
    task: str
    steps: Count
    seconds: float
    pictures: int
    n: Count
    validation: Mapping[str, float | None]
    chance: Mapping[str, float | None]
    finished_at: str


Metrics = PretrainMetrics | FinetuneMetrics


def is_pretrain(content: Mapping[str, object]) -> TypeGuard[PretrainMetrics]:
    """Whether it is the whole result of a pretraining."""
    return content.get("job") == "pretrain" and PretrainMetrics.__required_keys__ <= content.keys()


def is_finetune(content: Mapping[str, object]) -> TypeGuard[FinetuneMetrics]:
    """Whether it is the whole result of a fine-tuning."""
    return content.get("job") == "finetune" and FinetuneMetrics.__required_keys__ <= content.keys()


def checked_metrics(content: Any, file: Path) -> Metrics | None:
    """The result that a file holds, None where it holds none. Raises RunError for one that is damaged."""
    if not isinstance(content, dict) or not (is_pretrain(content) or is_finetune(content)):
        return None
    checked(content, PretrainMetrics if content["job"] == "pretrain" else FinetuneMetrics, file)
    if is_pretrain(content):
        return content
    assert is_finetune(content)
    _check_arms(content, file)
    return content


def _check_arms(metrics: FinetuneMetrics, file: Path) -> None:
    """Raises RunError where the scores of an arm are not those of the result, or its confusions no square."""
    names = set(metrics["baseline"])
    for arm, part in metrics["parts"].items():
        side = len(part["confusion"])
        if (
            not names <= part["scores"].keys()
            or metrics["headline"] not in names
            or any(len(row) != side for row in part["confusion"])
        ):
            raise RunError(
                "{file} is damaged: the scores or confusions of {arm} do not fit the rest. Put it back from a copy.",
                file=file,
                arm=arm,
            )


def class_columns(lines: Sequence[ClassLine]) -> list[ClassKey]:
    """What is known of each class, beside its name."""
    return [key for key in CLASS_KEYS if lines and key in lines[0]]


def interval_of(score: ScoreInterval) -> tuple[float, float, float]:
    """Value, low and high; nan for what is None."""
    value, low, high = (math.nan if one is None else one for one in (score["value"], score["low"], score["high"]))
    return value, low, high
