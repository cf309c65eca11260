"""The system goes dark while the program runs: every page goes along, what is painted by hand too."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QTabWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.base.theme import DARK, LIGHT, Colours, theme
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.spec import page_names
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing

LONG = 60_000
SPARSE = 3  # every third pixel of every third line


def grounds(scheme: Colours) -> set[int]:
    """The colours that large areas have."""
    names = (scheme.window, scheme.surface, scheme.side, scheme.field, scheme.sunken, scheme.raised)
    return {QColor(name).rgb() for name in names}


def shares(image: QImage) -> tuple[float, float]:
    """How much of a picture has the grounds of the light and of the dark scheme."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(plain.constBits(), np.uint32).reshape(plain.height(), -1)[::SPARSE, : plain.width() : SPARSE]
    light, dark = (float(np.isin(pixels, sorted(grounds(scheme))).mean()) for scheme in (LIGHT, DARK))
    return light, dark


def faces(window: MainWindow, name: str) -> Sequence[tuple[QTabWidget | None, int]]:
    """The tabs of a page."""
    window.go(name)
    tabs = [one for one in window.pages[name].findChildren(QTabWidget) if one.isVisible()]
    shown = [(one, number) for one in tabs[:1] for number in range(one.count()) if one.isTabVisible(number)]
    return shown or [(None, 0)]


def test_the_system_changes_its_colours(
    window: MainWindow, sample_folder: Path, pretrained: Path, classified: Path, qtbot: QtBot
) -> None:
    hints = QGuiApplication.styleHints()
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Light)
    with changing(qtbot, window.workspace, Change.READABLE, LONG):
        window.open_folder(sample_folder)
    for name in page_names():
        window.go(name)
    run, results = window.pages["pretrain"], window.pages["results"]
    assert isinstance(run, RunPage)
    assert isinstance(results, ResultsPage)
    run.open_run(pretrained)
    window.workspace.show_result(classified)
    qtbot.waitUntil(lambda: run.view.outcome == "finished" and results.results is not None, timeout=LONG)
    light, dark = shares(window.grab().toImage())
    assert light > 0.4 > dark

    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme().dark
    for name in page_names():
        for tabs, number in faces(window, name):
            if tabs is not None:
                tabs.setCurrentIndex(number)
            light, dark = shares(window.grab().toImage())
            said = f"{name}, {tabs.tabText(number) if tabs else ''}: {light:.3f} {dark:.3f}"
            most = 0.15 if "answers" in said else 0.01  # a sheet of puzzles is a picture, on white
            assert light < most, said
            assert dark > 0.4, said
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert not theme().dark


@pytest.mark.parametrize("chosen", ["dark", "light"])
def test_who_has_chosen_is_left_alone(chosen: str, window: MainWindow) -> None:
    theme().follow(chosen)
    for scheme in (Qt.ColorScheme.Dark, Qt.ColorScheme.Light):
        QGuiApplication.styleHints().colorSchemeChanged.emit(scheme)
        assert theme().dark == (chosen == "dark")
    theme().follow("system")
