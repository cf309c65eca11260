"""Small configs and how to run them, for the tests of this folder."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event, RunFinished
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.metrics import FinetuneMetrics, is_finetune
from sslstudio.engine.training.config import (
    BudgetConfig,
    DataConfig,
    FinetuneConfig,
    HardwareConfig,
    OptimiserConfig,
    PretrainConfig,
)

E = TypeVar("E", bound=Event)
CPU = HardwareConfig(device="cpu")


def pretrain_config(folder: Path, out: Path, task: str = "jigsaw", epochs: int = 2, seed: int = 0) -> PretrainConfig:
    return PretrainConfig(
        out=str(out),
        task=task,
        seed=seed,
        data=DataConfig(folder=str(folder)),
        optimiser=OptimiserConfig(batch_size=14),
        budget=BudgetConfig(epochs=epochs),
        hardware=CPU,
    )


def finetune_config(folder: Path, out: Path, source: str, kind: str = "classification") -> FinetuneConfig:
    return FinetuneConfig(
        out=str(out),
        kind=kind,
        source=source,
        labels_per_class=3,
        general=False,  # seconds, and of no matter to most tests
        data=DataConfig(folder=str(folder)),
        optimiser=OptimiserConfig(batch_size=8),
        budget=BudgetConfig(epochs=4),
        hardware=CPU,
    )


def run_pretrain(config: PretrainConfig) -> list[Event]:
    return list(pretrain(config, RunControl()))


def run_finetune(config: FinetuneConfig) -> list[Event]:
    return list(finetune(config, RunControl()))


def of(kind: type[E], events: Iterable[Event]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def finished(events: list[Event]) -> RunFinished:
    last = events[-1]
    assert isinstance(last, RunFinished)
    return last


def result_of(events: list[Event]) -> FinetuneMetrics:
    metrics = finished(events).metrics
    assert is_finetune(metrics)
    return metrics
