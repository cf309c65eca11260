"""Every text of each page and dialog is read in both schemes: 4.5 to 1 against what it is painted on, as WCAG 2 asks;
and what the newer pages are worked with has a name and is reached with the keys."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QDeadlineTimer, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.base.theme import theme
from sslstudio.ui.gallery.requests import Wish, requests
from sslstudio.ui.pages.images.page import ImagesPage
from sslstudio.ui.pages.journey.page import JourneyPage
from sslstudio.ui.pages.label.gallery import PROPOSED
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.spec import EXPERT, SIMPLE, page_names
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.support.contrast import faint
from tests.ui.test_reach import KINDS, PARTS, said

LONG = 60_000


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest, qapp: QApplication) -> str:
    """The window in this scheme."""
    return str(request.param)


def check(root: QWidget, where: str) -> None:
    """All is read, and what is used has a name."""
    deadline = QDeadlineTimer(2000)
    QApplication.processEvents()
    while (found := faint(root)) and not deadline.hasExpired():
        QApplication.processEvents()
    assert found == [], f"{where}: " + "; ".join(found)
    used = [one for one in root.findChildren(QWidget) if isinstance(one, KINDS) and one.isVisible()]
    nameless = [one for one in used if not isinstance(one, PARTS) and not said(one) and not _is_part(one)]
    assert nameless == [], f"{where}: without a name: {nameless}"


def _is_part(one: QWidget) -> bool:
    """A piece of something that has the name: the line of a field, the popup of a box, a corner of a bar."""
    holder = one.parentWidget()
    return one.objectName().startswith("qt_") or (holder is not None and isinstance(holder, (*KINDS, *PARTS)))


def each_tab(window: MainWindow, tabs: QTabWidget, where: str, ready: Callable[[int], None] = lambda _: None) -> None:
    for number in range(tabs.count()):
        if tabs.isTabVisible(number):
            tabs.setCurrentIndex(number)
            ready(number)
            check(window, f"{where}, {tabs.tabText(number)}")


def test_every_page_is_read(
    scheme: str, window: MainWindow, sample_folder: Path, pretrained: Path, classified: Path, qtbot: QtBot
) -> None:
    theme().follow(scheme)
    window.resize(1280, 720)
    for name in page_names():
        window.go(name)
        check(window, f"{name}, empty")
    simple_way(window)
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample_folder)
    images = window.pages["images"]
    assert isinstance(images, ImagesPage)
    each_tab(
        window, images.tabs, "images", lambda _: qtbot.waitUntil(lambda: not images.copies.copies.going, timeout=LONG)
    )
    viewer(window, images, qtbot)
    simple_way(window)
    window.go("pretext")
    check(window, "puzzles")
    for job, run in (("pretrain", pretrained), ("finetune", classified)):
        runs(window, job, run, qtbot)
    results(window, classified, qtbot)
    proposals(window, qtbot)
    window.palette_.open()
    check(window, "palette")
    window.palette_.close_again()
    window.go("compare")
    check(window, "compare")
    theme().follow("system")


def simple_way(window: MainWindow) -> None:
    """Each face of the page."""
    window.take_way(SIMPLE)
    page = window.pages["journey"]
    assert isinstance(page, JourneyPage)
    for goal in (None, "classes", "masks", "explore"):
        page.journey.choose(goal)
        check(window, f"simple way, {goal}")
    window.take_way(EXPERT)


def viewer(window: MainWindow, images: ImagesPage, qtbot: QtBot) -> None:
    """A picture seen closely."""
    images.tabs.setCurrentIndex(0)
    model = images.gallery.gallery
    requests().opened.emit(Wish([model.item(0), model.item(1)], 0, images.gallery, [0]))
    made = window.viewer.viewer
    assert made is not None
    qtbot.waitUntil(lambda: made._loaded is not None, timeout=LONG)
    check(made, "viewer")
    made.close()


def runs(window: MainWindow, job: str, run: Path, qtbot: QtBot) -> None:
    """Before, after, and the list of runs with one that waits."""
    window.go(job)
    page = window.pages[job]
    assert isinstance(page, RunPage)
    qtbot.waitUntil(lambda: page.settings is not None, timeout=LONG)
    page.open_run(run)
    qtbot.waitUntil(lambda: page.view.outcome == "finished" and page.view.told.text() != "", timeout=LONG)
    page.add_to_queue()
    each_tab(window, page.view.tabs, job)
    while window.workspace.queue.runs:
        window.workspace.queue.remove(0)


def results(window: MainWindow, run: Path, qtbot: QtBot) -> None:
    """Each tab, and the curve of further labels where there are enough for one."""
    window.go("results")
    page = window.pages["results"]
    assert isinstance(page, ResultsPage)
    window.workspace.show_result(run)
    qtbot.waitUntil(lambda: page.results is not None, timeout=LONG)

    def looked(number: int) -> None:
        if number == 3:
            qtbot.waitUntil(lambda: bool(page.map.spots), timeout=LONG)
        if number == 4:
            qtbot.waitUntil(lambda: page.doubts.lines is not None, timeout=LONG)

    each_tab(window, page.tabs, "results", looked)


def proposals(window: MainWindow, qtbot: QtBot) -> None:
    """What the network proposes, and the other kinds of labels."""
    window.go("label")
    page = window.pages["label"]
    assert isinstance(page, LabelPage)
    qtbot.waitUntil(lambda: page.faces.currentWidget() is page.board, timeout=LONG)
    each_tab(window, page.board.tabs, "label", lambda _: qtbot.waitUntil(lambda: page._asking is None, timeout=LONG))
    page.look_at_proposals()
    assert page.board.gallery.filter.currentIndex() == PROPOSED
    qtbot.waitUntil(lambda: not page.proposals.asking, timeout=LONG)
    check(window, "proposals")


def test_every_dialog_is_read(scheme: str, window: MainWindow, real_dialogs: None, qtbot: QtBot) -> None:
    theme().follow(scheme)
    seen: list[str] = []
    wrong: list[str] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            return
        try:
            check(dialog, dialog.windowTitle())
        except AssertionError as error:
            wrong.append(str(error))
        finally:
            seen.append(dialog.windowTitle())
            dialog.close()

    watch = QTimer(window, interval=50)
    watch.timeout.connect(look)
    watch.start()
    for opens in (window.preferences.show, window.help.keys, window.help.about, window.help.report):
        opens()
    qtbot.waitUntil(lambda: len(seen) == 4, timeout=LONG)
    watch.stop()
    assert wrong == []
    theme().follow("system")


@pytest.mark.parametrize(
    ("ink", "ground", "read"),
    [
        ("#767676", "#ffffff", True),
        ("#8a8a8a", "#ffffff", False),
        ("#8a8a8a", "#14181d", True),
        ("#4f5a66", "#14181d", False),
    ],
)
def test_what_is_faint_is_found(ink: str, ground: str, read: bool, qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    label = QLabel("a few words to read", holder)
    label.setStyleSheet(f"color: {ink}; background: {ground};")
    holder.resize(240, 60)
    label.setGeometry(10, 10, 220, 30)
    holder.show()
    assert bool(faint(holder)) is not read, faint(holder)
    label.setEnabled(False)
    assert faint(holder) == [], "what cannot be used may be grey"
