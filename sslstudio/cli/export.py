"""The commands that take a run or labels away: networks as files, answers, labels in other formats, a report, a film.

Heavy imports happen in each command."""

import argparse
from pathlib import Path

from sslstudio.cli.config_args import Entry, add_device, add_json, add_roles, add_trained, labels_path, roles_of
from sslstudio.cli.console import print_json, returned, say, steered
from sslstudio.engine.core.errors import InputError

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("folder", type=Path, metavar="DIR")
    add_device(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR2", help="folder of the answers; what is answered is skipped"
    )
    parser.add_argument(
        "--separator", choices=tuple(SEPARATORS), default="comma",
        help="between the cells of the table (default comma); semicolon: with decimal commas",
    )  # fmt: skip
    add_roles(parser)
    add_trained(parser)
    add_json(parser)


def _predict(options: argparse.Namespace) -> int:
    from sslstudio.engine.finetuning.use.load import load_trained
    from sslstudio.engine.finetuning.use.predict import predict_folder

    trained = load_trained(options.run, options.device, options.part, options.weights)
    separator = SEPARATORS[options.separator]
    with steered() as control:
        predicting = predict_folder(trained, options.folder, options.out, control, separator, roles_of(options.roles))
        done = returned(predicting, options.json)
    if options.json:
        print_json(vars(done))
    else:
        before = done.total - done.new
        say(f"{done.new:,} pictures predicted" + (f", {before:,} were there already" if before else ""))
        say(f"{done.unreadable:,} cannot be read: {options.out / 'unreadable.csv'}" if done.unreadable else "")
        say(str(done.table))
    return 0


def _add_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="pictures with labels in any format that is read")
    parser.add_argument("--labels", default="", metavar="FILE", help="the file or folder of labels, if not found")
    parser.add_argument(
        "--format", default="all", metavar="F,F",
        help="coco, yolo, voc, labelme, geojson or all (default all); tables and masks as PNG are always written",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR2", help="a new folder for the files")
    add_roles(parser)
    add_json(parser)


def _labels(options: argparse.Namespace) -> int:
    from sslstudio.engine.images.index import scan
    from sslstudio.engine.labels.editing.export import export_recognised, read_formats
    from sslstudio.engine.labels.recognise import recognising

    formats = read_formats(options.format)
    labels, roles = labels_path(options.labels) if options.labels else "", roles_of(options.roles)
    with steered():
        recognised = returned(recognising(scan(options.folder), labels, roles), options.json)
        done = returned(export_recognised(recognised, options.out, formats), options.json)
    if options.json:
        print_json({**vars(done), "out": str(done.out), "formats": list(formats) if done.masks else []})
        return 0
    say(f"{done.labelled:,} labelled pictures and {done.masks:,} masks are in {done.out}.")
    if not done.masks:
        say("There are no masks: labels.csv and classes.csv hold all there is.")
    return 0


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument(
        "--format", default="all", metavar="F", help="safetensors, onnx, torchscript or all (default all)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for the files")
    add_trained(parser)
    add_json(parser)


def _export(options: argparse.Namespace) -> int:
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


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.html")
    parser.add_argument("--without-pictures", action="store_true", help="no picture of yours is in the page")
    parser.add_argument(
        "--language",
        default="en",
        metavar="CODE",
        help="of the report: en (default) or de (German)",
    )
    add_json(parser)


def _report(options: argparse.Namespace) -> int:
    from sslstudio.engine.core.catalogue import find_language
    from sslstudio.engine.report.run import write_report

    language = find_language(options.language)
    with steered() as control:
        steps = write_report(
            options.run, options.out, control, pictures=not options.without_pictures, language=language
        )
        out = returned(steps, options.json)
    if options.json:
        print_json({"report": str(out)})
    else:
        say(f"The report is {out}. It holds all that it shows, and opens without a network.")
    return 0


def _add_gif(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.gif")


def _gif(options: argparse.Namespace) -> int:
    from sslstudio.engine.core.control import to_end
    from sslstudio.engine.pretraining.animation import write_film
    from sslstudio.engine.runs.run_folder import RunFolder

    if options.out.exists():
        raise InputError("{out} exists already and is not overwritten. Choose another name.", out=options.out)
    count = to_end(write_film(RunFolder.open(options.run), options.out))
    say(f"{count:,} pictures of the training are in {options.out}.")
    return 0


COMMANDS = (
    Entry(
        "predict",
        "Predict pictures with a fine-tuned run: a table, and masks as PNG and COCO.",
        _add_predict,
        _predict,
    ),
    Entry(
        "export",
        "Write encoder and model of a run for other programs; each file is read back and compared.",
        _add_export,
        _export,
    ),
    Entry(
        "labels",
        "Write the labels of a folder in other formats: COCO, YOLO, Pascal VOC, labelme, GeoJSON.",
        _add_labels,
        _labels,
    ),
    Entry(
        "report",
        "Write the report of a run: one HTML page with result, curves, mistakes, methods, settings.",
        _add_report,
        _report,
    ),
    Entry(
        "gif", "A film of a pretraining: the same puzzles as the network solves them better and better.", _add_gif, _gif
    ),
)
