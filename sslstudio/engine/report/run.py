"""The report of a run, put together from its own files and its pictures."""

import importlib.metadata
import platform
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from sslstudio import __version__
from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.config import BaseConfig, options_of, sections_of
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, StudioError
from sslstudio.engine.core.events import (
    Alarm,
    Evaluated,
    Event,
    Note,
    Preparing,
    RunFinished,
    RunStarted,
    SampleSaved,
    StepDone,
)
from sslstudio.engine.core.files.atomic_files import make_folder, write_atomic
from sslstudio.engine.core.files.named_paths import leads_out
from sslstudio.engine.core.messages import ENGLISH, NOTHING, Language, Message
from sslstudio.engine.core.metrics import LOSS, find_metric
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.dataset.near_duplicates import MOST, across, near_duplicates
from sslstudio.engine.dataset.split import group_paths
from sslstudio.engine.evaluate.arms import arm_title
from sslstudio.engine.images.multi_folder import title_of
from sslstudio.engine.labels.types import Recognised
from sslstudio.engine.report.command_line import command_line
from sslstudio.engine.report.html import Chart, Series, inline
from sslstudio.engine.report.methods import Did, methods
from sslstudio.engine.report.page import Report, Shown, page
from sslstudio.engine.report.worst_errors import worst_answers
from sslstudio.engine.runs.metrics import Metrics, PretrainMetrics
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import FinetuneConfig, PretrainConfig, finetune_from_dict, pretrain_from_dict
from sslstudio.engine.training.recognised_record import find_changes
from sslstudio.engine.training.session import Session, reopen_session
from sslstudio.engine.verdicts.effort import read_effort
from sslstudio.engine.verdicts.ladder import judge

PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "pillow")
CHUNK = 512
HEADLINES = ("balanced_accuracy", "mean_iou", "accuracy")


@dataclass(frozen=True)
class _Run:
    """A run read back."""

    folder: RunFolder
    config: PretrainConfig | FinetuneConfig
    events: list[Event]

    @property
    def steps(self) -> int | None:
        """Steps that were taken: of each part, they are the same."""
        taken = [event.step for event in self.events if isinstance(event, StepDone)]
        return max(taken, default=None)

    def did(self) -> Did:
        """What was done."""
        split = self.folder.split_table()
        return Did(self.config, self.steps, split if isinstance(split, dict) else {})


def write_report(
    path: Path,
    out: Path,
    control: RunControl,
    *,
    pictures: bool = True,
    replace: bool = False,
    language: Language = ENGLISH,
) -> Generator[Preparing, None, Path]:
    """Write the report of a run to the file `out`, in a language. Without `pictures` none of the user's are in it.

    Raises DataError when the run has no result, or `out` is no name of an HTML file, or exists and may not be replaced.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise DataError(
            "{out} is not the name of an HTML file. Try {with_suffix}", out=out, with_suffix=out.with_suffix(".html")
        )
    if out.exists() and not replace:
        raise DataError("{out} exists already. Choose another name for the report.", out=out)
    run = _read(path)
    metrics = run.folder.metrics()
    if metrics is None:
        raise DataError("{path} has no result yet. Go on with it: sslstudio resume {path}", path=path)
    yield Preparing(stage=Message("Reading the run"), done=0, total=0)
    source = _source(run)
    try:
        session = yield from _session(run, control)
    except DataError as error:  # moved or deleted: the run's own files still make a report
        session, notes = None, [Message("The pictures could not be looked at again: {error}", error=error)]
    else:
        notes = find_changes(run.folder, run.config.data.folder, run.config.data.labels)
    facts = yield from _data_facts(run, session)
    report = _report(run, source, metrics, [*facts, *((Message("Note"), note) for note in notes)], pictures)
    make_folder(out.parent)
    write_atomic(out, page(report, language).encode(errors="backslashreplace"))
    return out


def _read(path: Path) -> _Run:
    folder = RunFolder.open(path)
    content = folder.config()
    read = finetune_from_dict if folder.job == "finetune" else pretrain_from_dict
    return _Run(folder, read(content), folder.events())


def _source(run: _Run) -> _Run | None:
    """The pretraining that a fine-tuning started from, if it is still where it was."""
    source = getattr(run.config, "source", "scratch")
    try:
        return _read(Path(source)) if source != "scratch" and Path(source).is_dir() else None
    except StudioError:
        return None


def _session(run: _Run, control: RunControl) -> Generator[Preparing, None, Session]:
    return (yield from reopen_session(run.folder, run.config.data, devices.choose("cpu"), control))


def _report(run: _Run, source: _Run | None, metrics: Metrics, facts: list[tuple[str, str]], pictures: bool) -> Report:
    tuned = metrics if metrics["job"] == "finetune" else None
    pretraining = source or (None if tuned else run)
    software = Message(
        "All was done with SSL Studio {version}, PyTorch {torch}.", version=__version__, torch=_version("torch")
    )
    said = methods(pretraining.did() if pretraining else None, run.did() if tuned else None, tuned, software)
    started = [event for event in run.events if isinstance(event, RunStarted)]
    errors, errors_said = worst_answers(run.folder, run.config, tuned) if tuned and pictures else ([], NOTHING)
    runs = [one for one in (source, run) if one is not None]
    return Report(
        title=started[-1].title if started else run.folder.path.name,
        about=Message(
            "{run}, report of {when}", run=run.folder.path.resolve().name, when=time.strftime("%Y-%m-%d %H:%M")
        ),
        metrics=tuned,
        verdict=_pretraining_said(metrics) if metrics["job"] == "pretrain" else metrics["verdict"],
        ladder=judge(metrics, read_effort(run.folder.path)),
        notes=[*(tuned["notes"] if tuned else ()), *_alarms(run)],
        charts=[chart for one in reversed(runs) for chart in _charts(one)],
        errors=errors,
        errors_said=errors_said,
        puzzles=_puzzles(pretraining) if pretraining and pictures else [],
        data=facts,
        settings={key: pairs for one in runs for key, pairs in _settings(one.config).items()},
        environment=_environment(started[-1] if started else None, run),
        methods=said.paragraphs,
        references=said.references,
        commands=[_without_paths(one) for one in runs],
    )


def _pretraining_said(metrics: PretrainMetrics) -> Message:
    scores = [
        _score_said(name, value, metrics["chance"].get(name))
        for name, value in metrics["validation"].items()
        if value is not None
    ]
    return Message(
        "After {steps:,} steps, on {held_out:,} held-out pictures: {scores}.",
        steps=metrics["steps"],
        held_out=metrics["n"],
        scores=scores,
    )


def _score_said(name: str, value: float, chance: float | None) -> Message:
    title = find_metric(name).title
    if not find_metric(name).is_share:
        said = Message("{title} {value:.3f}", title=title, value=value)
        guessed = Message("{chance:.3f}", chance=chance)
    else:
        said = Message("{title} {value:score}", title=title, value=value)
        guessed = Message("{chance:score}", chance=chance)
    return said if chance is None else Message("{score} (guessing: {chance})", score=said, chance=guessed)


def _alarms(run: _Run) -> list[str]:
    warned: list[str] = [event.text for event in run.events if isinstance(event, Note) and event.level == "warning"]
    return [*warned, *(event.text for event in run.events if isinstance(event, Alarm))]


def _charts(run: _Run) -> list[Chart]:
    """The loss, and the score that is watched with what guessing reaches."""
    steps = [event for event in run.events if isinstance(event, StepDone)]
    scored = [event for event in run.events if isinstance(event, Evaluated)]
    tuned = isinstance(run.config, FinetuneConfig)
    what = Message("fine-tuning")
    if isinstance(run.config, PretrainConfig):
        what = Message("pretraining, {task}", task=load_tasks()[run.config.task].title)
    loss = [_series(part, tuned, [event for event in steps if event.part == part], "") for part in _parts(steps)]
    charts = [Chart(Message("{metric}: {training}", metric=LOSS.title, training=what), tuple(loss))] if loss else []
    shown = [name for name in HEADLINES if any(name in event.metrics for event in scored)][:1]
    shown = shown or sorted({name for event in scored for name in event.metrics if name in event.chance})[:1]
    for name in shown:
        lines = [
            _series(part, tuned, [one for one in scored if one.part == part and name in one.metrics], name)
            for part in _parts(scored)
        ]
        chance = next((event.chance[name] for event in scored if name in event.chance), None)
        about = find_metric(name)
        title = Message("{metric}, held-out: {training}", metric=about.title, training=what)
        charts.append(Chart(title, tuple(lines), chance, about.is_share))
    return charts


def _parts(events: list[Any]) -> list[str]:
    return list(dict.fromkeys(event.part for event in events))


def _series(part: str, tuned: bool, events: list[Any], metric: str) -> Series:
    name = arm_title(part) if tuned else Message("Held-out") if metric else Message("Training")
    return Series(name, [e.step for e in events], [e.metrics[metric] if metric else e.loss for e in events])


def _puzzles(run: _Run) -> list[Shown]:
    saved = [event for event in run.events if isinstance(event, SampleSaved)]
    found = [one for one in saved if not leads_out(one.path) and (run.folder.path / one.path).is_file()]
    if not found:
        return []
    with Image.open(run.folder.path / found[-1].path) as sheet:
        data = inline(sheet.convert("RGB"))
    caption = Message("After step {step:,}.", step=found[-1].step)
    return [Shown(data, caption, Message("Held-out puzzles with the right answers and the network's"))]


def _data_facts(run: _Run, session: Session | None) -> Generator[Preparing, None, list[tuple[str, str]]]:
    split = run.did().split
    data = run.config.data
    parts = {part: len(split.get(part, ())) for part in ("train", "validation", "test")}
    facts: list[tuple[str, str]] = [
        (Message("Folder"), title_of(data.folder)),
        (Message("To train on"), Message("{n:,} (for fine-tuning those with a drawn label)", n=parts["train"])),
        (Message("To watch with"), Message("{n:,}", n=parts["validation"])),
        (Message("Kept for the test"), Message("{n:,}", n=parts["test"])),
    ]
    together = Message("Not known: if several pictures come from one patient, slide or video, the result is too good.")
    if session is None:
        return [*facts, (Message("Belong together"), data.groups or together)]
    if data.groups:
        together = Message(
            "{n:,} groups by the rule {rule}; none is torn apart",
            n=len(set(group_paths(session.cache.index.paths, data.groups).values())),
            rule=data.groups,
        )
    elif session.recognised.groups:
        together = Message(
            "{n:,} groups, chosen by folder or column; none is torn apart",
            n=len(set(session.recognised.groups.values())),
        )
    index = session.cache.index
    yield Preparing(stage=Message("Looking for near copies across the split"), done=0, total=0)
    pictures = Pictures(session.cache, session.cache.index.paths, devices.choose("cpu"))
    groups = near_duplicates(pictures.take(chunk) for chunk in pictures.chunks(CHUNK, MOST))
    tested = set(session.split.test)
    copies = [pair for pair in across(groups, pictures.paths, session.split) if pair[0] in tested]
    read = Message(
        "{index:,} read, {unreadable:,} could not be read", index=len(index), unreadable=len(index.unreadable)
    )
    alike = Message("{n:,} test pictures look almost like one that was trained or watched with", n=len(copies))
    return [
        (Message("Pictures"), read),
        *((Message("Not used"), left) for left in session.left_out()),
        *facts,
        (Message("Labels"), _labels(session.recognised)),
        (Message("Belong together"), together),
        (Message("Near copies"), alike),
    ]


def _labels(recognised: Recognised) -> Message:
    if classes := recognised.classes:
        return Message(
            "{n:,} pictures, {classes} classes ({found_in})",
            n=len(classes.of),
            classes=len(classes.names),
            found_in=classes.found_in,
        )
    return Message("{n:,} masks", n=len(recognised.masks.of)) if recognised.masks else Message("none")


def _settings(config: BaseConfig, title: Message = NOTHING) -> dict[str, list[tuple[str, str]]]:
    """Every option with its words, by section. Folders by their name alone."""
    title = title or (Message("Fine-tuning") if isinstance(config, FinetuneConfig) else Message("Pretraining"))
    pairs: list[tuple[str, str]] = [
        (one.about.title, _value(one.name, getattr(config, one.name))) for one in options_of(type(config))
    ]
    found: dict[str, list[tuple[str, str]]] = {title: pairs}
    for field in sections_of(type(config)):
        found.update(_settings(getattr(config, field.name), _section_title(title, field.name)))
    return found


def _section_title(config: Message, section: str) -> Message:
    known = {
        "data": Message("{config}: data", config=config),
        "encoder": Message("{config}: encoder", config=config),
        "optimiser": Message("{config}: optimiser", config=config),
        "budget": Message("{config}: budget", config=config),
        "probe": Message("{config}: probe", config=config),
        "hardware": Message("{config}: hardware", config=config),
        "recipe": Message("{config}: recipe", config=config),
        "options": Message("{config}: options", config=config),
    }
    return known.get(section) or Message("{config}: {section}", config=config, section=section)


def _value(name: str, value: Any) -> str:
    if value is None:
        return Message("auto")
    if name in ("folder", "out", "source", "weights", "labels") and value:
        return Path(str(value)).name
    if isinstance(value, bool):
        return Message("yes") if value else Message("no")
    if isinstance(value, Mapping):
        return "; ".join(f"{key} = {one}" for key, one in value.items()) or "–"
    return Message("{value}", value=value) if isinstance(value, (int, float)) else str(value)


def _without_paths(run: _Run) -> str:
    """The line that does the same. Where the folders lie on this machine is nobody's business: names alone."""
    config = run.config
    config = config.replace(out=run.folder.path.resolve().name, data=config.data.replace(
        folder=Path(config.data.folder).name))  # fmt: skip
    if isinstance(config, FinetuneConfig) and config.source != "scratch":
        config = config.replace(source=Path(config.source).name)
    return command_line(config)


def _environment(started: RunStarted | None, run: _Run) -> list[tuple[str, str]]:
    finished = [event for event in run.events if isinstance(event, RunFinished)]
    facts = started.facts if started else {}
    pairs: list[tuple[str, str]] = [
        (Message("Device"), facts.get("Device", "")),
        (Message("Encoder"), facts.get("Encoder", "")),
    ]
    if finished:
        pairs.append((Message("Time"), Message("{minutes:.1f} minutes", minutes=finished[-1].seconds / 60)))
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    software = f"SSL Studio {__version__}, Python {platform.python_version()}, {platform.system()}"
    return [
        *(pair for pair in pairs if pair[1]),
        (Message("Report made with"), software),
        (Message("Libraries now"), versions),
    ]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
