"""The Help menu: keys, parts with licences, a bug report; and the dialog that shows a table."""

import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QApplication, QDialog, QTableWidget, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.crash_trace import LastEnd
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.mishaps import keep_trace
from sslstudio.ui.shell.licence_texts import LicenceTexts
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.dialogs import show_table
from sslstudio.ui.widgets.shortcuts import CHOOSE_KEYS, CLASS_KEYS
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said

shown = show_table  # the real one: tests get another in its place


def test_the_question_mark_shows_every_key(window: MainWindow, said: Said) -> None:
    actions = [action for menu in window.menuBar().actions() for action in menu.menu().actions()]  # type: ignore[attr-defined]
    next(action for action in actions if action.shortcut().toString() == "?").trigger()
    title, rows = said.tables[-1]
    assert title == "Keys"
    assert ("File", "Open a folder", "Ctrl+O") in rows
    assert ("Help", "Keys", "?") in rows
    menus = {action.text().replace("&", "") for action in window.menuBar().actions()}
    in_menus = [row for row in rows if row[0] in menus]
    assert len(in_menus) == sum(not action.shortcut().isEmpty() for action in actions)
    assert {row[0] for row in rows} - menus >= {"Label", "Puzzles, played", "Maps of pictures", "Plots"}


PAGES = (
    ("label", "Label"), ("results", "Results, doubtful labels"), ("pretrain", "Pretrain, the split"),
    ("finetune", "Fine-tune, the split"),
)  # fmt: skip


def test_the_sheet_names_the_keys_that_the_pages_listen_to(
    window: MainWindow, said: Said, sample: Path, qtbot: QtBot
) -> None:
    with changing(qtbot, window.workspace, Change.READABLE, 20_000):
        window.open_folder(sample)
    rows = window.help.key_rows()
    for page, row in PAGES:
        window.go(page)
        heard = {one.key().toString() for one in window.pages[page].findChildren(QShortcut)} - {"Ctrl+=", *CHOOSE_KEYS}
        told = {key for where, _, key in rows if where == row}
        assert heard - {*CLASS_KEYS} <= told
        if page == "label":
            assert heard >= {*CLASS_KEYS}
            assert {"1 to 9, 0", "Space", "H", "Return", "Backspace", "Esc"} == told - heard
        else:
            assert told == heard


def test_about_names_the_parts_with_their_licences(window: MainWindow, said: Said, qtbot: QtBot) -> None:
    window.help.about()
    qtbot.waitUntil(lambda: bool(said.tables), timeout=20_000)
    _, rows = said.tables[-1]
    assert {"pillow", "torch"} <= {row[0] for row in rows}
    assert all(len(row) == 3 for row in rows)


def test_the_licence_texts_of_all_parts_can_be_read(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    seen: list[LicenceTexts] = []

    def look(parent: QWidget, title: str, sheet: QWidget) -> None:
        assert isinstance(sheet, LicenceTexts)
        seen.append(sheet)

    monkeypatch.setattr(dialogs, "show_sheet", look)
    window.help.licences()
    qtbot.waitUntil(lambda: bool(seen), timeout=20_000)
    (sheet,) = seen
    (torch,) = sheet.names.findItems("torch", Qt.MatchFlag.MatchExactly)
    sheet.names.setCurrentItem(torch)
    assert "Redistribution and use in source and binary forms" in sheet.text.toPlainText()
    sheet.deleteLater()


def test_a_report_is_written_where_it_is_wanted(window: MainWindow, said: Said, tmp_path: Path, qtbot: QtBot) -> None:
    keep_trace(DataError("the pictures ran away"))
    said.words = "It vanished while I looked."
    said.file = tmp_path / "report.zip"
    window.help.report()
    qtbot.waitUntil(lambda: bool(said.questions), timeout=20_000)
    with zipfile.ZipFile(said.file) as archive:
        assert "the pictures ran away" in archive.read("log.txt").decode()
        assert archive.read("what happened.txt").decode() == "It vanished while I looked."


def test_an_end_without_a_word_is_told_at_the_next_start(window: MainWindow, said: Said, tmp_path: Path) -> None:
    said.words = None  # the report is looked at, and not written
    window.help.tell_ended(LastEnd(1, "2026-12-01 10:00:00", ""))
    assert "No trace could be written" in said.questions[-1]
    window.help.tell_ended(LastEnd(1, "2026-12-01 10:00:00", "Fatal Python error: Segmentation fault"))
    assert "ended unexpectedly last time. Where it happened is in the log." in said.questions[-1]


def test_no_report_is_written_when_no_file_is_chosen(window: MainWindow, said: Said, tmp_path: Path) -> None:
    window.help.report()
    assert not said.questions


def test_long_lines_of_a_table_are_read_in_full(qapp: QApplication) -> None:
    heights: list[tuple[int, int]] = []

    def look() -> None:
        dialog = qapp.activeModalWidget()
        assert isinstance(dialog, QDialog)
        view = dialog.findChild(QTableWidget)
        assert isinstance(view, QTableWidget)
        qapp.processEvents()
        heights.append((view.rowHeight(0), view.rowHeight(1)))
        dialog.reject()

    QTimer.singleShot(50, look)
    shown(None, "Keys", "", ["Where", "What", "Key"], [("a", "what it does " * 40, "b"), ("a", "what it does", "b")])
    assert heights[0][0] > heights[0][1] + 20


@pytest.mark.parametrize("told", ["", "Some words above."])
def test_a_table_is_shown_and_closed(qapp: QApplication, qtbot: QtBot, told: str) -> None:
    seen: list[tuple[str, str]] = []

    def look() -> None:
        dialog = qapp.activeModalWidget()
        assert isinstance(dialog, QDialog)
        view = dialog.findChild(QTableWidget)
        assert isinstance(view, QTableWidget)
        cell = view.item(1, 1)
        seen.append((dialog.windowTitle(), cell.text() if cell else ""))
        dialog.reject()

    QTimer.singleShot(0, look)
    shown(None, "Keys", told, ["What", "Key"], [("Open", "Ctrl+O"), ("Start", "Ctrl+Return")])
    assert seen == [("Keys", "Ctrl+Return")]
