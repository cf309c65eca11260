"""A fine-tuned run put to use."""

import json
import shutil
from pathlib import Path
from typing import TypeVar

import pytest

from sslstudio.engine.control import RunControl, to_end
from sslstudio.engine.errors import DataError
from sslstudio.engine.train.apply import evaluate_run, load_trained

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


def test_runs_that_cannot_predict_say_why(pretrained: Path, classified: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="pretraining run"):
        load_trained(pretrained)
    with pytest.raises(DataError, match="is not a run"):
        load_trained(tmp_path)
    with pytest.raises(DataError, match="no part 'middle'"):
        load_trained(classified, "cpu", "middle")
