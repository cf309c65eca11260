"""A crash in native code leaves its trace, and a window that was killed is noticed at the next start."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sslstudio.engine.core import crash_trace
from sslstudio.engine.core.mishaps import log_file, log_tail

FALL = "import faulthandler; faulthandler._sigsegv()"
WINDOW = "from sslstudio.engine.core import crash_trace as c; c.watch_crashes(); c.begin('window'); c.begin_window(); "


@pytest.fixture(autouse=True)
def own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of this test."""
    monkeypatch.setenv("SSLSTUDIO_LOG", str(tmp_path / "log"))


def dead(code: str) -> int:
    """Run this in a process that dies of it; returns its id."""
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as process:
        assert process.wait(60) != 0
        return process.pid


def test_a_crash_of_a_window_leaves_its_trace_and_is_told_once() -> None:
    pid = dead(WINDOW + FALL)
    (last,) = crash_trace.begin_window()
    crash_trace.end_window()
    assert last.pid == pid
    assert "Segmentation fault" in last.trace or "access violation" in last.trace
    assert "most recent call first" in last.trace
    assert "ended unexpectedly, its trace is above" in log_tail()
    assert crash_trace.begin_window() == []
    crash_trace.end_window()


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such signal")
def test_after_a_kill_the_log_says_so() -> None:
    dead(WINDOW + f"import os; os.kill(os.getpid(), {int(getattr(signal, 'SIGKILL', 9))})")
    (last,) = crash_trace.begin_window()
    crash_trace.end_window()
    assert last.trace == ""
    assert "it was killed, or the power was cut" in log_tail()


def test_a_window_that_is_open_or_was_closed_is_none_that_ended() -> None:
    code = WINDOW + "print('open', flush=True); input(); c.end_window()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == "open\n"
        assert crash_trace.begin_window() == []
        crash_trace.end_window()
        one.communicate("\n", timeout=60)
    assert crash_trace.begin_window() == []
    crash_trace.end_window()
    assert [file.name for file in log_file().parent.iterdir()] == ["sslstudio.log"]


def test_every_command_and_child_watches_before_anything_else() -> None:
    code = "from sslstudio.cli import main as m\nimport faulthandler\n"
    dead(code + "m._path_to_open = lambda words: faulthandler._sigsegv()\nm.main(['tasks'])")
    assert "test_" not in log_tail()
    assert "sslstudio" in log_tail()
    assert "in main" in log_tail()


def test_whoever_watches_already_is_left_alone() -> None:
    assert not crash_trace.watch_crashes()  # pytest does


def test_where_no_log_can_be_nothing_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("SSLSTUDIO_LOG", str(tmp_path / "file"))
    assert crash_trace.begin_window() == []
    crash_trace.end_window()
    crash_trace.begin("window")
