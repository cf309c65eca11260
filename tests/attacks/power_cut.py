"""The power fails at any moment: what was confirmed is there when the computer starts again.

    python -m tests.attacks.power_cut --n 2000 --seed 0

What the program writes is recorded call by call while labels are given, a training saves its weights, a project and the
queue of runs are saved. From any part of the record states of the disk are made that a power cut could leave: what was
not synced is lost, torn or there, names too. Each state is opened again.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import StudioError
from tests.support.write_log import Log, recording, state_after


@dataclass(frozen=True)
class Case:
    """What is done while it is recorded, and what is wrong with a state when so much was confirmed."""

    act: Callable[[Log], None]
    check: Callable[[Path, list[str]], list[str]]
    prepare: Callable[[Path], None] = lambda _: None


def main(arguments: list[str] | None = None) -> int:
    """Look at so many states; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description="The power fails at any moment.")
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    options = parser.parse_args(arguments)
    names = [name for name in options.only.split(",") if name] or list(CASES)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="power-cut-") as folder:
        wrong = [said for name in names for said in attack(name, Path(folder), options.n // len(names), options.seed)]
    for said in wrong[:30]:
        sys.stdout.write(f"WRONG {said}\n")
    sys.stdout.write(f"{options.n} power cuts, {len(wrong)} wrong, {time.monotonic() - began:.0f} s\n")
    return 1 if wrong else 0


def attack(name: str, folder: Path, count: int, seed: int) -> list[str]:
    """Record a case, and open so many states of it; what was wrong."""
    case, root = CASES[name], folder / name
    root.mkdir()
    case.prepare(root)
    with recording(root) as log:
        case.act(log)
    rng, wrong, disk = random.Random(seed), [], folder / "disk"
    for number in range(count):
        cut = number if number < len(log.calls) and count > 2 * len(log.calls) else rng.randint(0, len(log.calls))
        confirmed = state_after(log, cut, rng, disk)
        try:
            found = case.check(disk, confirmed)
        except StudioError as error:
            found = [f"not opened: {error}"]
        wrong += [f"{name} cut at {cut} of {len(log.calls)}: {said}" for said in found]
        shutil.rmtree(disk)
    return wrong


# --- labels


def begin_labels(root: Path) -> None:
    """Labels with two classes and nothing labelled."""
    from sslstudio.engine.labels.editing import files as label_files
    from sslstudio.engine.labels.editing.edits import LabelClass

    (root / "labels").mkdir()
    classes = {number: LabelClass(number, name, number) for number, name in ((1, "cat"), (2, "dog"))}
    label_files.write_classes(root / "labels", {"classification": classes, "segmentation": dict(classes)})
    label_files.write_labels_table(root / "labels" / label_files.LABELS, {}, classes)
    label_files.write_about(root / "labels", root)


def label(log: Log) -> None:
    """Label and paint, saving now and then."""
    import numpy as np

    from sslstudio.engine.labels.editing.store import Labelling
    from sslstudio.engine.labels.editing.stroke import Patch, Rect

    store = Labelling(log.root / "labels")
    for number in range(12):
        edit = store.labelling([f"{number % 5}.png"], number % 2 + 1)
        assert edit is not None
        store.apply(edit)
        log.mark(f"label {number % 5}.png {number % 2 + 1}")
        if number % 3 == 0:
            patch = Patch(Rect(0, 0, 4, 4), np.zeros((4, 4), np.uint8), np.full((4, 4), number % 2 + 1, np.uint8))
            store.apply(store.painting(f"in/{number}.png", (8, 8), patch))
            log.mark(f"mask in/{number}.png {number % 2 + 1}")
        if number % 5 == 4:
            store.save()
    store.close()


def check_labels(disk: Path, confirmed: list[str]) -> list[str]:
    """Every label and mask that was confirmed is there, or a later one."""
    from sslstudio.engine.labels.editing.store import Labelling

    wanted = {(kind, path): int(number) for kind, path, number in (line.split() for line in confirmed)}
    found = []
    with Labelling(disk / "labels") as store:
        lost = [path for (kind, path), _ in wanted.items() if kind == "label" and path not in store.of]
        differ = [path for (kind, path), one in wanted.items() if kind == "label" and store.of.get(path, one) != one]
        if lost or len(differ) > 1:  # the edit that was under way may be there
            found.append(f"labels are {store.of}, confirmed were {wanted}")
        for (kind, path), number in wanted.items():
            mask = store.mask(path) if kind == "mask" else None
            if kind == "mask" and (mask is None or int(mask[1, 1]) != number):
                found.append(f"the mask of {path} is lost")
    return found


# --- a checkpoint


def save_weights(log: Log) -> None:
    """Checkpoint after checkpoint, events between them."""
    import torch

    from sslstudio.engine.core.events import Resumed, to_json
    from sslstudio.engine.core.files.atomic_files import Appender
    from sslstudio.engine.runs.run_folder import EVENTS, RunFolder
    from sslstudio.engine.training.checkpoint import save_tensors

    run = RunFolder.create(log.root / "run", {"job": "pretrain"})
    with Appender(run.path / EVENTS) as events:
        for step in range(1, 7):
            for number in range(3):
                events.append((to_json(Resumed(step=10 * step + number)) + "\n").encode())
            run.sync_events()
            meta = {"step": step, "events": run.events_size()}
            tensors = {"model.weight": torch.full((40, 40), float(step))}
            save_tensors(run.path / "last.safetensors", tensors, meta, keep=run.path / "before.safetensors")
            log.mark(f"step {step}")


def check_weights(disk: Path, confirmed: list[str]) -> list[str]:
    """The last checkpoint that was confirmed, or a later one, and the record up to it."""
    from sslstudio.engine.runs.run_folder import CONFIG, RunFolder
    from sslstudio.engine.training.checkpoint import load_tensors

    run = RunFolder(disk / "run")
    step = int(confirmed[-1].split()[1]) if confirmed else 0
    if not (run.path / "last.safetensors").exists():
        return [f"no weights, confirmed was step {step}"] if step else []
    tensors, meta = load_tensors(run.path / "last.safetensors")
    found = [] if meta["step"] >= step else [f"weights of step {meta['step']}, confirmed was {step}"]
    found += [] if (tensors["model.weight"] == meta["step"]).all() else ["other weights than are said"]
    found += [] if (run.path / CONFIG).exists() else ["no settings"]
    if run.events_size() < meta["events"]:
        return [*found, "the record is shorter than the checkpoint says"]
    run.cut_events(meta["events"])
    return found if len(run.events()) == 3 * meta["step"] else [*found, f"{len(run.events())} events"]


# --- a project, and the queue


def save_projects(log: Log) -> None:
    """A project with name after name."""
    from sslstudio.engine.projects.project import Project, save_project

    for number in range(6):
        save_project(Project(folder=log.root / "project", pictures=log.root, name=f"name {number}"))
        log.mark(f"name {number}")


def check_project(disk: Path, confirmed: list[str]) -> list[str]:
    """The project that was confirmed last, or a later one."""
    from sslstudio.engine.projects.project import open_project

    if not confirmed:
        return []
    opened = open_project(disk / "project")
    return [] if opened.project.name >= confirmed[-1] and not opened.told else [f"{opened.project.name} {opened.told}"]


def queue_runs(log: Log) -> None:
    """Run after run into the queue."""
    from sslstudio.engine.runs.queue import RunQueue, Waiting

    queue = RunQueue(log.root / "home" / "queue.json")
    for number in range(8):
        queue.add(Waiting("pretrain", f"run {number}", {}))
        log.mark(f"run {number}")


def check_queue(disk: Path, confirmed: list[str]) -> list[str]:
    """All runs that were confirmed wait, in their order."""
    from sslstudio.engine.runs.queue import RunQueue

    found = [run.title for run in RunQueue(disk / "home" / "queue.json").runs]
    return [] if found[: len(confirmed)] == confirmed and len(found) <= len(confirmed) + 1 else [f"{found}"]


# --- labels that are begun, and exported


def begin_and_export(log: Log) -> None:
    """Folders that are filled beside their place and renamed."""
    from sslstudio.engine.core.files.atomic_files import folder_beside, put_folder, write_plain
    from sslstudio.engine.labels.editing.export import export_labels

    to_end(export_labels(log.root / "labels", log.root / "out"))
    log.mark("out")
    part = folder_beside(log.root / "more")
    write_plain(part / "one", b"1" * 5000)
    put_folder(part, log.root / "more")
    log.mark("more")


def check_folders(disk: Path, confirmed: list[str]) -> list[str]:
    """A folder that was confirmed is there, and none is half there."""
    from sslstudio.engine.labels.editing.files import read_classes, read_labels_table

    found = [f"{name} is not there" for name in confirmed if not (disk / name).is_dir()]
    if (disk / "out").is_dir():
        with suppress(FileNotFoundError):
            if not any(read_classes(disk / "out").values()):
                found.append("no classes")
            read_labels_table(disk / "out")
    file = disk / "more" / "one"
    if (disk / "more").is_dir() and (not file.exists() or file.read_bytes() != b"1" * 5000):
        found.append("half a folder")
    return found


CASES: dict[str, Case] = {
    "labels": Case(label, check_labels, begin_labels),
    "weights": Case(save_weights, check_weights),
    "project": Case(save_projects, check_project),
    "queue": Case(queue_runs, check_queue),
    "folders": Case(begin_and_export, check_folders, begin_labels),
}

if __name__ == "__main__":
    sys.exit(main())
