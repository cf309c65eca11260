"""Two processes of one thread against one process of two: the same training, the same batch, the same two cores.

    python tests/benchmarks/bench_two_processes.py --folder DIR --repeats 5 --out two-processes.json

Each repeat runs both, one after the other, and takes the median time of a step from when its event arrives; steps that
an evaluation or a checkpoint came between do not count. The ratio is that of the medians over the repeats. `losses`
says how far the two are apart over the first steps.
"""

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from sslstudio.engine.core.events import Event, StepDone, from_json
from tests.support.process_team import free_port, team_environment


def main() -> None:
    options = _options()
    rates: dict[str, list[float]] = {"one": [], "two": []}
    apart: list[float] = []
    for number in range(options.repeats):
        losses = {}
        for name, size in (("one", 1), ("two", 2)) if number % 2 == 0 else (("two", 2), ("one", 1)):
            rate, losses[name] = _run(options, size)
            rates[name].append(rate)
            print(f"repeat {number + 1}, {name}: {rate:.2f} pictures a second", file=sys.stderr)
        pairs = zip(losses["one"], losses["two"], strict=False)
        apart.append(max(abs(ours - theirs) / abs(theirs) for theirs, ours in pairs))
    medians = {name: median(values) for name, values in rates.items()}
    result = {
        "benchmark": "two processes of one thread, over one process of two threads",
        "machine": f"{platform.platform()}, {os.cpu_count()} cores",
        "settings": {key: str(value) for key, value in vars(options).items() if key != "out"},
        "pictures_per_second": rates,
        "median": medians,
        "ratio": medians["two"] / medians["one"],
        "losses": {"first_steps": 5, "most_apart": max(apart)},
    }
    text = json.dumps(result, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, required=True, help="pictures to train on")
    parser.add_argument("--task", default="jigsaw")
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pin", action="store_true", help="each of the two on a core of its own (Linux)")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def _run(options: argparse.Namespace, size: int) -> tuple[float, list[float]]:
    """Pictures a second of the median step, and the losses of the first five steps."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "sslstudio", "pretrain", str(options.folder), "--task", options.task,
            "--encoder", options.encoder, "--side", str(options.side), "--device", "cpu", "--json",
            "--set", f"optimiser.batch_size={options.batch}", "--set", f"budget.steps={options.steps}",
            "--set", "probe.enabled=false", "--out", str(Path(folder) / "run"),
        ]  # fmt: skip
        port = free_port()
        team = []
        cores = sorted(os.sched_getaffinity(0)) if options.pin else []
        for rank in range(size):
            environment = dict(os.environ) if size == 1 else team_environment(rank, size, port)
            environment["OMP_NUM_THREADS"] = str(2 // size)
            out = subprocess.PIPE if rank == 0 else subprocess.DEVNULL
            team.append(subprocess.Popen(command, stdout=out, env=environment, text=True))
            if cores and size > 1:  # one process of two threads has both cores
                os.sched_setaffinity(team[-1].pid, {cores[rank % len(cores)]})
        leader = team[0]
        assert leader.stdout is not None
        arrived: list[tuple[float, Event]] = [(time.perf_counter(), from_json(line)) for line in leader.stdout]
        codes = [process.wait() for process in team]
        if any(codes):
            raise SystemExit(f"The training ended with {codes}.")
    seconds, losses = [], []
    for (before, earlier), (after, event) in itertools.pairwise(arrived):
        if isinstance(event, StepDone) and event.step <= 5:
            losses.append(event.loss)
        if isinstance(earlier, StepDone) and isinstance(event, StepDone) and earlier.step > 2:
            seconds.append((after - before) / (event.step - earlier.step))
    return options.batch / median(seconds), losses


if __name__ == "__main__":
    main()
