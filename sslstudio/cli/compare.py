"""The commands that compare tasks: label efficiency, tournament. Heavy imports happen in the command."""

import argparse
from collections.abc import Callable
from pathlib import Path

from sslstudio.cli.config_args import compare_config, tournament_config

Add = Callable[..., argparse.ArgumentParser]
SETTINGS = "an option of pretraining (optimiser.batch_size=128) or of one task (jigsaw.permutations=504)"


def add_parsers(add: Add) -> None:
    """The parsers of these commands."""
    _add_compare(add("compare", "How much further few labels go: scratch against pretext tasks, with intervals."))
    _add_tournament(add("tournament", "Find the best task in a given time: short runs, the winner goes on."))


def _add_compare(command: argparse.ArgumentParser) -> None:
    _add_pictures(command)
    command.add_argument("--kind", choices=("classification", "segmentation"), default="classification")
    command.add_argument("--tasks", default="", metavar="A,B", help="pretext tasks, see: sslstudio tasks")
    command.add_argument(
        "--weights", action="append", default=[], metavar="NAME=FILE|RUN", help="a row pretrained elsewhere"
    )
    command.add_argument("--labels", default="5,10,25", help="labelled pictures a class; for masks: in all")
    command.add_argument("--scratch-labels", default="", metavar="N,N", help="more numbers for scratch alone")
    command.add_argument("--seeds", type=int, default=5, help="draws of labels, the same for all rows (default 5)")
    command.add_argument("--steps", type=int, default=120, help="fine-tuning steps, the same for all (default 120)")
    length = command.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="of each pretraining (default 10)")
    length.add_argument("--pretrain-epochs", type=int, help="of each pretraining")
    command.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE", help=SETTINGS)
    command.add_argument(
        "--finetune-set", action="append", default=[], metavar="KEY=VALUE", help="an option of fine-tuning"
    )
    command.add_argument("--keep-weights", action="store_true", help="keep the weights of every fine-tuned network")


def _add_tournament(command: argparse.ArgumentParser) -> None:
    _add_pictures(command)
    command.add_argument("--minutes", type=float, default=30.0, help="in all (default 30)")
    command.add_argument("--tasks", default="", metavar="A,B", help="pretext tasks (default: all that suit)")
    command.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE", help=SETTINGS)


def _add_pictures(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument("--out", type=Path, required=True, metavar="OUT", help="where it is kept; resumed if there")
    command.add_argument("--label-file", default="", metavar="FILE", help="a CSV of file names and labels, or COCO")
    command.add_argument("--side", type=int, help="side of the pictures in pixels (default: by pictures and device)")
    command.add_argument("--encoder", default="auto", help="auto, small, resnet18, resnet34 or resnet50")
    command.add_argument("--groups", default="", metavar="RULE", help="what to keep together: folder:1 or name:PATTERN")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    command.add_argument(
        "--set-all", dest="all_settings", action="append", default=[], metavar="KEY=VALUE",
        help="an option of the pictures, the network or the machine, for every run (data.test=0.3)",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="print JSON, one event a line; the last one is the table")


def compare(options: argparse.Namespace) -> int:
    """`sslstudio compare`."""
    from sslstudio.cli.console import show
    from sslstudio.cli.train import say, steered
    from sslstudio.engine.experiments.compare import compare as run

    config = compare_config(options)
    with steered() as control:
        show(run(config, control), options.json)
    if not options.json:
        say((options.out / "table.md").read_text(encoding="utf-8"))
        say(f"The curve is in {options.out / 'curve.png'}, all numbers in {options.out / 'table.json'}.")
    return 0


def tournament(options: argparse.Namespace) -> int:
    """`sslstudio tournament`."""
    from sslstudio.cli.console import show
    from sslstudio.cli.train import say, steered
    from sslstudio.engine.experiments.tournament import tournament as run

    config = tournament_config(options)
    with steered() as control:
        show(run(config, control), options.json)
    if not options.json:
        say((options.out / "tournament.md").read_text(encoding="utf-8"))
    return 0
