"""The script for whoever has a GPU runs here too, small."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def test_what_was_found_before_it_was_cut_off_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(bench: on_a_gpu.Bench) -> Iterator[on_a_gpu.Line]:
        yield on_a_gpu.Line("works", "rotation", "yes", True)
        raise KeyboardInterrupt

    monkeypatch.setattr(on_a_gpu, "CHECKS", (cut_off,))
    out = tmp_path / "found.json"
    with pytest.raises(KeyboardInterrupt):
        on_a_gpu.main(["--small", "--out", str(out)])
    assert [line["of"] for line in json.loads(out.read_text())["lines"]] == ["rotation"]
