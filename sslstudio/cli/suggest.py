"""The command that says which pictures to label next. Heavy imports happen in the command."""

import argparse
from collections.abc import Callable, Generator
from pathlib import Path

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing

Add = Callable[..., argparse.ArgumentParser]


def add_parsers(add: Add) -> None:
    """The parser of this command."""
    suggest = add("suggest", "Say which pictures to label next: typical ones, no two alike, later the unsure ones.")
    suggest.add_argument("folder", type=Path, metavar="DIR")
    suggest.add_argument(
        "--from", dest="source", type=Path, metavar="RUN", help="a pretraining to compare the pictures by"
    )
    suggest.add_argument(
        "--unsure", type=Path, metavar="RUN", help="a fine-tuned run: what it is unsure of comes first"
    )
    suggest.add_argument("--labels", default="", metavar="FILE.csv|DIR", help="labels there are already")
    suggest.add_argument(
        "--kind", choices=("classification", "segmentation"), default="", help="which labels count (default: both)"
    )
    suggest.add_argument("--count", type=int, default=24, help="how many pictures (default 24)")
    suggest.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    suggest.add_argument("--json", action="store_true", help="print JSON: progress and then the result, one a line")


def suggest(options: argparse.Namespace) -> int:
    """`sslstudio suggest`."""
    from sslstudio.cli.console import print_json
    from sslstudio.cli.train import returned, say, steered

    with steered() as control:
        found = returned(_next_ones(options, control), options.json)
    if options.json:
        print_json({"files": found})
    else:
        say("\n".join(found) or "Every picture has a label.")
    return 0


def _next_ones(options: argparse.Namespace, control: RunControl) -> Generator[Preparing, None, list[str]]:
    from sslstudio.engine.evaluate.active_learning import suggest as pick
    from sslstudio.engine.finetuning.similarity import doubts, look_alike
    from sslstudio.engine.images.index import scan
    from sslstudio.engine.labels.recognise import recognise

    recognised = recognise(scan(options.folder), options.labels)
    alike = yield from look_alike(recognised.pictures, options.source, control, options.device)
    unsure = None
    if options.unsure is not None:
        of = yield from doubts(recognised.pictures, options.unsure, control)
        unsure = [of.get(path, 0.0) for path in alike.paths]
    kinds = {"classification": recognised.classes, "segmentation": recognised.masks}
    given = [labels for kind, labels in kinds.items() if labels and options.kind in ("", kind)]
    labelled = {path for labels in given for path in labels.of}
    known = [number for number, path in enumerate(alike.paths) if path in labelled]
    return [alike.paths[number] for number in pick(alike.features, known, options.count, unsure)]
