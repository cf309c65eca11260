"""Disks that fail at any operation, while anything is written: nothing confirmed is lost, and every run goes on.

    python -m tests.attacks.disk_faults --n 1000 --seed 0 [--only pretrain,labels]
    python -m tests.attacks.disk_faults --case window GONE 284

The second carries out one case again: the operation, the fault, at which of its calls, and for how many.

Each time a command is carried out in a process of its own; at one of its calls to the system the disk is full, writes a
part, is read-only, has gone, reports an error, is slow, or the process is killed. Afterwards the command is carried out
again on a good disk. Asked is: was there a traceback; is what was confirmed there; are the weights those of a run that
nothing happened to; is anything left behind.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.attacks.operations import OPERATIONS, QUICK, Place, load, prepare, say, settle, tell
from tests.support import faults
from tests.support.faults import KILLS, Mode

PATIENCE = 240.0  # seconds for a command
LONG = 1_000_000_000  # calls: for good


def main(arguments: list[str] | None = None) -> int:
    """Carry out so many cases; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description="Disks that fail at any operation.")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--case", nargs="+", metavar="WORD", help="operation, fault, call, and for how many calls")
    options = parser.parse_args(arguments)
    if reason := faults.missing():
        say(f"Skipped: {reason}.")
        return 0
    faults.begin_with_library("tests.attacks.disk_faults", arguments or sys.argv[1:], QT_QPA_PLATFORM="offscreen")
    names = [name for name in options.only.split(",") if name] or list(OPERATIONS)
    with tempfile.TemporaryDirectory(prefix="disk-faults-") as folder:
        if options.case:
            return one_case(Path(folder), *options.case)
        return attack(Path(folder), names, options.n, options.seed)


def attack(folder: Path, names: list[str], count: int, seed: int) -> int:
    """Cases in turn over the operations; prints a line for each that was wrong, and a count at the end."""
    began, rng, wrong, done = time.monotonic(), random.Random(seed), 0, Counter[str]()
    load(names)
    world = World(folder, set(names) <= set(QUICK))
    calls = {name: world.count(name) for name in names}
    say(f"Calls: {calls} ({time.monotonic() - began:.0f} s)")
    for number in range(count):
        name, mode = names[number % len(names)], rng.choice(list(Mode))
        at = rng.randint(1, calls[name])
        many = rng.choice((3, 30, 120)) if OPERATIONS[name].waits else rng.choice((1, LONG))
        found = world.attack(name, mode, at, many)
        done[f"{name} {mode.name}"] += 1
        if found:
            wrong += 1
            say(f"WRONG {name} {mode.name} at {at} of {calls[name]} for {many}: {'; '.join(found)}")
    say(f"{count} faults, {wrong} wrong, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def one_case(folder: Path, name: str, fault: str, at: str, many: str = str(LONG)) -> int:
    """Carry out a single case; 1 if it was wrong."""
    load([name])
    world = World(folder, name in QUICK)
    calls = world.count(name)
    found = world.attack(name, Mode[fault], int(at), int(many))
    say(f"{name} {fault} at {at} of {calls}: {'; '.join(found) or 'right'}")
    return 1 if found else 0


class World:
    """A template that each case gets a copy of."""

    def __init__(self, folder: Path, quick: bool) -> None:
        self.folder, self.template = folder, folder / "template"
        self.pictures = folder / "pictures"
        code, said = self._fork(lambda: prepare(self.template, self.pictures, quick), folder / "prepare.txt")
        assert code == 0, said
        self.numbers = 0

    def _fork(self, work: Callable[[], int], said: Path, moment: float = PATIENCE) -> tuple[int, str]:
        """Do this in a process of its own; its exit code (a signal is negative) and what it has said. After `moment`
        seconds it is killed."""
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(out, 1)
            os.dup2(out, 2)
            try:
                code = work()
            except BaseException:
                traceback.print_exc()
                code = 70
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        deadline, kill_at = time.monotonic() + PATIENCE, time.monotonic() + moment
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status), said.read_text(errors="replace")
            if time.monotonic() > kill_at:
                kill_at = deadline + 1
                os.kill(pid, signal.SIGKILL)
            elif time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return 71, "Traceback: it did not end"
            time.sleep(0.01)

    def _place(self) -> Place:
        self.numbers += 1
        place = Place(self.folder / f"{self.numbers}" / "disk", self.folder / f"{self.numbers}" / "safe", self.pictures)
        place.safe.mkdir(parents=True)
        shutil.copytree(self.template, place.disk)
        os.environ["SSLSTUDIO_CACHE"] = str(place.disk / "cache")
        return place

    def count(self, name: str) -> int:
        """How many calls there are when nothing goes wrong; what comes of it is kept to compare with."""
        place = self._place()

        def work() -> int:
            settle(place)
            faults.arm(-1, Mode.FULL, 0, place.disk)
            code = OPERATIONS[name].act(place)
            (place.safe / "calls").write_text(str(faults.count()))
            return code

        code, said = self._fork(work, place.safe / "said")
        assert code == 0, f"{name}: {said}"
        shutil.copytree(place.disk, self.folder / "wanted" / name, dirs_exist_ok=True)
        calls = int((place.safe / "calls").read_text())
        shutil.rmtree(place.disk.parent)
        return calls

    def attack(self, name: str, mode: Mode, at: int, calls: int) -> list[str]:
        """One fault; what is wrong after it."""
        place, operation = self._place(), OPERATIONS[name]

        def work() -> int:
            settle(place)
            faults.arm(at, mode, calls, place.disk)
            return operation.act(place)

        code, said = self._fork(work, place.safe / "said")
        found = [] if code in (0, 1, 2) or (mode in KILLS and code == -signal.SIGKILL) else [f"ended with {code}"]
        if "Traceback" in said or "Exception ignored" in said:
            found.append("traceback: " + " | ".join(said.strip().splitlines()[-6:]))
        if mode in (Mode.BREAK, Mode.SLOW) and code != 0:
            found.append(f"{code} over what is no error: {said[-300:]}")
        code, said = self._fork(lambda: settle(place) or operation.again(place), place.safe / "again")
        if code != 0:
            found.append(f"again: ended with {code}: {said[-600:]}")
        wanted = replace(place, safe=self.folder / "wanted" / name)
        os.environ["DISK_FAULTS_WANTED"] = str(wanted.safe)
        code, said = self._fork(lambda: settle(place) or tell(operation.check(place)), place.safe / "check")
        found += said.splitlines()[-8:] if code else []
        left = [
            str(file.relative_to(place.disk))
            for file in place.disk.rglob("*")
            if file.name.endswith(".part") or file.name == "writer.json"
        ]
        found += [f"left behind: {left}"] if left else []
        shutil.rmtree(place.disk.parent)
        return found


if __name__ == "__main__":
    sys.exit(main())
