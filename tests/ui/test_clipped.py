"""Nothing that is written is cut off: each page and dialog, in a window of 1280 x 720 and, in German, whose words are
longer, in the smallest window that there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QDeadlineTimer, QTimer
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
