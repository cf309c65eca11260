"""The library of faults (faults.c), made by the compiler of this machine, and its switches."""

import ctypes
import shutil
import subprocess
import sys
import tempfile
from enum import IntEnum
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


class Mode(IntEnum):
    """What goes wrong, as in faults.c."""

    FULL = 1
    SHORT = 2
    READ_ONLY = 3
    GONE = 4
    BAD = 5
    BREAK = 6
    SLOW = 7
    KILL_BEFORE = 8
    KILL_HALF = 9
    KILL_AFTER = 10


KILLS = (Mode.KILL_BEFORE, Mode.KILL_HALF, Mode.KILL_AFTER)


def missing() -> str:
    """Why there can be no faults on this machine; '' if there can."""
    if not sys.platform.startswith("linux"):
        return "LD_PRELOAD is of Linux"
    return "" if shutil.which("cc") else "there is no C compiler (cc)"


def library() -> Path:
    """The library, made anew where its source is newer."""
    made = Path(tempfile.gettempdir()) / f"sslstudio-faults-{SOURCE.stat().st_mtime_ns:x}.so"
    if not made.exists():
        part = made.with_suffix(".part")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", part, SOURCE, "-ldl", "-pthread"], check=True)
        part.replace(made)
    return made


def arm(number: int, mode: Mode, calls: int, folder: Path) -> None:
    """Something goes wrong at this call below the folder, for so many calls; number -1: count alone."""
    ctypes.CDLL(None).faults_arm(ctypes.c_long(number), int(mode), ctypes.c_long(calls), str(folder).encode())


def count() -> int:
    """How many calls there were since the library was armed."""
    counted = ctypes.CDLL(None).faults_count
    counted.restype = ctypes.c_long
    return int(counted())
