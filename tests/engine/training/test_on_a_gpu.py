"""Steps on a GPU that is pretended (`tests/support/pretend_gpu.py`): nothing mixed, nothing waits, nothing refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.events import Event, Note
from sslstudio.engine.export.run import export_run
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.config import BudgetConfig, HardwareConfig
from sslstudio.engine.training.loop import Training
from sslstudio.engine.training.schedule import Plan
from tests.engine.training.test_loop import FAST, ReachThree
from tests.support.pretend_gpu import AHEAD, COPY, GENERATOR, HALF, MIXED, WAIT, Log, pretend_gpu
from tests.support.small_runs import finetune_config, of, pretrain_config, run_finetune, run_pretrain

NEVER = (MIXED, GENERATOR, HALF)
KINDS = ("cuda", "mps")
TASKS = [*load_tasks()]
ONE_OF_TASKS = [pytest.param(one, marks=() if one == "rotation" else pytest.mark.slow) for one in TASKS]


def one_step(name: str, kind: str) -> tuple[Log, float]:
    """A step of a task on a pretended GPU: what was noted, and the loss."""
    images = torch.randint(0, 256, (6, 3, 44, 44), generator=generator(1), dtype=torch.uint8)
    with pretend_gpu(kind) as log:
        device = devices.choose(kind, "float32" if kind == "mps" else "bfloat16")
        encoder = build_encoder(EncoderConfig(name="small", stem="small"), seed=0)
        task_kind = load_tasks()[name]
        with seed_init(0, "task"):
            task = task_kind(task_kind.Config(), encoder.spec)
        task.attach(encoder)
        encoder, task = encoder.to(device.handle), task.to(device.handle)
        there = device.bring(images)
        task.prepare(there)
        with device.autocast():
            task(encoder, task.make_batch(there, generator(0, device=device.handle)))  # constants are made once
        before = len(log.events)
        with device.autocast():
            result = task(encoder, task.make_batch(there, generator(1, device=device.handle)))
        result.loss.backward()
        task.after_step(encoder, 0.5)
        log.steps.append(log.events[before:])
        return log, float(result.loss.detach())


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_of_each_task_neither_waits_nor_mixes(name: str, kind: str) -> None:
    log, loss = one_step(name, kind)
    assert loss == loss
    assert log.of(*NEVER) == []
    assert log.in_steps(COPY, WAIT, skip=0) == []


def hardware(kind: str) -> HardwareConfig:
    return HardwareConfig(device=kind, autotune="off")


def waits(log: Log, kind: str) -> list[tuple[str, str, str]]:
    """What holds up the CPU in steps. An Apple GPU shares its memory: to hand over a batch is no matter there."""
    return log.in_steps(WAIT) if kind == "mps" else log.in_steps(COPY, WAIT)


@pytest.mark.parametrize("kind", [pytest.param("cuda"), pytest.param("mps", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ONE_OF_TASKS)
def test_a_whole_pretraining(name: str, kind: str, sample_folder: Path, tmp_path: Path) -> None:
    config = pretrain_config(sample_folder, tmp_path / "run", name)
    config = config.replace(probe=config.probe.replace(enabled=name == "jigsaw"))
    with pretend_gpu(kind) as log:
        events = run_pretrain(config.replace(hardware=hardware(kind), budget=BudgetConfig(steps=4)))
        if name == "rotation":
            to_end(export_run(tmp_path / "run", tmp_path / "files", "safetensors", RunControl()))
    assert len(log.steps) == 4
    assert log.of(*NEVER) == []
    assert waits(log, kind) == []
    assert not [note for note in of(Note, events) if note.level == "warning"]


def test_pictures_that_do_not_fit_are_copied_ahead(sample_folder: Path, tmp_path: Path) -> None:
    config = pretrain_config(sample_folder, tmp_path / "run", "rotation")
    config = config.replace(probe=config.probe.replace(enabled=False), hardware=hardware("cuda"))
    with pretend_gpu(roomy=False) as log:
        run_pretrain(config.replace(budget=BudgetConfig(steps=4)))
    assert log.of(*NEVER) == []
    assert waits(log, "cuda") == []
    assert log.of(AHEAD)


@pytest.mark.parametrize("job", ["pretrain", "finetune"])
def test_a_run_that_is_to_give_the_same_weights_asks_for_such_kernels_in_every_step(
    job: str, sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool]] = []
    one_step = Training._one_step

    def step(self: Training, share: float) -> Iterator[Event]:
        seen.append((torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark))
        yield from one_step(self, share)

    monkeypatch.setattr(Training, "_one_step", step)
    with pretend_gpu():
        if job == "pretrain":
            config = pretrain_config(sample_folder, tmp_path / "run", "rotation")
            config = config.replace(probe=config.probe.replace(enabled=False), budget=BudgetConfig(steps=2))
            run_pretrain(config.replace(hardware=hardware("cuda").replace(deterministic=True)))
        else:
            tuned = finetune_config(sample_folder, tmp_path / "run", "scratch", "classification")
            tuned = tuned.replace(budget=BudgetConfig(steps=2), watch=False)
            run_finetune(tuned.replace(hardware=hardware("cuda").replace(deterministic=True)))
    assert seen == [(True, False)] * len(seen)
    assert seen
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("result", ["classification", pytest.param("segmentation", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", [pytest.param("cuda"), pytest.param("mps", marks=pytest.mark.slow)])
def test_a_whole_fine_tuning(result: str, kind: str, sample_folder: Path, tmp_path: Path) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", "scratch", result)
    with pretend_gpu(kind) as log:
        run_finetune(config.replace(hardware=hardware(kind), budget=BudgetConfig(steps=4), turn=True, watch=False))
    assert len(log.steps) == 4
    assert log.of(*NEVER) == []
    assert waits(log, kind) == []


def test_a_step_of_float16_that_overflows_is_left_out_and_scaled_down(tmp_path: Path) -> None:
    with pretend_gpu():
        device = devices.choose("cuda", "float16")
        job = ReachThree()
        job.modules.to(device.handle)
        training = Training(job, Plan(steps=40), FAST, device, RunFolder.create(tmp_path / "run", {"job": "pretrain"}))
        list(training.next_step())
        assert float(job.weight.weight.detach()) == 0.0, "nine times the first scale is no number of float16"
        list(training.go(RunControl()))
        assert training.scaler is not None
        assert 1.0 <= training.scaler.get_scale() < 65536.0
    assert float(job.weight.weight.detach()) == pytest.approx(3.0, abs=0.6)
    _, meta = load_tensors(training.last_file)
    assert 1.0 <= meta["scale"] < 65536.0, "the scale goes on with the run"
