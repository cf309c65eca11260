"""Lines of a process, which can be waited for no longer than one wants to."""

import queue
import threading
from contextlib import suppress
from typing import IO

JOIN = 5.0  # seconds for the reading thread to end once the process is gone


class Lines:
    """Reads a pipe on a thread of its own, because Windows cannot wait for a pipe with a limit of time."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def next(self, seconds: float) -> bytes | None:
        """The next line, None at the end. Raises TimeoutError when none comes for so long."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None

    def close(self) -> None:
        """Once the process has ended."""
        self._thread.join(JOIN)
        if not self._thread.is_alive():  # else another process holds the pipe, and closing would wait for it
            with suppress(OSError):
                self._pipe.close()

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            for line in self._pipe:
                self._lines.put(line)
        self._lines.put(None)
