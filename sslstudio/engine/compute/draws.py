"""Random numbers for a batch: drawn as they are asked for, or all of them first.

A compiler cannot look into a `torch.Generator`: each draw ends its graph. What a task draws for a batch depends on its
options and on the size of the batch alone, never on a number that the device computed. So the draws of one batch can be
noted (`Note`) and made before the next (`Listed.draw`): the same calls on the same generator in the same order give the
same numbers to the bit, and making the batch, the network and the loss become one graph.

Whoever draws for a batch draws with the four functions here.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draw:
    """One call: what is drawn (uniform, normal, integers or order), its shape and its bounds."""

    kind: str
    shape: tuple[int, ...]
    low: float = 0.0
    high: float = 1.0

    def make(self, rng: torch.Generator) -> Tensor:
        """Draw it on the generator's device."""
        if self.kind == "uniform":
            return torch.empty(self.shape, device=rng.device).uniform_(self.low, self.high, generator=rng)
        if self.kind == "normal":
            return torch.randn(self.shape, generator=rng, device=rng.device)
        if self.kind == "integers":
            return torch.randint(int(self.high), self.shape, generator=rng, device=rng.device)
        return torch.randperm(self.shape[0], generator=rng, device=rng.device)


@dataclass
class Note:
    """A generator that notes what is drawn from it."""

    rng: torch.Generator
    draws: list[Draw] = field(default_factory=list)

    @property
    def device(self) -> torch.device:
        """Where it draws."""
        return self.rng.device


class Listed:
    """Numbers that were drawn before, handed out in their order."""

    def __init__(self, numbers: list[Tensor], device: torch.device) -> None:
        self.numbers, self.device, self._next = numbers, device, 0

    @staticmethod
    def draw(draws: list[Draw], rng: torch.Generator) -> list[Tensor]:
        """Make all the draws of a batch."""
        return [one.make(rng) for one in draws]

    def take(self) -> Tensor:
        """The next one."""
        self._next += 1
        return self.numbers[self._next - 1]


Rng = torch.Generator | Note | Listed


def _draw(one: Draw, rng: Rng) -> Tensor:
    if isinstance(rng, Listed):
        return rng.take()
    if isinstance(rng, Note):
        rng.draws.append(one)
        return one.make(rng.rng)
    return one.make(rng)


def uniform(shape: tuple[int, ...], low: float, high: float, rng: Rng) -> Tensor:
    """Uniform numbers in [low, high) on the generator's device."""
    return _draw(Draw("uniform", tuple(shape), low, high), rng)


def normal(shape: tuple[int, ...], rng: Rng) -> Tensor:
    """Normal numbers of mean 0 and deviation 1."""
    return _draw(Draw("normal", tuple(shape)), rng)


def integers(below: int, shape: tuple[int, ...], rng: Rng) -> Tensor:
    """Whole numbers in [0, below): int64."""
    return _draw(Draw("integers", tuple(shape), 0.0, float(below)), rng)


def order(count: int, rng: Rng) -> Tensor:
    """The numbers 0 to count - 1 in a drawn order: int64 (count,)."""
    return _draw(Draw("order", (count,)), rng)
