"""Runs a piece of the program in a forked process that has little memory and time, no network, and one folder.

What such a process did wrong is told in a word: a trace, a crash, a hang, too much memory, a call of the network or of
another program, a file written outside its folder.
"""

import json
import os
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sslstudio.engine.core.errors import StudioError

MEMORY = 1 << 30  # bytes more than at the start
SECONDS = 5.0  # of computing
PATIENCE = 60.0  # seconds on the clock, for machines that do much else
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NETWORK = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "urllib.Request")
PROGRAMS = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "os.fork", "pty.spawn")
CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "shutil.rmtree", "os.link", "os.symlink")


@dataclass(frozen=True)
class Outcome:
    """How a case ended. `faults`: what it did wrong, empty for a case that is as it should be; `said`: the words of a
    refusal or of a trace; `seconds` of computing; `grown` in bytes."""

    faults: tuple[str, ...]
    said: str
    seconds: float
    grown: int


@dataclass
class Tally:
    """What came of many cases."""

    cases: int = 0
    refused: int = 0
    slowest: float = 0.0
    largest: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def add(self, name: str, outcome: Outcome) -> None:
        """Count a case."""
        self.cases += 1
        self.refused += bool(outcome.said) and not outcome.faults
        self.slowest, self.largest = max(self.slowest, outcome.seconds), max(self.largest, outcome.grown)
        for fault in outcome.faults:
            self.faults[fault.partition(":")[0]] += 1
            self.told.append(f"{name}\n    {fault}\n    {outcome.said[-1500:]}")

    def lines(self) -> list[str]:
        """The figures for people."""
        return [
            f"{self.cases:,} cases, {self.refused:,} of them refused in a sentence",
            f"the slowest took {self.slowest:.1f} s of computing, the largest {self.largest / 2**20:,.0f} MB",
            ", ".join(f"{n} x {fault}" for fault, n in self.faults.items()) or "nothing went wrong",
        ]


def tell_line(line: str) -> None:
    """Print a line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def confined(piece: Callable[[], object], folder: Path) -> Outcome:
    """Run `piece` in a fork of this process, which may write below `folder` only."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:  # never returns
        os.close(reading)
        _child(piece, folder, writing)
    os.close(writing)
    try:
        said = _await(pid, reading)
    finally:
        os.close(reading)
    return said


def _await(pid: int, reading: int) -> Outcome:
    until, hung = time.monotonic() + PATIENCE, False
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > until and not hung:
            hung = True
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    content = b""
    while part := os.read(reading, 1 << 16):
        content += part
    told: dict[str, Any] = json.loads(content) if content else {"faults": [], "said": "", "grown": 0}
    faults, seconds = list(told["faults"]), used.ru_utime + used.ru_stime
    if hung or seconds > SECONDS:
        faults.append(f"hang: {seconds:.1f} s")
    elif os.WIFSIGNALED(status):
        faults.append(f"crash: {signal.Signals(os.WTERMSIG(status)).name}")
    elif not content:
        faults.append("crash: it ended without a word")
    if told["grown"] > MEMORY:
        faults.append(f"memory: {told['grown'] >> 20} MB")
    return Outcome(tuple(faults), str(told["said"]), seconds, int(told["grown"]))


def _child(piece: Callable[[], object], folder: Path, writing: int) -> None:
    faults: list[str] = []
    said, before = "", _peak()
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        _limit()
        sys.addaudithook(_watch(str(folder.resolve()), faults))
        try:
            piece()
        except StudioError as error:
            said = str(error)
        except BaseException as error:
            said = "".join(traceback.format_exception(error))
            faults.append(f"trace: {type(error).__name__}")
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        told = json.dumps({"faults": faults[:5], "said": said[-4000:], "grown": max(0, _peak() - before)})
        os.write(writing, told.encode(errors="backslashreplace"))
    finally:
        os._exit(0)


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY + (64 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(2 * SECONDS), int(2 * SECONDS)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _watch(home: str, faults: list[str]) -> Callable[[str, tuple[Any, ...]], None]:
    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event in NETWORK and not (len(details) > 1 and isinstance(details[1], (str, bytes))):
            faults.append(f"network: {event} {details[1:]!r}")
        elif event in PROGRAMS:
            faults.append(f"program: {event} {str(details)[:200]}")
        elif event in CHANGES or (event == "open" and isinstance(details[2], int) and details[2] & WRITES):
            for place in details[: 2 if event in ("os.rename", "os.link") else 1]:
                if isinstance(place, (str, bytes)) and not _is_below(_whole(place, details[-1]), home):
                    faults.append(f"outside: {event} {os.fsdecode(place)[:200]}")

    return hook


def _whole(place: str | bytes, holder: object) -> str:
    """The path, where it is told beside the handle of an open folder."""
    name = os.fsdecode(place)
    if isinstance(holder, int) and holder > 2 and not os.path.isabs(name) and os.path.isdir(f"/proc/self/fd/{holder}"):
        return os.path.join(os.readlink(f"/proc/self/fd/{holder}"), name)
    return name


def _is_below(place: str, home: str) -> bool:
    real = os.path.realpath(os.path.dirname(os.path.abspath(place)))
    return place == os.devnull or f"{real}/".startswith(f"{home}/") or real.startswith("/proc/")
