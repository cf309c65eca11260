"""Learning again from fine-tuned weights: measured against the pretraining, on the same split, without a leak."""

from dataclasses import replace
from pathlib import Path

import pytest

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.dataset.split import Split
from sslstudio.engine.finetuning.warm_start import choose_start, following_tuned, refuse_taught, tuned_run
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import finetune_from_dict
from tests.support.small_runs import finetune_config, result_of, run_finetune


def test_the_better_start_is_measured_and_said(classified: Path) -> None:
    start = to_end(choose_start(classified, "", RunControl()))
    config = finetune_from_dict(RunFolder(classified).config())
    weights = str(classified / "last.safetensors")
    assert start.source in (config.source, weights)
    assert "balanced accuracy" in start.why
    assert ("Starts warm" in start.why) == (start.source == weights)


def test_it_learns_again_from_fine_tuned_weights(classified: Path, sample_folder: Path, tmp_path: Path) -> None:
    weights = classified / "last.safetensors"
    tuned = tuned_run(str(weights))
    assert tuned is not None
    first = finetune_from_dict(tuned.config())
    asked = finetune_config(sample_folder, tmp_path / "again", str(weights)).replace(twin=False)
    asked = asked.replace(budget=asked.budget.replace(epochs=1), data=first.data)
    metrics = result_of(run_finetune(asked))
    again = RunFolder(tmp_path / "again")
    assert again.read_json("split.json")["test"] == tuned.read_json("split.json")["test"]
    assert finetune_from_dict(again.config()).encoder.name == first.encoder.name
    assert metrics["n_test"] > 0


def test_what_was_taught_tests_nothing(classified: Path) -> None:
    tuned = RunFolder(classified)
    split = Split.from_json(tuned.read_json("split.json"))
    refuse_taught(split, tuned)
    taught = tuned.read_json("plan.json")["labelled"][0]
    with pytest.raises(DataError, match="1 of the test pictures were taught"):
        refuse_taught(replace(split, test=(*split.test, taught)), tuned)
    config = finetune_from_dict(tuned.config())
    other = config.replace(source=str(classified / "last.safetensors"), data=config.data.replace(split_seed=5))
    assert following_tuned(other, tuned)[1] is None
    assert tuned_run(config.source) is None
    assert tuned_run("scratch") is None
