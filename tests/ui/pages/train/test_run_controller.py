"""A run that another process writes is shown as its record stands, also when that was cut back meanwhile."""

from collections.abc import Iterator
from pathlib import Path

from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import TrainerDied
from sslstudio.engine.core.events import Event, RunFinished, RunStarted, Stalled, StepDone
from sslstudio.engine.core.messages import Message
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing


def step(number: int) -> StepDone:
    return StepDone(
        step=number, total_steps=3, epoch=0.1, loss=1.0, metrics={}, chance={}, learning_rate=0.1,
        pictures_per_second=1.0, seconds_left=1.0,
    )  # fmt: skip


def written(run: Path, *, anew: bool) -> list[Event]:
    """Three steps; with `anew` the process died after them and began again from nothing."""
    start = RunStarted(job="pretrain", run=str(run), title=Message("A run"), facts={}, total_steps=3)
    steps = [step(number) for number in (1, 2, 3)]
    return [start, *steps, *([start, *steps] if anew else [])]


def test_a_followed_run_that_was_cut_back_is_read_anew(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, 20_000):
        window.open_folder(sample)
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, RunPage)
    run = sample / "run"

    def follow(control: RunControl) -> Iterator[Event]:
        yield from written(run, anew=True)
        yield RunFinished(outcome="finished", step=3, seconds=1.0, metrics={})

    page.controller.following = True
    with qtbot.waitSignal(window.workspace.runner.ended):
        window.workspace.runner.start("pretrain", follow)
    loss = page.view.curves.loss
    (curve,) = loss.curve_names
    assert list(loss.curve_points(curve)[0]) == [1, 2, 3]
    assert not page.controller.following  # the next run is this window's own


def dead(run: Path) -> TrainerDied:
    error = TrainerDied("The process of the training was killed. What was saved last is kept.")
    error.run, error.saved = str(run), True
    return error


def test_a_trainer_that_died_is_started_again_on_request_three_times(window: MainWindow, tmp_path: Path) -> None:
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, RunPage)
    view = page.view
    asked: list[Path] = []
    view.resumed.disconnect()
    view.resumed.connect(asked.append)
    for _ in range(3):
        window.workspace.runner.failed.emit("pretrain", dead(tmp_path))
        assert view.state.text() == "It could not go on"
        assert view.trouble.label.text().startswith("The process of the training was killed.")
        assert view.go_on.text().strip() == "Go on from the last checkpoint"
        view.go_on.click()
    assert asked == [tmp_path] * 3
    window.workspace.runner.failed.emit("pretrain", dead(tmp_path))
    assert view.go_on.isHidden()
    assert "Its process has ended so 4 times." in view.trouble.label.text()
    assert "smaller batch" in view.trouble.label.text()
    other = tmp_path / "other"
    window.workspace.runner.failed.emit("pretrain", dead(other))
    assert not view.go_on.isHidden()


def test_a_run_that_stands_still_can_be_ended(window: MainWindow, qtbot: QtBot) -> None:
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, RunPage)
    runner, view = window.workspace.runner, page.view
    told: list[str] = []

    def hangs(control: RunControl) -> Iterator[Event]:
        with control.heard_by(told.append):
            yield Stalled(seconds=60.0, text=Message("No progress for 60 s."))
            control.wait(20.0)

    runner.start("pretrain", hangs)
    qtbot.waitUntil(lambda: not view.stalled.isHidden())
    assert view.stalled.label.text() == "No progress for 60 s."
    with qtbot.waitSignal(runner.ended):
        view.end_it.click()
    assert told == ["stop", "abandon"]
    view.take([step(1)])
    assert view.stalled.isHidden()
