"""The one training loop: pretraining and fine-tuning differ only in the Job that they hand to it.

What a step does depends on the seed and its number alone (see compute/seeding.py), so a training that is killed and
goes on from its checkpoint ends in the same weights as one that was not.
"""

import math
import time
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.process_group import ProcessGroup
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DiskFull, RunError, StudioError
from sslstudio.engine.core.events import CheckpointSaved, Event, Note, Paused, Resumed, StepDone
from sslstudio.engine.core.files.atomic_files import remove_file
from sslstudio.engine.core.files.checked_files import checked
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.room import when_there_is_room
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import (
    Progress,
    lay_like_weights,
    load_tensors,
    restore_training,
    save_tensors,
    training_state,
)
from sslstudio.engine.training.config import OptimiserConfig
from sslstudio.engine.training.job import Job
from sslstudio.engine.training.micro_batches import (
    WHOLE_BATCH,
    cut_batch,
    double_count,
    explain_leaving_out,
    micro_batches_note,
)
from sslstudio.engine.training.schedule import Plan, learning_rate

EVALUATIONS = 20  # over a whole training
WATCHING = 0.1  # share of the time that evaluations may take
LOG_SECONDS = 0.25  # between two logged steps
FIRST_STEPS = 5  # always logged one by one: they are what is compared when code is changed
SAVE_SECONDS = 60.0


class Training:
    """A job, its optimiser and where it stands."""

    def __init__(
        self,
        job: Job,
        plan: Plan,
        config: OptimiserConfig,
        device: Device,
        run: RunFolder,
        group: ProcessGroup | None = None,
    ) -> None:
        self.job, self.plan, self.config, self.device, self.run, self.group = job, plan, config, device, run, group
        self.optimiser = torch.optim.AdamW(
            job.groups(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=device.fuses()
        )
        self._scaler: torch.amp.GradScaler | None = None
        self._compiler_said = ""
        self._scale: float | None = None  # of a checkpoint
        self.parts = 1  # that a batch is computed in, one after the other, because it does not fit into memory
        self.step = 0
        self.elapsed = 0.0
        self.best = math.inf
        self.finished = False
        self._sums: dict[str, torch.Tensor] = {}
        self._summed = 0
        self._logged_at = self._saved_at = self._ticked = time.monotonic()
        self._elapsed_logged = self._restored_at = 0.0
        self._watched_for = 0.0
        self._rate = self._waited_logged = self._waited_for_room = 0.0
        self.notes: list[Note] = []  # of `restore`, for people

    @property
    def scaler(self) -> torch.amp.GradScaler | None:
        """What scales the gradients of float16; None in other precisions."""
        if self.device.dtype is not torch.float16:
            return None
        if self._scaler is None:
            self._scaler = self.device.scaler()
            if self._scaler is not None and self._scale:
                self._scaler.load_state_dict({**self._scaler.state_dict(), "scale": self._scale})
        return self._scaler

    @property
    def last_file(self) -> Path:
        """The checkpoint of this part."""
        return self.run.path / self._file("last")

    def _file(self, which: str) -> str:
        return f"{self.job.prefix}{which}.safetensors"

    def restore(self) -> bool:
        """Go on from the last checkpoint, if there is one."""
        if not self.last_file.exists():
            return False
        tensors, stored = self._last_whole()
        meta: Progress = checked(stored, Progress, self.last_file)
        restore_training(tensors, self.job.modules, self.optimiser)
        self.step = meta["step"]
        self.elapsed = self._elapsed_logged = self._restored_at = float(meta["elapsed"])
        self.best = math.inf if meta["best"] is None else float(meta["best"])
        self.finished = bool(meta["finished"])
        self.parts = int(meta.get("parts", 1))
        self._scale = meta.get("scale")
        if not self.finished:  # a finished part is followed by events of the next one
            self.run.cut_events(meta.get("events", self.run.events_size()))
        return True

    def _last_whole(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """The last checkpoint, or the one before it where that is damaged."""
        try:
            return load_tensors(self.last_file)
        except RunError as error:
            try:
                found = load_tensors(self.run.path / self._file("before"))
            except RunError:
                raise error from None
            text = Message("{error} The run goes on from the checkpoint before it.", error=error.message)
            self.notes.append(Note(level="warning", text=text))
            return found

    def go(self, control: RunControl) -> Generator[Event, None, str]:
        """Train to the end of the plan or until stopped. Returns finished or stopped."""
        yield from self.notes
        self.job.modules.train()
        lay_like_weights(self.optimiser)
        self._ticked = self._saved_at = self._logged_at = time.monotonic()
        self._waited_for_room = self.run.waited
        evaluated = math.floor(self.plan.share(self.step, self.elapsed) * EVALUATIONS)
        while self.plan.share(self.step, self.elapsed) < 1.0:
            if control.paused:
                yield from self._wait(control)
            if not control.proceed():
                yield from self._log()
                yield from self._save(control)
                return "stopped"
            if not (yield from self._pictures_are_there(control)):
                continue  # it was asked to stop meanwhile
            yield from self.next_step()
            if self.step <= FIRST_STEPS or time.monotonic() - self._logged_at >= LOG_SECONDS:
                yield from self._log()
            due = math.floor(self.plan.share(self.step, self.elapsed) * EVALUATIONS)
            if due > evaluated and self._may_evaluate():
                evaluated = due
                yield from self._log()
                yield from self._evaluate(control)
            elif time.monotonic() - self._saved_at >= SAVE_SECONDS:
                yield from self._log()
                yield from self._save(control)
        self.finished = True
        yield from self._save(control)
        return "finished"

    def follow(self) -> None:
        """Take the steps that rank 0 takes, until it says that there are no more."""
        assert self.group is not None
        self.job.modules.train()
        lay_like_weights(self.optimiser)
        while (share := self.group.await_step()) is not None:
            for _ in self._one_step(share):  # says nothing: see `_learn_if_it_fits`
                pass

    def _pictures_are_there(self, control: RunControl) -> Generator[Event, None, bool]:
        """Wait for the pictures of the next step, also for room on the disk to keep them decoded; False once the run is
        to stop."""
        fetch = partial(self.job.await_pictures, self.step)
        try:
            self.run.waited += yield from when_there_is_room(fetch, control, self.step)
        except DiskFull:
            return False
        return True

    def next_step(self) -> Iterator[Event]:
        """Take a step. What it says: that its batch did not fit into memory."""
        share = self.plan.share(self.step, self.elapsed)
        if self.group is not None:
            self.group.begin_step(share)
        yield from self._one_step(share)

    def _one_step(self, share: float) -> Iterator[Event]:
        self.job.before_step(share)
        rate = learning_rate(self.config, self.step, share)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        while (values := self._learn_if_it_fits()) is None:
            yield self._uncompiled() or self._halve()
        self.step += 1
        self.job.after_step(share)
        self._add(values)
        self._tick()

    def _learn_if_it_fits(self) -> dict[str, torch.Tensor] | None:
        """Compute the gradients of a step and move the weights; None when memory did not suffice. Nothing but running
        statistics was touched then: the optimiser takes the memory for all its moments before it moves a weight.

        In a process group the others wait in the middle of the step by then: there the error ends the run. Raises
        RunError when it was memory that one of them lacked.
        """
        try:
            values = self._gradients()
            self._move()
            return values
        except Exception as error:  # a compiler raises whatever it likes
            short = devices.is_out_of_memory(error)
            if self.group is not None and short:
                raise _too_little_memory(error) from error
            if self.group is not None or not (short or self._stops_compiling(error)):
                raise
        self.optimiser.zero_grad(set_to_none=True)
        self.device.release()  # only here: the error held the tensors of the step
        return None

    def _gradients(self) -> dict[str, torch.Tensor]:
        """Put the gradients of this step's batch in place; loss and metrics of the step."""
        self.optimiser.zero_grad(set_to_none=True)
        values: dict[str, torch.Tensor] = {}
        for part, share in cut_batch(self.job.batch_size, self.parts):
            with self.device.autocast():
                result = self.job.forward(self.step, part)
            loss = result.loss if part is WHOLE_BATCH else result.loss * share
            scaled = loss if self.scaler is None else self.scaler.scale(loss)
            scaled.backward()  # type: ignore[no-untyped-call]
            for name, value in {"loss": result.loss.detach().clone(), **result.metrics}.items():
                ours = value if part is WHOLE_BATCH else value * share
                values[name] = values[name] + ours if name in values else ours
        return values

    def _stops_compiling(self, error: Exception) -> bool:
        """Whether a step that failed was compiled, and is now tried without."""
        if isinstance(error, StudioError) or not self.job.stop_compiling():
            return False
        self._compiler_said = next(iter(str(error).splitlines()), type(error).__name__)
        return True

    def _uncompiled(self) -> Note | None:
        """A word on a compiler that failed, once."""
        said, self._compiler_said = self._compiler_said, ""
        if not said:
            return None
        text = Message("This step could not be compiled here ({said}). The training goes on without.", said=said)
        return Note(level="warning", text=text)

    def _move(self) -> None:
        """Move the weights along the gradients that are in place."""
        if self.scaler is not None:
            self.scaler.unscale_(self.optimiser)
        if self.config.clip:
            nn.utils.clip_grad_norm_(self.job.modules.parameters(), self.config.clip)
        if self.scaler is None:
            self.optimiser.step()
        else:  # a step whose gradients are not finite is left out, and the scale made smaller
            self.scaler.step(self.optimiser)
            self.scaler.update()

    def _halve(self) -> Note:
        """From now on half as many pictures at once. Raises RunError when fewer cannot be."""
        self.parts = double_count(self.job.batch_size, self.parts)
        return Note(level="warning", text=micro_batches_note(self.job.batch_size, self.parts, self.job.compares))

    def _tick(self) -> None:
        now = time.monotonic()
        self.elapsed += now - self._ticked - (self.run.waited - self._waited_for_room)
        self._ticked, self._waited_for_room = now, self.run.waited

    def _add(self, values: dict[str, torch.Tensor]) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._summed += 1

    def _log(self) -> Generator[Event, None, None]:
        """The one place where numbers come back from the device."""
        if not self._summed:
            return
        names = list(self._sums)
        means = torch.stack([self._sums[name].float() for name in names]).div(self._summed).tolist()
        metrics = dict(zip(names, means, strict=True))
        self._tick()
        spent = max(1e-9, self.elapsed - self._elapsed_logged)
        rate = self._summed * self.job.batch_size / spent
        waited, self._waited_logged = self.job.waited - self._waited_logged, self.job.waited
        self._rate = rate if not self._rate else 0.8 * self._rate + 0.2 * rate
        self._sums, self._summed = {}, 0
        self._logged_at, self._elapsed_logged = time.monotonic(), self.elapsed
        loss = metrics.pop("loss")
        if not math.isfinite(loss):
            raise RunError(
                "The loss is no longer a number at step {step}: the training has diverged. The weights of "
                "the last checkpoint are kept. Try a learning rate of {learning_rate:.2g}.",
                step=self.step,
                learning_rate=self.config.learning_rate / 3,
            )
        yield StepDone(
            part=self.job.part,
            step=self.step,
            total_steps=self.plan.total(self.step, self.elapsed),
            epoch=self.step / self.job.steps_per_epoch,
            loss=loss,
            metrics=metrics,
            chance=self.job.chance(),
            learning_rate=float(self.optimiser.param_groups[-1]["lr"] / self.optimiser.param_groups[-1]["factor"]),
            pictures_per_second=self._rate,
            seconds_left=self.plan.estimate_rest(self.step, self.elapsed),
            data_wait=min(1.0, waited / spent),
        )

    def _may_evaluate(self) -> bool:
        """At the end always; before that as long as the clock is mostly the training's. Evaluating changes nothing
        in the training, so what the clock decides here does not touch the weights."""
        self._tick()
        done = self.plan.share(self.step, self.elapsed) >= 1.0
        return done or self._watched_for <= WATCHING * (self.elapsed - self._restored_at)

    def _evaluate(self, control: RunControl) -> Generator[Event, None, None]:
        began = time.monotonic()
        self.job.modules.eval()
        score = yield from self._score_if_it_fits(control)
        self.job.modules.train()
        self._watched_for += time.monotonic() - began
        if math.isnan(score):  # nothing is watched, or it did not fit
            self._tick()
            return
        better = score < self.best
        self.best = min(score, self.best)
        self._tick()
        yield from self._save(control, best=better)

    def _score_if_it_fits(self, control: RunControl) -> Generator[Event, None, float]:
        """What the job says of itself; nan, and a note, when memory did not suffice for that beside the training."""
        try:
            return (yield from self.job.evaluate(self.step))
        except (RuntimeError, MemoryError) as error:
            if not devices.is_out_of_memory(error):
                raise
        self.device.release()  # only here: the error held what was computed
        yield Note(level="warning", text=explain_leaving_out(Message("held-out pictures")))
        return math.nan

    def _save(self, control: RunControl, best: bool = False) -> Generator[Event, None, None]:
        """Write the checkpoint; on a full disk the training waits until there is room for it."""
        write = partial(self._write_checkpoint, best)
        self.run.waited += yield from when_there_is_room(write, control, self.step)
        self._saved_at = time.monotonic()
        yield CheckpointSaved(part=self.job.part, step=self.step, path=self._file("last"), best=best)

    def _write_checkpoint(self, best: bool) -> None:
        meta = {
            "step": self.step,
            "elapsed": self.elapsed,
            "best": self.best if math.isfinite(self.best) else None,
            "finished": self.finished,
            "parts": self.parts,
            "events": self.run.events_size(),
            **({} if self.scaler is None else {"scale": self.scaler.get_scale()}),
        }
        if best:
            weights = {f"model.{name}": value for name, value in self.job.modules.state_dict().items()}
            save_tensors(self.run.path / self._file("best"), weights, meta)
        self.run.sync_events()
        before = self.run.path / self._file("before")
        state = training_state(self.job.modules, self.optimiser)
        save_tensors(self.last_file, state, meta, keep=None if self.finished else before)
        if self.finished:
            remove_file(before)  # what is finished is not gone on with

    def _wait(self, control: RunControl) -> Generator[Event, None, None]:
        yield from self._log()
        yield from self._save(control)
        yield Paused(step=self.step)
        control.proceed()
        self._ticked, self._waited_for_room = time.monotonic(), self.run.waited
        yield Resumed(step=self.step)


def _too_little_memory(error: Exception) -> RunError:
    return RunError(
        "Its memory did not suffice for its share of a step ({said}). Take a smaller optimiser.batch_size or more "
        "processes, then go on with the run.",
        said=next(iter(str(error).splitlines()), type(error).__name__),
    )
