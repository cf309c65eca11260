"""Several folders of pictures are trained on, tested and predicted as one set."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.finetuning.use.predict import predict_folder
from sslstudio.engine.images.multi_folder import write_album
from sslstudio.engine.report.worst_errors import worst_answers
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import finetune_from_dict
from tests.support.small_runs import finetune_config, finished, pretrain_config, run_finetune, run_pretrain


@pytest.fixture(scope="module")
def album(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with its masks, its pictures sorted into two scanners' folders by turns."""
    disk = tmp_path_factory.mktemp("disk")
    for number, file in enumerate(sorted((sample_folder / "images").rglob("*.png"))):
        for part in ("images", "masks"):
            path = Path(part) / file.relative_to(sample_folder / "images")
            target = disk / f"scanner {number % 2}" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(sample_folder / path, target)
    write_album(disk / "album", {name: disk / name for name in ("scanner 0", "scanner 1")})
    return disk / "album"


def table(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))


def test_two_folders_are_one_set_from_pretraining_to_prediction(album: Path, tmp_path: Path) -> None:
    before = sorted(file for file in album.parent.rglob("*") if file.is_file())
    assert finished(run_pretrain(pretrain_config(album, tmp_path / "pretrained"))).outcome == "finished"
    split = json.loads((tmp_path / "pretrained" / "split.json").read_text())
    assert {path.partition("/")[0] for path in split["train"]} == {"scanner 0", "scanner 1"}
    run = tmp_path / "classified"
    assert finished(run_finetune(finetune_config(album, run, str(tmp_path / "pretrained")))).outcome == "finished"
    stored = RunFolder.open(run)
    metrics = stored.finetune_metrics()
    assert metrics is not None
    assert "No test picture was seen in pretraining." in metrics["notes"]
    wrong, _ = worst_answers(stored, finetune_from_dict(stored.config()), metrics)
    rows = table(run / "predictions-pretrained.csv")
    assert len(wrong) == sum(row["label"] != row["predicted"] for row in rows)  # each picture was found
    predicted = to_end(predict_folder(load_trained(run), album, tmp_path / "answers", RunControl()))
    assert (predicted.total, predicted.unreadable) == (60, 0)
    assert sorted(file for file in album.parent.rglob("*") if file.is_file()) == before


def test_what_was_pretrained_on_one_folder_alone_counts_as_seen(album: Path, tmp_path: Path) -> None:
    alone = album.parent / "scanner 0"
    run_pretrain(pretrain_config(alone, tmp_path / "pretrained", epochs=1))
    run = tmp_path / "segmented"
    run_finetune(finetune_config(album, run, str(tmp_path / "pretrained"), "segmentation"))
    seen = {f"scanner 0/{path}" for path in json.loads((tmp_path / "pretrained" / "split.json").read_text())["train"]}
    metrics = RunFolder.open(run).finetune_metrics()
    assert metrics is not None
    tested = [row["file"] for row in table(run / "predictions-pretrained.csv")]
    count = len(seen & set(tested))
    assert count
    assert any(note.startswith(f"{count} of the {len(tested)} test pictures were seen") for note in metrics["notes"])


def test_a_folder_that_comes_after_pretraining_is_fine_tuned_on_and_tested(album: Path, tmp_path: Path) -> None:
    folders = {name: album.parent / name for name in ("scanner 0", "scanner 1")}
    growing = tmp_path / "growing"
    write_album(growing, {"scanner 0": folders["scanner 0"]})
    run_pretrain(pretrain_config(growing, tmp_path / "pretrained", epochs=1))
    write_album(growing, folders)
    run_finetune(finetune_config(growing, tmp_path / "classified", str(tmp_path / "pretrained")))
    before, after = (json.loads((tmp_path / run / "split.json").read_text()) for run in ("pretrained", "classified"))
    for part in ("train", "validation", "test"):
        assert [path for path in after[part] if path.startswith("scanner 0/")] == before[part]
        assert any(path.startswith("scanner 1/") for path in after[part])
    assert sum(map(len, after.values())) == 60
    metrics = RunFolder.open(tmp_path / "classified").finetune_metrics()
    assert metrics is not None
    assert "No test picture was seen in pretraining." in metrics["notes"]
