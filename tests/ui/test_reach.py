"""Everything in the window is reached with the keys and has a name: on each page, with real pictures and real runs."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QMenu,
    QScrollBar,
    QTabBar,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from sslstudio.ui.pages.compare.experiment_view import EfficiencyView
from sslstudio.ui.pages.compare.page import ComparePage
from sslstudio.ui.pages.journey.controller import BUSY, Stage
from sslstudio.ui.pages.journey.page import JourneyPage
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.spec import SIMPLE, page_names
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.plots.canvas import PlotCanvas
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.shell.tab_order import ReadingOrder
from sslstudio.ui.widgets.shortcuts import CLASS_KEYS
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.pages.compare.test_efficiency_plot import table

LONG = 60_000
KINDS = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QAbstractSlider, QAbstractItemView, PlotCanvas)
PARTS = (QScrollBar, QHeaderView, QTabBar, QTabWidget)  # named and reached by what they belong to
HOLDERS = (QAbstractSpinBox, QComboBox, QTabBar, QHeaderView, QAbstractItemView)


class Windows(QObject):
    """Notes what is shown as a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A menu and a tool tip are windows too, and meant to be."""
        shown = event.type() is QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow()
        if shown and not isinstance(watched, (MainWindow, QMenu)):
            self.seen.append(repr(watched))
        return False


@pytest.fixture
def windows(qapp: QApplication) -> Iterator[Windows]:
    """What was shown outside of the window."""
    watcher = Windows()
    qapp.installEventFilter(watcher)
    yield watcher
    qapp.removeEventFilter(watcher)


@pytest.fixture
def filled(window: MainWindow, sample_folder: Path, qtbot: QtBot) -> MainWindow:
    """The window with pictures that have classes and masks."""
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample_folder)
    window.resize(1280, 720)
    window.activateWindow()
    return window


def said(widget: QWidget) -> str:
    """What a screen reader calls it."""
    written = widget.text() if isinstance(widget, QAbstractButton) else ""
    return widget.accessibleName().strip() or written.strip()


def clickable(widget: QWidget) -> bool:
    """Whether it is one of ours that answers the mouse."""
    ours = (kind for kind in type(widget).__mro__ if kind.__module__.startswith("sslstudio"))
    return any("mousePressEvent" in vars(kind) for kind in ours)


def stands_behind(widget: QWidget) -> bool:
    """Whether another button of its group has the focus for all of them; the arrow keys lead from one to the next."""
    group = widget.group() if isinstance(widget, QAbstractButton) else None
    return group is not None and group.exclusive() and group.checkedButton() not in (None, widget)


def shown(window: MainWindow) -> list[QWidget]:
    """What a person can use just now."""
    inside = [
        one for one in window.findChildren(ReadingOrder)[0].findChildren(QWidget) if one.isVisible() and one.isEnabled()
    ]
    return [
        one for one in inside
        if (isinstance(one, KINDS) or clickable(one) or one.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and not isinstance(one, PARTS) and not isinstance(one.parentWidget(), HOLDERS) and one.focusProxy() is None
        and not stands_behind(one)
    ]  # fmt: skip


def walked(window: MainWindow, key: Qt.Key = Qt.Key.Key_Tab) -> list[QWidget]:
    """Where the key leads from the list of steps on, until it is back."""
    window.steps.setFocus()
    way: list[QWidget] = [window.steps]
    for _ in range(150):
        QTest.keyClick(way[-1], key)
        at = QApplication.focusWidget()
        if at is None or at is window.steps:
            return way
        assert at not in way, f"Tab runs in a ring that leaves out the rest: {at} {said(at)}"
        way.append(at)
    raise AssertionError("Tab does not come back")


def holders(widget: QWidget) -> list[QWidget]:
    """The widget and what holds it, the window first."""
    found: list[QWidget] = []
    at: QWidget | None = widget
    while at is not None:
        found.insert(0, at)
        at = at.parentWidget()
    return found


def back(one: QWidget, other: QWidget) -> bool:
    """Whether a reader would have to go back from one to the other: up in a column, or to the left in a row. Looked at
    where the two part: of what holds both, the two neighbours that hold one and the other."""
    parting = next((two for two in zip(holders(one), holders(other), strict=False) if two[0] is not two[1]), None)
    if parting is None:  # one holds the other
        return False
    here, there = parting[0].geometry(), parting[1].geometry()
    beside = here.top() < there.bottom() and there.top() < here.bottom()
    below = here.left() < there.right() and there.left() < here.right()
    return (below and there.bottom() < here.top()) or (beside and there.right() < here.left())


def check(window: MainWindow, where: str) -> None:
    """All that is shown has a name, is reached with Tab as one reads, and with Shift+Tab the other way."""
    QApplication.processEvents()
    for one in shown(window):
        assert said(one), f"{where}: {one} in {one.parentWidget()} has no name"
        assert one.focusPolicy() & Qt.FocusPolicy.TabFocus, f"{where}: no key leads to {one} {said(one)}"
    way = walked(window)
    missed = [f"{one} {said(one)}" for one in shown(window) if one not in way]
    assert not missed, f"{where}: Tab does not lead to {missed}"
    for one, following in pairwise(way):
        assert not back(one, following), f"{where}: from {said(one)} back to {said(following)}"
    assert walked(window, Qt.Key.Key_Backtab) == [way[0], *way[:0:-1]]


def each_tab(window: MainWindow, tabs: QTabWidget, where: str, ready: Callable[[int], None]) -> None:
    """Check what each of some tabs shows."""
    for number in range(tabs.count()):
        if tabs.isTabVisible(number):
            tabs.setCurrentIndex(number)
            ready(number)
            check(window, f"{where}, {tabs.tabText(number)}")


def nothing(number: int) -> None:
    """There is nothing to wait for."""


@pytest.mark.parametrize("name", page_names())
def test_an_empty_page(name: str, window: MainWindow, windows: Windows) -> None:
    window.activateWindow()
    window.go(name)
    check(window, name)
    assert windows.seen == []


@pytest.fixture
def simple(window: MainWindow) -> MainWindow:
    """The window on the simple way."""
    window.take_way(SIMPLE)
    window.resize(1280, 720)
    window.activateWindow()
    return window


def press(window: MainWindow, words: str) -> None:
    """Go to a button with Tab, and press it with a key."""
    one = next(one for one in walked(window) if words in said(one))
    one.setFocus()
    QTest.keyClick(one, Qt.Key.Key_Return)


def test_the_simple_way(simple: MainWindow, sample_folder: Path, windows: Windows, qtbot: QtBot) -> None:
    page = simple.pages["journey"]
    assert isinstance(page, JourneyPage)
    check(simple, "the goals")
    press(simple, "Sort pictures into classes")
    check(simple, "a goal without pictures")
    with changing(qtbot, simple.workspace, Change.READABLE, LONG):
        simple.open_folder(sample_folder)
    qtbot.waitUntil(lambda: page.learn.isVisible() and page.learn.isEnabled(), timeout=LONG)
    check(simple, "before learning")
    assert page.faces.currentWidget() is page.work
    simple.go("label")
    label = simple.pages["label"]
    assert isinstance(label, LabelPage)
    qtbot.waitUntil(lambda: label.faces.currentWidget() is label.board, timeout=LONG)
    each_tab(simple, label.board.tabs, "labels", lambda _: qtbot.waitUntil(lambda: label._asking is None, timeout=LONG))
    assert windows.seen == []


def test_learning_on_the_simple_way(simple: MainWindow, sample_folder: Path, windows: Windows, qtbot: QtBot) -> None:
    page = simple.pages["journey"]
    assert isinstance(page, JourneyPage)
    press(simple, "Sort pictures into classes")
    with changing(qtbot, simple.workspace, Change.READABLE, LONG):
        simple.open_folder(sample_folder)
    qtbot.waitUntil(lambda: page.learn.isVisible() and page.learn.isEnabled(), timeout=LONG)
    page.journey.minutes = 10.0  # it is stopped once all has been looked at
    press(simple, "Learn")
    qtbot.waitUntil(lambda: page.journey.stage is Stage.TUNING and page.journey.far[1] > 0, timeout=2 * LONG)
    check(simple, "while it learns")
    press(simple, "Stop")
    qtbot.waitUntil(lambda: page.journey.stage not in BUSY and not simple.workspace.runner.active, timeout=2 * LONG)
    check(simple, "stopped before there is a result")
    assert windows.seen == []


def test_a_result_on_the_simple_way(
    simple: MainWindow, sample_folder: Path, classified: Path, windows: Windows, qtbot: QtBot
) -> None:
    page = simple.pages["journey"]
    assert isinstance(page, JourneyPage)
    press(simple, "Sort pictures into classes")
    with changing(qtbot, simple.workspace, Change.READABLE, LONG):
        simple.open_folder(sample_folder)
    simple.workspace.show_result(classified)
    qtbot.waitUntil(lambda: page.journey.verdict is not None and page.journey.stage is Stage.DONE, timeout=LONG)
    assert "Next: " in page.next.text()
    check(simple, "the result")
    assert windows.seen == []


def test_a_map_of_the_simple_way(simple: MainWindow, sample_folder: Path, windows: Windows, qtbot: QtBot) -> None:
    page = simple.pages["journey"]
    assert isinstance(page, JourneyPage)
    press(simple, "Just explore")
    with changing(qtbot, simple.workspace, Change.READABLE, LONG):
        simple.open_folder(sample_folder)
    qtbot.waitUntil(lambda: page.learn.isVisible() and page.learn.isEnabled(), timeout=LONG)
    press(simple, "Learn")
    qtbot.waitUntil(lambda: page.journey.stage is Stage.DONE, timeout=LONG)
    assert page.sight.currentWidget() is page.map
    check(simple, "the map")
    assert windows.seen == []


def test_pictures_and_puzzles(filled: MainWindow, windows: Windows, qtbot: QtBot) -> None:
    images = filled.pages["images"]
    each_tab(filled, images.tabs, "images", nothing)  # type: ignore[attr-defined]
    filled.go("pretext")
    page = filled.pages["pretext"]
    assert isinstance(page, PretextPage)
    page.choose_task("jigsaw")
    qtbot.waitUntil(lambda: page.copy.isEnabled() and page.clinic.found is not None, timeout=LONG)

    def dealt(number: int) -> None:
        if number == 2:
            qtbot.waitUntil(page.play.view.isVisible, timeout=LONG)

    each_tab(filled, page.tabs, "puzzles", dealt)
    assert windows.seen == []


@pytest.mark.parametrize("job", ["pretrain", "finetune"])
def test_a_run(
    job: str, filled: MainWindow, windows: Windows, pretrained: Path, classified: Path, qtbot: QtBot
) -> None:
    filled.go(job)
    page = filled.pages[job]
    assert isinstance(page, RunPage)
    qtbot.waitUntil(lambda: page.settings is not None, timeout=LONG)
    page.add_to_queue()
    page.open_run(pretrained if job == "pretrain" else classified)
    qtbot.waitUntil(lambda: page.view.outcome == "finished" and page.view.told.text() != "", timeout=LONG)
    page.view.curves.show_details(True)
    curves = [one for one in page.view.findChildren(PlotCanvas) if one.isVisible()]
    assert len(curves) >= 2
    qtbot.waitUntil(lambda: all(": " in said(one) and one.accessibleDescription() for one in curves), timeout=LONG)
    each_tab(filled, page.view.tabs, job, nothing)
    assert windows.seen == []


def test_labelling(filled: MainWindow, windows: Windows, qtbot: QtBot) -> None:
    filled.go("label")
    page = filled.pages["label"]
    assert isinstance(page, LabelPage)
    qtbot.waitUntil(lambda: page.faces.currentWidget() is page.board, timeout=LONG)
    each_tab(filled, page.board.tabs, "label", lambda _: qtbot.waitUntil(lambda: page._asking is None, timeout=LONG))
    assert windows.seen == []


@pytest.mark.parametrize("kind", ["classified", "segmented"])
def test_results(kind: str, filled: MainWindow, windows: Windows, qtbot: QtBot, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(kind)
    filled.go("results")
    page = filled.pages["results"]
    assert isinstance(page, ResultsPage)
    filled.workspace.show_result(run)
    qtbot.waitUntil(lambda: page.results is not None, timeout=LONG)

    def looked(number: int) -> None:
        if number == 3:
            qtbot.waitUntil(lambda: bool(page.map.spots), timeout=LONG)
        if number == 4 and kind == "classified":
            qtbot.waitUntil(lambda: page.doubts.lines is not None, timeout=LONG)

    each_tab(filled, page.tabs, "results", looked)
    assert windows.seen == []


def test_comparing(filled: MainWindow, windows: Windows, qtbot: QtBot) -> None:
    filled.go("compare")
    page = filled.pages["compare"]
    assert isinstance(page, ComparePage)
    qtbot.waitUntil(lambda: page.clinic.found is not None, timeout=LONG)
    for kind in page.kinds:
        page.tabs.setCurrentWidget(kind)
        if isinstance(kind.view, EfficiencyView):
            kind.view.show_rows(table(3))
            assert kind.view.plot.plot.isVisible()
        each_tab(filled, kind.view.tabs, f"compare {kind.job}", nothing)
    assert windows.seen == []


def test_the_matrix_is_walked_with_the_keys(filled: MainWindow, classified: Path, qtbot: QtBot) -> None:
    filled.go("results")
    page = filled.pages["results"]
    assert isinstance(page, ResultsPage)
    filled.workspace.show_result(classified)
    qtbot.waitUntil(lambda: page.results is not None, timeout=LONG)
    page.tabs.setCurrentIndex(1)
    page.matrix.setFocus()
    names = page.results.metrics["classes"]  # type: ignore[union-attr]
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        QTest.keyClick(page.matrix, key)
    assert page.matrix.accessibleDescription() == page.matrix.said(1, 2)
    QTest.keyClick(page.matrix, Qt.Key.Key_Return)
    assert page.tabs.currentIndex() == 2
    assert f"“{names[1]}” and taken for “{names[2]}”" in page.predictions.told.text()


def test_every_command_is_in_a_menu_and_no_key_stands_for_two(window: MainWindow) -> None:
    for name in page_names():
        window.go(name)
    menus = [one.menu() for one in window.menuBar().actions()]
    offered = [action for menu in menus for action in menu.actions() if action.text()]  # type: ignore[attr-defined]
    own = [one for one in window.findChildren(QAction) if isinstance(one.parent(), QMenu) and one.shortcut().toString()]
    assert set(own) <= set(offered)
    everywhere = [action.shortcut().toString() for action in offered if not action.shortcut().isEmpty()]
    assert len(everywhere) > 12
    listed = " ".join(key for *_, key in window.help.key_rows())
    for holder in (window, *window.pages.values()):
        here = holder.findChildren(QShortcut, options=Qt.FindChildOption.FindDirectChildrenOnly)
        keys = [*everywhere, *(one.key().toString() for one in here)]
        assert sorted(keys) == sorted(set(keys)), f"a key stands for two things in {holder}"
        assert [key for key in keys if key not in listed and key not in ("Esc", "Ctrl+=", *CLASS_KEYS)] == []
