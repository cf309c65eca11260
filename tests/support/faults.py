"""The library of faults (faults.c), made by the compiler of this machine, and its switches."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
ROOT = Path(__file__).parent.parent.parent


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


def begin_with_library(module: str, arguments: Sequence[str], **environment: str) -> None:
    """Have this process begin anew as `python -m module`, with the library loaded; nothing where it is loaded."""
    if "faults" not in os.environ.get("LD_PRELOAD", ""):
        os.environ["LD_PRELOAD"] = str(library())
        os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONWARNINGS": "ignore", **environment}
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])


def attack(module: str, *words: str, seconds: float) -> str:
    """What the attack `python -m module` prints; asserts that nothing went wrong in it."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def arm(number: int, mode: Mode, calls: int, folder: Path) -> None:
    """Something goes wrong at this call below the folder, for so many calls; number -1: count alone."""
    ctypes.CDLL(None).faults_arm(ctypes.c_long(number), int(mode), ctypes.c_long(calls), str(folder).encode())


def count() -> int:
    """How many calls there were since the library was armed."""
    counted = ctypes.CDLL(None).faults_count
    counted.restype = ctypes.c_long
    return int(counted())
