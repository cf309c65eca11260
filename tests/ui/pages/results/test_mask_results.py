"""The results page on a real run with masks: what is only there for classes is not promised, the rest is there."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sslstudio.engine.runs.confusions import confusions_file, read_confusions
from sslstudio.ui.pages.results.map_colours import STEP_MARKS
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.widgets.class_marks import SHAPES
from tests.ui.conftest import Said
from tests.ui.pages.results.test_page import DOUBTS, LONG, MAP, TAKE, TEST_PICTURES, Opener, click, opened

__all__ = ["opened"]
MATRIX = 1


def matrix_of(page: ResultsPage) -> list[list[int]]:
    assert page.results is not None
    confusion: list[list[int]] = page.results.metrics["parts"]["pretrained"]["confusion"]
    return confusion


def test_who_waits_for_where_it_is_unsure_sees_how_far_it_is_and_may_stop(
    opened: Opener, segmented: Path, qtbot: QtBot
) -> None:
    page = opened(segmented)
    page.tabs.setCurrentIndex(TEST_PICTURES)
    overlay, inspection = page.predictions.overlay, page.inspection
    qtbot.waitUntil(lambda: overlay._overlay is not None, timeout=LONG)
    assert not overlay.busy.isVisible()
    overlay.unsure.setChecked(True)
    assert overlay.busy.told.text() == "Asking the network about the labelled pictures…"
    click(overlay.busy.stop)
    assert (overlay.busy.told.text(), overlay.busy.going) == ("Stopped.", False)
    said: list[str] = []
    inspection.progressed.connect(lambda _: said.append(overlay.busy.told.text()))
    click(overlay.busy.again)
    assert overlay.busy.going
    qtbot.waitUntil(lambda: not overlay._unsure.isNull(), timeout=LONG)
    assert any(one.startswith("Looking at the labelled pictures  ·  60 of 60") for one in said)
    assert not overlay.busy.isVisible()
    page.predictions.gallery.setCurrentIndex(page.predictions.gallery.gallery.index(1))
    qtbot.waitUntil(lambda: overlay._overlay is not None and not overlay.waits, timeout=LONG)
    assert not overlay.busy.isVisible()  # the network has been asked already


def test_who_waits_no_more_stops_it(opened: Opener, segmented: Path, qtbot: QtBot) -> None:
    page = opened(segmented)
    page.tabs.setCurrentIndex(TEST_PICTURES)
    overlay = page.predictions.overlay
    qtbot.waitUntil(lambda: overlay._overlay is not None, timeout=LONG)
    overlay.unsure.setChecked(True)
    with qtbot.waitSignal(page.inspection.failed, timeout=LONG):
        overlay.unsure.setChecked(False)
    assert not overlay.busy.isVisible()
    assert page.inspection.closer is None


def test_a_square_of_pixels_leads_to_the_pictures_with_most_of_them(
    opened: Opener, segmented: Path, qtbot: QtBot
) -> None:
    page = opened(segmented)
    page.tabs.setCurrentIndex(MATRIX)
    assert "Click a square" in page.hint.text()
    confusion, gallery = matrix_of(page), page.predictions.gallery.gallery
    paths, of_each = read_confusions(confusions_file(segmented, "pretrained"))
    truth, taken_for = next((t, p) for t, row in enumerate(confusion) for p, n in enumerate(row) if t != p and n)
    place = page.matrix.cell_rect(truth, taken_for).center().toPoint()
    QTest.mouseClick(page.matrix, Qt.MouseButton.LeftButton, pos=QPoint(place))
    qtbot.waitUntil(lambda: page.tabs.currentIndex() == TEST_PICTURES, timeout=LONG)
    pixels = {path: int(one[truth, taken_for]) for path, one in zip(paths, of_each, strict=True)}
    shown = [one.file for one in page.predictions._shown]
    assert set(shown) == {path for path, count in pixels.items() if count}
    assert [pixels[file] for file in shown] == sorted((count for count in pixels.values() if count), reverse=True)
    assert sum(pixels.values()) == confusion[truth][taken_for]
    assert f"{confusion[truth][taken_for]:,} pixels" in page.predictions.told.text()
    assert "taken for “" in page.predictions.told.text()
    assert gallery.item(0).caption == f"{pixels[shown[0]]:,} pixels"
    click(page.predictions.everything)
    assert len(page.predictions._shown) == len(paths)


def test_the_keys_lead_there_too_and_an_empty_square_says_so(opened: Opener, segmented: Path, qtbot: QtBot) -> None:
    page = opened(segmented)
    page.tabs.setCurrentIndex(MATRIX)
    confusion = matrix_of(page)
    page.matrix.setFocus()
    QTest.keyClick(page.matrix, Qt.Key.Key_Return)  # background as background: there is some in every run
    qtbot.waitUntil(lambda: page.tabs.currentIndex() == TEST_PICTURES, timeout=LONG)
    assert "of “background” found" in page.predictions.told.text()
    empty = next(((t, p) for t, row in enumerate(confusion) for p, n in enumerate(row) if not n), None)
    assert empty is not None
    page.tabs.setCurrentIndex(MATRIX)
    for _ in range(empty[0]):
        QTest.keyClick(page.matrix, Qt.Key.Key_Down)
    for _ in range(empty[1]):
        QTest.keyClick(page.matrix, Qt.Key.Key_Right)
    QTest.keyClick(page.matrix, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "No pixel of" in page.hint.text(), timeout=LONG)
    assert page.tabs.currentIndex() == MATRIX


def test_confusions_that_are_gone_are_told(opened: Opener, segmented: Path, tmp_path: Path, qtbot: QtBot) -> None:
    run = tmp_path / "run"
    shutil.copytree(segmented, run)
    confusions_file(run, "pretrained").unlink()
    page = opened(run)
    page.tabs.setCurrentIndex(MATRIX)
    page.matrix.cell_chosen.emit(0, 0)
    qtbot.waitUntil(lambda: "Score that run again" in page.hint.text(), timeout=LONG)


def test_the_map_is_coloured_by_overlap_and_by_use(opened: Opener, segmented: Path, qtbot: QtBot) -> None:
    page = opened(segmented)
    view = page.map
    page.tabs.setCurrentIndex(MAP)
    qtbot.waitUntil(lambda: bool(view.spots), timeout=LONG)
    offered = [view.by.itemText(number) for number in range(view.by.count())]
    assert offered == ["overlap with your mask (IoU)", "what they were used for"]
    overlap = {one.file: one.iou for one in page.predictions._all}
    for spot, mark in zip(view.spots, view.canvas._groups, strict=True):
        iou = overlap.get(spot.file)
        step = 4 if iou is None else [iou < 0.25, iou < 0.5, iou < 0.75, True].index(True)
        assert mark == STEP_MARKS[step]
    assert "below 0.25" in view.legend.boxes[0].name
    assert len(set(STEP_MARKS)) == len({mark and (mark - 1) % SHAPES + 1 for mark in STEP_MARKS}) == 5
    tested = next(number for number, spot in enumerate(view.spots) if spot.file in overlap)
    view.canvas._click(tested)
    assert f"IoU {overlap[view.spots[tested].file]:.2f}" in view.said.text()
    view.by.setCurrentIndex(1)
    taught = {spot.file for spot, mark in zip(view.spots, view.canvas._groups, strict=True) if mark == 1}
    of_test = {spot.file for spot, mark in zip(view.spots, view.canvas._groups, strict=True) if mark == 2}
    assert page.results is not None
    assert (len(taught), of_test) == (page.results.metrics["n_train"], set(overlap))
    assert view.legend.boxes[0].name == "it was trained on"


def test_the_pictures_most_like_one_are_shown_in_turn(opened: Opener, segmented: Path, qtbot: QtBot) -> None:
    page = opened(segmented)
    page.tabs.setCurrentIndex(TEST_PICTURES)
    view = page.predictions
    qtbot.waitUntil(lambda: view.overlay._overlay is not None, timeout=LONG)
    first = view._all[0]
    click(view.overlay.alike)
    click(view.overlay.busy.stop)
    assert view.overlay.busy.told.text() == "Stopped."
    click(view.overlay.busy.again)
    qtbot.waitUntil(lambda: "most like" in view.told.text(), timeout=LONG)
    assert view._shown[0] == first
    captions = [view.gallery.gallery.item(row).caption for row in range(len(view._shown))]
    assert len(captions) == min(13, len(view._all))
    assert captions[0] == "this picture"
    likeness = [float(one.removeprefix("likeness ")) for one in captions[1:]]
    assert likeness == sorted(likeness, reverse=True)
    assert page.inspection.closer is not None
    tested = {one.file for one in view._all}
    nearest = next(file for file, _ in page.inspection.closer.neighbours(first.file, 60) if file in tested)
    assert view._shown[1].file == nearest
    assert not view.overlay.busy.isVisible()
    click(view.everything)
    assert len(view._shown) == len(tested)


def test_masks_have_no_doubtful_labels_and_are_told_so_at_once(opened: Opener, segmented: Path) -> None:
    page = opened(segmented)
    page.tabs.setCurrentIndex(DOUBTS)
    assert page.doubts.empty.isVisible()
    assert page.doubts.empty.heading.text() == "Doubtful labels are found for classes only"
    assert page.inspection._job is None  # nothing is asked of the network for it


def test_doubtful_labels_are_gone_on_with(opened: Opener, classified: Path, qtbot: QtBot) -> None:
    page = opened(classified)
    page.tabs.setCurrentIndex(DOUBTS)
    qtbot.waitUntil(page.doubts.busy.stop.isVisible, timeout=LONG)
    click(page.doubts.busy.stop)
    assert page.doubts.busy.told.text() == "Stopped."
    click(page.doubts.busy.again)
    qtbot.waitUntil(lambda: page.doubts.lines is not None, timeout=LONG)
    assert not page.doubts.busy.isVisible()


def test_a_new_folder_is_answered_with_masks(
    opened: Opener, segmented: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    page = opened(segmented)
    page.tabs.setCurrentIndex(TAKE)
    assert page.results is not None
    tested = [one.file for one in page.predictions._all[-4:]]
    said.folder = tmp_path / "new"
    said.folder.mkdir()
    for file in tested:
        shutil.copy(page.results.folder / file, said.folder / Path(file).name)
    card = page.take.predict
    with qtbot.waitSignal(card.progress.over, timeout=LONG):
        click(card.choose)
    qtbot.waitUntil(lambda: card.gallery.gallery.rowCount() == 4, timeout=LONG)
    assert card.out is not None
    with (card.out / "predictions.csv").open(encoding="utf-8-sig", newline="") as table:
        rows = {row["file"]: row for row in csv.DictReader(table)}
    classes = page.results.metrics["classes"]
    for file in tested:
        row = rows.pop(Path(file).name)
        made = np.asarray(Image.open(card.out / row["mask"]))
        of_run = np.asarray(Image.open(segmented / "predictions-pretrained" / f"{file}.png"))
        assert (made == of_run).all()  # the network answers as it did in its test
        for number, name in enumerate(classes):
            assert float(row[f"share_{name}"]) == pytest.approx((made == number).mean(), abs=1e-4)
    assert rows == {}
    coco = json.loads((card.out / "coco.json").read_text(encoding="utf-8"))
    assert {one["file_name"] for one in coco["images"]} == {Path(file).name for file in tested}
    assert [one["name"] for one in coco["categories"]] == classes[1:]
    assert coco["annotations"]
    assert {one["image_id"] for one in coco["annotations"]} <= {one["id"] for one in coco["images"]}
    sure = [card.gallery.gallery.item(row).confidence or 0.0 for row in range(4)]
    assert sure[0] > 0
    assert sure == sorted(sure)
