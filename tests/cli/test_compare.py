"""sslstudio compare and sslstudio tournament, as they are typed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sslstudio.cli.main import main

QUICK = ["--set", "budget.steps=2", "--set", "probe.enabled=false", "--set", "optimiser.batch_size=8"]


def test_compare_prints_its_table_and_goes_on_with_more_rows(
    sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", str(sample_folder), "--out", str(tmp_path / "out"), "--labels", "2", "--seeds", "2"]
    command += ["--steps", "2", "--side", "32", "--scratch-labels", "4", "--device", "cpu"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "| From scratch" in said
    assert "4 of 4: From scratch, 4 labels, draw 2" in said
    assert main([*command, "--tasks", "rotation", "--no-after-general", *QUICK, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["event"] == "Preparing"
    table = lines[-1]["metrics"]
    assert [row["source"] for row in table["rows"]] == [
        "scratch", "untrained", "general", "rotation", "rotation+general"
    ]  # fmt: skip
    assert table["rows"][3]["cells"][0]["difference"]["draws"] == 2
    assert (tmp_path / "out" / "curve.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tasks", "rotations"], "rotation"),
        (["--labels", "few"], "is not a whole number"),
        (["--set", "jigsaw.permutations=24"], "jigsaw is not compared"),
        (["--weights", "nothing"], "NAME=VALUE"),
        (["--seeds", "0"], "seeds = 0"),
    ],
)
def test_wrong_input_is_one_sentence(
    arguments: list[str], words: str, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(sample_folder), "--out", str(tmp_path / "out"), *arguments]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_tournament_prints_its_table(sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["tournament", str(sample_folder), "--out", str(tmp_path / "out"), "--tasks", "rotation,jigsaw"]
    command += ["--minutes", "0.2", "--side", "32", "--device", "cpu", "--set", "probe.draws=4"]
    assert main([*command, "--set", "optimiser.batch_size=8"]) == 0
    said = capsys.readouterr().out
    assert "## The winner went on" in said
    assert "Next, on a few labels" in said


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_keeps_what_was_learnt(sample_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "sslstudio",
        "compare",
        str(sample_folder),
        "--out",
        str(out),
        "--tasks",
        "rotation",
    ]
    command += ["--labels", "2", "--seeds", "1", "--steps", "1", "--side", "32", "--minutes", "30", "--device", "cpu"]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = (json.loads(line) for line in process.stdout)
        next(line for line in lines if line["event"] == "StepDone" and line["part"] == "")
        process.send_signal(signal.SIGINT)
        last = list(lines)[-1]
    assert process.returncode == 0
    assert (last["event"], last["outcome"]) == ("RunFinished", "stopped")
    assert (out / "pretrained/rotation/last.safetensors").exists()
    assert (out / "table.md").exists()
