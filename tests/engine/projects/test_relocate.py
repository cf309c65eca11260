"""A project is renamed or copied whole, or not at all; its runs, labels and pictures are found at the new place."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.files import atomic_files
from sslstudio.engine.core.files.checked_files import from_toml
from sslstudio.engine.images.cache.pixel_cache import build_cache
from sslstudio.engine.images.index import scan
from sslstudio.engine.images.multi_folder import folders_of, write_album
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.start import begin
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.projects.project import Project, open_project, save_project
from sslstudio.engine.projects.relocate import copy_project, fitting_name, rename_project
from sslstudio.engine.runs.run_folder import RunFolder
from tests.support.decoded import watch


@pytest.fixture
def project(sample_folder: Path, tmp_path: Path) -> Project:
    """A project of two folders, one of them beside it, with labels, two runs and a discarded one."""
    for kind in ("images", "masks"):
        shutil.copytree(sample_folder / kind, tmp_path / ("home" if kind == "images" else "far") / kind)
    folder = tmp_path / "home" / "pets"
    write_album(folder / "pictures", {"images": tmp_path / "home" / "images", "masks": tmp_path / "far" / "masks"})
    made = Project(folder=folder, pictures=folder / "pictures", name="pets", labels=str(folder / "labels"))
    for _ in begin(made.labels_folder, recognise(scan(made.pictures))):
        pass
    first = RunFolder.create(made.runs / "first", {"job": "pretrain", "data": {"folder": str(made.pictures.resolve())}})
    RunFolder.create(
        made.runs / "second",
        {"job": "finetune", "source": str(first.path), "data": {"folder": str(made.pictures), "labels": made.labels}},
    )
    (made.runs / "first" / "last.safetensors").write_bytes(b"w" * 3_000_000)
    (made.runs / ".discarded" / "old").mkdir(parents=True)
    (made.runs / ".discarded" / "old" / "big").write_bytes(b"x")
    save_project(made)
    return open_project(folder).project


def copy_of(project: Project, target: Path, *, runs: bool = True, control: RunControl | None = None) -> Project:
    return to_end(copy_project(project, target, runs, control or RunControl()))


def tree(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()
    }


def check_whole(project: Project, tmp_path: Path, name: str) -> None:
    assert open_project(project.folder).project == project
    assert (project.name, project.folder.name) == (name, name)
    assert project.pictures == project.folder / "pictures"
    assert project.labels_folder == Path(project.labels) == project.folder / "labels"
    assert folders_of(project.pictures) == {
        "images": tmp_path / "home" / "images",
        "masks": tmp_path / "far" / "masks",
    }
    assert label_files.pictures_of(project.labels_folder) == str(project.pictures)
    found = recognise(scan(project.pictures), project.labels)
    assert found.masks is not None
    assert len(found.masks.of) == 60


def check_runs(project: Project) -> None:
    second = from_toml((project.runs / "second" / "config.toml").read_text())
    assert second["source"] == str(project.runs / "first")
    assert second["data"] == {"folder": str(project.pictures), "labels": project.labels}
    assert (project.runs / "first" / "last.safetensors").stat().st_size == 3_000_000


def test_a_renamed_project_finds_everything_and_reads_no_picture_again(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    for _ in build_cache(scan(project.pictures), 16, cache_dir=cache):
        pass
    new = rename_project(project, "  cats and   dogs ", cache)
    assert not project.folder.exists()
    check_whole(new, tmp_path, "cats and dogs")
    check_runs(new)
    decoded = watch(monkeypatch)
    for _ in build_cache(scan(new.pictures), 16, cache_dir=cache):
        pass
    assert decoded == []
    assert rename_project(new, "cats and dogs", cache) == new


def test_a_name_that_is_taken_or_cannot_be_leaves_all_as_it_is(project: Project, tmp_path: Path) -> None:
    before = tree(project.folder)
    (project.folder.parent / "taken").mkdir()
    for name, said in (("taken", "already"), ("", "1 to 100"), ("a/b", "leave out"), ("Con", "Windows")):
        with pytest.raises(DataError, match=said):
            rename_project(project, name, tmp_path / "cache")
    assert tree(project.folder) == before


@given(st.text(max_size=120))
def test_fitting_names_are_folders_everywhere(name: str) -> None:
    try:
        plain = fitting_name(name)
    except DataError:
        return
    assert fitting_name(plain) == plain
    assert Path("/place", plain).name == plain
    assert not set(plain) & set('<>:"/\\|?*')
    assert plain == plain.strip(" ")


@pytest.mark.parametrize("runs", [True, False])
def test_a_copy_stands_by_itself_and_the_original_stays(project: Project, tmp_path: Path, runs: bool) -> None:
    before = tree(project.folder)
    new = copy_of(project, tmp_path / "usb" / "archive" / "pets, copy", runs=runs)
    check_whole(new, tmp_path, "pets, copy")
    assert tree(project.folder) == before
    assert not (new.runs / ".discarded").exists()
    if runs:
        check_runs(new)
        shutil.rmtree(project.folder)
        check_whole(new, tmp_path, "pets, copy")
    else:
        assert list(new.runs.iterdir()) == []


@pytest.mark.parametrize("how", ["stopped", "closed", "full", "broken"])
def test_of_a_copy_that_is_not_finished_nothing_is_left(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    before, control = tree(project.folder), RunControl()
    monkeypatch.setattr(atomic_files, "CHUNK", 1000)
    if how == "full":
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 1000))
        with pytest.raises(DataError, match="leave out the runs"):
            copy_of(project, tmp_path / "copy")
    elif how == "broken":
        monkeypatch.setattr(shutil, "copystat", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        with pytest.raises(RunError, match="Input/output error"):
            copy_of(project, tmp_path / "copy")
    else:
        steps = copy_project(project, tmp_path / "copy", True, control)
        next(steps)
        if how == "closed":
            steps.close()
        else:
            control.stop()
            with pytest.raises(DataError, match="nothing of the copy is left"):
                list(steps)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["far", "home"]
    assert tree(project.folder) == before


def test_a_copy_goes_to_a_place_of_its_own(project: Project) -> None:
    with pytest.raises(DataError, match="already"):
        copy_of(project, project.folder)
    with pytest.raises(DataError, match="lies in the project itself"):
        copy_of(project, project.folder / "copy")
