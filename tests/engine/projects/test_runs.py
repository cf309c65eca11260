"""The runs of a project: those from before it are found, the newest lead on, and all are mended when pictures move."""

import json
import os
from pathlib import Path

import pytest

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.projects.project import Project, open_project
from sslstudio.engine.projects.runs import count_runs, earlier_runs, mend_runs, newest, relink_project, runs_in
from sslstudio.engine.runs.relink import pictures_folder
from sslstudio.engine.runs.run_folder import RunFolder

PATHS = [f"{number}.png" for number in range(10)]


def made_run(path: Path, pictures: Path, job: str, when: int, *files: str) -> Path:
    run = RunFolder.create(path, {"job": job, "data": {"folder": str(pictures)}})
    run.write_json("split.json", {"train": PATHS, "validation": [], "test": []})
    for name in files:
        (path / name).write_text("{}")
    os.utime(path / "config.toml", (when, when))
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "images"
    folder.mkdir(parents=True)
    for path in PATHS:
        (folder / path).touch()
    return folder


def test_older_runs_are_told_apart_by_their_pictures_and_not_by_the_name_of_the_folder(
    tmp_path: Path, pictures: Path
) -> None:
    old = tmp_path / "home" / "Runs" / "images"
    mine = made_run(old / "mine", pictures, "pretrain", 1, "last.safetensors")
    made_run(old / "another's", tmp_path / "other" / "images", "pretrain", 2, "last.safetensors")
    within = made_run(old / "comparison" / "pretrained" / "jigsaw", pictures, "pretrain", 3, "last.safetensors")
    (old / "notes.txt").touch()
    found = earlier_runs(old, pictures)
    assert found == (str(old / "comparison"), str(mine))
    assert earlier_runs(tmp_path / "gone", pictures) == ()
    project = Project(folder=tmp_path / "home" / "images", pictures=pictures, earlier=found)
    new = made_run(project.runs / "new", pictures, "pretrain", 9)
    assert [run.path for run in runs_in(project.all_runs)] == [new, within, mine]
    assert count_runs(project) == 3
    assert newest(project).pretrained == mine  # the newer ones have no weights, or belong to a comparison
    assert newest(project).result is None


def test_the_newest_lead_on(tmp_path: Path, pictures: Path) -> None:
    project = Project(folder=tmp_path / "project", pictures=pictures)
    for number in (2, 3, 1):
        made_run(project.runs / f"p{number}", pictures, "pretrain", number, "last.safetensors")
        made_run(project.runs / f"f{number}", pictures, "finetune", number, "metrics.json")
    made_run(project.runs / "f4", pictures, "finetune", 4)  # it was broken off
    made_run(project.runs / ".discarded" / "p5", pictures, "pretrain", 5, "last.safetensors")
    (project.runs / "damaged").mkdir()
    (project.runs / "damaged" / "config.toml").write_text("job =")
    assert newest(project).pretrained == project.runs / "p3"
    assert newest(project).result == project.runs / "f3"


def test_a_project_its_runs_and_its_labels_learn_where_the_pictures_are_now(tmp_path: Path, pictures: Path) -> None:
    project = Project(folder=tmp_path / "project", pictures=pictures, examples=tuple(PATHS))
    run = made_run(project.runs / "one", pictures, "pretrain", 1)
    study = made_run(project.runs / "study" / "pretrained" / "jigsaw", pictures, "pretrain", 1).parent.parent
    (study / "compare.toml").write_text(f'[data]\nfolder = "{pictures.as_posix()}"\n')
    others = made_run(project.runs / "other pictures", tmp_path / "elsewhere", "pretrain", 1)
    RunFolder.open(others).write_json("split.json", {"train": ["x.png"], "validation": [], "test": []})
    project.labels_folder.mkdir(parents=True)
    label_files.write_about(project.labels_folder, pictures)
    label_files.write_classes(project.labels_folder, {"classification": {}, "segmentation": {}})
    moved = pictures.rename(tmp_path / "moved")
    with pytest.raises(DataError, match="Only 0 of 10 pictures"):
        relink_project(project, tmp_path / "data")
    assert pictures_folder(run) == pictures
    assert relink_project(project, moved).pictures == moved
    assert open_project(project.folder).project.pictures == moved
    assert pictures_folder(run) == pictures_folder(study) == pictures_folder(study / "pretrained" / "jigsaw") == moved
    assert pictures_folder(others) == tmp_path / "elsewhere"
    assert json.loads((project.labels_folder / label_files.ABOUT).read_text())["pictures"] == str(moved)


def test_runs_whose_pictures_are_there_are_left_alone(tmp_path: Path, pictures: Path) -> None:
    project = Project(folder=tmp_path / "project", pictures=tmp_path / "copy")
    run = made_run(project.runs / "one", pictures, "pretrain", 1)
    (tmp_path / "copy").mkdir()
    for path in PATHS:
        (tmp_path / "copy" / path).touch()
    mend_runs(project)
    assert pictures_folder(run) == pictures


def test_what_a_run_starts_from_is_found_again_when_the_project_has_moved(tmp_path: Path, pictures: Path) -> None:
    project = Project(folder=tmp_path / "project", pictures=pictures)
    first = made_run(project.runs / "first", pictures, "pretrain", 1, "last.safetensors")
    for name, source in (("second", str(first)), ("third", "scratch"), ("fourth", str(tmp_path / "gone.safetensors"))):
        config = {"job": "finetune", "source": source, "data": {"folder": str(pictures)}}
        RunFolder.create(project.runs / name, config)
    project.folder.rename(tmp_path / "moved")
    moved = Project(folder=tmp_path / "moved", pictures=pictures)
    mend_runs(moved)
    sources = [RunFolder.open(moved.runs / name).config()["source"] for name in ("second", "third", "fourth")]
    assert sources == [str(moved.runs / "first"), "scratch", str(tmp_path / "gone.safetensors")]
