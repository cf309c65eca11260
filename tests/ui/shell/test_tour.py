"""The tour: at the first start only, by mouse or keys, and in nobody's way."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from sslstudio.ui.base import app_settings
from sslstudio.ui.pages.spec import page_names
from sslstudio.ui.shell import app
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.shell.tour_panel import TourPanel
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.shell.test_main_window import drop


@pytest.fixture
def panel(window: MainWindow) -> TourPanel:
    """The tour, called from the Help menu."""
    window.activateWindow()
    actions = [action for menu in window.menuBar().actions() for action in menu.menu().actions()]  # type: ignore[attr-defined]
    next(action for action in actions if action.text() == "&Tour").trigger()
    assert window.tour.panel is not None
    return window.tour.panel


def middle_of(window: MainWindow, number: int) -> int:
    """The height of a step in the window: that of the arrow's tip."""
    rect = window.steps.visualItemRect(window.steps.item(number))
    return window.steps.viewport().mapTo(window, rect.center()).y()


def click(button: object) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)  # type: ignore[call-overload]


def test_it_comes_at_the_first_start_and_not_again(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(app.sys, "excepthook", app.sys.excepthook)  # type: ignore[attr-defined]  # put back afterwards
    seen: list[bool] = []

    def look() -> None:
        for window in QApplication.topLevelWidgets():
            if isinstance(window, MainWindow) and window.isVisible() and window.workspace.engine is not None:
                timer.stop()
                seen.append(window.tour.panel is not None)
                window.tour.end()
                qtbot.addWidget(window)
                window.close()

    for _ in range(2):
        timer = QTimer(interval=20)
        timer.timeout.connect(look)
        timer.start()
        app.run()
    assert seen == [True, False]


def test_a_window_by_itself_begins_no_tour(window: MainWindow) -> None:
    assert window.tour.panel is None


def test_it_points_at_every_step_in_turn(window: MainWindow, panel: TourPanel) -> None:
    told = []
    for number in range(len(page_names())):
        item = window.steps.item(number)
        assert panel.heading.text() == item.text()
        assert panel.y() + panel._tip == middle_of(window, number)
        assert window.rect().contains(panel.geometry())
        assert item.text() in panel.accessibleName()
        assert panel.told.text() == panel.accessibleDescription()
        told.append(panel.told.text())
        assert panel.skip.isVisible() == (number + 1 < len(page_names()))
        click(panel.next)
    assert len(set(told)) == len(page_names())
    assert window.tour.panel is None
    assert app_settings.toured()


def test_keys_lead_on_back_and_out(window: MainWindow, panel: TourPanel, qtbot: QtBot) -> None:
    qtbot.waitUntil(panel.next.hasFocus)
    QTest.keyClick(panel.next, Qt.Key.Key_Space)
    assert panel.heading.text() == "Puzzles"
    for button in (panel.back, panel.skip, panel.sample):
        QTest.keyClick(window, Qt.Key.Key_Tab)
        assert button.hasFocus()
    panel.back.setFocus()
    QTest.keyClick(panel.back, Qt.Key.Key_Space)
    assert panel.heading.text() == "Pictures"
    assert not panel.back.isEnabled()
    window.steps.setFocus()
    QTest.keyClick(window.steps, Qt.Key.Key_Escape)
    assert window.tour.panel is None
    assert app_settings.toured()
    QTest.keyClick(window.steps, Qt.Key.Key_Escape)  # and again: nothing is left of it


def test_a_folder_can_be_dropped_meanwhile(window: MainWindow, panel: TourPanel, sample: Path, qtbot: QtBot) -> None:
    assert not panel.acceptDrops()
    assert panel.sample.isVisible()
    with changing(qtbot, window.workspace, Change.READABLE, 20_000):
        drop(window, sample)
    assert window.tour.panel is panel
    assert not panel.sample.isVisible()  # there are pictures now
    click(panel.skip)
    assert window.tour.panel is None


def test_the_sample_is_opened_and_the_tour_goes_on(window: MainWindow, panel: TourPanel, qtbot: QtBot) -> None:
    window.go("results")
    with qtbot.waitSignal(window.workspace.opening, timeout=20_000):
        click(panel.sample)
    assert window.stack.currentWidget() is window.pages["images"]
    assert panel.heading.text() == "Puzzles"
    assert not panel.sample.isVisible()
    window.workspace.cancel_opening()
    assert panel.sample.isVisible()


def test_it_stays_at_its_step_when_the_window_changes(window: MainWindow, panel: TourPanel, qtbot: QtBot) -> None:
    for _ in range(len(page_names()) - 1):
        click(panel.next)
    window.resize(1000, 640)
    qtbot.waitUntil(lambda: panel.y() + panel._tip == middle_of(window, len(page_names()) - 1))
    assert window.rect().contains(panel.geometry())


def inside(panel: TourPanel, seen: QRect) -> None:
    """All of it is seen, and none of its words and buttons is cut off."""
    panel.layout().activate()  # type: ignore[union-attr]
    assert seen.contains(panel.geometry()), (seen, panel.geometry())
    assert panel.height() >= panel.heightForWidth(panel.width())
    for one in panel.findChildren(QWidget):
        assert one.isHidden() or panel.rect().contains(one.geometry()), one


@pytest.mark.parametrize("size", [(640, 360), (800, 400), (430, 330), (1000, 640)])
def test_it_lies_in_what_is_seen_of_the_window(size: tuple[int, int], window: MainWindow, panel: TourPanel) -> None:
    """On a small screen the window is larger than the screen: here its last pixels are all that is on it."""
    window.resize(1280, 800)
    screen = window.screen().availableGeometry()
    width, height = min(size[0], screen.width()), min(size[1], screen.height())
    for corner in (QPoint(screen.width() - width, screen.height() - height), QPoint(width - 1280, height - 800)):
        window.move(corner)
        at = window.mapToGlobal(QPoint(0, 0))
        seen = screen.translated(-at) & window.rect()
        assert abs(seen.width() - width) + abs(seen.height() - height) < 9  # the frame of the window
        window.tour.begin()  # from the first step on
        for number in range(len(page_names())):
            inside(panel, seen)
            if number + 1 < len(page_names()):
                click(panel.next)


@pytest.mark.parametrize("size", [(640, 360), (420, 320), (1280, 720)])
def test_it_is_inside_at_any_size(size: tuple[int, int], qtbot: QtBot) -> None:
    stage = QWidget()
    qtbot.addWidget(stage)
    stage.resize(*size)
    with qtbot.waitExposed(stage):
        stage.show()
    panel = TourPanel(stage)
    for y in range(0, size[1] + 200, 40):
        panel.show_step(0, 7, "Pictures", "Drop a folder anywhere on this window. " * 6, sample=True)
        panel.point_at(QPoint(212, y))
        inside(panel, stage.rect())


def test_a_window_pushed_aside_keeps_it_at_its_step(window: MainWindow, panel: TourPanel) -> None:
    window.move(window.screen().availableGeometry().width() - 100, 0)
    assert panel.y() + panel._tip == middle_of(window, 0)
    assert window.rect().contains(panel.geometry())
