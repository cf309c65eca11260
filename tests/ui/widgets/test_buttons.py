"""Buttons that do more than be pressed."""

from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from sslstudio.ui.widgets.buttons import CopyButton, ExportButton


def test_a_command_is_asked_for_and_copied(qtbot: QtBot) -> None:
    button = CopyButton()
    qtbot.addWidget(button)
    before = button.text()
    button.wanted.connect(lambda: button.put("sslstudio train"))
    button.click()
    assert QGuiApplication.clipboard().text() == "sslstudio train"
    assert button.text() != before
    assert button.toolTip() == "sslstudio train"


def test_an_export_is_chosen_by_its_title(qtbot: QtBot) -> None:
    chosen = []
    button = ExportButton("Export", {"Table": lambda: chosen.append("table"), "Plot": lambda: chosen.append("plot")})
    qtbot.addWidget(button)
    button.choose("Plot")
    assert chosen == ["plot"]
