"""The results page on real runs: looked at closely, and taken away."""

import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from sslstudio.cli.main import parser
from sslstudio.engine.runs.label_decisions import read_decisions
from sslstudio.ui.operations.inspection import DoubtLine
from sslstudio.ui.pages.results.page import ResultsPage
from sslstudio.ui.pages.results.twins_view import BOTH, FIRST, NONE, SECOND, compared
from sslstudio.ui.widgets.mask_image import mask_image, outline_of
from sslstudio.ui.workspace.workspace import Workspace
from tests.ui.conftest import Said

LONG = 120_000
TEST_PICTURES, MAP, DOUBTS, TAKE = 2, 3, 4, 5
Opener = Callable[[Path], ResultsPage]


def click(one: QPushButton) -> None:
    QTest.mouseClick(one, Qt.MouseButton.LeftButton)


@pytest.fixture
def opened(qtbot: QtBot, said: Said) -> Iterator[Opener]:
    """Opens the results page on a run."""
    pages: list[ResultsPage] = []

    def opener(run: Path) -> ResultsPage:
        workspace = Workspace()
        page = ResultsPage(workspace).complete()
        workspace.setParent(page)
        qtbot.addWidget(page)
        page.resize(1280, 720)
        page.show()
        workspace.show_result(run)
        qtbot.waitUntil(lambda: page.results is not None, timeout=LONG)
        pages.append(page)
        return page

    yield opener
    for page in pages:
        page.finish()
    assert said.errors == []


def test_a_mistake_is_looked_at_closely(opened: Opener, classified: Path, qtbot: QtBot) -> None:
    page = opened(classified)
    page.tabs.setCurrentIndex(TEST_PICTURES)
    close_up = page.predictions.close_up
    first = page.predictions._all[0]
    assert first.wrong
    assert first.confidence == max(one.confidence for one in page.predictions._all if one.wrong)
    qtbot.waitUntil(lambda: close_up.near.gallery.rowCount() == 6, timeout=LONG)
    assert first.file not in close_up._files
    assert not close_up.picture.mask_shown
    click(close_up.why)
    qtbot.waitUntil(lambda: close_up.picture.mask_shown, timeout=LONG)
    assert "less sure" in close_up.told.text()
    click(close_up.why)
    assert not close_up.picture.mask_shown


def test_twins_and_matrix_filter_the_gallery(opened: Opener, classified: Path) -> None:
    page = opened(classified)
    assert page.results is not None
    groups = compared(page.results.predictions)
    assert groups is not None
    assert sum(len(group) for group in groups) == page.results.metrics["n_test"]
    right = [sum(page.results.metrics["parts"][part]["confusion"][k][k] for k in range(5))
             for part in ("pretrained", "scratch")]  # fmt: skip
    assert len(groups[BOTH]) + len(groups[FIRST]) == right[0]
    assert len(groups[BOTH]) + len(groups[SECOND]) == right[1]
    assert groups[NONE]
    QTest.mouseClick(page.twins, Qt.MouseButton.LeftButton, pos=page.twins.stretch(NONE).center().toPoint())
    assert page.tabs.currentIndex() == TEST_PICTURES
    assert {one.file for one in page.predictions._shown} == groups[NONE]
    click(page.predictions.everything)
    assert len(page.predictions._shown) == page.results.metrics["n_test"]


def test_the_map_is_pointed_at_and_opened(opened: Opener, classified: Path, qtbot: QtBot) -> None:
    page = opened(classified)
    assert page.results is not None
    page.tabs.setCurrentIndex(MAP)
    qtbot.waitUntil(lambda: bool(page.map.spots), timeout=LONG)
    classes = page.results.metrics["classes"]
    assert list(page.map.way.names) == classes
    assert set(page.map.canvas._groups) == set(range(1, len(classes) + 1))
    tested = page.predictions._all[3].file
    number = next(place for place, spot in enumerate(page.map.spots) if spot.file == tested)
    QTest.mouseClick(page.map.canvas, Qt.MouseButton.LeftButton, pos=page.map.canvas.point_of(number).toPoint())
    number = page.map.canvas.current  # the topmost one there
    qtbot.waitUntil(lambda: page.map.picture.accessibleName() == page.map.spots[number].file, timeout=LONG)
    assert "The network" in page.map.said.text()
    page.map.by.setCurrentIndex(1)
    assert page.map.way.names[1] == "wrong"
    wrong = {group for group, spot in zip(page.map.canvas._groups, page.map.spots, strict=True)
             if spot.label != spot.answer and not spot.taught}  # fmt: skip
    assert wrong == {2}
    page.map.canvas._click(next(place for place, spot in enumerate(page.map.spots) if spot.file == tested))
    click(page.map.open_button)
    assert page.tabs.currentIndex() == TEST_PICTURES
    assert page.predictions._chosen is not None
    assert page.predictions._chosen.file == tested
    page.map.canvas.lassoed.emit(list(range(len(page.map.spots))))
    assert len(page.predictions._shown) == page.results.metrics["n_test"]


def test_doubts_are_decided_and_kept_in_the_run(opened: Opener, classified: Path, tmp_path: Path, qtbot: QtBot) -> None:
    run = tmp_path / "run"
    shutil.copytree(classified, run)
    page = opened(run)
    page.tabs.setCurrentIndex(DOUBTS)
    qtbot.waitUntil(lambda: page.doubts.lines is not None, timeout=LONG)
    files = [one.file for one in page.predictions._all[:3]]
    page.doubts._take([DoubtLine(file, "leaf", "shell", 0.5, 0.7, 0.1, 0.8, "") for file in files])
    assert page.doubts.chosen == 0
    assert "“shell”" in page.doubts.said.text()
    click(page.doubts.keep)
    qtbot.waitUntil(lambda: page.doubts.chosen == 1, timeout=LONG)
    click(page.doubts.change)
    qtbot.waitUntil(lambda: page.doubts.chosen == 2, timeout=LONG)
    assert {file: one.decision for file, one in read_decisions(run).items()} == {files[0]: "keep", files[1]: "change"}
    page.doubts.list.selectRow(0)
    click(page.doubts.back)
    qtbot.waitUntil(lambda: set(read_decisions(run)) == {files[1]}, timeout=LONG)


def copied(qtbot: QtBot, one: QAction) -> list[str]:
    """What the entry of the menu put on the clipboard, as a shell takes it apart."""
    QGuiApplication.clipboard().setText("")
    one.trigger()
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text().startswith("sslstudio "), timeout=LONG)
    return shlex.split(QGuiApplication.clipboard().text())[1:]


def test_a_new_folder_is_answered_and_goes_on(
    opened: Opener, classified: Path, sample_folder: Path, said: Said, qtbot: QtBot
) -> None:
    page = opened(classified)
    page.tabs.setCurrentIndex(TAKE)
    card = page.take.predict
    said.folder = sample_folder / "images" / "leaf"
    count = len(list(said.folder.iterdir()))
    with qtbot.waitSignal(card.progress.over, timeout=LONG):
        click(card.choose)
    qtbot.waitUntil(lambda: card.gallery.gallery.rowCount() == count, timeout=LONG)
    assert card.out is not None
    assert (card.out / "predictions.csv").exists()
    sure = [float(card.gallery.gallery.item(row).caption.split()[-2]) for row in range(count)]
    assert sure == sorted(sure)
    journal = (card.out / "answers.jsonl").read_bytes()
    with qtbot.waitSignal(card.progress.over, timeout=LONG):
        click(card.again)
    assert (card.out / "answers.jsonl").read_bytes() == journal  # nothing was asked twice
    options = parser().parse_args(copied(qtbot, card.copy))
    assert (options.command, options.run, options.folder, options.out) == ("predict", classified, said.folder, card.out)
    card.start()
    assert card.progress.active
    with qtbot.waitSignal(card.progress.over, timeout=LONG):
        click(card.progress.stop_button)
        assert not card.again.isEnabled()  # not before the answer that is on its way is written down
    assert not card.progress.active
    assert "Stopped" in card.progress.said.text()


def test_networks_and_report_are_taken_away(
    opened: Opener, classified: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    page = opened(classified)
    page.tabs.setCurrentIndex(TAKE)
    export, report = page.take.export, page.take.report
    said.folder, said.file = tmp_path, tmp_path / "report.html"
    export.form.setCurrentIndex(1)
    with qtbot.waitSignal(export.progress.over, timeout=LONG):
        click(export.start_button)
    assert "model.safetensors" in export.found.text()
    assert (tmp_path / "classified exported" / "card.json").exists()
    options = parser().parse_args(copied(qtbot, export.copy))
    assert (options.command, options.format, options.part) == ("export", "safetensors", "pretrained")
    report.pictures.setChecked(False)
    with qtbot.waitSignal(report.progress.over, timeout=LONG):
        click(report.start_button)
    assert "<img" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert report.open_button.isVisible()
    assert parser().parse_args(copied(qtbot, report.copy)).without_pictures
    with qtbot.waitSignal(report.progress.over, timeout=LONG):
        click(report.start_button)  # the dialog has asked whether it may be replaced
    assert report.progress.said.text() == ""
    said.file = tmp_path / "report"
    before = (tmp_path / "report.html").read_bytes()
    with qtbot.waitSignal(report.progress.over, timeout=LONG):
        click(report.start_button)  # nobody was asked about the name with its ending
    assert "exists already" in report.progress.said.text()
    assert (tmp_path / "report.html").read_bytes() == before


@pytest.mark.usefixtures("german")
def test_the_report_is_in_the_windows_language(
    opened: Opener, classified: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    page = opened(classified)
    page.tabs.setCurrentIndex(TAKE)
    said.file = tmp_path / "Bericht.html"
    report = page.take.report
    report.pictures.setChecked(False)
    with qtbot.waitSignal(report.progress.over, timeout=LONG):
        click(report.start_button)
    written = said.file.read_text(encoding="utf-8")
    assert '<html lang="de">' in written
    assert "Womit es gemacht wurde" in written
    assert "Made on" not in written


def test_masks_as_outlines_hidden_and_where_they_are_unsure(opened: Opener, segmented: Path, qtbot: QtBot) -> None:
    page = opened(segmented)
    page.tabs.setCurrentIndex(TEST_PICTURES)
    overlay = page.predictions.overlay
    qtbot.waitUntil(lambda: overlay._overlay is not None, timeout=LONG)
    assert overlay._overlay is not None
    assert "IoU" in overlay.title.text()
    filled = overlay.predicted._mask
    overlay.style_of.setCurrentIndex(1)
    assert overlay.predicted._mask != filled
    QTest.mousePress(overlay.hide_button, Qt.MouseButton.LeftButton)
    assert not overlay.predicted.mask_shown
    assert not overlay.truth.mask_shown
    QTest.mouseRelease(overlay.hide_button, Qt.MouseButton.LeftButton)
    assert overlay.predicted.mask_shown
    overlay.unsure.setChecked(True)
    qtbot.waitUntil(lambda: not overlay._unsure.isNull(), timeout=LONG)
    assert overlay.predicted._mask == overlay._unsure
    overlay.unsure.setChecked(False)
    assert overlay.predicted._mask != overlay._unsure


def test_an_outline_is_the_border_alone() -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[2:7, 2:7] = 1
    image = outline_of(mask_image(mask)).convertToFormat(QImage.Format.Format_RGBA8888)
    drawn = {(x, y) for x in range(9) for y in range(9) if image.pixelColor(x, y).alpha()}
    assert drawn == {(x, y) for x in range(2, 7) for y in range(2, 7) if 2 in (x, y) or 6 in (x, y)}


def test_what_more_labels_would_give(opened: Opener, classified: Path, qtbot: QtBot) -> None:
    page = opened(classified)
    card = page.more_labels
    assert not card.said.isVisible()
    click(card.begin)
    qtbot.waitUntil(lambda: card.plot.curve is not None, timeout=LONG)
    assert "20 more labels" in card.said.text()
    curve = card.plot.curve
    assert curve is not None
    assert curve.expected.labels > curve.points[-1].labels
    assert card.plot.isVisible()
    assert not card.begin.isVisible()


def test_the_ladder_stands_above_the_scores(opened: Opener, classified: Path) -> None:
    page = opened(classified)
    assert page.results is not None
    assert page.results.ladder is not None
    assert page.line.isVisible()
    assert page.line.then.text().startswith("Next: ")
    assert len(page.rungs.answers) == 4


def test_what_it_proposes_is_one_click_away(opened: Opener, classified: Path, qtbot: QtBot) -> None:
    page = opened(classified)
    asked: list[str] = []
    page.workspace.wants_page_now.connect(asked.append)
    with qtbot.waitSignal(page.workspace.proposals_wanted):
        click(page.propose)
    assert asked == ["label"]
