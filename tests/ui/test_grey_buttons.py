"""A grey button says why, Enter presses what has the focus, and what can be dropped can be chosen."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QPushButton, QTabWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.pages.puzzles.page import PretextPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import disable, enable, offer
from sslstudio.ui.widgets.layout import button
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said

LONG = 60_000
PAGES = ("images", "pretext", "pretrain", "finetune", "compare", "journey")


def silent(window: MainWindow) -> list[str]:
    """Grey buttons on the screen that do not say why."""
    shown = [one for one in window.findChildren(QPushButton) if one.isVisible() and not one.isEnabled()]
    return [f"{window.shown}: {one.text() or one.accessibleName()}" for one in shown
            if not (one.toolTip() and one.accessibleDescription() and one.statusTip())]  # fmt: skip


def test_every_grey_button_says_why(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    found: list[str] = []
    for name in PAGES:
        window.go(name)
        found += silent(window)
    with changing(qtbot, window.workspace, Change.PICTURES, LONG):
        window.open_folder(sample)
    for name in PAGES:
        window.go(name)
        page = window.pages[name]
        for tabs in page.findChildren(QTabWidget):
            for number in range(tabs.count()):
                tabs.setCurrentIndex(number)
                found += silent(window)
        found += silent(window)
    assert found == []


def test_a_reason_comes_and_goes_with_the_grey(qtbot: QtBot) -> None:
    one = button("Start", lambda: None)
    qtbot.addWidget(one)
    one.setToolTip("Starts it.")
    disable(one, "Choose pictures first.")
    disable(one, "A training goes on.")
    assert not one.isEnabled()
    assert {one.toolTip(), one.accessibleDescription(), one.statusTip()} == {"A training goes on."}
    enable(one)
    assert (one.isEnabled(), one.toolTip(), one.accessibleDescription(), one.statusTip()) == (
        True,
        "Starts it.",
        "",
        "",
    )
    offer(one, unless="No.")
    assert not one.isEnabled()
    offer(one, unless="")
    assert one.isEnabled()


def test_the_way_on_does_not_wait_for_puzzles(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.PICTURES, LONG):
        window.open_folder(sample)
    window.go("pretext")
    page = window.pages["pretext"]
    assert isinstance(page, PretextPage)
    page._face(page.waiting)
    assert page.forward.isEnabled()
    assert "being made" in page.another.toolTip()
    assert sum(not page.tasks.isRowHidden(at) for at in range(page.tasks.count())) <= 4
    page.others.click()
    assert not any(page.tasks.isRowHidden(at) for at in range(page.tasks.count()))
    qtbot.waitUntil(lambda: page._job is None and not page.clinic.under_way, timeout=LONG)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_presses_the_button_with_the_focus(window: MainWindow, qtbot: QtBot, key: Qt.Key) -> None:
    window.activateWindow()
    window.switch.setFocus()
    qtbot.waitUntil(window.switch.hasFocus)
    QTest.keyClick(window.switch, key)
    assert window.shown == "journey"


def test_enter_in_a_sheet_presses_nothing_that_has_no_focus(qtbot: QtBot) -> None:
    pressed: list[str] = []
    sheet, inside = dialogs.Sheet(None), QWidget()
    qtbot.addWidget(sheet)
    choose, field = button("Choose…", lambda: pressed.append("choose")), QWidget()
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    layout = QVBoxLayout(inside)
    for one in (field, choose):
        layout.addWidget(one)
    QVBoxLayout(sheet).addWidget(inside)
    sheet.show()
    sheet.activateWindow()
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert pressed == []
    assert sheet.isVisible()
    choose.setFocus()
    QTest.keyClick(choose, Qt.Key.Key_Return)
    assert pressed == ["choose"]
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert sheet.result() == QDialog.DialogCode.Rejected


def test_a_table_of_labels_is_opened_by_a_dialog_as_by_drop(
    window: MainWindow, sample: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    table = tmp_path / "labels.csv"
    names = sorted(str(one.relative_to(sample)) for one in (sample / "images").rglob("*.png"))
    table.write_text("file,label\n" + "".join(f"{name},{'ab'[at % 2]}\n" for at, name in enumerate(names)))
    with changing(qtbot, window.workspace, Change.PICTURES, LONG):
        window.open_folder(sample)
    said.file = table
    with changing(qtbot, window.workspace, Change.PICTURES, LONG):
        window.workspace.wants_file.emit()
    assert window.workspace.labels_file == str(table)
    assert window.workspace.recognised is not None
    assert window.workspace.recognised.classes is not None
    assert window.workspace.recognised.classes.names == ("a", "b")


def test_over_an_open_project_it_says_what_would_be_opened(window: MainWindow, sample: Path, qtbot: QtBot) -> None:
    with changing(qtbot, window.workspace, Change.PICTURES, LONG):
        window.open_folder(sample)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(sample))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dragEnterEvent(QDragEnterEvent(QPoint(300, 300), Qt.DropAction.CopyAction, data, buttons, keys))
    assert window.hint.isVisible()
    assert "little zoo" in window.hint.told.text()
    window.dragLeaveEvent(QDragLeaveEvent())
    assert not window.hint.isVisible()
