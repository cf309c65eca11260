"""What it costs to see everything confirmed to the disk: labelling and saving of weights with fsync and without.

python -m tests.benchmarks.bench_fsync --repeats 5
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.training.checkpoint import save_tensors
from tests.attacks.power_cut import begin_labels

EDITS, WEIGHTS = 200, 11_000_000  # those of a ResNet-18


def label(folder: Path) -> float:
    """Milliseconds an edit."""
    begin_labels(folder)
    with Labelling(folder / "labels") as store:
        began = time.perf_counter()
        for number in range(EDITS):
            edit = store.labelling([f"{number % 50}.png"], number // 50 % 2 + 1)
            assert edit is not None
            store.apply(edit)
        return (time.perf_counter() - began) / EDITS * 1000


def save(folder: Path) -> float:
    """Milliseconds a checkpoint: weights and two moments."""
    tensors = {name: torch.zeros(WEIGHTS) for name in ("model", "first", "second")}
    began = time.perf_counter()
    save_tensors(folder / "last.safetensors", tensors, {}, keep=folder / "before.safetensors")
    return (time.perf_counter() - began) * 1000


def medians(work: Callable[[Path], float], repeats: int) -> tuple[float, float]:
    """With fsync and without, in turns."""
    real = os.fsync
    found: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(repeats):
        for synced in (True, False):
            if not synced:
                vars(os)["fsync"] = lambda fd: None
            try:
                with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
                    found[synced].append(work(Path(folder)))
            finally:
                vars(os)["fsync"] = real
    return statistics.median(found[True]), statistics.median(found[False])


def main() -> int:
    """Print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    for name, work in (("an edit", label), ("a checkpoint of 132 MB", save)):
        with_, without = medians(work, options.repeats)
        sys.stdout.write(f"{name}: {with_:.2f} ms with fsync, {without:.2f} ms without: {with_ / without:.2f} times\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
