"""What a linear probe reads from the encoder of the reference, and from the program's after a third of its time.

The reference trains on all pictures, the program on those that it does not set apart.
"""

import copy
import time
from pathlib import Path
from statistics import mean

import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.features import copy_with_own_statistics, stage_features
from sslstudio.engine.evaluate.linear_and_knn import linear_answers, standardised
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import PixelScale
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.checkpoint import load_encoder
from sslstudio.engine.training.config import (
    BudgetConfig,
    DataConfig,
    HardwareConfig,
    OptimiserConfig,
    PretrainConfig,
    ProbeConfig,
)
from sslstudio.engine.training.session import Session, open_session
from sslstudio.engine.transforms.geometry import to_float
from tests.benchmarks.bench_kit import Figures
from tests.benchmarks.reference_jigsaw import Reference

PER_CLASS = 25  # labels that the probe learns from; all other pictures are asked
DRAWS = 5
ENCODER = EncoderConfig(name="resnet18", stem="large")


class Reader:
    """Balanced accuracy of a linear probe on the last stage, a mean over draws of labels that are the same for all."""

    def __init__(self, session: Session) -> None:
        classes = session.recognised.classes
        if classes is None:
            raise SystemExit("The probe needs pictures in a folder for each class.")
        paths = [path for path in session.cache.index.paths if path in classes.of]
        images = Pictures(session.cache, paths, devices.choose("cpu")).spread(len(paths))
        self.images = PixelScale(images)(to_float(images))
        self.truth = torch.tensor([classes.of[path] for path in paths])
        self.count = int(self.truth.max()) + 1

    def read(self, encoder: Encoder) -> float:
        """Of this encoder, with the batch statistics of whole pictures."""
        features = standardised(stage_features(copy_with_own_statistics(encoder, self.images), self.images)[-1])
        return mean(self._draw(features, torch.Generator().manual_seed(draw)) for draw in range(DRAWS))

    def _draw(self, features: torch.Tensor, rng: torch.Generator) -> float:
        order = torch.randperm(len(self.truth), generator=rng)
        places = [order[self.truth[order] == one] for one in range(self.count)]
        taught = torch.cat([place[:PER_CLASS] for place in places])
        asked = torch.cat([place[PER_CLASS:] for place in places])
        answers = linear_answers(features[taught], self.truth[taught], features[asked], self.count)
        right = (answers == self.truth[asked]).double()
        return mean(float(right[self.truth[asked] == one].mean()) for one in range(self.count))


def probed(folder: Path, place: Path, minutes: float, seeds: int, batch: int) -> Figures:
    """Means over the seeds: untrained, the reference, and two tasks of the program in a third of the time."""
    data = DataConfig(folder=str(folder), side=224)
    session = to_end(open_session(data, devices.choose("cpu"), RunControl()))
    reader = Reader(session)
    files = [folder / path for path in session.cache.index.paths]
    found: dict[str, list[float]] = {}

    def note(name: str, encoder: Encoder) -> None:
        found.setdefault(name, []).append(reader.read(encoder))
        print(f"{name}: {found[name][-1]:.3f}", flush=True)

    for seed in range(seeds):
        note("untrained", build_encoder(ENCODER, seed))
        note(f"reference after {minutes:g} minutes", _reference(files, 60 * minutes, batch, seed))
        for task in ("jigsaw", "vicreg"):
            name = f"{task} of the program after {minutes / 3:.3g} minutes"
            note(name, _ours(task, data, place / f"{task}-{seed}", minutes / 3, batch, seed))
    return {f"linear probe, {name}": mean(values) for name, values in found.items()}


def _reference(files: list[Path], seconds: float, batch: int, seed: int) -> Encoder:
    reference = Reference(files, batch, seed)
    running = reference.steps()
    next(running)  # the workers are there
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        next(running)
    return copy.deepcopy(reference.encoder)


def _ours(task: str, data: DataConfig, out: Path, minutes: float, batch: int, seed: int) -> Encoder:
    config = PretrainConfig(
        out=str(out),
        task=task,
        seed=seed,
        data=data,
        encoder=ENCODER,
        optimiser=OptimiserConfig(batch_size=batch),
        budget=BudgetConfig(minutes=minutes),
        hardware=HardwareConfig(device="cpu"),
        probe=ProbeConfig(enabled=False),
        options=load_tasks()[task].Config(),
    )
    for _ in pretrain(config, RunControl()):
        pass
    encoder = build_encoder(ENCODER, seed)
    load_encoder(encoder, out)
    return encoder
