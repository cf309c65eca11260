"""The program is killed (SIGKILL) at any moment and in any file operation: nothing confirmed is lost, all goes on.

    python -m tests.attacks.kills --n 500 --seed 0 [--only pretrain,window]
    python -m tests.attacks.kills --case window KILL_HALF 284
    python -m tests.attacks.kills --case compare 2.5

The last two carry out one case again: at a call, or after so many seconds.

Commands, comparison, tournament, queue and window are each carried out in a process of their own, which is killed:
after a part of the time that they take, or before, in or after one of their calls that change a disk. Then the same is
done again as a person would do it. Asked is: was there a traceback; is what was confirmed there; are the weights those
of a run that nobody killed; does every folder go on; is anything left behind (half files, locks, temporary folders,
processes).
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.attacks import disk_faults
from tests.attacks.disk_faults import World
from tests.attacks.operations import OPERATIONS, QUICK, Place, load, say, settle, tell
from tests.support import faults
from tests.support.faults import KILLS, Mode

END = 10.0  # seconds that a training may outlive its window


def main(arguments: list[str] | None = None) -> int:
    """Carry out so many kills; 1 if anything was wrong after one."""
    parser = argparse.ArgumentParser(description="Kills at any moment and in any file operation.")
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help=", ".join(OPERATIONS))
    parser.add_argument("--case", nargs="+", metavar="WORD", help="operation, kill, call; or operation, seconds")
    options = parser.parse_args(arguments)
    if reason := faults.missing():
        say(f"Skipped: {reason}.")
        return 0
    faults.begin_with_library("tests.attacks.kills", arguments or sys.argv[1:], QT_QPA_PLATFORM="offscreen")
    names = [name for name in options.only.split(",") if name] or list(OPERATIONS)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        if options.case:
            return one_case(Path(folder), *options.case)
        return attack(Path(folder), names, options.n, options.seed)


def attack(folder: Path, names: list[str], count: int, seed: int) -> int:
    """Kills in turn over the operations; prints a line for each after which something was wrong."""
    began, rng, wrong, done = time.monotonic(), random.Random(seed), 0, Counter[str]()
    load(names)
    world = Killing(folder, set(names) <= set(QUICK))
    sizes = {name: world.measure(name) for name in names}
    told = {name: f"{calls} calls, {seconds:.1f} s" for name, (calls, seconds) in sizes.items()}
    say(f"{told} ({time.monotonic() - began:.0f} s)")
    for number in range(count):
        name = names[number % len(names)]
        calls, seconds = sizes[name]
        mode = rng.choice((None, *KILLS)) if calls else None
        at, moment = rng.randint(1, max(1, calls)), rng.uniform(0.0, seconds)
        found = world.kill(name, mode, at, moment)
        done["moment" if mode is None else mode.name] += 1
        if found:
            wrong += 1
            where = f"after {moment:.2f} s" if mode is None else f"{mode.name} at {at} of {calls}"
            say(f"WRONG {name} {where}: {'; '.join(found)}")
    say(f"{count} kills {dict(done)}, {wrong} wrong, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def one_case(folder: Path, name: str, when: str, at: str = "") -> int:
    """Carry out a single kill; 1 if anything was wrong after it."""
    load([name])
    world = Killing(folder, name in QUICK)
    world.count(name)  # what it is compared with
    found = world.kill(name, Mode[when], int(at), 0.0) if at else world.kill(name, None, 1, float(when))
    say(f"{name} {when} {at}: {'; '.join(found) or 'right'}")
    return 1 if found else 0


class Killing(World):
    """The world of the disk faults, with kills at a moment, and a look at what stays behind."""

    def measure(self, name: str) -> tuple[int, float]:
        """Calls that change the disk, and seconds."""
        began = time.monotonic()
        calls = self.count(name)
        return calls, time.monotonic() - began

    def kill(self, name: str, mode: Mode | None, at: int, moment: float) -> list[str]:
        """One kill; what is wrong after it."""
        place, operation = self._place(), OPERATIONS[name]

        def work() -> int:
            settle(place)
            if mode is not None:
                faults.arm(at, mode, 1, place.disk)
            return operation.act(place)

        when = moment if mode is None else disk_faults.PATIENCE
        code, said = self._fork(work, place.safe / "said", when)
        found = [] if code in (0, -signal.SIGKILL) else [f"ended with {code}"]
        if "Traceback" in said or "Exception ignored" in said:
            found.append("traceback: " + " | ".join(said.strip().splitlines()[-6:]))
        if orphans := outliving(place.disk.parent):
            found.append(f"processes that stay: {orphans}")
        again: Callable[[], int] = lambda: settle(place) or operation.again(place)  # noqa: E731
        code, said = self._fork(again, place.safe / "again")
        if code != 0:
            found.append(f"again: ended with {code}: {said[-1500:]}")
        os.environ["DISK_FAULTS_WANTED"] = str(replace(place, safe=self.folder / "wanted" / name).safe)
        code, said = self._fork(lambda: settle(place) or tell(operation.check(place)), place.safe / "check")
        found += said.splitlines()[-8:] if code else []
        found += [f"left behind: {one}" for one in left_behind(place)]
        shutil.rmtree(place.disk.parent)
        return found


def left_behind(place: Place) -> list[str]:
    """Half files, locks of writers, temporary folders. The next start of anything that needs a temporary folder removes
    those of dead processes, as is done here."""
    tempfile.tempdir = str(place.disk / "tmp")
    from sslstudio.engine.core.files.leftovers import sweep_temporary

    sweep_temporary()
    tempfile.tempdir = None
    names = [file for file in place.disk.rglob("*") if file.name.endswith(".part") or file.name == "writer.json"]
    names += list((place.disk / "tmp").glob("sslstudio-*"))
    return [str(file.relative_to(place.disk)) for file in names]


def outliving(folder: Path) -> list[str]:
    """Programs that the killed one had started, and that do not end in good time."""
    deadline, found = time.monotonic() + END, started_in(folder)
    while found and time.monotonic() < deadline:
        time.sleep(0.2)
        found = started_in(folder)
    return found


def started_in(folder: Path) -> list[str]:
    """Programs with this folder in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{folder}/".encode() in (process / "environ").read_bytes() and int(process.name) != os.getpid():
                found.append(f"{process.name} {(process / 'cmdline').read_text().replace(chr(0), ' ')[:80]}")
        except OSError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
