"""A fine-tuning keeps the split of its pretraining through a change of labels, unless that could not be tested."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.dataset.split import Split
from sslstudio.engine.finetuning.run import pretraining_of
from sslstudio.engine.finetuning.split_policy import Leak, leak_of, split_kept, suited
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import Recognised
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import DataConfig
from sslstudio.engine.training.session import draw_split
from tests.support.small_runs import finetune_config, run_finetune

CLASSES = "classification"


@pytest.fixture(scope="module")
def recognised(sample_folder: Path) -> Recognised:
    return recognise(scan(sample_folder))


@pytest.fixture
def data(sample_folder: Path) -> DataConfig:
    return DataConfig(folder=str(sample_folder))


@pytest.fixture
def kept(pretrained: Path) -> Split:
    return Split.from_json(json.loads((pretrained / "split.json").read_text()))


def relabelled(recognised: Recognised, changed: dict[str, int]) -> Recognised:
    assert recognised.classes is not None
    return replace(recognised, classes=replace(recognised.classes, of=recognised.classes.of | changed))


def test_results_before_and_after_a_correction_are_of_the_same_pictures(
    pretrained: Path, sample_folder: Path, recognised: Recognised, kept: Split, tmp_path: Path
) -> None:
    assert recognised.classes is not None
    corrected = {kept.test[0]: 0, kept.train[0]: 1, kept.train[1]: 2}
    with (tmp_path / "corrected.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "label"])
        names = recognised.classes.names
        table.writerows((path, names[number]) for path, number in (recognised.classes.of | corrected).items())
    config = finetune_config(sample_folder, tmp_path / "run", str(pretrained))
    assert draw_split(relabelled(recognised, corrected), config.data) != kept  # what it would be drawn as
    run_finetune(config.replace(data=config.data.replace(labels=str(tmp_path / "corrected.csv")), twin=False))
    run = RunFolder.open(tmp_path / "run")
    assert Split.from_json(run.read_json("split.json")) == kept
    metrics = run.finetune_metrics()
    assert metrics is not None
    assert "No test picture was seen in pretraining." in metrics["notes"]
    with (tmp_path / "run" / "predictions-pretrained.csv").open(encoding="utf-8-sig", newline="") as file:
        tested = {row["file"]: row["label"] for row in csv.DictReader(file)}
    assert set(tested) == set(kept.test)
    assert tested[kept.test[0]] == names[0]


def test_labels_that_the_split_could_not_test_are_set_apart_anew(
    recognised: Recognised, data: DataConfig, kept: Split
) -> None:
    few = dict.fromkeys(kept.train[:3], 0) | dict.fromkeys(kept.test[:3], 1)
    assert recognised.classes is not None
    lopsided = replace(recognised, classes=replace(recognised.classes, of=few))
    found = suited(kept, CLASSES, lopsided, data)
    for label in (0, 1):
        assert {part for part in ("train", "test") for path in getattr(found, part) if few.get(path) == label} == {
            "train",
            "test",
        }


def test_a_class_of_two_pictures_asks_for_no_other_split(recognised: Recognised, data: DataConfig, kept: Split) -> None:
    assert recognised.classes is not None
    rare = len(recognised.classes.names)
    assert suited(kept, CLASSES, relabelled(recognised, dict.fromkeys(kept.train[:2], rare)), data) == kept
    assert suited(kept, CLASSES, relabelled(recognised, dict.fromkeys(kept.train[:3], rare)), data) != kept


def test_masks_are_asked_for_where_masks_are_learnt(recognised: Recognised, data: DataConfig, kept: Split) -> None:
    assert recognised.masks is not None
    taught = replace(recognised.masks, of={path: recognised.masks.of[path] for path in kept.train[:4]})
    only = replace(recognised, masks=taught)
    assert suited(kept, CLASSES, only, data) == kept
    assert set(suited(kept, "segmentation", only, data).test) & set(taught.of)


def test_what_the_folders_hold_out_is_held_out(recognised: Recognised, data: DataConfig, kept: Split) -> None:
    said = replace(recognised, given_split={kept.train[0]: "test", kept.train[1]: "train"})
    assert kept.train[0] in suited(kept, CLASSES, said, data).test
    agreed = replace(recognised, given_split={kept.test[0]: "test", kept.train[1]: "train"})
    assert suited(kept, CLASSES, agreed, data) == kept


@pytest.mark.parametrize("change", [{"split_seed": 7}, {"test": 0.3}, {"validation": 0.2}, {"groups": "name:(.)"}])
def test_other_settings_of_the_split_are_followed(
    pretrained: Path, sample_folder: Path, tmp_path: Path, kept: Split, change: dict[str, object]
) -> None:
    config = finetune_config(sample_folder, tmp_path / "run", str(pretrained))
    source = pretraining_of(config.source)
    assert split_kept(config, source) == kept
    assert split_kept(config.replace(data=config.data.replace(**change)), source) is None
    assert split_kept(config.replace(data=config.data.replace(folder=str(tmp_path))), source) is None
    assert split_kept(config, None) is None


def test_the_split_of_the_runs_spoils_nothing(
    recognised: Recognised, sample_folder: Path, pretrained: Path, classified: Path
) -> None:
    assert leak_of(recognised, DataConfig(folder=str(sample_folder)), [pretrained, classified]) == Leak()


def test_pictures_and_runs_are_counted(
    recognised: Recognised, sample_folder: Path, pretrained: Path, classified: Path, tmp_path: Path
) -> None:
    config = DataConfig(folder=str(sample_folder), split_seed=7)
    tested = set(json.loads((pretrained / "split.json").read_text())["test"])
    expected = len(tested & set(draw_split(recognised, config).train))
    assert expected > 3
    assert leak_of(recognised, config, [pretrained, classified, tmp_path]) == Leak(expected, 2)


def test_runs_on_other_pictures_do_not_count(recognised: Recognised, pretrained: Path, tmp_path: Path) -> None:
    assert leak_of(recognised, DataConfig(folder=str(tmp_path), split_seed=7), [pretrained]) == Leak()


def test_a_split_that_cannot_be_drawn_is_said(recognised: Recognised, sample_folder: Path, pretrained: Path) -> None:
    with pytest.raises(ConfigError):
        leak_of(recognised, DataConfig(folder=str(sample_folder), groups="name:("), [pretrained])
