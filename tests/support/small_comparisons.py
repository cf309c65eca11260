"""Small comparisons, and what to read of them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event, RunFinished
from sslstudio.engine.experiments.compare import compare
from sslstudio.engine.experiments.compare_config import CompareConfig
from sslstudio.engine.training.config import DataConfig, HardwareConfig

QUICK = "budget.steps=2;probe.enabled=false;optimiser.batch_size=8"


def compare_config(folder: Path, out: Path, **changes: Any) -> CompareConfig:
    """Two draws of two and four labels, two steps each."""
    values: dict[str, Any] = {
        "tasks": "rotation",
        "labels": "2,4",
        "seeds": 2,
        "steps": 2,
        "pretrain_settings": QUICK,
        "data": DataConfig(folder=str(folder), side=32),
        "hardware": HardwareConfig(device="cpu"),
    }
    return CompareConfig(out=str(out), **values | changes)


def run_compare(config: CompareConfig) -> list[Event]:
    return list(compare(config, RunControl()))


def table_of(events: Iterable[Event]) -> dict[str, Any]:
    last = list(events)[-1]
    assert isinstance(last, RunFinished)
    return last.metrics


def content(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
