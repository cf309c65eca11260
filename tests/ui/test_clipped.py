"""Nothing that is written is cut off: each page and dialog, in a window of 1280 x 720 and, in German, whose words are
longer, in the smallest window that there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QDeadlineTimer, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QScrollArea, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets.layout import column, make_scrollable, row, text
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.support.clipped import clipped
from tests.support.walk import PLACES, Walk
from tests.ui.conftest import Said

LONG = 60_000
SMALLEST = (1000, 680)


@contextmanager
def opened(size: tuple[int, int], said: Said, qtbot: QtBot) -> Iterator[MainWindow]:
    """The window of a size, with the engine loaded."""
    made = MainWindow()
    qtbot.addWidget(made)
    made.resize(*size)
    made.show()
    with changing(qtbot, made.workspace, Change.ENGINE, LONG):
        made.workspace.load_engine()
    yield made
    assert said.errors == []


@pytest.fixture
def small(spoken: str, said: Said, qtbot: QtBot) -> Iterator[MainWindow]:
    """The window on a small screen."""
    with opened((1280, 720) if spoken == "en" else SMALLEST, said, qtbot) as made:
        yield made


@pytest.fixture
def narrow(german: None, said: Said, qtbot: QtBot) -> Iterator[MainWindow]:
    """The smallest window, in German."""
    with opened(SMALLEST, said, qtbot) as made:
        yield made


def check(window: QWidget, where: str) -> None:
    """Nothing is cut off once the layouts have settled."""
    deadline = QDeadlineTimer(2000)
    QApplication.processEvents()
    while (found := clipped(window)) and not deadline.hasExpired():
        QApplication.processEvents()
    assert found == [], f"{where}: " + "; ".join(found)


@pytest.mark.parametrize("place", PLACES)
def test_every_page(
    place: str, small: MainWindow, sample_folder: Path, qtbot: QtBot, request: pytest.FixtureRequest
) -> None:
    Walk(small, check, qtbot).go(place, sample_folder, request.getfixturevalue)


class Lists:
    """Opens the list of each combo box that is shown, as a click does, and looks at it; a box is opened once."""

    def __init__(self) -> None:
        self.seen: set[QComboBox] = set()

    def look(self, root: QWidget, where: str) -> None:
        """All boxes that can be used now."""
        QApplication.processEvents()
        for box in root.findChildren(QComboBox):
            if box.isVisible() and box.isEnabled() and box.count() and box not in self.seen:
                self.seen.add(box)
                self.open(box, f"{where}, {box.accessibleName()}")

    def open(self, box: QComboBox, where: str) -> None:
        """The first choice is seen, and no choice is cut."""
        at = box.mapTo(box.window(), QPoint(box.width() // 2, box.height() // 2))
        QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(box.width() // 2, box.height() // 2))
        QApplication.processEvents()
        view = box.view()
        try:
            assert view.isVisible(), f"{where}: a click at {at} does not open it"
            inside = view.viewport().rect()
            if box.count() <= box.maxVisibleItems():
                first = view.visualRect(box.model().index(0, box.modelColumn(), box.rootModelIndex()))
                assert inside.contains(first), f"{where}: the first choice is at {first} of {inside}"
            for number in range(box.count()):
                needs = view.sizeHintForIndex(box.model().index(number, box.modelColumn())).width()
                assert needs <= inside.width(), f"{where}: “{box.itemText(number)}” needs {needs} of {inside.width()}"
            assert box.screen().availableGeometry().contains(view.window().geometry()), f"{where}: leaves the screen"
        finally:
            box.hidePopup()


@pytest.mark.parametrize("place", PLACES)
def test_every_list_of_choices(
    place: str, narrow: MainWindow, sample_folder: Path, qtbot: QtBot, request: pytest.FixtureRequest
) -> None:
    lists = Lists()
    Walk(narrow, lists.look, qtbot).go(place, sample_folder, request.getfixturevalue)


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
