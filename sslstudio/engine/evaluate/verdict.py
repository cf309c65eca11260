"""The result of a fine-tuning run: scores, baseline, comparison with the twin, and what they say in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sslstudio.engine.evaluate.scores import HEADLINE, Array, Score, always, difference, per_class, score

TITLES = {"balanced_accuracy": "balanced accuracy", "mean_iou": "mean IoU"}
BEGINNING = {"balanced_accuracy": "Balanced accuracy", "mean_iou": "Mean IoU"}  # of a sentence
FEW = 50  # test pictures under which the interval itself is shaky


def summarise(
    kind: str,
    names: Sequence[str],
    confusions: Mapping[str, Array],
    *,
    n_train: int,
    most_frequent: int,
    groups: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The content of metrics.json.

    `confusions`: part (pretrained, scratch) -> (n, C, C) on the same test pictures; `most_frequent`: the class that
    is most frequent among the training labels, which the baseline always guesses.
    """
    headline = HEADLINE[kind]
    parts = {part: _part(kind, names, matrices, groups) for part, matrices in confusions.items()}
    some = next(iter(confusions.values()))
    gap = None
    if {"pretrained", "scratch"} <= set(confusions):
        gap = difference(kind, confusions["pretrained"], confusions["scratch"], groups)
    baseline = {name: value.value for name, value in score(kind, always(some, most_frequent), groups).items()}
    return {
        "job": "finetune",
        "kind": kind,
        "classes": list(names),
        "n_train": n_train,
        "n_test": len(some),
        "headline": headline,
        "baseline": baseline,
        "parts": parts,
        "difference": gap.to_json() if gap else None,
        "verdict": verdict(headline, parts, gap, baseline[headline]),
        "notes": _notes(len(some), n_train, gap is not None),
    }


def _part(kind: str, names: Sequence[str], confusions: Array, groups: Sequence[str] | None) -> dict[str, Any]:
    total = confusions.sum(0)
    return {
        "scores": {name: value.to_json() for name, value in score(kind, confusions, groups).items()},
        "confusion": np.rint(total).astype(int).tolist(),
        "per_class": per_class(kind, total, names),
    }


def verdict(headline: str, parts: Mapping[str, Any], gap: Score | None, baseline: float) -> str:
    """One or two sentences that a person can repeat without lying. What has no twin beside it says so."""
    title = TITLES[headline]
    if gap is None:
        part, content = next(iter(parts.items()))
        one = content["scores"][headline]
        above = "above the" if one["low"] > baseline else "not clearly above the"
        name = BEGINNING[headline]
        said = (
            f"{one['value']:.3f} (95 % interval {one['low']:.3f} to {one['high']:.3f}, n = {one['n']}), {above} "
            f"{baseline:.3f} of always guessing the most frequent class"
        )
        if part == "scratch":
            return f"{name} from scratch: {said}."
        alone = f"{name} with pretraining: {said}."
        return f"{alone} It was not compared with not pretraining."
    ours, theirs = (parts[part]["scores"][headline]["value"] for part in ("pretrained", "scratch"))
    if gap.low > 0:
        says = "Pretraining helps"
    elif gap.high < 0:
        says = "Pretraining harms"
    else:
        says = "No difference can be told from chance"
    return (
        f"{says}: {title} {ours:.3f} pretrained against {theirs:.3f} from scratch, a difference of "
        f"{_signed(gap.value)} (95 % interval {_signed(gap.low)} to {_signed(gap.high)}, n = {gap.n})."
    )


def _signed(value: float) -> str:
    """With its sign, and a real minus."""
    return f"{value:+.3f}".replace("-", "−")


def _notes(n_test: int, n_train: int, compared: bool) -> list[str]:
    notes = []
    if n_test < FEW:
        notes.append(f"Only {n_test} test pictures: the numbers can be far off. Label more pictures for the test.")
    if compared:
        notes.append(
            f"The interval covers the luck of the test pictures, not that of the draw of the {n_train:,} labelled "
            "training pictures: another draw or seed can differ by several points."
        )
    return notes
