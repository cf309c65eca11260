"""The commands that take a run away: its networks as files. Heavy imports happen in each command."""

import argparse
from collections.abc import Callable
from pathlib import Path

Add = Callable[..., argparse.ArgumentParser]


def add_parsers(add: Add) -> None:
    """The parsers of these commands."""
    export = add("export", "Write encoder and model of a run for other programs; each file is read back and compared.")
    export.add_argument("run", type=Path, metavar="RUN")
    export.add_argument(
        "--format", default="all", metavar="F", help="safetensors, onnx, torchscript or all (default all)"
    )
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for the files")
    export.add_argument("--part", choices=("pretrained", "scratch"), default="", help="which twin")
    export.add_argument("--weights", choices=("last", "best"), default="last")
    export.add_argument("--json", action="store_true", help="print JSON: progress and then the result, one a line")


def export(options: argparse.Namespace) -> int:
    """`sslstudio export`."""
    from sslstudio.commands import returned, say, steered
    from sslstudio.console import print_json
    from sslstudio.engine.train.export_run import export_run

    with steered() as control:
        steps = export_run(options.run, options.out, options.format, control, options.part, options.weights)
        done = returned(steps, options.json)
    if options.json:
        print_json({"out": str(done.out), "files": [vars(one) for one in done.files]})
    else:
        say("\n".join(done.lines()))
        say(f"What it is stands in {done.out / 'card.json'}; to load it: python {done.out / 'use_it.py'} PICTURE")
    return 0
