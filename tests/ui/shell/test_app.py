from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.errors import StudioError
from sslstudio.ui.shell import app
from sslstudio.ui.shell.main_window import MainWindow
from tests.ui.conftest import Said


def test_without_a_screen_it_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(app.sys, "platform", "linux")  # type: ignore[attr-defined]
    with pytest.raises(StudioError, match="no screen"):
        app.run()


@pytest.mark.parametrize("name", ["QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"])
def test_any_screen_will_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "something")
    app.check_screen()


def test_the_program_opens_on_a_folder_and_ends_with_its_window(
    qtbot: QtBot, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.sys, "excepthook", app.sys.excepthook)  # type: ignore[attr-defined]  # put back afterwards
    shown: list[str] = []

    def look() -> None:
        for window in QApplication.topLevelWidgets():
            if isinstance(window, MainWindow) and window.workspace.readable is not None:
                timer.stop()
                shown.append(window.pages["images"].title.text())
                qtbot.addWidget(window)
                window.close()

    timer = QTimer(interval=50)
    timer.timeout.connect(look)
    timer.start()
    assert app.run(sample) == 0
    assert shown == ["little zoo"]


def test_a_bug_is_told_and_kept(said: Said, capsys: pytest.CaptureFixture[str]) -> None:
    error = ZeroDivisionError("by nothing")
    app.tell_unexpected(type(error), error, None)
    assert said.errors == [error]
    assert "by nothing" in capsys.readouterr().err
    stop = KeyboardInterrupt()
    app.tell_unexpected(type(stop), stop, None)
    assert said.errors == [error]
