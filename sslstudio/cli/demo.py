"""The demo: the whole job on the built-in sample, in a few minutes and without a question."""

import time
from collections.abc import Generator
from pathlib import Path

import platformdirs

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.sample.make import make_sample
from sslstudio.engine.training.config import DEFAULT_TASK, BudgetConfig, DataConfig, FinetuneConfig, PretrainConfig

LABELS_PER_CLASS = 10
PRETRAINING = 0.6  # share of the minutes


def run_demo(out: Path | None, minutes: float, control: RunControl) -> Generator[Event, None, None]:
    """Draw the sample, pretrain, fine-tune with the twin from scratch. The last event holds the result."""
    home = Path(platformdirs.user_data_dir("SSLStudio", appauthor=False))
    out = out or home / "demo" / time.strftime("%Y-%m-%d_%H-%M-%S")
    yield from make_sample(home / "sample")
    data = DataConfig(folder=str(home / "sample" / "images"))
    yield from pretrain(
        PretrainConfig(
            out=str(out / "pretrained"),
            task=DEFAULT_TASK,
            data=data,
            budget=BudgetConfig(minutes=PRETRAINING * minutes),
        ),
        control,
    )
    if control.stopping:
        return
    yield from finetune(
        FinetuneConfig(
            out=str(out / "finetuned"),
            source=str(out / "pretrained"),
            labels_per_class=LABELS_PER_CLASS,
            data=data,
            budget=BudgetConfig(minutes=(1 - PRETRAINING) * minutes),
        ),
        control,
    )
