"""Files are whole or not there: a write that fails leaves the old one."""

import errno
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.errors import DataError, DiskFull, RunError
from sslstudio.engine.core.files import atomic_files
from sslstudio.engine.core.files.atomic_files import (
    CHUNK,
    FULL,
    Appender,
    cannot_remove,
    cannot_write,
    copy_file,
    copying,
    folder_beside,
    make_folder,
    write_atomic,
)
from tests.support.full_disk import full_disk


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


# Synced, whole, closed


@dataclass
class Watched:
    """`os` as the module that writes sees it: what it syncs, and which handles it holds. `part`: so many bytes are
    taken at once; `error`: what the next write raises."""

    synced: int = 0
    part: int | None = None
    error: int = 0
    held: set[int] = field(default_factory=set)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, *arguments: Any) -> int:
        handle = os.open(*arguments)
        self.held.add(handle)
        return handle

    def close(self, handle: int) -> None:
        self.held.remove(handle)
        os.close(handle)

    def fsync(self, handle: int) -> None:
        self.synced += 1

    def write(self, handle: int, content: memoryview) -> int:
        done = os.write(handle, content[: self.part])
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        return done


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    made = Watched()
    monkeypatch.setattr(atomic_files, "os", made)
    return made


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no handle there")
def test_a_file_is_confirmed_unless_it_can_be_made_again(tmp_path: Path, watched: Watched) -> None:
    write_atomic(tmp_path / "a", b"x")
    assert watched.synced == 2, "the file, and its name in the folder"
    write_atomic(tmp_path / "a", b"y", confirmed=False)
    assert watched.synced == 2
    assert not watched.held, "all files are closed"


def test_a_disk_that_takes_a_byte_at_a_time_has_all_in_the_end(tmp_path: Path, watched: Watched) -> None:
    watched.part = 1
    write_atomic(tmp_path / "a", b"whole")
    (tmp_path / "source").write_bytes(bytes(range(256)) * 10)
    copy_file(tmp_path / "source", tmp_path / "copy")
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "source").read_bytes()
    assert not watched.held


def test_copying_says_how_much_it_has_copied(tmp_path: Path) -> None:
    content = bytes(2 * CHUNK + 5)
    (tmp_path / "source").write_bytes(content)
    assert list(copying(tmp_path / "source", tmp_path / "copy")) == [CHUNK, CHUNK, 5]
    assert (tmp_path / "copy").read_bytes() == content


def test_a_line_that_was_half_written_is_gone_before_the_next(
    tmp_path: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Appender(tmp_path / "lines") as lines:
        lines.append(b"one\n")
        watched.error = errno.EIO

        def refuse(handle: int, size: int) -> None:
            raise OSError(errno.EIO, "broken")

        monkeypatch.setattr(watched, "ftruncate", refuse, raising=False)  # nor can it be cut off
        with pytest.raises(RunError, match="The disk does not work as it should"):
            lines.append(b"two and more\n")
        with pytest.raises(RunError, match="could not be written"):
            lines.append(b"three\n")
        monkeypatch.undo()
        watched.error = 0
        lines.append(b"four\n")
    assert (tmp_path / "lines").read_bytes() == b"one\nfour\n"


@given(st.lists(st.binary(max_size=9).map(lambda one: one.replace(b"\n", b"") + b"\n"), max_size=6), st.integers(0, 40))
def test_what_a_crash_cut_off_goes_and_all_whole_lines_stay(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], cut: int
) -> None:
    file = tmp_path_factory.mktemp("lines") / "lines"
    content = b"".join(lines)[: -cut or None]
    file.write_bytes(content)
    with Appender(file) as opened:
        opened.append(b"new\n")
    assert file.read_bytes() == content[: content.rfind(b"\n") + 1] + b"new\n"


ADVICE = {
    errno.ENOSPC: "The disk is full: make room on it", errno.EDQUOT: "The disk is full",
    errno.EFBIG: "The disk is full",
    errno.EROFS: "The disk is read-only: let it be written to", errno.EACCES: "You may not write there",
    errno.EPERM: "You may not write there", errno.ENOENT: "Its folder is gone: connect the disk",
    errno.ESTALE: "Its folder is gone", errno.EIO: "The disk does not work as it should: copy what matters",
    errno.EBUSY: "Is the disk full or read-only",
}  # fmt: skip


@pytest.mark.parametrize("number", ADVICE, ids=errno.errorcode.get)
def test_each_reason_has_its_advice(tmp_path: Path, number: int) -> None:
    error = OSError(number, os.strerror(number))
    for told, what in (
        (cannot_write(tmp_path / "a", error), "written"),
        (cannot_remove(tmp_path / "a", error), "remo"),
    ):
        said = str(told)
        assert f"could not be {what}" in said
        assert os.strerror(number) in said
        assert ADVICE[number] in said
    assert isinstance(cannot_write(tmp_path, error), DiskFull) is (number in FULL)
