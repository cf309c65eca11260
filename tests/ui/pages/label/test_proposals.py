"""Proposals of a network on the page that labels: accepted, corrected, turned down by one key each, and undone; they
are no labels before."""

import json
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.drawn_test import DrawnTest
from sslstudio.engine.labels.editing.files import read_labels_table
from sslstudio.engine.labels.masks.files import mask_png
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.projects.project import Project
from sslstudio.ui.pages.label.board import CLASSES, MASKS
from sslstudio.ui.pages.label.gallery import PROPOSED
from sslstudio.ui.pages.label.page import LabelPage
from tests.ui.pages.label.test_page import add, page, plain, press, store_of

__all__ = ["page", "plain"]  # fixtures
CTRL = Qt.KeyboardModifier.ControlModifier
SURE = {"03.png": 0.51, "07.png": 0.6, "05.png": 0.9, "00.png": 0.99}  # as they are to be asked about


def write_answers(project: Project, run: str, kind: str, classes: list[str]) -> Path:
    """What a network would have answered, in the files of a prediction."""
    out = project.folder / "proposals" / run
    out.mkdir(parents=True)
    about = {"run": f"/runs/{run}", "part": "pretrained", "kind": kind, "classes": classes}
    (out / "about.json").write_text(json.dumps(about))
    lines = []
    for path, sure in reversed(SURE.items()):
        line: dict[str, object] = {"file": path, "stamp": [1, 1]}
        if kind == "classification":
            line["chances"] = [sure, 1 - sure]
        else:
            mask = np.zeros((48, 48), np.uint8)
            mask[10:20, 10:20] = 1
            file = out / "masks" / f"{path}.png"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(mask_png(mask))
            line |= {"mask": f"masks/{path}.png", "confidence": sure, "shares": [0.9, 0.1]}
        lines.append(json.dumps(line))
    (out / "answers.jsonl").write_text("\n".join(lines) + "\n")
    return out


def propose(page: LabelPage, qtbot: QtBot, kind: str, classes: list[str]) -> Path:
    """Proposals of a run, looked at."""
    project = page.workspace.project
    assert project is not None
    out = write_answers(project, "run 1", kind, classes)
    run = project.runs / "run 1"
    run.mkdir(parents=True)
    (run / "config.toml").write_text(f'format = 4\njob = "finetune"\nkind = "{kind}"\n')
    page.proposals.ask = lambda: None  # type: ignore[method-assign]  # there is no network behind these answers
    page.workspace.show_result(run)
    qtbot.waitUntil(lambda: page.proposals.found is not None)
    page.workspace.proposals_wanted.emit()
    return out


def test_one_key_each_for_classes(page: LabelPage, qtbot: QtBot) -> None:
    add(page, "leaf", "beetle")
    out = propose(page, qtbot, "classification", ["leaf", "moth"])
    board, store = page.board, store_of(page)
    gallery = board.gallery
    assert gallery.filter.currentIndex() == PROPOSED
    assert gallery.shown == list(SURE)  # the least sure first
    assert gallery.path == "03.png"
    assert board.said.text() == "Proposed: leaf, 51 % sure. Enter accepts, a number corrects, Delete rejects."
    assert "4 pictures proposed" in board.why.text()
    assert store.of == {}
    assert "0 of 12 labelled" in page.progress.text()
    labels_before = recognise(scan(page.editing.root)).classes

    press(page, Qt.Key.Key_Return)  # accepted
    assert store.of == {"03.png": 1}
    assert gallery.path == "07.png"
    press(page, Qt.Key.Key_2)  # corrected
    assert store.of == {"03.png": 1, "07.png": 2}
    assert gallery.path == "05.png"
    press(page, Qt.Key.Key_Delete)  # turned down
    assert store.of == {"03.png": 1, "07.png": 2}
    assert json.loads((out / "rejected.json").read_text()) == ["05.png"]
    assert page.proposals.left("classification") == ["00.png"]
    assert "1 picture proposed" in board.why.text()

    press(page, Qt.Key.Key_Z, CTRL)  # each is taken back
    assert page.proposals.left("classification") == ["05.png", "00.png"]
    assert gallery.path == "05.png"
    press(page, Qt.Key.Key_Z, CTRL)
    press(page, Qt.Key.Key_Z, CTRL)
    assert store.of == {}
    assert page.proposals.left("classification") == list(SURE)
    assert recognise(scan(page.editing.root)).classes == labels_before
    page.labels.save()
    assert read_labels_table(store.folder) == {}  # nothing of it is in what is trained on, counted or exported


def test_an_accepted_class_that_is_not_there_is_made_and_goes_with_it(page: LabelPage, qtbot: QtBot) -> None:
    propose(page, qtbot, "classification", ["moth", "leaf"])
    press(page, Qt.Key.Key_A)
    store = store_of(page)
    assert [one.name for one in store.names("classification")] == ["moth"]
    assert store.of == {"03.png": 1}
    press(page, Qt.Key.Key_Z, CTRL)
    assert store.names("classification") == []
    assert store.of == {}


def test_masks_are_accepted_or_corrected_by_a_stroke(page: LabelPage, qtbot: QtBot) -> None:
    page.board.tabs.setCurrentIndex(MASKS)
    add(page, "spot")
    page.board.tabs.setCurrentIndex(CLASSES)
    propose(page, qtbot, "segmentation", ["background", "spot"])
    board, store, canvas = page.board, store_of(page), page.board.canvas
    assert board.tabs.currentIndex() == MASKS
    qtbot.waitUntil(lambda: canvas.drawn.shape == (48, 48) and bool(canvas.drawn[15, 15]))
    assert store.masked == frozenset()
    press(page, Qt.Key.Key_Return)
    mask = store.mask("03.png")
    assert mask is not None
    assert (mask == 1).sum() == 100
    qtbot.waitUntil(lambda: board.gallery.path == "07.png" and page.editing.path == "07.png")
    qtbot.waitUntil(lambda: bool(canvas.drawn[15, 15]))
    at = canvas.to_widget(canvas.to_picture(canvas.rect().center().toPointF())).toPoint()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(at))
    corrected = store.mask("07.png")
    assert corrected is not None
    assert (corrected == 1).sum() > 100  # what was proposed, and the stroke
    press(page, Qt.Key.Key_Z, CTRL)
    press(page, Qt.Key.Key_Z, CTRL)
    assert store.masked == {"03.png"}


def test_pictures_held_for_the_test_are_not_proposed(page: LabelPage, qtbot: QtBot) -> None:
    add(page, "leaf", "moth")
    propose(page, qtbot, "classification", ["leaf", "moth"])
    every = [f"{number:02}.png" for number in range(12)]
    store_of(page).drawn = DrawnTest.draw(every, ["07.png", "09.png"], {})
    assert page.proposals.left("classification") == ["03.png", "05.png", "00.png"]
    assert page.proposals.at("07.png", "classification") is None


def test_a_class_is_deleted_with_its_labels_and_comes_back(page: LabelPage) -> None:
    add(page, "leaf", "moth")
    press(page, Qt.Key.Key_1)
    press(page, Qt.Key.Key_2)
    page.board.classes.choose(1)
    QTest.mouseClick(page.board.classes.remove, Qt.MouseButton.LeftButton)
    store = store_of(page)
    assert [one.name for one in store.names("classification")] == ["moth"]
    assert store.of == {"01.png": 2}
    press(page, Qt.Key.Key_Z, CTRL)
    assert [one.name for one in store.names("classification")] == ["leaf", "moth"]
    assert store.of == {"00.png": 1, "01.png": 2}


def test_painting_without_a_class_says_what_to_do(page: LabelPage) -> None:
    page.board.tabs.setCurrentIndex(MASKS)
    assert page.board.mask_said.text() == "What is not painted is background."
    QTest.mouseClick(page.board.canvas, Qt.MouseButton.LeftButton)
    assert "name a class" in page.board.mask_said.text()
    assert page.window().focusWidget() is page.board.classes.name
