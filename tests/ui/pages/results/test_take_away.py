"""A prediction that is stopped in the middle and goes on; all formats of the networks, each read back."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from tests.ui.conftest import Said
from tests.ui.pages.results.test_page import LONG, TAKE, TEST_PICTURES, Opener, click, opened

__all__ = ["opened"]


@pytest.fixture
def many(sample_folder: Path, tmp_path: Path) -> Path:
    """Eight chunks of pictures, so that one can be quick enough to stop in the middle."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(8):
        for file in sorted((sample_folder / "images").rglob("*.png")):
            shutil.copy(file, folder / f"{number} {file.parent.name} {file.name}")
    return folder


def test_a_prediction_goes_on_where_it_was_stopped(
    opened: Opener, classified: Path, many: Path, said: Said, qtbot: QtBot
) -> None:
    page = opened(classified)
    page.tabs.setCurrentIndex(TAKE)
    card, total = page.take.predict, len(list(many.iterdir()))
    said.folder = many

    def answers() -> list[str]:
        file = (card.out or many) / "answers.jsonl"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def stop_in_the_middle(value: int) -> None:
        if 0 < len(answers()) < total:
            card.progress.bar.valueChanged.disconnect(stop_in_the_middle)
            click(card.progress.stop_button)

    card.progress.bar.valueChanged.connect(stop_in_the_middle)
    with qtbot.waitSignal(card.progress.over, timeout=LONG):
        click(card.choose)
    assert "What was done is kept" in card.progress.said.text()
    qtbot.waitUntil(lambda: "picture" in card.found.text(), timeout=LONG)
    first = answers()
    assert 0 < len(first) < total
    with qtbot.waitSignal(card.progress.over, timeout=LONG):
        click(card.again)
    qtbot.waitUntil(lambda: card.gallery.gallery.rowCount() == total, timeout=LONG)
    assert answers()[: len(first)] == first
    assert len({json.loads(line)["file"] for line in answers()}) == len(answers()) == total


def test_every_format_is_read_back_and_a_script_loads_it(
    opened: Opener, classified: Path, sample_folder: Path, tmp_path: Path, said: Said, qtbot: QtBot
) -> None:
    page = opened(classified)
    page.tabs.setCurrentIndex(TAKE)
    export = page.take.export
    said.folder = tmp_path
    with qtbot.waitSignal(export.progress.over, timeout=LONG):
        click(export.start_button)
    lines = export.found.text().splitlines()
    for name in (".safetensors", ".onnx", ".torchscript.pt"):
        of_both = [one for one in lines if one.startswith((f"encoder{name}:", f"model{name}:"))]
        assert len(of_both) == 2, lines
        for line in of_both:
            assert "the answers differ by at most" in line
    assert export.out is not None
    picture = next((sample_folder / "images").rglob("*.png"))
    done = subprocess.run(
        [sys.executable, str(export.out / "use_it.py"), str(picture)], capture_output=True, text=True, check=True,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.strip()


def test_a_mask_is_told_without_its_colours(opened: Opener, segmented: Path, qtbot: QtBot) -> None:
    page = opened(segmented)
    page.tabs.setCurrentIndex(TEST_PICTURES)
    overlay = page.predictions.overlay
    qtbot.waitUntil(lambda: overlay._overlay is not None, timeout=LONG)
    assert page.results is not None
    assert overlay._overlay is not None
    assert overlay._overlay.classes is not None
    names, truth = page.results.metrics["classes"], overlay._overlay.classes[0]
    area, (height, width) = overlay.truth.place(), truth.shape
    for number in np.unique(truth).tolist():
        down, across = (int(one) for one in np.argwhere(truth == number)[0])
        x, y = area.x() + (across + 0.5) / width * area.width(), area.y() + (down + 0.5) / height * area.height()
        assert overlay.truth.named_at(QPoint(int(x), int(y))) == names[number]
        share = round(100 * float((truth == number).mean()))
        assert f"{names[number]} {share} %" in overlay.truth.accessibleDescription()
    assert overlay.truth.named_at(QPoint(-5, -5)) == ""
