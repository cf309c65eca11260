import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Event, Note, Paused, Resumed, RunFinished
from sslstudio.engine.core.messages import plain
from sslstudio.ui.background.runner import FLUSH_MS, Runner, RunThread


def note(number: int) -> Note:
    return Note(level="info", text=plain(str(number)))


def until_stopped(control: RunControl) -> Iterator[Event]:
    """A run that behaves as the engine's do: asks before each step, says so when it pauses."""
    number = 0
    while True:
        if control.paused:
            yield Paused(step=number)
            control.proceed()
            yield Resumed(step=number)
        if not control.proceed():
            break
        number += 1
        yield note(number)
        threading.Event().wait(0.002)
    yield RunFinished(outcome="stopped", step=number, seconds=0.0, metrics={})


class Watched:
    """A runner and all that it said."""

    def __init__(self) -> None:
        self.runner = Runner()
        self.events: list[Event] = []
        self.flushes = 0
        self.errors: list[Exception] = []
        self.order: list[str] = []
        self.runner.events.connect(self._take)
        self.runner.failed.connect(self._fail)
        self.runner.ended.connect(lambda job: self.order.append("ended"))

    def _fail(self, job: str, error: Exception) -> None:
        self.errors.append(error)
        self.order.append("failed")

    def _take(self, job: str, batch: list[Event]) -> None:
        self.flushes += 1
        self.events += batch
        self.order.append("events")


def test_all_events_arrive_in_order_and_in_few_flushes(qtbot: QtBot) -> None:
    watched = Watched()
    sent = [note(number) for number in range(5000)]
    with qtbot.waitSignal(watched.runner.ended):
        watched.runner.start("pretrain", lambda control: iter(sent))
    assert watched.events == sent
    assert watched.flushes < 50
    assert not watched.runner.active


def test_the_window_looks_for_events_only_when_some_came(qtbot: QtBot) -> None:
    go_on = threading.Event()

    def waits(control: RunControl) -> Iterator[Event]:
        yield note(1)
        go_on.wait()
        yield note(2)

    thread = RunThread(waits)
    looks: list[bool] = []
    batches: list[list[Event]] = []
    thread._timer.timeout.connect(lambda: looks.append(True))
    thread.events.connect(batches.append)
    thread.start()
    qtbot.waitUntil(lambda: bool(batches))
    qtbot.wait(5 * FLUSH_MS)
    assert (batches, len(looks)) == ([[note(1)]], 1)
    with qtbot.waitSignal(thread.ended):
        go_on.set()
    assert batches == [[note(1)], [note(2)]]
    thread.wait()


def test_an_error_comes_after_the_events_before_it(qtbot: QtBot) -> None:
    def breaks(control: RunControl) -> Iterator[Event]:
        yield note(1)
        raise RunError("the disk is full")

    watched = Watched()
    with qtbot.waitSignal(watched.runner.ended):
        watched.runner.start("pretrain", breaks)
    assert watched.events == [note(1)]
    assert watched.order == ["events", "failed", "ended"]
    assert str(watched.errors[0]) == "the disk is full"


def test_stop_ends_the_run_and_loses_no_event(qtbot: QtBot) -> None:
    watched = Watched()
    watched.runner.start("pretrain", until_stopped)
    qtbot.waitUntil(lambda: len(watched.events) > 10)
    with qtbot.waitSignal(watched.runner.ended):
        watched.runner.stop()
        assert watched.runner.stopping
    *steps, last = watched.events
    assert isinstance(last, RunFinished)
    assert steps == [note(number) for number in range(1, last.step + 1)]


def test_pause_and_go_on(qtbot: QtBot) -> None:
    watched = Watched()
    watched.runner.start("pretrain", until_stopped)
    qtbot.waitUntil(lambda: len(watched.events) > 5)
    watched.runner.toggle_pause()
    assert watched.runner.paused
    qtbot.waitUntil(lambda: isinstance(watched.events[-1], Paused))
    count = len(watched.events)
    qtbot.wait(150)
    assert len(watched.events) == count
    watched.runner.toggle_pause()
    qtbot.waitUntil(lambda: len(watched.events) > count + 5)
    with qtbot.waitSignal(watched.runner.ended):
        watched.runner.stop()


def test_one_run_at_a_time(qtbot: QtBot) -> None:
    watched = Watched()
    watched.runner.start("pretrain", until_stopped)
    with pytest.raises(RuntimeError, match="goes on already"):
        watched.runner.start("finetune", until_stopped)
    with qtbot.waitSignal(watched.runner.ended):
        watched.runner.stop()


def test_a_thread_is_over_before_it_says_so(qtbot: QtBot) -> None:
    thread = RunThread(lambda control: iter([note(1)]))
    over: list[bool] = []
    thread.ended.connect(lambda: over.append(thread.isFinished()))
    with qtbot.waitSignal(thread.ended):
        thread.start()
    assert over == [True]
