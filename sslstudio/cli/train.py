"""The commands that look at pictures, train, and use what was trained. Heavy imports happen in each command."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sslstudio.cli.config_args import (
    Entry,
    add_command,
    add_configured,
    add_device,
    add_json,
    add_roles,
    add_trained,
    config_by,
    config_of,
    labels_path,
    roles_of,
)
from sslstudio.cli.console import print_arms, print_json, print_result, returned, say, show, steered
from sslstudio.engine.core.config import options_of, to_dict, value_text
from sslstudio.engine.core.errors import InputError
from sslstudio.engine.core.events import Event, RunFinished
from sslstudio.engine.core.messages import duration, neutral
from sslstudio.engine.runs.metrics import is_finetune

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.about.device_trial import Trial, Trying


def _pretrain(options: argparse.Namespace) -> int:
    from sslstudio.engine.launch.launcher import start_run
    from sslstudio.engine.training.config import PretrainConfig

    config = cast(PretrainConfig, config_of(options))
    with steered() as control:
        last = show(start_run(config, control), options.json)
    if last is not None and not options.json:
        say(f"Next, on a few labels: sslstudio finetune {config.data.folder} --from {config.out} --out RUN")
    return 0


def _finetune(options: argparse.Namespace) -> int:
    from sslstudio.engine.finetuning.entry import finetune
    from sslstudio.engine.training.config import FinetuneConfig

    config = cast(FinetuneConfig, config_of(options))
    with steered() as control:
        _show_result(show(finetune(config, control), options.json), options.json, Path(config.out))
    return 0


def _show_result(last: Event | None, as_json: bool, run: Path) -> None:
    if isinstance(last, RunFinished) and not as_json and is_finetune(last.metrics):
        from sslstudio.engine.verdicts.effort import read_effort

        print_result(last.metrics, read_effort(run))


def _add_resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where its pictures are now, if they have moved")
    add_json(parser)


def _resume(options: argparse.Namespace) -> int:
    from sslstudio.engine.launch.launcher import resume_run
    from sslstudio.engine.runs.relink import relink
    from sslstudio.engine.runs.run_folder import RunFolder
    from sslstudio.engine.runs.summary import summary

    if options.data is not None:
        found = relink(options.run, options.data)
        if not options.json:
            say(f"{found:,} of its pictures are in {options.data}.")
    with steered() as control:
        _show_result(show(resume_run(options.run, control), options.json), options.json, options.run)
    if not options.json:
        say(summary(RunFolder.open(options.run).events()))
    return 0


def _add_work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("order", type=Path)


def _work(options: argparse.Namespace) -> int:
    """Be the child that `engine.launch.child_process` starts."""
    from sslstudio.engine.launch.worker import work as run

    with steered() as control:
        return run(options.order, control)


def _add_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    add_json(parser)


def _runs(options: argparse.Namespace) -> int:
    from sslstudio.engine.runs.run_folder import list_runs

    found = list_runs(options.folder)
    for run in found:
        if options.json:
            print_json(vars(run))
        else:
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.modified))
            say(f"{run.path}\n  {when}  {run.title}: {run.outcome} at step {run.step} of {run.total_steps}")
            say("".join(f"  {line}\n" for line in (run.told, run.headline) if line).rstrip("\n"))
    if not found and not options.json:
        say(f"There are no runs in {options.folder}.")
    return 0


def _add_sample(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--count", type=int, default=2400, help="how many pictures (default 2400)")
    parser.add_argument("--seed", type=int, default=0, help="another number draws other pictures (default 0)")


def _sample(options: argparse.Namespace) -> int:
    from sslstudio.engine.sample.make import make_sample

    show(make_sample(options.folder, count=options.count, seed=options.seed), False)
    say(f"{options.count:,} pictures with classes and masks are in {options.folder}.")
    return 0


def _add_index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--labels", default="", metavar="FILE", help="a CSV of file names and labels, or COCO")
    add_roles(parser)
    parser.add_argument("--side", type=int, default=96, help="side of the cached pictures in pixels (default 96)")
    parser.add_argument("--channels", default="", metavar="N,N,N", help="channels of pictures with many: 3 or 3,1,2")
    parser.add_argument("--pages", default="first", metavar="WHICH", help="of files with several: first, all or N")
    add_json(parser)


def _index(options: argparse.Namespace) -> int:
    from sslstudio.engine.dataset.overview import look_at

    with steered() as control:
        labels, roles = labels_path(options.labels), roles_of(options.roles)
        steps = look_at(options.folder, labels, options.side, control, roles, options.channels, options.pages)
        found = returned(steps, options.json)
    if options.json:
        print_json(found.to_json())
    else:
        say("\n".join(found.lines()))
    return 0


def _tasks(options: argparse.Namespace) -> int:
    from sslstudio.engine.tasks.base import load_tasks

    registry = load_tasks()
    for name in registry:
        task = registry[name]
        if options.json:
            print_json({"name": name, "title": task.title, "summary": task.summary, "paper": task.paper,
                        "label_from": task.label_from, "helps": task.helps, "fails": task.fails,
                        "options": to_dict(task.Config())})  # fmt: skip
            continue
        say(f"{name}: {task.title}\n  {task.summary}\n  Helps: {task.helps}\n  Does not: {task.fails}\n  {task.paper}")
        for field in options_of(task.Config):
            say(f"    --set {name}.{field.name}={value_text(field.default)}  {field.about.help}")
        say("")
    return 0


def _add_preview(parser: argparse.ArgumentParser) -> None:
    from sslstudio.engine.report.command_line import PREVIEW

    add_command(parser, PREVIEW, out=False)
    parser.add_argument("--out", dest="picture", type=Path, required=True, metavar="FILE.png", help="the picture drawn")
    parser.add_argument("--count", type=int, default=6, help="how many puzzles (default 6)")
    parser.add_argument("--draw", type=int, default=0, help="another number draws from other pictures (default 0)")


def _preview(options: argparse.Namespace) -> int:
    from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
    from sslstudio.engine.pretraining.preview import PuzzlesReady, preview_puzzles
    from sslstudio.engine.report.command_line import PREVIEW
    from sslstudio.engine.tasks.contact_sheet import puzzle_sheet, sheet_bytes
    from sslstudio.engine.training.config import PretrainConfig

    config = cast(PretrainConfig, config_by(PREVIEW, options))
    kind = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}.get(options.picture.suffix.lower())
    if kind is None:
        raise InputError(
            "--out {out} is not the name of a picture. Try {with_suffix}",
            out=options.picture,
            with_suffix=options.picture.with_suffix(".png"),
        )
    ready: list[PuzzlesReady] = []

    def stages() -> Iterator[Event]:
        for item in preview_puzzles(config, options.count, options.draw, control):
            if isinstance(item, PuzzlesReady):
                ready.append(item)
            else:
                yield item

    with steered() as control:
        show(stages(), False)
    make_folder(options.picture.parent)
    write_atomic(options.picture, sheet_bytes(puzzle_sheet(ready[0].puzzles), kind))
    say(f"{len(ready[0].puzzles)} puzzles are drawn in {options.picture}.")
    return 0


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument(
        "--labels", default="", metavar="FILE|DIR", help="the labels to score it by (default: found by themselves)"
    )
    add_roles(parser)
    add_trained(parser)
    add_device(parser)
    add_json(parser)


def _evaluate(options: argparse.Namespace) -> int:
    from sslstudio.engine.finetuning.use.load import evaluate_run, load_trained

    trained = load_trained(options.run, options.device, options.part, options.weights)
    table = options.run / f"evaluated-{options.folder.resolve().name}.csv"
    with steered() as control:
        scoring = evaluate_run(
            trained, options.folder, table, control, labels_path(options.labels), roles_of(options.roles)
        )
        metrics = returned(scoring, options.json)
    if options.json:
        print_json(metrics)
    else:
        print_result(metrics)
        say(f"The predictions are in {table}.")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from sslstudio.engine.about.doctor import findings

    facts = findings()
    if not options.json:
        for name, value in facts.items():
            say(f"{name}: {value}" if isinstance(value, str) else f"{name}: {json.dumps(value)}")
    if not options.attempt:
        if options.json:
            print_json(facts)
        return 0
    return _try_devices(facts, options.json)


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--try", dest="attempt", action="store_true",
        help="take a real step of each task on each device: what works, how fast, and why not",
    )  # fmt: skip
    add_json(parser)


def _try_devices(facts: dict[str, Any], as_json: bool) -> int:
    """1 when something does not work on a device that is there, else 0. Ctrl+C ends it; what was found is told."""
    from sslstudio.engine.about.device_trial import PICTURES, SIDE, Trial, try_devices

    trials: list[Trial] = []
    if not as_json:
        say(f"Trying a step of each task, on {PICTURES} pictures of {SIDE} px and on each device. Ctrl+C ends it.")
        sys.stdout.flush()
    try:
        for said in try_devices():
            if isinstance(said, Trial):
                trials.append(said)
            if not as_json:  # a driver that crashes must not take these words along, nor hide at which task it did
                sys.stdout.write(neutral(_trial_words(said)))
                sys.stdout.flush()
    except KeyboardInterrupt:
        if not as_json:
            say("")
        raise
    finally:
        if as_json:
            print_json({**facts, "Tried": [trial.to_json() for trial in trials]})
    if not as_json:
        say(_summary(trials))
    return 1 if any(trial.trouble for trial in trials) else 0


def _trial_words(said: "Trying | Trial") -> str:
    """A line in two parts: what is tried, and what came of it once that is known."""
    from sslstudio.engine.about.device_trial import Trying

    if isinstance(said, Trying):
        return f"{said.device:<8} {f'{said.number} of {said.count}':<8} {said.task:<20} "
    if not said.task:
        return f"{said.device:<8} {said.trouble}\n"
    speed = f"{said.pictures_per_second:9,.0f} pictures a second" if said.pictures_per_second else ""
    return f"{said.precision:<9} {f'does not work: {said.trouble}' if said.trouble else f'works{speed}'}\n"


def _summary(trials: "list[Trial]") -> str:
    good = sum(not trial.trouble for trial in trials)
    advice = "" if good == len(trials) else " Take another device for the others (--device cpu)."
    return f"{good} of {len(trials)} work.{advice}"


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=_positive, default=7.0, help="training time in all (default 7)")
    parser.add_argument("--out", type=Path, help="where to keep it (default: a folder in the user's data)")
    add_json(parser)


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return value


def _demo(options: argparse.Namespace) -> int:
    from sslstudio.cli.demo import demo_folder, name_winner, read_arms, run_demo

    began = time.monotonic()
    out = options.out or demo_folder()
    with steered() as control:
        show(run_demo(out, options.minutes, control), options.json)
    if control.stopping:
        return 0
    arms = read_arms(out)
    if options.json:
        print_json({str(arm.title): arm.score.to_json() for arm in arms})
    else:
        print_arms([(str(arm.title), arm.score.to_json()) for arm in arms], name_winner(arms))
        say(f"The runs are in {out}. The demo took {duration(time.monotonic() - began)}.")
    return 0


def _add_self_test(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--window", action="store_true", help="only open the window and close it again")
    parser.add_argument("--device", default="", help="only train two steps on this device, as cuda:0")
    add_json(parser)


def _self_test(options: argparse.Namespace) -> int:
    from sslstudio.cli.selftest import has_failed, run_self_test

    def told(name: str, outcome: str) -> None:
        if not options.json:
            say(f"{name}: {outcome}")
            sys.stdout.flush()  # a library that crashes must not take these words along

    result = run_self_test(told, window_only=options.window, device=options.device)
    if options.json:
        print_json(result)
    return 1 if has_failed(result) else 0


WORK = Entry("work", "", _add_work, _work)
COMMANDS = (
    Entry("demo", "The whole job on the built-in sample: pretrain, fine-tune, say which start won.", _add_demo, _demo),
    Entry("sample", "Draw the sample pictures into a folder.", _add_sample, _sample),
    Entry("index", "Say what is in a folder: pictures, labels, files that cannot be read and why.", _add_index, _index),
    Entry("tasks", "List the pretext tasks and their options.", add_json, _tasks),
    Entry("preview", "Draw the puzzles of a task on your pictures.", _add_preview, _preview),
    Entry("doctor", "What was found on this machine, what will be used, and why not the rest.", _add_doctor, _doctor),
    Entry("pretrain", "Teach an encoder with a pretext task, without labels.", add_configured, _pretrain),
    Entry("finetune", "Train on labelled pictures, beside a twin from scratch.", add_configured, _finetune),
    Entry("resume", "Go on with a run that was stopped or killed.", _add_resume, _resume),
    Entry("runs", "List the runs in a folder.", _add_runs, _runs),
    Entry("evaluate", "Score a fine-tuned run on labelled pictures.", _add_evaluate, _evaluate),
    Entry(
        "self-test",
        "Check this installation: read pictures, two steps of each task, open the window.",
        _add_self_test,
        _self_test,
    ),
)
