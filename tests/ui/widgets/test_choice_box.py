"""A long choice ends in dots where the box is narrow, and is all there where it is wide."""

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from sslstudio.ui.widgets.choice_box import ChoiceBox

TITLE = "11-25 16.08  Jigsaw puzzle on Sample pictures"


@pytest.mark.qt_log_ignore(r"raise\(\)", "propagateSizeHints")  # a plugin without a screen can do neither for a tip
def test_a_long_choice_ends_in_dots_and_is_said_in_full(qtbot: QtBot) -> None:
    box = ChoiceBox()
    qtbot.addWidget(box)
    box.addItem(TITLE)
    assert box.minimumSizeHint().width() < box.fontMetrics().horizontalAdvance(TITLE)
    box.resize(200, 32)
    box.show()
    assert box.shown_text() != TITLE
    assert box.shown_text().endswith("…")
    assert box.grab().toImage() != box_that_says(box.shown_text()[:-1], qtbot).grab().toImage()
    pointed = QHelpEvent(QHelpEvent.Type.ToolTip, QPoint(5, 5), box.mapToGlobal(QPoint(5, 5)))
    QApplication.sendEvent(box, pointed)
    assert QToolTip.text() == TITLE
    QToolTip.hideText()
    box.resize(600, 32)
    assert box.shown_text() == TITLE


def test_what_is_drawn_is_what_is_shown(qtbot: QtBot) -> None:
    box = ChoiceBox()
    qtbot.addWidget(box)
    box.addItem(TITLE)
    box.resize(200, 32)
    box.show()
    assert box.grab().toImage() == box_that_says(box.shown_text(), qtbot).grab().toImage()


def box_that_says(said: str, qtbot: QtBot) -> ChoiceBox:
    box = ChoiceBox()
    qtbot.addWidget(box)
    box.addItem(said)
    box.resize(200, 32)
    box.show()
    return box
