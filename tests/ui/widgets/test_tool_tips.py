"""A name that looks like a page is shown letter by letter, and nothing that it names is opened."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QLabel, QListWidget, QListWidgetItem, QMessageBox, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.errors import DataError
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.layout import text
from sslstudio.ui.widgets.tool_tips import PlainToolTips, as_plain

NAME = "<img src=/etc/hostname><b>x</b>"


def _point_at(widget: QWidget, place: QPoint) -> bool:
    event = QHelpEvent(QEvent.Type.ToolTip, place, widget.mapToGlobal(place))
    return PlainToolTips(widget).eventFilter(widget, event)


def test_tool_tips_of_widgets_and_of_items_are_plain(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, said, widget: shown.append(said))
    label, view = QLabel("x"), QListWidget()
    for widget in (label, view):
        qtbot.addWidget(widget)
    label.setToolTip(NAME)
    assert _point_at(label, QPoint(1, 1))
    item = QListWidgetItem("x")
    item.setToolTip(NAME)
    view.addItem(item)
    assert _point_at(view.viewport(), view.visualItemRect(item).center())
    assert shown == [as_plain(NAME)] * 2
    assert "<img" not in shown[0]
    label.setToolTip("plain")
    assert not _point_at(label, QPoint(1, 1))  # Qt's own


def test_texts_and_boxes_are_plain(qtbot: QtBot, real_dialogs: None) -> None:
    assert text(NAME).textFormat() == Qt.TextFormat.PlainText
    seen: list[tuple[Qt.TextFormat, str]] = []

    def look() -> None:
        for box in QApplication.topLevelWidgets():
            if isinstance(box, QMessageBox) and box.isVisible():
                seen.append((box.textFormat(), box.text()))
                box.reject()

    for shows in (
        lambda: dialogs.tell(None, "x", NAME),
        lambda: dialogs.tell_error(None, DataError("{name} is odd", name=NAME)),
        lambda: dialogs.ask(None, NAME, "yes", "no"),
        lambda: dialogs.choose(None, NAME, {"a": "A"}, "stay"),
    ):
        QTimer.singleShot(50, look)
        shows()
    assert [kind for kind, _ in seen] == [Qt.TextFormat.PlainText] * 4
    assert all(NAME in said for _, said in seen)


def test_every_label_of_the_window_is_made_plain() -> None:
    """Labels are made by `text`; one that is not says what it takes its text for, or its text is the program's own."""
    ours = Path(dialogs.__file__).parents[1]
    loose = [
        f"{file.name}: {line.strip()}"
        for file in ours.rglob("*.py")
        for content in [file.read_text(encoding="utf-8")]
        for line in content.splitlines()
        if "QLabel(" in line and "self.tr(" not in line and "PlainText" not in content
    ]
    assert loose == ['hover_card.py: self.picture, self.caption = QLabel(), text("", "small", wrap=False)']
