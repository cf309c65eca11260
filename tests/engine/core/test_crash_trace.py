"""A crash in native code leaves a trace with the place in the Python code."""

import subprocess
import sys
from pathlib import Path

from sslstudio.engine.core import crash_trace
from sslstudio.engine.core.mishaps import LARGEST


def crash(folder: Path, text: str) -> int:
    """Run this in a process of its own, which keeps its logs there."""
    code = f"import os\nos.environ['SSLSTUDIO_LOG'] = {str(folder)!r}\n{text}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode


TEXT = (
    "from sslstudio.engine.core.crash_trace import trace_crashes\n"
    "def inside_the_driver():\n    os.abort()\n"
    "assert trace_crashes('pretrain') is not None\n"
)


def test_an_abort_in_native_code_leaves_the_place_in_the_log(tmp_path: Path) -> None:
    assert crash(tmp_path / "log", TEXT + "inside_the_driver()") < 0
    said = (tmp_path / "log" / crash_trace.NAME).read_text()
    assert "pretrain" in said
    assert "Fatal Python error: Aborted" in said
    assert "in inside_the_driver" in said


def test_a_long_log_becomes_the_older_one_and_two_are_kept(tmp_path: Path) -> None:
    log = tmp_path / crash_trace.NAME
    log.write_text("x" * (LARGEST + 1))
    assert crash(tmp_path, TEXT) == 0
    assert log.stat().st_size < 200
    assert (tmp_path / "crash.old.log").stat().st_size == LARGEST + 1
    assert crash(tmp_path, TEXT) == 0
    assert {file.name for file in tmp_path.iterdir()} == {"crash.log", "crash.old.log"}


def test_where_no_log_can_be_written_the_command_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert crash(tmp_path / "file" / "log", TEXT.replace("is not None", "is None")) == 0


def test_what_keeps_traces_already_is_left_alone(tmp_path: Path) -> None:
    assert (
        crash(tmp_path / "log", "import faulthandler\nfaulthandler.enable()\n" + TEXT.replace("not None", "None")) == 0
    )
    assert not (tmp_path / "log").exists()
