"""What surrounds a training: how it is stopped, what waits after it, what is told at its end. Real, tiny trainings."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event
from sslstudio.engine.runs.queue import Waiting
from sslstudio.engine.runs.run_folder import ASIDE, RunFolder
from sslstudio.engine.training.config import config_dict
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.workspace import Change
from tests.support.answering import Act, answering, click, press
from tests.support.changes import changing

LONG = 60_000


@pytest.fixture
def page(window: MainWindow, sample: Path, qtbot: QtBot) -> PretrainPage:
    """The page that pretrains, set to a short jigsaw run on the sample."""
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample)
    window.workspace.choose_task("jigsaw", window.workspace.options["jigsaw"])
    window.go("pretrain")
    made = window.pages["pretrain"]
    assert isinstance(made, PretrainPage)
    assert made.settings is not None
    made.settings.budget.set_epochs(1)
    made.settings.batch.editor("batch_size").set_value(16)
    return made


def begin_a_long_run(page: PretrainPage, qtbot: QtBot) -> Path:
    """Start a run that would go on for hours, and wait until it has been scored once."""
    assert page.settings is not None
    page.settings.budget.set_epochs(40)
    page.start_run()
    qtbot.waitUntil(lambda: page.view.run is not None, timeout=LONG)
    run = page.view.run
    assert run is not None
    qtbot.waitUntil(lambda: (run / "best.safetensors").exists(), timeout=LONG)
    return run


def stop_a_long_run(page: PretrainPage, qtbot: QtBot) -> Path:
    """The same, and click on Stop."""
    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        run = begin_a_long_run(page, qtbot)
        QTest.mouseClick(page.stop, Qt.MouseButton.LeftButton)
    return run


def test_the_best_state_is_what_others_start_from_when_it_was_chosen(
    page: PretrainPage, said: object, qtbot: QtBot
) -> None:
    said.choice = "best"  # type: ignore[attr-defined]
    run = stop_a_long_run(page, qtbot)
    assert said.offered == ["best", "last", "discard"]  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: RunFolder(run).weights.name == "best.safetensors", timeout=LONG)
    assert page.workspace.pretrained == run
    qtbot.waitUntil(lambda: page.view.told.text().startswith("Ran "), timeout=LONG)
    assert page.view.told.text().endswith("nothing lost.")


def test_a_discarded_run_comes_back_until_the_window_closes(
    window: MainWindow, page: PretrainPage, said: object, qtbot: QtBot
) -> None:
    said.choice = "discard"  # type: ignore[attr-defined]
    run = stop_a_long_run(page, qtbot)
    qtbot.waitUntil(lambda: page.controller.bar.isVisible(), timeout=LONG)
    assert not run.exists()
    assert page.workspace.pretrained is None
    QTest.mouseClick(page.controller.undo, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.runs.table.rowCount() == 1, timeout=LONG)
    assert run.is_dir()
    assert not page.controller.bar.isVisible()

    said.choice = "discard"  # type: ignore[attr-defined]
    second = stop_a_long_run(page, qtbot)
    qtbot.waitUntil(lambda: page.controller.bar.isVisible(), timeout=LONG)
    assert (run.parent / ASIDE / second.name).is_dir()
    window.close()
    assert not (run.parent / ASIDE).exists()
    assert run.is_dir()


def test_it_goes_on_when_nothing_is_chosen(page: PretrainPage, said: object, qtbot: QtBot) -> None:
    said.choice = "none of them"  # type: ignore[attr-defined]
    assert page.settings is not None
    page.settings.budget.set_epochs(40)
    page.start_run()
    qtbot.waitUntil(lambda: page.view.run is not None, timeout=LONG)
    QTest.mouseClick(page.stop, Qt.MouseButton.LeftButton)
    assert not page.workspace.runner.stopping
    said.choice, said.agrees = "discard", False  # type: ignore[attr-defined]
    QTest.mouseClick(page.stop, Qt.MouseButton.LeftButton)
    assert not page.workspace.runner.stopping  # discarding is asked twice
    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        page.workspace.runner.stop()
    assert page.view.run is not None
    assert page.view.run.is_dir()


def test_stopping_through_the_real_dialogs(page: PretrainPage, real_dialogs: None, qtbot: QtBot) -> None:
    def stop(*acts: Act) -> None:
        with answering(*acts):
            QTest.mouseClick(page.stop, Qt.MouseButton.LeftButton)

    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        run = begin_a_long_run(page, qtbot)
        stop(press(Qt.Key.Key_Escape))
        stop(press(Qt.Key.Key_Return))
        stop(click("Discard the run"), press(Qt.Key.Key_Return))  # asked twice, and both times Enter loses nothing
        assert not page.workspace.runner.stopping
        stop(click("Keep the best state"))
        assert page.workspace.runner.stopping
    qtbot.waitUntil(lambda: RunFolder(run).weights.name == "best.safetensors", timeout=LONG)

    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        page.start_run()
        qtbot.waitUntil(lambda: page.view.run not in (None, run), timeout=LONG)
        second = page.view.run
        stop(click("Discard the run"), click("Discard"))
    qtbot.waitUntil(lambda: page.controller.bar.isVisible(), timeout=LONG)
    assert second is not None
    assert not second.exists()
    assert run.is_dir()


def test_queued_runs_start_one_after_the_other_and_their_end_is_told(
    window: MainWindow, page: PretrainPage, qtbot: QtBot
) -> None:
    told: list[str] = []
    window.notifier.told.connect(lambda title, text: told.append(f"{title}: {text}"))
    queue, line = page.queue_view, window.workspace.queue
    for _ in range(2):
        QTest.mouseClick(page.later, Qt.MouseButton.LeftButton)
    assert queue.table.rowCount() == 2
    assert page.view.tabs.tabText(page.view.tabs.indexOf(page.activity)) == "Runs (2)"
    assert len(json.loads(line.queue.file.read_text(encoding="utf-8"))) == 2
    assert not window.workspace.runner.active  # nothing starts before it is told to
    QTest.mouseClick(queue.begin, Qt.MouseButton.LeftButton)
    assert window.notifier.awake.held or window.workspace.runner.active
    qtbot.waitUntil(lambda: not line.runs and not window.workspace.runner.active, timeout=2 * LONG)
    qtbot.waitUntil(lambda: page.runs.table.rowCount() == 2 and len(told) == 2, timeout=LONG)
    assert all(one.startswith("Pretraining has ended: Ran ") for one in told)
    assert {run.outcome for run in page.runs._runs} == {"finished"}
    assert not window.notifier.awake.held


def test_the_queue_survives_the_window_and_can_be_put_in_order(
    window: MainWindow, page: PretrainPage, qtbot: QtBot
) -> None:
    for task in ("jigsaw", "rotation", "vicreg"):
        window.workspace.choose_task(task, window.workspace.options[task])
        page.add_to_queue()
    queue = page.queue_view
    queue.table.selectRow(2)
    QTest.mouseClick(queue.up, Qt.MouseButton.LeftButton)
    queue.table.selectRow(0)
    QTest.mouseClick(queue.out, Qt.MouseButton.LeftButton)
    assert [run.config["task"] for run in window.workspace.queue.runs] == ["vicreg", "rotation"]
    other = MainWindow()
    qtbot.addWidget(other)
    assert [run.config["task"] for run in other.workspace.queue.runs] == ["vicreg", "rotation"]
    assert not other.workspace.runner.active
    QTest.mouseClick(queue.undo, Qt.MouseButton.LeftButton)
    assert [run.config["task"] for run in window.workspace.queue.runs] == ["jigsaw", "vicreg", "rotation"]


def test_a_ticked_run_lies_over_the_next_one(page: PretrainPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        page.start_run()
    qtbot.waitUntil(lambda: page.runs.table.rowCount() == 1, timeout=LONG)
    item = page.runs.table.item(0, 0)
    assert item is not None
    item.setCheckState(Qt.CheckState.Checked)
    loss = page.view.curves.loss
    qtbot.waitUntil(lambda: len(loss._earlier) == 1, timeout=LONG)
    ours = loss.curve_points("training")[1].tolist()
    assert loss.curve_points(next(iter(loss._earlier)))[1].tolist() == ours
    item.setCheckState(Qt.CheckState.Unchecked)
    qtbot.waitUntil(lambda: not loss._earlier, timeout=LONG)


def test_a_pause_lets_the_machine_sleep(window: MainWindow, page: PretrainPage, qtbot: QtBot) -> None:
    window.notifier.awake._command = ["cat"]  # a program that any system has, where none may hold sleep off
    assert page.settings is not None
    page.settings.budget.set_epochs(40)
    with qtbot.waitSignal(page.workspace.runner.ended, timeout=LONG):
        page.start_run()
        assert window.notifier.awake.held
        qtbot.waitUntil(lambda: page.view.step.value.text() != "–", timeout=LONG)
        page.toggle_pause()
        qtbot.waitUntil(lambda: not window.notifier.awake.held, timeout=LONG)
        page.toggle_pause()
        qtbot.waitUntil(lambda: window.notifier.awake.held, timeout=LONG)
        page.workspace.runner.stop()
    assert not window.notifier.awake.held


def test_the_queue_goes_on_after_a_run_that_failed_and_says_why_it_did(
    window: MainWindow, page: PretrainPage, tmp_path: Path, qtbot: QtBot
) -> None:
    line = window.workspace.queue
    page.add_to_queue()
    config = page.config()
    gone = config.replace(data=config.data.replace(folder=str(tmp_path / "gone")))
    line.insert(0, Waiting("pretrain", "Jigsaw puzzle on gone", config_dict("pretrain", gone)))
    QTest.mouseClick(page.queue_view.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not line.runs and not window.workspace.runner.active, timeout=2 * LONG)
    (failed, why), (done, how) = line.over
    assert (failed, done) == ("Jigsaw puzzle on gone", "Jigsaw puzzle on little zoo")
    assert str(tmp_path / "gone") in why
    assert how == "Finished"
    page.view.tabs.setCurrentWidget(page.activity)
    assert why in page.queue_view.over.text()  # also when the next run has taken its place in the view
    assert page.view.outcome == "finished"


def test_a_bug_in_a_run_is_told_when_it_no_longer_holds_up_the_next_one(
    window: MainWindow, page: PretrainPage, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    told: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        dialogs, "tell_error", lambda parent, error: told.append((str(error), window.workspace.runner.active))
    )

    def breaks(control: RunControl) -> Iterator[Event]:
        yield from ()
        raise ZeroDivisionError("by nothing")

    window.workspace.runner.start("pretrain", breaks)
    qtbot.waitUntil(lambda: bool(told), timeout=LONG)
    assert told == [("by nothing", False)]
