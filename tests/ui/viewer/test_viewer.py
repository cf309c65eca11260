"""Looking at one picture closely, as a person does: clicks, keys, the wheel, and dragging."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from sslstudio.engine.labels.roles import EXCLUDED
from sslstudio.ui.pages.images.page import ImagesPage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.viewer.pyramid import Window
from sslstudio.ui.viewer.viewer import PictureViewer
from sslstudio.ui.workspace.labels import labels_of
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of pictures in colour."""
    rng = np.random.default_rng(1)
    for name in ("cat", "dog"):
        (tmp_path / "zoo" / name).mkdir(parents=True)
        for number in range(6):
            pixels = rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "zoo" / name / f"{number}.png")
    return tmp_path / "zoo"


def page_with(window: MainWindow, qtbot: QtBot, folder: Path) -> ImagesPage:
    workspace = window.workspace
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        workspace.open_folder(folder)
    page = window.pages["images"]
    assert isinstance(page, ImagesPage)
    qtbot.waitUntil(lambda: page.gallery.visualRect(page.gallery.model().index(0, 0)).isValid())
    return page


def double_click(page: ImagesPage, row: int) -> None:
    view = page.gallery
    place = view.visualRect(view.model().index(row, 0)).center()
    QTest.mouseClick(view.viewport(), LEFT, NONE, place)
    QTest.mouseDClick(view.viewport(), LEFT, NONE, place)


def viewer_of(window: MainWindow, qtbot: QtBot) -> PictureViewer:
    viewer = window.viewer.viewer
    assert viewer is not None
    qtbot.waitUntil(lambda: viewer._loaded is not None)
    return viewer


def test_a_double_click_shows_the_picture_and_the_keys_lead_through_the_gallery(
    window: MainWindow, qtbot: QtBot, folder: Path
) -> None:
    page = page_with(window, qtbot, folder)
    double_click(page, 1)
    viewer = viewer_of(window, qtbot)
    assert viewer.isVisible()
    assert not viewer.isModal()
    assert viewer.path == folder / "cat" / "1.png"
    assert viewer.name.full == "cat/1.png"
    facts = dict(viewer._facts(viewer._known.about(viewer._item)))
    assert facts["Size"] == "80 x 60 pixels"
    assert facts["Your label"] == "cat"
    qtbot.waitUntil(lambda: dict(viewer._facts(viewer._known.about(viewer._item)))["Part"] != "")
    QTest.keyClick(viewer.canvas, Qt.Key.Key_PageDown)
    assert viewer.path == folder / "cat" / "2.png"
    assert page.gallery.number == 2
    for _ in range(4):
        QTest.keyClick(viewer.canvas, Qt.Key.Key_PageUp)
    assert viewer.path == folder / "cat" / "0.png"
    assert not viewer.previous.isEnabled()
    QTest.keyClick(viewer.canvas, Qt.Key.Key_Escape)
    assert not viewer.isVisible()
    page.gallery.setFocus()
    QTest.keyClick(page.gallery, Qt.Key.Key_Space)
    assert window.viewer.viewer is viewer
    assert viewer.isVisible()


def test_wheel_keys_and_drags_zoom_move_and_brighten(window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    page = page_with(window, qtbot, folder)
    double_click(page, 0)
    viewer = viewer_of(window, qtbot)
    canvas = viewer.canvas
    fitted = canvas.zoom
    at = QPointF(canvas.width() / 4, canvas.height() / 4)
    before = canvas.place_at(at)
    wheel = QWheelEvent(
        at, canvas.mapToGlobal(at), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton, NONE,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, wheel)
    assert canvas.zoom > fitted
    after = canvas.place_at(at)
    assert (after - before).manhattanLength() < 1e-6
    QTest.keyClick(canvas, Qt.Key.Key_1)
    assert canvas.zoom * canvas.devicePixelRatioF() == pytest.approx(1)
    for _ in range(12):
        QTest.keyClick(canvas, Qt.Key.Key_Plus)
    middle = canvas.place_at(QPointF(canvas.rect().center()))
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    assert canvas.place_at(QPointF(canvas.rect().center())).x() > middle.x()
    start = canvas.rect().center()
    QTest.mousePress(canvas, LEFT, NONE, start)
    QTest.mouseMove(canvas, start + QPoint(40, 0))
    QTest.mouseRelease(canvas, LEFT, NONE, start + QPoint(40, 0))
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.zoom == pytest.approx(fitted)
    QTest.mousePress(canvas, RIGHT, NONE, start)
    QTest.mouseMove(canvas, start + QPoint(60, 30))
    QTest.mouseRelease(canvas, RIGHT, NONE, start + QPoint(60, 30))
    assert canvas.window_ != Window(0.0, 255.0)
    assert QApplication.activePopupWidget() is None
    viewer.side.usual.click()
    assert canvas.window_ == Window(0.0, 255.0)
    viewer.side.level.setFocus()
    QTest.keyClick(viewer.side.level, Qt.Key.Key_Right)
    assert canvas.window_.low < 0


def test_a_scan_keeps_its_depth_and_its_pages(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    rng = np.random.default_rng(2)
    for number in range(5):
        pages = [Image.fromarray(rng.integers(900, 1400, (50, 40), dtype=np.uint16) + 100 * page) for page in range(3)]
        pages[0].save(folder / f"{number}.tif", save_all=True, append_images=pages[1:])
    page = page_with(window, qtbot, folder)
    double_click(page, 0)
    viewer = viewer_of(window, qtbot)
    loaded = viewer._loaded
    assert loaded is not None
    assert loaded.pyramid.deep
    assert loaded.pyramid.levels[0].dtype == np.uint16
    assert viewer.side._level_title.text() == "Level"
    assert viewer.side.page_row.isVisible()
    viewer.side.page.setValue(3)
    qtbot.waitUntil(lambda: viewer._loaded is not loaded)
    assert viewer._loaded is not None
    assert viewer._loaded.pyramid.levels[0].min() >= 1100


def open_menu(page: ImagesPage, qtbot: QtBot, row: int) -> QMenu:
    view = page.gallery
    place = view.visualRect(view.model().index(row, 0)).center()
    QTest.mouseClick(view.viewport(), LEFT, NONE, place)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, view.viewport().mapToGlobal(place))
    QApplication.sendEvent(view.viewport(), event)
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def trigger(menu: QMenu, *titles: str) -> None:
    for title in titles[:-1]:
        inner = next(action for action in menu.actions() if action.text() == title).menu()
        assert isinstance(inner, QMenu)
        menu.close()
        menu = inner
    action = next(action for action in menu.actions() if action.text() == titles[-1])
    action.trigger()
    menu.close()


@pytest.mark.qt_log_ignore("This plugin does not support")  # raise and grab: a popup without a screen
def test_the_menu_excludes_takes_back_labels_and_copies(window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    page = page_with(window, qtbot, folder)
    workspace = window.workspace
    with changing(qtbot, workspace, Change.READABLE, 30_000):
        trigger(open_menu(page, qtbot, 2), "Exclude it")
    assert workspace.recognised is not None
    assert workspace.recognised.excluded == ("cat/2.png",)
    assert len(workspace.recognised.pictures) == 11
    assert page.gallery.model().rowCount() == 11
    assert page.out_told.isVisible()
    assert "1 picture excluded by you" in page.out_told.text()
    assert workspace.data_config().roles == {"cat/2.png": EXCLUDED}
    page.out_back.click()
    qtbot.waitUntil(lambda: page.gallery.model().rowCount() == 1)
    page.filter.reset()
    window.activateWindow()
    page.gallery.setFocus()
    qtbot.waitUntil(page.gallery.hasFocus, timeout=2000)
    with changing(qtbot, workspace, Change.READABLE, 5_000):
        QTest.keyClick(page.gallery, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not workspace.recognised.excluded
    assert page.gallery.model().rowCount() == 12
    trigger(open_menu(page, qtbot, 0), "Copy the path")
    assert QGuiApplication.clipboard().text() == str(folder / "cat" / "0.png")
    labels = labels_of(workspace)
    trigger(open_menu(page, qtbot, 0), "Label as", "dog")
    qtbot.waitUntil(lambda: labels.store is not None and bool(labels.undo_stack.count()), timeout=20_000)
    assert labels.store is not None
    names = {one.number: one.name for one in labels.store.names("classification")}
    assert names[labels.store.of["cat/0.png"]] == "dog"
    qtbot.waitUntil(lambda: not workspace.taking_labels)
    labels.close()


def test_the_bar_searches_sorts_and_filters(window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    page = page_with(window, qtbot, folder)
    view = page.gallery
    page.filter.search.setFocus()
    QTest.keyClicks(page.filter.search, "DOG/3")
    qtbot.waitUntil(lambda: view.model().rowCount() == 1)
    assert view.number == 9
    assert "1 of 12 pictures" in page.filter.told.text()
    page.filter.everything.click()
    assert view.model().rowCount() == 12
    page.filter.menu.aboutToShow.emit()
    trigger(page.filter.menu, "Class", "dog")
    qtbot.waitUntil(lambda: view.model().rowCount() == 6)
    page.filter.menu.aboutToShow.emit()
    trigger(page.filter.menu, "Downwards")
    qtbot.waitUntil(lambda: view.gallery.number_of(0) == 11)
    double_click(page, 1)
    viewer = viewer_of(window, qtbot)
    assert viewer.path == folder / "dog" / "4.png"  # in the order in which they are shown
    page.filter.menu.aboutToShow.emit()
    qtbot.waitUntil(lambda: bool(page._known.part_of("dog/0.png")))
    trigger(page.filter.menu, "Part of the split", "Test")
    qtbot.waitUntil(lambda: view.model().rowCount() < 6)
    assert all(view.gallery.item(view.gallery.number_of(row)).part == "test" for row in range(view.model().rowCount()))
