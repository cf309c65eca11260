"""What it brings that freed memory stays with the process: the same pretraining with and without, in turns.

    python -m tests.benchmarks.bench_memory --tasks jigsaw simclr --encoder resnet18 --steps 30 --runs 5

Without is how glibc does it by itself: see sslstudio/engine/compute/malloc.py. On Linux only.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.bench_kit import Figures, medians, place_apart, show

WAYS = {"kept": {}, "given back": {"GLIBC_TUNABLES": ""}}  # who has set this has it as the C library does it


def measured(way: str, task: str, folder: Path, out: Path, options: argparse.Namespace) -> Figures:
    """Speed, seconds of processor, pages and memory of one run in a process of its own."""
    settings = [
        f"encoder.name={options.encoder}",
        f"data.side={options.side}",
        f"optimiser.batch_size={options.batch}",
        f"budget.steps={options.steps}",
        "probe.enabled=false",
        "hardware.autotune=off",
        "hardware.device=cpu",
    ]
    command = [sys.executable, "-m", "sslstudio", "pretrain", str(folder), "--task", task, "--out", str(out)]
    command += [part for one in settings for part in ("--set", one)]
    run = subprocess.Popen(command, env={**os.environ, **WAYS[way]}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(run.pid, 0)
    if status:
        raise SystemExit(f"The run ended with {os.waitstatus_to_exitcode(status)}: {' '.join(command)}")
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    return {
        "rate": options.batch * metrics["steps"] / metrics["seconds"],
        "seconds of processor": used.ru_utime + used.ru_stime,
        "pages": float(used.ru_minflt),
        "peak": used.ru_maxrss * 1024 / 1e6,
    }


def one_run(number: int, folder: Path, place: Path, options: argparse.Namespace) -> Figures:
    figures: Figures = {}
    for task in options.tasks:
        found = {}
        for way in WAYS if number % 2 else reversed(WAYS):
            found[way] = measured(way, task, folder, place / f"{task} {way} {number}", options)
        kept, plain = found["kept"], found["given back"]
        figures |= {
            f"{task}: pictures a second, kept": kept["rate"],
            f"{task}: pictures a second, kept / given back": kept["rate"] / plain["rate"],
            f"{task}: seconds of processor, kept / given back": kept["seconds of processor"]
            / plain["seconds of processor"],
            f"{task}: pages asked of the system, kept / given back": kept["pages"] / plain["pages"],
            f"{task}: most memory, MB, kept": kept["peak"],
            f"{task}: most memory, kept / given back": kept["peak"] / plain["peak"],
        }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="pictures (default: drawn ones)")
    parser.add_argument("--tasks", nargs="+", default=["jigsaw"])
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="file for the JSON")
    options = parser.parse_args()
    with place_apart(options.folder) as (place, folder):
        measured("kept", options.tasks[0], folder, place / "warm", options)  # pictures are read
        runs = [one_run(number, folder, place, options) for number in range(options.runs)]
    about = {name: str(value) for name, value in vars(options).items() if name != "out"}
    show("memory", medians(runs), options.runs, about, options.out)


if __name__ == "__main__":
    main()
