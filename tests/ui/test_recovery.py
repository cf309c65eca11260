"""A run that a crash left without an end is offered at the next start, once, and goes on where it stopped."""

from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from sslstudio.engine.control import RunControl
from sslstudio.engine.events import CheckpointSaved, RunFinished
from sslstudio.engine.runs.store import RunFolder
from sslstudio.engine.train.pretrain import pretrain
from sslstudio.engine.train.settings import BudgetConfig, DataConfig, HardwareConfig, OptimiserConfig, PretrainConfig
from sslstudio.ui import settings
from sslstudio.ui.main_window import MainWindow
from sslstudio.ui.pages.pretrain import PretrainPage
from tests.ui.conftest import Said

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
    with closing(pretrain(config, RunControl())) as events:  # type: ignore[type-var]
        next(event for event in events if isinstance(event, CheckpointSaved))
    return tmp_path / "run"


def opened(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.study.engine_ready, timeout=LONG):
        window.study.load_engine()
    return window


def test_it_goes_on_where_it_stopped(broken_off: Path, said: Said, qtbot: QtBot) -> None:
    settings.set_under_way(str(broken_off))
    window = opened(qtbot)
    qtbot.waitUntil(lambda: window.study.pretrained == broken_off, timeout=LONG)
    assert "Go on where it stopped?" in said.questions[0]
    page = window.stack.currentWidget()
    assert isinstance(page, PretrainPage)
    last = RunFolder(broken_off).events()[-1]
    assert isinstance(last, RunFinished)
    assert (last.outcome, last.step) == ("finished", 4)
    assert settings.under_way() == ""
    qtbot.waitUntil(lambda: not window.study.runner.active and window.study.readable is not None, timeout=LONG)


def test_it_is_asked_once_and_left_alone_when_not_wanted(broken_off: Path, said: Said, qtbot: QtBot) -> None:
    said.agrees = False
    settings.set_under_way(str(broken_off))
    opened(qtbot)
    qtbot.waitUntil(lambda: len(said.questions) == 1, timeout=LONG)
    before = (broken_off / "events.jsonl").read_bytes()
    opened(qtbot)
    assert settings.under_way() == ""
    assert len(said.questions) == 1
    assert (broken_off / "events.jsonl").read_bytes() == before


@pytest.mark.parametrize("left", ["", "/gone/run"])
def test_nothing_is_asked_where_nothing_is_left(left: str, said: Said, qtbot: QtBot) -> None:
    settings.set_under_way(left)
    opened(qtbot)
    qtbot.waitUntil(lambda: settings.under_way() == "", timeout=LONG)
    assert not said.questions


def test_a_run_is_remembered_as_long_as_it_goes(window: MainWindow, sample: Path, tmp_path: Path, qtbot: QtBot) -> None:
    config = PretrainConfig(
        out=str(tmp_path / "run"), data=DataConfig(folder=str(sample), side=32), budget=BudgetConfig(minutes=5.0)
    )
    window.study.runner.start("pretrain", lambda control: pretrain(config, control))
    qtbot.waitUntil(lambda: settings.under_way() == str(tmp_path / "run"), timeout=LONG)
    window.study.runner.stop()
    qtbot.waitUntil(lambda: not window.study.runner.active, timeout=LONG)
    assert settings.under_way() == ""
