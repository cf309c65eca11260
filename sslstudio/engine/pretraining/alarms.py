"""Health of a pretraining: what its numbers say is going wrong, in plain words, with one change that answers it.

Nothing here looks at a network: `Health` is fed with the events of a run, live or from its record, and says each alarm
once. Every threshold stands at the top with its reason.
"""

import math
import statistics
from collections import deque
from dataclasses import dataclass

from sslstudio.engine.core.events import Alarm, Evaluated, Event, Probed, StepDone
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import find_metric
from sslstudio.engine.evaluate.probe_difference import HARMS, HELPS
from sslstudio.engine.tasks.base import OTHER_TASK

SPREAD_LEFT = 0.1  # of the untrained network's spread: below, pictures look ten times more alike than by chance weights
LEAST_RANK = 1.5  # RankMe is 1 when all embeddings are one; even one direction beside it gives about 2
FAIR_SHARE = 0.25  # of the run, after which a puzzle that can be learnt is above guessing
FAIR_STEPS = 200  # and so many steps: the warm-up and the first batches of a short run teach nothing yet
ERRORS = 2.0  # standard errors: about 95 % of the luck of the held-out pictures
SOLVED = 0.95  # share right above which hardly a question is left to learn from
FIRST_EPOCH = 1.0
EARLY_SHARE = 0.1  # of the run: on small sets one pass over the pictures is too little to tell
MEMORISED = 0.2  # share right on trained pictures above that on others; ordinary fitting stays below 0.1
RISEN = 1.25  # held-out loss over its lowest, while the training loss still falls
ABOVE_START = 1.1  # guessing gives the first loss, so staying above it is worse than guessing
STAYED = 8  # logged steps that have to be above it, all of them
WARMED = 20  # logged steps before anything is said about the loss
SPIKE = 3.0  # times the median of the last logged losses
SPIKES = 3  # one bad batch is no alarm
REMEMBERED = 20  # logged steps


@dataclass(frozen=True)
class Changes:
    """The changes of settings that alarms recommend, as --set takes them ('' where there is none)."""

    harder: str = ""
    easier: str = ""
    varied: str = ""
    longer: str = ""
    slower: str = ""


class Health:
    """Fed with the events of one run; `take` returns the alarms that an event gives rise to."""

    def __init__(self, changes: Changes, instead: Message = OTHER_TASK) -> None:
        """`instead`: what to try when this task harms."""
        self._changes, self._instead = changes, instead
        self._said: set[str] = set()
        self._losses: deque[float] = deque(maxlen=REMEMBERED)
        self._recent: deque[dict[str, float]] = deque(maxlen=5)
        self._first: list[float] = []
        self._logged = self._spikes = 0
        self._lowest, self._loss_then = math.inf, math.inf
        self._solved = ""
        self._share = 0.0

    def take(self, event: Event) -> list[Alarm]:
        """The alarms that this event gives rise to, each name once a run. An Alarm that is fed counts as said."""
        match event:
            case Alarm():
                self._said.add(event.name)
                return []
            case StepDone():
                found = self._step(event)
            case Evaluated():
                found = self._check_evaluation(event)
            case Probed():
                found = self._check_probe(event)
            case _:
                return []
        new = [alarm for alarm in found if alarm.name not in self._said]
        self._said.update(alarm.name for alarm in new)
        return new

    def warn_of_divergence(self, step: int) -> Alarm:
        """Say that the loss is no longer a number, before the run ends because of it."""
        return Alarm(
            step=step,
            name=Message("not a number"),
            text=Message(
                "The loss is no longer a number: the steps were too large and the weights are lost. The last "
                "checkpoint is kept. Start again with a third of the learning rate."
            ),
            change=self._changes.slower,
        )

    def _step(self, event: StepDone) -> list[Alarm]:
        self._share = event.step / event.total_steps if event.total_steps else 0.0
        if len(self._first) < 5:
            self._first.append(event.loss)
        self._logged += 1
        if self._losses and self._logged > WARMED:
            middle = statistics.median(self._losses)
            self._spikes += event.loss > SPIKE * max(middle, 0.0) and event.loss > max(self._first)
        self._losses.append(event.loss)
        self._recent.append(event.metrics)
        self._note_solved(event)
        return self._too_fast(event.step)

    def _note_solved(self, event: StepDone) -> None:
        early = event.epoch <= FIRST_EPOCH or self._share <= EARLY_SHARE
        solved = [name for name in event.chance if find_metric(name).is_share and self._mean(name) > SOLVED]
        if early and solved and not self._solved and len(self._recent) == self._recent.maxlen:
            self._solved = solved[0]

    def _too_fast(self, step: int) -> list[Alarm]:
        stays = self._logged > WARMED and stays_above(list(self._losses), statistics.fmean(self._first))
        if not stays and self._spikes < SPIKES:
            return []
        seen = (
            Message("stays above where it began")
            if stays
            else Message("has jumped to {spike:.0f} times its value several times", spike=SPIKE)
        )
        text = Message(
            "The learning rate is too high: the loss {seen}. Stop, and start again with a third of the learning rate.",
            seen=seen,
        )
        return [Alarm(step=step, name=Message("learning rate too high"), text=text, change=self._changes.slower)]

    def _mean(self, name: str) -> float:
        values = [metrics[name] for metrics in self._recent if name in metrics]
        return statistics.fmean(values) if values else math.nan

    def _check_evaluation(self, event: Evaluated) -> list[Alarm]:
        found = []
        for name, chance in event.chance.items():
            if find_metric(name).is_share and name in event.metrics:
                held_out = event.metrics[name]
                fair = self._share >= FAIR_SHARE and event.step >= FAIR_STEPS
                if fair and at_chance(held_out, chance, event.n):
                    found.append(self._at_chance(event, name, chance))
                if is_memorised(self._mean(name), held_out, event.n):
                    found.append(
                        self._warn_of_memorising(
                            event.step,
                            Message("{mean:.0%} right", mean=self._mean(name)),
                            Message("{share:.0%}", share=held_out),
                        )
                    )
        return found + self._rising(event)

    def _at_chance(self, event: Evaluated, name: str, chance: float) -> Alarm:
        text = Message(
            "No better than guessing: {metrics:.1%} of the held-out puzzles are right, guessing gives "
            "{chance:.1%} ({n} pictures, {share:.0%} of the run). The puzzle is too hard for these "
            "pictures, or it needs longer.",
            metrics=event.metrics[name],
            chance=chance,
            n=event.n,
            share=self._share,
        )
        return Alarm(
            step=event.step, name=Message("at chance"), text=text, change=self._changes.easier or self._changes.longer
        )

    def _warn_of_memorising(self, step: int, ours: str, theirs: str) -> Alarm:
        text = Message(
            "The pictures are learnt by heart: {ours} on those it trains on, {theirs} on others. More "
            "pictures help most; otherwise more variety or a shorter run.",
            ours=ours,
            theirs=theirs,
        )
        return Alarm(step=step, name="memorised", text=text, change=self._changes.varied)

    def _rising(self, event: Evaluated) -> list[Alarm]:
        """The held-out loss climbs while the training loss falls: for tasks that have no share of right answers."""
        loss = event.metrics.get("loss", math.nan)
        now = statistics.fmean(list(self._losses)[-5:]) if self._losses else math.nan
        if loss < self._lowest:
            self._lowest, self._loss_then = loss, now
        if self._lowest > 0 and loss > RISEN * self._lowest and now < self._loss_then:
            return [
                self._warn_of_memorising(
                    event.step,
                    Message("a loss of {now:.3g} and falling", now=now),
                    Message("{loss:.3g} and rising", loss=loss),
                )
            ]
        return []

    def _check_probe(self, event: Probed) -> list[Alarm]:
        found = []
        if has_collapsed(event.rank, event.spread, event.untrained_spread):
            found.append(self._collapse(event))
        if self._solved and is_flat(event):
            found.append(self._warn_of_quick_solving(event.step))
        if event.verdict == HARMS and event.share >= FAIR_SHARE:
            text = Message(
                "So far this makes the features worse than those of an untrained network. Stop, and {instead}.",
                instead=self._instead,
            )
            found.append(Alarm(step=event.step, name="harms", text=text))
        return found

    def _collapse(self, event: Probed) -> Alarm:
        text = Message(
            "Collapse: the network says nearly the same of every picture (spread {spread:.3f}, untrained "
            "{untrained_spread:.3f}; {rank:.1f} directions used). A falling loss means nothing then. "
            "Start again with a third of the learning rate, or take another task.",
            spread=event.spread,
            untrained_spread=event.untrained_spread,
            rank=event.rank,
        )
        return Alarm(step=event.step, name="collapse", text=text, change=self._changes.slower)

    def _warn_of_quick_solving(self, step: int) -> Alarm:
        text = Message(
            "The puzzle was solved almost at once (over {solved:.0%} right) and the features are no "
            "better for it. A puzzle solved this fast teaches nothing more: something gives the answer "
            "away. Make it harder.",
            solved=SOLVED,
        )
        return Alarm(step=step, name=Message("solved at once"), text=text, change=self._changes.harder)


def at_chance(held_out: float, chance: float, n: int) -> bool:
    """Whether a share right cannot be told from guessing by `n` held-out pictures."""
    return held_out < chance + ERRORS * math.sqrt(chance * (1 - chance) / max(1, n))


def is_memorised(trained: float, held_out: float, n: int) -> bool:
    """Whether the share right on trained pictures is far above that on `n` held-out ones, beyond their luck."""
    luck = ERRORS * math.sqrt(max(0.0, held_out * (1 - held_out)) / max(1, n))
    return trained - held_out > MEMORISED + luck


def has_collapsed(rank: float, spread: float, untrained_spread: float) -> bool:
    """Whether the embeddings of different pictures are all but the same."""
    return rank < LEAST_RANK or spread < SPREAD_LEFT * untrained_spread


def stays_above(losses: list[float], start: float) -> bool:
    """Whether the last logged losses are all above the first ones. A loss below zero has no such meaning."""
    last = losses[-STAYED:]
    return start > 0 and len(last) == STAYED and min(last) > ABOVE_START * start


def is_flat(event: Probed) -> bool:
    """Whether a probe sees no gain; without labels: not more directions than untrained."""
    return event.verdict != HELPS if event.labels else event.rank <= event.untrained_rank
