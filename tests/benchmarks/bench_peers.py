"""The program beside what one would write or pick instead: the same encoder, the same sizes, the same machine.

    python -m tests.benchmarks.bench_peers --runs 5
    python -m tests.benchmarks.bench_peers --only simclr --runs 3
    python -m tests.benchmarks.bench_peers --runs 0 --probe-minutes 10

Needs `pip install ".[bench]"`. Each run measures the other one and then the program, and takes their ratio. Both
compute in float32 and in bfloat16, so that no ratio compares one with the other. The probe trains the reference for so
many minutes and the program for a third of that, and reads both with the same linear probe.
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.images.index import scan
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.pretraining.bench import Bench, bench
from sslstudio.engine.sample.make import make_sample
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import DataConfig, HardwareConfig, OptimiserConfig, PretrainConfig
from tests.benchmarks.bench_kit import Figures, medians, show
from tests.benchmarks.probe_kit import probed
from tests.benchmarks.reference_jigsaw import CELL, Reference

SIDE = 64  # pixels of a SimCLR view
ROUNDS = 2  # of the program in each run: their median
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def ours(task: str, folder: Path, side: int, batch: int, precision: str, **options: float) -> float:
    """Pictures a second of the program's own training, computed in the way that it finds fastest in this precision."""
    config = PretrainConfig(
        task=task,
        data=DataConfig(folder=str(folder), side=side),
        encoder=EncoderConfig(name="resnet18", stem="large"),
        optimiser=OptimiserConfig(batch_size=batch),
        hardware=HardwareConfig(device="cpu", precision=precision, autotune="on"),
        options=load_tasks()[task].Config(**options),
    )
    found: Bench = to_end(bench(config, RunControl(), ROUNDS))
    print(f"  {task}, {precision} asked: {found.step_way}", flush=True)
    return found.end_to_end


def simclr_of_lightly(folder: Path, batch: int, steps: int, precision: str) -> float:
    """Pictures a second of the SimCLR example of the lightly library, with ResNet-18 and views of 64 pixels; bfloat16
    by autocast, as its trainers do it."""
    import torchvision
    from lightly.data import LightlyDataset
    from lightly.loss import NTXentLoss
    from lightly.models.modules import SimCLRProjectionHead
    from lightly.transforms.simclr_transform import SimCLRTransform

    resnet = torchvision.models.resnet18()
    network = torch.nn.Sequential(
        *list(resnet.children())[:-1], torch.nn.Flatten(), SimCLRProjectionHead(512, 512, 128)
    )
    criterion = NTXentLoss()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.06)
    dataset = LightlyDataset(str(folder), transform=SimCLRTransform(input_size=SIDE))
    loader = torch.utils.data.DataLoader(dataset, batch, shuffle=True, drop_last=True, num_workers=2)

    def running() -> Iterator[None]:
        while True:
            for (first, second), _, _ in loader:
                with torch.autocast("cpu", PRECISIONS[precision], enabled=precision != "float32"):
                    loss = criterion(network(first), network(second))
                loss.backward()
                optimiser.step()
                optimiser.zero_grad()
                yield

    going = running()
    next(going)
    began = time.perf_counter()
    for _ in range(steps):
        next(going)
    return steps * batch / (time.perf_counter() - began)


def one_run(folder: Path, options: argparse.Namespace) -> Figures:
    """What was asked for, in each precision."""
    figures: Figures = {}
    files = [folder / path for path in scan(folder).paths]
    for precision in PRECISIONS:
        if options.only in ("", "jigsaw"):
            figures |= _jigsaw(folder, files, precision, options)
        if options.only in ("", "simclr"):
            figures |= _simclr(folder, precision, options)
    return figures


def _jigsaw(folder: Path, files: list[Path], precision: str, options: argparse.Namespace) -> Figures:
    theirs = Reference(files, options.jigsaw_batch, precision=PRECISIONS[precision]).rate(options.steps)
    jigsaw = ours("jigsaw", folder, 256, options.jigsaw_batch, precision, tile=CELL)
    asked = load_tasks()["jigsaw"].Config().permutations_per_picture
    return {
        f"jigsaw by DataLoader, {precision}, pictures a second": theirs,
        f"jigsaw of the program, {precision}, pictures a second": jigsaw,
        f"pictures a second, program / DataLoader, {precision} (at least 1.2)": jigsaw / theirs,
        f"labels a second, program / DataLoader, {precision} (at least 8)": asked * jigsaw / theirs,
    }


def _simclr(folder: Path, precision: str, options: argparse.Namespace) -> Figures:
    lightly = simclr_of_lightly(folder, options.simclr_batch, options.steps, precision)
    simclr = ours("simclr", folder, SIDE, options.simclr_batch, precision, size=1.0)
    return {
        f"SimCLR of lightly, {precision}, pictures a second": lightly,
        f"SimCLR of the program, {precision}, pictures a second": simclr,
        f"pictures a second, program / lightly, {precision} (at least 1.25)": simclr / lightly,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="pictures in a folder for each class (default: drawn ones)")
    parser.add_argument("--pictures", type=int, default=600, help="that are drawn")
    parser.add_argument("--jigsaw-batch", type=int, default=32)
    parser.add_argument("--simclr-batch", type=int, default=128)
    parser.add_argument("--only", choices=("jigsaw", "simclr"), default="", help="one of the two (default: both)")
    parser.add_argument("--steps", type=int, default=4, help="that the other one is timed over in each run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--probe-minutes", type=float, default=0.0, help="of the reference; 0: leave out")
    parser.add_argument("--probe-seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, help="file for the JSON")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", module="lightly")
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place) / "sample"
        if options.folder is None:
            to_end(make_sample(folder, count=options.pictures, side=256, seed=0))
            folder = folder / "images"
        if options.runs:
            one_run(folder, argparse.Namespace(**{**vars(options), "steps": 1}))  # warms caches and imports
            figures |= medians([one_run(folder, options) for _ in range(options.runs)])
        if options.probe_minutes:
            figures |= probed(folder, Path(place), options.probe_minutes, options.probe_seeds, options.jigsaw_batch)
    about = {name: str(value) for name, value in vars(options).items() if name != "out"}
    show(
        "peers",
        figures,
        options.runs or options.probe_seeds,
        about | {"device": devices.choose("cpu").title},
        options.out,
    )


if __name__ == "__main__":
    main()
