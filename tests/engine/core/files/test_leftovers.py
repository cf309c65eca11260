"""What dead processes left half written goes; nothing else does."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.files import leftovers
from sslstudio.engine.core.files.atomic_files import (
    Appender,
    discard_folder,
    folder_beside,
    take_lock,
    write_atomic,
)
from sslstudio.engine.projects.project import Project, save_project

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be asked there")


def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


def named(folder: Path, pid: int, host: str = leftovers._HOST) -> Path:
    return folder / f".0123456789abcdef.{host}.{pid}.0.part"


@POSIX
def test_what_a_dead_process_left_goes_at_the_next_write(tmp_path: Path) -> None:
    named(tmp_path, dead()).write_bytes(b"half")
    (tmp_path / f".out.{leftovers._HOST}.{dead()}.3.part").mkdir()
    write_atomic(tmp_path / "a.txt", b"whole")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


@POSIX
@pytest.mark.parametrize("write", ["line", "lock", "project that is as it was"])
def test_whatever_writes_into_a_folder_takes_away_what_dead_processes_left(tmp_path: Path, write: str) -> None:
    project = Project(folder=tmp_path / write, pictures=tmp_path / "pictures")
    save_project(project)
    leftovers._swept.clear()  # as in a process that has begun anew
    half = named(project.folder, dead())
    half.mkdir()
    (half / "classes.csv").write_bytes(b"half")
    if write == "line":
        Appender(project.folder / "journal.jsonl").close()
    elif write == "lock":
        take_lock(project.folder / ".lock").release()
    else:
        save_project(project)
    assert not half.exists()


@POSIX
def test_what_stayed_on_a_disk_that_had_gone_goes_once_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanished(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    write_atomic(tmp_path / "a.txt", b"whole")
    with monkeypatch.context() as gone:
        gone.setattr(Path, "replace", vanished)
        gone.setattr(Path, "unlink", vanished)
        with pytest.raises(RunError, match="connect the disk"):
            write_atomic(tmp_path / "a.txt", b"later")
    beside = folder_beside(tmp_path / "out")
    with monkeypatch.context() as gone:
        gone.setattr(shutil, "rmtree", lambda *_, **__: None)
        discard_folder(beside)
    assert beside.exists()
    write_atomic(tmp_path / "a.txt", b"later still")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


@POSIX
def test_what_is_in_use_of_others_or_not_ours_stays(tmp_path: Path) -> None:
    ours = folder_beside(tmp_path / "out")
    stay = [named(tmp_path, os.getppid()), named(tmp_path, dead(), "deadbeef"), tmp_path / "film.part",
            tmp_path / ".film.123.part", tmp_path / ".hidden.zip.part", tmp_path / f".x.{dead()}.0.part"]  # fmt: skip
    for file in stay:
        file.write_bytes(b"")
    leftovers.sweep(tmp_path)
    assert ours.is_dir()
    assert all(file.exists() for file in stay)


def test_of_other_machines_and_earlier_versions_only_what_is_old_goes(tmp_path: Path) -> None:
    old = time.time() - 2 * leftovers.DAY
    files = [named(tmp_path, 1, "deadbeef"), tmp_path / ".0123456789abcdef.77.part", tmp_path / "film.part"]
    for file in files:
        file.write_bytes(b"")
        os.utime(file, (old, old))
    leftovers.sweep(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["film.part"]


@POSIX
def test_a_link_is_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_bytes(b"x")
    named(tmp_path, dead()).symlink_to(tmp_path / "precious")
    leftovers.sweep(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["precious"]
    assert (tmp_path / "precious" / "file").exists()


@POSIX
def test_temporary_folders_of_dead_parents_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = tmp_path / f"sslstudio-{leftovers._HOST}-{dead()}-abc"
    stay = [tmp_path / f"sslstudio-{leftovers._HOST}-{os.getppid()}-abc", tmp_path / "sslstudio-abc"]
    for folder in (gone, *stay):
        folder.mkdir()
        (folder / "order.json").write_text("{}")
    made = leftovers.temporary_folder()
    assert made.is_dir()
    assert not gone.exists()
    assert all(folder.exists() for folder in stay)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_process_that_ended_and_was_not_collected_does_not_live() -> None:
    """As in a container whose first process collects nobody: what it wrote must not stay locked."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()  # to its end
        deadline = time.monotonic() + 10
        while leftovers.lives(process.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not leftovers.lives(process.pid)
