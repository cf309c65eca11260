"""Labelling as a person does it: keys, strokes, lines around points; and what is on the disk afterwards."""

import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.finetuning.use.similarity import doubts
from sslstudio.engine.labels.drawn_test import read_drawn
from sslstudio.engine.labels.editing import export as label_export
from sslstudio.engine.labels.editing.files import read_labels_table, read_mask
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.editing.tools import brush
from sslstudio.engine.projects.project import open_project
from sslstudio.ui.operations import pictures as picture_operations
from sslstudio.ui.pages.images.page import ImagesPage
from sslstudio.ui.pages.label.board import CLASSES, MAP, MASKS
from sslstudio.ui.pages.label.gallery import ALL, LABELLED, NEXT, OPEN, RANDOM
from sslstudio.ui.pages.label.page import LabelPage
from sslstudio.ui.pages.train.finetune import FinetunePage
from sslstudio.ui.shell.main_window import MainWindow
from sslstudio.ui.workspace.workspace import Change
from tests.support.changes import changing
from tests.ui.conftest import Said

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def plain(tmp_path: Path, sample: Path) -> Iterator[Path]:
    """A dozen pictures that nobody has labelled; the folder is to be left as it is."""
    folder = tmp_path / "plain"
    folder.mkdir()
    for number, picture in enumerate(sorted((sample / "images").rglob("*.png"))[::5]):
        (folder / f"{number:02}.png").write_bytes(picture.read_bytes())
    before = sorted((file.name, file.stat().st_mtime_ns) for file in folder.rglob("*"))
    yield folder
    assert sorted((file.name, file.stat().st_mtime_ns) for file in folder.rglob("*")) == before


@pytest.fixture
def page(qtbot: QtBot, said: object, plain: Path) -> Iterator[LabelPage]:
    """The page with these pictures, the first one at hand."""
    window = MainWindow()
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    with changing(qtbot, window.workspace, Change.PICTURES, 20_000):
        window.open_folder(plain)
    window.go("label")
    made = window.pages["label"]
    assert isinstance(made, LabelPage)
    qtbot.waitUntil(lambda: made.labels.store is not None and made.board.canvas.drawn.size > 0, timeout=20_000)
    yield made
    window.close()
    assert said.errors == []  # type: ignore[attr-defined]


def press(page: LabelPage, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
    """A key to whatever has the focus."""
    page.board.take_focus()
    QTest.keyClick(page.window().focusWidget(), key, keys)


def add(page: LabelPage, *names: str) -> None:
    """Classes, typed."""
    for name in names:
        page.board.classes.name.setFocus()
        QTest.keyClicks(page.board.classes.name, name)
        QTest.keyClick(page.board.classes.name, Qt.Key.Key_Return)


def store_of(page: LabelPage) -> Labelling:
    assert page.labels.store is not None
    return page.labels.store


def test_classes_by_the_number_keys(page: LabelPage, qtbot: QtBot) -> None:
    add(page, "beetle 1", "leaf")  # the digit goes into the name
    store = store_of(page)
    assert [one.name for one in store.names("classification")] == ["beetle 1", "leaf"]
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1):
        press(page, key)
    assert store.of == {"00.png": 1, "01.png": 2, "02.png": 1}
    assert page.board.gallery.path == "03.png"
    assert "3 of 12 labelled" in page.progress.text()
    assert page.board.classes.list.item(0).data(Qt.ItemDataRole.UserRole + 2) == "2"
    press(page, Qt.Key.Key_Z, CTRL)
    assert "02.png" not in store.of
    assert page.board.gallery.path == "02.png"  # what was taken back is shown
    press(page, Qt.Key.Key_Z, CTRL | SHIFT)
    assert store.of["02.png"] == 1
    press(page, Qt.Key.Key_P)
    assert page.board.gallery.path == "01.png"
    press(page, Qt.Key.Key_Delete)
    assert store.of == {"00.png": 1, "02.png": 1}
    press(page, Qt.Key.Key_N)
    assert page.board.gallery.path == "02.png"
    qtbot.waitUntil(lambda: page.board.said.text() == "beetle 1")
    page.window().close()
    assert read_labels_table(store.folder) == {"00.png": "beetle 1", "02.png": "beetle 1"}


def test_the_page_says_what_to_do_first_and_enter_leads_from_names_to_numbers(page: LabelPage) -> None:
    board = page.board
    assert "Name a class below" in board.classes.first.text()
    assert board.said.text() == "No label yet: name a class first"
    board.tabs.setCurrentIndex(MASKS)
    drag(page, (10, 10), (20, 10))  # there is nothing to paint with
    assert store_of(page).masked == set()
    assert page.window().focusWidget() is board.classes.name
    board.tabs.setCurrentIndex(CLASSES)
    add(page, "a", "b")
    assert not board.classes.first.isVisible()
    assert "press the number" in board.said.text()
    QTest.keyClick(page.window().focusWidget(), Qt.Key.Key_Return)
    QTest.keyClick(page.window().focusWidget(), Qt.Key.Key_2)
    assert store_of(page).of == {"00.png": 2}


def test_the_filters_show_what_they_say(page: LabelPage) -> None:
    add(page, "a", "b")
    for _ in range(3):
        press(page, Qt.Key.Key_1)
    gallery = page.board.gallery
    gallery.filter.setCurrentIndex(OPEN)
    assert gallery.shown == [f"{number:02}.png" for number in range(3, 12)]
    press(page, Qt.Key.Key_2)
    assert gallery.path == "04.png"
    gallery.filter.setCurrentIndex(LABELLED)
    assert gallery.shown == ["00.png", "01.png", "02.png", "03.png"]
    gallery.filter.setCurrentIndex(ALL)
    assert len(gallery.shown) == 12
    gallery.view.selectAll()
    press(page, Qt.Key.Key_2)
    assert set(store_of(page).of.values()) == {2}
    assert len(store_of(page).of) == 12


def test_a_class_is_renamed_and_recoloured_and_a_name_is_there_once(page: LabelPage, said: object) -> None:
    add(page, "beetle", "leaf")
    classes, store = page.board.classes, store_of(page)
    classes.list.item(0).setText("bug")
    classes.choose(2)
    QTest.mouseClick(classes.recolour, LEFT)
    found = store.names("classification")
    assert [(one.name, one.colour) for one in found] == [("bug", 1), ("leaf", 3)]
    classes.list.item(0).setText("leaf")
    errors = said.errors  # type: ignore[attr-defined]
    assert "already" in str(errors.pop())
    assert classes.list.item(0).text() == "bug"
    press(page, Qt.Key.Key_Z, CTRL)
    assert store.names("classification")[1].colour == 2


# Masks


def drag(page: LabelPage, *points: tuple[float, float], button: Qt.MouseButton = LEFT) -> list[QPointF]:
    """The mouse with its button held, along places of the picture; returns those places as the canvas sees them."""
    canvas = page.board.canvas
    at = [canvas.to_widget(QPointF(*point)).toPoint() for point in points]
    seen = [canvas.to_picture(QPointF(one)) for one in at]
    QTest.mousePress(canvas, button, NONE, at[0])
    for one in at[1:]:
        QTest.mouseMove(canvas, one)
    QTest.mouseRelease(canvas, button, NONE, at[-1])
    return seen


def paint_masks(page: LabelPage) -> None:
    page.board.tabs.setCurrentIndex(MASKS)
    add(page, "animal", "plant")
    press(page, Qt.Key.Key_1)


def test_strokes_make_a_mask_that_is_safe_at_once(page: LabelPage, plain: Path) -> None:
    paint_masks(page)
    store, canvas = store_of(page), page.board.canvas
    canvas.set_radius(4)
    start, end = drag(page, (10, 10), (30, 12))
    wanted = np.zeros((48, 48), np.uint8)
    area = brush((48, 48), (start.x(), start.y()), (end.x(), end.y()), 4)
    wanted[area.rect.slices][area.inside] = 1
    dot = brush((48, 48), (start.x(), start.y()), (start.x(), start.y()), 4)
    wanted[dot.rect.slices][dot.inside] = 1
    np.testing.assert_array_equal(store.mask("00.png"), wanted)
    press(page, Qt.Key.Key_2)
    drag(page, (20, 30), (20, 40))
    two = store.mask("00.png")
    assert two is not None
    assert set(np.unique(two)) == {0, 1, 2}
    store.journal.close()  # as after a crash: only the journal knows
    assert read_mask(store.folder, "00.png") is None
    press(page, Qt.Key.Key_Z, CTRL)
    np.testing.assert_array_equal(canvas.drawn, wanted)
    press(page, Qt.Key.Key_Z, CTRL)
    assert store.masked == set()
    assert not canvas.drawn.any()
    press(page, Qt.Key.Key_Z, CTRL | SHIFT)
    press(page, Qt.Key.Key_E)
    drag(page, (10, 10), (30, 12))
    assert not canvas.drawn.any()
    page.window().close()
    kept = read_mask(store.folder, "00.png")
    assert kept is not None
    assert not kept.any()


def test_polygon_fill_and_wand(page: LabelPage, qtbot: QtBot) -> None:
    paint_masks(page)
    canvas = page.board.canvas
    press(page, Qt.Key.Key_G)
    for point in ((10.5, 10.5), (30.5, 10.5), (40.5, 40.5), (30.5, 30.5)):
        drag(page, point)
    press(page, Qt.Key.Key_Backspace)  # the last corner was a slip
    drag(page, (10.5, 30.5))
    assert not canvas.drawn.any()
    press(page, Qt.Key.Key_Return)
    assert canvas.drawn[20, 20] == 1
    inside = int(canvas.drawn.sum())
    assert 400 < inside < 900
    press(page, Qt.Key.Key_2)
    press(page, Qt.Key.Key_F)
    drag(page, (20.5, 20.5))
    assert int((canvas.drawn == 2).sum()) == inside
    press(page, Qt.Key.Key_Z, CTRL)
    assert int((canvas.drawn == 1).sum()) == inside
    press(page, Qt.Key.Key_W)
    page.board.tools.tolerance.setValue(128)
    drag(page, (2.5, 2.5))
    assert canvas.drawn[2, 2] == 2
    wide = int((canvas.drawn == 2).sum())
    press(page, Qt.Key.Key_Z, CTRL)
    page.board.tools.tolerance.setValue(0)
    drag(page, (2.5, 2.5))
    assert 1 <= int((canvas.drawn == 2).sum()) < wide
    press(page, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: bool(canvas.picture.any()) and not canvas.drawn.any())
    QTest.mouseClick(page.board.nothing, LEFT)
    assert store_of(page).masked == {"00.png", "01.png"}
    assert "2 of 12 labelled" in page.progress.text()
    QTest.mouseClick(page.board.unlabel, LEFT)
    assert store_of(page).masked == {"00.png"}


def test_zoom_pan_size_and_hiding(page: LabelPage, qtbot: QtBot) -> None:
    paint_masks(page)
    canvas = page.board.canvas
    before = canvas.radius
    press(page, Qt.Key.Key_BracketRight)
    assert canvas.radius > before
    press(page, Qt.Key.Key_BracketLeft)
    assert canvas.radius == pytest.approx(before, abs=1)
    corner, place = QPointF(40, 40), canvas.to_picture(QPointF(40, 40))
    whole = canvas.to_picture(QPointF(0, 0))
    QApplication.sendEvent(canvas, QWheelEvent(
        corner, QPointF(canvas.mapToGlobal(corner.toPoint())), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton, NONE,
        Qt.ScrollPhase.NoScrollPhase, False,
    ))  # fmt: skip
    assert (canvas.to_picture(corner) - place).manhattanLength() < 1e-6
    press(page, Qt.Key.Key_Plus, CTRL)
    scale = canvas._scale()
    drag(page, (24, 24), (30, 24), button=MIDDLE)
    moved = canvas.to_picture(QPointF(0, 0))
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    drag(page, (24, 24), (24, 30))
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert not canvas.drawn.any()  # the left button moved the picture while space was held
    assert canvas.to_picture(QPointF(0, 0)).y() == pytest.approx(moved.y() - 6, abs=2 / scale)
    press(page, Qt.Key.Key_Minus, CTRL)
    assert canvas._scale() < scale
    press(page, Qt.Key.Key_0, CTRL)
    assert (canvas.to_picture(QPointF(0, 0)) - whole).manhattanLength() < 1e-6
    drag(page, (24, 24))
    shown = canvas.grab().toImage()
    QTest.keyPress(canvas, Qt.Key.Key_H)
    hidden = canvas.grab().toImage()
    QTest.keyRelease(canvas, Qt.Key.Key_H)
    assert shown != hidden
    assert canvas.grab().toImage() == shown


def test_a_mask_of_another_size_than_its_picture_is_painted_in_its_own(page: LabelPage) -> None:
    canvas = page.board.canvas
    canvas.show_picture(np.zeros((40, 60, 3), np.uint8), np.ones((20, 30), np.uint8))
    assert canvas.picture.shape == (20, 30, 3)
    assert canvas.drawn.shape == (20, 30)


# Many at once, and what to label next


def test_a_line_on_the_map_labels_many_and_suggestions_are_shown(page: LabelPage, qtbot: QtBot) -> None:
    add(page, "a", "b")
    page.board.tabs.setCurrentIndex(MAP)
    qtbot.waitUntil(lambda: page._alike is not None, timeout=60_000)
    widget = page.board.map.map
    box = widget.rect().adjusted(3, 3, -3, -3)
    line = [box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft(), box.topLeft()]
    QTest.mousePress(widget, LEFT, NONE, line[0])
    for at in line[1:]:
        QTest.mouseMove(widget, at)
    QTest.mouseRelease(widget, LEFT, NONE, line[-1])
    assert len(page.board.map.selected) == 12
    press(page, Qt.Key.Key_2)
    store = store_of(page)
    assert set(store.of.values()) == {2}
    assert len(store.of) == 12
    press(page, Qt.Key.Key_Z, CTRL)  # one line, one step back
    assert store.of == {}
    page.board.tabs.setCurrentIndex(CLASSES)
    press(page, Qt.Key.Key_1)
    press(page, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: page.board.gallery.filter.currentIndex() == NEXT, timeout=30_000)
    assert len(page.board.gallery.shown) == 11  # the labelled one is not asked for again
    assert "00.png" not in page.board.gallery.shown


def test_what_a_fine_tuned_network_is_unsure_of_is_suggested_first(
    page: LabelPage, classified: Path, qtbot: QtBot
) -> None:
    add(page, "a", "b")
    press(page, Qt.Key.Key_1)
    shown: list[list[str]] = []
    for result in (None, classified):
        page.workspace.result = result
        press(page, Qt.Key.Key_S)
        qtbot.waitUntil(lambda: page._asking is None and page.next_ones.isEnabled(), timeout=60_000)
        shown.append(list(page.board.gallery.shown))
    assert page.workspace.recognised is not None
    unsure = to_end(doubts(page.workspace.recognised.pictures, classified, RunControl()))
    unsure.pop("00.png")  # has a label
    assert sorted(shown[0]) == sorted(shown[1]) == sorted(unsure)
    assert "uncertain" in page.board.why.text()
    assert shown[0] != shown[1]


# On to fine-tuning, and back another day


def test_the_labels_lead_on_and_are_there_again(page: LabelPage, plain: Path, qtbot: QtBot) -> None:
    add(page, "a", "b")
    for number in range(12):
        press(page, Qt.Key.Key_1 if number % 2 else Qt.Key.Key_2)
    assert "enough to start" in page.progress.text()
    assert page.forward.property("role") == "primary"
    workspace, pretrained = page.workspace, Path("/nowhere/pretrained")
    workspace.pretrained = pretrained
    with changing(qtbot, workspace, Change.PICTURES, 20_000):
        QTest.mouseClick(page.forward, LEFT)
    assert workspace.recognised is not None
    assert workspace.recognised.classes is not None
    assert workspace.recognised.classes.names == ("a", "b")
    assert len(workspace.recognised.classes.of) == 12
    assert workspace.pretrained == pretrained
    window = page.window()
    assert isinstance(window, MainWindow)
    assert window.stack.currentWidget() is window.pages["finetune"]
    folder = store_of(page).folder
    window.close()
    again = MainWindow()
    qtbot.addWidget(again)
    with changing(qtbot, again.workspace, Change.PICTURES, 20_000):
        again.open_folder(plain)
    assert again.workspace.labels_file == str(folder)
    assert again.workspace.recognised is not None
    assert again.workspace.recognised.classes is not None
    assert again.workspace.data_config().labels == str(folder)
    again.close()


# Ways here, and away with the labels


def test_without_labels_pictures_and_fine_tuning_lead_here(page: LabelPage, qtbot: QtBot) -> None:
    window = page.window()
    assert isinstance(window, MainWindow)
    with changing(qtbot, window.workspace, Change.ENGINE, 60_000):
        window.workspace.load_engine()
    window.go("images")
    images = window.pages["images"]
    assert isinstance(images, ImagesPage)
    assert images.to_label.isVisible()
    QTest.mouseClick(images.to_label, LEFT)
    assert window.stack.currentWidget() is page
    window.go("finetune")
    finetune = window.pages["finetune"]
    assert isinstance(finetune, FinetunePage)
    qtbot.waitUntil(lambda: finetune.settings is not None and not finetune._listing, timeout=20_000)
    assert (finetune.to_label.property("role"), finetune.start.property("role")) == ("primary", "plain")
    finetune.start_run()
    assert "nothing to learn yet" in finetune.wrong.label.text()
    assert not window.workspace.runner.active
    QTest.mouseClick(finetune.to_label, LEFT)
    assert window.stack.currentWidget() is page
    add(page, "a", "b")
    for number in range(10):
        press(page, Qt.Key.Key_1 if number % 2 else Qt.Key.Key_2)
    window.go("finetune")  # by the list of steps: the labels are used all the same
    finetune.start_run()
    assert "being read" in finetune.wrong.label.text()  # and never those from before, in silence
    roles = ("plain", "primary")
    qtbot.waitUntil(
        lambda: (finetune.to_label.property("role"), finetune.start.property("role")) == roles, timeout=20_000
    )
    assert finetune.to_label.isVisible()  # two pictures have no label yet
    qtbot.waitUntil(lambda: not window.workspace.taking_labels and not finetune._listing, timeout=20_000)
    assert finetune.config().data.labels == str(store_of(page).folder)


def test_from_the_first_label_on_they_are_the_labels_of_the_project(page: LabelPage, plain: Path, qtbot: QtBot) -> None:
    workspace, name = page.workspace, page.board.classes.name
    name.setFocus()
    with changing(qtbot, workspace, Change.PICTURES, 20_000):
        QTest.keyClicks(name, "a")
        QTest.keyClick(name, Qt.Key.Key_Return)
        QTest.keyClicks(name, "b")
    assert workspace.labels_file == str(store_of(page).folder)
    assert page.window().focusWidget() is name  # a name that is being typed is left alone
    assert name.text() == "b"
    assert workspace.project is not None
    page.window().close()  # without leaving the page
    assert open_project(workspace.project.folder).project.labels == str(workspace.project.labels_folder)


def test_labels_are_taken_along_into_a_new_folder(page: LabelPage, tmp_path: Path, said: Said, qtbot: QtBot) -> None:
    add(page, "a", "b")
    press(page, Qt.Key.Key_1)
    paint_masks(page)
    drag(page, (10, 10), (30, 12))
    page.export.button.choose("In all formats")
    assert said.offered == []  # no folder was chosen
    said.folder = tmp_path / "elsewhere"
    said.folder.mkdir()
    for name in ("plain labels", "plain labels 2"):
        said.offered = []
        page.export.button.choose("In all formats")
        qtbot.waitUntil(lambda: said.offered == ["open"], timeout=20_000)
        out = said.folder / name
        assert read_labels_table(out) == {"00.png": "a"}
        assert sorted(file.name for file in out.iterdir()) == [
            "about.json", "classes.csv", "coco.json", "geojson", "labelme", "labels.csv", "masks", "voc", "yolo",
        ]  # fmt: skip
        made = read_mask(out, "01.png")
        assert made is not None
        assert set(np.unique(made)) == {0, 1}
    assert page.export.button.isEnabled()


# Long work says how far it is and can be stopped


def holding(monkeypatch: pytest.MonkeyPatch, place: ModuleType, name: str) -> threading.Event:
    """An operation says that it has begun, and goes on once the event is set."""
    real, go = getattr(place, name), threading.Event()

    def held(*given: Any) -> Generator[Preparing, None, Any]:
        yield Preparing(stage=Message("Writing the labels"), done=1, total=2)
        assert go.wait(20)
        yield Preparing(stage=Message("Writing the labels"), done=2, total=2)
        return (yield from real(*given))

    monkeypatch.setattr(place, name, held)
    return go


def test_an_export_is_stopped_and_begun_again(
    page: LabelPage, tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    add(page, "a", "b")
    press(page, Qt.Key.Key_1)
    said.folder = tmp_path / "elsewhere"
    said.folder.mkdir()
    go, busy = holding(monkeypatch, label_export, "export_labels"), page.export.busy
    page.export.button.choose("In all formats")
    qtbot.waitUntil(lambda: "1 of 2" in busy.told.text(), timeout=20_000)
    assert busy.isVisible()
    QTest.mouseClick(busy.stop, LEFT)
    go.set()
    qtbot.waitUntil(busy.again.isVisible, timeout=20_000)
    assert busy.told.text() == "Not exported."
    assert list(said.folder.iterdir()) == []
    QTest.mouseClick(busy.again, LEFT)
    qtbot.waitUntil(lambda: said.offered == ["open"], timeout=20_000)
    assert read_labels_table(said.folder / "plain labels") == {"00.png": "a"}
    qtbot.waitUntil(lambda: busy.isHidden() and page.progress.isVisible(), timeout=20_000)


def test_opening_labels_is_stopped_and_begun_again(
    page: LabelPage, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    add(page, "a")
    press(page, Qt.Key.Key_1)
    page.labels.close()
    go, busy = holding(monkeypatch, picture_operations, "open_labels"), page.opening.busy
    page.open_labels()
    page._show_state()
    qtbot.waitUntil(lambda: busy.isVisible() and "1 of 2" in busy.told.text(), timeout=20_000)
    with changing(qtbot, page.workspace, Change.PICTURES, 20_000):
        page.workspace.use_labels(page.workspace.labels_file)  # other labels are no reason to forget how far it is
    assert "1 of 2" in busy.told.text()
    QTest.mouseClick(busy.stop, LEFT)
    assert not busy.again.isVisible()  # not while anything is still written
    go.set()
    qtbot.waitUntil(busy.again.isVisible, timeout=20_000)
    assert page.labels.store is None
    QTest.mouseClick(busy.again, LEFT)
    qtbot.waitUntil(lambda: page.faces.currentWidget() is page.board, timeout=20_000)
    assert store_of(page).of == {"00.png": 1}


# Suggested as the page opens


@pytest.fixture
def many(tmp_path: Path, sample: Path) -> Path:
    """Thirty pictures that nobody has labelled: enough to suggest some."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number, picture in enumerate(sorted((sample / "images").rglob("*.png"))[::2]):
        (folder / f"{number:02}.png").write_bytes(picture.read_bytes())
    return folder


def open_page(qtbot: QtBot, folder: Path) -> LabelPage:
    """The page with these pictures, suggestions shown."""
    window = MainWindow()
    qtbot.addWidget(window)
    window.show()
    with changing(qtbot, window.workspace, Change.PICTURES, 20_000):
        window.open_folder(folder)
    window.go("label")
    page = window.pages["label"]
    assert isinstance(page, LabelPage)
    qtbot.waitUntil(lambda: page.labels.store is not None, timeout=20_000)
    return page


def test_suggested_is_how_one_labels_and_what_tests_is_drawn_among_it(qtbot: QtBot, many: Path, said: Said) -> None:
    page = open_page(qtbot, many)
    gallery, store = page.board.gallery, store_of(page)
    assert "Comparing the pictures" in page.board.why.text()
    qtbot.waitUntil(lambda: gallery.filter.currentIndex() == NEXT, timeout=60_000)
    assert "typical pictures, no two alike (features: general weights)" in page.board.why.text()
    assert "One of 5 is drawn at random: it tests." in page.board.why.text()
    first = list(gallery.shown)
    assert len(first) == 12
    assert gallery.path == first[0]
    add(page, "a", "b")
    for number in range(12):
        assert gallery.path == first[number]
        press(page, Qt.Key.Key_1 if number % 2 else Qt.Key.Key_2)
    drawn = store.drawn
    assert drawn is not None
    tested = [path for path in first if drawn.is_held(path)]
    assert tested == [first[2], first[7]]
    assert [path for path in gallery._paths if path in store.of and drawn.is_drawn(path, "classification")] == sorted(
        tested
    )
    qtbot.waitUntil(lambda: len(gallery.shown) > 12, timeout=30_000)  # the next dozen comes by itself
    assert gallery.shown[:12] == first  # and the way back stays
    assert gallery.path == gallery.shown[12]
    press(page, Qt.Key.Key_Z, CTRL)
    assert gallery.path == first[11]
    page.window().close()
    assert read_drawn(store.folder) == drawn
    assert said.errors == []


def test_other_orders_are_a_choice_away(qtbot: QtBot, many: Path, said: Said) -> None:
    page = open_page(qtbot, many)
    gallery, store = page.board.gallery, store_of(page)
    page.stop_comparing()
    assert gallery.filter.currentIndex() == ALL
    assert page.board.why.text() == "All pictures, as they lie in the folder."
    add(page, "a", "b")
    press(page, Qt.Key.Key_1)
    assert store.drawn is None  # nothing was suggested: all splits as ever
    gallery.filter.setCurrentIndex(RANDOM)
    qtbot.waitUntil(lambda: len(gallery.shown) == 29, timeout=20_000)
    assert "drawn at random" in page.board.why.text()
    assert gallery.shown != sorted(gallery.shown)
    while store.drawn is None or not store.drawn.asked:
        press(page, Qt.Key.Key_2)
    assert store.drawn.before["classification"] == {"00.png"}
    gallery.filter.setCurrentIndex(OPEN)
    assert "test" in page.board.why.text()
    page.window().close()
    assert said.errors == []


def test_who_labels_already_is_not_led_away(qtbot: QtBot, many: Path, said: Said) -> None:
    page = open_page(qtbot, many)
    add(page, "a", "b")
    press(page, Qt.Key.Key_1)
    gallery = page.board.gallery
    at_hand = gallery.path
    assert at_hand == "01.png"
    qtbot.waitUntil(lambda: gallery.filter.currentIndex() == NEXT, timeout=60_000)
    assert gallery.shown[0] == at_hand
    assert gallery.path == at_hand
    page.window().close()
    assert said.errors == []
