"""The journal of a folder of labels: one line of JSON an edit, on the disk before the edit counts.

Every line says what is true afterwards, not what changes, so that reading lines again over a state that has them
already ends in the same state: no number says up to which line the files are.

A line counts when its line break is there. NUL bytes end what does not count: a full disk left them in journals of
earlier versions, and one is put over the end of a line that was refused and cannot be cut off.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sslstudio.engine.core.errors import DataError, RunError, StudioError
from sslstudio.engine.core.files.atomic_files import sync_folder
from sslstudio.engine.core.files.checked_files import parse_json, read_limited
from sslstudio.engine.core.files.named_paths import SHOWN, leads_out
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.editing.edits import ClassSet, Edit, Labelled, edit_from_json
from sslstudio.engine.labels.editing.files import mask_file

FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)


class Journal:
    """Appends edits to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self._handle: int | None = None
        self._refused: int | None = None  # where a part of a line begins that was refused and is still there
        self.unsure: RunError | None = None  # a line counts of which it is not sure that it has reached the disk

    @property
    def pending(self) -> bool:
        """Whether there is something in it that saving the files would settle."""
        return self.lines > 0 or self._refused is not None

    def append(self, edit: Edit) -> None:
        """Write an edit and see it to the disk. Raises RunError when it does not get there: then it never counts.

        A whole line that the disk neither keeps for sure nor lets be taken out again counts, as it would after the next
        start; `unsure` says so, and nothing more is written before the disk has it. DataError for an edit of something
        outside the folder."""
        check_paths(self.path.parent, edit)
        line = json.dumps(edit.to_json(), separators=(",", ":")).encode("ascii") + b"\n"
        try:
            handle = self._open()
            if self.unsure is not None:
                os.fsync(handle)
                self.unsure = None
            self._take_out(handle)  # of the time before
            before = os.fstat(handle).st_size
            try:
                _write(handle, before, line)
                os.fsync(handle)
            except BaseException as error:
                self._refused = before
                with suppress(OSError):
                    self._take_out(handle)
                if not (isinstance(error, OSError) and self._counts(handle, before, line)):
                    raise
                self._refused, self.unsure = None, self._doubt(error)
        except OSError as error:
            raise RunError(
                "The label could not be saved in {path}: {reason}. Is the disk full or read-only?",
                path=self.path.parent,
                reason=error.strerror or error,
            ) from error
        self.lines += 1

    def _counts(self, handle: int, place: int, line: bytes) -> bool:
        """Whether the whole line is in the file although it was refused."""
        if self._refused is None:
            return False
        try:
            os.lseek(handle, place, os.SEEK_SET)
            return os.read(handle, len(line)) == line
        except OSError:
            return False

    def _doubt(self, error: OSError) -> RunError:
        return RunError(
            "The label is in {folder}, but the disk did not say that it keeps it: {reason}. If the power fails now it "
            "may be lost. Make room on the disk, then save.",
            folder=self.path.parent,
            reason=error.strerror or error,
        )

    def _open(self) -> int:
        if self._handle is None:
            new = not self.path.exists()
            self._handle = os.open(self.path, FLAGS, 0o666)
            if new:
                sync_folder(self.path.parent)
        return self._handle

    def _take_out(self, handle: int) -> None:
        """Have what was refused count no more. Raises OSError when the disk does not let it."""
        if self._refused is None:
            return
        try:
            os.ftruncate(handle, self._refused)
            os.fsync(handle)
        except OSError:
            size = os.fstat(handle).st_size
            if size <= self._refused:
                raise
            _write(handle, size - 1, b"\0")  # takes no room
            os.fsync(handle)
        self._refused = None

    def empty(self) -> None:
        """Begin anew: what the lines say stands in files now."""
        try:
            handle = self._open()
            os.ftruncate(handle, 0)
            os.fsync(handle)
        except OSError as error:
            raise RunError(
                "{path} could not be written: {reason}.", path=self.path, reason=error.strerror or error
            ) from error
        self.lines, self._refused, self.unsure = 0, None, None

    def close(self) -> None:
        """Let go of the file."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            with suppress(OSError):  # all that counts was synced
                os.close(handle)


def _write(handle: int, place: int, content: bytes) -> None:
    os.lseek(handle, place, os.SEEK_SET)
    left = memoryview(content)
    while left:
        done = os.write(handle, left)
        if not done:
            raise OSError(None, Message("the disk took only a part"))
        left = left[done:]


def check_paths(folder: Path, edit: Edit) -> None:
    """Raises DataError when an edit of the labels in `folder` is of something that lies elsewhere."""
    if isinstance(edit, Labelled):
        for path, _, _ in edit.changes:
            if leads_out(path):
                raise DataError("{path!r} is no picture in a folder.", path=path[:SHOWN])
    elif not isinstance(edit, ClassSet):
        mask_file(folder, edit.path)


def edits_in(path: Path) -> Iterator[Edit]:
    """The edits of a journal, in order. What a crash or a full disk has cut off is left out. Raises RunError for a line
    in the middle that cannot be read, or leads out of the folder: then the file was changed by something else."""
    try:
        content = read_limited(path)
    except FileNotFoundError:
        return
    lines = content.split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # after the last line break stands nothing, or what was cut off
        whole = line.rpartition(b"\0")[2]
        if not whole and line:
            continue
        try:
            edit = edit_from_json(parse_json(whole, Message("the line"), dict[str, Any]))
            check_paths(path.parent, edit)
        except (ValueError, KeyError, TypeError, IndexError, OverflowError, StudioError) as error:
            raise RunError(
                "Line {number} of {path} is damaged ({error}). The labels up to there are safe in the files "
                "beside it; move the journal away to go on without the rest.",
                number=number,
                path=path,
                error=error,
            ) from error
        yield edit
