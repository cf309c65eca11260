"""The shortcut audit: what a trained network needs for its puzzle, and what it should not need.

Held-out pictures are changed in one way at a time and the same puzzles are asked again. What is lost is counted in
shares of what was learnt, the way from guessing (0) to the answers on unchanged pictures (1). Covering the frame or a
corner also takes honest content away, so it counts only when as large a square in the middle costs less.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sslstudio.engine.config import BaseConfig
from sslstudio.engine.device import Device
from sslstudio.engine.errors import ConfigError
from sslstudio.engine.evaluate import alterations as alter
from sslstudio.engine.evaluate.alterations import Alteration
from sslstudio.engine.evaluate.scores import wilson
from sslstudio.engine.evaluate.signs.looked import tiles_of
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.seeding import derive, generator
from sslstudio.engine.tasks.base import Batch, PretextTask

CHUNK = 4  # pictures whose answers are averaged: what the bootstrap draws
DRAWS = 2  # puzzles of each picture
RESAMPLES = 1000
MAY_FALL = 0.3  # share of what was learnt that may go with what should not matter
MUST_FALL = 0.75  # share that must go with what the puzzle is about
EDGES_MAY_FALL = 0.5  # a tile without its rim, or from a smaller cell, also shows less
LARGE_GAPS = (0.5, 0.4, 0.3, 0.2, 0.1)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Audited:
    """A trained task: its name, options and network (in evaluation mode, on the device)."""

    name: str
    options: BaseConfig
    task: PretextTask
    encoder: Encoder


@dataclass(frozen=True, kw_only=True)
class Check:
    """One change and what became of the puzzle: `value` with its 95 % interval over `n` pictures, against `base`.

    `lost` is the share of what was learnt that went; `passed` is None where nothing is demanded.
    """

    name: str
    title: str
    value: float
    low: float
    high: float
    n: int
    chance: float
    base: float
    lost: float
    passed: bool | None
    verdict: str
    change: str = ""


@dataclass(frozen=True)
class TaskAudit:
    """The audit of one task. `metric` is "" and `verdict` says why when it has no answers that can be right."""

    task: str
    metric: str
    verdict: str
    n: int = 0
    chance: float = float("nan")
    base: tuple[float, float, float] = (float("nan"),) * 3
    checks: tuple[Check, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


class Questions:
    """The same held-out puzzles, asked of a network about pictures as they are and altered."""

    def __init__(self, audited: Audited, images: Tensor, device: Device, seed: int) -> None:
        self.audited, self.device, self.seed = audited, device, seed
        self.chunks = [chunk for chunk in torch.split(images, CHUNK) if len(chunk) == CHUNK] or [images]
        self.n = sum(map(len, self.chunks))
        self.metric, self.chance = _main_metric(audited.task)

    def batch(self, number: int, draw: int, alteration: Alteration, task: PretextTask | None = None) -> Batch:
        """The puzzles of one chunk; those of an altered picture are drawn just as those of the picture itself."""
        rng = generator(self.seed, "audit", draw, number, device=self.device.handle)
        images = alteration.pictures(self.chunks[number].to(self.device.handle))
        return alteration.batch((task or self.audited.task).make_batch(images, rng))

    @torch.no_grad()
    def ask(self, alteration: Alteration, task: PretextTask | None = None) -> Array:
        """The metric for each chunk, (chunks,)."""
        asked = task or self.audited.task
        found = []
        with self.device.autocast():
            for number in range(len(self.chunks)):
                batches = [self.batch(number, draw, alteration, task) for draw in range(DRAWS)]
                values = [asked(self.audited.encoder, batch).metrics[self.metric].float() for batch in batches]
                found.append(torch.stack(values).mean())
        return torch.stack(found).double().cpu().numpy()

    def interval(self, values: Array) -> tuple[float, float, float]:
        """Mean and 95 % interval (percentile bootstrap over chunks; Wilson where all are alike and a share)."""
        mean = float(values.mean())
        low, high = np.percentile(_resampled(values, self.seed), [2.5, 97.5])
        if high - low < 1e-9 and 0 <= mean <= 1:
            low, high = wilson(mean, self.n)
        return mean, float(low), float(high)


def _resampled(values: Array, seed: int) -> Array:
    rng = np.random.default_rng(derive(seed, "audit", "bootstrap"))
    means: Array = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1)
    return means


def _main_metric(task: PretextTask) -> tuple[str, float]:
    """The metric that guessing has a value for, accuracy before others; ("", nan) if there is none."""
    chance = task.chance()
    names = sorted(chance, key=lambda name: (name != "accuracy", "accuracy" not in name))
    return (names[0], chance[names[0]]) if names else ("", float("nan"))


class Audit:
    """Asks one question after another; `checks` yields what each said."""

    def __init__(self, audited: Audited, images: Tensor, device: Device, seed: int = 0) -> None:
        self.questions = Questions(audited, images, device, seed)
        self.audited = audited
        self.left_out: dict[str, str] = {}
        if not self.questions.metric:
            return
        self.base = self.questions.ask(Alteration("as they are"))
        some = self.questions.batch(0, 0, Alteration("as they are"))
        self.has_tiles = tiles_of(some) is not None
        self.paints = any(value.is_floating_point() and value.ndim >= 4 for value in some.targets.values())

    @property
    def learnt(self) -> float:
        """From guessing to the answers on unchanged pictures; negative where less is better."""
        return float(self.base.mean()) - self.questions.chance

    def is_at_chance(self) -> bool:
        """Whether nothing was learnt that could be lost."""
        _, low, high = self.questions.interval(self.base)
        return low <= self.questions.chance <= high

    def checks(self) -> Iterator[Check]:
        """Every check that applies; what does not is noted in `left_out` with the reason."""
        if self.has_tiles:
            yield self._tiles_are_blank()
            yield self._lost_with(
                alter.RIMS, "the rims of the tiles are erased", "matches the edges of tiles", EDGES_MAY_FALL, self._gap()
            )
        else:
            self.left_out["tiles"] = "Mean colours and rims of tiles: this task asks about no tiles."
        yield from self._other_gaps()
        if self.paints:
            self.left_out["covering"] = (
                "Colour taken away, frame or corners covered: the answer is the picture itself, so that covering a "
                "part of it changes the answer too."
            )
        else:
            yield from self._covered()
        yield self._mirrored()
        yield self._lost_with(
            alter.SHIFTED, "the pictures are shifted by some pixels", "depends on whole pixels", MAY_FALL, ""
        )

    def _covered(self) -> Iterator[Check]:
        grey = self._set("grey=0.66", "colour=drop")
        yield self._lost_with(alter.GREY, "colour is taken away", "relies on colour", MAY_FALL, grey)
        yield self._lost_with(
            alter.FRAME_COVERED, "the outer tenth is covered", "relies on the frame: crop it", MAY_FALL,
            self._set("round=true", "field=0.5"), self.questions.ask(alter.CENTRE_COVERED),
        )  # fmt: skip
        found = [(one, self.questions.ask(one)) for one in alter.CORNERS_COVERED]
        worst, values = min(found, key=lambda pair: float(pair[1].mean()) * np.sign(self.learnt))
        place = worst.name.partition(", ")[2]
        yield self._judged(
            "corner", f"the corner at the {place} is covered", values, "relies on that corner: look for a stamp or text",
            MAY_FALL, self._set("round=true", "field=0.5"), self.questions.ask(alter.SMALL_CENTRE_COVERED),
        )  # fmt: skip

    def _lost_with(
        self, alteration: Alteration, title: str, fault: str, most: float, change: str, control: Array | None = None
    ) -> Check:
        values = self.questions.ask(alteration)
        return self._judged(alteration.name, title, values, fault, most, change, control)

    def _judged(
        self, name: str, title: str, values: Array, fault: str, most: float, change: str, control: Array | None = None
    ) -> Check:
        """Fails when more than `most` of what was learnt goes, certainly, and more than with the `control`."""
        lost = self._lost(values)
        failed = lost[0] > most and lost[1] > 0
        if control is not None:
            failed = failed and self.questions.interval((control - values) / self.learnt)[1] > 0
        verdict = f"{fault}; {lost[0]:.0%} of what was learnt goes with it" if failed else _kept(lost[0])
        return replace(self._check(name, title, values), passed=not failed, verdict=verdict, change=change * failed)

    def _lost(self, values: Array) -> tuple[float, float, float]:
        return self.questions.interval((self.base - values) / self.learnt)

    def _check(self, name: str, title: str, values: Array) -> Check:
        value, low, high = self.questions.interval(values)
        return Check(
            name=name, title=title, value=value, low=low, high=high, n=self.questions.n, chance=self.questions.chance,
            base=float(self.base.mean()), lost=self._lost(values)[0], passed=None, verdict="",
        )  # fmt: skip

    def _tiles_are_blank(self) -> Check:
        check = self._check("mean_colour", "tiles become their mean colour", self.questions.ask(alter.MEAN_COLOUR))
        above = check.low > check.chance if self.learnt > 0 else check.high < check.chance
        failed = check.lost < MUST_FALL and above
        if not failed:
            return replace(check, passed=True, verdict="falls to guessing, as it must: colour and brightness alone do not tell")
        change = self._set("normalise=true", "grey=0.66", "colour=drop")
        verdict = f"relies on the brightness or colour of whole tiles, which give {1 - check.lost:.0%} of what was learnt"
        return replace(check, passed=False, verdict=verdict, change=change)

    def _other_gaps(self) -> Iterator[Check]:
        own = getattr(self.audited.options, "gap", None)
        if own is None:
            self.left_out["gap"] = "Another gap between tiles: this task has none."
            return
        none = self._with_gaps(0.0)
        if none is not None:
            check = self._check("no_gap", "there is no gap between tiles", self.questions.ask(Alteration("no gap"), none))
            yield replace(check, verdict=f"asked with edges that fit: {_change_words(-check.lost)}")
        large, gap = next(
            ((task, gap) for gap in LARGE_GAPS if gap > own and (task := self._with_gaps(gap)) is not None), (None, 0.0)
        )
        if large is None:
            self.left_out["gap"] = f"A larger gap: {own} is the largest that leaves room for tiles."
            return
        values = self.questions.ask(Alteration("large gap"), large)
        title = f"the gap between tiles is {gap:g} of a cell instead of {own:g}"
        yield self._judged("large_gap", title, values, "matches the edges of tiles", EDGES_MAY_FALL, self._gap())

    def _with_gaps(self, gap: float) -> PretextTask | None:
        """The trained task asked with another gap; None if the options do not allow it."""
        options, task = self.audited.options, self.audited.task
        for changes in ({"gap": gap}, {"gap": gap, "jitter": 0.0}):
            try:
                changed = options.replace(**changes)
            except (ConfigError, TypeError):
                continue
            with torch.random.fork_rng(devices=[]):  # the weights are replaced: where they start from means nothing
                other = type(task)(changed, task.encoder_spec)
            other.load_state_dict(task.state_dict())
            return other.to(self.questions.device.handle).eval()
        return None

    def _gap(self) -> str:
        return self._set("jitter=0.2", "gap=0.25") if self.audited.name == "jigsaw" else self._set("gap=0.25", "gap=0.5")

    def _mirrored(self) -> Check:
        values = self.questions.ask(alter.MIRRORED)
        fault = "tells left from right: by text, or because the subject has sides, which is fine"
        return self._judged(alter.MIRRORED.name, "the pictures are mirrored", values, fault, MAY_FALL, self._set("mirror=true"))

    def _set(self, *changes: str) -> str:
        """The first OPTION=VALUE that this task knows and does not have yet, as TASK.OPTION=VALUE; "" if none."""
        return first_change(self.audited, changes)
