"""A run that a crash left without an end is offered at the next start, once, and goes on where it stopped: also a
comparison or a tournament, as a whole."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.config import Overrides
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Advanced, CheckpointSaved, Event, RunFinished, StepDone
from sslstudio.engine.experiments.compare import compare
from sslstudio.engine.experiments.tournament import tournament
from sslstudio.engine.experiments.tournament_config import TournamentConfig
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import BudgetConfig, DataConfig, HardwareConfig, OptimiserConfig, PretrainConfig
from sslstudio.ui.base import app_settings
from sslstudio.ui.pages.compare.page import ComparePage
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.support.small_comparisons import compare_config
from tests.ui.conftest import Said
from tests.ui.shell.test_drop_target import from_scratch

LONG = 60_000


@pytest.fixture
def broken_off(sample: Path, tmp_path: Path) -> Path:
    """A run of four steps that ended without a word after its first checkpoint."""
    config = PretrainConfig(
        out=str(tmp_path / "run"),
        data=DataConfig(folder=str(sample), side=32),
        optimiser=OptimiserConfig(batch_size=8),
        budget=BudgetConfig(steps=4),
        hardware=HardwareConfig(device="cpu"),
    ).replace(seed=3)
    breaks_off(pretrain(config, RunControl()), CheckpointSaved)
    return tmp_path / "run"


def breaks_off(events: Iterator[Event], at: type[Event], number: int = 1) -> None:
    """As a crash leaves it: nothing is written after this event."""
    with closing(events):  # type: ignore[type-var]
        for _ in range(number):
            next(event for event in events if isinstance(event, at))


def opened(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window)
    window.show()
    with changing(qtbot, window.workspace, Change.ENGINE, LONG):
        window.workspace.load_engine()
    return window


def test_it_goes_on_where_it_stopped(broken_off: Path, said: Said, qtbot: QtBot) -> None:
    app_settings.set_under_way(str(broken_off))
    window = opened(qtbot)
    qtbot.waitUntil(lambda: window.workspace.pretrained == broken_off, timeout=LONG)
    assert "Go on where it stopped?" in said.questions[0]
    page = window.stack.currentWidget()
    assert isinstance(page, PretrainPage)
    last = RunFolder(broken_off).events()[-1]
    assert isinstance(last, RunFinished)
    assert (last.outcome, last.step) == ("finished", 4)
    assert app_settings.under_way() == ""
    qtbot.waitUntil(lambda: not window.workspace.runner.active and window.workspace.readable is not None, timeout=LONG)


@pytest.mark.parametrize("folds", [1, 2])
def test_a_fine_tuning_goes_on_where_it_stopped(
    folds: int, sample: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    run = tmp_path / "run"
    breaks_off(finetune(from_scratch(sample, run, folds, 3), RunControl()), CheckpointSaved)
    app_settings.set_under_way(str(run))
    window = opened(qtbot)
    qtbot.waitUntil(lambda: window.workspace.result == run, timeout=LONG)
    assert "The last training ended without a word" in said.questions[0]
    assert isinstance(window.stack.currentWidget(), FinetunePage)
    last = RunFolder(run).events()[-1]
    assert isinstance(last, RunFinished)
    assert (last.outcome, said.errors) == ("finished", [])
    qtbot.waitUntil(lambda: not window.workspace.runner.active and window.workspace.readable is not None, timeout=LONG)


def test_a_comparison_goes_on_as_a_whole(sample: Path, tmp_path: Path, said: Said, qtbot: QtBot) -> None:
    out = tmp_path / "workspace"
    config = compare_config(sample, out, labels="2", seeds=1)
    breaks_off(compare(config, RunControl()), Advanced, 3)  # as the pretraining begins; scratch is done
    done = out / "cells" / "scratch" / "2-0.json"
    before = done.stat().st_mtime_ns
    app_settings.set_under_way(str(out))
    window = opened(qtbot)
    qtbot.waitUntil(lambda: (out / "cells" / "rotation" / "2-0.json").exists(), timeout=LONG)
    qtbot.waitUntil(lambda: not window.workspace.runner.active and window.workspace.readable is not None, timeout=LONG)
    assert said.questions == [
        "The last comparison ended without a word with 1 of 3 runs done: Label efficiency on little zoo. They are "
        "kept. Go on with the others?"
    ]
    page = window.stack.currentWidget()
    assert isinstance(page, ComparePage)
    assert (page.current, page.efficiency.out) == (page.efficiency, out)
    assert (page.efficiency.view.outcome, done.stat().st_mtime_ns) == ("finished", before)
    table = page.efficiency.shown.efficiency
    assert table is not None
    assert [row["source"] for row in table["rows"]] == ["scratch", "untrained", "rotation"]
    assert (app_settings.under_way(), said.errors) == ("", [])


def small_tournament(sample: Path, out: Path) -> TournamentConfig:
    return TournamentConfig(
        out=str(out), tasks=("rotation", "jigsaw"), minutes=0.2, data=DataConfig(folder=str(sample), side=32),
        pretrain_settings=Overrides({"optimiser": {"batch_size": 8}, "probe": {"draws": 4}}),
        hardware=HardwareConfig(device="cpu"),
    )  # fmt: skip


def test_a_tournament_goes_on_as_a_whole(sample: Path, tmp_path: Path, said: Said, qtbot: QtBot) -> None:
    out = tmp_path / "workspace"
    breaks_off(tournament(small_tournament(sample, out), RunControl()), Advanced, 2)
    done = out / "round-1" / "rotation.json"
    before = done.stat().st_mtime_ns
    app_settings.set_under_way(str(out))
    window = opened(qtbot)
    qtbot.waitUntil(lambda: (out / "round-1" / "jigsaw").exists(), timeout=LONG)
    window.workspace.runner.stop()
    qtbot.waitUntil(lambda: not window.workspace.runner.active and window.workspace.readable is not None, timeout=LONG)
    assert said.questions[0].startswith("The last tournament ended without a word with 1 of 3 runs done: Tournament on")
    page = window.stack.currentWidget()
    assert isinstance(page, ComparePage)
    assert (page.current, page.tournament.out) == (page.tournament, out)
    assert (page.tournament.view.outcome, said.errors) == ("stopped", [])
    assert done.stat().st_mtime_ns == before


def test_it_is_asked_once_and_left_alone_when_not_wanted(broken_off: Path, said: Said, qtbot: QtBot) -> None:
    said.agrees = False
    app_settings.set_under_way(str(broken_off))
    opened(qtbot)
    qtbot.waitUntil(lambda: len(said.questions) == 1, timeout=LONG)
    before = (broken_off / "events.jsonl").read_bytes()
    opened(qtbot)
    assert app_settings.under_way() == ""
    assert len(said.questions) == 1
    assert (broken_off / "events.jsonl").read_bytes() == before


@pytest.mark.parametrize("left", ["", "/gone/run"])
def test_nothing_is_asked_where_nothing_is_left(left: str, said: Said, qtbot: QtBot) -> None:
    app_settings.set_under_way(left)
    opened(qtbot)
    qtbot.waitUntil(lambda: app_settings.under_way() == "", timeout=LONG)
    assert not said.questions


def test_a_run_is_remembered_as_long_as_it_goes(window: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot) -> None:
    config = PretrainConfig(
        out=str(tmp_path / "run"), data=DataConfig(folder=str(sample), side=32), budget=BudgetConfig(minutes=5.0),
        hardware=HardwareConfig(autotune="off"),
    )  # fmt: skip
    window.workspace.runner.start("pretrain", lambda control: pretrain(config, control))
    qtbot.waitUntil(lambda: app_settings.under_way() == str(tmp_path / "run"), timeout=LONG)
    window.workspace.runner.stop()
    qtbot.waitUntil(lambda: not window.workspace.runner.active, timeout=LONG)
    assert app_settings.under_way() == ""


def followed(window: MainWindow) -> tuple[list[tuple[str, str]], set[str]]:
    """What is told of runs from now on, and what is remembered as going on meanwhile."""
    told: list[tuple[str, str]] = []
    known: set[str] = set()
    window.notifier.told.connect(lambda title, text: told.append((title, text)))
    window.workspace.runner.events.connect(lambda *_: known.add(app_settings.under_way()))
    return told, known


def test_the_end_of_a_comparison_is_told_of_the_whole(
    window: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """Its runs begin and end on the way; they are neither remembered nor told of as what goes on."""
    out, (told, known) = tmp_path / "workspace", followed(window)
    config = compare_config(sample, out, labels="2", seeds=1, tasks="rotation,jigsaw")
    window.workspace.runner.start("compare", lambda control: compare(config, control))
    qtbot.waitUntil(lambda: bool(told), timeout=LONG)
    assert known - {""} == {str(out)}
    (title, text), *more = told
    assert (title, more) == ("The comparison has ended", [])
    assert text.startswith("Ran ")
    assert text.endswith(", 5 of 5 runs done, nothing lost.")


def test_the_end_of_a_stopped_tournament_is_told_of_the_whole(
    window: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    out, (told, known) = tmp_path / "workspace", followed(window)
    config = small_tournament(sample, out)

    def stopped(control: RunControl) -> Iterator[Event]:
        """Stopped in the second run."""
        for event in tournament(config, control):
            yield event
            if isinstance(event, StepDone) and (out / "round-1" / "rotation.json").exists():
                control.stop()

    window.workspace.runner.start("compare", stopped)
    qtbot.waitUntil(lambda: bool(told), timeout=LONG)
    assert known - {""} == {str(out)}
    (title, text), *more = told
    assert (title, more) == ("The tournament has ended", [])
    assert text.endswith(", stopped with 1 of 3 runs done, nothing lost.")
