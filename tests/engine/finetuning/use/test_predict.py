"""Answers for new pictures: complete, kept when stopped, and never another network's."""

import csv
import json
import shutil
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.evaluate import predict
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.finetuning.use.predict import Predicted, predict_folder
from sslstudio.engine.labels.formats.coco.writer import read_coco, read_mask

R = TypeVar("R")


def predicted(run: Path, folder: Path, out: Path, part: str = "") -> Predicted:
    return to_end(predict_folder(load_trained(run, "cpu", part), folder, out, RunControl()))


def table(out: Path) -> list[dict[str, str]]:
    with (out / "predictions.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(sample_folder: Path, tmp_path: Path) -> Path:
    """A dozen pictures without labels, and one that cannot be read."""
    new = tmp_path / "new"
    shutil.copytree(sample_folder / "images" / "leaf", new)
    (new / "broken.jpg").write_bytes(b"no picture")
    return new


def test_a_row_a_picture_and_what_cannot_be_read(classified: Path, folder: Path, tmp_path: Path) -> None:
    done = predicted(classified, folder, tmp_path / "out")
    rows = table(tmp_path / "out")
    assert len(rows) == done.total == done.new == len(list(folder.iterdir())) - 1
    assert done.unreadable == 1
    chances = [float(value) for key, value in rows[0].items() if key.startswith("p_")]
    assert sum(chances) == pytest.approx(1.0, abs=1e-3)
    assert float(rows[0]["confidence"]) == max(chances)
    assert rows[0]["predicted"] in json.loads((classified / "plan.json").read_text())["classes"]
    assert "broken.jpg" in (tmp_path / "out" / "unreadable.csv").read_text(encoding="utf-8-sig")


def test_what_was_stopped_goes_on_to_the_same_table(
    classified: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted(classified, folder, tmp_path / "whole")
    monkeypatch.setattr(predict, "CHUNK", 4)
    control = RunControl()
    steps = predict_folder(load_trained(classified, "cpu"), folder, tmp_path / "out", control)
    while (event := next(steps)).stage != "Predicting" or event.done < 4:
        pass
    control.stop()
    with pytest.raises(RunError, match="kept"):
        list(steps)
    assert len(table(tmp_path / "out")) == 4
    with (tmp_path / "out" / "answers.jsonl").open("a") as journal:
        journal.write('{"file": "torn')  # a power cut
    done = predicted(classified, folder, tmp_path / "out")
    assert done.new == done.total - 4
    assert (tmp_path / "out" / "predictions.csv").read_bytes() == (tmp_path / "whole" / "predictions.csv").read_bytes()
    assert predicted(classified, folder, tmp_path / "out").new == 0


def test_only_new_and_changed_pictures_are_asked_again(classified: Path, folder: Path, tmp_path: Path) -> None:
    first = predicted(classified, folder, tmp_path / "out")
    pictures = sorted(path for path in folder.iterdir() if path.name != "broken.jpg")
    Image.effect_noise((48, 48), 60).save(folder / "another.png")
    Image.effect_noise((40, 48), 60).convert("RGB").save(pictures[0])
    pictures[1].unlink()
    again = predicted(classified, folder, tmp_path / "out")
    assert again.new == 2
    assert again.total == first.total
    names = [row["file"] for row in table(tmp_path / "out")]
    assert "another.png" in names
    assert pictures[1].name not in names
    assert names == sorted(names)


def test_another_networks_answers_are_left_alone(classified: Path, folder: Path, tmp_path: Path) -> None:
    predicted(classified, folder, tmp_path / "out")
    before = (tmp_path / "out" / "predictions.csv").read_bytes()
    with pytest.raises(DataError, match="another network"):
        predicted(classified, folder, tmp_path / "out", "scratch")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "predictions.csv").write_text("mine")
    with pytest.raises(DataError, match=r"holds predictions\.csv already"):
        predicted(classified, folder, tmp_path / "mine")
    assert (tmp_path / "out" / "predictions.csv").read_bytes() == before
    assert (tmp_path / "mine" / "predictions.csv").read_text() == "mine"


def test_spreadsheets_with_a_decimal_comma_get_theirs(classified: Path, folder: Path, tmp_path: Path) -> None:
    trained = load_trained(classified, "cpu")
    to_end(predict_folder(trained, folder, tmp_path / "out", RunControl(), ";"))
    with (tmp_path / "out" / "predictions.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert 0 < float(rows[0]["confidence"].replace(",", ".")) <= 1
    assert "." not in rows[0]["confidence"]


def test_masks_have_the_size_of_their_pictures_and_are_the_same_in_coco(segmented: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "new", tmp_path / "out"
    (folder / "inside").mkdir(parents=True)
    sizes = {"0.png": (70, 40), "1.png": (33, 90), "inside/2.png": (48, 48)}
    for name, size in sizes.items():
        Image.effect_noise(size, 60).save(folder / name)
    predicted(segmented, folder, out)
    in_coco = dict(read_coco(out / "coco.json"))
    assert set(in_coco) == set(sizes)
    for row in table(out):
        mask = read_mask(out / row["mask"])
        assert mask.shape[::-1] == sizes[row["file"]]
        assert mask.max() <= 5
        assert np.array_equal(mask, in_coco[row["file"]])
        shares = [float(value) for key, value in row.items() if key.startswith("share_")]
        assert sum(shares) == pytest.approx(1, abs=1e-3)
    (out / "masks" / "1.png.png").unlink()
    assert predicted(segmented, folder, out).new == 1  # a mask that is gone is made again
