"""A record of what is learnt, to hold two states of the code against each other to the bit.

    python -m tests.support.record OUT.json                        make the record of this checkout
    python -m tests.support.record --compare A.json B.json         exit code 1 and a table where they differ
    python -m tests.support.record --pause FOLDER                  stop trainings half way, and note how they end
    python -m tests.support.record --resume FOLDER OUT.json        the record, and how those trainings end here

A refactor must not change what a seed leads to. For each pretext task the record holds the losses of the first steps,
the held-out loss that the program tells at the end, and a hash of the weights; for a classification and a segmentation
the losses, the weights and every byte of the predictions. Trainings that another state of the code has stopped
(`--pause`) must go on to the weights that they had come to there (`--resume`).

It runs on any layout of the code, also on an older checkout that lacks this file (cd CHECKOUT; PYTHONPATH=CHECKOUT
python .../record.py): the program is asked through its command line alone, and losses are read where torch is asked for
gradients, because the program tells means over as many steps as a quarter of a second holds. Tensors are hashed without
their names.
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
from pathlib import Path
from typing import Any

Record = dict[str, Any]

FIRST_LOSSES = 20
STEPS = 24
STOPPED_AFTER = 9  # steps; of a fine-tuning with its twin, this many into the second of the two
SHARED = ["--encoder", "small", "--side", "48", "--device", "cpu", "--seed", "3"]
SETTINGS = [
    f"budget.steps={STEPS}",
    "optimiser.batch_size=8",
    "hardware.precision=float32",
    "hardware.tune=off",  # the name up to 0.2, which all versions understand
    "hardware.threads=1",
]
KINDS = {"classification": "4", "segmentation": "12"}  # and the number of labels
STOPPED = ("jigsaw", "byol", "colorization_gan")  # one whose tiles change size, one with a teacher, one with a critic


def main() -> int:
    """Do what the arguments ask for; the exit code."""
    if sys.argv[1:2] == ["--child"]:
        return _child(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", metavar="OUT.json")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("A.json", "B.json"))
    parser.add_argument("--pause", type=Path, metavar="FOLDER", help="a new folder for stopped trainings")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="trainings that --pause has stopped")
    parser.add_argument("--only", default="", metavar="T,...", help="these tasks alone, and no fine-tunings")
    options = parser.parse_args()
    if options.compare:
        return compare(*(json.loads(file.read_text(encoding="utf-8")) for file in options.compare))
    if options.pause:
        pause(options.pause.resolve())
        return 0
    if options.out is None:
        parser.error("a file for the record is needed: OUT.json")
    with tempfile.TemporaryDirectory() as folder:
        recorded = record(Path(folder), tuple(filter(None, options.only.split(","))))
        if options.resume:
            recorded.update(resumed(options.resume.resolve(), Path(folder)))
    options.out.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
    return int(any(not row.get("as_before", True) for row in recorded.values()))


# The record


def record(folder: Path, only: tuple[str, ...] = ()) -> Record:
    """Each pretext task, and one fine-tuning of each kind, on pictures that the program draws."""
    sys.stderr.write(f"the program in {os.getcwd()}\n")
    pictures = _draw(folder)
    tasks = [json.loads(line)["name"] for line in _ask(folder, "tasks", "--json").splitlines()]
    rows: Record = {"machine": _machine()}
    for task in only or tasks:
        rows[task] = _train(folder, *_pretraining(pictures, task, folder / task), out=folder / task)
    for kind in () if only else KINDS:
        out = folder / kind
        rows[kind] = _train(folder, *_finetuning(pictures, kind, folder / "jigsaw", out), out=out)
        answers = folder / f"{kind} answers"
        _ask(folder, "predict", str(out), str(pictures / "images"), "--device", "cpu", "--out", str(answers))
        rows[kind]["predicted"] = _hashed_files(answers, "*.csv", "*.png")
    return rows


def _draw(folder: Path) -> Path:
    _ask(folder, "sample", str(folder / "pictures"), "--count", "60", "--seed", "1")
    return folder / "pictures"


def _machine() -> Record:
    """What the last bit of a sum depends on, besides the code. Records of different machines differ."""
    import torch

    return {"torch": torch.__version__, "processor": torch.backends.cpu.get_cpu_capability()}


def _pretraining(pictures: Path, task: str, out: Path) -> list[str]:
    given = [*SETTINGS, "probe.enabled=false"]  # whose number depends on the clock, and which ask for gradients too
    return ["pretrain", str(pictures), "--task", task, "--out", str(out), *SHARED, *_set(given)]


def _finetuning(pictures: Path, kind: str, source: Path, out: Path) -> list[str]:
    asked = ["--kind", kind, "--from", str(source), "--labels-per-class", KINDS[kind]]
    return ["finetune", str(pictures), *asked, "--out", str(out), *SHARED, *_set(SETTINGS)]


def _set(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def _train(folder: Path, *command: str, out: Path, stop_after: int = 0) -> Record:
    """Run a training; what it has learnt."""
    sys.stderr.write(f"{command[0]} {out.name}\n")
    losses = folder / "losses.json"
    _ask(folder, *command, losses=losses, stop_after=stop_after)
    return {
        "losses": json.loads(losses.read_text(encoding="utf-8"))[:FIRST_LOSSES],
        "told": _told(out),
        "weights": weights_of(out),
        "predictions": _hashed_files(out, "*.csv", "*.png", without="samples"),
    }


def _told(run: Path) -> list[str]:
    """The held-out loss of each part at the end, as events.jsonl tells it. Those before it come by the clock."""
    lines = (run / "events.jsonl").read_text(encoding="utf-8").splitlines()
    scored = [event for event in map(json.loads, lines) if event["event"] == "Evaluated"]
    last = {event["part"]: event["metrics"] for event in scored}
    return [float(last[part]["loss"]).hex() for part in sorted(last) if "loss" in last[part]]


def weights_of(run: Path) -> list[str]:
    """A hash of the newest weights of each part of a run, with all that is needed to go on with it."""
    return [hash_of_tensors(file) for file in sorted(run.rglob("*last.safetensors"))]


def hash_of_tensors(file: Path) -> str:
    """A hash of all tensors of a file that does not depend on their names, nor on the order that names give them."""
    from safetensors import safe_open

    with safe_open(file, framework="np") as content:
        tensors = [content.get_tensor(name) for name in content.keys()]  # noqa: SIM118  not a dict
    each = [f"{one.dtype}{one.shape}".encode() + one.tobytes() for one in tensors]
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(one).digest() for one in each))).hexdigest()


def _hashed_files(folder: Path, *patterns: str, without: str = "/") -> dict[str, str]:
    files = sorted({file for pattern in patterns for file in folder.rglob(pattern)})
    names = {file.relative_to(folder).as_posix(): file for file in files}
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest()
        for name, file in names.items()
        if not name.startswith(without)
    }


# Trainings that one state of the code stops and another one goes on with


def pause(folder: Path) -> None:
    """Put stopped trainings into a new folder, with what becomes of them when they go on with this code."""
    folder.mkdir(parents=True)
    pictures, ends = _draw(folder), {}
    for task in STOPPED:
        out = folder / "runs" / task
        _train(folder, *_pretraining(pictures, task, out), out=out, stop_after=STOPPED_AFTER)
        ends[task] = _went_on(folder, out, folder)
    source, out = folder / "source", folder / "runs" / "classification"
    _train(folder, *_pretraining(pictures, "jigsaw", source), out=source)
    command = _finetuning(pictures, "classification", source, out)
    _train(folder, *command, out=out, stop_after=STEPS + STOPPED_AFTER)
    ends["classification"] = _went_on(folder, out, folder)
    (folder / "losses.json").unlink()
    (folder / "ends.json").write_text(json.dumps(ends, indent=1) + "\n", encoding="utf-8")


def _went_on(folder: Path, run: Path, place: Path) -> Record:
    """How a copy of a stopped training ends."""
    copied = place / "copied" / run.name
    shutil.copytree(run, copied)
    row = _train(folder, "resume", str(copied), out=copied)
    shutil.rmtree(copied.parent)
    return row


def resumed(folder: Path, place: Path) -> Record:
    """How the trainings of `pause` end with this code; `as_before` says whether they end as they did with the other."""
    ends: Record = json.loads((folder / "ends.json").read_text(encoding="utf-8"))
    rows = {name: _went_on(place, folder / "runs" / name, place) for name in ends}
    for name, row in rows.items():
        row["as_before"] = row == ends[name]
        sys.stderr.write(f"resumed {name}: {'as before' if row['as_before'] else 'NOT as before'}\n")
    return {f"resumed {name}": row for name, row in rows.items()}


# The program, asked through its command line


def _ask(folder: Path, *command: str, losses: Path | None = None, stop_after: int = 0) -> str:
    """Run one command in a process of its own, computing on one thread; what it printed."""
    alone = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "SSLSTUDIO_CACHE": str(folder / "cache")}
    program = ["-m", "sslstudio", *command]
    if losses is not None:
        program = [str(Path(__file__).resolve()), "--child", str(losses), str(stop_after), *command]
    started = [sys.executable, *program]
    done = subprocess.run(started, capture_output=True, text=True, env={**os.environ, **alone}, check=False)
    if done.returncode:
        raise SystemExit(f"sslstudio {' '.join(command)}\nended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def _child(losses: Path, stop_after: int, command: list[str]) -> int:
    """The program in this process; each loss that torch is asked to derive is noted, exactly."""
    sys.path[0] = os.getcwd()  # as with -m; PYTHONPATH, which comes after it, may name another checkout
    import torch

    noted: list[str] = []
    plain = torch.autograd.backward

    def backward(tensors: Any, *rest: Any, **named: Any) -> None:
        noted.append(float(tensors.detach()).hex())
        plain(tensors, *rest, **named)
        if len(noted) == stop_after:
            os.kill(os.getpid(), signal.SIGTERM)  # as a system that shuts down: the run saves and ends

    torch.autograd.backward = backward
    sys.argv = ["sslstudio", *command]
    try:
        runpy.run_module("sslstudio", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        losses.write_text(json.dumps(noted), encoding="utf-8")
        return int(end.code or 0)
    return 0


# Two records


def compare(first: Record, second: Record) -> int:
    """Print where two records differ; 1 if they do."""
    rows = [row for name in {**first, **second} for row in _differences(name, first.get(name), second.get(name))]
    for name, what, one, other in rows:
        sys.stdout.write(f"{name:<28} {what:<32} {one:<28} {other}\n")
    sys.stdout.write(f"{len(rows)} differences in {len({**first, **second})} rows\n" if rows else "Equal to the bit.\n")
    return int(bool(rows))


def _differences(name: str, first: Any, second: Any, where: str = "") -> list[tuple[str, str, str, str]]:
    if isinstance(first, list) and isinstance(second, list):
        first, second = ({str(key + 1): value for key, value in enumerate(one)} for one in (first, second))
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return [] if first == second else [(name, where.strip(), _short(first), _short(second))]
    return [
        row
        for key in {**first, **second}
        for row in _differences(name, first.get(key), second.get(key), f"{where} {key}")
    ]


def _short(value: Any) -> str:
    return "-" if value is None else "there" if isinstance(value, (dict, list)) else str(value)[:26]


if __name__ == "__main__":
    sys.exit(main())
