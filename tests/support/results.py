"""Results of runs as they stand in metrics.json, for tests that look at a part of one."""

from typing import Any

from sslstudio.engine.runs.metrics import FinetuneMetrics, PretrainMetrics, ScoreInterval


def score(value: float | None, reach: float = 0.1, n: int = 40) -> ScoreInterval:
    """A score and the interval around it."""
    low, high = (None, None) if value is None else (value - reach, value + reach)
    return {"value": value, "low": low, "high": high, "n": n}


def finetune_result(**changes: Any) -> FinetuneMetrics:
    """The whole result of a fine-tuning from scratch on two classes."""
    whole: FinetuneMetrics = {
        "job": "finetune", "kind": "classification", "classes": ["a", "b"], "n_train": 6, "n_test": 4,
        "headline": "balanced_accuracy", "baseline": {"accuracy": 0.5, "balanced_accuracy": 0.5},
        "parts": {"scratch": {"scores": {"accuracy": score(0.75), "balanced_accuracy": score(0.75)},
                              "confusion": [[2, 0], [1, 1]], "per_class": []}},
        "difference": None, "verdict": "Balanced accuracy from scratch: 0.750.", "notes": [],
    }  # fmt: skip
    changed: FinetuneMetrics = {**whole, **changes}  # type: ignore[typeddict-item]
    return changed


def pretrain_result(**changes: Any) -> PretrainMetrics:
    """The whole result of a pretraining."""
    whole: PretrainMetrics = {
        "job": "pretrain", "task": "jigsaw", "steps": 9, "seconds": 1.5, "pictures": 42, "n": 6,
        "validation": {"loss": 1.4, "accuracy": 0.3}, "chance": {"accuracy": 0.25}, "probe": None,
        "probe_quarter": None, "finished_at": "2026-11-25 12:00:00",
    }  # fmt: skip
    changed: PretrainMetrics = {**whole, **changes}  # type: ignore[typeddict-item]
    return changed
