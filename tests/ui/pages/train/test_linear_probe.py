"""A linear probe in the window: nothing is trained, and the run ends with its scores."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from sslstudio.engine.finetuning.entry import finetune
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.support.small_runs import finetune_config

LONG = 60_000


def test_a_run_without_steps_is_shown_to_its_end(
    window: MainWindow, sample_folder: Path, pretrained: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample_folder)
    window.go("finetune")
    page = window.pages["finetune"]
    assert isinstance(page, FinetunePage)
    out = tmp_path / "probe"
    config = finetune_config(sample_folder, out, str(pretrained)).replace(mode="probe")
    with qtbot.waitSignal(window.workspace.runner.ended, timeout=LONG):
        window.workspace.runner.start("finetune", lambda control: finetune(config, control))
    window.workspace.show_result(out)
    window.go("results")
    results = window.pages["results"]
    assert isinstance(results, ResultsPage)
    qtbot.waitUntil(lambda: results.results is not None, timeout=LONG)
    shown = [results.part.itemData(number) for number in range(results.part.count())]
    assert shown == ["pretrained", "scratch", "untrained"]
    page.open_run(out)
    qtbot.waitUntil(lambda: page.view.outcome == "finished", timeout=LONG)
