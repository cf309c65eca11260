"""Every text of each page and dialog is read in both schemes: 4.5 to 1 against what it is painted on, as WCAG 2 asks;
and what the newer pages are worked with has a name and is reached with the keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QDeadlineTimer, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.base.theme import theme
from sslstudio.ui.shell.main_window import MainWindow
from tests.support.contrast import faint
from tests.support.walk import PLACES, Walk
from tests.ui.test_reach import KINDS, PARTS, said

LONG = 60_000


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[str]:
    """The window in this scheme."""
    theme().follow(request.param)
    yield str(request.param)
    theme().follow("system")


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


@pytest.mark.parametrize("place", PLACES)
def test_every_page_is_read(
    place: str, scheme: str, window: MainWindow, sample_folder: Path, qtbot: QtBot, request: pytest.FixtureRequest
) -> None:
    window.resize(1280, 720)
    Walk(window, check, qtbot).go(place, sample_folder, request.getfixturevalue)


def test_every_dialog_is_read(scheme: str, window: MainWindow, real_dialogs: None, qtbot: QtBot) -> None:
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
