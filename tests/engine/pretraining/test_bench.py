"""What is timed is what a run does: in parts too."""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.pretraining import bench as benching
from sslstudio.engine.pretraining import run as pretraining
from sslstudio.engine.pretraining.bench import _ReadyJob, bench, make_puzzles
from sslstudio.engine.training.config import HardwareConfig
from sslstudio.engine.training.loop import Training
from sslstudio.engine.training.micro_batches import WHOLE_BATCH, cut_batch
from sslstudio.engine.training.schedule import Plan
from sslstudio.engine.training.step_cost import StepCost
from tests.engine.training.test_autotune import job_on
from tests.support.pretend_gpu import GENERATOR, HALF, MIXED, pretend_gpu
from tests.support.small_runs import pretrain_config


def test_a_ready_step_in_parts_is_asked_each_part_once_and_no_more(sample_folder: Path, tmp_path: Path) -> None:
    job = job_on(sample_folder, tmp_path / "run")
    ready = _ReadyJob(job)
    parts = [part for part, _ in cut_batch(job.batch_size, 2)]
    for _ in range(2):
        for part in parts:
            assert torch.isfinite(ready.forward(0, part).loss)
    assert len(ready._batches) == 2
    whole = make_puzzles(job, 0, WHOLE_BATCH)
    for name, rows in whole.inputs.items():
        assert sum(len(batch.inputs[name]) for batch in ready._batches.values()) == len(rows)


@pytest.mark.slow
def test_where_a_step_is_compiled_the_ready_one_is_too(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: dict[int, int] = {}

    def counting(graph: torch.fx.GraphModule, _: object) -> Callable[..., Any]:
        number = len(calls)
        calls[number] = 0

        def call(*inputs: object) -> object:
            calls[number] += 1
            return graph.forward(*inputs)

        return call

    monkeypatch.setattr(pretraining, "compiler_for", lambda kind, parts: {"backend": counting, "fullgraph": True})
    torch._dynamo.reset()
    job = job_on(sample_folder, tmp_path / "run")
    job.compile_step(1)
    ready = _ReadyJob(job)
    for step in range(2):
        job.forward(step)
        ours = ready.forward(step)
    torch._dynamo.reset()
    assert list(calls.values()) == [2, 2], "one graph each: with the batch and without it"
    job.stop_compiling()
    torch.testing.assert_close(ours.loss, _ReadyJob(job).forward(0).loss)


def test_a_pretended_gpu_is_measured(sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = pretrain_config(sample_folder, tmp_path / "run", "rotation")
    config = config.replace(hardware=HardwareConfig(device="cuda", autotune="off"))
    monkeypatch.setattr(benching, "ROUND", 0.01)
    cost = StepCost(host=0.0, device=0.0, calls=0.0, copies=0.0, waits=0.0)
    monkeypatch.setattr(benching, "measure_cost", lambda step, device: cost)  # the profiler asks the real driver
    with pretend_gpu() as log:
        found = to_end(bench(config, RunControl(), 1))
    assert found.device == "Pretend GPU"
    assert found.end_to_end > 0
    assert log.of(MIXED, GENERATOR, HALF) == []


def test_a_round_on_a_gpu_has_as_many_steps_as_last_half_a_second(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that only steps and batches move on: 20 ms each."""
    clock: list[str] = []
    monkeypatch.setattr(benching, "_queue", lambda training: clock.append("step"))
    monkeypatch.setattr(benching, "make_puzzles", lambda job, step: clock.append("batch"))
    monkeypatch.setattr(benching, "time", SimpleNamespace(perf_counter=lambda: 0.02 * len(clock)))
    monkeypatch.setattr(devices.Device, "wait", lambda self: None)
    job = job_on(sample_folder, tmp_path / "run")
    plan = Plan(steps=1_000_000)
    training = Training(job, plan, job.config.optimiser, job.device, job.run)
    gpu = devices.Device(torch.device("cuda", 0), "GPU", torch.float32)
    for device, trial, wanted in ((job.device, 0, 2), (gpu, 2, math.ceil(benching.ROUND / 0.02))):
        job.device = device
        clock.clear()
        list(benching.rates(training, job, rounds=2))
        assert clock.count("step") == 2 + trial + 2 * 2 * wanted, "the first of each way, the trial, two rounds of both"
        assert clock.count("batch") == 2 * wanted


def test_measuring_can_be_stopped(sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = pretrain_config(sample_folder, tmp_path / "run", "rotation")
    config = config.replace(hardware=HardwareConfig(device="cpu", autotune="off"))
    monkeypatch.setattr(benching, "ROUND", 0.01)
    control = RunControl()
    events = bench(config, control, 2)
    next(event for event in events if event.stage == benching.STAGE and event.done == 1)
    control.stop()
    with pytest.raises(RunError, match="Stopped while measuring"):
        list(events)
