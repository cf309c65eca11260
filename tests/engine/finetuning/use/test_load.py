"""A fine-tuned run put to use."""

import json
import shutil
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.finetuning.use.load import evaluate_run, load_trained
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.formats.coco.writer import write_coco
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.masks.files import mask_png
from sslstudio.engine.labels.recognise import recognise

R = TypeVar("R")


@pytest.mark.parametrize("part", ["pretrained", "scratch"])
@pytest.mark.parametrize("run", ["classified", "segmented"])
def test_scoring_a_run_on_its_own_folder_gives_its_own_result(
    run: str, part: str, sample_folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(run)
    trained = load_trained(path, "cpu", part)
    metrics = to_end(evaluate_run(trained, sample_folder, tmp_path / "table.csv", RunControl()))
    stored = json.loads((path / "metrics.json").read_text())
    assert metrics["parts"][part]["confusion"] == stored["parts"][part]["confusion"]
    assert metrics["parts"][part]["scores"] == stored["parts"][part]["scores"]


def test_another_folder_is_scored_whole_and_its_classes_are_matched_by_name(
    classified: Path, sample_folder: Path, tmp_path: Path
) -> None:
    for name in ("shell", "beetle"):  # fewer classes, so that their numbers differ from the run's
        shutil.copytree(sample_folder / "images" / name, tmp_path / "other" / name)
    trained = load_trained(classified, "cpu")
    metrics = to_end(evaluate_run(trained, tmp_path / "other", tmp_path / "table.csv", RunControl()))
    count = len(list((tmp_path / "other").rglob("*.*")))
    assert metrics["n_test"] == count
    counts = {row["name"]: row["n"] for row in metrics["parts"]["pretrained"]["per_class"]}
    assert counts["shell"] + counts["beetle"] == count


def test_classes_that_the_run_does_not_know_are_refused(classified: Path, sample_folder: Path, tmp_path: Path) -> None:
    for name, new in (("shell", "lorry"), ("leaf", "leaf")):
        shutil.copytree(sample_folder / "images" / name, tmp_path / "other" / new)
    with pytest.raises(DataError, match="lorry"):
        to_end(evaluate_run(load_trained(classified, "cpu"), tmp_path / "other", tmp_path / "t.csv", RunControl()))


def outlined(folder: Path, sample: Path, names: dict[str, str]) -> Path:
    """A folder with the sample's pictures and their outlines as COCO, the classes `names` only: in another order, and
    called as they are to be called."""
    recognised = recognise(scan(sample))
    masks = recognised.masks
    assert masks is not None
    own = {number: name for number, name in enumerate(masks.names) if name in names}
    order = {number: place for place, number in enumerate(reversed(own), start=1)}
    table = np.zeros(256, np.uint8)
    for number, place in order.items():
        table[number] = place
    numbered = folder.with_name(f"{folder.name} numbered")
    folder.mkdir()
    numbered.mkdir()
    taken = {}
    for path, mask in masks.of.items():
        values = table[decode_mask(sample / mask, masks.coding, None)]
        if values.any():
            name = path.replace("/", "-")
            shutil.copyfile(sample / path, folder / name)
            (numbered / f"{name}.png").write_bytes(mask_png(values))
            taken[name] = f"{name}.png"
    called = ["background", *(names[own[number]] for number in reversed(own))]
    to_end(write_coco(folder / "ann.json", numbered, taken, called, "a test"))
    return folder


def scored(run: Path, folder: Path, table: Path) -> dict[str, dict[str, Any]]:
    """What each class of the run got."""
    metrics = to_end(evaluate_run(load_trained(run, "cpu"), folder, table, RunControl()))
    rows: dict[str, Any] = {row["name"]: row for row in metrics["parts"]["pretrained"]["per_class"]}
    return {**rows, "scores": metrics["parts"]["pretrained"]["scores"]}


def test_masks_are_matched_by_name_in_another_order_and_where_classes_are_missing(
    segmented: Path, sample_folder: Path, tmp_path: Path
) -> None:
    names = load_trained(segmented, "cpu").predictor.names[1:]
    assert len(names) > 2
    copy = tmp_path / "same"
    shutil.copytree(sample_folder, copy)  # another folder: all of its pictures are scored
    same = scored(segmented, copy, tmp_path / "same.csv")
    other = scored(segmented, outlined(tmp_path / "other", sample_folder, dict(zip(names, names, strict=True))),
                   tmp_path / "other.csv")  # fmt: skip
    assert other == same
    one = names[1]
    alone = scored(segmented, outlined(tmp_path / "alone", sample_folder, {one: one}), tmp_path / "alone.csv")
    assert alone[one]["n"] == same[one]["n"] > 0
    present = [row["iou"] for name, row in alone.items() if name != "scores" and row["n"]]
    assert len(present) == 2
    assert alone["scores"]["mean_iou"]["value"] == pytest.approx(np.mean(present))  # of those that are there


def test_masks_of_other_classes_are_refused(segmented: Path, sample_folder: Path, tmp_path: Path) -> None:
    names = load_trained(segmented, "cpu").predictor.names[1:]
    called = {name: f"new {name}" for name in names}
    folder = outlined(tmp_path / "other", sample_folder, called)
    with pytest.raises(DataError, match=f"the folder has the classes background.*new {names[0]}"):
        scored(segmented, folder, tmp_path / "t.csv")


def test_runs_that_cannot_predict_say_why(pretrained: Path, classified: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="pretraining run"):
        load_trained(pretrained)
    with pytest.raises(DataError, match="is not a run"):
        load_trained(tmp_path)
    with pytest.raises(DataError, match="no part 'middle'"):
        load_trained(classified, "cpu", "middle")
