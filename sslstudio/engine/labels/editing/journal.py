"""The journal of a folder of labels: one line of JSON an edit, on the disk before the edit counts.

Every line says what is true afterwards, not what changes, so that reading lines again over a state that has them
already ends in the same state: no number says up to which line the files are.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.editing.edits import Edit, edit_from_json


class Journal:
    """Appends edits to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self._file: BinaryIO | None = None

    def append(self, edit: Edit) -> None:
        """Write an edit and see it to the disk. Raises RunError when it does not get there; then no part of it does."""
        line = json.dumps(edit.to_json(), separators=(",", ":")).encode("ascii") + b"\n"
        try:
            if self._file is None:
                self._file = self.path.open("ab", buffering=0)
            before = self._file.tell()
            try:
                if self._file.write(line) != len(line):
                    raise OSError(None, Message("the disk took only a part"))
                os.fsync(self._file.fileno())
            except OSError:
                with suppress(OSError):  # half a line would be left out when the journal is read
                    self._file.truncate(before)
                raise
        except OSError as error:
            raise RunError(
                "The label could not be saved in {path}: {reason}. Is the disk full or read-only?",
                path=self.path.parent,
                reason=error.strerror or error,
            ) from error
        self.lines += 1

    def empty(self) -> None:
        """Begin anew: what the lines say stands in files now."""
        try:
            if self._file is None:
                self._file = self.path.open("ab", buffering=0)
            self._file.truncate(0)
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RunError(
                "{path} could not be written: {reason}.", path=self.path, reason=error.strerror or error
            ) from error
        self.lines = 0

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def edits_in(path: Path) -> Iterator[Edit]:
    """The edits of a journal, in order. A last line that a crash cut off is left out. Raises RunError for a line in
    the middle that cannot be read: then the file was changed by something else."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(
            "The labels in {path} cannot be read: {reason}.", path=path.parent, reason=error.strerror or error
        ) from error
    lines = content.split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # after the last line break stands nothing, or what was cut off
        try:
            values: dict[str, Any] = json.loads(line)
            edit = edit_from_json(values)
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(
                "Line {number} of {path} is damaged ({error}). The labels up to there are safe in the files "
                "beside it; move the journal away to go on without the rest.",
                number=number,
                path=path,
                error=error,
            ) from error
        yield edit
