import importlib
import re
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

import sslstudio.ui
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.ui.background import jobs


class Heard:
    """Remembers what a job said, and on which thread."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.failed: list[Exception] = []
        self.steps: list[object] = []
        self.threads: set[QThread] = set()

    def take(self, value: object) -> None:
        self.threads.add(QThread.currentThread())
        self.done.append(value)

    def start(self, op: object, owner: QObject) -> jobs.Job:
        return jobs.run(op, self.take, self.failed.append, owner=owner, progress=self.steps.append)  # type: ignore[arg-type]


def test_the_answer_comes_on_the_window_s_thread(qtbot: QtBot) -> None:
    heard, owner = Heard(), QObject()
    worked_on: list[int] = []

    def op(control: RunControl) -> int:
        worked_on.append(threading.get_ident())
        return 42

    heard.start(op, owner)
    qtbot.waitUntil(lambda: heard.done == [42])
    assert worked_on != [threading.get_ident()]
    assert heard.threads == {owner.thread()}


def test_what_a_person_waits_for_is_not_behind_what_nobody_does(qtbot: QtBot) -> None:
    heard, owner, held = Heard(), QObject(), threading.Event()
    for _ in range(jobs.BEHIND + 2):
        jobs.run(jobs.without_control(held.wait, 20.0), lambda _: None, heard.failed.append, owner=owner, behind=True)
    heard.start(jobs.without_control(lambda: "seen"), owner)
    qtbot.waitUntil(lambda: heard.done == ["seen"], timeout=5_000)
    held.set()
    jobs.wait_for_all()
    assert heard.failed == []


def test_one_core_leaves_threads_for_what_a_person_waits_for() -> None:
    assert jobs.pool().maxThreadCount() >= jobs.FOREGROUND
    assert jobs.pool(behind=True) is not jobs.pool()


def test_a_generator_says_how_far_it_is_and_returns(qtbot: QtBot) -> None:
    def op(control: RunControl) -> Generator[Preparing, None, str]:
        yield Preparing(stage=Message("counting"), done=1, total=2)
        yield Preparing(stage=Message("counting"), done=2, total=2)
        return "counted"

    heard, owner = Heard(), QObject()
    heard.start(op, owner)
    qtbot.waitUntil(lambda: heard.done == ["counted"])
    assert [step.done for step in heard.steps if isinstance(step, Preparing)] == [1, 2]


def test_an_error_is_handed_over(qtbot: QtBot) -> None:
    def op(control: RunControl) -> None:
        raise ValueError("broken")

    heard, owner = Heard(), QObject()
    heard.start(op, owner)
    qtbot.waitUntil(lambda: len(heard.failed) == 1)
    assert str(heard.failed[0]) == "broken"
    assert heard.done == []


def test_a_cancelled_job_ends_and_says_nothing(qtbot: QtBot) -> None:
    begun, ended = threading.Event(), threading.Event()

    def op(control: RunControl) -> Generator[Preparing, None, None]:
        try:
            while True:
                begun.set()
                yield Preparing(stage=Message("for ever"), done=0, total=0)
        finally:
            ended.set()

    heard, owner = Heard(), QObject()
    job = heard.start(op, owner)
    assert begun.wait(5)
    job.cancel()
    assert ended.wait(5)
    heard.steps.clear()
    qtbot.wait(30)
    assert heard.done == heard.failed == heard.steps == []


def test_an_owner_that_is_gone_is_not_called(qtbot: QtBot) -> None:
    go = threading.Event()
    heard, owner = Heard(), QObject()
    job = heard.start(lambda control: go.wait(5), owner)
    with qtbot.waitSignal(job.over):
        owner.deleteLater()
        qtbot.wait(20)
        go.set()
    qtbot.wait(20)
    assert heard.done == []


def test_a_call_that_wants_no_control_is_an_operation(qtbot: QtBot) -> None:
    heard, owner = Heard(), QObject()
    heard.start(jobs.without_control(int, "11", base=2), owner)
    qtbot.waitUntil(lambda: heard.done == [3])


LATE = re.compile(r'(\w+) = jobs\.late\("([\w.]+)", "(\w+)"\)')
NAMED = sorted(
    (file.name, *found.groups())
    for file in Path(sslstudio.ui.__path__[0]).rglob("*.py")
    for found in LATE.finditer(file.read_text("utf-8"))
)


@pytest.mark.parametrize(("file", "given", "module", "name"), NAMED)
def test_what_is_imported_late_is_there(file: str, given: str, module: str, name: str) -> None:
    assert given == name
    assert callable(getattr(importlib.import_module(module), name))


def test_functions_are_imported_late(qtbot: QtBot) -> None:
    assert len(NAMED) > 5
    heard, owner = Heard(), QObject()
    late_fraction = jobs.late("fractions", "Fraction")
    heard.start(jobs.without_control(late_fraction, 1, 2), owner)
    qtbot.waitUntil(lambda: [str(one) for one in heard.done] == ["1/2"])
