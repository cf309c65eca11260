"""Whether what the probe says after a quarter of a pretraining is what it says at its end.

python -m tests.benchmarks.bench_quarter DIR --tasks vicreg jigsaw rotation --seeds 3 --steps 300 --side 64
python -m tests.benchmarks.bench_quarter DIR --dealt        # labels dealt at random: there is nothing to find

A row is one pretraining. With `--dealt` the classes of the pictures are shuffled among them, so that no pretraining
can differ from an untrained network in truth: what is said to help or harm there is wrong. Rows that are done are
kept in --out, and the command goes on where it was: a row that was broken off is begun anew.
"""

import argparse
import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Probed
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.evaluate.probe_difference import HARMS, HELPS, UNCLEAR
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.training.config import BudgetConfig, DataConfig, HardwareConfig, PretrainConfig, ProbeConfig

QUARTER = (0.2, 0.35)  # of the run: the probe after a quarter
ALWAYS = 0.5  # share of the time for probes: here they are what is looked at


def deal_labels(folder: Path, file: Path) -> Path:
    """A table of the pictures of a folder with their classes shuffled, seeded."""
    classes = recognise(scan(folder)).classes
    if classes is None:
        raise SystemExit(f"There are no classes in {folder}.")
    paths = sorted(classes.of)
    dealt = np.random.default_rng(0).permutation([classes.of[path] for path in paths])
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "class"])
        writer.writerows((path, classes.names[label]) for path, label in zip(paths, dealt, strict=True))
    return file


def probes_of(config: PretrainConfig) -> list[Probed]:
    """Those of one pretraining, in order."""
    return [event for event in pretrain(config, RunControl()) if isinstance(event, Probed)]


def row_of(name: str, probes: list[Probed]) -> dict[str, object]:
    """What was said after a quarter and at the end. `quarter` is None where no probe lies there, `end` where there is
    none at the end: such a row is shown and not counted, so that it does not end the rows after it."""
    early = [probe for probe in probes if QUARTER[0] <= probe.share <= QUARTER[1]]
    last = probes[-1] if probes and probes[-1].share >= 1.0 else None
    return {
        "row": name,
        "quarter": str(early[0].verdict) if early else None,
        "end": str(last.verdict) if last else None,
        "difference": last.difference if last else None,
    }


def rows(options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """One for each task and seed, as they are done."""
    labels = str(deal_labels(options.folder, options.out / "dealt.csv")) if options.dealt else ""
    for task in options.tasks:
        for seed in range(options.seeds):
            name = f"{task}-{seed}{'-dealt' if options.dealt else ''}"
            file = options.out / f"{name}.json"
            if not file.exists():
                # A run is never begun in a folder that holds one, and half of one would lack its first probes.
                shutil.rmtree(options.out / name, ignore_errors=True)
                config = PretrainConfig(
                    out=str(options.out / name),
                    task=task,
                    seed=seed,
                    data=DataConfig(folder=str(options.folder), labels=labels, side=options.side),
                    budget=BudgetConfig(steps=options.steps, minutes=None),
                    hardware=HardwareConfig(device="cpu", autotune="off"),
                    probe=ProbeConfig(time=ALWAYS),
                )
                write_atomic(file, json.dumps(row_of(name, probes_of(config))).encode())
            yield json.loads(file.read_text(encoding="utf-8"))


def main() -> None:
    """Print each row, then how many agree, and how many pointed the wrong way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", nargs="+", default=["vicreg", "jigsaw", "rotation"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--dealt", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    found = []
    for row in rows(options):
        print(json.dumps(row), flush=True)
        if None in (row["quarter"], row["end"]):
            print(f"{row['row']} has no probe after a quarter or at its end, and does not count.", flush=True)
        else:
            found.append(row)
    agree = sum(row["quarter"] == row["end"] for row in found)
    wrong = sum({row["quarter"], row["end"]} == {HELPS, HARMS} for row in found)
    print(f"{agree} of {len(found)} agree; {wrong} pointed the other way.")
    said = sum(row["end"] != str(UNCLEAR) for row in found)
    print(f"At the end {said} of {len(found)} say that there is a difference.")


if __name__ == "__main__":
    main()
