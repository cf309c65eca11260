"""A trace of crashes in native code, where Python can say nothing any more.

The interpreter writes the place in the Python code of every thread into `crash.log`, beside the log of other mishaps
(mishaps.log_file). A file of more than a megabyte becomes the older one. Nothing of it leaves the machine.
"""

import faulthandler
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from sslstudio.engine.core.mishaps import LARGEST, log_file

NAME: Final = "crash.log"
_open: list[IO[str]] = []  # faulthandler needs the file to stay open


def crash_log() -> Path:
    """Where such traces are kept."""
    return log_file().with_name(NAME)


def trace_crashes(what: str) -> Path | None:
    """From now on keep a trace of a crash of this process, under the name of `what` it does; returns the log.

    None where something else keeps traces already, or the log cannot be written."""
    if faulthandler.is_enabled():
        return None
    file = crash_log()
    with suppress(OSError, ValueError):
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size > LARGEST:
            with suppress(OSError):  # another process has it open, where that matters
                file.replace(file.with_suffix(".old.log"))
        log = file.open("a", encoding="utf-8", errors="backslashreplace")
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} process {os.getpid()}: {what}\n")
        log.flush()
        faulthandler.enable(log)
        _open.append(log)
        return file
    return None
