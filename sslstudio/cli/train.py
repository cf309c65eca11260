"""What each command of the command line does. Heavy imports happen in the command that needs them."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sslstudio.cli.config_args import finetune_config, pretrain_config
from sslstudio.cli.console import print_json, print_result, show
from sslstudio.engine.core.config import options_of, to_dict, with_settings
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.durations import duration
from sslstudio.engine.core.errors import InputError
from sslstudio.engine.core.events import Event, RunFinished

R = TypeVar("R")


def say(text: str) -> None:
    """A line for people."""
    sys.stdout.write(text + "\n")


@contextmanager
def steered() -> Iterator[RunControl]:
    """A control that Ctrl+C and SIGTERM stop: the run saves its weights and ends. A second Ctrl+C ends at once."""
    control = RunControl()

    def stop(number: int, frame: object) -> None:
        if control.stopping:
            raise KeyboardInterrupt
        control.stop()
        sys.stderr.write("Stopping after this step; what was learnt is kept. Again: at once.\n")

    before = {kind: signal.signal(kind, stop) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield control
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def returned(events: Generator[Event, None, R], as_json: bool) -> R:
    """Show the events of a generator and give back what it returns."""
    result: list[R] = []

    def passing() -> Iterator[Event]:
        result.append((yield from events))

    show(passing(), as_json)
    return result[0]


def pretrain(options: argparse.Namespace) -> int:
    """`sslstudio pretrain`."""
    from sslstudio.engine.launch.launcher import started

    config = pretrain_config(options)
    with steered() as control:
        last = show(started(config, control), options.json)
    if last is not None and not options.json:
        say(f"Next, on a few labels: sslstudio finetune {options.folder} --from {options.out} --out RUN")
    return 0


def finetune(options: argparse.Namespace) -> int:
    """`sslstudio finetune`."""
    from sslstudio.engine.finetuning.entry import finetune as run

    config = finetune_config(options)
    with steered() as control:
        _show_result(show(run(config, control), options.json), options.json)
    return 0


def _show_result(last: Event | None, as_json: bool) -> None:
    if isinstance(last, RunFinished) and not as_json and last.metrics.get("job") == "finetune":
        print_result(last.metrics)


def resume(options: argparse.Namespace) -> int:
    """`sslstudio resume`."""
    from sslstudio.engine.launch.launcher import resumed
    from sslstudio.engine.runs.run_folder import RunFolder
    from sslstudio.engine.runs.summary import summary

    with steered() as control:
        _show_result(show(resumed(options.run, control), options.json), options.json)
    if not options.json:
        say(summary(RunFolder.open(options.run).events()))
    return 0


def work(options: argparse.Namespace) -> int:
    """`sslstudio work`: the child's end of `engine.train.child`."""
    from sslstudio.engine.launch.worker import work as run

    with steered() as control:
        return run(options.order, control)


def runs(options: argparse.Namespace) -> int:
    """`sslstudio runs`."""
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


def sample(options: argparse.Namespace) -> int:
    """`sslstudio sample`."""
    from sslstudio.engine.sample.make import make_sample

    show(make_sample(options.folder, count=options.count, seed=options.seed), False)
    say(f"{options.count:,} pictures with classes and masks are in {options.folder}.")
    return 0


def index(options: argparse.Namespace) -> int:
    """`sslstudio index`."""
    from sslstudio.engine.dataset.overview import look_at

    with steered() as control:
        found = returned(look_at(options.folder, options.labels, options.side, control), options.json)
    if options.json:
        print_json(found.to_json())
    else:
        say("\n".join(found.lines()))
    return 0


def tasks(options: argparse.Namespace) -> int:
    """`sslstudio tasks`."""
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
            default = "auto" if field.default is None else field.default
            say(f"    --set {name}.{field.name}={default}  {field.about.help}")
        say("")
    return 0


def preview(options: argparse.Namespace) -> int:
    """`sslstudio preview`."""
    from sslstudio.engine.pretraining.preview import PuzzlesReady, preview_puzzles
    from sslstudio.engine.tasks.contact_sheet import puzzle_sheet
    from sslstudio.engine.training.config import DataConfig, PretrainConfig

    data = DataConfig(folder=str(options.folder), side=options.side, groups=options.groups)
    config = with_settings(
        PretrainConfig(task=options.task, seed=options.seed, data=data), options.settings, options.task
    )
    if options.out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise InputError(
            "--out {out} is not the name of a picture. Try {with_suffix}",
            out=options.out,
            with_suffix=options.out.with_suffix(".png"),
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
    options.out.parent.mkdir(parents=True, exist_ok=True)
    puzzle_sheet(ready[0].puzzles).save(options.out)
    say(f"{len(ready[0].puzzles)} puzzles are drawn in {options.out}.")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """`sslstudio evaluate`."""
    from sslstudio.engine.finetuning.load import evaluate_run, load_trained

    trained = load_trained(options.run, options.device, options.part, options.weights)
    table = options.run / f"evaluated-{options.folder.resolve().name}.csv"
    with steered() as control:
        metrics = returned(evaluate_run(trained, options.folder, table, control), options.json)
    if options.json:
        print_json(metrics)
    else:
        print_result(metrics)
        say(f"The predictions are in {table}.")
    return 0


def doctor(options: argparse.Namespace) -> int:
    """`sslstudio doctor`."""
    from sslstudio.engine.about.doctor import findings

    facts = findings()
    if options.json:
        print_json(facts)
    else:
        for name, value in facts.items():
            say(f"{name}: {value}" if isinstance(value, str) else f"{name}: {json.dumps(value)}")
    return 0


def demo(options: argparse.Namespace) -> int:
    """`sslstudio demo`."""
    from sslstudio.cli.demo import run_demo

    began = time.monotonic()
    with steered() as control:
        last = show(run_demo(options.out, options.minutes, control), options.json)
    _show_result(last, options.json)
    if not options.json:
        say(f"The demo took {duration(time.monotonic() - began)}.")
    return 0


def self_test(options: argparse.Namespace) -> int:
    """`sslstudio self-test`."""
    from sslstudio.cli.selftest import has_failed, run_self_test

    def told(name: str, outcome: str) -> None:
        if not options.json:
            say(f"{name}: {outcome}")
            sys.stdout.flush()  # a library that crashes must not take these words along

    result = run_self_test(told, window_only=options.window)
    if options.json:
        print_json(result)
    return 1 if has_failed(result) else 0
