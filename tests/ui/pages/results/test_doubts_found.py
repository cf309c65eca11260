"""A label that was given wrongly is found by the program itself: a real training, the real list."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from sslstudio.engine.runs.label_decisions import read_decisions
from sslstudio.engine.runs.run_folder import RunFolder
from tests.support.small_runs import finetune_config, run_finetune
from tests.ui.pages.results.test_page import DOUBTS, LONG, Opener, click, opened

__all__ = ["opened"]
FLIPPED = "fire/30.png"  # a picture of the sea


@pytest.fixture
def flipped(tmp_path: Path) -> Path:
    """Twenty pictures as red as fire and twenty as blue as the sea, one of which lies among the others."""
    rng, folder = np.random.default_rng(0), tmp_path / "pictures"
    for place, (name, colour) in enumerate({"fire": (210, 70, 40), "sea": (40, 90, 200)}.items()):
        (folder / name).mkdir(parents=True)
        for number in range(20 * place, 20 * place + 20):
            pixels = np.clip(np.array(colour) + rng.normal(0, 25, (48, 48, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    (folder / "sea" / "30.png").rename(folder / FLIPPED)
    return folder


def test_a_flipped_label_is_found_and_changed(opened: Opener, flipped: Path, tmp_path: Path, qtbot: QtBot) -> None:
    run = tmp_path / "run"
    config = finetune_config(flipped, run, "scratch")
    run_finetune(config.replace(budget=config.budget.replace(epochs=12)))
    plan = RunFolder.open(run).read_json("plan.json")
    assert plan is not None
    assert FLIPPED not in plan["labelled"]  # of what it was taught, a network says nothing that counts
    page = opened(run)
    page.tabs.setCurrentIndex(DOUBTS)
    qtbot.waitUntil(lambda: page.doubts.lines is not None, timeout=LONG)
    assert [(one.file, one.label, one.suggested) for one in page.doubts.shown()] == [(FLIPPED, "fire", "sea")]
    cell = page.doubts.list.item(0, 0)
    assert cell is not None
    assert cell.text() == "30.png"
    assert "“sea”" in page.doubts.said.text()
    click(page.doubts.change)
    assert {file: (one.label, one.decision) for file, one in read_decisions(run).items()} == {
        FLIPPED: ("fire", "change")
    }
