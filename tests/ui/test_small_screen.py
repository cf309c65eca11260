"""Every dialog of the program fits a screen of 1280 x 720 at 200 %, its button in sight."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from PySide6.QtCore import QPoint, QSettings, QTimer
from PySide6.QtWidgets import QApplication, QPushButton, QScrollArea
QSettings.setDefaultFormat(QSettings.Format.IniFormat)
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
app = QApplication([])
from sslstudio.engine.compute.device import DeviceFound
from sslstudio.engine.core.errors import DataError
from sslstudio.ui.text import translate
translate.speak(sys.argv[2], app)
from sslstudio.ui.base.theme import theme
from sslstudio.ui.shell.preferences_form import PreferencesForm
from sslstudio.ui.widgets import dialogs
theme()
screen = app.primaryScreen().availableGeometry()
assert (screen.width(), screen.height()) == (640, 360), screen

def look(name, call):
    def check():
        dialog = app.activeModalWidget()
        try:
            assert screen.contains(dialog.geometry()), (name, dialog.geometry())
            closing = [one for one in dialog.findChildren(QPushButton) if one.isVisible()][-1]
            corner = closing.mapTo(dialog, QPoint(closing.width(), closing.height()))
            assert dialog.rect().contains(corner), (name, corner, dialog.size())
            for area in dialog.findChildren(QScrollArea):
                inside = area.widget().minimumSizeHint().width()
                assert inside <= area.viewport().width(), (name, inside, area.viewport().width())
        finally:
            dialog.close()
    QTimer.singleShot(0, check)
    call()

def preferences():
    form = PreferencesForm()
    form.show_devices([DeviceFound("cuda:0", "NVIDIA H100 80GB HBM3"), DeviceFound("cpu", "CPU, 16 cores")])
    dialogs.show_sheet(None, "Preferences", form)

look("preferences", preferences)
rows = [("a part", "1.2", "MIT")] * 60
look("licences", lambda: dialogs.show_table(None, "About", "It is made of parts. " * 9, ["a", "b", "c"], rows))
look("short error", lambda: dialogs.tell_error(None, DataError("There is no folder /x. Choose another.")))
look("long error", lambda: dialogs.tell_error(None, DataError("This cannot be read, and there is more to say. " * 30)))
look("bug report", lambda: dialogs.tell(None, "Report", "The report is in /home/somebody/SSL Studio/report.zip. " * 3))
print("all seen")
"""


@pytest.mark.parametrize("language", ["en", "de"])
def test_dialogs_fit_a_small_screen(language: str, tmp_path: Path) -> None:
    """In a process of its own: the size of the screen is fixed when the program starts."""
    screen = {"name": "small", "x": 0, "y": 0, "width": 1280, "height": 720, "logicalDpi": 96, "logicalBaseDpi": 96}
    about = tmp_path / "screen.json"
    about.write_text(json.dumps({"screens": [screen | {"dpr": 1}]}))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), language],
        capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"QT_QPA_PLATFORM": f"offscreen:configfile={about}", "QT_SCALE_FACTOR": "2",
                          "SSLSTUDIO_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert "all seen" in done.stdout, done.stderr
    assert "Error" not in done.stderr
