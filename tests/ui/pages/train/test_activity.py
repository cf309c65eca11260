"""One panel for all runs: sorted, renamed, thrown away and brought back; what is paused says so; what a fine-tuning
starts from is the best finished run, or one that still waits."""

import shutil
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.engine.runs.run_folder import RunSummary
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.pages.train.finetune_settings import SCRATCH, best_source
from sslstudio.ui.pages.train.pretrain import PretrainPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets.run_list import SCORE, WHAT, RunList
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said
from tests.ui.shell.test_drop_target import pictures, trained
from tests.ui.shell.test_projects import open_folder

LONG = 60_000
LEFT = Qt.MouseButton.LeftButton
__all__ = ["pictures"]


def run(name: str, outcome: str = "finished", score: float | None = None, *, weights: bool = True) -> RunSummary:
    return RunSummary(Path("/runs") / name, "pretrain", name, outcome, 5, 9, "", float(len(name)), score=score,
                      weights=weights)  # fmt: skip


def column(runs: RunList, place: int) -> list[str]:
    items = [runs.table.item(line, place) for line in range(runs.table.rowCount())]
    return [item.text() for item in items if item is not None]


def test_a_click_on_a_head_sorts_and_a_second_turns_it_round(qtbot: QtBot) -> None:
    runs = RunList()
    qtbot.addWidget(runs)
    runs.show_runs([run("b", score=0.02), run("aa", score=0.3), run("ccc")])
    runs.table.horizontalHeader().sectionClicked.emit(SCORE)
    assert column(runs, WHAT) == ["aa", "b", "ccc"]
    runs.select(Path("/runs/b"))
    runs.table.horizontalHeader().sectionClicked.emit(WHAT)
    assert column(runs, WHAT) == ["aa", "b", "ccc"]
    runs.table.horizontalHeader().sectionClicked.emit(WHAT)
    assert column(runs, WHAT) == ["ccc", "b", "aa"]
    assert runs.chosen is not None
    assert runs.chosen.path == Path("/runs/b")  # it stays chosen
    assert column(runs, SCORE) == ["–", "+2.0 points", "+30.0 points"]


def test_the_best_finished_run_is_the_start() -> None:
    broken, stopped = run("newest broken", "interrupted", 0.9), run("stopped one", "stopped", 0.8)
    good, better, bare = run("good", score=0.1), run("better", score=0.2), run("bare", score=0.5, weights=False)
    assert best_source([broken, stopped, bare, good, better]) == better.path
    assert best_source([run("older"), run("the newer")]) == Path("/runs/the newer")
    assert best_source([broken, bare]) is None


def test_a_run_is_renamed_and_thrown_away_and_brought_back(
    window: MainWindow, pictures: Path, qtbot: QtBot, said: Said
) -> None:
    open_folder(window, pictures, qtbot)
    first = trained(pictures, window.workspace.runs_folder / "first")
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, PretrainPage)
    qtbot.waitUntil(lambda: page.runs.table.rowCount() == 1, timeout=LONG)
    page.view.tabs.setCurrentWidget(page.activity)
    assert not page.queue_view.isVisible()  # nothing waits
    page.runs.select(first)
    said.text = "night run"
    QTest.mouseClick(page.runs.rename_button, LEFT)
    qtbot.waitUntil(lambda: column(page.runs, WHAT) == ["night run"], timeout=LONG)
    page.runs.select(first)
    QTest.mouseClick(page.runs.remove_button, LEFT)
    qtbot.waitUntil(lambda: page.runs.table.rowCount() == 0, timeout=LONG)
    assert not first.exists()
    QTest.mouseClick(page.controller.undo, LEFT)
    qtbot.waitUntil(lambda: column(page.runs, WHAT) == ["night run"], timeout=LONG)
    assert first.is_dir()


def test_sources_say_what_is_unfinished_and_what_still_waits(window: MainWindow, pictures: Path, qtbot: QtBot) -> None:
    open_folder(window, pictures, qtbot)
    workspace = window.workspace
    finished = trained(pictures, workspace.runs_folder / "first")
    cut = shutil.copytree(finished, workspace.runs_folder / "second")
    lines = (cut / "events.jsonl").read_text().splitlines(keepends=True)
    (cut / "events.jsonl").write_text("".join(lines[:-1]))  # killed before its end
    empty = shutil.copytree(cut, workspace.runs_folder / "third")
    (empty / "last.safetensors").unlink()
    with changing(qtbot, workspace, Change.PICTURES, LONG):
        workspace.open_folder(pictures)
    assert workspace.pretrained == finished
    window.go("pretrain")
    pretrain = window.pages["pretrain"]
    assert isinstance(pretrain, PretrainPage)
    qtbot.waitUntil(lambda: pretrain.settings is not None and pretrain.runs.table.rowCount() == 3, timeout=LONG)
    QTest.mouseClick(pretrain.later, LEFT)
    waiting = workspace.queue.runs[0].config["out"]
    window.go("finetune")
    page = window.pages["finetune"]
    assert isinstance(page, FinetunePage)
    qtbot.waitUntil(lambda: page.own is not None and not page._listing, timeout=LONG)
    assert page.own is not None
    box = page.own.source
    assert page.own.start_from() == str(finished)
    assert box.itemText(box.findData(str(cut))).endswith("(unfinished)")
    assert box.itemText(box.findData(str(empty))).endswith("no weights yet")
    assert not box.model().flags(box.model().index(box.findData(str(empty)), 0)) & Qt.ItemFlag.ItemIsEnabled
    box.setCurrentIndex(box.findData(waiting))
    assert box.currentText().startswith("Waiting: ")
    QTest.mouseClick(page.start, LEFT)
    assert "still waits in the queue" in page.wrong.label.text()
    assert not workspace.runner.active
    assert page.own.start_from() != SCRATCH
