"""A crash before the window leaves a log and says where; a double-click on a project opens it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sslstudio.cli import crash
from sslstudio.cli.main import _path_to_open

ENTRY = Path(__file__).resolve().parents[2] / "packaging" / "entry.py"


def test_a_crash_is_logged_and_the_place_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SSLSTUDIO_LOG", str(tmp_path / "logs"))
    log = crash.tell_crash(ImportError("libGL.so.1: cannot open"), dialog=False)
    assert log is not None
    assert "ImportError: libGL.so.1" in log.read_text(encoding="utf-8")
    assert str(log) in capsys.readouterr().err


def test_where_nowhere_can_be_written_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("SSLSTUDIO_LOG", str(tmp_path / "file" / "logs"))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "file"))
    assert crash.write_log(ValueError("x")) is None
    assert "No log could be written" in crash.crash_message(ValueError("x"), None)


def test_a_broken_dialog_is_no_second_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSLSTUDIO_LOG", str(tmp_path))
    monkeypatch.setattr(crash, "_show_with_qt", lambda said: 1 // 0)
    shown: list[str] = []
    monkeypatch.setattr(crash, "_show_with_system", shown.append)
    log = crash.tell_crash(ValueError("x"), dialog=True)
    assert str(log) in shown[0]


def test_of_a_long_reason_the_last_line_is_told() -> None:
    """numpy gives a page of advice first: the dialog showed that and not what was wrong."""
    said = str(crash.crash_message(ImportError("\nAdvice.\n" * 60 + "Original error was: invalid ELF header\n"), None))
    assert "Original error was: invalid ELF header" in said
    assert "Advice" not in said


def test_the_first_lines_of_the_program_tell_of_what_cannot_be_loaded(tmp_path: Path) -> None:
    """As if the command line could not be imported at all."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys; sys.modules['sslstudio.cli.train'] = None", encoding="utf-8"
    )
    paths = os.pathsep.join([str(tmp_path), str(ENTRY.parents[1])])
    own = {"PYTHONPATH": paths, "SSLSTUDIO_LOG": str(tmp_path / "logs"), "SSLSTUDIO_NO_DIALOG": "1"}
    done = subprocess.run([sys.executable, ENTRY], env={**os.environ, **own}, capture_output=True, text=True)
    assert done.returncode == 1
    (log,) = (tmp_path / "logs").iterdir()
    assert "SSL Studio could not start" in done.stderr
    assert str(log) in done.stderr


@pytest.mark.parametrize("opened", [[], ["."]], ids=["alone", "by a project"])
def test_a_window_that_cannot_be_loaded_is_told_in_a_dialog(tmp_path: Path, opened: list[str]) -> None:
    """The command line is whole, a module of the window is not: a library of Qt that is missing or damaged, say."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys; sys.modules['sslstudio.ui.shell.main_window'] = None\n"
        "import sslstudio.cli.crash as crash; crash._show = lambda said: print('shown:', said)",
        encoding="utf-8",
    )
    paths = os.pathsep.join([str(tmp_path), str(ENTRY.parents[1])])
    own = {"PYTHONPATH": paths, "SSLSTUDIO_LOG": str(tmp_path / "logs"), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, ENTRY, *opened], env={**os.environ, **own}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "shown: SSL Studio could not start: ModuleNotFoundError" in done.stdout
    assert str(tmp_path / "logs" / "sslstudio.log") in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="what desktops on Linux have")
def test_where_qt_is_broken_a_program_of_the_desktop_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "xmessage"
    program.write_text(f'#!/bin/sh\necho "$LD_LIBRARY_PATH|$2" > {tmp_path}/shown\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/sslstudio/_internal")
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    crash._show_with_system("SSL Studio could not start")
    assert (tmp_path / "shown").read_text(encoding="utf-8") == "|SSL Studio could not start\n"


def test_the_first_lines_answer_as_python_when_they_are_asked_to() -> None:
    own = {"SSLSTUDIO_AS_PYTHON": "1"}
    code = "import sys, os; print(sys.argv, 'SSLSTUDIO_AS_PYTHON' in os.environ)"
    words = [sys.executable, str(ENTRY), "-I", "-B", "-c", code, "more"]
    done = subprocess.run(words, env={**os.environ, **own}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['-c', 'more'] False"


def test_a_folder_or_a_file_in_it_is_opened_and_a_command_is_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "sslstudio.toml"
    project.write_text("", encoding="utf-8")
    assert _path_to_open([str(tmp_path)]) == tmp_path
    assert _path_to_open([str(project)]) == tmp_path
    assert _path_to_open([]) is None
    assert _path_to_open(["--version"]) is None
    assert _path_to_open([str(tmp_path / "nothing")]) is None
    (tmp_path / "tasks").mkdir()
    monkeypatch.chdir(tmp_path)
    assert _path_to_open(["tasks"]) is None
