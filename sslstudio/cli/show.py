"""The commands that make something to look at of a run. Heavy imports happen in each command."""

import argparse
from collections.abc import Callable
from pathlib import Path

from sslstudio.engine.core.errors import InputError

Add = Callable[..., argparse.ArgumentParser]


def add_parsers(add: Add) -> None:
    """The parsers of these commands."""
    gif = add("gif", "A film of a pretraining: the same puzzles as the network solves them better and better.")
    gif.add_argument("run", type=Path, metavar="RUN")
    gif.add_argument("--out", type=Path, required=True, metavar="FILE.gif")


def gif(options: argparse.Namespace) -> int:
    """`sslstudio gif`."""
    from sslstudio.cli.train import say
    from sslstudio.engine.core.control import to_end
    from sslstudio.engine.pretraining.animation import write_film
    from sslstudio.engine.runs.run_folder import RunFolder

    if options.out.exists():
        raise InputError("{out} exists already and is not overwritten. Choose another name.", out=options.out)
    count = to_end(write_film(RunFolder.open(options.run), options.out))
    say(f"{count:,} pictures of the training are in {options.out}.")
    return 0
