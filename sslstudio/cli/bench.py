"""The command that measures this machine. Heavy imports happen in the command."""

import argparse
from typing import TYPE_CHECKING, cast

from sslstudio.cli.config_args import Entry, add_command, add_json, config_by
from sslstudio.cli.console import print_json, returned, say, steered
from sslstudio.engine.core.files.leftovers import temporary

if TYPE_CHECKING:
    from sslstudio.engine.pretraining.bench import Bench

DRAWN = 300  # sample pictures where no folder is given


def _add_bench(parser: argparse.ArgumentParser) -> None:
    from sslstudio.engine.report.command_line import BENCH

    add_command(parser, BENCH, out=False, nargs="?", default="", help="default: pictures that are drawn for it")
    parser.add_argument("--rounds", type=int, default=5, help="rounds whose median is given (default 5)")
    add_json(parser)


def _bench(options: argparse.Namespace) -> int:
    from sslstudio.engine.pretraining.bench import bench
    from sslstudio.engine.report.command_line import BENCH
    from sslstudio.engine.sample.make import make_sample
    from sslstudio.engine.training.config import PretrainConfig

    config = cast(PretrainConfig, config_by(BENCH, options))
    with temporary() as drawn, steered() as control:
        if not config.data.folder:
            for _ in make_sample(drawn, count=DRAWN, seed=0):
                pass
            config = config.replace(data=config.data.replace(folder=str(drawn)))
        found = returned(bench(config, control, max(1, options.rounds)), options.json)
    if options.json:
        print_json(found.to_json())
    else:
        say("\n".join(bench_lines(found)))
    return 0


def bench_lines(found: "Bench") -> list[str]:
    """The table for people."""
    from sslstudio.engine.core.messages import duration

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
        "A step": f"{1000 * found.cost.host:,.1f} ms until the CPU has started it, {1000 * found.cost.device:,.1f} ms "
        "until it is done",
        "Calls a step": f"{found.cost.calls:,.0f} of torch, {found.cost.copies:,.0f} copies, {found.cost.waits:,.0f} "
        "waits",
        "Memory": memory,
        "One pass": f"{found.pictures:,} pictures in about {duration(found.seconds(found.pictures, 1.0))}",
    }
    width = max(map(len, rows))
    return [f"{name:<{width}}  {value}" for name, value in rows.items()]


COMMANDS = (
    Entry(
        "bench",
        "Measure this machine on your pictures: reading, feeding, the training step, memory.",
        _add_bench,
        _bench,
    ),
)
