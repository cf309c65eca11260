"""What bfloat16 costs in learning: the same steps in both precisions, and what a linear probe reads afterwards.

python -m tests.benchmarks.bench_precision --folder DIR --steps 300 --seeds 3
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import mean

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.sample.make import make_sample
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.checkpoint import load_encoder
from sslstudio.engine.training.config import (
    BudgetConfig,
    DataConfig,
    HardwareConfig,
    OptimiserConfig,
    PretrainConfig,
    ProbeConfig,
)
from sslstudio.engine.training.session import open_session
from tests.benchmarks.bench_kit import Figures, show
from tests.benchmarks.probe_kit import Reader

PRECISIONS = ("float32", "bfloat16")


def trained(precision: str, seed: int, out: Path, options: argparse.Namespace, data: DataConfig) -> float:
    """Seconds of a pretraining."""
    config = PretrainConfig(
        out=str(out),
        task=options.task,
        seed=seed,
        data=data,
        encoder=EncoderConfig(name=options.encoder, stem=options.stem),
        optimiser=OptimiserConfig(batch_size=options.batch),
        budget=BudgetConfig(steps=options.steps),
        hardware=HardwareConfig(device=options.device, precision=precision, autotune="off"),
        probe=ProbeConfig(enabled=False),
        options=load_tasks()[options.task].Config(),
    )
    began = time.perf_counter()
    for _ in pretrain(config, RunControl()):
        pass
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="pictures in a folder for each class (default: drawn ones)")
    parser.add_argument("--task", default="vicreg")
    parser.add_argument("--encoder", default="small")
    parser.add_argument("--stem", default="small")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="file for the JSON")
    options = parser.parse_args()
    accuracy: dict[str, list[float]] = {name: [] for name in ("untrained", *PRECISIONS)}
    seconds: dict[str, list[float]] = {name: [] for name in PRECISIONS}
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place) / "sample"
        if options.folder is None:
            to_end(make_sample(folder, count=1200, seed=0))
        data = DataConfig(folder=str(folder), side=options.side)
        reader = Reader(to_end(open_session(data, devices.choose("cpu"), RunControl())))
        for seed in range(options.seeds):
            accuracy["untrained"].append(reader.read(build_encoder(_encoder(options), seed)))
            for precision in PRECISIONS if seed % 2 else reversed(PRECISIONS):
                out = Path(place) / f"{precision}-{seed}"
                seconds[precision].append(trained(precision, seed, out, options, data))
                encoder = build_encoder(_encoder(options), seed)
                load_encoder(encoder, out)
                accuracy[precision].append(reader.read(encoder))
            print({name: f"{values[-1]:.3f}" for name, values in accuracy.items()}, flush=True)
    pairs = zip(accuracy["bfloat16"], accuracy["float32"], strict=True)
    apart = [ours - theirs for ours, theirs in pairs]
    figures: Figures = {f"linear probe, {name}, mean": mean(values) for name, values in accuracy.items()}
    figures |= {"bfloat16 - float32, mean": mean(apart), "least": min(apart), "most": max(apart)}
    figures["seconds, float32 / bfloat16"] = mean(seconds["float32"]) / mean(seconds["bfloat16"])
    show("precision", figures, options.seeds, {k: str(v) for k, v in vars(options).items() if k != "out"}, options.out)


def _encoder(options: argparse.Namespace) -> EncoderConfig:
    return EncoderConfig(name=options.encoder, stem=options.stem)


if __name__ == "__main__":
    main()
