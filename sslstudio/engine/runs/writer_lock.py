"""Who writes a run folder. One process at a time may; others, also on other machines, can see that it is being written.

The writer leaves its name in the folder and touches that file every ten seconds. A name that has not been touched for
long, or whose process is gone from this machine, is what a crash has left: the run can be gone on with.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, TypedDict

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError, StudioError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import AtLeast, read_json
from sslstudio.engine.core.files.leftovers import lives

WRITER = "writer.json"
BEAT = 10.0  # seconds
SILENT = 90.0  # seconds without a sign of life after which a writer on another machine is taken for dead


@dataclass(frozen=True)
class Writer:
    """The process that writes a run."""

    host: str
    pid: int


class _WriterTable(TypedDict):
    host: str
    pid: Annotated[int, AtLeast(1)]


def writer_of(run: Path) -> Writer | None:
    """The other process that writes this run now; None if there is none."""
    file = run / WRITER
    try:
        said = read_json(file, _WriterTable, largest=1 << 16)
        writer = Writer(said["host"], said["pid"])
        silent = time.time() - file.stat().st_mtime
    except (OSError, StudioError):
        return None
    here = writer.host == socket.gethostname()
    if silent > SILENT or (here and (writer.pid == os.getpid() or not lives(writer.pid))):
        return None
    return writer


@contextmanager
def writing(run: Path) -> Iterator[None]:
    """Be the writer of this run. Raises RunError while another process is."""
    refuse_second_writer(run)
    file = run / WRITER
    write_atomic(file, (json.dumps(asdict(Writer(socket.gethostname(), os.getpid()))) + "\n").encode())
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(file, over), daemon=True)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()
        with suppress(OSError):  # what it says is wrong as soon as this process has ended, and errors of the run count
            file.unlink(missing_ok=True)


def refuse_second_writer(run: Path) -> None:
    """Raises RunError while another process writes this run. The name of one that is dead is taken away."""
    writer = writer_of(run)
    if writer is None:
        _forget_dead(run / WRITER)
    else:
        raise RunError(
            "{run} is being written by process {pid} on {host}. Stop it there first, or wait: if that "
            "machine has crashed, the run is free after {silent:.0f} seconds.",
            run=run,
            pid=writer.pid,
            host=writer.host,
            silent=SILENT,
        )


def _forget_dead(file: Path) -> None:
    """Take the name of a process of this machine away that has ended without doing so."""
    with suppress(OSError, StudioError):
        said = read_json(file, _WriterTable, largest=1 << 16)
        if said["host"] == socket.gethostname() and not lives(said["pid"]):
            file.unlink()


def wait_until_free(run: Path, control: RunControl) -> None:
    """Return once no other process writes this run, or when `control` stops."""
    while writer_of(run) is not None and not control.wait(1.0):
        pass


def _beat(file: Path, over: threading.Event) -> None:
    while not over.wait(BEAT):
        with suppress(OSError):  # the disk of another machine may be away for a while
            os.utime(file)
