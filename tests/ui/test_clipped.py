"""Nothing that is written is cut off: each page and dialog, in a window of 1280 x 720 and, in German, whose words are
longer, in the smallest window that there is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QDeadlineTimer, QTimer
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QScrollArea, QTabBar, QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.messages import Message
from sslstudio.engine.runs.run_folder import RunSummary
from sslstudio.ui.pages.compare.page import ComparePage
from sslstudio.ui.pages.journey.page import JourneyPage
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.spec import EXPERT, SIMPLE, page_names
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets.layout import column, make_scrollable, row, text
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.support.clipped import clipped
from tests.ui.conftest import Said

LONG = 60_000
SMALLEST = (1000, 680)


@pytest.fixture
def small(spoken: str, said: Said, qtbot: QtBot) -> Iterator[MainWindow]:
    """The window on a small screen, with the engine loaded."""
    size = (1280, 720) if spoken == "en" else SMALLEST
    made = MainWindow()
    qtbot.addWidget(made)
    made.resize(*size)
    made.show()
    with changing(qtbot, made.workspace, Change.ENGINE, LONG):
        made.workspace.load_engine()
    yield made
    assert said.errors == []


def check(window: QWidget, where: str) -> None:
    """Nothing is cut off once the layouts have settled."""
    deadline = QDeadlineTimer(2000)
    QApplication.processEvents()
    while (found := clipped(window)) and not deadline.hasExpired():
        QApplication.processEvents()
    assert found == [], f"{where}: " + "; ".join(found)


def each_tab(window: MainWindow, tabs: QTabWidget, where: str, ready: Callable[[int], None] = lambda _: None) -> None:
    for number in range(tabs.count()):
        if tabs.isTabVisible(number):
            tabs.setCurrentIndex(number)
            ready(number)
            check(window, f"{where}, {tabs.tabText(number)}")


def test_every_page(
    small: MainWindow, sample_folder: Path, pretrained: Path, classified: Path, segmented: Path, qtbot: QtBot
) -> None:
    window = small
    for name in page_names():
        window.go(name)
        check(window, f"{name}, empty")
    look_at_simple_way(window)
    window.go("images")
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample_folder)
    each_tab(window, window.pages["images"].tabs, "images")  # type: ignore[attr-defined]
    look_at_simple_way(window)
    look_at_puzzles(window, qtbot)
    for job, run in (("pretrain", pretrained), ("finetune", classified)):
        look_at_run(window, job, run, qtbot)
    window.go("label")
    label = window.pages["label"]
    assert isinstance(label, LabelPage)
    qtbot.waitUntil(lambda: label.faces.currentWidget() is label.board, timeout=LONG)
    each_tab(window, label.board.tabs, "label", lambda _: qtbot.waitUntil(lambda: label._asking is None, timeout=LONG))
    for run in (classified, segmented):
        look_at_results(window, run, qtbot)
    window.go("compare")
    compare = window.pages["compare"]
    assert isinstance(compare, ComparePage)
    qtbot.waitUntil(lambda: compare.clinic.found is not None, timeout=LONG)
    for kind in compare.kinds:
        compare.tabs.setCurrentWidget(kind)
        each_tab(window, kind.view.tabs, f"compare {kind.job}")


def look_at_simple_way(window: MainWindow) -> None:
    """Each face of the page: what is wanted, which pictures, and what happens with them."""
    window.take_way(SIMPLE)
    page = window.pages["journey"]
    assert isinstance(page, JourneyPage)
    for goal in (None, "classes", "masks", "explore"):
        page.journey.choose(goal)
        check(window, f"simple way, {goal}")
    window.take_way(EXPERT)


def look_at_puzzles(window: MainWindow, qtbot: QtBot) -> None:
    window.go("pretext")
    page = window.pages["pretext"]
    assert isinstance(page, PretextPage)
    assert window.workspace.engine is not None
    for name in window.workspace.engine.tasks:
        page.choose_task(name)
        page.ask_puzzles()
        qtbot.waitUntil(lambda: page._job is None, timeout=LONG)
        check(window, f"puzzle {name}")
    page.choose_task("jigsaw")
    each_tab(
        window, page.tabs, "puzzles",
        lambda number: qtbot.waitUntil(lambda: number != 2 or page.play.view.isVisible(), timeout=LONG),
    )  # fmt: skip


def look_at_run(window: MainWindow, job: str, run: Path, qtbot: QtBot) -> None:
    window.go(job)
    page = window.pages[job]
    assert isinstance(page, RunPage)
    qtbot.waitUntil(lambda: page.settings is not None, timeout=LONG)
    check(window, f"{job}, before")
    page.open_run(run)
    qtbot.waitUntil(lambda: page.view.outcome == "finished" and page.view.told.text() != "", timeout=LONG)
    each_tab(window, page.view.tabs, job)
    page.add_to_queue()
    page.list_runs()
    qtbot.waitUntil(lambda: page.runs.table.rowCount() > 0 or not page.runs._runs, timeout=LONG)
    page.runs.show_runs([summary(job, run, name) for name in ("", "a name that somebody has given to a run")])
    page.runs.select(run)
    page.view.tabs.setCurrentWidget(page.activity)
    check(window, f"{job}, runs that wait and runs that were")
    page.view.tabs.setCurrentWidget(page.view.curves)
    page.view.curves.show_details(True)
    check(window, f"{job}, all curves")
    page.view.curves.show_details(False)
    while window.workspace.queue.runs:
        window.workspace.queue.remove(0)


def summary(job: str, run: Path, name: str) -> RunSummary:
    """A run as it stands in the list, with all that can be said of one."""
    return RunSummary(
        path=run, title=Message("{task} on {folder}", task="Jigsaw", folder="pictures of somebody"), job=job,
        outcome="interrupted", step=9, total_steps=99, headline="", modified=1_700_000_000.0, name=name,
        score=0.5, labels=1234, seconds=4000.0, source="2026-11-25 19.15 something",
    )  # fmt: skip


def look_at_results(window: MainWindow, run: Path, qtbot: QtBot) -> None:
    window.go("results")
    page = window.pages["results"]
    assert isinstance(page, ResultsPage)
    window.workspace.show_result(run)
    qtbot.waitUntil(lambda: page.results is not None, timeout=LONG)

    def looked(number: int) -> None:
        if number == 3:
            qtbot.waitUntil(lambda: bool(page.map.spots), timeout=LONG)

    each_tab(window, page.tabs, f"results {run.name}", looked)


def test_every_dialog(small: MainWindow, real_dialogs: None, qtbot: QtBot) -> None:
    seen: list[str] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            return
        try:
            check(dialog, dialog.windowTitle())
            assert not isinstance(dialog.focusWidget(), QScrollArea), "a frame that means nothing"
        finally:
            seen.append(dialog.windowTitle())
            dialog.close()

    watch = QTimer(small, interval=50)
    watch.timeout.connect(look)
    watch.start()
    small.preferences.show()
    small.help.keys()
    small.help.about()
    qtbot.waitUntil(lambda: len(seen) == 3, timeout=LONG)
    watch.stop()


def box(inner: QWidget, width: int = 60, height: int = 40) -> QWidget:
    holder = QWidget()
    holder.resize(width, height)
    inner.setParent(holder)
    return holder


@pytest.mark.parametrize("kind", ["label", "high label", "button", "combo", "tabs", "outside"])
def test_what_is_cut_off_is_found(kind: str, qtbot: QtBot) -> None:
    said = "more words than there is room for"
    one: QWidget
    if kind == "button":
        one = QPushButton(said)
    elif kind == "combo":
        one = QComboBox()
        one.addItem(said)
    elif kind == "tabs":
        one = QTabBar()
        for word in said.split():
            one.addTab(word)
    else:
        one = QLabel(said, wordWrap=kind == "high label")
    holder = box(one)
    qtbot.addWidget(holder)
    one.resize(400 if kind == "outside" else 58, 14 if kind == "high label" else 38)
    holder.show()
    assert len(clipped(holder)) == 1, clipped(holder)


def test_what_scrolls_may_be_long_and_what_wraps_may_be_narrow(qtbot: QtBot) -> None:
    lines = [text("a few words that are wrapped into lines") for _ in range(40)]
    holder = QWidget()
    qtbot.addWidget(holder)
    inner = QWidget()
    layout = column(*lines)
    inner.setLayout(layout)
    holder.setLayout(row((make_scrollable(inner), 1)))
    holder.resize(200, 120)
    holder.show()
    QApplication.processEvents()
    assert clipped(holder) == []
    layout.addWidget(QPushButton("a button that is wider than what there is room for"))
    QApplication.processEvents()
    assert any("what scrolls" in one for one in clipped(holder))
