"""Proposals of a real network: every picture answered by the arm that scored best, the labels as they were."""

import shutil
from pathlib import Path

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.finetuning.use.propose import best_part, propose
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.runs.proposals import read_proposals
from sslstudio.engine.runs.run_folder import RunFolder
from tests.support.results import finetune_result, score


def test_every_picture_is_answered_and_no_label_changes(classified: Path, sample_folder: Path, tmp_path: Path) -> None:
    before = recognise(scan(sample_folder))
    out = tmp_path / "proposals"
    found = to_end(propose(classified, sample_folder, out, {}, RunControl()))
    assert set(found.of) == set(before.pictures.paths)
    sure = [one.sure for one in found.of.values()]
    assert sure == sorted(sure)  # the least sure first
    assert before.classes is not None
    assert {one.label for one in found.of.values()} <= set(before.classes.names)
    assert recognise(scan(sample_folder)).classes == before.classes
    labelled = list(found.of)[:3]
    found.reject(list(found.of)[3])
    again = read_proposals(out)  # as after a restart
    assert again.rejected == {list(found.of)[3]}
    assert [one.path for one in again.left(labelled)] == list(found.of)[4:]
    shutil.rmtree(out)


def test_the_best_arm_proposes(classified: Path) -> None:
    metrics = RunFolder(classified).finetune_metrics()
    assert metrics is not None
    assert best_part(metrics) in metrics["parts"]
    parts = {arm: {"scores": {"balanced_accuracy": score(value)}, "confusion": [], "per_class": []}
             for arm, value in (("pretrained", 0.5), ("scratch", 0.4), ("general", 0.7))}  # fmt: skip
    assert best_part(finetune_result(parts=parts)) == "general"
    assert best_part(finetune_result(parts=parts), own=True) == "pretrained"
    assert best_part(None) == ""
