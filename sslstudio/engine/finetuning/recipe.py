"""How a network is fine-tuned on a few labels.

The head reads the features of all stages, brought to one scale: the last stage is not the best one for these tasks.
What may be had beside it: the head learns first, on an encoder that keeps still (Kumar et al., ICLR 2022,
arXiv:2202.10054: linear probing, then fine-tuning); early stages learn more slowly than late ones (Howard & Ruder,
ACL 2018, section 3.2); batch statistics stay those of all pictures; a probe chooses one stage. These spare the encoder,
and only what was pretrained is spared. They are off: with encoders that were pretrained for minutes, training
everything at one rate was better (manual, decision 0012).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sslstudio.engine.compute.halving import by_smaller_chunks, in_halves
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.arms import FROM_SCRATCH
from sslstudio.engine.evaluate.probes import best_stage
from sslstudio.engine.models.finetuned import LAST, Classifier, Network, Standard, pool_stages
from sslstudio.engine.training.config import FinetuneConfig
from sslstudio.engine.transforms.geometry import to_float

CALIBRATED_ON = 512  # pictures that batch statistics are measured on
CHUNK = 64
LEAST_CHUNK = 8  # pictures, where memory is short: fewer have no statistics worth the name
STEPS, FEWEST_STEPS, MOST_STEPS = 80, 400, 4000  # by the square root of the labelled pictures: see `steps_for`


@dataclass(frozen=True)
class Recipe:
    """What is done to one part: which stage it reads, and how its encoder is spared."""

    stage: int = LAST
    freeze: float = 0.0
    layer_decay: float = 1.0
    head_lr_factor: float = 1.0
    freeze_norm_stats: bool = False


def steps_for(labelled: int) -> int:
    """Steps after which more teach nothing, by the number of labelled pictures: a schedule that was fixed on drawn
    pictures and handwritten digits (manual, decision 0042), so that no arm is stopped before it has learnt."""
    return round(min(MOST_STEPS, max(FEWEST_STEPS, STEPS * math.sqrt(labelled))))


def recipe_of(config: FinetuneConfig, part: str, stage: int = LAST) -> Recipe:
    """The recipe of a part (pretrained or scratch)."""
    own = config.recipe
    if config.mode == "probe":
        return Recipe(stage=stage, freeze=1.0, head_lr_factor=own.head_lr_factor, freeze_norm_stats=True)
    if part == FROM_SCRATCH:  # it has nothing to spare, and random early stages mislead the head
        return Recipe()
    return Recipe(stage, own.freeze, own.layer_decay, own.head_lr_factor, own.freeze_norm_stats)


def parameter_groups(network: Network, recipe: Recipe) -> list[dict[str, Any]]:
    """Groups for the optimiser, each with the `factor` of its learning rate: stem, stages 1 to 4, head.

    Stage 4 learns at `layer_decay` times the rate of the whole, each one before it at that share of the next one's.
    """
    parts: dict[int, list[nn.Parameter]] = {}
    for name, weight in network.encoder.named_parameters():
        parts.setdefault(network.encoder.stage_of(name), []).append(weight)
    order = sorted(parts)
    groups = [
        {"params": parts[stage], "factor": recipe.layer_decay ** (len(order) - number)}
        for number, stage in enumerate(order)
    ]
    return [*groups, {"params": list(network.head.parameters()), "factor": recipe.head_lr_factor}]


@torch.no_grad()
def recalibrate(network: Network, pictures: Pictures) -> None:
    """Measure the encoder's batch statistics anew on whole pictures: up to 512 of the unlabelled ones, mixed.

    A puzzle's tiles have other statistics than the pictures that the network will see from now on.
    """
    norms = [layer for layer in network.encoder.modules() if isinstance(layer, nn.BatchNorm2d)]
    momenta = [layer.momentum for layer in norms]

    def measure(size: int) -> None:
        for layer in norms:
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean over the batches
        network.encoder.train()
        for images in _mixed(pictures, size):
            network.encoder(network.scale(images))

    try:
        by_smaller_chunks(measure, CHUNK, LEAST_CHUNK, pictures.device)  # half a batch measured would count twice
    finally:
        for layer, momentum in zip(norms, momenta, strict=True):
            layer.momentum = momentum
        network.train(network.training)


@torch.no_grad()
def standardise(network: Classifier, pictures: Pictures) -> None:
    """Measure the scale of the features that a head on all stages reads, on the same pictures."""
    if isinstance(network.head, nn.Sequential) and isinstance(network.head[0], Standard):
        before = network.training
        network.eval()
        features = by_smaller_chunks(
            lambda size: torch.cat([network.features(images) for images in _mixed(pictures, size)]),
            CHUNK, LEAST_CHUNK, pictures.device,
        )  # fmt: skip
        network.head[0].fit(features)
        network.train(before)


def _mixed(pictures: Pictures, size: int) -> Iterator[Tensor]:
    """Batches that are alike: of a folder a class, the first 512 pictures are of one or two classes."""
    for chosen in torch.split(pictures.mix(CALIBRATED_ON), size):
        if len(chosen) > 1:
            yield to_float(pictures.take(chosen))


@torch.no_grad()
def stage_by_probe(network: Network, pictures: Pictures, targets: Tensor, seed: int) -> tuple[int, list[float]]:
    """The stage whose features tell the classes best, by cross-validation on the labelled pictures alone.

    Returns the stage (1 to 4) and the share right of each.
    """
    network.encoder.eval()
    found: list[list[Tensor]] = []

    def read(chosen: Tensor) -> list[Tensor]:
        maps = network.encoder.stages(network.scale(to_float(pictures.take(chosen))))
        return [features.float().cpu() for features in pool_stages(maps)]

    for chunk in pictures.chunks(CHUNK):
        found += [features for _, features in in_halves(read, chunk, pictures.device)]
    network.train(network.training)
    return best_stage([torch.cat(stage) for stage in zip(*found, strict=True)], targets.cpu(), seed)
