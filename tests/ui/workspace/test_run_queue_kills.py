"""A run of the queue is not lost when the program dies between taking it and its beginning."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event, RunFinished, RunStarted
from sslstudio.engine.core.messages import Message
from sslstudio.engine.runs.queue import RunQueue, Waiting
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.ui.background.runner import Runner
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.workspace import run_queue


def titles(file: Path) -> list[str]:
    return [one["title"] for one in json.loads(file.read_text())]


def test_a_taken_run_stays_in_the_file_until_it_has_begun(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path / "queue.json")
    for name in "ab":
        queue.add(Waiting("pretrain", name, {}))
    assert queue.take() == Waiting("pretrain", "a", {})
    assert [run.title for run in queue.runs] == ["b"]
    queue.add(Waiting("pretrain", "c", {}))
    assert titles(queue.file) == ["a", "b", "c"]  # as another process would find it after a crash
    queue.settle()
    assert titles(queue.file) == ["b", "c"]
    queue.settle()
    assert titles(queue.file) == ["b", "c"]


def test_it_leaves_the_file_as_its_first_event_comes(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runner = Runner()
    queue = run_queue.QueueController(runner, runner)
    file = app_settings.home() / run_queue.FILE
    seen: list[list[str]] = []

    def events(waiting: Waiting, apart: bool, control: RunControl) -> Iterator[Event]:
        seen.append(titles(file))
        yield RunStarted(job="pretrain", run=str(tmp_path), title=Message("a"), facts={}, total_steps=1)
        control.wait(0.3)
        yield RunFinished(outcome="finished", step=1, seconds=1.0, metrics={})

    monkeypatch.setattr(run_operations, "start_waiting", events)
    queue.queue.add(Waiting("pretrain", "a", {"out": str(tmp_path / "run")}))
    with qtbot.waitSignal(runner.ended), qtbot.waitSignal(runner.begun):
        queue.start()
    assert seen == [["a"]]
    assert titles(file) == []


def test_what_a_dead_process_only_began_is_done_in_its_own_folder(tmp_path: Path) -> None:
    config: dict[str, Any] = {"job": "pretrain", "out": str(tmp_path / "run"), "seed": 3}
    assert run_queue._free(config["out"], config) == config["out"]
    run = RunFolder.create(tmp_path / "run", config)
    assert run_queue._free(str(run.path), config) == str(run.path)
    assert run_queue._free(str(run.path), {**config, "seed": 4}) == f"{run.path} 2"
    starts = (RunStarted(job="pretrain", run="", title=Message("a"), facts={}, total_steps=1) for _ in range(1))
    assert len(list(run.record(starts, RunControl()))) == 1
    assert run_queue._free(str(run.path), config) == f"{run.path} 2"
