"""The command that measures this machine. Heavy imports happen in the command."""

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sslstudio.engine.pretraining.bench import Bench

Add = Callable[..., argparse.ArgumentParser]
DRAWN = 300  # sample pictures where no folder is given


def add_parsers(add: Add) -> None:
    """The parser of this command."""
    bench = add("bench", "Measure this machine on your pictures: reading, feeding, the training step, memory.")
    bench.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="default: pictures that are drawn for it")
    bench.add_argument("--task", default="vicreg", metavar="T", help="see: sslstudio tasks (default vicreg)")
    bench.add_argument("--encoder", default="auto", help="auto, small, resnet18, resnet34 or resnet50")
    bench.add_argument("--side", type=int, help="side of the pictures in pixels (default: by pictures and device)")
    bench.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    bench.add_argument("--rounds", type=int, default=5, help="rounds whose median is given (default 5)")
    bench.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="KEY=VALUE", help="an option, as for pretrain"
    )
    bench.add_argument("--json", action="store_true", help="print JSON: progress and then the result, one a line")


def bench(options: argparse.Namespace) -> int:
    """`sslstudio bench`."""
    from sslstudio.cli.console import print_json
    from sslstudio.cli.train import returned, say, steered
    from sslstudio.engine.core.config import with_settings
    from sslstudio.engine.models.encoders import EncoderConfig
    from sslstudio.engine.pretraining.bench import bench as measure
    from sslstudio.engine.sample.make import make_sample
    from sslstudio.engine.training.config import DataConfig, HardwareConfig, PretrainConfig

    with TemporaryDirectory(prefix="sslstudio-drawn-") as drawn, steered() as control:
        if options.folder is None:
            for _ in make_sample(Path(drawn), count=DRAWN, seed=0):
                pass
        data = DataConfig(folder=str(options.folder or drawn), side=options.side)
        config = PretrainConfig(
            task=options.task,
            data=data,
            encoder=EncoderConfig(name=options.encoder),
            hardware=HardwareConfig(device=options.device, tune="on"),
        )
        config = with_settings(config, options.settings, options.task)
        found = returned(measure(config, control, max(1, options.rounds)), options.json)
    if options.json:
        print_json(found.to_json())
    else:
        say("\n".join(bench_lines(found)))
    return 0


def bench_lines(found: "Bench") -> list[str]:
    """The table for people."""
    from sslstudio.engine.core.durations import duration

    memory = "not known" if found.memory is None else f"{found.memory / 1e9:.1f} GB at most"
    trained = f"{found.task}, encoder {found.encoder}, {found.side} x {found.side} pixels, {found.batch_size} a batch"
    rows = {
        "Device": found.device,
        "Step": found.step_way,
        "Trained": trained,
        "Looking for files": f"{found.scan:,.0f} files a second",
        "Reading": f"{found.read:,.0f} pictures a second (first time only)",
        "Making batches": f"{found.feed:,.1f} pictures a second",
        "Step on a ready batch": f"{found.step:,.1f} pictures a second",
        "All together": f"{found.end_to_end:,.1f} pictures a second",
        "Waiting for pictures": f"{found.waiting:.1%} of the time",
        "Memory": memory,
        "One pass": f"{found.pictures:,} pictures in about {duration(found.seconds(found.pictures, 1.0))}",
    }
    width = max(map(len, rows))
    return [f"{name:<{width}}  {value}" for name, value in rows.items()]
