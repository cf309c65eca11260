"""How a step is computed: chosen once, stored, and never at the cost of the training itself."""

import math
from pathlib import Path

import pytest
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.models.finetuned import PixelScale
from sslstudio.engine.pretraining.run import PretrainJob, resolve_config
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training import autotune as tuning
from sslstudio.engine.training.autotune import Choice, autotune
from sslstudio.engine.training.config import BudgetConfig, HardwareConfig
from sslstudio.engine.training.session import open_session
from tests.support.small_runs import pretrain_config

EPOCHS, LONG = BudgetConfig(epochs=3), BudgetConfig(minutes=30.0)
BY_HAND = HardwareConfig(
    device="cpu", precision="float32", memory_format="contiguous", threads=1, compile="off", autotune="on"
)


def job_on(folder: Path, out: Path) -> PretrainJob:
    config = pretrain_config(folder, out)
    device = devices.choose("cpu")
    session = to_end(open_session(config.data, device, RunControl()))
    run = RunFolder.create(out, {"job": "pretrain"})
    return PretrainJob(resolve_config(config, session, device), session, device, run)


def chosen(job: PretrainJob, hardware: HardwareConfig, budget: BudgetConfig) -> tuple[Choice, list[Preparing]]:
    said, steps = [], autotune(job, hardware, budget, job.run, RunControl())
    try:
        while True:
            said.append(next(steps))
    except StopIteration as end:
        return end.value, said


@pytest.mark.parametrize(
    ("autotune", "budget", "seconds"),
    [
        ("auto", EPOCHS, 0.0),
        ("auto", BudgetConfig(steps=1000), 0.0),
        ("auto", BudgetConfig(minutes=1.0), 0.0),
        ("auto", BudgetConfig(minutes=4.0), 7.2),
        ("auto", LONG, tuning.LONGEST),
        ("on", EPOCHS, tuning.LONGEST),
        ("off", LONG, 0.0),
    ],
)
def test_only_runs_by_the_clock_that_are_long_enough_are_tuned_unasked(
    autotune: str, budget: BudgetConfig, seconds: float
) -> None:
    assert tuning._time_for(HardwareConfig(autotune=autotune), budget) == pytest.approx(seconds)


def test_a_run_in_epochs_keeps_to_fixed_settings(sample_folder: Path, tmp_path: Path) -> None:
    job, before = job_on(sample_folder, tmp_path / "run"), devices.threads()
    choice, said = chosen(job, HardwareConfig(device="cpu"), EPOCHS)
    assert choice == Choice("float32", "channels_last", before, False, 1, {})
    assert not said
    assert job.device == devices.choose("cpu")
    assert job.encoder.memory_format == "channels_last"


def test_trying_leaves_no_trace_and_is_done_once(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "LONGEST", 600.0)  # a busy machine must not cut the trial short
    monkeypatch.setattr(tuning, "AT_LEAST", 0.0)
    monkeypatch.setattr(tuning, "FIRST", 4)
    job, before = job_on(sample_folder, tmp_path / "run"), devices.threads()
    weights = {name: value.clone() for name, value in job.modules.state_dict().items()}
    with devices.restore_threads():
        choice, said = chosen(job, HardwareConfig(device="cpu", autotune="on"), EPOCHS)
        assert devices.threads() == choice.threads
        again, nothing = chosen(job, HardwareConfig(device="cpu", autotune="on"), EPOCHS)
    assert devices.threads() == before
    assert said
    assert {"float32, channels last", "bfloat16, channels last"} <= set(choice.tried)
    assert choice.way in choice.tried
    assert all(rate is not None and rate > 0 for rate in choice.tried.values())
    assert choice.parts == 1
    assert job.device.precision == choice.precision
    assert (again, nothing) == (choice, [])
    state = job.modules.state_dict()
    assert all(torch.equal(state[name], value) for name, value in weights.items())
    assert all(weight.grad is None for weight in job.modules.parameters())


def test_what_is_asked_for_is_not_changed(sample_folder: Path, tmp_path: Path) -> None:
    job = job_on(sample_folder, tmp_path / "run")
    with devices.restore_threads():
        choice, _ = chosen(job, BY_HAND.replace(micro_batch_size=7), LONG)
        assert devices.threads() == 1
    assert (choice.precision, choice.memory_format, choice.threads, choice.compile) == (
        "float32",
        "contiguous",
        1,
        False,
    )
    assert choice.parts == 2
    assert choice.words == "float32, contiguous, 1 thread, batches in 2 parts"
    assert job.encoder.memory_format == "contiguous"


def test_the_choice_of_an_old_run_is_kept(sample_folder: Path, tmp_path: Path) -> None:
    job = job_on(sample_folder, tmp_path / "run")
    old = {"precision": "float32", "layout": "contiguous", "threads": 1, "compile": False, "parts": 2, "tried": {}}
    job.run.write_json(tuning.STEP, old)  # as versions up to 0.2 wrote it
    with devices.restore_threads():
        choice, said = chosen(job, HardwareConfig(device="cpu", autotune="on"), LONG)
    assert (choice, said) == (Choice("float32", "contiguous", 1, False, 2, {}), [])


def test_a_batch_is_cut_where_the_memory_does_not_suffice(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_on(sample_folder, tmp_path / "run")
    probe = tuning._Probe(job, HardwareConfig(device="cpu"), 0.0, RunControl())
    whole = Choice("float32", "channels_last", 1, False, 1, {})
    probe.kept = {whole.way: 1e6, "bfloat16, channels last": 9e9}  # the way that was not taken keeps more
    monkeypatch.setattr(type(job.device), "free_memory", lambda self: 10_000_000)
    assert probe._parts(whole) == 3  # 80 % of 10 MB holds five of fourteen pictures of 1.5 MB
    monkeypatch.setattr(type(job.device), "free_memory", lambda self: None)
    assert probe._parts(whole) == 1


def test_what_a_step_keeps_is_counted_by_the_picture(sample_folder: Path, tmp_path: Path) -> None:
    job = job_on(sample_folder, tmp_path / "run")

    def kept(count: int) -> int:
        batch = job.task.make_batch(job.pictures.take(torch.arange(count)), torch.Generator().manual_seed(0))
        return tuning._Step(job.encoder, job.task, job.device, batch).measure()

    assert kept(8) == pytest.approx(2 * kept(4), rel=0.05)  # the weights, which are there anyway, are left out


def test_a_gpu_tries_to_compile_in_runs_that_are_long_enough(sample_folder: Path, tmp_path: Path) -> None:
    job = job_on(sample_folder, tmp_path / "run")
    whole = Choice("bfloat16", "channels_last", 1, False, 1, {})
    for minutes, tried in ((9.0, False), (10.0, True)):
        long = tuning._minutes(BudgetConfig(minutes=minutes)) >= tuning.COMPILED_FROM
        probe = tuning._Probe(job, HardwareConfig(), 10.0, RunControl(), long)
        cpu, job.device = job.device, devices.Device(torch.device("cuda:0"), "GPU", torch.bfloat16)
        assert (("compile", True) in list(probe._others(whole))) is tried
        job.device = cpu
    assert math.isinf(tuning._minutes(BudgetConfig(epochs=3, minutes=None)))


def test_a_network_is_the_same_in_both_memory_formats(sample_folder: Path, tmp_path: Path) -> None:
    encoder = job_on(sample_folder, tmp_path / "run").encoder
    images = torch.rand(4, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    images = PixelScale((images * 255).to(torch.uint8))(images)
    last = encoder.stages(images)
    encoder.use_memory_format("contiguous")
    plain = encoder.stages(images)
    assert all(one.is_contiguous(memory_format=torch.channels_last) for one in last)
    assert all(one.is_contiguous() for one in plain)
    for one, other in zip(last, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
