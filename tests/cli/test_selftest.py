"""The self-test: that it passes here, and that it cannot pass when something is broken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sslstudio.cli import selftest
from sslstudio.cli.main import main, parser
from sslstudio.engine.core.errors import RunError
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
