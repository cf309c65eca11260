"""What the system or the memory had against something, as a sentence; the trace goes into a log.

The boundary of the command line and of the window: what no one below has turned into words ends here. The program has
one log, of two megabytes at most, with the user's own (SSLSTUDIO_LOG, else the log folder of the system): what a person
was told, traces of mistakes, and of crashes in native code (crash_trace.py). A bug report is made of it.
"""

import errno
import os
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Final

import platformdirs

from sslstudio.engine.core.errors import RunError, StudioError
from sslstudio.engine.core.messages import Message, neutral

NAME: Final = "sslstudio.log"
LARGEST = 1 << 20  # bytes; then it becomes the older one
_DO: dict[int, Message] = {
    errno.ENOSPC: Message("The disk is full. Make room on it, then go on."),
    errno.EDQUOT: Message("Your share of the disk is used up. Make room on it, then go on."),
    errno.EROFS: Message("The disk cannot be written to. Choose a folder on another one."),
    errno.EACCES: Message("You have no right to do that. Change the rights of the folder, or choose another one."),
    errno.EPERM: Message("You have no right to do that. Change the rights of the folder, or choose another one."),
    errno.ENOENT: Message("It is not there, or not any more. Check its name, and whether its disk is connected."),
    errno.ENOTDIR: Message("A part of this path is a file and no folder. Check its name."),
    errno.EISDIR: Message("It is a folder, and a file was needed. Check its name."),
    errno.ENAMETOOLONG: Message("The name is too long for the disk. Choose a shorter one."),
    errno.EIO: Message("The disk has failed there. Check it, and copy what is on it."),
    errno.EMFILE: Message("Too many files are open. Close other programs, or raise the limit (ulimit -n)."),
    errno.ELOOP: Message("Links lead in a circle there. Choose another folder."),
    errno.ESTALE: Message("The network share has changed. Connect it again, then go on."),
    errno.ENODEV: Message("The device is gone. Connect it again, then go on."),
}
_SEEK = Message("Check the file and its disk, then try again.")


def explain(error: BaseException) -> StudioError | None:
    """The error in words, None for one that is a mistake of the program. KeyboardInterrupt is none: it is asked for."""
    if isinstance(error, StudioError):
        return error
    if isinstance(error, MemoryError):
        return RunError("The memory of this machine did not suffice. Close other programs, or take smaller pictures, a "
                        "smaller batch or a smaller file.")  # fmt: skip
    if isinstance(error, RecursionError):
        return RunError("Something is built of parts within parts without end, most likely a damaged file. Put it back "
                        "from a copy; the log says where it was met.")  # fmt: skip
    if isinstance(error, OSError):
        return _of_system(error)
    return None


def _of_system(error: OSError) -> RunError:
    do = _DO.get(error.errno or 0, _SEEK)
    reason = error.strerror or str(error)[:200] or type(error).__name__
    if error.filename is None:
        return RunError("The system refused: {reason}. {do}", reason=reason, do=do)
    name = error.filename
    said = Path(os.fsdecode(name)) if isinstance(name, (str, bytes)) else str(name)
    return RunError("{file}: {reason}. {do}", file=said, reason=reason, do=do)


def log_file() -> Path:
    """Where traces are kept."""
    return Path(os.environ.get("SSLSTUDIO_LOG") or platformdirs.user_log_dir("SSLStudio")) / NAME


def keep_trace(error: BaseException) -> Path | None:
    """Add an error with its traceback to the log; returns the log, None where it cannot be written."""
    with suppress(ValueError, RecursionError, MemoryError):
        return _keep("\n" + "".join(traceback.format_exception(error, limit=-40)))
    return None


def keep_line(said: str) -> Path | None:
    """Add what happened to this process to the log; returns the log, None where it cannot be written."""
    return _keep(f" {said}")


def _keep(said: str) -> Path | None:
    file = log_file()
    with suppress(OSError, ValueError, RecursionError, MemoryError):
        file.parent.mkdir(parents=True, exist_ok=True)
        make_room(file)
        text = f"{time.strftime('%Y-%m-%d %H:%M:%S')} process {os.getpid()}{neutral(said).rstrip()}\n"
        with file.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(text[:LARGEST])
        return file
    return None


def make_room(file: Path) -> None:
    """A log that has become large becomes the older one, of which there is one."""
    with suppress(OSError):  # Windows moves no file that another process holds open: the next start does
        if file.exists() and file.stat().st_size > LARGEST:
            file.replace(file.with_suffix(".old.log"))


def log_tail(most: int = LARGEST) -> str:
    """The end of the log, bytes at most, with the end of the older one where the new one is short."""
    file, found = log_file(), b""
    for one in (file, file.with_suffix(".old.log")):
        with suppress(OSError), one.open("rb") as log:
            room = most - len(found)
            log.seek(max(0, one.stat().st_size - room))
            found = log.read(room) + found
    return found.decode("utf-8", "replace")
