"""Held-out puzzles asked of a trained network, again and again, about pictures as they are and altered."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import stdtrit
from torch import Tensor

from sslstudio.engine.clinic.alterations import Alteration
from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.metrics import find_metric
from sslstudio.engine.evaluate.intervals import wilson
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.tasks.base import AnyTask, Batch
from sslstudio.engine.tasks.remedies import Fault

CHUNK = 4  # pictures whose answers are averaged: what the intervals rest on
DRAWS = 2  # puzzles of each picture

Array = npt.NDArray[np.float64]
Interval = tuple[float, float, float]  # mean, low and high end of the 95 % interval


@dataclass(frozen=True)
class Audited:
    """A trained task: its name, options and network (in evaluation mode, on the device).

    `settable` says whether its options can be set; those of the parts of a multitask run cannot.
    """

    name: str
    options: BaseConfig
    task: AnyTask
    encoder: Encoder
    settable: bool = True

    def remedy(self, fault: Fault) -> str:
        """The change that answers a fault and is not made yet, as TASK.OPTION=VALUE; "" if there is none."""
        change = self.task.remedy(self.options, fault) if self.settable else ""
        return f"{self.name}.{change}" if change else ""

    def with_gap(self, gap: float) -> AnyTask | None:
        """The same weights asked with another gap between tiles; None if the options do not allow it."""
        for changes in ({"gap": gap}, {"gap": gap, "jitter": 0.0}):
            try:
                changed = self.options.replace(**changes)
            except (ConfigError, TypeError):
                continue
            with torch.random.fork_rng(devices=[]):  # the first weights are replaced at once
                other = type(self.task)(changed, self.task.encoder_spec)
            other.load_state_dict(self.task.state_dict())
            return other.to(next(self.encoder.parameters()).device).eval()
        return None


class Questions:
    """The puzzles of `images`, uint8 (n, 3, S, S); the same for a seed whatever is done to the pictures."""

    def __init__(self, audited: Audited, images: Tensor, device: Device, seed: int) -> None:
        self.audited, self.device, self.seed = audited, device, seed
        self.chunks = [chunk for chunk in torch.split(images, CHUNK) if len(chunk) == CHUNK] or [images]
        self.n = sum(map(len, self.chunks))
        self.metric, self.chance = main_metric(audited.task)

    def batch(self, number: int, draw: int, alteration: Alteration, task: AnyTask | None = None) -> Batch:
        """The puzzles of one chunk; those of an altered picture are drawn just as those of the picture itself."""
        rng = generator(self.seed, "audit", draw, number, device=self.device.handle)
        images = alteration.pictures(self.chunks[number].to(self.device.handle))
        return alteration.batch((task or self.audited.task).make_batch(images, rng))

    @torch.no_grad()
    def ask(self, alteration: Alteration, task: AnyTask | None = None) -> Array:
        """The metric for each chunk, (chunks,); `task` asks in place of the audited one."""
        asked = task or self.audited.task
        found: list[Tensor] = []
        with self.device.autocast():
            for number in range(len(self.chunks)):
                batches = [self.batch(number, draw, alteration, task) for draw in range(DRAWS)]
                values = [asked(self.audited.encoder, batch).metrics[self.metric].float() for batch in batches]
                found.append(torch.stack(values).mean())
        return np.asarray(torch.stack(found).double().cpu().numpy(), np.float64)

    def interval(self, values: Array) -> Interval:
        """Mean of (chunks,) and its 95 % interval by Student's t, or Wilson's (1927) of a share without any spread.

        With the handful of chunks that a small validation part gives, a bootstrap would be far too sure.
        """
        mean, count = float(values.mean()), len(values)
        spread = float(values.std(ddof=1)) if count > 1 else 0.0
        if spread < 1e-9 and 0 <= mean <= 1:
            return mean, *wilson(mean, self.n)
        if count < 2:
            return mean, -np.inf, np.inf
        reach = float(stdtrit(count - 1, 0.975)) * spread / count**0.5
        return mean, mean - reach, mean + reach

    def has_learnt(self, base: Interval) -> bool:
        """Whether the answers are certainly better than guesses; errors are better when they are small."""
        return base[2] < self.chance if find_metric(self.metric).better == "lower" else base[1] > self.chance


def main_metric(task: AnyTask) -> tuple[str, float]:
    """The first metric that guessing has a value for, and that value; ("", nan) if there is none."""
    chance = task.chance()
    names = [metric.name for metric in task.metrics if metric.name in chance] or list(chance)
    return (names[0], chance[names[0]]) if names else ("", float("nan"))
