"""The program is killed (SIGKILL) at any moment and in any file operation: nothing confirmed is lost, all goes on.

    python -m tests.attacks.kills --n 500 --seed 0 [--only pretrain,window]

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
from tests.attacks.disk_faults import OPERATIONS, Operation, Place, World, command, repeated, same, say, tell, wanted
from tests.support import faults
from tests.support.faults import KILLS, Mode

END = 10.0  # seconds that a training may outlive its window
QUICK = ("labels", "project", "queue", "sample")
SMALL = ["--side", "32", "--device", "cpu"]


def main(arguments: list[str] | None = None) -> int:
    """Carry out so many kills; 1 if anything was wrong after one."""
    parser = argparse.ArgumentParser(description="Kills at any moment and in any file operation.")
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help=", ".join(ALL))
    options = parser.parse_args(arguments)
    if reason := faults.missing():
        say(f"Skipped: {reason}.")
        return 0
    faults.begin_with_library("tests.attacks.kills", arguments or sys.argv[1:], QT_QPA_PLATFORM="offscreen")
    names = [name for name in options.only.split(",") if name] or list(ALL)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
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


def load(names: list[str]) -> None:
    """Import what the cases need, once."""
    if "window" in names or "apart" in names:
        import tests.support.window_job  # noqa: F401


class Killing(World):
    """The world of the disk faults, with kills at a moment, and a look at what stays behind."""

    def measure(self, name: str) -> tuple[int, float]:
        """Calls that change the disk, and seconds."""
        if name in ALL:
            OPERATIONS[name] = ALL[name]
        began = time.monotonic()
        calls = self.count(name)
        return calls, time.monotonic() - began

    def kill(self, name: str, mode: Mode | None, at: int, moment: float) -> list[str]:
        """One kill; what is wrong after it."""
        place, operation = self._place(), ALL[name]

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


def settle(place: Place) -> int:
    """Have temporary files of this process in the case's own folder."""
    folder = place.disk / "tmp"
    folder.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    os.environ["SSLSTUDIO_LOG"] = str(place.safe / "log-folder")
    return 0


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


# --- what is done


def plain(*words: str, files: str = "") -> Operation:
    """A command that is simply given again; `files` are then there as they should be."""

    def of(place: Place) -> list[object]:
        known = {"PICTURES": place.pictures, "PRE": place.disk / "pre", "FINE": place.disk / "fine"}
        return [known.get(word, place.disk / word[4:] if word.startswith("OUT/") else word) for word in words]

    if files:
        return repeated(of, files)
    return Operation(lambda place: command(*of(place)), lambda place: command(*of(place)), lambda place: [])


def experiment(*words: object) -> Operation:
    """A comparison or a tournament: given again it does what is left."""

    def act(place: Place) -> int:
        from sslstudio.engine.training.checkpoint import load_tensors  # noqa: F401 (loaded before the kill)

        return command(words[0], place.pictures, "--out", place.disk / "whole", *words[1:], *SMALL)

    def check(place: Place) -> list[str]:
        files = [file.relative_to(wanted()) for file in (wanted() / "whole").rglob("*last.safetensors")]
        if words[0] == "compare":
            lost = [str(file) for file in files if not (place.disk / file).exists()]
            return [f"lost: {lost}"] if lost else [
                f"other weights: {file}" for file in files if not same(wanted() / file, place.disk / file)
            ]  # fmt: skip
        return [] if (place.disk / "whole" / "tournament.json").exists() else ["no result"]

    return Operation(act, act, check)


def at_window(*, apart: bool) -> Operation:
    """Labels, a queue of one and a training, at the window; then the window is opened again."""

    def act(place: Place) -> int:
        from tests.support.window_job import Person

        person = Person(place.disk, apart=apart)
        person.open(place.pictures)
        person.label(6, place.log)
        config = person.config(place.pictures, place.disk / "queued", "jigsaw")
        place.log("try-queue 0 0")
        person.workspace.queue.add("pretrain", "queued", config)
        place.log("yes-queue 0 0")
        person.train(person.config(place.pictures, place.disk / "run"))
        person.close()
        say("\n".join(person.errors))
        return 1 if person.errors else 0

    def again(place: Place) -> int:
        from tests.support.window_job import Person

        person = Person(place.disk, apart=apart)
        person.rest()  # what was under way is offered, and goes on
        person.open(place.pictures)
        finish(person, place, "run", "rotation")
        person.workspace.queue.start()
        person.rest()
        if not any(line.startswith("yes-queue") for line in place.logged()):
            finish(person, place, "queued", "jigsaw")
        person.close()
        say("\n".join(person.errors))
        return 1 if person.errors else 0

    return Operation(act, again, check_window)


def finish(person: object, place: Place, name: str, task: str) -> None:
    """Go on with a training that was not finished, or start it where there is nothing of it."""
    from tests.support.window_job import Person

    assert isinstance(person, Person)
    run = place.disk / name
    if not is_finished(run):
        if (run / "config.toml").exists():
            person.resume(run)
        else:
            person.train(person.config(place.pictures, run, task))


def is_finished(run: Path) -> bool:
    """Whether its record ends with a good end."""
    from sslstudio.engine.core.events import RunFinished
    from sslstudio.engine.runs.run_folder import RunFolder

    if not (run / "config.toml").exists():
        return False
    events = RunFolder(run).events()
    return bool(events) and isinstance(events[-1], RunFinished) and events[-1].outcome == "finished"


def check_window(place: Place) -> list[str]:
    """Confirmed labels are there; both trainings have come to the weights that they would have had."""
    from sslstudio.engine.labels.editing.store import Labelling

    found = []
    lines = [line.split() for line in place.logged()]
    folders = [file.parent for file in (place.disk / "home").rglob("journal.jsonl")]
    confirmed = {path: int(number) for word, path, number in lines if word == "yes"}
    if confirmed:
        with Labelling(folders[0]) as store:
            lost = {path: number for path, number in confirmed.items() if store.of.get(path) != number}
        found += [f"labels lost: {lost}"] if lost else []
    for name in ("run", "queued"):
        runs = [run for run in place.disk.glob(f"{name}*") if is_finished(run)]
        if not runs:
            found.append(f"{name} was not finished: {sorted(file.name for file in place.disk.glob(f'{name}*'))}")
        elif not any(same(wanted() / name / "last.safetensors", run / "last.safetensors") for run in runs):
            found.append(f"other weights: {name}")
    return found


ALL: dict[str, Operation] = {
    **OPERATIONS,
    "compare": experiment("compare", "--labels", "2", "--seeds", "1", "--steps", "2", "--tasks", "rotation",
                          "--set", "budget.steps=2", "--set", "probe.enabled=false", "--set", "optimiser.batch_size=8"),
    "window": at_window(apart=False),
    "preview": plain("preview", "PICTURES", "--task", "rotation", "--side", "32", "--count", "2", "--out", "OUT/p.png",
                     files="p.png"),
    "gif": plain("gif", "PRE", "--out", "OUT/film.gif"),
    "clinic": plain("clinic", "PICTURES", "--task", "rotation", "--side", "32"),
    "audit": plain("audit", "PRE", "--device", "cpu"),
    "suggest": plain("suggest", "PICTURES", "--count", "3", "--device", "cpu"),
    "labelled": plain("labels", "PICTURES", "--out", "OUT/taken", "--format", "yolo"),
    "evaluate": plain("evaluate", "FINE", "PICTURES", "--device", "cpu"),
    "apart": at_window(apart=True),
    "bench": plain("bench", "PICTURES", *SMALL, "--rounds", "1", "--task", "rotation", "--set",
                   "optimiser.batch_size=4", "--set", "hardware.autotune=off"),
    "runs": plain("runs", "OUT/"),
    "tournament": experiment("tournament", "--minutes", "0.2", "--tasks", "rotation", "--set", "probe.draws=4", "--set",
                             "optimiser.batch_size=8"),
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
