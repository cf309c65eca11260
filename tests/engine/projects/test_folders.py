"""A project grows by folders and loses them again; nothing that is known of its pictures gets lost."""

import os
import shutil
import sys
from pathlib import Path

import filelock
import numpy as np
import pytest

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.images.cache import store as pixel_store
from sslstudio.engine.images.cache.pixel_cache import PixelCache, build_cache
from sslstudio.engine.images.index import scan
from sslstudio.engine.images.multi_folder import folders_of, is_album
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.start import begin
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.editing.stroke import Patch, Rect
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.projects.folders import project_of_several, relocate_folder, with_folders, with_more, without
from sslstudio.engine.projects.project import Project, examples_of, open_project, save_project
from tests.support.decoded import watch


def disk(place: Path, *names: str) -> list[Path]:
    for name in names:
        for kind in ("ill", "well"):
            (place / name / kind).mkdir(parents=True)
            for number in range(4):
                (place / name / kind / f"{number}.png").write_bytes(b"\x89PNG")
    return [place / name for name in names]


def grown(project: Project, *folders: Path) -> Project:
    return to_end(with_more(project, folders))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of one folder with labels and masks made in the program."""
    (folder,) = disk(tmp_path / "disk", "scanner 1")
    index = scan(folder)
    made = Project(folder=tmp_path / "home" / "study", pictures=folder, name="study", data={"groups": "folder:1"})
    for _ in begin(made.labels_folder, recognise(index)):
        pass
    with Labelling(made.labels_folder) as labels:
        labels.apply(labels.adding("classification", "unclear"))
        edit = labels.labelling(["ill/0.png"], 3)
        assert edit is not None
        labels.apply(edit)
        labels.apply(labels.adding("segmentation", "nodule"))
        one = np.ones((2, 2), np.uint8)
        labels.apply(labels.painting("well/1.png", (8, 8), Patch(Rect(1, 1, 2, 2), one * 0, one)))
    made = Project(**{**vars(made), "labels": str(made.labels_folder), "examples": examples_of(index.paths)})
    save_project(made)
    return made


def test_labels_groups_and_examples_go_along_when_a_second_folder_comes(project: Project, tmp_path: Path) -> None:
    old = recognise(scan(project.pictures), project.labels)
    (second,) = disk(tmp_path / "usb", "scanner 2")
    before = {file: file.read_bytes() for file in project.labels_folder.rglob("*") if file.is_file()}
    now = grown(project, second)
    assert open_project(project.folder).project == now
    assert now.data["groups"] == "subfolder:1"
    assert list(folders_of(now.pictures)) == ["scanner 1", "scanner 2"]
    assert all((tmp_path / "disk" / path).exists() for path in now.examples)
    new = recognise(scan(now.pictures), now.labels)
    assert old.classes is not None
    assert new.classes is not None
    assert old.masks is not None
    assert new.masks is not None
    assert new.classes.names == old.classes.names == ("ill", "well", "unclear")
    assert new.classes.of == {f"scanner 1/{path}": number for path, number in old.classes.of.items()}
    assert list(new.masks.of) == ["scanner 1/well/1.png"]
    assert new.masks.names == ("background", "nodule")
    with Labelling(now.labels_folder) as labels:
        mask = labels.mask("scanner 1/well/1.png")
    assert mask is not None
    assert mask.sum() == 4
    assert label_files.pictures_of(now.labels_folder) == str(now.pictures.resolve())
    assert {file: file.read_bytes() for file in before} == before  # what was there stays
    third = grown(now, *disk(tmp_path / "usb", "scanner 3"))
    assert third.labels_folder == now.labels_folder
    assert len(scan(third.pictures)) == 24


def test_labels_that_came_from_the_folders_are_begun_again(tmp_path: Path) -> None:
    first, second = disk(tmp_path / "disk", "a", "b")
    project = Project(folder=tmp_path / "home" / "a", pictures=first)
    for _ in begin(project.labels_folder, recognise(scan(first))):
        pass
    now = grown(project, second)
    recognised = recognise(scan(now.pictures), now.labels)
    for _ in begin(now.labels_folder, recognised):
        pass
    assert len(label_files.read_labels_table(now.labels_folder)) == 16


def test_what_cannot_be_added_is_refused_and_changes_nothing(project: Project, tmp_path: Path) -> None:
    for folder, said in (
        (tmp_path / "gone", "There is no folder"),
        (project.pictures, "is in the project already"),
        (project.pictures / "ill", "its pictures would count twice"),
        (project.pictures.parent, "its pictures would count twice"),
    ):
        with pytest.raises(DataError, match=said):
            grown(project, folder)
    with Labelling(project.labels_folder), pytest.raises(DataError, match="are being edited in another window"):
        grown(project, *disk(tmp_path / "usb", "b"))
    assert open_project(project.folder).project == project
    assert sorted(one.name for one in project.folder.glob("labels*")) == ["labels"]


def test_a_copy_that_fails_half_way_leaves_the_project_as_it_was(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sslstudio.engine.labels.editing.transfer.copy_file", full)
    with pytest.raises(RunError, match="No space left"):
        grown(project, *disk(tmp_path / "usb", "b"))
    assert open_project(project.folder).project == project
    assert sorted(one.name for one in project.folder.glob("*labels*")) == ["labels"]


def test_a_folder_is_taken_out_and_brought_back(project: Project, tmp_path: Path) -> None:
    now = grown(project, *disk(tmp_path / "usb", "scanner 2"))
    before = folders_of(now.pictures)
    without(now, "scanner 1")
    assert scan(now.pictures).counts() == {"scanner 2": 8}
    with pytest.raises(DataError, match="needs a folder of pictures"):
        without(now, "scanner 2")
    with_folders(now, before)
    assert scan(now.pictures).counts() == {"scanner 1": 8, "scanner 2": 8}
    found = recognise(scan(now.pictures), now.labels).classes
    assert found is not None
    assert len(found.of) == 8  # the labels had stayed


def test_one_folder_that_has_moved_is_found_again_and_another_one_is_refused(project: Project, tmp_path: Path) -> None:
    (second,) = disk(tmp_path / "usb", "scanner 2")
    now = grown(project, second)
    now = Project(**{**vars(now), "examples": examples_of(scan(now.pictures).paths)})
    there = second.rename(tmp_path / "elsewhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"Only 0 of \d pictures .* called (ill|well)/\d.png"):
        relocate_folder(now, "scanner 2", tmp_path / "empty")
    relocate_folder(now, "scanner 2", there)
    assert folders_of(now.pictures)["scanner 2"] == there
    assert len(scan(now.pictures)) == 16


def test_several_folders_have_a_project_of_their_own_and_it_is_found_again(tmp_path: Path) -> None:
    folders = disk(tmp_path / "disk", "a", "b", "c", "d")
    home = tmp_path / "home"
    opened = project_of_several(folders, home).project
    assert opened.name == opened.folder.name == "a + b + c + 1"
    assert is_album(opened.pictures)
    assert project_of_several(folders[::-1], home).project == opened
    assert project_of_several(folders[:2], home).project.name == "a + b"
    elsewhere = opened.folder.rename(tmp_path / "mine")
    assert project_of_several(folders, home, [elsewhere]).project.folder == elsewhere


def cached(folder: Path) -> PixelCache:
    return to_end(build_cache(scan(folder), 16))


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no UTF-8")
def test_what_was_read_of_the_first_folder_is_not_read_again(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        shutil.copytree(sample_folder / "images", folder)
    picture = next(first.rglob("*.png"))
    picture.rename(picture.with_name(os.fsdecode(b"\xff.png")))
    (first / "broken.png").write_bytes(b"no picture")
    alone = cached(first).pixels().clone()
    now = grown(Project(folder=tmp_path / "home" / "a", pictures=first), second)
    decoded = watch(monkeypatch)
    both = cached(now.pictures)
    assert len(decoded) == 60
    assert all(file.is_relative_to(second) for file in decoded)
    ours = [number for number, path in enumerate(both.index.paths) if path.startswith("a/")]
    assert (both.pixels(ours) == alone).all()
    assert [one.path for one in both.index.unreadable] == ["a/broken.png"]


def test_a_store_that_is_being_read_stays_and_is_read_again(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_store, "LOCK_SECONDS", 0.0)
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        shutil.copytree(sample_folder / "images", folder)
    cached(first)
    with filelock.FileLock(pixel_store.store_folder(cache_folder(), first, 16) / "lock"):
        now = grown(Project(folder=tmp_path / "home" / "a", pictures=first), second)
    decoded = watch(monkeypatch)
    cached(first)
    assert decoded == []
    cached(now.pictures)
    assert len(decoded) == 120
