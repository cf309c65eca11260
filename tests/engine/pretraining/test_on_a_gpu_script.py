"""The script for whoever has a GPU runs here too, small."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sslstudio.engine.compute import device as devices
from tests.benchmarks import on_a_gpu


def test_all_checks_run_and_are_told(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    code = on_a_gpu.main(["--small", "--minutes", "2", "--out", str(out)])
    lines = json.loads(out.read_text())["lines"]
    assert code == 0, [line for line in lines if line["good"] is False]
    assert {line["of"] for line in lines if line["check"] == "works"} == {"rotation", "classification", "segmentation"}
    assert {line["check"] for line in lines} >= {"works", "waits in a step", "same twice", "step, eager", "feed"}


def test_what_the_time_does_not_suffice_for_is_left_out_in_words() -> None:
    lines = on_a_gpu.run(0.0, True, lambda line: None)
    assert all("time was over" in line.found for line in lines)
    assert len(lines) == len(on_a_gpu.CHECKS)


def test_what_was_found_before_it_was_cut_off_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(name: str, bench: on_a_gpu.Bench) -> Iterator[on_a_gpu.Line]:
        yield on_a_gpu.Line("works", "rotation", "yes", True)
        raise KeyboardInterrupt

    monkeypatch.setattr(on_a_gpu, "CHECKS", (cut_off,))
    out = tmp_path / "found.json"
    with pytest.raises(KeyboardInterrupt):
        on_a_gpu.main(["--small", "--out", str(out)])
    assert [line["of"] for line in json.loads(out.read_text())["lines"]] == ["rotation"]


def test_a_task_that_fails_takes_no_other_along(monkeypatch: pytest.MonkeyPatch) -> None:
    step = on_a_gpu._step

    def broken(name: str, bench: on_a_gpu.Bench, compiled: bool) -> tuple[Callable[[], None], int]:
        if name == "jigsaw":
            raise KeyError("a library that is missing")
        return step(name, bench, compiled)

    monkeypatch.setattr(on_a_gpu, "_step", broken)
    monkeypatch.setattr(on_a_gpu, "CHECKS", (on_a_gpu.no_step_waits, on_a_gpu.what_a_step_costs))
    monkeypatch.setattr(on_a_gpu.Bench, "tasks", ["rotation", "jigsaw", "context_prediction"])
    lines = on_a_gpu.run(2.0, True, lambda line: None)
    assert [(line.of, line.good) for line in lines] == [
        ("rotation", True), ("jigsaw", False), ("context_prediction", True),
        ("rotation", None), ("jigsaw", False), ("context_prediction", None),
    ]  # fmt: skip
    assert all("a library that is missing" in line.found for line in lines if line.of == "jigsaw")


def test_without_pictures_the_checks_on_noise_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> Iterator[object]:
        raise OSError(28, "No space left on device")
        yield

    monkeypatch.setattr(on_a_gpu, "make_sample", full)
    monkeypatch.setattr(on_a_gpu, "CHECKS", (on_a_gpu.feed_keeps_up, on_a_gpu.no_step_waits))
    lines = on_a_gpu.run(2.0, True, lambda line: None)
    assert [(line.check, line.good) for line in lines] == [
        ("set up", False), ("feed keeps up", False), ("waits in a step", True),
    ]  # fmt: skip
    assert "No space left on device" in lines[0].found


def test_without_a_device_that_is_the_only_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old\n(found version 11040)")

    monkeypatch.setattr(devices, "choose", broken)
    out = tmp_path / "found.json"
    assert on_a_gpu.main(["--small", "--out", str(out)]) == 1
    (line,) = json.loads(out.read_text())["lines"]
    assert line["found"] == "RuntimeError: The NVIDIA driver on your system is too old"
