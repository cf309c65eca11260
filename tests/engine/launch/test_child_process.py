"""A run in a child process: the contract of one in this process, and what is said when the child dies."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, RunError, TrainerDied
from sslstudio.engine.core.events import Note, Paused, Resumed, Stalled, StepDone, to_json
from sslstudio.engine.core.messages import Message
from sslstudio.engine.launch import child_process
from sslstudio.engine.launch.child_process import Order, in_child
from sslstudio.engine.launch.launcher import resume_run, start_run
from sslstudio.engine.runs.run_folder import RunFolder
from tests.support.small_runs import finished, of, pretrain_config, run_pretrain

Script = Callable[..., None]
HELLO = to_json(Note(level="info", text=Message("hello")))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Children that are these lines of Python in turn, instead of this program."""

    def use(*codes: str) -> None:
        left = list(codes)
        common = f"import os, signal, sys, json\nHELLO = {HELLO!r}\norder = json.load(open(sys.argv[1]))\n"
        monkeypatch.setattr(
            child_process, "worker_command", lambda order: [sys.executable, "-c", common + left.pop(0), str(order)]
        )

    return use


def texts(events: list[Any]) -> list[str]:
    return [event.text for event in events]


@pytest.mark.parametrize("apart", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_run_says_the_same_here_and_in_a_child_and_can_be_paused_stopped_and_gone_on_with(
    apart: bool, pretrained: Path, sample_folder: Path, tmp_path: Path
) -> None:
    config = pretrain_config(sample_folder, tmp_path / "run")
    control, events, stopped = RunControl(), [], False
    for event in start_run(config.replace(probe=config.probe.replace(enabled=False)), control, apart=apart):
        events.append(event)
        if isinstance(event, StepDone) and event.step == 2:
            control.pause()
        elif isinstance(event, Paused):
            control.resume()
        elif isinstance(event, Resumed):
            control.stop()
            stopped = True
    assert stopped
    assert finished(events).outcome == "stopped"
    there = [event.loss for event in of(StepDone, RunFolder(pretrained).events())]
    here = [event.loss for event in of(StepDone, events)]
    assert here == there[: len(here)]
    rest = list(resume_run(tmp_path / "run", RunControl(), apart=apart))
    assert finished(rest).outcome == "finished"
    assert [event.loss for event in of(StepDone, RunFolder(tmp_path / "run").events())] == there
    assert not (tmp_path / "run" / "writer.json").exists()


def test_wrong_input_is_the_same_error_in_the_same_words(tmp_path: Path) -> None:
    config = pretrain_config(tmp_path / "nowhere", tmp_path / "run")
    with pytest.raises(DataError) as here:
        run_pretrain(config)
    with pytest.raises(DataError) as there:
        list(start_run(config, RunControl(), apart=True))
    assert str(here.value) == str(there.value)


def test_lines_that_are_no_events_do_no_harm(script: Script, tmp_path: Path) -> None:
    script("print('a library says hello'); print('{\"x\": 1}'); print('[]'); print(HELLO); print('{torn')")
    assert texts(list(in_child(Order(str(tmp_path)), RunControl()))) == ["hello"]


def test_a_child_that_crashes_is_an_error_in_words_and_its_last_words_are_kept(script: Script, tmp_path: Path) -> None:
    script("print(HELLO, flush=True); sys.stderr.write('driver: bad thing\\n'); os.abort()")
    with pytest.raises(RunError, match=r"crashed \(SIGABRT\).*driver: bad thing"):
        list(in_child(Order(str(tmp_path)), RunControl()))
    assert "driver: bad thing" in (tmp_path / child_process.LOG).read_text()


def test_a_child_that_was_killed_before_it_saved_anything_is_not_started_again(script: Script, tmp_path: Path) -> None:
    script("os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(RunError, match="ran out of memory"):
        list(in_child(Order(str(tmp_path)), RunControl()))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_one_that_was_told_to_end_from_outside_is_not_said_to_have_crashed(
    name: str, script: Script, tmp_path: Path
) -> None:
    take_it = f"signal.signal(signal.{name}, signal.SIG_DFL)"  # who started the tests may have had it ignored
    script(f"{take_it}; os.kill(os.getpid(), signal.{name})")
    with pytest.raises(TrainerDied, match=rf"told to end from outside \({name}\)") as death:
        list(in_child(Order(str(tmp_path)), RunControl(), restarts=0))
    assert "crash" not in str(death.value)
    assert "memory" not in str(death.value)


DIES_AFTER_SAVING = "open(order['run'] + '/last.safetensors', 'w').close(); os.kill(os.getpid(), signal.SIGKILL)"


def test_a_child_that_dies_after_it_saved_is_started_once_more_from_there(script: Script, tmp_path: Path) -> None:
    script(DIES_AFTER_SAVING, "assert order['config'] is None; print(HELLO)")
    said = texts(list(in_child(Order(str(tmp_path), 1, {"job": "pretrain"}), RunControl())))
    assert "started again" in said[0]
    assert said[1:] == ["hello"]


def test_it_is_not_started_a_third_time(script: Script, tmp_path: Path) -> None:
    script(DIES_AFTER_SAVING, DIES_AFTER_SAVING)
    with pytest.raises(RunError, match="What was saved last is kept"):
        list(in_child(Order(str(tmp_path)), RunControl()))


def test_where_a_person_is_there_to_be_asked_it_is_not_started_again(script: Script, tmp_path: Path) -> None:
    script(DIES_AFTER_SAVING)
    with pytest.raises(TrainerDied, match=r"killed.*What was saved last is kept") as death:
        list(in_child(Order(str(tmp_path)), RunControl(), restarts=0))
    assert (death.value.run, death.value.saved) == (str(tmp_path), True)


def test_one_that_has_saved_nothing_cannot_go_on(script: Script, tmp_path: Path) -> None:
    script("sys.stderr.write('CUDA error: the device is gone\\n'); os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(TrainerDied, match=r"\(SIGSEGV\).*the device is gone") as death:
        list(in_child(Order(str(tmp_path)), RunControl(), restarts=0))
    assert not death.value.saved


def test_a_child_that_stands_still_is_told_of_once_and_can_be_ended(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Really stopped, as a driver that hangs would stop it."""
    monkeypatch.setattr(child_process, "SILENT", 0.4)
    monkeypatch.setattr(child_process, "LOOK", 0.05)
    script(
        "import time\nopen(order['run'] + '/last.safetensors', 'w').close()\n"
        "sys.stderr.write('waiting for the device\\n'); sys.stderr.flush()\n"
        "print(HELLO.replace('hello', str(os.getpid())), flush=True)\n"
        "for _ in range(1000): print('{\"beat\": 1}', flush=True); time.sleep(0.05)"
    )
    control = RunControl()
    events = in_child(Order(str(tmp_path)), control, restarts=0)
    first = next(events)
    assert isinstance(first, Note)
    os.kill(int(first.text), signal.SIGSTOP)
    told = next(events)
    assert isinstance(told, Stalled)
    assert "No progress for 0 s." in told.text
    assert "Its last line: waiting for the device" in told.text
    control.abandon()
    with pytest.raises(TrainerDied, match="ended as you asked") as death:
        next(events)
    assert death.value.saved
    assert not is_running(int(first.text))


def test_beats_and_pauses_are_no_standstill(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "SILENT", 0.3)
    monkeypatch.setattr(child_process, "LOOK", 0.05)
    script(
        "import time\nfor _ in range(8): print('{\"beat\": 1}', flush=True); time.sleep(0.1)\n"
        "print(HELLO, flush=True); time.sleep(0.6); print(HELLO, flush=True)"
    )
    control = RunControl()
    said = []
    for event in in_child(Order(str(tmp_path)), control):
        said.append(type(event))
        control.pause()
    assert said == [Note, Note]


ECHO = "print(HELLO, flush=True)\nfor line in sys.stdin: print(HELLO.replace('hello', line.strip()), flush=True)"


def test_what_the_control_says_reaches_the_child(script: Script, tmp_path: Path) -> None:
    script(ECHO)
    control, said = RunControl(), []
    for event in in_child(Order(str(tmp_path)), control):
        assert isinstance(event, Note)
        said.append(event.text)
        {"hello": control.pause, "pause": control.resume, "resume": control.stop, "stop": control.abandon}[event.text]()
        if event.text == "stop":
            break
    assert said == ["hello", "pause", "resume", "stop"]


def test_an_abandoned_child_is_ended_with_all_that_it_started(script: Script, tmp_path: Path) -> None:
    script(
        "import subprocess\n"
        "wait = [sys.executable, '-c', 'import sys; sys.stdin.read()']\n"
        "inner = subprocess.Popen(wait, stdin=subprocess.PIPE, start_new_session=True)\n"
        "print(HELLO.replace('hello', f'{os.getpid()} {inner.pid}'), flush=True)\ninner.wait()"
    )
    control = RunControl()
    events = in_child(Order(str(tmp_path)), control)
    first = next(events)
    assert isinstance(first, Note)
    pids = [int(pid) for pid in first.text.split()]
    assert len(pids) == 2
    control.abandon()
    with pytest.raises(RunError):
        next(events)
    assert not any(is_running(pid) for pid in pids)


def is_running(pid: int) -> bool:
    """A process that has ended and was not yet collected by its new parent does not count."""
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_an_order_travels_as_json(tmp_path: Path) -> None:
    order = child_process.order_to_start("pretrain", pretrain_config(tmp_path, tmp_path / "run"))
    assert json.loads(json.dumps(order.config)) == order.config
    assert order.processes == 1
