"""What stands in metrics.json is what its types say, whichever run and version wrote it."""

import json
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.messages import Message
from sslstudio.engine.finetuning.plan_file import FinetunePlan, read_plan
from sslstudio.engine.finetuning.use.load import evaluate_run, load_trained
from sslstudio.engine.runs.metrics import (
    FinetuneMetrics,
    PretrainMetrics,
    class_columns,
    interval_of,
    is_finetune,
    is_pretrain,
)
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import BudgetConfig
from tests.support.results import finetune_result, pretrain_result
from tests.support.small_runs import finetune_config, run_finetune


def fit(value: Any, hint: Any) -> bool:
    """Whether a value read from JSON is of a type, down to the last key of each TypedDict in it."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if typing.is_typeddict(hint):
        hints = typing.get_type_hints(hint)
        whole = isinstance(value, dict) and hint.__required_keys__ <= value.keys() <= hints.keys()
        return whole and all(fit(one, hints[key]) for key, one in value.items())
    if origin is typing.Literal:
        return value in inside
    if origin in (dict, Mapping):
        return isinstance(value, dict) and all(fit(one, inside[1]) for one in value.values())
    if origin in (list, Sequence):
        return isinstance(value, list) and all(fit(one, inside[0]) for one in value)
    if inside:  # a union
        return any(fit(value, one) for one in inside)
    return isinstance(value, (int, float) if hint is float else hint)


def check(run: Path) -> str:
    """The job of a run whose files are all as they should be."""
    folder = RunFolder.open(run)
    metrics = folder.metrics()
    assert metrics is not None, run
    assert metrics == folder.read_json("metrics.json")
    assert fit(metrics, PretrainMetrics if metrics["job"] == "pretrain" else FinetuneMetrics), run
    assert (folder.pretrain_metrics() is None) == (metrics["job"] == "finetune") != (folder.finetune_metrics() is None)
    plan = read_plan(folder)
    assert plan is None or fit(plan, FinetunePlan), run
    return metrics["job"]


def test_the_results_of_today_fit_their_types(
    pretrained: Path, classified: Path, segmented: Path, sample_folder: Path, tmp_path: Path
) -> None:
    folds = finetune_config(sample_folder, tmp_path / "folds", "scratch")
    run_finetune(folds.replace(folds=2, labels_per_class=6, budget=BudgetConfig(steps=2)))
    runs = (pretrained, classified, segmented, tmp_path / "folds", tmp_path / "folds" / "fold-1")
    assert [check(run) for run in runs] == ["pretrain", *["finetune"] * 4]
    assert all(read_plan(RunFolder(run)) for run in (classified, segmented, tmp_path / "folds" / "fold-1"))
    evaluation = evaluate_run(load_trained(segmented, "cpu"), sample_folder, tmp_path / "table.csv", RunControl())
    assert fit(json.loads(json.dumps(to_end(evaluation))), FinetuneMetrics)


def test_the_results_of_version_0_2_fit_their_types(made_by_0_2: Path) -> None:
    runs = [file.parent for file in made_by_0_2.rglob("metrics.json")]
    jobs = [check(run) for run in runs]
    assert min(jobs.count("pretrain"), jobs.count("finetune")) >= 5
    assert any(file.name == "folds.json" for run in runs for file in run.iterdir())


def test_a_file_that_lacks_something_is_no_result(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {"job": "finetune"})
    assert run.metrics() is None
    for whole in (finetune_result(), pretrain_result()):
        assert fit(json.loads(json.dumps(whole)), FinetuneMetrics if whole["job"] == "finetune" else PretrainMetrics)
        run.write_json("metrics.json", whole)
        assert run.metrics() == whole
        for key in whole.keys() - {"probe", "probe_quarter"}:
            run.write_json("metrics.json", {name: value for name, value in whole.items() if name != key})
            assert run.metrics() is None, key
    contents: list[object] = [[], "text", {}, {"job": "compare"}]
    for content in contents:
        run.write_json("metrics.json", content)
        assert run.metrics() is None


def test_a_pretraining_of_the_first_version_has_no_probe(tmp_path: Path) -> None:
    whole = pretrain_result()
    first = {name: value for name, value in whole.items() if not name.startswith("probe")}
    assert is_pretrain(first)
    assert not is_finetune(first)


def test_a_score_that_is_not_known_has_an_interval_of_nan() -> None:
    assert str(interval_of({"value": None, "low": 0.5, "high": None, "n": 3})) == "(nan, 0.5, nan)"


@pytest.mark.parametrize(
    ("part", "columns"),
    [
        ({"precision": None, "recall": 0.5, "f1": None}, ["n", "precision", "recall", "f1"]),
        ({"iou": 0.5, "dice": 0.6}, ["n", "iou", "dice"]),
    ],
)
def test_the_columns_are_what_is_known_of_a_class(part: dict[str, float | None], columns: list[str]) -> None:
    line: Any = {"name": "a", "n": 3, **part}
    assert class_columns([line]) == columns
    assert class_columns([]) == []


def test_sentences_come_back_as_messages(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {"job": "finetune"})
    run.write_json("metrics.json", finetune_result(verdict=Message("{n:,} pictures", n=5000)))
    metrics = run.finetune_metrics()
    assert metrics is not None
    assert isinstance(metrics["verdict"], Message)
