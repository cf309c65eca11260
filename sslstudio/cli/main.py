"""The command line. `sslstudio` alone opens the window; every command prints help with --help.

Exit codes: 0 fine, 1 the run could not go on, 2 wrong input (one sentence, no traceback), 130 interrupted by Ctrl+C.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from sslstudio import __version__
from sslstudio.cli import bench, compare, export, judge, show, suggest
from sslstudio.engine.compute.malloc import keep_for_reuse
from sslstudio.engine.core.errors import InputError, StudioError

Add = Callable[..., argparse.ArgumentParser]
TOGETHER = ("pretrain", "resume", "work")  # the commands that torchrun may start


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    # Waiting threads of OpenMP burn a core each unless told not to, before torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime would call its maker as soon as it is loaded
    keep_for_reuse()  # before there are threads, which would have arenas of their own
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name that is not text must not end a run
            stream.reconfigure(errors="backslashreplace")
    options = parser().parse_args(arguments)
    if int(os.environ.get("WORLD_SIZE") or 1) > 1 and options.command not in TOGETHER and "RANK" in os.environ:
        return _fail("Several processes can share pretrain and resume only. Start it without torchrun.", 2)
    try:
        return int(_command(options.command)(options) or 0)
    except KeyboardInterrupt:
        return _fail("Interrupted.", 130)
    except BrokenPipeError:  # the reader of our output has gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except StudioError as error:
        return _fail(str(error), 2 if isinstance(error, InputError) else 1)


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"sslstudio: {message}\n")
    return code


def _command(name: str | None) -> Callable[[argparse.Namespace], int | None]:
    if name is None:
        from sslstudio.ui.shell.app import run

        return lambda _: run()
    from sslstudio.cli import train as commands

    places = (
        commands,
        bench,
        judge,
        compare,
        show,
        suggest,
        export,
    )
    found = (getattr(place, name.replace("-", "_"), None) for place in places)
    command: Callable[[argparse.Namespace], int | None] = next(one for one in found if one is not None)
    return command


class _Parser(argparse.ArgumentParser):
    """argparse, with one sentence instead of the usage when something is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"sslstudio: {message}. See: {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = _Parser(
        prog="sslstudio",
        description="Learn from pictures without labels, then from a few labels, and see what it was worth. "
        "Without a command the window opens.",
    )
    top.add_argument("--version", action="version", version=f"sslstudio {__version__}")
    top.add_argument(
        "--self-test", dest="command", action="store_const", const="self-test", help="the command self-test, as a flag"
    )
    top.set_defaults(json=False, window=False)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, about: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=about, description=about)

    work = commands.add_parser("work")  # not listed: what the program starts as a child of its own
    work.add_argument("order", type=Path)
    _add_looking(add)
    _add_training(add)
    _add_using(add)
    judge.add_parsers(add)
    bench.add_parsers(add)
    compare.add_parsers(add)
    show.add_parsers(add)
    suggest.add_parsers(add)
    export.add_parsers(add)
    return top


def _add_looking(add: Add) -> None:
    demo = add("demo", "The whole job on the built-in sample: pretrain, fine-tune, compare with scratch.")
    demo.add_argument("--minutes", type=_positive, default=6.0, help="training time in all (default 6)")
    demo.add_argument("--out", type=Path, help="where to keep it (default: a folder in the user's data)")
    _add_json(demo)
    sample = add("sample", "Draw the sample pictures into a folder.")
    sample.add_argument("folder", type=Path, metavar="DIR")
    sample.add_argument("--count", type=int, default=2400, help="how many pictures (default 2400)")
    sample.add_argument("--seed", type=int, default=0)
    index = add("index", "Say what is in a folder: pictures, labels, files that cannot be read and why.")
    index.add_argument("folder", type=Path, metavar="DIR")
    index.add_argument("--labels", default="", metavar="FILE", help="a CSV of file names and labels, or COCO")
    index.add_argument("--side", type=int, default=96, help="side of the cached pictures in pixels (default 96)")
    _add_json(index)
    tasks = add("tasks", "List the pretext tasks and their options.")
    _add_json(tasks)
    preview = add("preview", "Draw the puzzles of a task on your pictures.")
    _add_task(preview)
    preview.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    preview.add_argument("--count", type=int, default=6, help="how many puzzles (default 6)")
    preview.add_argument("--seed", type=int, default=0)
    preview.add_argument("--draw", type=int, default=0, help="another number draws from other pictures (default 0)")
    doctor = add("doctor", "What was found on this machine, what will be used, and why not the rest.")
    _add_json(doctor)


def _add_training(add: Add) -> None:
    pretrain = add("pretrain", "Teach an encoder with a pretext task, without labels.")
    _add_task(pretrain)
    _add_run(pretrain)
    finetune = add("finetune", "Train on labelled pictures, beside a twin from scratch.")
    finetune.add_argument("folder", type=Path, metavar="DIR")
    finetune.add_argument("--kind", choices=("classification", "segmentation"), default="classification")
    finetune.add_argument(
        "--from", dest="source", default="scratch", metavar="RUN|FILE|scratch", help="what the encoder starts from"
    )
    finetune.add_argument(
        "--labels-per-class", type=int, metavar="N", help="labelled pictures a class; for masks: in all (default: all)"
    )
    finetune.add_argument(
        "--twin", action=argparse.BooleanOptionalAction, default=True,
        help="train the same from scratch and compare (the default, where something was pretrained)",
    )  # fmt: skip
    finetune.add_argument("--probe", action="store_true", help="train only a linear probe, keep the encoder")
    finetune.add_argument("--labels", default="", metavar="FILE", help="a CSV of file names and labels, or COCO")
    finetune.add_argument("--views", type=int, default=1, help="looks at each test picture, averaged (default 1)")
    finetune.add_argument("--folds", type=int, default=1, help="parts that are tested on in turn, for very few labels")
    finetune.add_argument("--no-mirror", action="store_true", help="left and right mean something in these pictures")
    finetune.add_argument("--no-watch", action="store_true", help="do not score validation pictures while training")
    _add_run(finetune)
    resume = add("resume", "Go on with a run that was stopped or killed.")
    resume.add_argument("run", type=Path, metavar="RUN")
    _add_json(resume)
    runs = add("runs", "List the runs in a folder.")
    runs.add_argument("folder", type=Path, metavar="DIR")
    _add_json(runs)


def _add_using(add: Add) -> None:
    evaluate = add("evaluate", "Score a fine-tuned run on labelled pictures.")
    evaluate.add_argument("run", type=Path, metavar="RUN")
    evaluate.add_argument("folder", type=Path, metavar="DIR")
    evaluate.add_argument("--part", choices=("pretrained", "scratch"), default="", help="which twin")
    evaluate.add_argument("--weights", choices=("last", "best"), default="last")
    evaluate.add_argument("--device", default="auto")
    _add_json(evaluate)
    self_test = add("self-test", "Check this installation: read pictures, two steps of each task, open the window.")
    self_test.add_argument("--window", action="store_true", help="only open the window and close it again")
    _add_json(self_test)


def _add_task(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument("--task", default="vicreg", metavar="T", help="see: sslstudio tasks (default vicreg)")
    _add_settings(command)


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="KEY=VALUE",
        help="an option of the task (jigsaw.permutations=100) or of the run (optimiser.learning_rate=0.002)",
    )  # fmt: skip
    command.add_argument("--side", type=int, help="side of the pictures in pixels (default: by pictures and device)")
    command.add_argument(
        "--groups", default="", metavar="RULE", help="pictures to keep together: folder:1 or name:PATTERN"
    )


def _add_run(command: argparse.ArgumentParser) -> None:
    if command.get_default("settings") is None:
        _add_settings(command)
    command.add_argument("--encoder", default="auto", help="auto, small, resnet18, resnet34 or resnet50")
    length = command.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=int, help="passes over the pictures")
    length.add_argument("--minutes", type=_positive, help="training time (default 10)")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    _add_json(command)


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON, one event or result a line")


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return value
