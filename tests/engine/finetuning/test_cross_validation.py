"""Cross-validation: each labelled picture is tested on once, by networks that never trained on it."""

import json
from pathlib import Path

import numpy as np
import pytest

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import RunFinished, RunStarted, StepDone
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.launch.launcher import resume
from sslstudio.engine.runs.confusions import confusions_file, read_confusions
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import BudgetConfig, FinetuneConfig
from tests.support.small_runs import finetune_config, finished, of, result_of, run_finetune

FOLDS = 3


def folded(folder: Path, out: Path, source: str = "scratch", kind: str = "classification") -> FinetuneConfig:
    config = finetune_config(folder, out, source, kind)
    return config.replace(folds=FOLDS, labels_per_class=6, budget=BudgetConfig(steps=2))


@pytest.fixture(scope="module")
def run(sample_folder: Path, pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("folds") / "run"
    run_finetune(folded(sample_folder, out, str(pretrained)))
    return out


def asked_of(run: Path, part: str) -> list[list[str]]:
    return [list(read_confusions(confusions_file(run / f"fold-{n + 1}", part))[0]) for n in range(FOLDS)]


def test_each_labelled_picture_is_tested_on_once_and_never_where_it_trained(run: Path) -> None:
    folds = asked_of(run, "pretrained")
    assert folds == asked_of(run, "scratch")
    paths = [path for fold in folds for path in fold]
    assert len(paths) == len(set(paths)) == 5 * 6
    for number, fold in enumerate(folds):
        taught = RunFolder(run / f"fold-{number + 1}").read_json("plan.json")["labelled"]
        assert not set(taught) & set(fold)
        assert set(taught) | set(fold) == set(paths)


def test_the_result_is_that_of_all_folds_together(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["n_test"] == 30
    assert metrics["difference"]["n"] == 30
    assert any("3 folds" in note for note in metrics["notes"])
    for part in ("pretrained", "scratch"):
        matrices = [read_confusions(confusions_file(run / f"fold-{n + 1}", part))[1].sum(0) for n in range(FOLDS)]
        assert metrics["parts"][part]["confusion"] == np.sum(matrices, axis=0).astype(int).tolist()


def test_the_events_are_those_of_one_run_that_goes_on(run: Path) -> None:
    events = RunFolder(run).events()
    assert len(of(RunStarted, events)) == len(of(RunFinished, events)) == 1
    for part in ("pretrained", "scratch"):
        steps = [event.step for event in of(StepDone, events) if event.part == part]
        assert steps == sorted(steps)
        assert steps[-1] == FOLDS * 2
        assert {event.total_steps for event in of(StepDone, events)} == {FOLDS * 2}


def test_stopped_in_the_second_fold_and_resumed_gives_the_same_result(
    run: Path, sample_folder: Path, pretrained: Path, tmp_path: Path
) -> None:
    control, out = RunControl(), tmp_path / "stopped"
    for event in finetune(folded(sample_folder, out, str(pretrained)), control):
        if isinstance(event, StepDone) and event.step == 3:
            control.stop()
    assert finished(RunFolder(out).events()).outcome == "stopped"
    assert RunFolder(out).metrics() is None
    assert finished(list(resume(out, RunControl()))).outcome == "finished"
    ours, theirs = (json.loads((path / "metrics.json").read_text()) for path in (out, run))
    assert ours["parts"] == theirs["parts"]


def test_masks_are_cross_validated_too(sample_folder: Path, tmp_path: Path) -> None:
    config = folded(sample_folder, tmp_path / "masks", kind="segmentation")
    metrics = result_of(run_finetune(config))
    assert metrics["kind"] == "segmentation"
    assert metrics["n_test"] == 6


def test_groups_stay_together(sample_folder: Path, tmp_path: Path) -> None:
    config = folded(sample_folder, tmp_path / "groups")
    config = config.replace(labels_per_class=None, data=config.data.replace(groups=r"name:00(\d\d)"))
    run_finetune(config)
    owner = {path: Path(path).stem for fold in asked_of(tmp_path / "groups", "scratch") for path in fold}
    folds = [{owner[path] for path in fold} for fold in asked_of(tmp_path / "groups", "scratch")]
    assert sum(len(fold) for fold in folds) == len(set.union(*folds))


def test_more_folds_than_labels_is_refused_in_words(sample_folder: Path, tmp_path: Path) -> None:
    config = folded(sample_folder, tmp_path / "many").replace(folds=8)
    with pytest.raises(DataError, match=r"8 folds were asked for, and the smallest class has 6.*Take 6 folds"):
        run_finetune(config)
    assert not (tmp_path / "many").exists()
