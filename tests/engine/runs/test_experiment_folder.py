"""What the folder of a comparison or tournament is known by, and its table in a file of the user's choice."""

import csv
from pathlib import Path
from typing import Any

import pytest

from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.experiments.tables import save_table
from sslstudio.engine.runs.experiment_folder import experiment_job
from sslstudio.engine.runs.relink import pictures_folder, relink
from sslstudio.engine.runs.run_folder import CONFIG, RunFolder

TABLE: dict[str, Any] = {"headline": "mean_iou", "rows": []}


def test_it_is_known_by_its_settings(tmp_path: Path) -> None:
    assert experiment_job(tmp_path) == ""
    for job in ("tournament", "compare"):
        (tmp_path / job).mkdir()
        (tmp_path / job / f"{job}.toml").touch()
        assert experiment_job(tmp_path / job) == job
    assert experiment_job(tmp_path / "gone") == ""


def test_the_table_is_saved_by_the_ending_of_the_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.MD"
    with pytest.raises(RunError, match="no table"):
        save_table(file, tmp_path, "compare", TABLE)
    assert not file.exists()
    (tmp_path / "table.md").write_text("| Ä |\n", encoding="utf-8")
    save_table(file, tmp_path, "compare", TABLE)
    assert file.read_text(encoding="utf-8") == "| Ä |\n"
    save_table(tmp_path / "mine.csv", tmp_path, "compare", TABLE)
    with (tmp_path / "mine.csv").open(encoding="utf-8-sig") as lines:
        assert next(csv.reader(lines))[:4] == ["row", "labels", "draws", "mean_iou"]
    with pytest.raises(RunError, match="could not be written"):
        save_table(tmp_path / "gone" / "mine.csv", tmp_path, "compare", TABLE)


def test_pictures_that_have_moved_are_told_to_a_comparison_and_its_runs(tmp_path: Path) -> None:
    study, pictures = tmp_path / "study", tmp_path / "pets"
    run = RunFolder.create(study / "pretrained" / "jigsaw", {"job": "pretrain", "data": {"folder": "/gone/pets"}})
    run.write_json("split.json", {"train": ["a.png", "b.png"], "validation": [], "test": ["c.png"]})
    (study / "compare.toml").write_text('seeds = 3\n[data]\nfolder = "/gone/pets"\nside = 48\n')
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match="Only 0 of the 3 pictures"):
        relink(study, tmp_path / "other")
    assert pictures_folder(study) == Path("/gone/pets")
    pictures.mkdir()
    for name in ("a.png", "b.png"):
        (pictures / name).touch()
    assert relink(study, pictures) == 2
    assert [pictures_folder(one) for one in (study, run.path)] == [pictures, pictures]
    assert "seeds = 3" in (study / "compare.toml").read_text()
    assert not (study / CONFIG).exists()
