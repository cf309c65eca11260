"""Tables of predictions read back."""

from pathlib import Path

import pytest

from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.runs.test_predictions import Prediction, mask_file, predictions_of, read_predictions

HEAD = "file,label,predicted,confidence,p_a,p_b"


def write(file: Path, *lines: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines), encoding="utf-8-sig")
    return file


def test_the_surest_mistakes_come_first(tmp_path: Path) -> None:
    lines = [HEAD, "1.png,a,a,0.90,0.9,0.1", "2.png,a,b,0.60,0.4,0.6", "3.png,b,a,0.95,0.95,0.05",
             "4.png,b,b,0.55,0.45,0.55"]  # fmt: skip
    found = read_predictions(write(tmp_path / "predictions.csv", *lines))
    assert [one.file for one in found] == ["3.png", "2.png", "4.png", "1.png"]
    assert found[0] == Prediction("3.png", "b", "a", 0.95)
    assert [one.wrong for one in found] == [True, True, False, False]


def test_the_masks_that_fit_least_come_first(tmp_path: Path) -> None:
    found = read_predictions(write(tmp_path / "t.csv", "file,mask,iou", "1.png,m/1.png,0.9", "2.png,m/2.png,0.1"))
    assert found == [Prediction("2.png", mask="m/2.png", iou=0.1), Prediction("1.png", mask="m/1.png", iou=0.9)]


def test_folds_are_read_together_and_their_masks_found(tmp_path: Path) -> None:
    for number, line in enumerate(["a.png,m/a.png,0.8", "b.png,m/b.png,0.3"], start=1):
        write(tmp_path / f"fold-{number}" / "predictions-scratch.csv", "file,mask,iou", line)
    mask = write(tmp_path / "fold-2" / "predictions-scratch" / "b.png.png")
    assert [one.file for one in predictions_of(tmp_path, "scratch")] == ["b.png", "a.png"]
    assert mask_file(tmp_path, "scratch", "b.png") == mask
    own = write(tmp_path / "predictions-scratch" / "b.png.png")
    assert mask_file(tmp_path, "scratch", "b.png") == own


def test_what_is_gone_or_damaged_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"predictions-scratch\.csv is not there"):
        predictions_of(tmp_path, "scratch")
    for lines in (["file,label", "1.png,a"], [HEAD, "1.png,a,b,many,0,0"], [HEAD, "1.png"]):
        write(tmp_path / "predictions-scratch.csv", *lines)
        with pytest.raises(RunError, match="Score that run again"):
            predictions_of(tmp_path, "scratch")
