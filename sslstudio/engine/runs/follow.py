"""A run that another process writes, perhaps on another machine, followed as it goes."""

import os
from collections.abc import Iterator
from pathlib import Path

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Event, RunFinished, from_json
from sslstudio.engine.core.files.checked_files import RECORD, open_regular, too_large
from sslstudio.engine.runs.run_folder import EVENTS
from sslstudio.engine.runs.writer_lock import writer_of

EVERY = 0.5  # seconds between two looks
KNOWN = 256  # bytes before the position by which a file is recognised


class EventLog:
    """Reads events.jsonl piece by piece, from where the last look ended."""

    def __init__(self, run: Path) -> None:
        self.file = run / EVENTS
        self.position = 0
        self._before = b""  # the last bytes before the position

    def new(self) -> list[Event]:
        """Events that came since the last look. A line without its end is left for the next look.

        When the run was cut back to its checkpoint, and goes on from there, everything is read again from the start.
        Raises RunError for a record that cannot be read, or is larger than any is.
        """
        try:
            with open_regular(self.file) as file:
                file.seek(self.position - len(self._before))
                if file.read(len(self._before)) != self._before:
                    file.seek(0)
                    self.position, self._before = 0, b""
                if os.fstat(file.fileno()).st_size - self.position > RECORD:
                    raise RunError(too_large(self.file, RECORD))
                content = file.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunError(
                "{file} cannot be read: {reason}. Check the disk and the rights of the file.",
                file=self.file,
                reason=error.strerror or error,
            ) from error
        whole = content[: content.rfind(b"\n") + 1]
        self.position += len(whole)
        self._before = (self._before + whole)[-KNOWN:]
        lines = whole.decode("utf-8", errors="replace").split("\n")
        return [from_json(line) for line in lines if line.strip("\0 ")]


def follow(run: Path, control: RunControl) -> Iterator[Event]:
    """Events of a run as they are written, until it ends, its writer is gone, or `control` stops."""
    log = EventLog(run)
    while True:
        written = writer_of(run) is not None  # before the look: what was written last must not be missed
        events = log.new()
        yield from events
        ended = bool(events) and isinstance(events[-1], RunFinished)
        if ended or not written or control.wait(EVERY):
            return
