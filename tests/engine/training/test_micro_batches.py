"""A batch in parts, and a step that runs out of memory: the allocator really refuses."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Evaluated, Note, Probed, StepDone
from sslstudio.engine.launch.launcher import resume
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.pretraining import probe_set
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import Batch, Puzzle, TaskResult, load_tasks
from sslstudio.engine.tasks.jigsaw import Jigsaw
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.loop import Training
from sslstudio.engine.training.micro_batches import (
    LEAST_SIZE,
    WHOLE_BATCH,
    count_holding,
    cut_batch,
    explain_leaving_out,
    micro_batch_count,
    micro_batches_note,
)
from sslstudio.engine.training.schedule import Plan
from tests.engine.training.test_loop import CPU, FAST, ReachThree
from tests.support.small_runs import finished, of, pretrain_config, run_pretrain

TOO_MUCH = 1 << 46  # bytes: no machine has them, so the allocator refuses


def fill(pictures: int, most: int) -> None:
    """Take the memory that a network would which holds `most` pictures."""
    if pictures > most:
        torch.empty(TOO_MUCH, dtype=torch.uint8)


@given(batch=st.integers(LEAST_SIZE, 400), wanted=st.integers(1, 500))
def test_parts_hold_every_picture_once_and_enough_of_them(batch: int, wanted: int) -> None:
    parts = micro_batch_count(batch, wanted)
    cut = cut_batch(batch, parts)
    numbers = [number for part, _ in cut for number in range(batch)[part]]
    assert numbers == list(range(batch))
    assert sum(share for _, share in cut) == pytest.approx(1.0)
    sizes = [len(range(batch)[part]) for part, _ in cut]
    assert min(sizes) >= LEAST_SIZE
    assert max(sizes) - min(sizes) <= 1
    assert parts == wanted or parts == max(1, batch // LEAST_SIZE)


@given(batch=st.integers(LEAST_SIZE, 400), most=st.integers(LEAST_SIZE, 500))
def test_parts_are_no_larger_than_what_fits(batch: int, most: int) -> None:
    parts = count_holding(batch, most)
    assert max(len(range(batch)[part]) for part, _ in cut_batch(batch, parts)) <= max(most, LEAST_SIZE + 1)
    assert cut_batch(batch, 1)[0][0] is WHOLE_BATCH


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")])
def test_running_out_of_memory_is_recognised(error: BaseException) -> None:
    assert devices.is_out_of_memory(error)


def test_only_running_out_of_memory_is() -> None:
    with pytest.raises(RuntimeError) as found:
        fill(2, 1)
    assert devices.is_out_of_memory(found.value)
    assert devices.is_out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"))
    assert not devices.is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not devices.is_out_of_memory(ValueError("out of memory"))


class Hungry(ReachThree):
    """Each of eight pictures wants the weight elsewhere; more than `most` of them at once do not fit."""

    batch_size = 8

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def forward(self, step: int, part: slice = WHOLE_BATCH) -> TaskResult:
        wanted = torch.arange(8.0)[part]
        fill(len(wanted), self.most)
        loss = (self.weight(torch.ones(len(wanted), 1)).flatten() - wanted).square().mean()
        return TaskResult(loss, {"wanted": wanted.mean()})


def trained(folder: Path, most: int) -> tuple[list[StepDone], list[Note], float]:
    job = Hungry(most)
    training = Training(job, Plan(steps=5), FAST, CPU, RunFolder.create(folder, {"job": "pretrain"}))
    events = list(training.go(RunControl()))
    return of(StepDone, events), of(Note, events), float(job.weight.weight.detach())


def test_a_step_that_does_not_fit_is_done_in_parts_and_is_the_same_step(tmp_path: Path) -> None:
    whole, nothing, weight = trained(tmp_path / "whole", 8)
    steps, notes, ours = trained(tmp_path / "parts", 3)
    assert nothing == []
    assert [note.text for note in notes] == [micro_batches_note(8, 2, False), micro_batches_note(8, 4, False)]
    assert [step.step for step in steps] == [1, 2, 3, 4, 5]
    assert ours == pytest.approx(weight, rel=1e-5)
    for one, other in zip(steps, whole, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-5)
        assert one.metrics == pytest.approx(other.metrics)


def test_when_even_two_pictures_do_not_fit_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not suffice for 2 pictures at once"):
        trained(tmp_path / "run", 1)


def hungry(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    asked = Jigsaw.forward

    def forward(self: Jigsaw, encoder: Encoder, batch: Batch) -> TaskResult:
        embedded = asked(self, encoder, batch)
        if self.training:
            fill(len(batch.inputs["tiles"]), most)
        return embedded

    monkeypatch.setattr(Jigsaw, "forward", forward)


def test_a_run_that_runs_out_of_memory_loses_nothing(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hungry(monkeypatch, 7)
    events = run_pretrain(pretrain_config(sample_folder, tmp_path / "run", epochs=3))
    end = finished(events)
    assert end.outcome == "finished"
    assert end.step == of(StepDone, events)[-1].total_steps == 9
    assert [note.text for note in of(Note, events)] == [micro_batches_note(14, 2, False)]
    assert load_tensors(tmp_path / "run" / "last.safetensors")[1]["parts"] == 2


def test_a_run_in_parts_is_resumed_in_parts_and_ends_in_the_same_weights(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hungry(monkeypatch, 7)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run_pretrain(pretrain_config(sample_folder, whole, epochs=3))
    control = RunControl()
    for event in pretrain(pretrain_config(sample_folder, stopped, epochs=3), control):
        if isinstance(event, StepDone) and event.step == 4:
            control.stop()
    events = list(resume(stopped, RunControl()))
    assert finished(events).step == 9
    assert not of(Note, events), "it goes on in parts without running out of memory again"
    ours, theirs = load_tensors(stopped / "last.safetensors")[0], load_tensors(whole / "last.safetensors")[0]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.slow
def test_looks_that_do_not_fit_are_left_out_and_change_nothing(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, blind = tmp_path / "whole", tmp_path / "blind"
    events = run_pretrain(pretrain_config(sample_folder, whole, epochs=3))
    assert of(Evaluated, events)
    assert of(Probed, events)

    def hungry_preview(*_: object) -> list[Puzzle]:
        fill(2, 1)
        raise AssertionError("the allocator refuses that")

    def hungry_copy(*_: object) -> Encoder:
        fill(2, 1)
        raise AssertionError("the allocator refuses that")

    monkeypatch.setattr(Jigsaw, "preview", hungry_preview)
    monkeypatch.setattr(probe_set, "copy_with_own_statistics", hungry_copy)
    events = run_pretrain(pretrain_config(sample_folder, blind, epochs=3))
    assert finished(events).outcome == "finished"
    assert not of(Evaluated, events)
    assert not of(Probed, events)
    said = {note.text for note in of(Note, events) if note.level == "warning"}
    assert said == {explain_leaving_out("held-out pictures"), explain_leaving_out("the features")}
    ours, theirs = (load_tensors(run / "last.safetensors")[0] for run in (blind, whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_another_error_in_a_look_is_no_look_left_out(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[Puzzle]:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Jigsaw, "preview", broken)
    with pytest.raises(RuntimeError, match="mat1"):
        run_pretrain(pretrain_config(sample_folder, tmp_path / "run", epochs=3))


def test_tasks_that_compare_pictures_say_so() -> None:
    tasks = load_tasks()
    assert {name for name in tasks if tasks[name].compares} == {"simclr", "vicreg", "vicregl"}
    assert "within a part only, as if a batch had 32" in micro_batches_note(64, 2, True)
