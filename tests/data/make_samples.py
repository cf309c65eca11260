"""Make the samples of what a version of the program writes: projects with runs, studies, labels, a queue, preferences.

    cd CHECKOUT; PYTHONPATH=CHECKOUT:HERE python HERE/tests/data/make_samples.py FOLDER

CHECKOUT is the version that is to write them, HERE the checkout with this file, FOLDER a new folder for them. What they
are for, and which version wrote those that are kept, stands in made_by_0_2/README.md.
"""

import argparse
import hashlib
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from tests.support.record import hash_of_tensors
from tests.support.samples import ROOT, date_pictures, machine, reroot, smaller_encoder

NAME = "little zoo"
# The names of 0.2, which later versions understand.
RUN = ["optimiser.batch_size=8", "hardware.precision=float32", "hardware.tune=off", "hardware.threads=1"]
PROBED = [*RUN, "probe.draws=4"]
SHARED = ["--side", "32", "--encoder", "small", "--device", "cpu"]


def main() -> int:
    """Make all of them; in a child: one command of the program, ended when it is time."""
    if sys.argv[1:2] == ["--child"]:
        return child(int(sys.argv[2]), sys.argv[3], sys.argv[4:])
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    target = parser.parse_args().folder.resolve()
    with tempfile.TemporaryDirectory(prefix="made by 0.2 ") as folder:
        root = Path(folder).resolve() / "root"
        os.environ |= {
            "OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen", "SSLSTUDIO_HOME": str(root / "home"),
            "SSLSTUDIO_CACHE": str(root.parent / "cache"),
        }  # fmt: skip
        make(root)
        for sheet in root.rglob("samples/*.png"):
            shrink(sheet)
        reroot(root, root.as_posix(), ROOT)
        for lock in [*root.rglob("*.lock"), *root.rglob(".lock")]:
            lock.unlink(missing_ok=True)
        shutil.copytree(root, target)
    return 0


def make(root: Path) -> None:
    """Everything, below a root."""
    pictures(root)
    home = root / "home"
    run(*pretrain(root, home / "Runs" / NAME / "2026-01-02 old", "rotation", 4))  # from before there were projects
    in_the_window(root)
    runs = home / "Projects" / NAME / "runs"
    ends = pretrainings(root, runs)
    ends |= finetunings(root, runs)
    commands = studies(root, runs)
    run("predict", str(runs / "classified"), str(root / "more"), "--device", "cpu", "--out", str(root / "predictions"))
    queue(root, home)
    labels = journal(root, home / "Projects" / NAME / "labels")
    facts = {"machine": machine(), "ends": ends, "commands": commands, "labels": labels}
    (root / "expected.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def shrink(sheet: Path) -> None:
    """Few colours will do for a sheet of puzzles, which is as large as all other files of a small run together."""
    with Image.open(sheet) as image:
        few = image.quantize(8, dither=Image.Dither.NONE)
    few.save(sheet, optimize=True)


def pictures(root: Path) -> None:
    """A set with classes and masks, and a few pictures more."""
    from sslstudio.engine.sample.make import make_sample

    for name, count, seed in ((NAME, 60, 1), ("more", 6, 2)):
        for _ in make_sample(root / name, count=count, side=32, seed=seed):
            pass
    date_pictures(root)


# Runs


def pretrain(root: Path, out: Path, task: str, steps: int) -> list[str]:
    settings = [*PROBED, f"budget.steps={steps}"]
    return ["pretrain", str(root / NAME), "--task", task, "--out", str(out), *SHARED, *given("--set", settings)]


def finetune(root: Path, out: Path, *more: str, steps: int = 6) -> list[str]:
    settings = [*RUN, f"budget.steps={steps}"]
    return ["finetune", str(root / NAME), "--out", str(out), *more, *SHARED, *given("--set", settings)]


def given(flag: str, settings: list[str]) -> list[str]:
    return [word for setting in settings for word in (flag, setting)]


def pretrainings(root: Path, runs: Path) -> dict[str, list[str]]:
    """One that ended, one that was paused and one that was killed; how the last two end when they go on."""
    run(*pretrain(root, runs / "pretrained", "rotation", 8))
    run(*pretrain(root, runs / "paused", "rotation", 12), stop_after=5)
    run(*pretrain(root, runs / "killed", "rotation", 12), stop_after=8, how="SIGKILL")
    return {name: went_on(runs / name) for name in ("paused", "killed")}


def finetunings(root: Path, runs: Path) -> dict[str, list[str]]:
    """Classes with their twin, masks, folds; and one whose twin was stopped: how it ends."""
    start = ["--from", str(runs / "pretrained")]
    run(*finetune(root, runs / "classified", *start, "--labels-per-class", "3"))
    run(*finetune(root, runs / "segmented", *start, "--kind", "segmentation", "--labels-per-class", "8", "--no-twin"))
    run(*finetune(root, runs / "folds", *start, "--labels-per-class", "3", "--folds", "2", steps=3))
    run(*finetune(root, runs / "stopped twin", *start, "--labels-per-class", "2"), stop_after=9)
    return {"stopped twin": went_on(runs / "stopped twin")}


def went_on(folder: Path) -> list[str]:
    """Hashes of the weights that a copy of a run ends with when it goes on."""
    copied = folder.parent.parent / "copied"
    shutil.copytree(folder, copied)
    run("resume", str(copied))
    hashes = [hash_of_tensors(file) for file in sorted(copied.rglob("*last.safetensors"))]
    shutil.rmtree(copied)
    return hashes


def studies(root: Path, runs: Path) -> dict[str, list[str]]:
    """A comparison, a tournament, and one that was killed while its winner went on; the commands that made them."""
    everywhere = given("--set-all", ["hardware.precision=float32", "hardware.threads=1"])
    shared = [*SHARED, *everywhere]
    compare = ["compare", str(root / NAME), "--out", str(runs / "comparison"), "--tasks", "rotation",
               "--labels", "1,2", "--seeds", "2", "--steps", "3", *shared,
               *given("--set", ["budget.steps=4", "probe.enabled=false", "optimiser.batch_size=8"])]  # fmt: skip
    cups = {
        name: ["tournament", str(root / NAME), "--out", str(runs / name), "--tasks", "rotation,vicreg",
               "--minutes", "0.2", *shared,
               *given("--set", ["optimiser.batch_size=8", "probe.draws=4", "vicreg.expander=16"])]
        for name in ("cup", "cup that was killed")
    }  # fmt: skip
    run(*compare)
    run(*cups["cup"])
    run(*cups["cup that was killed"], stop_after=-1, how="SIGKILL")
    return {"comparison": compare, **cups}


def run(*command: str, stop_after: int = 0, how: str = "SIGTERM") -> None:
    """One command in a process of its own, ended by a signal after so many losses (-1: near a tournament's end)."""
    sys.stderr.write(f"{command[0]} {command[-1] if command[0] == 'resume' else ''}\n")
    started = [sys.executable, str(Path(__file__).resolve()), "--child", str(stop_after), how, *command]
    done = subprocess.run(started, capture_output=True, text=True, check=False)
    if done.returncode not in (0, -signal.Signals[how].value):
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")


def child(stop_after: int, how: str, command: list[str]) -> int:
    """The program with the smaller network, and with a signal to itself when it is time."""
    import torch

    plain, count = torch.autograd.backward, 0
    near_its_end = time_in_the_winner(command)

    def backward(*rest: Any, **named: Any) -> None:
        nonlocal count
        plain(*rest, **named)
        count += 1
        if count == stop_after or (stop_after < 0 and near_its_end() > 1.5):
            os.kill(os.getpid(), signal.Signals[how])

    torch.autograd.backward = backward
    sys.path[0], sys.argv = os.getcwd(), ["sslstudio", *command]
    with smaller_encoder():
        try:
            runpy.run_module("sslstudio", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            return int(end.code or 0)
    return 0


def time_in_the_winner(command: list[str]) -> Callable[[], float]:
    """Seconds since the winner of a tournament began to go on."""
    began: list[float] = []
    events = Path(command[command.index("--out") + 1] if "--out" in command else ".") / "winner" / "events.jsonl"

    def passed() -> float:
        if not began and events.exists():
            began.append(time.monotonic())
        return time.monotonic() - began[0] if began else 0.0

    return passed


# What the window keeps


def in_the_window(root: Path) -> None:
    """Open the pictures, choose a task, an option, the side and how long; open two folders as one set; preferences."""
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from sslstudio.ui.base import app_settings as settings
    from sslstudio.ui.shell.main_window import MainWindow
    from sslstudio.ui.workspace.folders import folders_of

    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(root / "settings"))
    settings.set_appearance("dark")
    settings.set_language("de")
    settings.set_device("cpu")
    settings.set_notifies(False)
    settings.set_keeps_awake(False)
    settings.set_apart(True)
    settings.set_toured()
    settings.set_home(root / "home")
    app = QApplication.instance() or QApplication([])
    window: Any = MainWindow()
    window.show()
    workspace = window.workspace
    workspace.load_engine()
    wait(app, lambda: workspace.engine is not None)
    folders_of(workspace).open([root / NAME, root / "more"])
    wait(app, lambda: workspace.readable is not None)
    window.open_folder(root / NAME)
    wait(app, lambda: workspace.readable is not None and workspace.folder == root / NAME)
    window.go("pretext")
    pretext = window.pages["pretext"]
    pretext.choose_task("rotation")
    pretext.form.editor("grey").set_value(0.5)
    pretext._options_changed()
    window.go("pretrain")
    page = window.pages["pretrain"].settings
    page.set_data({"side": 32})
    page.budget.amount.setValue(7)
    page.forms["batch"].editor("batch_size").set_value(16)
    wait(app, lambda: pretext._job is None and not pretext.clinic.under_way)
    window.close()
    wait(app, lambda: workspace.project_now().task == "rotation")
    settings.set_under_way(str(root / "home" / "Projects" / NAME / "runs" / "killed"))


def wait(app: Any, is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not is_so():
        if time.monotonic() > until:
            raise SystemExit("The window did not come to an end with it.")
        app.processEvents()
        time.sleep(0.01)


def queue(root: Path, home: Path) -> None:
    """A pretraining and a fine-tuning that wait."""
    from sslstudio.cli.config_args import config_of
    from sslstudio.cli.main import parser
    from sslstudio.engine.runs.queue import RunQueue, Waiting
    from sslstudio.engine.training.config import config_dict

    runs = home / "Projects" / NAME / "runs"
    waiting = {
        "pretrain": pretrain(root, runs / "waiting", "jigsaw", 4),
        "finetune": finetune(root, runs / "waiting too", "--from", str(runs / "pretrained"), "--folds", "2"),
    }
    line = RunQueue(home / "queue.json")
    for job, command in waiting.items():
        config = config_of(parser().parse_args(command))
        line.add(Waiting(job, f"{job} that waits", config_dict(job, config)))


def journal(root: Path, folder: Path) -> dict[str, Any]:
    """Labels with a journal that nobody has saved, as a crash leaves them; what they come to."""
    import numpy as np

    from sslstudio.engine.images.index import scan
    from sslstudio.engine.labels.editing.start import begin
    from sslstudio.engine.labels.editing.store import Labelling
    from sslstudio.engine.labels.editing.stroke import Patch, Rect
    from sslstudio.engine.labels.recognise import recognise

    index = scan(root / NAME)
    shutil.rmtree(folder, ignore_errors=True)
    for _ in begin(folder, recognise(index)):
        pass
    store, paths = Labelling(folder), list(index.paths)
    store.apply(store.adding("classification", "ladybird"))
    new = store.names("classification")[-1].number
    for edit in (store.labelling(paths[:3], new), store.labelling(paths[3:5], None)):
        assert edit is not None
        store.apply(edit)
    store.apply(store.renaming("classification", 1, "scarab"))
    store.apply(store.recolouring("segmentation", 1, 7))
    store.apply(store.adding("segmentation", "wing"))
    wing = store.names("segmentation")[-1].number
    first = store.mask(paths[0])
    assert first is not None
    rect = Rect(4, 6, 10, 9)
    after = np.full((rect.height, rect.width), wing, np.uint8)
    store.apply(store.painting(paths[0], first.shape, Patch(rect, first[rect.slices].copy(), after)))
    gone = store.unmasking(paths[1])
    assert gone is not None
    store.apply(gone)
    names = {one.number: one.name for one in store.names("classification")}
    expected = {
        "lines": store.journal.lines,
        "of": {path: names[number] for path, number in sorted(store.of.items())},
        "masks": {path: hashlib.sha256(store.mask(path).tobytes()).hexdigest() for path in sorted(store.masked)},  # type: ignore[union-attr]
        "classes": {kind: [one.name for one in store.names(kind)] for kind in ("classification", "segmentation")},
    }
    left = store.journal.path.read_bytes()
    store.journal.close()
    store._lock.release()
    assert store.journal.path.read_bytes() == left
    return expected


if __name__ == "__main__":
    sys.exit(main())
