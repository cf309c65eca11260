"""The script for whoever has a GPU runs here too, small."""

import json
from pathlib import Path

from tests.benchmarks import on_a_gpu


def test_all_checks_run_and_are_told(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    code = on_a_gpu.main(["--small", "--minutes", "2", "--out", str(out)])
    lines = json.loads(out.read_text())["lines"]
    assert code == 0, [line for line in lines if line["good"] is False]
    assert {line["check"] for line in lines} >= {"works", "waits in a step", "same twice", "step, eager", "feed"}


def test_what_the_time_does_not_suffice_for_is_left_out_in_words() -> None:
    lines = on_a_gpu.run(0.0, True, lambda line: None)
    assert all("time was over" in line.found for line in lines)
    assert len(lines) == len(on_a_gpu.CHECKS)
