"""Sleep is held off by a real program that runs and ends, and what cannot be done is said."""

import sys

from pytestqt.qtbot import QtBot

from sslstudio.ui.shell.keep_awake import KeepAwake, holding_program

WAITS = [sys.executable, "-c", "import sys; sys.stdin.read()"]


def test_it_is_held_until_it_is_released(qtbot: QtBot) -> None:
    awake = KeepAwake(command=WAITS)
    said: list[str] = []
    awake.trouble.connect(said.append)
    awake.hold()
    awake.hold()  # twice is once
    process = awake._process
    assert process is not None
    assert process.poll() is None
    assert awake.held
    awake.release()
    assert not awake.held
    assert process.poll() is not None
    awake.release()
    assert said == []


def test_a_program_that_is_refused_is_told(qtbot: QtBot) -> None:
    awake = KeepAwake(command=[sys.executable, "-c", "raise SystemExit(1)"])
    with qtbot.waitSignal(awake.trouble) as told:
        awake.hold()
    assert "may fall asleep" in told.args[0]
    assert not awake.held
    awake.release()


def test_where_there_is_no_program_it_is_told_at_once(qtbot: QtBot) -> None:
    awake = KeepAwake(command=[])
    if sys.platform == "win32":
        return
    with qtbot.waitSignal(awake.trouble):
        awake.hold()
    assert not awake.held


def test_a_missing_program_is_told(qtbot: QtBot) -> None:
    awake = KeepAwake(command=["no such program anywhere"])
    with qtbot.waitSignal(awake.trouble):
        awake.hold()
    assert not awake.held
    awake.release()


def test_no_program_is_named_that_is_not_there() -> None:
    for platform in ("linux", "darwin", "win32"):
        command = holding_program(platform)
        assert not command or platform != "win32"
