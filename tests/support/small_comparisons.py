"""Small comparisons, and what to read of them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from sslstudio.engine.core.config import BaseConfig, with_texts
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event, RunFinished
from sslstudio.engine.core.messages import from_stored
from sslstudio.engine.experiments.compare import compare
from sslstudio.engine.experiments.compare_config import CompareConfig
from sslstudio.engine.training.config import DataConfig, HardwareConfig

C = TypeVar("C", bound=BaseConfig)
QUICK = "budget.steps=2;probe.enabled=false;optimiser.batch_size=8"


def compare_config(folder: Path, out: Path, **changes: Any) -> CompareConfig:
    """Two draws of two and four labels, two steps each."""
    return typed(CompareConfig, folder, out, **{
        "tasks": "rotation",
        "labels": "2,4",
        "seeds": 2,
        "steps": 2,
        "general": False,
        "pretrain_settings": QUICK,
    } | changes)  # fmt: skip


def typed(kind: type[C], folder: Path, out: Path, /, **values: Any) -> C:
    """A small experiment on a CPU; texts are options as they are typed."""
    values = {"data": DataConfig(folder=str(folder), side=32), "hardware": HardwareConfig(device="cpu")} | values
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    others = {name: value for name, value in values.items() if name not in texts}
    return with_texts(kind(**{"out": str(out), **others}), texts)


def run_compare(config: CompareConfig) -> list[Event]:
    return list(compare(config, RunControl()))


def table_of(events: Iterable[Event]) -> dict[str, Any]:
    last = list(events)[-1]
    assert isinstance(last, RunFinished)
    return dict(last.metrics)


def content(file: Path) -> Any:
    return from_stored(json.loads(file.read_text(encoding="utf-8")))
