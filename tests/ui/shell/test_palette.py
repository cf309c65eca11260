"""Everything is found by typing and done by Enter; what is off says why; F1 leads to the manual wherever one is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.shell.palette import ENTRY, Entry
from sslstudio.ui.text.fuzzy import fit
from tests.ui.shell.test_preferences import show_sheet

Key = Qt.Key


def open_palette(window: MainWindow) -> list[Entry]:
    """Open it by its key; returns what it offers before anything is typed."""
    found = [action for action in window.findChildren(QAction) if action.shortcut().toString() == "Ctrl+Shift+P"]
    assert len(found) == 1
    found[0].trigger()
    assert window.palette_.isVisible()
    return window.palette_._entries


def first(window: MainWindow) -> Entry:
    entry = window.palette_.list.item(0).data(ENTRY)
    assert isinstance(entry, Entry)
    return entry


def type_in(window: MainWindow, said: str) -> None:
    window.palette_.field.clear()
    QTest.keyClicks(window.palette_.field, said)


def press(window: MainWindow, key: Qt.Key) -> None:
    QTest.keyClick(window.palette_.field, key)


def test_it_holds_every_menu_every_page_settings_and_the_manual(window: MainWindow) -> None:
    offered = {(one.title, one.group) for one in open_palette(window)}
    for bar in window.menuBar().actions():
        for action in bar.menu().actions():  # type: ignore[attr-defined]
            if not action.isSeparator():
                assert (action.text().replace("&", "").rstrip("…"), bar.text().replace("&", "")) in offered
    titles = {title for title, _ in offered}
    assert {spec.title() for spec in window.specs.values()} <= titles
    assert ("Batch size", "Setting: Pretrain") in offered
    assert ("Language", "Setting: Preferences") in offered
    assert ("Results", "Manual") in offered
    assert ("Proposals", "Manual: Labelling") in offered
    press(window, Key.Key_Escape)
    assert not window.palette_.isVisible()


def test_typing_finds_and_enter_does_without_the_mouse(window: MainWindow, qtbot: QtBot) -> None:
    open_palette(window)
    type_in(window, "finetu")
    assert first(window).title == "Fine-tune"
    press(window, Key.Key_Return)
    qtbot.waitUntil(lambda: window.shown == "finetune")
    assert not window.palette_.isVisible()
    open_palette(window)
    type_in(window, "kys hlp")
    assert window.palette_.list.count()
    type_in(window, "xqxqx")
    assert window.palette_.told.text() == "Nothing found"
    press(window, Key.Key_Return)
    press(window, Key.Key_Escape)


def test_what_is_off_says_why_and_does_nothing(window: MainWindow) -> None:
    open_palette(window)
    type_in(window, "stop and save")
    entry = first(window)
    assert (entry.title, entry.off) == ("Stop and save", "Nothing is being trained.")
    assert window.palette_.told.text() == "Nothing is being trained."
    assert "Nothing is being trained." in window.palette_.field.accessibleDescription()
    press(window, Key.Key_Return)
    assert window.palette_.isVisible()
    press(window, Key.Key_Escape)


def test_keys_are_shown_and_arrows_go_through_the_list(window: MainWindow) -> None:
    open_palette(window)
    type_in(window, "open a folder")
    assert first(window).keys == "Ctrl+O"
    type_in(window, "open")
    assert window.palette_.list.currentRow() == 0
    press(window, Key.Key_Down)
    press(window, Key.Key_Down)
    press(window, Key.Key_Up)
    assert window.palette_.list.currentRow() == 1
    press(window, Key.Key_Escape)


def test_it_is_painted_and_stays_in_the_window(window: MainWindow) -> None:
    open_palette(window)
    assert not window.palette_.grab().toImage().isNull()
    window.resize(1000, 640)
    QApplication.processEvents()
    assert window.rect().contains(window.palette_.geometry())
    press(window, Key.Key_Escape)


def test_it_leads_to_a_place_in_the_manual(window: MainWindow) -> None:
    open_palette(window)
    type_in(window, "doubtful labels")
    press(window, Key.Key_Return)
    assert window.help.reading is not None
    assert window.help.reading.file.name == "results.md"
    assert window.help.reading.browser.source().fragment() == "doubtful-labels"


def test_it_is_in_german(german: None, window: MainWindow) -> None:
    offered = {one.title for one in open_palette(window)}
    assert {"Projekt öffnen", "Ergebnisse", "Vorschläge"} <= offered
    type_in(window, "vorschlage")  # without the dots
    assert first(window).title == "Vorschläge"
    press(window, Key.Key_Escape)


@pytest.mark.parametrize(
    ("typed", "better", "worse"),
    [("ft", "Fine-tune", "Left"), ("open", "Open a folder", "Scope of pens"), ("res", "Results", "Largest")],
)
def test_starts_of_words_fit_better(typed: str, better: str, worse: str) -> None:
    best, rest = fit(typed, better), fit(typed, worse)
    assert best is not None
    assert rest is None or best > rest


@given(st.text("abc -ÄÖ", max_size=12), st.data())
def test_whatever_is_left_out_of_a_title_finds_it(title: str, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(title), max_size=len(title)))
    typed = "".join(sign for sign, keep in zip(title, kept, strict=True) if keep and sign != " ")
    assert fit(typed, title) is not None
    assert fit(f"{typed}z", title) is None


def test_f1_opens_the_manual_at_the_page_and_in_dialogs(window: MainWindow, qtbot: QtBot) -> None:
    window.go("label")
    window._show_manual()
    assert window.help.reading is not None
    assert window.help.reading.file.name == "labelling.md"
    window.help.reading.close()
    seen: list[str] = []

    def look() -> None:
        dialog = next(one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible())
        QTest.keyClick(dialog.focusWidget() or dialog, Key.Key_F1)
        reading = window.help.reading
        assert reading is not None
        seen.append(f"{reading.file.name}#{reading.browser.source().fragment()}")
        assert reading.parentWidget() is dialog  # else the dialog would not let it be used
        dialog.reject()

    QTimer.singleShot(50, look)
    field = QWidget(window)
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    show_sheet(window, "Preferences", field, "getting-started.md#preferences")
    QTimer.singleShot(50, look)
    plain = QWidget(window)
    plain.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    show_sheet(window, "Another", plain)
    assert seen == ["getting-started.md#preferences", "labelling.md#"]
    qtbot.waitUntil(lambda: window.help.reading is None)
