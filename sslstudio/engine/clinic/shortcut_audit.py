"""The shortcut audit: what a trained network needs for its puzzle, and what it should not need.

Held-out pictures are changed in one way at a time and the same puzzles are asked again. What is lost is counted in
shares of what was learnt, the way from guessing (0) to the answers on unchanged pictures (1). Covering the frame or a
corner also takes honest content away, so it counts only when as large a square in the middle costs less.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from torch import Tensor

from sslstudio.engine.clinic import alterations as alter
from sslstudio.engine.clinic.alterations import Alteration
from sslstudio.engine.clinic.puzzle_scores import Array, Audited, Interval, Questions
from sslstudio.engine.clinic.signs.looked import tiles_of
from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.messages import Message, to_stored
from sslstudio.engine.tasks.remedies import Fault

MAY_FALL = 0.3  # share of what was learnt that may go with what should not matter
MUST_FALL = 0.75  # share that must go with what the puzzle is about
EDGES_MAY_FALL = 0.5  # a tile without its rim, or from a smaller cell, also shows less
WIDER = (0.25, 0.2, 0.15, 0.1)  # by how much a gap is widened: more would leave too little of a tile to recognise
AS_THEY_ARE = Alteration(Message("as they are"))


@dataclass(frozen=True, kw_only=True)
class Check:
    """One change and what became of the puzzle: `value` with its 95 % interval over `n` pictures, against `base`.

    `lost` is the share of what was learnt that went; `passed` is None where nothing is demanded. `change` is one
    `--set` that answers a check that failed.
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
    passed: bool | None = None
    verdict: str = ""
    change: str = ""


@dataclass(frozen=True, kw_only=True)
class TaskAudit:
    """The audit of one task. `metric` is "" when it has no answers that can be right; `verdict` is for people.

    `left_out`: what was not asked -> why.
    """

    task: str
    metric: str
    verdict: str
    n: int = 0
    chance: float = float("nan")
    base: Interval = (float("nan"), float("nan"), float("nan"))
    checks: tuple[Check, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Plain values; a message with its template and values."""
        stored: dict[str, object] = to_stored(asdict(self))
        return stored


def audit_task(trained: Audited, images: Tensor, device: Device, seed: int = 0) -> Iterator[Check | TaskAudit]:
    """Audit one task: each check as it is done, at last the whole. `images`: held-out uint8 (n, 3, S, S)."""
    questions = Questions(trained, images, device, seed)
    if not questions.metric:
        yield TaskAudit(
            task=trained.name, metric="",
            verdict=Message("This task has no answer that guessing could get right, so no check of the audit applies."),
        )  # fmt: skip
        return
    auditor = _Auditor(trained, questions)
    base = questions.interval(auditor.base)
    found = TaskAudit(
        task=trained.name, metric=questions.metric, n=questions.n, chance=questions.chance, base=base,
        verdict=Message("Nothing to audit: {metric} is {base:.3f} on held-out pictures, and guessing gives "
"{chance:.3f}.", metric=questions.metric, base=base[0], chance=questions.chance),
    )  # fmt: skip
    if not questions.has_learnt(base):
        yield found
        return
    checks = []
    for check in auditor.checks():
        checks.append(check)
        yield check
    yield replace(found, checks=tuple(checks), verdict=_summary(checks), left_out=auditor.left_out)


def _summary(checks: list[Check]) -> Message:
    failed = [check for check in checks if check.passed is False]
    if not failed:
        return Message("No shortcut was found: what should not matter hardly matters.")
    return Message(
        "It takes a shortcut. {failed:words}",
        failed=(Message("When {one}: it {verdict}.", one=one.title, verdict=one.verdict) for one in failed),
    )


class _Auditor:
    """Asks one question after another; what does not apply is noted in `left_out` with the reason."""

    def __init__(self, trained: Audited, questions: Questions) -> None:
        self.trained, self.questions = trained, questions
        self.left_out: dict[str, str] = {}
        self.base = questions.ask(AS_THEY_ARE)
        self.learnt = float(self.base.mean()) - questions.chance  # negative where less is better

    def checks(self) -> Iterator[Check]:
        """Every check that applies."""
        batch = self.questions.batch(0, 0, AS_THEY_ARE)
        yield from self._tiles(tiles_of(batch) is not None)
        yield from self._gaps()
        yield from self._check_cover(any(one.is_floating_point() and one.ndim >= 4 for one in batch.targets.values()))
        says = Message("tells left from right: by text, or because the subject has sides, which is fine")
        yield self._stays(
            "mirrored", Message("the pictures are mirrored"), self._ask(alter.MIRRORED), says, Fault.RELIES_ON_SIDES
        )
        says = Message("depends on exact places: whole pixels, or what stands at the very edge")
        yield self._stays("shifted", Message("the pictures are shifted by some pixels"), self._ask(alter.SHIFTED), says)

    def _ask(self, alteration: Alteration) -> Array:
        return self.questions.ask(alteration)

    def _tiles(self, has_tiles: bool) -> Iterator[Check]:
        if not has_tiles:
            self.left_out["tiles"] = Message("Mean colours and rims of tiles: this task asks about no tiles.")
            return
        yield self._falls(
            self._check("mean_colour", Message("tiles become their mean colour"), self._ask(alter.MEAN_COLOUR))
        )
        yield self._stays(
            "rims", Message("the rims of the tiles are erased"), self._ask(alter.RIMS),
            Message("matches the edges of tiles"),
            Fault.RELIES_ON_EDGES, most=EDGES_MAY_FALL,
        )  # fmt: skip

    def _gaps(self) -> Iterator[Check]:
        own = getattr(self.trained.options, "gap", None)
        if own is None:
            self.left_out["gap"] = Message("Another gap between tiles: this task has none.")
            return
        if own > 0 and (task := self.trained.with_gap(0.0)) is not None:
            check = self._check("no_gap", Message("the tiles touch each other"), self.questions.ask(AS_THEY_ARE, task))
            yield replace(
                check,
                verdict=Message(
                    "asked with edges that fit it gets {value:.3f}, else {base:.3f}", value=check.value, base=check.base
                ),
            )
        for gap in (round(own + more, 3) for more in WIDER):
            if (task := self.trained.with_gap(gap)) is not None:
                yield self._stays(
                    "large_gap", Message("the gap between tiles is {gap:g} instead of {own:g}", gap=gap, own=own),
                    self.questions.ask(AS_THEY_ARE, task), Message("matches the edges of tiles"),
                    Fault.RELIES_ON_EDGES, most=EDGES_MAY_FALL,
                )  # fmt: skip
                return
        self.left_out["gap"] = Message(
            "A larger gap between tiles: {own:g} is the largest that leaves room for them.", own=own
        )

    def _check_cover(self, paints: bool) -> Iterator[Check]:
        if paints:
            self.left_out["covered"] = Message(
                "Colour taken away, frame or corner covered: the answer is the picture itself, so that "
                "covering a part of it changes the answer too."
            )
            return
        grey = self._ask(alter.GREY)
        yield self._stays(
            "grey", Message("colour is taken away"), grey, Message("relies on colour"), Fault.RELIES_ON_COLOUR
        )
        yield self._stays(
            "frame", Message("the outer tenth is covered"), self._ask(alter.FRAME_COVERED),
            Message("relies on the frame: crop it"),
            Fault.RELIES_ON_FRAME, self._ask(alter.CENTRE_COVERED),
        )  # fmt: skip
        found = [(place, self._ask(one)) for place, one in zip(alter.CORNERS, alter.CORNERS_COVERED, strict=True)]
        place, worst = max(found, key=lambda pair: self._measure_loss(pair[1])[0])
        yield self._stays(
            "corner", Message("the {place} corner is covered", place=place), worst,
            Message("relies on that corner: look for a stamp or text, and crop it"), Fault.RELIES_ON_FRAME,
            self._ask(alter.SMALL_CENTRE_COVERED),
        )  # fmt: skip

    def _measure_loss(self, values: Array) -> Interval:
        """Measure the share of what was learnt that is gone: 0 nothing, 1 all of it."""
        return self.questions.interval((self.base - values) / self.learnt)

    def _check(self, name: str, title: str, values: Array) -> Check:
        value, low, high = self.questions.interval(values)
        return Check(
            name=name, title=title, value=value, low=low, high=high, n=self.questions.n, chance=self.questions.chance,
            base=float(self.base.mean()), lost=self._measure_loss(values)[0],
        )  # fmt: skip

    def _stays(
        self, name: str, title: str, values: Array, says: str, fault: Fault | None = None,
        control: Array | None = None, most: float = MAY_FALL,
    ) -> Check:  # fmt: skip
        """Fails when more than `most` of what was learnt goes, certainly, and certainly more than with `control`."""
        check = self._check(name, title, values)
        failed = check.lost > most and self._measure_loss(values)[1] > 0
        if failed and control is not None:
            failed = self.questions.interval((control - values) / self.learnt)[1] > 0
        if not failed:
            return replace(check, passed=True, verdict=_judge_loss(check.lost))
        verdict = Message("{says}; {value:.0%} of what was learnt is lost", says=says, value=min(1.0, check.lost))
        change = self.trained.remedy(fault) if fault else ""
        return replace(check, passed=False, verdict=verdict, change=change)

    def _falls(self, check: Check) -> Check:
        """Tiles of one colour must not be enough."""
        above = check.low > check.chance if self.learnt > 0 else check.high < check.chance
        if check.lost >= MUST_FALL or not above:
            return replace(check, passed=True, verdict=Message("falls to guessing, as it must"))
        return replace(
            check, passed=False, change=self.trained.remedy(Fault.RELIES_ON_MEAN_COLOUR),
            verdict=Message(
                "relies on the brightness or colour of whole tiles, which give {kept:.0%} of what was learnt",
                kept=1 - check.lost,
            ),
        )  # fmt: skip


def _judge_loss(lost: float) -> Message:
    if np.isnan(lost) or lost < 0.05:
        return Message("stays")
    return Message("{value:.0%} of what was learnt is lost, which is no sign of a shortcut", value=min(1.0, lost))
