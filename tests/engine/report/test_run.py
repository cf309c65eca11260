"""A report says what the run's files say, and holds all that it shows."""

import json
from pathlib import Path
from typing import TypeVar

import pytest

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.report.run import write_report
from sslstudio.engine.runs.run_folder import RunFolder
from tests.engine.report.test_page import asks_nobody, read

R = TypeVar("R")


def written(run: Path, out: Path, pictures: bool = True) -> str:
    return to_end(write_report(run, out, RunControl(), pictures=pictures)).read_text(encoding="utf-8")


def test_a_classification_is_reported_from_its_own_files(classified: Path, sample_folder: Path, tmp_path: Path) -> None:
    text = written(classified, tmp_path / "report.html")
    reader = read(text)
    said = " ".join(reader.texts)
    metrics = RunFolder(classified).metrics()
    assert metrics is not None
    split = json.loads((classified / "split.json").read_text())
    assert asks_nobody(reader)
    assert metrics["verdict"] in said
    assert all(note in said for note in metrics["notes"])
    score = metrics["parts"]["pretrained"]["scores"]["balanced_accuracy"]
    assert f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f}, n = {score['n']})" in said
    wrong = metrics["n_test"] - sum(metrics["parts"]["pretrained"]["confusion"][k][k] for k in range(5))
    assert f"{wrong} of {metrics['n_test']} test pictures were answered wrong" in said
    assert sum(tag == "img" for tag, _ in reader.found) == min(wrong, 24) + 1  # and the sheet of puzzles
    assert f"pretrained without labels on {len(split['train'])} pictures with the pretext task “Jigsaw puzzle”" in said
    assert "Noroozi & Favaro, ECCV 2016" in said
    assert f"on {metrics['n_train']} labelled pictures (at most 3 a class, drawn at random, seed 0)" in said
    assert "sslstudio finetune" in said
    assert "--labels-per-class 3" in said
    assert "test pictures look almost like one" in said
    assert str(sample_folder.parent) not in text
    assert str(classified.parent) not in text


def test_masks_are_reported_with_the_worst_first(segmented: Path, tmp_path: Path) -> None:
    reader = read(written(segmented, tmp_path / "report.html"))
    captions = [text for text in reader.texts if text.startswith("IoU ")]
    ious = [float(caption.split()[1].rstrip(":")) for caption in captions]
    assert ious == sorted(ious)
    assert len(ious) == json.loads((segmented / "metrics.json").read_text())["n_test"]
    assert "U-Net decoder" in " ".join(reader.texts)


def test_a_pretraining_without_pictures(pretrained: Path, tmp_path: Path) -> None:
    reader = read(written(pretrained, tmp_path / "report.html", pictures=False))
    assert not [tag for tag, _ in reader.found if tag == "img"]
    assert "After 8 steps" in " ".join(reader.texts) or "steps, on" in " ".join(reader.texts)
    assert [tag for tag, _ in reader.found if tag == "polyline"]


def test_reports_overwrite_nothing_and_need_a_result(classified: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(DataError, match="exists already"):
        written(classified, tmp_path / "mine.html")
    with pytest.raises(DataError, match=r"report\.html"):
        written(classified, tmp_path / "report.pdf")
    with pytest.raises(DataError, match="is not a run"):
        written(tmp_path, tmp_path / "report.html")
    assert (tmp_path / "mine.html").read_text() == "mine"
