from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.labels.masks.decode import MaskCoding
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.runs.test_predictions import read_predictions
from sslstudio.ui.base.theme import MASKS
from sslstudio.ui.pages.results.confusion_matrix import ConfusionMatrix, short_count
from sslstudio.ui.pages.results.data import Results, items_of, load_overlay, load_results
from sslstudio.ui.pages.results.mask_overlay import Overlay, OverlayView
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.mask_image import mask_image
from sslstudio.ui.widgets.score_table import ScoreTable
from tests.support.results import finetune_result, score

METRICS = finetune_result(
    baseline={"accuracy": 0.3, "balanced_accuracy": 0.25},
    parts={
        "pretrained": {"scores": {"accuracy": score(0.8), "balanced_accuracy": score(0.75)}},
        "scratch": {"scores": {"accuracy": score(0.6), "balanced_accuracy": score(0.55)}},
    },
)


def test_scores_are_shown_as_they_were_written(qtbot: QtBot) -> None:
    table = ScoreTable()
    qtbot.addWidget(table)
    table.show_scores(METRICS)
    table.show_scores(METRICS)  # a second result takes the place of the first
    assert table.cell("balanced_accuracy", "pretrained") == "75.0 %"
    assert table.cell("accuracy", "scratch") == "60.0 %"
    assert table.cell("accuracy", "baseline") == "30.0 %"


def test_a_score_that_is_not_known_is_a_dash(qtbot: QtBot) -> None:
    """Where every pixel of the test is to be ignored there is nothing to score, and the file has null."""
    table = ScoreTable()
    qtbot.addWidget(table)
    parts = {"scratch": {"scores": {"mean_iou": score(None)}}}
    table.show_scores(finetune_result(headline="mean_iou", baseline={"mean_iou": None}, parts=parts))
    table.grab()
    assert table.cell("mean_iou", "scratch") == table.cell("mean_iou", "baseline") == "–"


def test_a_result_without_a_twin_says_so(qtbot: QtBot) -> None:
    table = ScoreTable()
    qtbot.addWidget(table)
    lacking = "Not compared with not pretraining: no twin from scratch."
    for parts, said in ((("pretrained",), True), (("scratch",), False), (("pretrained", "scratch"), False)):
        table.show_scores({**METRICS, "parts": {part: METRICS["parts"][part] for part in parts}})
        assert (lacking in [label.text() for label in table.findChildren(QLabel) if not label.isHidden()]) == said


def test_a_long_name_of_a_score_is_wrapped(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    widths = []
    for name in ("Hits", "Hits, averaged over all of the classes that there are"):
        monkeypatch.setattr(formatting, "metric", lambda _, name=name: name)
        table = ScoreTable()
        qtbot.addWidget(table)
        table.show_scores(METRICS)
        widths.append(table.minimumSizeHint().width())
    assert widths[0] == widths[1]


@pytest.fixture
def matrix(qtbot: QtBot) -> ConfusionMatrix:
    made = ConfusionMatrix()
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.show_matrix(["cat", "dog", "owl"], [[8, 1, 1], [0, 9, 1], [5, 0, 0]], "pictures")
    made.show()
    return made


def test_a_click_says_which_cell(matrix: ConfusionMatrix, qtbot: QtBot) -> None:
    for truth in range(3):
        for predicted in range(3):
            place = matrix.cell_rect(truth, predicted).center().toPoint()
            with qtbot.waitSignal(matrix.cell_chosen) as told:
                QTest.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=place)
            assert told.args == [truth, predicted]


def test_a_click_beside_the_cells_says_nothing(matrix: ConfusionMatrix, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(matrix.cell_chosen):
        QTest.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))


def test_cells_are_as_wide_as_the_names_need_where_there_is_room(qtbot: QtBot) -> None:
    names = ["meningioma", "pituitary gland", "glioma", "none", "other"]
    made = ConfusionMatrix()
    qtbot.addWidget(made)
    made.show_matrix(names, [[1] * 5] * 5, "pictures")
    for width, whole in ((900, True), (400, False)):
        made.resize(width, 320)
        assert ([made.head(number) for number in range(5)] == names) is whole
        last = made.cell_rect(4, 4)
        assert last.right() <= width
        assert last.bottom() <= 320
        assert made.cell_at(last.center().toPoint()) == (4, 4)
        assert (last.width() > last.height() + 1) is whole


def test_a_cell_in_words(matrix: ConfusionMatrix) -> None:
    assert matrix.said(2, 0) == "5 of 5 pictures labelled “owl” were taken for “cat” (100 %)"


def test_fuller_cells_are_stronger(matrix: ConfusionMatrix) -> None:
    image = matrix.grab().toImage()
    ratio = image.devicePixelRatio()

    def shade(truth: int, predicted: int) -> float:
        corner = matrix.cell_rect(truth, predicted).topLeft() + matrix.cell_rect(0, 0).center() / 1e9
        return image.pixelColor(round((corner.x() + 9) * ratio), round((corner.y() + 9) * ratio)).lightnessF()

    assert shade(0, 0) < shade(0, 1)
    assert shade(2, 0) < shade(2, 2)


@pytest.mark.parametrize(("count", "said"), [(12, "12"), (9_999, "9,999"), (123_456, "123k"), (12_345_678, "12.3M")])
def test_many_pixels_in_a_small_cell(count: int, said: str) -> None:
    assert short_count(count) == said


def test_the_surest_mistakes_come_first(tmp_path: Path) -> None:
    file = tmp_path / "predictions.csv"
    lines = ["file,label,predicted,confidence,p_a,p_b", "1.png,a,a,0.90,0.9,0.1", "2.png,a,b,0.60,0.4,0.6",
             "3.png,b,a,0.95,0.95,0.05", "4.png,b,b,0.55,0.45,0.55"]  # fmt: skip
    file.write_text("\n".join(lines), encoding="utf-8-sig")
    found = read_predictions(file)
    assert [one.file for one in found] == ["3.png", "2.png", "4.png", "1.png"]
    items = items_of(
        Results(tmp_path, Path("/pictures"), "", finetune_result(parts={"scratch": {}}), {}), "scratch", found
    )
    assert [item.mark for item in items] == ["bad", "bad", "good", "good"]
    assert items[0].caption == "a 95 %"
    assert items[0].path == Path("/pictures/3.png")


def test_the_predictions_of_all_folds_are_shown_together(tmp_path: Path) -> None:
    scores = finetune_result()
    scores = finetune_result(parts={"scratch": next(iter(scores["parts"].values()))})
    RunFolder.create(tmp_path / "run", {"job": "finetune"}).write_json("metrics.json", scores)
    for number, line in enumerate(["a.png,leaf,shell,0.6", "b.png,leaf,shell,0.9"], start=1):
        fold = tmp_path / "run" / f"fold-{number}"
        fold.mkdir()
        (fold / "predictions-scratch.csv").write_text(
            f"file,label,predicted,confidence\n{line}\n", encoding="utf-8-sig"
        )
    found = load_results(tmp_path / "run", RunControl())
    assert [one.file for one in found.predictions["scratch"]] == ["b.png", "a.png"]


def test_a_mask_is_clear_on_the_background_and_where_nothing_counts() -> None:
    image = mask_image(np.array([[0, 1], [2, 255]], np.uint8))
    assert image.pixelColor(0, 0).alpha() == 0
    assert image.pixelColor(1, 1).alpha() == 0
    assert image.pixelColor(1, 0).name() == MASKS[1]
    assert image.pixelColor(0, 1).name() == MASKS[2]


def test_the_slider_says_how_strongly_the_mask_shows(qtbot: QtBot) -> None:
    view = OverlayView()
    qtbot.addWidget(view)
    view.resize(700, 400)
    view.show()
    picture = QImage(60, 60, QImage.Format.Format_RGB888)
    picture.fill(QColor("#ffffff"))
    full = mask_image(np.ones((60, 60), np.uint8))
    view.show_overlay(Overlay("one", picture, full, full))

    def middle() -> str:
        image = view.truth.grab().toImage()
        return image.pixelColor(image.width() // 2, image.height() // 2).name()

    view.slider.setValue(0)
    assert middle() == "#ffffff"
    view.slider.setValue(100)
    assert middle() == MASKS[1]


def test_an_overlay_is_read_from_the_run(tmp_path: Path) -> None:
    folder, run = tmp_path / "pictures", tmp_path / "run"
    for place in (folder / "images", folder / "masks", run / "predictions-pretrained" / "images"):
        place.mkdir(parents=True)
    Image.new("RGB", (40, 30), "red").save(folder / "images" / "1.png")
    Image.new("L", (40, 30), 255).save(folder / "masks" / "1.png")
    Image.new("P", (40, 30), 1).save(run / "predictions-pretrained" / "images" / "1.png.png")
    table = run / "predictions-pretrained.csv"
    table.write_text("file,mask,iou\nimages/1.png,masks/1.png,1.0\n", encoding="utf-8-sig")
    found = read_predictions(table)
    coding = MaskCoding("binary", (0, 255))
    results = Results(run, folder, "scratch", finetune_result(), {"pretrained": found}, coding)
    overlay = load_overlay(results, "pretrained", found[0], RunControl())
    assert overlay.picture.pixelColor(5, 5).name() == "#ff0000"
    seen = load_overlay(replace(results, channels=(2,)), "pretrained", found[0], RunControl())
    assert seen.picture.pixelColor(5, 5).name() == "#000000"  # the green of red, which the network was given
    assert replace(results, channels=(2,)).file("a.tif#page=3").name == "a.tif#page=3#channels=2"
    for mask in (overlay.truth, overlay.predicted):
        assert (mask.width(), mask.height()) == (40, 30)
        assert mask.pixelColor(5, 5).name() == MASKS[1]
