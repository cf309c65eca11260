"""Doubtful labels that are changed are learnt by the next fine-tuning: real runs, the real window, the files."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from sslstudio.engine.labels.editing.files import read_labels_table
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.editing.transfer import name_of
from sslstudio.engine.runs.label_decisions import read_decisions
from sslstudio.ui.operations.inspection import DoubtLine
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.pages.train.finetune_settings import SCRATCH
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said

LONG = 120_000
DOUBTS = 4
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def click(one: QPushButton) -> None:
    assert one.isVisible()
    QTest.mouseClick(one, Qt.MouseButton.LeftButton)


def press(page: ResultsPage, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    page.doubts.list.setFocus()
    QTest.keyClick(page.doubts.list, key, keys)


def state_of(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(file), file.stat().st_mtime_ns) for file in folder.rglob("*"))


@pytest.fixture
def page(
    qtbot: QtBot, window: MainWindow, classified: Path, sample_folder: Path, tmp_path: Path
) -> Iterator[ResultsPage]:
    """The doubts of a run on pictures that lie in class folders; five labels are doubted. The folder stays as it is."""
    before = state_of(sample_folder)
    with changing(qtbot, window.workspace, Change.PICTURES, LONG):
        window.open_folder(sample_folder)
    run = tmp_path / "run"
    shutil.copytree(classified, run)
    window.go("results")
    made = window.pages["results"]
    assert isinstance(made, ResultsPage)
    window.workspace.show_result(run)
    qtbot.waitUntil(lambda: made.results is not None, timeout=LONG)
    open_doubts(made, qtbot)
    yield made
    window.close()
    assert state_of(sample_folder) == before


def open_doubts(page: ResultsPage, qtbot: QtBot) -> None:
    page.tabs.setCurrentIndex(DOUBTS)
    qtbot.waitUntil(lambda: page.doubts.lines is not None, timeout=LONG)
    assert page.results is not None
    tested = [one for one in page.results.predictions["pretrained"] if one.label != "shell"][:5]
    decided = read_decisions(page.results.run)
    known = {file: one.decision for file, one in decided.items()}
    lines = [DoubtLine(one.file, one.label, "shell", 0.5, 0.7, 0.1, 0.8, known.get(one.file, "")) for one in tested]
    page.doubts._take(lines)


def labels_tested(run: Path, part: str) -> dict[str, str]:
    """The labels that a run was measured by, by its table of answers."""
    with (run / f"predictions-{part}.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["file"]: row["label"] for row in csv.DictReader(file)}


def store_of(page: ResultsPage) -> Labelling:
    store = page.doubts.deciding.labels.store
    assert store is not None
    return store


def test_a_change_is_a_label_that_the_next_fine_tuning_uses(page: ResultsPage, qtbot: QtBot) -> None:
    doubts, workspace = page.doubts, page.workspace
    classes = workspace.recognised.classes if workspace.recognised else None
    assert classes is not None
    before = {path: classes.names[number] for path, number in classes.of.items()}
    assert "next fine-tuning uses" in doubts.told.text()
    assert not doubts.again.isVisible()
    first, second = doubts.shown()[0].file, doubts.shown()[1].file
    said: list[str] = []
    doubts.deciding.labels.opening.connect(lambda _: said.append(doubts.opening.told.text()))
    click(doubts.change)
    qtbot.waitUntil(lambda: doubts.chosen == 1, timeout=LONG)
    assert said[-1].endswith("60 of 60")  # the masks that are there are taken over too
    assert doubts.corrected.text().startswith("1 label is changed")
    press(page, Qt.Key.Key_K)
    assert {file: one.decision for file, one in read_decisions(doubts.deciding.run).items()} == {
        first: "change", second: "keep",
    }  # fmt: skip
    store = store_of(page)
    folder = store.folder
    assert {path: name_of(store, path) for path in before} == {**before, first: "shell"}
    window = page.window()
    assert isinstance(window, MainWindow)
    click(doubts.again)
    qtbot.waitUntil(lambda: window.shown == "finetune")
    assert window.stack.currentWidget() is window.pages["finetune"]
    qtbot.waitUntil(lambda: workspace.labels_file == str(folder) and not workspace.taking_labels, timeout=LONG)
    found = workspace.recognised.classes if workspace.recognised else None
    assert found is not None
    assert {path: found.names[number] for path, number in found.of.items()} == {**before, first: "shell"}
    qtbot.waitUntil(lambda: "finetune" in window.pages, timeout=LONG)
    finetune = window.pages["finetune"]
    assert isinstance(finetune, FinetunePage)
    qtbot.waitUntil(lambda: finetune.settings is not None and not finetune._listing, timeout=LONG)
    assert finetune.config().data.labels == str(folder)
    window.go("results")
    assert page.results is not None  # other labels do not take the result away
    assert doubts.corrected.isVisible()


def test_the_list_says_how_often_the_network_errs_and_shows_pictures_closely(
    page: ResultsPage, window: MainWindow, qtbot: QtBot
) -> None:
    doubts = page.doubts
    assert "is wrong in" in doubts.told.text()
    assert {one.property("role") for one in (doubts.keep, doubts.change, doubts.unsure)} == {"plain"}  # no default
    press(page, Qt.Key.Key_Return)
    viewer = window.viewer.viewer
    assert viewer is not None
    qtbot.waitUntil(lambda: viewer._loaded is not None)
    first = doubts.shown()[0]
    assert viewer.path.name == Path(first.file).name
    QTest.keyClick(viewer.canvas, Qt.Key.Key_PageDown)
    assert doubts.chosen == 1
    viewer.close()


def test_the_next_fine_tuning_is_measured_by_the_changed_labels_and_the_last_one_by_its_own(
    page: ResultsPage, qtbot: QtBot
) -> None:
    doubts, window = page.doubts, page.window()
    assert isinstance(window, MainWindow)
    changed = {one.file: one.label for one in doubts.shown()}
    last = doubts.deciding.run
    for number in range(1, len(changed) + 1):
        press(page, Qt.Key.Key_C)
        qtbot.waitUntil(lambda number=number: len(read_decisions(last)) == number, timeout=LONG)  # type: ignore[misc]
    click(doubts.again)
    qtbot.waitUntil(lambda: not window.workspace.taking_labels and bool(window.workspace.labels_file), timeout=LONG)
    qtbot.waitUntil(lambda: "finetune" in window.pages, timeout=LONG)
    finetune = window.pages["finetune"]
    assert isinstance(finetune, FinetunePage)
    qtbot.waitUntil(lambda: finetune.settings is not None and not finetune._listing, timeout=LONG)
    assert finetune.settings is not None
    assert finetune.own is not None
    finetune.own.source.setCurrentIndex(finetune.own.source.findData(SCRATCH))
    finetune.settings.budget.set_epochs(1)
    with qtbot.waitSignal(window.workspace.runner.ended, timeout=LONG):
        click(finetune.start)
    run = window.workspace.result
    assert run is not None
    assert run != last
    ours, before = labels_tested(run, "scratch"), labels_tested(last, "scratch")
    assert set(changed) & set(ours)
    assert {ours[file] for file in set(changed) & set(ours)} == {"shell"}
    assert {file: before[file] for file in changed} == changed


def test_decisions_are_undone_and_done_again_with_the_labels(page: ResultsPage, qtbot: QtBot) -> None:
    doubts = page.doubts
    line = doubts.shown()[0]

    def now() -> tuple[str, str]:
        made = read_decisions(doubts.deciding.run).get(line.file)
        return (made.decision if made else "", name_of(store_of(page), line.file))

    press(page, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: doubts.chosen == 1, timeout=LONG)
    assert now() == ("change", "shell")
    press(page, Qt.Key.Key_Z, CTRL)
    assert now() == ("", line.label)
    assert doubts.chosen == 0
    assert not doubts.corrected.isVisible()
    press(page, Qt.Key.Key_Z, CTRL | SHIFT)
    assert now() == ("change", "shell")
    doubts._select(0)
    press(page, Qt.Key.Key_U)
    assert now() == ("unsure", line.label)  # it is not changed any more
    press(page, Qt.Key.Key_Z, CTRL)
    assert now() == ("change", "shell")
    doubts._select(0)
    click(doubts.back)
    assert now() == ("", line.label)


def test_a_label_given_meanwhile_stays(page: ResultsPage, qtbot: QtBot) -> None:
    doubts, file = page.doubts, page.doubts.shown()[0].file
    press(page, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: doubts.chosen == 1, timeout=LONG)
    assert doubts.deciding.labels.correct({file: "something else"})
    assert not doubts.corrected.isVisible()
    press(page, Qt.Key.Key_Z, CTRL)
    assert read_decisions(doubts.deciding.run) == {}
    assert name_of(store_of(page), file) == "something else"


def is_free(folder: Path) -> bool:
    """Whether nobody has these labels open."""
    try:
        with FileLock(folder / ".lock", timeout=0):
            return True
    except Timeout:
        return False


def test_a_change_survives_a_crash_and_is_seen_another_day(page: ResultsPage, qtbot: QtBot) -> None:
    doubts, file = page.doubts, page.doubts.shown()[1].file
    for number in (1, 2):
        press(page, Qt.Key.Key_C)
        qtbot.waitUntil(lambda number=number: doubts.chosen == number, timeout=LONG)  # type: ignore[misc]
    store = store_of(page)
    store.journal.close()  # as after a crash: only the journal knows
    store._lock.release(force=True)
    doubts.deciding.labels.store = None
    assert read_labels_table(store.folder)[file] != "shell"
    qtbot.waitUntil(lambda: is_free(store.folder), timeout=LONG)
    with Labelling(store.folder) as found:
        assert name_of(found, file) == "shell"
    doubts.deciding.labels.close()
    doubts.show_results(page.results)  # type: ignore[arg-type]
    open_doubts(page, qtbot)
    qtbot.waitUntil(lambda: doubts.corrected.isVisible(), timeout=LONG)
    assert [one.decision for one in doubts.shown()[:3]] == ["change", "change", ""]


def test_labels_that_cannot_be_opened_leave_the_decision_open(page: ResultsPage, said: Said, qtbot: QtBot) -> None:
    doubts, project = page.doubts, page.workspace.project
    assert project is not None
    with qtbot.waitSignal(doubts.deciding.labels.opened, timeout=LONG):
        doubts.deciding.labels.open()
    doubts.deciding.labels.close()
    with Labelling(project.labels_folder):  # as in another window
        with qtbot.waitSignal(doubts.deciding.labels.failed, timeout=LONG):
            press(page, Qt.Key.Key_C)
        assert "another window" in str(said.errors.pop())
        assert read_decisions(doubts.deciding.run) == {}
        assert not doubts.corrected.isVisible()
    press(page, Qt.Key.Key_C)  # it is closed there
    qtbot.waitUntil(lambda: doubts.chosen == 1, timeout=LONG)


@pytest.mark.parametrize("answer", ["", "lacking", "all"])
def test_labels_in_use_and_older_ones_made_here_are_brought_together_as_a_person_wants(
    page: ResultsPage, said: Said, qtbot: QtBot, answer: str
) -> None:
    workspace, labels = page.workspace, page.doubts.deciding.labels
    classes = workspace.recognised.classes if workspace.recognised else None
    assert classes is not None
    used = {path: classes.names[number] for path, number in classes.of.items()}
    with qtbot.waitSignal(labels.opened, timeout=LONG):
        labels.open()
    mine = sorted(used)[0]
    assert labels.correct({path: "" for path in used} | {mine: "mine"})
    labels.close()
    workspace.use_labels("")  # those of the class folders again
    qtbot.waitUntil(lambda: not workspace.taking_labels and workspace.labels_file == "", timeout=LONG)
    said.choice = answer
    with qtbot.waitSignal(labels.opened, timeout=LONG):
        labels.open()
    assert said.offered == ["lacking", "all"]
    store = store_of(page)
    found = {path: name_of(store, path) for path in used}
    assert (
        found
        == {"": {path: "" for path in used} | {mine: "mine"}, "lacking": used | {mine: "mine"}, "all": used}[answer]
    )
    while labels.undo_stack.canUndo():
        labels.undo_stack.undo()
    assert {path for path in used if name_of(store, path)} == {mine}
    assert name_of(store, mine) == "mine"


def test_changes_of_other_pictures_are_only_noted_in_the_run(page: ResultsPage, qtbot: QtBot, sample: Path) -> None:
    doubts, workspace = page.doubts, page.workspace
    run, lines = doubts.deciding.run, doubts.shown()
    with changing(qtbot, workspace, Change.PICTURES, LONG):
        workspace.open_folder(sample)
    workspace.show_result(run)
    qtbot.waitUntil(lambda: page.results is not None and page.results.run == run, timeout=LONG)
    qtbot.waitUntil(lambda: doubts.lines is not None, timeout=LONG)
    doubts._take(lines)
    assert "next fine-tuning" not in doubts.told.text()
    press(page, Qt.Key.Key_C)
    assert read_decisions(run)[lines[0].file].decision == "change"
    assert doubts.deciding.labels.store is None
    assert not doubts.again.isVisible()
