"""One writer at a time, and a sign of life that others can see."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.runs import writer_lock
from sslstudio.engine.runs.writer_lock import (
    SILENT,
    WRITER,
    Writer,
    refuse_second_writer,
    wait_until_free,
    writer_of,
    writing,
)


def leave(run: Path, host: str, pid: int, silent: float = 0.0) -> None:
    """What a writer leaves in the folder."""
    (run / WRITER).write_text(json.dumps({"host": host, "pid": pid}))
    seen = (run / WRITER).stat().st_mtime - silent
    os.utime(run / WRITER, (seen, seen))


def gone() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_writer_is_there_while_it_writes_and_not_in_its_own_way(tmp_path: Path) -> None:
    with writing(tmp_path):
        said = json.loads((tmp_path / WRITER).read_text())
        assert said == {"host": socket.gethostname(), "pid": os.getpid()}
        assert writer_of(tmp_path) is None, "no other process"
    assert not (tmp_path / WRITER).exists()


def test_a_second_writer_is_refused_in_words(tmp_path: Path) -> None:
    leave(tmp_path, "other-machine", 4711)
    assert writer_of(tmp_path) == Writer("other-machine", 4711)
    with pytest.raises(RunError, match=r"process 4711 on other-machine.*Stop it there"), writing(tmp_path):
        pass
    leave(tmp_path, socket.gethostname(), os.getppid())
    with pytest.raises(RunError, match="is being written"), writing(tmp_path):
        pass


@pytest.mark.parametrize("left", ["long silent", "gone", "damaged"])
def test_what_a_crash_has_left_is_in_nobody_s_way(left: str, tmp_path: Path) -> None:
    if left == "long silent":
        leave(tmp_path, "other-machine", 4711, silent=SILENT + 1)
    elif left == "gone":
        leave(tmp_path, socket.gethostname(), gone())
    else:
        (tmp_path / WRITER).write_text('{"host": 3')
    with writing(tmp_path):
        assert (tmp_path / WRITER).exists()
    wait_until_free(tmp_path, RunControl())


def test_waiting_for_a_writer_ends_with_a_stop(tmp_path: Path) -> None:
    leave(tmp_path, "other-machine", 4711)
    control = RunControl()
    control.stop()
    wait_until_free(tmp_path, control)
    assert writer_of(tmp_path) is not None


def test_the_name_of_a_dead_writer_is_taken_away_and_our_own_is_not(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    file = tmp_path / WRITER
    file.write_text(json.dumps({"host": socket.gethostname(), "pid": process.pid}))
    refuse_second_writer(tmp_path)
    assert not file.exists()
    with writing(tmp_path):
        refuse_second_writer(tmp_path)
        assert file.exists()


def test_the_sign_of_life_is_given_while_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_lock, "BEAT", 0.02)
    with writing(tmp_path):
        os.utime(tmp_path / WRITER, (1, 1))
        until = time.monotonic() + 10
        while (tmp_path / WRITER).stat().st_mtime < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert abs((tmp_path / WRITER).stat().st_mtime - time.time()) < 60


def test_one_waits_until_the_writer_has_ended(tmp_path: Path) -> None:
    leave(tmp_path, "other-machine", 4711)
    ended: list[float] = []

    def end() -> None:
        time.sleep(0.3)
        ended.append(time.monotonic())
        (tmp_path / WRITER).unlink()

    other = threading.Thread(target=end)
    other.start()
    wait_until_free(tmp_path, RunControl())
    assert ended, "it did not wait"
    other.join()


@pytest.mark.parametrize("pid", [0, -1, 10**30, "1", None, True])
def test_a_writer_with_a_number_that_no_process_has_is_none(tmp_path: Path, pid: object) -> None:
    (tmp_path / WRITER).write_text(json.dumps({"host": socket.gethostname(), "pid": pid}))
    refuse_second_writer(tmp_path)
    assert writer_of(tmp_path) is None
