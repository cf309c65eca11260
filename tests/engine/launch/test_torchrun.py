"""Whole runs by two processes, as torchrun starts them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sslstudio.engine.core.events import RunStarted, StepDone, from_json
from sslstudio.engine.runs.run_folder import RunFolder
from tests.support.process_team import run_team
from tests.support.small_runs import finished, of, pretrain_config, run_pretrain

SETTINGS = ["--set", "optimiser.batch_size=14", "--set", "probe.enabled=false", "--device", "cpu", "--json"]


def command(folder: Path, out: Path, task: str, epochs: int = 2) -> list[str]:
    return ["-m", "sslstudio", "pretrain", str(folder), "--task", task, "--epochs", str(epochs), *SETTINGS,
            "--out", str(out)]  # fmt: skip


def losses(run: Path) -> list[float]:
    return [event.loss for event in of(StepDone, RunFolder(run).events())]


@pytest.mark.parametrize(
    "task",
    ["jigsaw", *(pytest.param(name, marks=pytest.mark.slow) for name in ("simclr", "vicreg", "byol", "rotation"))],
)
def test_two_processes_learn_what_one_learns(task: str, sample_folder: Path, tmp_path: Path) -> None:
    config = pretrain_config(sample_folder, tmp_path / "one", task)
    run_pretrain(config.replace(probe=config.probe.replace(enabled=False)))
    codes = run_team(command(sample_folder, tmp_path / "two", task), 2, tmp_path / "log")
    said = [(tmp_path / f"log-{rank}.err").read_text() for rank in (0, 1)]
    assert codes == [0, 0], said
    wanted = losses(tmp_path / "one")
    assert len(wanted) == 6
    ours = losses(tmp_path / "two")
    assert ours[0] == pytest.approx(wanted[0], rel=1e-5)
    assert ours == pytest.approx(wanted, rel=5e-3)
    assert finished(RunFolder(tmp_path / "two").events()).outcome == "finished"
    events = [from_json(line) for line in (tmp_path / "log-0.out").read_text().splitlines()]
    assert "2 processes" in of(RunStarted, events)[0].facts["Together"]
    assert (tmp_path / "log-1.out").read_text() == "", "one process speaks"


def test_only_pretraining_can_be_shared(sample_folder: Path, tmp_path: Path) -> None:
    arguments = ["-m", "sslstudio", "finetune", str(sample_folder), "--out", str(tmp_path / "run")]
    assert run_team(arguments, 2, tmp_path / "log") == [2, 2]
    assert "pretrain and resume only" in (tmp_path / "log-1.err").read_text()


@pytest.mark.slow
def test_wrong_input_ends_all_with_one_message(tmp_path: Path) -> None:
    codes = run_team(command(tmp_path / "nowhere", tmp_path / "run", "jigsaw"), 2, tmp_path / "log")
    assert codes == [2, 0]
    assert "nowhere" in (tmp_path / "log-0.err").read_text()
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_torchrun_restarts_a_run_whose_worker_was_killed_from_its_checkpoint(
    sample_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
                "--max-restarts", "1"]  # fmt: skip
    arguments = [*torchrun, *command(sample_folder, out, "jigsaw", epochs=20)]
    killed = False
    with (
        (tmp_path / "err").open("wb") as err,
        subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=err, env={**os.environ}, text=True) as process,
    ):
        assert process.stdout is not None
        events = []
        for line in process.stdout:
            events.append(from_json(line))
            steps = of(StepDone, events)
            if not killed and steps and steps[-1].step >= 4:
                os.kill(second_worker(process.pid), signal.SIGKILL)
                killed = True
        code = process.wait(240)
    assert killed
    assert code == 0, (tmp_path / "err").read_text()
    first_steps = [event.first_step for event in of(RunStarted, events)]
    assert first_steps[0] == 0
    assert first_steps[1] >= 1, "it goes on from its last checkpoint"
    recorded = RunFolder(out).events()
    assert finished(recorded).outcome == "finished"
    numbers = [event.step for event in of(StepDone, recorded)]
    assert numbers == sorted(set(numbers)), "no step is told twice"
    assert json.loads((out / "metrics.json").read_text())["steps"] == 60


def second_worker(agent: int) -> int:
    """The process that torchrun's agent started for rank 1."""
    for folder in Path("/proc").iterdir():
        try:
            content = (folder / "environ").read_bytes() if folder.name.isdigit() else b""
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1]) if content else 0
        except OSError:
            continue
        if parent == agent and b"\0RANK=1\0" in b"\0" + content:
            return int(folder.name)
    raise AssertionError("the second worker was not found")
