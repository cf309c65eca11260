"""What is done while disks fail and processes are killed: commands, the queue, the window; and what must hold after it.

Each operation takes place in a folder of its own, is done again afterwards as a person would, and is then looked at.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

QUICK = ("labels", "project", "queue", "sample")
SMALL = ["--side", "32", "--device", "cpu"]


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


def tell(found: list[str]) -> int:
    """Print what was found; 1 if that is anything."""
    say("\n".join(found))
    return 1 if found else 0


def wanted() -> Path:
    """The folder of a case in which nothing went wrong."""
    return Path(os.environ["DISK_FAULTS_WANTED"])


def load(names: Collection[str]) -> None:
    """Import what these operations need, once."""
    import sslstudio.cli.main
    import sslstudio.engine.labels.editing.store
    import sslstudio.engine.projects.project
    import sslstudio.engine.runs.queue
    from sslstudio.engine.core import room

    room.SECONDS = 0.02
    if not set(names) <= set(QUICK):
        import sslstudio.engine.experiments.compare
        import sslstudio.engine.export.run
        import sslstudio.engine.finetuning.use.predict
        import sslstudio.engine.launch.launcher
        import sslstudio.engine.pretraining.run
        import sslstudio.engine.report.run  # noqa: F401
    if {"window", "apart"} & set(names):
        import tests.support.window_job  # noqa: F401


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


def settle(place: Place) -> int:
    """Have temporary files of this process in the case's own folder."""
    folder = place.disk / "tmp"
    folder.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    os.environ["SSLSTUDIO_LOG"] = str(place.safe / "log-folder")
    return 0


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


def plain(*words: str, files: str = "", marker: str = "") -> Operation:
    """A command that is simply given again; `files` are then there as they should be. `marker`: as in `repeated`."""

    def of(place: Place) -> list[object]:
        known = {"PICTURES": place.pictures, "PRE": place.disk / "pre", "FINE": place.disk / "fine"}
        return [known.get(word, place.disk / word[4:] if word.startswith("OUT/") else word) for word in words]

    if files:
        return repeated(of, files, marker)
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

    return Operation(act, act, check, waits=True)


def at_window(*, apart: bool) -> Operation:
    """Labels, a queue of one and a training, at the window; then the window is opened again."""

    def act(place: Place) -> int:
        from tests.support.window_job import GaveUp, Person

        person = Person(place.disk, apart=apart)
        try:
            person.open(place.pictures)
            person.label(6, place.log)
            config = person.config(place.pictures, place.disk / "queued", "jigsaw")
            place.log("try-queue 0 0")
            if person.confirms(lambda: person.workspace.queue.add("pretrain", "queued", config)):
                place.log("yes-queue 0 0")
            person.train(person.config(place.pictures, place.disk / "run"))
        except GaveUp as error:
            say(error)
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

    return Operation(act, again, check_window, waits=True)


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
    "compare": experiment("compare", "--labels", "2", "--seeds", "1", "--steps", "2", "--tasks", "rotation",
                          "--set", "budget.steps=2", "--set", "probe.enabled=false", "--set", "optimiser.batch_size=8"),
    "window": at_window(apart=False),
    "preview": plain("preview", "PICTURES", "--task", "rotation", "--side", "32", "--count", "2", "--out", "OUT/p.png",
                     files="p.png"),
    "gif": plain("gif", "PRE", "--out", "OUT/film.gif", files="film.gif", marker="film.gif"),
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
