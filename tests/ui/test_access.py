"""Without a mouse and without eyes: everything that takes the focus says what it is, and Tab reaches all of it."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QTabBar, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.main_window import MainWindow

LONG = 60_000


def focusable(page: QWidget) -> list[QWidget]:
    """What Tab stops at."""
    return [
        one
        for one in page.findChildren(QWidget)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.isVisible()
        and one.isEnabled()
        and one.focusProxy() is None
        and one.objectName() != "qt_spinbox_lineedit"  # the box around it speaks
    ]


def spoken(widget: QWidget) -> str:
    """What a screen reader says of it."""
    interface = QAccessible.queryAccessibleInterface(widget)
    parts = [interface.text(QAccessible.Text.Name), interface.text(QAccessible.Text.Value)] if interface else []
    if isinstance(widget, QTabBar):  # it says the name of the tab that is shown
        parts.append(widget.tabText(widget.currentIndex()))
    return " ".join(part for part in parts if part)


def described(widget: QWidget) -> str:
    parents: list[str] = []
    above: QWidget | None = widget
    while above is not None and len(parents) < 4:
        parents.append(f"{type(above).__name__}#{above.objectName()}")
        above = above.parentWidget()
    return " < ".join(parents)


def page_of(window: MainWindow) -> QWidget:
    page = window.stack.currentWidget()
    assert page is not None
    return page


@pytest.fixture
def shown(window: MainWindow, sample: object, qtbot: QtBot) -> MainWindow:
    """The window with the sample open."""
    window.resize(1280, 800)
    with qtbot.waitSignal(window.study.checked, timeout=LONG):
        window.open_folder(sample)  # type: ignore[arg-type]
    return window


def test_everything_that_takes_the_focus_has_a_name(shown: MainWindow, qtbot: QtBot) -> None:
    silent = []
    for step in shown.step_titles():
        shown.go(step)
        qtbot.wait(50)
        page = page_of(shown)
        for widget in [*focusable(page), shown.steps]:
            if not spoken(widget):
                silent.append(f"{step}: {described(widget)}")
    assert not silent, "\n".join(silent)


def test_tab_goes_round_every_page(shown: MainWindow, qtbot: QtBot) -> None:
    for step in shown.step_titles():
        shown.go(step)
        qtbot.wait(50)
        page = page_of(shown)
        reached: set[QWidget] = set()
        one = page.nextInFocusChain()
        while one is not None and one is not page and one not in reached:
            reached.add(one)
            one = one.nextInFocusChain()
        assert set(focusable(page)) <= reached, step
