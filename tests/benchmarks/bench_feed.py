"""What feeding costs: pictures a second of the training as it runs, beside the same step on a batch that is ready.

python -m tests.benchmarks.bench_feed --runs 5
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.pretraining.bench import bench
from sslstudio.engine.sample.make import make_sample
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import DataConfig, HardwareConfig, OptimiserConfig, PretrainConfig
from tests.benchmarks.bench_kit import Figures, show


def fed(task: str, folder: Path, options: argparse.Namespace) -> Figures:
    """The figures of one task, medians over the rounds."""
    config = PretrainConfig(
        task=task,
        data=DataConfig(folder=str(folder), side=options.side),
        encoder=EncoderConfig(name=options.encoder),
        optimiser=OptimiserConfig(batch_size=options.batch),
        hardware=HardwareConfig(device=options.device, precision=options.precision, autotune="off"),
    )
    found = to_end(bench(config, RunControl(), options.runs))
    return {
        f"{task}: making batches, pictures a second": found.feed,
        f"{task}: step on a ready batch, pictures a second": found.step,
        f"{task}: training, pictures a second": found.end_to_end,
        f"{task}: training / ready batch (at least 0.97)": found.efficiency,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="pictures to measure with (default: drawn ones)")
    parser.add_argument("--tasks", nargs="*", default=sorted(load_tasks()))
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--runs", type=int, default=5, help="rounds of both ways in turn")
    parser.add_argument("--out", type=Path, help="file for the JSON")
    options = parser.parse_args()
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place)
        if options.folder is None:
            to_end(make_sample(folder, count=300, seed=0))
        for task in options.tasks:
            figures |= fed(task, folder, options)
    shares = [value for name, value in figures.items() if "at least" in name]
    figures["least of all tasks"] = min(shares)
    figures["median of all tasks"] = median(shares)
    about = {"device": devices.choose(options.device).title, "side": options.side, "batch": options.batch}
    show("feed", figures, options.runs, {**about, "encoder": options.encoder}, options.out)


if __name__ == "__main__":
    main()
