"""Runs on files that hold many: a stack is in one part of the split, and a chosen channel is what is learnt from."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.finetuning.use.predict import predict_folder
from sslstudio.engine.images.formats.wanted import file_of
from sslstudio.engine.report.run import write_report
from sslstudio.engine.runs.metrics import interval_of
from sslstudio.engine.training.config import BudgetConfig, DataConfig
from tests.support.small_runs import finetune_config, result_of, run_finetune

pytestmark = pytest.mark.slow


def _microscope(folder: Path, count: int = 60) -> Path:
    """Two classes of four-channel pictures (ImageJ): the third alone tells them apart, by the direction of stripes."""
    draw = np.random.default_rng(0)
    y, x = np.mgrid[0:32, 0:32]
    for number in range(count):
        kind = ("across", "along")[number % 2]
        planes = draw.integers(0, 4000, (4, 32, 32), dtype=np.uint16)
        stripes = 1500 + 1500 * np.sin((y if kind == "across" else x) * 0.8 + draw.uniform(0, 6))
        planes[2] = stripes.astype(np.uint16) + draw.integers(0, 400, (32, 32), dtype=np.uint16)
        (folder / kind).mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / kind / f"{number:03}.tif", planes, imagej=True, metadata={"axes": "CYX"})
    return folder


def _score(pictures: Path, out: Path, channels: str) -> tuple[float, list[str]]:
    config = finetune_config(pictures, out, "scratch").replace(
        data=DataConfig(folder=str(pictures), side=32, channels=channels), budget=BudgetConfig(epochs=25),
        labels_per_class=None,
    )  # fmt: skip
    metrics = result_of(run_finetune(config))
    part = next(iter(metrics["parts"].values()))
    return interval_of(part["scores"]["balanced_accuracy"])[0], [str(note) for note in metrics["notes"]]


def test_a_signal_in_the_third_channel_is_learnt_after_choosing_it(tmp_path: Path) -> None:
    pictures = _microscope(tmp_path / "pictures")
    blind, said = _score(pictures, tmp_path / "blind", "")
    assert any("up to 4 channels" in note for note in said)
    seeing, said = _score(pictures, tmp_path / "seeing", "3")
    assert not any("channels" in note for note in said)
    assert blind < 0.85
    assert seeing > 0.95
    trained = load_trained(tmp_path / "seeing", "cpu")
    to_end(predict_folder(trained, pictures, tmp_path / "answers", RunControl()))  # with the same channel
    rows = (tmp_path / "answers" / "predictions.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    assert np.mean([row.split(",")[0].split("/")[0] in row.split(",")[1] for row in rows]) > 0.9
    to_end(write_report(tmp_path / "blind", tmp_path / "report.html", RunControl()))
    assert "up to 4 channels" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_pages_of_a_stack_are_in_one_part_of_a_run(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    for number in range(16):
        kind = ("dark", "light")[number % 2]
        pages = draw.integers(0, 100, (5, 24, 24), np.uint8) + np.uint8(120 * (number % 2))
        (tmp_path / "pictures" / kind).mkdir(parents=True, exist_ok=True)
        file = tmp_path / "pictures" / kind / f"{number:03}.tif"
        tifffile.imwrite(file, pages, photometric="minisblack")
    Image.fromarray(draw.integers(0, 100, (24, 24), np.uint8)).save(tmp_path / "pictures" / "dark" / "single.png")
    config = finetune_config(tmp_path / "pictures", tmp_path / "run", "scratch")
    config = config.replace(data=DataConfig(folder=str(tmp_path / "pictures"), side=24, pages="all"))
    metrics = result_of(run_finetune(config))
    split = json.loads((tmp_path / "run" / "split.json").read_text())
    files = [{file_of(path) for path in split[part]} for part in ("train", "validation", "test")]
    assert sum(len(split[part]) for part in ("train", "validation", "test")) == 81
    assert not files[0] & files[1]
    assert not files[0] & files[2]
    assert not files[1] & files[2]
    assert metrics["n_test"] % 5 in (0, 1)
