"""Disks that fail at any operation, while anything is written: nothing confirmed is lost, and every run goes on.

    python -m tests.attacks.disk_faults --n 1000 --seed 0 [--only pretrain,labels]

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
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support import faults
from tests.support.faults import KILLS, Mode

PATIENCE = 240.0  # seconds for a command
LONG = 1_000_000_000  # calls: for good
QUICK = ("labels", "project", "queue", "sample")


@dataclass(frozen=True)
class Place:
    """Where a case takes place: a folder whose disk fails, one that does not, and the pictures."""

    disk: Path
    safe: Path
    pictures: Path

    def log(self, line: str) -> None:
        """Note what was tried and what was confirmed, on the disk that does not fail."""
        with (self.safe / "log").open("a") as file:
            file.write(line + "\n")

    def logged(self) -> list[str]:
        """What was noted."""
        file = self.safe / "log"
        return file.read_text().splitlines() if file.exists() else []


@dataclass(frozen=True)
class Operation:
    """What is done, and what must hold after it was done again on a good disk; `waits`: on a full disk."""

    act: Callable[[Place], int]
    again: Callable[[Place], int]
    check: Callable[[Place], list[str]]
    waits: bool = False


def say(text: object) -> None:
    """A line for whoever started it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Carry out so many cases; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description="Disks that fail at any operation.")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    options = parser.parse_args(arguments)
    if reason := faults.missing():
        say(f"Skipped: {reason}.")
        return 0
    faults.begin_with_library("tests.attacks.disk_faults", arguments or sys.argv[1:])
    names = [name for name in options.only.split(",") if name] or list(OPERATIONS)
    with tempfile.TemporaryDirectory(prefix="disk-faults-") as folder:
        return attack(Path(folder), names, options.n, options.seed)


def attack(folder: Path, names: list[str], count: int, seed: int) -> int:
    """Cases in turn over the operations; prints a line for each that was wrong, and a count at the end."""
    began, rng, wrong, done = time.monotonic(), random.Random(seed), 0, Counter[str]()
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


class World:
    """A template that each case gets a copy of."""

    def __init__(self, folder: Path, quick: bool) -> None:
        self.folder, self.template = folder, folder / "template"
        self.pictures = folder / "pictures"
        load(quick)
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
            faults.arm(at, mode, calls, place.disk)
            return operation.act(place)

        code, said = self._fork(work, place.safe / "said")
        found = [] if code in (0, 1, 2) or (mode in KILLS and code == -signal.SIGKILL) else [f"ended with {code}"]
        if "Traceback" in said or "Exception ignored" in said:
            found.append("traceback: " + " | ".join(said.strip().splitlines()[-6:]))
        if mode in (Mode.BREAK, Mode.SLOW) and code != 0:
            found.append(f"{code} over what is no error: {said[-300:]}")
        code, said = self._fork(lambda: operation.again(place), place.safe / "again")
        if code != 0:
            found.append(f"again: ended with {code}: {said[-600:]}")
        wanted = replace(place, safe=self.folder / "wanted" / name)
        os.environ["DISK_FAULTS_WANTED"] = str(wanted.safe)
        code, said = self._fork(lambda: tell(operation.check(place)), place.safe / "check")
        found += said.splitlines()[-8:] if code else []
        left = [
            file.name for file in place.disk.rglob("*") if file.name.endswith(".part") or file.name == "writer.json"
        ]
        found += [f"left behind: {left}"] if left else []
        shutil.rmtree(place.disk.parent)
        return found


def tell(found: list[str]) -> int:
    """Print what was found; 1 if that is anything."""
    say("\n".join(found))
    return 1 if found else 0


def wanted() -> Path:
    """The folder of a case in which nothing went wrong."""
    return Path(os.environ["DISK_FAULTS_WANTED"])


def load(quick: bool) -> None:
    """Import what the cases need, once."""
    import sslstudio.cli.main
    import sslstudio.engine.labels.editing.store
    import sslstudio.engine.projects.project
    import sslstudio.engine.runs.queue
    from sslstudio.engine.core import room

    room.SECONDS = 0.02
    if not quick:
        import sslstudio.engine.experiments.compare
        import sslstudio.engine.export.run
        import sslstudio.engine.finetuning.use.predict
        import sslstudio.engine.launch.launcher
        import sslstudio.engine.pretraining.run
        import sslstudio.engine.report.run  # noqa: F401


def command(*words: object) -> int:
    """Carry out a command of the program."""
    from sslstudio.cli.main import main as run

    return run([str(word) for word in words])


PRETRAIN = ["--task", "rotation", "--device", "cpu", "--side", "32", "--set", "optimiser.batch_size=8",
            "--set", "budget.steps=4", "--set", "probe.enabled=false", "--set", "rotation.angles=4"][:-2]  # fmt: skip
FINETUNE = ["--device", "cpu", "--side", "32", "--labels-per-class", "3", "--set", "optimiser.batch_size=8",
            "--epochs", "2", "--set", "general=false"]  # fmt: skip


def prepare(template: Path, pictures: Path, quick: bool) -> int:
    """The pictures, and what the operations begin with."""
    from sslstudio.engine.core.control import to_end
    from sslstudio.engine.images.index import scan
    from sslstudio.engine.labels.editing.start import begin
    from sslstudio.engine.labels.recognise import recognise
    from sslstudio.engine.projects.project import Project, save_project

    template.mkdir()
    os.environ["SSLSTUDIO_CACHE"] = str(template / "cache")
    assert command("sample", pictures, "--count", 40) == 0
    to_end(begin(template / "labels", recognise(scan(pictures), "")))
    save_project(Project(folder=template / "project", pictures=pictures, name="first"))
    if quick:
        return 0
    assert command("pretrain", pictures, "--out", template / "pre", *PRETRAIN) == 0
    return command("finetune", pictures, "--from", template / "pre", "--out", template / "fine", *FINETUNE)


# --- what is done


def training(*words: object) -> Operation:
    """A training that goes on after a fault, to the weights that it would have had."""

    def act(place: Place) -> int:
        known = {"pictures": place.pictures, "pre": place.disk / "pre"}
        return command(*(known.get(str(word), word) for word in words), "--out", place.disk / "run")

    def again(place: Place) -> int:
        from sslstudio.engine.core.events import RunFinished
        from sslstudio.engine.runs.run_folder import RunFolder

        if not (place.disk / "run" / "config.toml").exists():
            return act(place)
        events = RunFolder(place.disk / "run").events()
        if events and isinstance(events[-1], RunFinished) and events[-1].outcome == "finished":
            return 0 if command("resume", place.disk / "run") == 2 else 1  # there is nothing left to do
        return command("resume", place.disk / "run")

    def check(place: Place) -> list[str]:
        from sslstudio.engine.runs.run_folder import METRICS, RunFolder

        names = sorted(file.name for file in (wanted() / "run").glob("*last.safetensors"))
        found = [
            f"other weights: {name}" for name in names if not same(wanted() / "run" / name, place.disk / "run" / name)
        ]
        RunFolder(place.disk / "run").events()
        if not (place.disk / "run" / METRICS).exists():
            found.append("no metrics")
        return found

    return Operation(act, again, check, waits=True)


def same(one: Path, other: Path) -> bool:
    """Whether two files hold the same weights and moments."""
    import torch

    from sslstudio.engine.training.checkpoint import load_tensors

    first, second = load_tensors(one)[0], load_tensors(other)[0]
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def repeated(words: Callable[[Place], list[object]], files: str, marker: str = "") -> Operation:
    """A command that is given again after a fault; its files are then there as they should be. `marker`: in a folder
    that is whole already."""

    def act(place: Place) -> int:
        return command(*words(place))

    def again(place: Place) -> int:
        return 0 if marker and (place.disk / marker).exists() else act(place)

    def check(place: Place) -> list[str]:
        names = [file.relative_to(wanted()) for file in wanted().glob(files) if file.is_file()]
        assert names, files
        return [
            f"another {name}"
            for name in names
            if not (place.disk / name).is_file()
            or (place.disk / name).stat().st_size != (wanted() / name).stat().st_size
        ]

    return Operation(act, again, check)


def do_label(place: Place) -> int:
    """Label picture after picture; what the disk refuses is noted."""
    from sslstudio.engine.core.errors import StudioError
    from sslstudio.engine.labels.editing.store import Labelling

    try:
        store = Labelling(place.disk / "labels")
    except StudioError as error:
        say(error)
        return 1
    paths, refused = sorted(store.of)[:9], False
    for number in range(24):
        edit = store.labelling([paths[number % 9]], number % 5 + 1)
        if edit is not None:
            place.log(f"try {number}")
            refused |= not attempt(place, number, lambda: store.apply(edit))  # noqa: B023 (called at once)
        if number % 7 == 6:
            refused |= not attempt(place, -1, store.save)
    return 1 if not attempt(place, -1, store.close) or refused else 0


def attempt(place: Place, number: int, what: Callable[[], None]) -> bool:
    """Do it, and note whether it was confirmed."""
    from sslstudio.engine.core.errors import StudioError

    try:
        what()
    except StudioError as error:
        say(error)
        if number >= 0:
            place.log(f"no {number}")
        return False
    if number >= 0:
        place.log(f"yes {number}")
    return True


def check_labels(place: Place) -> list[str]:
    """What was confirmed is there, what was refused is not; what a kill came between may be either."""
    from sslstudio.engine.labels.editing.store import Labelling

    with Labelling(place.disk / "labels") as store:
        paths = sorted(store.of)[:9]
        state = {path: store.of[path] for path in paths}
    with Labelling(Path(os.environ["DISK_FAULTS_WANTED"]).parent.parent / "template" / "labels") as store:
        before = {path: store.of[path] for path in paths}
    lines = [line.split() for line in place.logged()]
    for word, number in lines:
        if word == "yes":
            before[paths[int(number) % 9]] = int(number) % 5 + 1
    allowed = [before]
    if lines and lines[-1][0] == "try":
        last = int(lines[-1][1])
        allowed.append(before | {paths[last % 9]: last % 5 + 1})
    return [] if state in allowed else [f"labels are {state}, not {before}"]


def do_project(place: Place) -> int:
    """Save a project with name after name."""
    from sslstudio.engine.projects.project import Project, save_project

    kept = True
    for number in range(6):
        project = Project(folder=place.disk / "project", pictures=place.pictures, name=f"name {number}")
        place.log(f"try {number}")
        kept &= attempt(place, number, lambda: save_project(project))  # noqa: B023 (called at once)
    return 0 if kept else 1


def check_project(place: Place) -> list[str]:
    """The project is the one that was confirmed last, or a later one."""
    from sslstudio.engine.projects.project import open_project

    name = open_project(place.disk / "project").project.name
    return [] if name in acceptable(place, "first", "name") else [f"the project is {name}: {place.logged()}"]


def acceptable(place: Place, first: str, word: str) -> list[str]:
    """What may be there: what was confirmed last, or what was tried after it."""
    lines = [line.split() for line in place.logged()]
    last = max((place_ for place_, (said, _) in enumerate(lines) if said == "yes"), default=-1)
    tried = [f"{word} {number}" for said, number in lines[last + 1 :] if said == "try"]
    return [first if last < 0 else f"{word} {lines[last][1]}", *tried]


def do_queue(place: Place) -> int:
    """Put run after run into the queue, and take some out."""
    from sslstudio.engine.runs.queue import RunQueue, Waiting

    kept, queue = True, RunQueue(place.disk / "queue.json")
    for number in range(8):
        place.log(f"try {number}")
        kept &= attempt(place, number, lambda: queue.add(Waiting("pretrain", f"run {number}", {})))  # noqa: B023
    return 0 if kept else 1


def check_queue(place: Place) -> list[str]:
    """All runs that were confirmed wait, in order, and none twice."""
    from sslstudio.engine.runs.queue import RunQueue

    found = [run.title for run in RunQueue(place.disk / "queue.json").runs]
    lines = [line.split() for line in place.logged()]
    confirmed = [f"run {number}" for said, number in lines if said == "yes"]
    rest = [title for title in found if title not in confirmed]
    right = [title for title in found if title in confirmed] == confirmed and len(set(found)) == len(found)
    return [] if right and len(rest) <= len(lines) else [f"the queue is {found}, confirmed were {confirmed}"]


def idle(place: Place) -> int:
    """What was done needs no second time; but a process that writes there cleans up."""
    from sslstudio.engine.core.files.leftovers import sweep

    for folder in [place.disk, *(one for one in place.disk.rglob("*") if one.is_dir())]:
        sweep(folder)
    return 0


OPERATIONS: dict[str, Operation] = {
    "labels": Operation(do_label, idle, check_labels),
    "project": Operation(do_project, idle, check_project),
    "queue": Operation(do_queue, idle, check_queue),
    "sample": repeated(lambda place: ["sample", place.disk / "drawn", "--count", 6], "drawn/**/*"),
    "pretrain": training("pretrain", "pictures", *PRETRAIN),
    "finetune": training("finetune", "pictures", "--from", "pre", *FINETUNE),
    "index": repeated(lambda place: ["index", place.pictures, "--side", 40], "cache/pixels/*/pixels.bin"),
    "predict": repeated(
        lambda place: ["predict", place.disk / "fine", place.pictures, "--out", place.disk / "answers"],
        "answers/*.csv",
    ),
    "export": repeated(
        lambda place: ["export", place.disk / "fine", "--format", "safetensors", "--out", place.disk / "exported"],
        "exported/*.safetensors",
        "exported",
    ),
    "report": repeated(
        lambda place: ["report", place.disk / "fine", "--out", place.disk / "report.html"], "report.html", "report.html"
    ),
}

if __name__ == "__main__":
    sys.exit(main())
