"""The self-test: that it passes here, and that it cannot pass when something is broken."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sslstudio.cli import selftest
from sslstudio.cli.main import main, parser
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.models import encoders
from sslstudio.engine.projects import project
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.ui.pages.spec import page_names


def _self_test(home: Path, *flags: str) -> dict[str, str]:
    """What the command prints in a process of its own, with everything it may write to below `home`."""
    places = {name: str(home) for name in ("HOME", "TMPDIR", *selftest.OWN)}
    done = subprocess.run(
        [sys.executable, "-m", "sslstudio", "self-test", "--json", *flags],
        env={**os.environ, **places, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results: dict[str, str] = json.loads(done.stdout)
    return results


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_everything_works_here(tmp_path: Path) -> None:
    results = _self_test(tmp_path)
    assert not selftest.has_failed(results), results
    assert {f"task {name}" for name in load_tasks()} < set(results)
    assert results["window"].startswith(f"opened, {len(page_names())} of its pages drawn")


def test_the_window_opens_and_nothing_is_left_behind(tmp_path: Path) -> None:
    assert list(_self_test(tmp_path, "--window")) == ["window"]
    assert [file.name for file in tmp_path.iterdir() if not file.name.startswith(".")] == []


def test_the_users_folders_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLSTUDIO_CACHE", "mine")
    monkeypatch.delenv("SSLSTUDIO_HOME", raising=False)
    with selftest._own_folder() as folder:
        assert os.environ["SSLSTUDIO_CACHE"] == f"{folder}/cache"
    assert os.environ["SSLSTUDIO_CACHE"] == "mine"
    assert "SSLSTUDIO_HOME" not in os.environ


def test_hard_files_are_read_and_the_torn_one_is_listed_with_its_reason(tmp_path: Path) -> None:
    selftest._draw(tmp_path / "sample")
    assert "the file ends too early" in selftest._read(tmp_path / "sample" / "images")


def test_a_codec_that_is_gone_is_found_out(tmp_path: Path) -> None:
    selftest._draw(tmp_path / "sample")
    compressed = tmp_path / "sample" / "images" / "odd" / "compressed.dcm"
    compressed.write_bytes(compressed.read_bytes()[:-200])  # as unreadable as without its codec
    with pytest.raises(RunError, match=r"39 of 40 pictures were read.*compressed\.dcm"):
        selftest._read(tmp_path / "sample" / "images")


def test_a_deep_picture_that_is_read_as_black_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    selftest._draw(tmp_path / "sample")
    pictures = tmp_path / "sample" / "images"
    assert "2 of 16 bits" in selftest._read(pictures)
    flat = np.full((selftest.SIDE, selftest.SIDE), 700, np.uint16)
    (pictures / "odd" / "deep.tif").write_bytes(selftest._tiff(flat))
    with pytest.raises(RunError, match=r"deep\.tif has 16 bits and was read as grey values"):
        selftest._read(pictures)


def test_a_broken_picture_that_is_taken_for_a_whole_one_is_found_out(tmp_path: Path) -> None:
    selftest._draw(tmp_path / "sample")
    odd = tmp_path / "sample" / "images" / "odd"
    (odd / selftest.BROKEN).write_bytes(next(odd.parent.rglob("*.png")).read_bytes())
    with pytest.raises(RunError, match="41 of 40 pictures were read"):
        selftest._read(odd.parent)


def test_a_project_that_is_not_read_as_it_was_written_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selftest._draw(tmp_path / "sample")
    pictures = tmp_path / "sample" / "images"
    assert "opened again" in selftest._reopen_project(pictures, tmp_path / "good")
    real = project.save_project

    def torn(given: project.Project) -> None:
        real(given)
        file = given.folder / project.FILE
        file.write_bytes(file.read_bytes()[:40] + b"\0")

    monkeypatch.setattr(project, "save_project", torn)
    with pytest.raises(DataError, match="is damaged"):
        selftest._reopen_project(pictures, tmp_path / "bad")


def test_an_encoder_that_cannot_be_built_or_answers_wrongly_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real = encoders.build_encoder

    def other(config: encoders.EncoderConfig, seed: int) -> encoders.Encoder:
        encoder = real(config, seed)
        if config.name == "resnet34":
            encoder.forward = lambda images: torch.zeros(1, 3)  # type: ignore[method-assign]
        return encoder

    monkeypatch.setattr(encoders, "build_encoder", other)
    with pytest.raises(RunError, match=r"resnet34 answers with \(1, 3\)"):
        selftest._build_encoders()


@pytest.fixture(scope="module")
def finetuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that can be exported."""
    folder = tmp_path_factory.mktemp("self-test")
    selftest._draw(folder / "sample")
    pictures = folder / "sample" / "images"
    selftest._pretrain(pictures, selftest.DEVICE_TASK, folder / "run")
    assert "test pictures scored" in selftest._finetune(pictures, folder / "run", folder / "finetuned")
    return folder / "finetuned"


def test_onnx_is_written_and_read_back(finetuned: Path, tmp_path: Path) -> None:
    outcome = selftest._export(finetuned, tmp_path / "out")
    for name in ("encoder.onnx", "model.onnx"):
        assert re.search(rf"{name}: [^;]* read back; on \d+ pictures the answers differ by at most", outcome), outcome


@pytest.mark.parametrize("module", ["onnx", "onnxruntime"])
def test_what_onnx_needs_and_is_not_there_is_found_out(
    module: str, finetuned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    outcome = selftest._outcome(lambda: selftest._export(finetuned, tmp_path / "out"))
    assert outcome.startswith(selftest.FAILED), outcome


def test_what_raises_is_a_failure_with_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = selftest._outcome(lambda: str(1 // 0))
    assert outcome.startswith(selftest.FAILED)
    assert "ZeroDivisionError" in outcome
    assert "Traceback" in capsys.readouterr().err
    assert selftest.has_failed({"good": "2 steps", "bad": outcome})
    assert not selftest.has_failed({"good": "2 steps"})


def test_the_flag_is_the_command() -> None:
    assert parser().parse_args(["--self-test"]) == parser().parse_args(["self-test"])
    assert parser().parse_args(["self-test", "--window", "--json"]).window is True


@pytest.mark.skipif(sys.platform != "linux", reason="Qt needs a screen to be named on Linux only")
def test_without_a_screen_the_window_is_not_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main(["self-test", "--window"]) == 0
    assert "window: not tried: there is no screen" in capsys.readouterr().out
