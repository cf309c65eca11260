"""The runs of a comparison, and how long those that are left will take."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.messages import Message, plain
from sslstudio.engine.experiments.compare_cells import DONE, FAILED, REFUSED, Place
from sslstudio.engine.experiments.compare_config import (
    SCRATCH,
    CompareConfig,
    cell_folder,
    finetune_config,
    labels_of,
    pretrain_config,
    pretraining_folder,
    sources_of,
    tasks_of,
)
from sslstudio.engine.models.encoders import build_encoder

TRIES = 3  # steps that are timed; the quickest counts, others have to do with what else the machine does
LONG_STEP = 1.0  # seconds; one such step is enough, the person waits for the number
AROUND = 1.5  # a fine-tuning reads, varies and scores pictures beside its steps


@dataclass(frozen=True)
class Unit:
    """One run of a comparison: the pretraining of a row, or its fine-tuning on one draw of labels (a cell)."""

    source: str
    labels: int = 0
    draw: int = 0

    @property
    def is_cell(self) -> bool:
        """False for a pretraining."""
        return self.labels > 0

    def place(self, config: CompareConfig) -> Place:
        """Where it is kept."""
        if self.is_cell:
            return Place(cell_folder(config, self.source, self.labels, self.draw))
        return Place(pretraining_folder(config, self.source))

    def words(self) -> Message:
        """For people."""
        return (
            Message(
                "{source}, {labels} labels, draw {draw}", source=self.source, labels=self.labels, draw=self.draw + 1
            )
            if self.is_cell
            else plain(self.source)
        )


def units_of(config: CompareConfig) -> list[Unit]:
    """Every run in the order in which they are done: scratch, then each pretraining and its cells."""
    tasks = tasks_of(config)
    units: list[Unit] = []
    for source in sources_of(config):
        units += [Unit(source)] if source in tasks else []
        units += [Unit(source, labels, draw) for labels in labels_of(config, source) for draw in range(config.seeds)]
    return units


def settled(unit: Unit, config: CompareConfig) -> bool:
    """Whether nothing is left to do: done, refused, failed, or a cell whose pretraining came to nothing."""
    if unit.place(config).outcome() is not None:
        return True
    if unit.is_cell and unit.source in tasks_of(config):
        return Unit(unit.source).place(config).outcome() in (REFUSED, FAILED)
    return False


def ready(unit: Unit, config: CompareConfig) -> bool:
    """Whether it can be done now: a cell waits for its pretraining."""
    if unit.is_cell and unit.source in tasks_of(config):
        return Unit(unit.source).place(config).outcome() == DONE
    return True


@dataclass(frozen=True)
class Ahead:
    """What is left of a comparison: runs, and seconds by what is known (nan: not known)."""

    done: int
    pretrainings: int
    cells: int
    pretraining_seconds: float  # of all that are left
    cell_seconds: float  # of one

    @property
    def total(self) -> int:
        """Runs in all."""
        return self.done + self.pretrainings + self.cells

    @property
    def seconds(self) -> float:
        """Of all that is left."""
        cells = self.cells * self.cell_seconds if self.cells else 0.0
        return cells + (self.pretraining_seconds if self.pretrainings else 0.0)


def ahead(config: CompareConfig, units: list[Unit], now: Unit | None = None, cell_seconds: float = math.nan) -> Ahead:
    """What is left of `units`, without the one that is being done `now`. Where cells are done, they tell the time."""
    left = [unit for unit in units if not settled(unit, config) and unit != now]
    cells = sum(unit.is_cell for unit in left)
    known = [unit for unit in units if unit not in left and unit.place(config).outcome() == DONE]
    took = _mean(unit.place(config).facts().get("seconds", math.nan) for unit in known if unit.is_cell)
    return Ahead(
        done=sum(settled(unit, config) for unit in units),
        pretrainings=len(left) - cells,
        cells=cells,
        pretraining_seconds=sum(_pretraining_seconds(config, unit.source, known) for unit in left if not unit.is_cell),
        cell_seconds=cell_seconds if math.isnan(took) else took,
    )


def _pretraining_seconds(config: CompareConfig, task: str, known: list[Unit]) -> float:
    budget = pretrain_config(config, task).budget
    if budget.steps is None and budget.epochs is None and budget.minutes is not None:
        return 60 * budget.minutes
    return _mean(unit.place(config).facts().get("seconds", math.nan) for unit in known if not unit.is_cell)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else math.nan


def timed_cell(config: CompareConfig, classes: int) -> float:
    """Seconds that a fine-tuning takes on this machine, from a few steps on noise. `config` must be resolved.

    The batch is that of the most labels, so many for each of `classes` (1 for masks, where labels are counted in all).

    A rough number, to be said before anything is done: the first fine-tunings say it better.
    """
    most = max(config.labels, default=1)
    base = finetune_config(config, SCRATCH, most, 0)
    device = devices.choose(config.hardware.device, config.hardware.precision)
    encoder = build_encoder(base.encoder, seed=0).to(device.handle).train()
    side = base.data.side or 64
    count = min(base.optimiser.batch_size, max(2, most * classes))
    rng = generator(0, "trial", device=device.handle)
    noise = torch.rand(count, 3, side, side, device=device.handle, generator=rng)
    least = math.inf
    for _ in range(TRIES):
        began = time.perf_counter()
        with device.autocast():
            loss = encoder(noise).square().mean()
        loss.backward()
        device.wait()
        least = min(least, time.perf_counter() - began)
        if least > LONG_STEP:
            break
    return AROUND * config.steps * least
