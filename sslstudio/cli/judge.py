"""The commands that judge: a task before training (clinic) and after it (audit), and which pictures to label next.
Heavy imports happen in each command."""

import argparse
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.cli.config_args import (
    Entry,
    add_device,
    add_exclude,
    add_flags,
    add_json,
    add_roles,
    add_settings,
    current_settings,
    labels_path,
    roles_of,
    typed_texts,
)
from sslstudio.cli.console import print_json, returned, say, steered
from sslstudio.engine.core.config import BaseConfig, Table, with_texts
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, did_you_mean
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import printable

if TYPE_CHECKING:
    from sslstudio.engine.clinic.run import Examined
    from sslstudio.engine.clinic.shortcut_audit import TaskAudit
    from sslstudio.engine.finetuning.use.suggestions import Suggested
    from sslstudio.engine.training.config import DataConfig

CLINIC = {"side": "--side", "groups": "--groups", "roles": "--role"}  # options of the pictures that have a flag


def _add_clinic(parser: argparse.ArgumentParser) -> None:
    from sslstudio.engine.training.config import DataConfig

    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--task", default="", metavar="T", help="only this task (default: all; see: sslstudio tasks)")
    add_flags(parser, DataConfig, CLINIC)
    add_exclude(parser)
    add_settings(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to save example pictures")
    add_json(parser)


def _add_audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN")
    add_device(parser)
    add_json(parser)


def _clinic(options: argparse.Namespace) -> int:
    from sslstudio.engine.clinic.run import examine
    from sslstudio.engine.tasks.base import load_tasks
    from sslstudio.engine.training.config import DataConfig

    if options.task:
        _ = load_tasks()[options.task]  # an unknown name is told before the pictures are read
    data = with_texts(DataConfig(folder=str(options.folder)), typed_texts(options, CLINIC))
    data, changed = _changed(data, current_settings(options.settings))
    with steered() as control:
        found = returned(examine(data, changed, control), options.json)
    saved = found.save_examples(options.out) if options.out else []
    if options.json:
        print_json(_content(found, saved, options.task))
    else:
        say("\n".join(clinic_lines(found, options.task)))
        say(f"Example pictures are in {options.out}." if saved else "")
    return 0


def _changed(data: "DataConfig", texts: list[str]) -> tuple["DataConfig", dict[str, "BaseConfig"]]:
    """The data settings, and the options of each task that --set TASK.OPTION=VALUE names."""
    from sslstudio.engine.tasks.base import load_tasks

    registry = load_tasks()
    changed: dict[str, BaseConfig] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        section, dot, name = key.strip().partition(".")
        if not (sign and dot):
            raise ConfigError("--set {text} is not KEY=VALUE. For example: --set jigsaw.gap=0.1", text=text)
        if section == "data":
            data = with_texts(data, {name: value.strip()})
        elif section in registry.names():
            before = changed.get(section) or registry[section].Config()
            changed[section] = with_texts(before, {name: value.strip()})
        else:
            raise ConfigError(
                "--set {text}: there is no task {section!r}. {hint}",
                text=text,
                section=section,
                hint=did_you_mean(section, ["data", *registry.names()]),
            )
    return data, changed


def _content(found: "Examined", saved: list[Path], task: str) -> dict[str, Any]:
    content = found.clinic.to_json()
    if task:
        content["findings"] = [one for one in content["findings"] if task in one["tasks"]]
        content["tasks"] = {task: content["tasks"][task]}
    return {
        "pictures": len(found.session.cache.index),
        "looked_at": found.looked_at,
        "side": found.session.cache.side,
        **content,
        "saved": [str(path) for path in saved],
    }


def clinic_lines(found: "Examined", task: str = "") -> list[str]:
    """What the clinic says, for people: what was found, what is fine, and what suits."""
    from sslstudio.engine.clinic.signs.looked import FINE, SEVERITIES

    clinic = found.clinic
    names = [task] if task else list(clinic.options)
    shown = clinic.concerning(task) if task else [one for one in clinic.findings if one.severity != FINE]
    lines = [f"{found.looked_at:,} of {len(found.session.cache.index):,} pictures were looked at, "
             f"{found.session.cache.side} x {found.session.cache.side} pixels.", ""]  # fmt: skip
    for one in sorted(shown, key=lambda one: -SEVERITIES.index(one.severity)):
        concerned = "every task" if set(one.tasks) >= set(clinic.options) else ", ".join(one.tasks)
        lines += [f"{one.severity.upper()}  {one.title} (concerns {concerned})", f"  {one.text}"]
        if changes := one.changes_for(task):
            lines.append(f"  What to change: {' '.join(f'--set {change}' for change in changes)}")
        lines += [f"  For example: {', '.join(one.examples[:3])}"] if one.examples else []
        lines.append("")
    fine = [one for one in clinic.findings if one.severity == FINE and (not task or task in one.tasks)]
    lines += ["Fine:", *(f"  {one.title}: {one.text}" for one in fine), ""] if fine else []
    for name in names:
        says = clinic.suits(name)
        lines.append(f"{name}: {says.word}")
        lines += [f"  {clinic.refusals[name]}"] if name in clinic.refusals else []
    return lines


def _audit(options: argparse.Namespace) -> int:
    from sslstudio.engine.clinic.run import AUDIT
    from sslstudio.engine.clinic.run import audit as run
    from sslstudio.engine.core.messages import to_stored

    with steered() as control:
        done = returned(run(options.run, options.device, control), options.json)
    if options.json:
        print_json(to_stored(done.to_json()))
    else:
        say("\n".join(line for part in done.parts for line in audit_lines(part)))
        say(f"All numbers are in {options.run / AUDIT}.")
    return 0


def audit_lines(part: "TaskAudit") -> list[str]:
    """What the audit of a task says, for people."""
    if not part.checks:
        return [f"{part.task}: {part.verdict}", ""]
    value, low, high = part.base
    lines = [
        f"{part.task}: {part.verdict}", "",
        f"Held-out puzzles of {part.n} pictures: {part.metric.replace('_', ' ')} {value:.3f} (95 % interval {low:.3f} "
        f"to {high:.3f}); guessing gives {part.chance:.3f}.",
    ]  # fmt: skip
    for one in part.checks:
        mark = {True: "holds", False: "FAILS", None: "      "}[one.passed][:5]
        lines.append(f"  {mark}  {one.title}: {one.value:.3f} ({one.low:.3f} to {one.high:.3f}); {one.verdict}")
        lines += [f"         What to change: --set {one.change}"] if one.change else []
    lines += [f"  Not asked. {why}" for why in part.left_out.values()]
    return [*lines, ""]


def _add_suggest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="RUN", help="a pretraining to compare the pictures by"
    )
    parser.add_argument("--unsure", type=Path, metavar="RUN", help="a fine-tuned run: what it is unsure of comes first")
    parser.add_argument(
        "--order", choices=("suggested", "random"), default="suggested", help="what is listed (default suggested)"
    )
    parser.add_argument("--labels", default="", metavar="FILE.csv|DIR", help="labels there are already")
    add_roles(parser)
    parser.add_argument(
        "--kind", choices=("classification", "segmentation"), default="", help="which labels count (default: both)"
    )
    parser.add_argument("--count", type=int, default=24, help="how many pictures (default 24)")
    add_device(parser)
    add_json(parser)


def _suggest(options: argparse.Namespace) -> int:
    with steered() as control:
        found = returned(_next_ones(options, control), options.json)
    kept = _is_made_here(options)
    if options.json:
        print_json({"files": list(found.paths), "drawn": sorted(found.test), "why": str(found.why), "kept": kept})
        return 0
    say(str(found.why) if found.paths else "Every picture has a label.")
    drawn = "  (drawn at random: it tests)"
    say("\n".join(f"{printable(path)}{drawn if path in found.test else ''}" for path in found.paths))
    if found.paths and not kept:
        say(
            "Nothing keeps which of them were drawn at random: a fine-tuning would test on suggested ones as well, and "
            "these are no random sample. Label in the window, which keeps it with the labels, or give a folder of such "
            "labels by --labels."
        )
    return 0


def _is_made_here(options: argparse.Namespace) -> bool:
    """Whether the labels lie in a folder made in the program, which keeps what was drawn at random."""
    from sslstudio.engine.labels.editing.files import is_labelling

    return bool(options.labels) and is_labelling(Path(options.labels).expanduser())


def _next_ones(options: argparse.Namespace, control: RunControl) -> "Generator[Preparing, None, Suggested]":
    from sslstudio.engine.dataset.file_parts import choose_parts
    from sslstudio.engine.finetuning.use.similarity import doubts, look_alike
    from sslstudio.engine.finetuning.use.suggestions import KnownLabels, order_at_random, suggest_mixed
    from sslstudio.engine.images.index import scan
    from sslstudio.engine.labels.recognise import recognise
    from sslstudio.engine.runs.run_folder import RunFolder
    from sslstudio.engine.training.config import DataConfig
    from sslstudio.engine.training.session import propose_drawn

    typed = roles_of(options.roles)
    data = DataConfig(folder=str(options.folder), labels=labels_path(options.labels), roles=Table(typed))
    if options.source is not None or options.unsure is not None:  # pages and channels as it was trained on
        trained = RunFolder.open(options.source or options.unsure).config().get("data", {})
        data = data.replace(**{name: trained[name] for name in ("pages", "channels") if name in trained})
    recognised = choose_parts(recognise(scan(options.folder), data.labels, typed), data.channels, data.pages)
    kinds = {"classification": recognised.classes, "segmentation": recognised.masks}
    given = {kind: labels for kind, labels in kinds.items() if labels and options.kind in ("", kind)}
    classes = recognised.classes.of if recognised.classes and "classification" in given else {}
    labelled = frozenset(path for labels in given.values() for path in labels.of)
    known = KnownLabels(options.kind or next(iter(given), "classification"), labelled, classes)
    draw = propose_drawn(recognised, data)
    if options.order == "random":
        found = order_at_random(recognised.pictures, known, draw)
        return replace(found, paths=found.paths[: options.count])
    alike = yield from look_alike(recognised.pictures, options.source, control, options.device)
    unsure = None
    if options.unsure is not None:
        unsure = yield from doubts(recognised.pictures, options.unsure, control)
    return suggest_mixed(alike, recognised.pictures, known, draw, options.count, unsure)


COMMANDS = (
    Entry(
        "clinic", "Say which pretext tasks suit your pictures, before an hour is spent on one.", _add_clinic, _clinic
    ),
    Entry(
        "audit", "Say what a pretrained run really looks at: edges, frames, stamps, colour fringes?", _add_audit, _audit
    ),
    Entry(
        "suggest",
        "Say which pictures to label next: those that teach most, and among them some drawn at random that test.",
        _add_suggest,
        _suggest,
    ),
)
