"""`sslstudio bench`, really measured on small pictures. What it measures is not tested: machines differ."""

import json
from pathlib import Path

import pytest

from sslstudio.cli.bench import bench_lines
from sslstudio.cli.main import main
from sslstudio.engine.pretraining.bench import Bench
from sslstudio.engine.training.step_cost import StepCost

FOUND = Bench(
    device="CPU, 2 cores", step_way="float32, channels last, 2 threads", task="vicreg", encoder="small", side=96,
    batch_size=64, pictures=1000, scan=1e5, read=500.0, feed=2000.0, step=100.0, end_to_end=98.0, efficiency=0.98,
    memory=None, cost=StepCost(host=0.004, device=0.64, calls=1234.0, copies=0.0, waits=0.0),
)  # fmt: skip


def test_a_folder_is_measured(sample_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "optimiser.batch_size=4", "--set", "hardware.autotune=off"]
    assert main(["bench", str(sample_folder), "--json", "--rounds", "1", "--device", "cpu", *settings]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["pictures"] == 120
    assert found["batch_size"] == 4
    assert all(found[rate] > 0 for rate in ("scan", "read", "feed", "step", "end_to_end", "efficiency"))
    assert found["epoch_seconds"] == pytest.approx(120 / found["end_to_end"])
    assert 0.0 <= found["waiting"] < 1.0


def test_the_table_says_what_counts() -> None:
    assert FOUND.seconds(1000, 2.0) == pytest.approx(2000 / 98)
    assert FOUND.waiting == pytest.approx(0.02)
    table = "\n".join(bench_lines(FOUND))
    for words in (
        "98.0 pictures a second",
        "2.0% of the time",
        "1,000 pictures in about",
        "not known",
        "4.0 ms until",
        "1,234 of torch, 0 copies, 0 waits",
    ):
        assert words in table


def test_an_empty_folder_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(tmp_path), "--device", "cpu"]) == 2
    assert str(tmp_path) in capsys.readouterr().err
