"""Files are whole or not there: a write that fails leaves the old one."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sslstudio.engine.core.atomic_files import folder_beside, make_folder, write_atomic
from sslstudio.engine.core.errors import DataError, RunError


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes while this lasts, as if the disk were full there."""
    resource = pytest.importorskip("resource")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_atomic(file, b"old")
    write_atomic(file, b"the new one")
    assert file.read_bytes() == b"the new one"
    write_atomic(file, b"")
    assert file.read_bytes() == b""
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    write_atomic(file, b"old")
    with full_disk(10_000), pytest.raises(RunError, match=r"a\.bin could not be written: .*disk is full: make room"):
        write_atomic(file, bytes(100_000))
    assert file.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_a_folder_that_vanished_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="could not be written: No such file or directory"):
        write_atomic(tmp_path / "gone" / "a.txt", b"x")
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RunError, match="could not be written"):
        write_atomic(tmp_path / "file" / "a.txt", b"x")


def test_a_folder_in_the_place_of_the_file_is_said_and_stays(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(RunError, match="could not be written"):
        write_atomic(tmp_path / "a", b"x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="other rules for names")
def test_a_name_of_any_length_that_the_disk_takes(tmp_path: Path) -> None:
    file = tmp_path / ("n" * 255)
    write_atomic(file, b"x")
    assert file.read_bytes() == b"x"
    with pytest.raises(RunError, match="could not be written"):
        write_atomic(tmp_path / ("n" * 256), b"x")


def test_a_folder_beside_is_a_new_one(tmp_path: Path) -> None:
    first = folder_beside(tmp_path / "deep" / ("n" * 255))
    second = folder_beside(tmp_path / "deep" / ("n" * 255))
    assert first != second
    assert first.parent == second.parent == tmp_path / "deep"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="exists"):
        folder_beside(tmp_path / "file" / "x")


def test_a_folder_that_people_asked_for_is_made_or_it_is_said_why_not(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")  # is there already
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=r"The folder .*file/x cannot be made: Not a directory\. Choose another one\."):
        make_folder(tmp_path / "file" / "x")
