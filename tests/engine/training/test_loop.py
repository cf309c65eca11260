"""The training loop on a job small enough to follow: one weight that is to become 3."""

import math
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core import room
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DiskFull, RunError
from sslstudio.engine.core.events import CheckpointSaved, Evaluated, Event, Paused, Resumed, StepDone
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import TaskResult
from sslstudio.engine.training import loop
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.config import OptimiserConfig
from sslstudio.engine.training.loop import FIRST_STEPS, Training
from sslstudio.engine.training.micro_batches import WHOLE_BATCH
from sslstudio.engine.training.schedule import Plan

CPU = devices.choose("cpu")
FAST = OptimiserConfig(learning_rate=0.3, warmup_steps=2, weight_decay=0.0)


class ReachThree:
    """See `job.Job`."""

    waited = 0.0
    part = ""
    prefix = ""
    batch_size = 4
    steps_per_epoch = 10
    compares = False

    def __init__(self, broken_at: int = -1) -> None:
        self.weight = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.weight.weight)
        self.modules = nn.ModuleDict({"weight": self.weight})
        self.broken_at = broken_at

    def forward(self, step: int, part: slice = WHOLE_BATCH) -> TaskResult:
        loss = (self.weight(torch.ones(1, 1)) - 3.0).square().mean()
        if step == self.broken_at:
            loss = loss * math.nan
        return TaskResult(loss, {"weight": self.weight.weight.detach().sum()})

    def evaluate(self, step: int) -> Generator[Event, None, float]:
        assert not self.weight.training
        away = abs(float(self.weight.weight.detach()) - 3.0)
        yield Evaluated(step=step, split="validation", n=1, metrics={"away": away}, chance={})
        return away

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.modules.parameters()), "factor": 1.0}]

    def await_pictures(self, step: int) -> None:
        """They are there."""

    def stop_compiling(self) -> bool:
        return False

    def before_step(self, share: float) -> None:
        pass

    def after_step(self, share: float) -> None:
        pass

    def chance(self) -> dict[str, float]:
        return {"weight": 0.0}


def training(tmp_path: Path, job: ReachThree, steps: int = 60) -> Training:
    folder = tmp_path / "run"
    run = RunFolder(folder) if folder.exists() else RunFolder.create(folder, {"job": "pretrain"})
    return Training(job, Plan(steps=steps), FAST, CPU, run)


def test_it_learns_logs_each_of_the_first_steps_and_ends_with_a_checkpoint(tmp_path: Path) -> None:
    job = ReachThree()
    one = training(tmp_path, job)
    events = list(one.go(RunControl()))
    assert float(job.weight.weight.detach()) == pytest.approx(3.0, abs=0.2)
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [event.step for event in steps[:FIRST_STEPS]] == [1, 2, 3, 4, 5]
    assert steps[0].loss == 9.0  # before the first step the weight is 0
    assert steps[0].chance == {"weight": 0.0}
    assert isinstance(events[-1], CheckpointSaved)
    assert one.last_file.exists()
    assert one.finished


class Starved(ReachThree):
    """Whose pictures find no room on the disk `times` times before the third step."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def await_pictures(self, step: int) -> None:
        if step == 2 and self.times:
            self.times -= 1
            raise DiskFull("The disk is full: make room.")


def test_a_run_waits_while_there_is_no_room_for_its_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SECONDS", 0.2)
    one = training(tmp_path, Starved(3), steps=6)
    said = list(one.go(RunControl()))
    kinds = [event.kind for event in said if event.kind in ("Paused", "Resumed", "StepDone")]
    assert kinds == ["StepDone"] * 2 + ["Paused", "Resumed"] + ["StepDone"] * (len(kinds) - 4)
    assert one.finished
    assert one.run.waited >= 0.6
    assert one.elapsed < 0.6  # waiting is not training


def test_a_run_that_waits_for_room_can_be_stopped(tmp_path: Path) -> None:
    control = RunControl()
    one = training(tmp_path, Starved(1000), steps=6)
    for event in one.go(control):
        if isinstance(event, Paused):
            control.stop()
    assert one.step == 2
    assert one.last_file.exists()


def test_a_plan_in_seconds_ends(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "timed", {"job": "pretrain"})
    one = Training(ReachThree(), Plan(seconds=0.2), FAST, CPU, run)
    list(one.go(RunControl()))
    assert one.elapsed >= 0.2
    assert one.step > FIRST_STEPS


def test_a_loss_that_is_not_a_number_ends_the_run_in_words_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    one = training(tmp_path, ReachThree(broken_at=5))
    with pytest.raises(RunError, match=r"diverged.*learning rate of 0.1"):
        list(one.go(RunControl()))
    again = training(tmp_path, ReachThree())
    assert again.restore()
    assert all(torch.isfinite(weight).all() for weight in again.job.modules.parameters())


def test_stop_saves_and_a_new_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = ReachThree()
    list(training(tmp_path / "whole", whole).go(RunControl()))
    control = RunControl()
    first = training(tmp_path, ReachThree())
    for event in first.go(control):
        if isinstance(event, StepDone) and event.step == 4:
            control.stop()
    assert first.step == 4
    job = ReachThree()
    second = training(tmp_path, job)
    assert second.restore()
    assert second.step == 4
    list(second.go(RunControl()))
    assert torch.equal(job.weight.weight, whole.weight.weight)


def test_pause_saves_waits_and_goes_on(tmp_path: Path) -> None:
    control = RunControl()
    one = training(tmp_path, ReachThree())
    seen: list[str] = []
    for event in one.go(control):
        seen.append(event.kind)
        if isinstance(event, StepDone) and event.step == 3:
            control.pause()
        if isinstance(event, Paused):
            assert one.last_file.exists()
            assert one.step == 3
            control.resume()
    assert seen.count(Paused.kind) == seen.count(Resumed.kind) == 1
    assert one.finished


def test_stop_wakes_a_paused_run(tmp_path: Path) -> None:
    control = RunControl()
    one = training(tmp_path, ReachThree())
    for event in one.go(control):
        if isinstance(event, StepDone) and event.step == 2:
            control.pause()
        if isinstance(event, Paused):
            control.stop()
    assert one.step == 2


def test_the_best_weights_are_those_of_the_best_score(tmp_path: Path) -> None:
    one = training(tmp_path, ReachThree())
    events = list(one.go(RunControl()))
    scores = [event.metrics["away"] for event in events if isinstance(event, Evaluated)]
    best = [event.best for event in events if isinstance(event, CheckpointSaved)][: len(scores)]
    assert best == [score < min(scores[:place], default=math.inf) for place, score in enumerate(scores)]
    assert one.best == min(scores)
    assert (one.run.path / "best.safetensors").exists()


class Graded(ReachThree):
    """One that is graded as a list says, whatever it has learnt."""

    def __init__(self, scores: list[float], seconds: float = 0.0) -> None:
        super().__init__()
        self.scores, self.seconds = scores, seconds
        self.asked: list[tuple[float, int, float]] = []  # score, step, weight

    def evaluate(self, step: int) -> Generator[Event, None, float]:
        time.sleep(self.seconds)
        score = self.scores[len(self.asked) % len(self.scores)]
        self.asked.append((score, step, float(self.weight.weight.detach())))
        yield Evaluated(step=step, split="validation", n=1, metrics={"away": score}, chance={})
        return score


@pytest.mark.parametrize("scores", [[5.0, 1.0, 4.0, 3.0, 2.0], [1.0, 5.0, 4.0], [3.0, 3.0, 3.0], [9.0, 8.0, 7.0, 7.5]])
def test_the_best_file_holds_the_lowest_score_and_later_ones_leave_it(
    tmp_path: Path, scores: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "WATCHING", math.inf)
    job = Graded(scores)
    one = training(tmp_path, job)
    events = list(one.go(RunControl()))
    assert len(job.asked) >= 3
    best = min(job.asked, key=lambda graded: graded[0])  # the first of equal ones
    tensors, meta = load_tensors(one.run.path / "best.safetensors")
    assert meta["step"] == best[1]
    assert float(tensors["model.weight.weight"]) == best[2]
    better = [score < min([math.inf, *(before for before, _, _ in job.asked[:place])])
              for place, (score, _, _) in enumerate(job.asked)]  # fmt: skip
    saved = {event.step: event.best for event in events if isinstance(event, CheckpointSaved) and event.best}
    assert list(saved) == [step for (_, step, _), is_better in zip(job.asked, better, strict=True) if is_better]


def test_watching_takes_no_more_than_its_share_of_the_time(tmp_path: Path) -> None:
    """60 short steps with a grade that takes a long time: one at the end always, before it hardly any."""
    job = Graded([3.0, 2.0, 1.0], seconds=0.2)
    list(training(tmp_path, job).go(RunControl()))
    assert [step for _, step, _ in job.asked][-1] == 60
    assert 1 <= len(job.asked) <= 2
    quick = Graded([3.0, 2.0, 1.0])
    list(training(tmp_path / "quick", quick).go(RunControl()))
    assert len(quick.asked) >= len(job.asked)
