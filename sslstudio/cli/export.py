"""The commands that take a run away: its networks as files, its answers. Heavy imports happen in each command."""

import argparse
from collections.abc import Callable
from pathlib import Path

Add = Callable[..., argparse.ArgumentParser]
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}


def add_parsers(add: Add) -> None:
    """The parsers of these commands."""
    predict = add("predict", "Predict pictures with a fine-tuned run: a table, and masks as PNG and COCO.")
    predict.add_argument("run", type=Path, metavar="RUN")
    predict.add_argument("folder", type=Path, metavar="DIR")
    predict.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    predict.add_argument(
        "--out", type=Path, required=True, metavar="DIR2", help="folder of the answers; what is answered is skipped"
    )
    predict.add_argument(
        "--separator", choices=tuple(SEPARATORS), default="comma",
        help="between the cells of the table (default comma); semicolon: with decimal commas",
    )  # fmt: skip
    export = add("export", "Write encoder and model of a run for other programs; each file is read back and compared.")
    export.add_argument("run", type=Path, metavar="RUN")
    export.add_argument(
        "--format", default="all", metavar="F", help="safetensors, onnx, torchscript or all (default all)"
    )
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for the files")
    report = add("report", "Write the report of a run: one HTML page with result, curves, mistakes, methods, settings.")
    report.add_argument("run", type=Path, metavar="RUN")
    report.add_argument("--out", type=Path, required=True, metavar="FILE.html")
    report.add_argument("--without-pictures", action="store_true", help="no picture of yours is in the page")
    report.add_argument("--json", action="store_true", help="print JSON: progress and then the result, one a line")
    for command in (predict, export):
        command.add_argument("--part", choices=("pretrained", "scratch"), default="", help="which twin")
        command.add_argument("--weights", choices=("last", "best"), default="last")
        command.add_argument("--json", action="store_true", help="print JSON: progress and then the result, one a line")


def predict(options: argparse.Namespace) -> int:
    """`sslstudio predict`."""
    from sslstudio.cli.console import print_json
    from sslstudio.cli.train import returned, say, steered
    from sslstudio.engine.finetuning.load import load_trained
    from sslstudio.engine.finetuning.predict import predict_folder

    trained = load_trained(options.run, options.device, options.part, options.weights)
    separator = SEPARATORS[options.separator]
    with steered() as control:
        done = returned(predict_folder(trained, options.folder, options.out, control, separator), options.json)
    if options.json:
        print_json(vars(done))
    else:
        before = done.total - done.new
        say(f"{done.new:,} pictures predicted" + (f", {before:,} were there already" if before else ""))
        say(f"{done.unreadable:,} cannot be read: {options.out / 'unreadable.csv'}" if done.unreadable else "")
        say(str(done.table))
    return 0


def export(options: argparse.Namespace) -> int:
    """`sslstudio export`."""
    from sslstudio.cli.console import print_json
    from sslstudio.cli.train import returned, say, steered
    from sslstudio.engine.export.run import export_run

    with steered() as control:
        steps = export_run(options.run, options.out, options.format, control, options.part, options.weights)
        done = returned(steps, options.json)
    if options.json:
        print_json({"out": str(done.out), "files": [vars(one) for one in done.files]})
    else:
        say("\n".join(done.lines()))
        say(f"What it is stands in {done.out / 'card.json'}; to load it: python {done.out / 'use_it.py'} PICTURE")
    return 0


def report(options: argparse.Namespace) -> int:
    """`sslstudio report`."""
    from sslstudio.cli.console import print_json
    from sslstudio.cli.train import returned, say, steered
    from sslstudio.engine.report.run import write_report

    with steered() as control:
        steps = write_report(options.run, options.out, control, pictures=not options.without_pictures)
        out = returned(steps, options.json)
    if options.json:
        print_json({"report": str(out)})
    else:
        say(f"The report is {out}. It holds all that it shows, and opens without a network.")
    return 0
