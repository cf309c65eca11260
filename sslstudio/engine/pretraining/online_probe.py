"""Probes and alarms while a pretraining runs: its events pass through here, and what is seen is added to them.

Looking changes nothing in the training: probes work on a copy of the encoder, draw from generators of their own and
happen between two steps. Only a run that is measured in minutes has that much less time.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import closing

import torch
from torch import nn

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Event, Note, Probed, StepDone
from sslstudio.engine.core.messages import Message
from sslstudio.engine.evaluate.probe_report import probed, unlabelled
from sslstudio.engine.models.encoders import Encoder, build_encoder
from sslstudio.engine.models.encoders.general import is_general
from sslstudio.engine.pretraining.alarms import Changes, Health
from sslstudio.engine.pretraining.probe_set import SEED, ProbeSet, Reading
from sslstudio.engine.runs.metrics import ProbeResult, ProbeResults
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.tasks.remedies import Fault
from sslstudio.engine.training.checkpoint import load_encoder
from sslstudio.engine.training.config import PretrainConfig
from sslstudio.engine.training.loop import Training
from sslstudio.engine.training.micro_batches import explain_leaving_out
from sslstudio.engine.training.session import Session

QUARTER = 0.25  # always looked at: early enough to stop a run that does not help, late enough to tell
SCHEDULE = (0.05, 0.12, QUARTER, 0.5, 0.75)  # shares of the run; the end is looked at too
FIRST_GUESS = 5.0  # seconds that a first probe is taken to need: a run of seconds has only those that are always made


class OnlineProbe:
    """Probes one pretraining while it runs. `encoder` is the one that is being trained; it is only read."""

    def __init__(
        self, config: PretrainConfig, session: Session, encoder: Encoder, device: Device, run: RunFolder
    ) -> None:
        self.config, self.session, self.encoder, self.device, self.run = config, session, encoder, device, run
        self.health = Health(changes_for(config), instead_of(config))
        self._set: ProbeSet | None = None
        self._untrained: Reading | None = None
        self._spent, self._last = 0.0, FIRST_GUESS
        self._seen = 0.0  # share of the run that the last probe was made at
        self._ended = False

    def over(self, training: Training, control: RunControl) -> Generator[Event, None, str]:
        """The events of `training.go(control)` with probes and alarms among them; returns what it returns."""
        self._recall()
        with closing(training.go(control)) as events:
            while True:
                try:
                    event = next(events)
                except StopIteration as end:
                    outcome = str(end.value)
                    break
                except RunError:
                    if _is_lost(training.job.modules):
                        yield self.health.warn_of_divergence(training.step)
                    raise
                yield event
                yield from self.health.take(event)
                if isinstance(event, StepDone) and self._is_due(training):
                    yield from self._look(training)
        if outcome == "finished" and self.config.probe.enabled and not self._ended:
            yield from self._look(training)
        return outcome

    def _recall(self) -> None:
        """What an earlier sitting of this run has seen already."""
        for event in self.run.events():
            self.health.take(event)
            if isinstance(event, Probed):
                self._seen, self._ended = event.share, event.share >= 1.0

    def _is_due(self, training: Training) -> bool:
        share = training.plan.share(training.step, training.elapsed)
        due = [point for point in SCHEDULE if self._seen < point <= share]
        if not due or share >= 1.0 or not self.config.probe.enabled:
            return False
        whole = training.elapsed / share
        return QUARTER in due or self._spent + self._last <= self.config.probe.time * whole

    def _look(self, training: Training) -> Iterator[Event]:
        began = time.monotonic()
        share = training.plan.share(training.step, training.elapsed)
        event = self._probe_if_it_fits(training.step, share)
        self._seen = share
        self._last = time.monotonic() - began
        self._spent += self._last
        if event is None:
            yield Note(level="warning", text=explain_leaving_out(Message("the features")))
            return
        yield event
        yield from self.health.take(event)

    def _probe_if_it_fits(self, step: int, share: float) -> Probed | None:
        """See `probe`; None when memory did not suffice for it beside the training."""
        try:
            return self.probe(step, share)
        except (RuntimeError, MemoryError) as error:
            if not devices.is_out_of_memory(error):
                raise
        self.device.release()  # only here: the error held what was computed
        return None

    def probe(self, step: int, share: float) -> Probed:
        """Look at the encoder as it is now."""
        if self._set is None or self._untrained is None:
            self._set = ProbeSet(self.config, self.session, self.device)
            self._untrained = self._set.read(self._build_reference().to(self.device.handle))
        ours, theirs = self._set.read(self.encoder), self._untrained
        labels = self._set.labels
        if labels is None or ours.counts is None or theirs.counts is None:
            return unlabelled((step, share), ours.reach, theirs.reach)
        counts, reaches = (ours.counts, theirs.counts), (ours.reach, theirs.reach)
        general = is_general(self.config.encoder.weights)
        return probed((step, share), labels, counts, reaches, self._set.taught, SEED, general)

    def _build_reference(self) -> Encoder:
        """Build the network that the trained one is compared with: untrained, or with the general weights that it began
        with, since what these are worth is no merit of the training."""
        fresh = build_encoder(self.config.encoder, self.config.seed)
        if is_general(self.config.encoder.weights):
            load_encoder(fresh, self.config.encoder.weights)
        return fresh


def _is_lost(modules: nn.Module) -> bool:
    return not all(bool(torch.isfinite(weight).all()) for weight in modules.parameters())


def probe_results(run: RunFolder) -> ProbeResults:
    """For metrics.json: the last look, and the first after a quarter of the run."""
    looks = [event for event in run.events() if isinstance(event, Probed)]
    late = [event for event in looks if event.share >= QUARTER]
    return {
        "probe": result_of(looks[-1]) if looks else None,
        "probe_quarter": result_of(late[0]) if late else None,
    }


def result_of(look: Probed) -> ProbeResult:
    """A look as it stands in a record."""
    return {
        "step": look.step,
        "share": look.share,
        "part": look.part,
        "labels": look.labels,
        "n": look.n,
        "stages": look.stages,
        "best_stage": look.best_stage,
        "difference": look.difference,
        "verdict": look.verdict,
        "text": look.text,
        "rank": look.rank,
        "spread": look.spread,
        "untrained_rank": look.untrained_rank,
        "untrained_spread": look.untrained_spread,
    }


def instead_of(config: PretrainConfig) -> Message:
    """What to try when the task of this run harms: not the same again."""
    return load_tasks()[config.task].instead(config.options)


def changes_for(config: PretrainConfig) -> Changes:
    """What alarms recommend for this run, in the words of --set."""

    def remedy(fault: Fault) -> str:
        change = load_tasks()[config.task].remedy(config.options, fault)
        return f"{config.task}.{change}" if change else ""

    decay = f"optimiser.weight_decay={min(1.0, max(0.05, 5 * config.optimiser.weight_decay)):.3g}"
    return Changes(
        harder=remedy(Fault.TOO_EASY),
        easier=remedy(Fault.TOO_HARD),
        varied=remedy(Fault.MEMORISED) or decay,
        longer=_longer(config),
        slower=f"optimiser.learning_rate={max(1e-7, config.optimiser.learning_rate / 3):.2g}",
    )


def _longer(config: PretrainConfig) -> str:
    budget = config.budget
    if budget.steps:
        return f"budget.steps={2 * budget.steps}"
    return f"budget.epochs={2 * budget.epochs}" if budget.epochs else f"budget.minutes={2 * (budget.minutes or 10):g}"
