"""The journal of labels on disks that are full or broken, and journals that somebody else has written."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.labels.editing import journal as label_journal
from sslstudio.engine.labels.editing.edits import ClassSet, LabelClass, Labelled, Painted, pack
from sslstudio.engine.labels.editing.files import ABOUT, JOURNAL, LABELS, mask_file, write_classes, write_mask_file
from sslstudio.engine.labels.editing.journal import Journal, edits_in
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.editing.stroke import Rect
from tests.support.full_disk import full_disk

POSIX = pytest.mark.skipif(os.name == "nt", reason="limits and devices of POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of labels with two classes of pictures."""
    return begun(tmp_path / "labels")


def begun(folder: Path) -> Path:
    folder.mkdir()
    classes = {number: LabelClass(number, name, number) for number, name in ((1, "cat"), (2, "dog"))}
    write_classes(folder, {"classification": classes, "segmentation": {}})
    (folder / LABELS).write_text("file,label\r\n")
    (folder / ABOUT).write_text(json.dumps({"pictures": "/nowhere"}))
    return folder


def crash(store: Labelling) -> None:
    """Nothing is saved, the lock falls."""
    store.journal.close()
    store._lock.release()


def label(store: Labelling, paths: list[str], number: int | None = 1) -> None:
    edit = store.labelling(paths, number)
    assert edit is not None
    store.apply(edit)


# A disk that is full


@POSIX
def test_what_was_confirmed_after_a_full_disk_is_there(folder: Path) -> None:
    """The journal was emptied before, and the disk takes only a part of what is written next."""
    store = Labelling(folder)
    for number in range(60):
        label(store, [f"{number}.png"])
    store.save()
    with full_disk(4096), pytest.raises(RunError, match=r"could not be saved in .* Is the disk full"):
        label(store, [f"{number}.png" for number in range(100, 500)])
    assert (folder / JOURNAL).read_bytes() == b""
    label(store, ["later.png"], 2)
    wanted = dict(store.of)
    assert len(wanted) == 61
    crash(store)
    with Labelling(folder) as again:
        assert again.of == wanted


@POSIX
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_where_nothing_can_be_written_or_cut_off_that_is_said(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).symlink_to("/dev/full")
    journal = Journal(tmp_path / JOURNAL)
    with pytest.raises(RunError, match=r"could not be saved in .*: No space left"):
        journal.append(Labelled((("a.png", None, 1),)))
    assert journal.pending
    journal.close()


# A disk that fails at any operation


@dataclass(frozen=True)
class Fault:
    """What goes wrong while one edit is written: `part`, so many bytes and no more are taken; `late`, the disk fails
    after all was written; what follows from it fails too with `uncut` (cutting it off) and `held` (anything)."""

    part: int | None = None
    late: bool = False
    uncut: bool = False
    held: bool = False


class Disk:
    """`os` as label_journal sees it, with faults at the lowest level that the program has."""

    def __init__(self) -> None:
        self.fault = Fault()
        self.struck = False

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def _strike(self) -> OSError:
        self.struck = True
        return OSError(errno.ENOSPC, "No space left on device")

    def write(self, handle: int, content: memoryview) -> int:
        if self.struck and self.fault.held:
            raise self._strike()
        if self.fault.part is not None and not self.struck:
            if self.fault.part < len(content):
                os.write(handle, content[: self.fault.part])
            raise self._strike()
        return os.write(handle, content)

    def fsync(self, handle: int) -> None:
        if (self.struck and self.fault.held) or (self.fault.late and not self.struck):
            raise self._strike()
        os.fsync(handle)

    def ftruncate(self, handle: int, size: int) -> None:
        if self.struck and (self.fault.held or self.fault.uncut):
            raise self._strike()
        os.ftruncate(handle, size)


@contextmanager
def failing() -> Iterator[Disk]:
    """A disk whose faults one sets."""
    disk = Disk()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(label_journal, "os", disk)
        yield disk


FAULT = st.builds(Fault, st.none() | st.integers(0, 90), st.booleans(), st.booleans(), st.booleans())
STEP = st.one_of(
    st.tuples(st.just("label"), st.integers(0, 5), st.sampled_from([1, 2, None]), FAULT | st.just(Fault())),
    st.sampled_from([("save",), ("crash",), ("close",)]),
)


@given(st.lists(STEP, max_size=14))
@settings(max_examples=60, deadline=None)
@example([("label", 0, 1, Fault()), ("save",), ("label", 1, 1, Fault(part=9)), ("label", 2, 1, Fault()), ("crash",)])
@example([("label", 0, 1, Fault(late=True, uncut=True)), ("label", 2, 1, Fault()), ("crash",)])
@example([("label", 0, 1, Fault(late=True, held=True)), ("save",), ("crash",)])
@example([("label", 0, 1, Fault(late=True, held=True)), ("close",)])
@example([("label", 0, 1, Fault(late=True, held=True)), ("crash",)])
def test_what_was_confirmed_is_there_and_what_was_refused_never_is(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    folder = begun(tmp_path_factory.mktemp("journal") / "labels")
    with failing() as disk:
        store = Labelling(folder)
        confirmed: dict[str, int] = {}
        for step in [*steps, ("crash",)]:
            match step:
                case ("label", place, number, fault):
                    edit = store.labelling([f"{place}.png"], number)
                    if edit is None:
                        continue
                    after = {**confirmed, f"{place}.png": number}
                    after = {path: one for path, one in after.items() if one}
                    disk.fault, disk.struck = fault, False
                    try:
                        store.apply(edit)
                    except RunError:
                        pass
                    else:
                        confirmed = after
                    disk.fault = Fault()
                case ("save",):
                    store.save()
                case ("close",):
                    store.close()
                    store = Labelling(folder)
                case ("crash",):
                    crash(store)
                    store = Labelling(folder)
            assert store.of == confirmed
        store.close()


def test_one_that_can_neither_be_kept_for_sure_nor_taken_out_counts_and_that_is_said(folder: Path) -> None:
    with failing() as disk:
        store = Labelling(folder)
        label(store, ["a.png"])
        disk.fault = Fault(late=True, held=True)
        label(store, ["b.png"])
        assert "did not say that it keeps it: No space left" in str(store.journal.unsure)
        before = (folder / JOURNAL).read_bytes()
        assert before.count(b"\n") == 2  # it is there, and cannot be taken out
        with pytest.raises(RunError, match="could not be saved"):
            label(store, ["c.png"])
        assert (folder / JOURNAL).read_bytes() == before  # nothing is written after it
        disk.fault = Fault()
        label(store, ["d.png"])
        assert store.journal.unsure is None
        crash(store)
    with Labelling(folder) as again:
        assert again.of == {"a.png": 1, "b.png": 1, "d.png": 1}


def test_a_line_that_cannot_be_cut_off_is_ended_in_its_place(folder: Path) -> None:
    with failing() as disk:
        store = Labelling(folder)
        label(store, ["a.png"])
        disk.fault = Fault(late=True, uncut=True)
        with pytest.raises(RunError, match="Is the disk full or read-only"):
            label(store, ["b.png"])
        assert (folder / JOURNAL).read_bytes().endswith(b"\0")
        disk.fault = Fault()
        label(store, ["c.png"])
        crash(store)
    with Labelling(folder) as again:
        assert again.of == {"a.png": 1, "c.png": 1}


# Journals as earlier versions left them


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 300)), max_size=8), st.integers(0, 400))
@example([(1, 12, 300), (2, 0, 0)], 0)
def test_nul_bytes_of_a_full_disk_are_passed_over(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[int, int, int]], last: int
) -> None:
    """A file that was cut off beyond its end is longer by NUL bytes, with half a line before them or none."""
    file = tmp_path_factory.mktemp("journal") / JOURNAL
    wanted, content = [], b""
    for place, half, nuls in lines:
        edit = Labelled(((f"{place}.png", None, 1),))
        line = json.dumps(edit.to_json(), separators=(",", ":")).encode()
        content += (line[:half] if nuls else b"") + bytes(nuls) + line + b"\n"
        wanted.append(edit)
    file.write_bytes(content + bytes(last))
    assert list(edits_in(file)) == wanted


def test_a_journal_damaged_by_a_full_disk_opens_and_is_whole_afterwards(folder: Path) -> None:
    line = b'{"edit":"labels","after":[["a.png",1]]}\n'
    (folder / JOURNAL).write_bytes(b'{"edit":"lab' + bytes(5000) + line + bytes(700))
    with Labelling(folder) as store:
        assert store.of == {"a.png": 1}
        label(store, ["b.png"])
    with Labelling(folder) as again:
        assert again.of == {"a.png": 1, "b.png": 1}


# Journals that anybody may have written


def line_of(path: str, after: bool) -> str:
    pixels = pack(np.ones((4, 4), np.uint8)) if after else None
    return json.dumps(Painted(path, 4, 4, Rect(0, 0, 4, 4), None, pixels).to_json()) + "\n"


def outside(tmp_path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(tmp_path).as_posix(): file.read_bytes()
        for file in tmp_path.rglob("*")
        if file.is_file() and "labels" not in file.relative_to(tmp_path).parts
    }


@pytest.mark.parametrize("after", [True, False], ids=["writes", "deletes"])
@pytest.mark.parametrize(
    "path", ["../../holiday", "deep/../../../holiday", "/holiday", "{absolute}", "way/holiday", "", "..", "a\0b"]
)
def test_a_journal_touches_nothing_outside_the_labels(folder: Path, tmp_path: Path, path: str, after: bool) -> None:
    Image.new("L", (4, 4), 7).save(tmp_path / "holiday.png")
    (folder / "masks").mkdir()
    (folder / "masks" / "way").symlink_to(tmp_path, target_is_directory=True)
    before = outside(tmp_path)
    path = path.replace("{absolute}", str(tmp_path / "holiday"))
    content = line_of("own.png", True) + line_of(path, after)
    (folder / JOURNAL).write_text(content)
    with pytest.raises(RunError, match=r"Line 2 of .*journal\.jsonl is damaged .*leads out of .*move the journal away"):
        Labelling(folder)
    assert outside(tmp_path) == before
    assert not list(tmp_path.parent.glob("holiday*"))
    assert (folder / JOURNAL).read_text() == content
    (folder / JOURNAL).unlink()
    with Labelling(folder) as store:
        assert store.masked == frozenset()


@POSIX
def test_masks_by_a_link_are_not_those_of_the_folder(folder: Path, tmp_path: Path) -> None:
    Image.new("L", (4, 4), 7).save(tmp_path / "holiday.png")
    (folder / "masks").symlink_to(tmp_path, target_is_directory=True)
    before = outside(tmp_path)
    (folder / JOURNAL).write_text(line_of("holiday", False))
    with pytest.raises(RunError, match="leads out of"):
        Labelling(folder)
    assert outside(tmp_path) == before


@pytest.mark.parametrize("path", ["../x.png", "/x.png", ""])
def test_labels_of_what_is_no_picture_are_refused_before_and_after(folder: Path, path: str) -> None:
    with Labelling(folder) as store:
        with pytest.raises(DataError, match="no picture in a folder"):
            store.apply(Labelled(((path, None, 1),)))
        with pytest.raises(DataError, match="leads out of"):
            store.apply(Painted(path, 4, 4, Rect(0, 0, 4, 4), None, pack(np.ones((4, 4), np.uint8))))
        assert store.of == {}
        assert store.masked == frozenset()
    (folder / JOURNAL).write_text(json.dumps({"edit": "labels", "after": [[path, 1]]}) + "\n")
    with pytest.raises(RunError, match=r"Line 1 of .* is damaged"):
        Labelling(folder)


@pytest.mark.parametrize("do", [mask_file, lambda folder, path: write_mask_file(folder, path, None)])
def test_no_mask_is_written_or_removed_outside(tmp_path: Path, do: Callable[[Path, str], object]) -> None:
    (tmp_path / "x.png").write_bytes(b"mine")
    for path in ("../../x", "../x", str(tmp_path / "x")):
        with pytest.raises(DataError, match="leads out of"):
            do(tmp_path / "labels", path)
    assert (tmp_path / "x.png").read_bytes() == b"mine"


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"edit":"mask","path":"a","size":[4,4],"rect":[0,0,9,9],"new":true,"after":"c-rk+"}',
        '{"edit":"mask","path":"a","size":[4,4],"rect":[0,0,4,4],"new":true,"after":"c-rk+"}',
        '{"edit":"mask","path":"a","size":[4000000000,4000000000],"rect":[0,0,1,1],"new":true,"after":"c-rk+"}',
        "7",
        "null",
    ],
)
def test_lines_of_any_kind_are_refused_in_words(folder: Path, line: str) -> None:
    (folder / JOURNAL).write_text(line + "\n")
    with pytest.raises(RunError, match="is damaged"):
        Labelling(folder)


def test_a_journal_is_one_file_over_its_whole_life(folder: Path) -> None:
    journal = Journal(folder / JOURNAL)
    added = ClassSet("classification", 3, None, LabelClass(3, "cow", 3))
    journal.append(added)
    assert journal.pending
    journal.empty()
    assert not journal.pending
    journal.append(added)
    journal.close()
    journal.append(added)  # it is opened again
    journal.close()
    assert list(edits_in(folder / JOURNAL)) == [added, added]


def test_a_new_journal_has_nothing_that_waits(folder: Path) -> None:
    assert not Journal(folder / JOURNAL).pending
    assert Journal(folder / JOURNAL).lines == 0


def test_what_follows_a_refused_line_is_not_cut_off_with_it(folder: Path) -> None:
    with failing() as disk:
        store = Labelling(folder)
        label(store, ["a.png"])
        disk.fault = Fault(part=5)
        with pytest.raises(RunError, match="could not be saved"):
            label(store, ["b.png"])
        disk.fault, disk.struck = Fault(), False
        for name in ("c.png", "d.png", "e.png"):
            label(store, [name])
        crash(store)
    with Labelling(folder) as again:
        assert again.of == {"a.png": 1, "c.png": 1, "d.png": 1, "e.png": 1}


@POSIX
def test_a_journal_that_is_no_file_is_refused_and_not_waited_for(folder: Path) -> None:
    (folder / JOURNAL).unlink(missing_ok=True)
    os.mkfifo(folder / JOURNAL)
    with pytest.raises(RunError, match=r"journal\.jsonl cannot be read: not a file with content"):
        list(edits_in(folder / JOURNAL))
