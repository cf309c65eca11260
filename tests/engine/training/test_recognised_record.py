"""What a run recognised is kept with it: its results are of that, and nobody looks at the folder again for them."""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sslstudio.engine.clinic.run import audit
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.export.run import export_run
from sslstudio.engine.finetuning.use.inspection import look_closer
from sslstudio.engine.finetuning.use.load import evaluate_run, load_trained
from sslstudio.engine.images.index import ImageIndex, scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import ClassLabels, Recognised
from sslstudio.engine.report.run import write_report
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import finetune_from_dict
from sslstudio.engine.training.recognised_record import FILE, find_changes, keep_recognised, recall
from sslstudio.ui.pages.results.data import load_results
from tests.support.small_runs import finetune_config, finished, run_finetune

_listed: list[str] = []
_listening: list[Path] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _listening and event in ("os.scandir", "os.listdir") and isinstance(arguments[0], (str, os.PathLike)):
        folder = os.path.abspath(os.fspath(arguments[0]))
        if Path(folder).is_relative_to(_listening[0]):
            _listed.append(folder)


sys.addaudithook(_hook)  # which cannot be taken away again


@contextmanager
def nobody_looks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails when the folder is listed, or scanned out of what is remembered of it, or its labels are recognised."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the folder was looked at again")

    with monkeypatch.context() as patch:
        patch.setattr("sslstudio.engine.images.index.Walk", refuse)
        patch.setattr("sslstudio.engine.labels.recognise.load_sources", refuse)
        _listed.clear()
        _listening.append(folder.resolve())
        try:
            yield
        finally:
            _listening.clear()
    assert _listed == []


@pytest.fixture(scope="module")
def tabled(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures with a table of labels, and beside it a classification of it."""
    place = tmp_path_factory.mktemp("tabled")
    folder = place / "pictures"
    folder.mkdir()
    classes = recognise(scan(sample_folder)).classes
    assert classes is not None
    lines = ["file,label"]
    for number, (path, label) in enumerate(sorted(classes.of.items())):
        shutil.copy(sample_folder / path, folder / f"{number:02}{Path(path).suffix}")
        lines.append(f"{number:02}{Path(path).suffix},{classes.names[label]}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    run_finetune(finetune_config(folder, place / "run", "scratch"))
    return place


@pytest.fixture
def changed(tabled: Path, tmp_path: Path) -> Path:
    """The same, moved elsewhere, after somebody has shifted the labels of all pictures."""
    shutil.copytree(tabled, tmp_path / "moved")
    config = tmp_path / "moved" / "run" / "config.toml"
    config.write_text(config.read_text().replace(str(tabled.resolve()), str((tmp_path / "moved").resolve())))
    table = tmp_path / "moved" / "pictures" / "labels.csv"
    head, *lines = table.read_text().splitlines()
    rows = [line.split(",") for line in lines]
    labels = [row[1] for row in rows]
    turned = [f"{row[0]},{label}" for row, label in zip(rows, [*labels[7:], *labels[:7]], strict=True)]
    table.write_text("\n".join([head, *turned]) + "\n")
    return tmp_path / "moved"


def test_it_comes_back_as_it_was(sample_folder: Path, tmp_path: Path) -> None:
    found = recognise(scan(sample_folder))
    found = replace(found, groups=dict.fromkeys(found.pictures.paths[:9], "patient 1"))
    run = RunFolder.create(tmp_path / "run", {})
    keep_recognised(run, "", found)
    again = recall(run, str(sample_folder), "")
    assert again is not None
    assert (again.pictures.paths, again.classes, again.masks) == (found.pictures.paths, found.classes, found.masks)
    assert (again.given_split, again.notes) == (found.given_split, found.notes)
    assert (again.groups, again.roles) == (found.groups, found.roles)
    assert again.roles
    assert recall(run, str(sample_folder), "other.csv") is None
    assert find_changes(run, str(sample_folder), "") == []


def test_results_use_the_labels_of_the_run(changed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, folder, control = changed / "run", changed / "pictures", RunControl()
    metrics = json.loads((run / "metrics.json").read_text())
    with nobody_looks(folder, monkeypatch):
        trained = load_trained(run, "cpu", "scratch")
        scored = to_end(evaluate_run(trained, folder, tmp_path / "table.csv", control))
        assert scored["parts"]["scratch"] == metrics["parts"]["scratch"]
        closer = to_end(look_closer(run, "scratch", control))
        to_end(write_report(run, tmp_path / "report.html", control))
        to_end(export_run(run, tmp_path / "export", "safetensors", control))
        load_results(run, control)
    kept = recall(RunFolder(run), str(folder), "")
    now = recognise(scan(folder)).classes
    assert kept is not None
    assert kept.classes is not None
    assert now is not None
    assert {path: closer.label(path) for path in closer.paths} == {
        path: kept.classes.names[label] for path, label in kept.classes.of.items()
    }
    assert any(now.names[now.of[path]] != closer.label(path) for path in closer.paths)


def test_masks_of_a_run_and_a_pretraining_need_no_look_either(
    segmented: Path, pretrained: Path, sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "pretrained"
    shutil.copytree(pretrained, run)
    with nobody_looks(sample_folder, monkeypatch):
        assert load_results(segmented, RunControl()).coding is not None
        to_end(write_report(segmented, tmp_path / "masks.html", RunControl()))
        to_end(write_report(run, tmp_path / "puzzles.html", RunControl()))
        to_end(export_run(run, tmp_path / "export", "safetensors", RunControl()))
        to_end(audit(run, "cpu", RunControl()))


def test_an_earlier_run_is_recognised_again(changed: Path, tmp_path: Path) -> None:
    (changed / "run" / FILE).unlink()
    closer = to_end(look_closer(changed / "run", "scratch", RunControl()))
    now = recognise(scan(changed / "pictures")).classes
    assert now is not None
    assert {path: closer.label(path) for path in closer.paths} == {p: now.names[n] for p, n in now.of.items()}
    assert find_changes(RunFolder(changed / "run"), str(changed / "pictures"), "") == []


def test_what_is_gone_or_has_changed_is_said(changed: Path, tmp_path: Path) -> None:
    run, folder = RunFolder(changed / "run"), changed / "pictures"
    first, second, *_ = sorted(path for path in folder.iterdir() if path.suffix != ".csv")
    first.unlink()
    Image.new("RGB", (70, 50), "navy").save(second)
    said = find_changes(run, str(folder), "")
    assert [str(one) for one in said] == [
        f"1 picture that this run began with is gone: {first.name}.",
        f"1 picture has changed since this run began: {second.name}.",
    ]
    assert said == load_results(run.path, RunControl()).metrics["notes"][-2:]
    to_end(write_report(run.path, tmp_path / "report.html", RunControl()))
    assert f"is gone: {first.name}." in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_outlines_that_have_changed_leave_the_masks_of_the_run(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made into masks in the cache folder, where those of a changed file are others."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (20, 20), "white").save(folder / "a.png")

    def outline(corners: list[int]) -> None:
        mark = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [corners], "iscrowd": 0}
        picture = {"id": 1, "file_name": "a.png", "width": 20, "height": 20}
        content = {"images": [picture], "annotations": [mark], "categories": [{"id": 1, "name": "cell"}]}
        (folder / "outlines.json").write_text(json.dumps(content))

    outline([2, 2, 9, 2, 9, 9])
    found = recognise(scan(folder))
    run = RunFolder.create(tmp_path / "run", {})
    keep_recognised(run, "", found)
    assert found.masks is not None
    before = Path(found.masks.of["a.png"]).read_bytes()
    outline([2, 2, 19, 2, 19, 19])
    now = recognise(scan(folder))
    again = recall(run, str(folder), "")
    assert again is not None
    assert again.masks is not None
    assert now.masks is not None
    assert Path(again.masks.of["a.png"]).read_bytes() == before != Path(now.masks.of["a.png"]).read_bytes()
    shutil.rmtree(Path(again.masks.of["a.png"]).parent)
    assert recall(run, str(folder), "") is None


def test_a_damaged_record_is_said_and_one_of_a_later_version_left_alone(changed: Path) -> None:
    run = RunFolder(changed / "run")
    (run.path / FILE).write_bytes(b"torn")
    with pytest.raises(RunError, match="damaged"):
        recall(run, str(changed / "pictures"), "")


def test_a_hundred_thousand_pictures_are_a_few_megabytes(tmp_path: Path) -> None:
    paths = [f"class {number % 7}/scan_{number:06}.png" for number in range(100_000)]
    index = ImageIndex.of(tmp_path, paths)
    classes = ClassLabels(Message("class folders"), tuple("abcdefg"), {p: int(p[6]) for p in paths})
    found = Recognised(index, classes, None, dict.fromkeys(paths[::3], "train"))
    run = RunFolder.create(tmp_path / "run", {})
    began = time.process_time()
    keep_recognised(run, "", found)
    assert time.process_time() - began < 2
    assert (run.path / FILE).stat().st_size < 3_000_000
    again = recall(run, str(tmp_path), "")
    assert again is not None
    assert again.classes == classes


def test_the_folds_have_it_in_the_folder_around_them(tabled: Path, tmp_path: Path) -> None:
    config = finetune_config(tabled / "pictures", tmp_path / "folds", "scratch").replace(folds=2, labels_per_class=None)
    events = run_finetune(config.replace(budget=config.budget.replace(epochs=1)))
    assert finished(events).outcome == "finished"
    assert [file.parent.name for file in sorted((tmp_path / "folds").rglob(FILE))] == ["folds"]
    fold = RunFolder(tmp_path / "folds" / "fold-1")
    data = finetune_from_dict(fold.config()).data
    assert recall(fold, data.folder, data.labels) is not None
