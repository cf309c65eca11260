"""Random numbers for a batch: drawn as they are asked for, or all of them first.

A compiler cannot look into a `torch.Generator`: each draw ends its graph. What a task draws for a batch depends on its
options and on the size of the batch alone, never on a number that the device computed. So the draws of one batch can be
noted (`Note`) and made before the next (`Listed.draw`): the same calls on the same generator in the same order give the
same numbers to the bit, and making the batch, the network and the loss become one graph.

For the same reason a process of several can make its share of a batch alone: all draw the numbers of the whole batch,
which are few beside the work of using them, and each uses those of its own pictures (`find_cuts`).

Whoever draws for a batch draws with the functions here.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draw:
    """One call: what is drawn (uniform, normal, integers, rows or mixed), its shape and its bounds.

    rows: numbers of rows in a drawn order. mixed: those of all rows of a batch, (times, pictures).
    """

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
        return torch.randperm(math.prod(self.shape), generator=rng, device=rng.device)


@dataclass
class Note:
    """A generator that notes what is drawn from it."""

    rng: torch.Generator
    draws: list[Draw] = field(default_factory=list)

    @property
    def device(self) -> torch.device:
        """Where it draws."""
        return self.rng.device


@dataclass(frozen=True)
class Cut:
    """Which numbers of a draw for a whole batch are those of a share: rows first to last of `dim`; all of them for -1.

    rows: the numbers are themselves rows, in a drawn order, and all are kept (`chosen_rows`, `mixed_rows`).
    """

    dim: int
    first: int
    last: int
    rows: bool = False

    def of(self, numbers: Tensor) -> Tensor:
        """The numbers of the share."""
        return numbers if self.dim < 0 else numbers.narrow(self.dim, self.first, self.last - self.first)


class Listed:
    """Numbers that were drawn before, handed out in their order; with `cuts` those of a share of the batch."""

    def __init__(self, numbers: list[Tensor], device: torch.device, cuts: list[Cut] | None = None) -> None:
        self.numbers, self.device, self.cuts, self._next = numbers, device, cuts, 0

    @staticmethod
    def draw(draws: list[Draw], rng: torch.Generator) -> list[Tensor]:
        """Make all the draws of a batch."""
        return [one.make(rng) for one in draws]

    def take(self) -> Tensor:
        """The next one."""
        self._next += 1
        numbers = self.numbers[self._next - 1]
        return numbers if self.cuts is None else self.cuts[self._next - 1].of(numbers)

    def last_cut(self) -> Cut | None:
        """How what was taken last was cut."""
        return self.cuts[self._next - 1] if self.cuts is not None else None


Rng = torch.Generator | Note | Listed


def find_cuts(whole: list[Draw], share: list[Draw], pictures: int, first: int, last: int) -> list[Cut] | None:
    """Find which numbers of the `whole` batch of so many pictures belong to pictures first to last, from what is drawn
    for as many pictures alone. None where that cannot be told.

    Those of a picture are assumed to lie together; whether they do, a comparison of the batches shows.
    """
    if len(whole) != len(share):
        return None
    cuts = [_cut(ours, alone, pictures, first, last) for ours, alone in zip(whole, share, strict=True)]
    known = [cut for cut in cuts if cut is not None]
    return known if len(known) == len(cuts) else None


def _cut(whole: Draw, share: Draw, pictures: int, first: int, last: int) -> Cut | None:
    if whole == share:
        return Cut(-1, 0, 0)
    if (whole.kind, whole.low, whole.high, len(whole.shape)) != (share.kind, share.low, share.high, len(share.shape)):
        return None
    differ = [dim for dim, (one, other) in enumerate(zip(whole.shape, share.shape, strict=True)) if one != other]
    times, rest = divmod(whole.shape[differ[0]], pictures)
    fits = len(differ) == 1 and not rest and share.shape[differ[0]] == times * (last - first)
    if not fits:
        return None
    if whole.kind == "mixed":
        return Cut(-1, first, last, rows=True)
    if whole.kind == "rows":
        return Cut(-1, times * first, times * last, rows=True)
    return Cut(differ[0], times * first, times * last)


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


def mixed_rows(times: int, pictures: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """All rows of a batch that holds its pictures so many `times`, one round after the other, in a drawn order, and the
    picture of each: int64 (times * pictures,) twice.

    Of a share of a batch, whose numbers are to be put together first (`by_share`): its own rows, numbered as in a batch
    of their own, and their pictures as they are numbered in the whole.
    """
    drawn = _draw(Draw("mixed", (times, pictures)), rng)
    whole = len(drawn) // times
    cut = rng.last_cut() if isinstance(rng, Listed) else None
    if cut is None or not cut.rows:
        return drawn, drawn % whole
    own = drawn[times * cut.first : times * cut.last]
    return own // whole * pictures + own % whole - cut.first, own % whole


def by_share(draw: Draw, numbers: Tensor, starts: list[int]) -> Tensor:
    """Put the rows of a mixed batch in the order of the shares that its pictures belong to, each with the picture that
    it begins with (`starts`); within a share they stay as they were drawn. Nothing else is changed."""
    if draw.kind != "mixed":
        return numbers
    picture = numbers % draw.shape[1]
    share = sum(((picture >= start).to(torch.int64) for start in starts), torch.zeros_like(numbers))
    return numbers[share.argsort(stable=True)]


def chosen_rows(count: int, share: float, levels: int, rng: Rng) -> list[tuple[int, Tensor]]:
    """A `share` of the rows 0 to count - 1, chosen at random, in parts of about the same length: (level, int64 rows).

    Of a share of a batch: those of its own rows that are chosen from the whole; a part without any is left out.
    """
    drawn = _draw(Draw("rows", (count,)), rng)
    cut = rng.last_cut() if isinstance(rng, Listed) else None
    if cut is None or not cut.rows:
        return list(enumerate(drawn[: round(count * share)].tensor_split(levels)))
    parts = drawn[: round(len(drawn) * share)].tensor_split(levels)
    own = [part[(part >= cut.first) & (part < cut.last)] - cut.first for part in parts]
    return [(level, rows) for level, rows in enumerate(own) if len(rows)]
