"""The commands that judge a task before (clinic) and after (audit) training. Heavy imports happen in each command."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sslstudio.engine.clinic.run import Examined
    from sslstudio.engine.clinic.shortcut_audit import TaskAudit
    from sslstudio.engine.core.config import BaseConfig
    from sslstudio.engine.training.config import DataConfig

Add = Callable[..., argparse.ArgumentParser]


def add_parsers(add: Add) -> None:
    """The parsers of these commands."""
    clinic = add("clinic", "Say which pretext tasks suit your pictures, before an hour is spent on one.")
    clinic.add_argument("folder", type=Path, metavar="DIR")
    clinic.add_argument("--task", default="", metavar="T", help="only this task (default: all; see: sslstudio tasks)")
    clinic.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="KEY=VALUE",
        help="an option of a task that you would change (jigsaw.gap=0)",
    )  # fmt: skip
    clinic.add_argument("--side", type=int, help="side of the pictures in pixels (default: by the pictures)")
    clinic.add_argument("--groups", default="", metavar="RULE", help="pictures to keep together, as for pretrain")
    clinic.add_argument("--out", type=Path, metavar="FOLDER", help="where to save example pictures")
    audit = add("audit", "Say what a pretrained run really looks at: edges, frames, stamps, colour fringes?")
    audit.add_argument("run", type=Path, metavar="RUN")
    audit.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    for command in (clinic, audit):
        command.add_argument("--json", action="store_true", help="print JSON: progress and then the result, one a line")


def clinic(options: argparse.Namespace) -> int:
    """`sslstudio clinic`."""
    from sslstudio.cli.console import print_json
    from sslstudio.cli.train import returned, say, steered
    from sslstudio.engine.clinic.run import examine
    from sslstudio.engine.tasks.base import load_tasks
    from sslstudio.engine.training.config import DataConfig

    if options.task:
        _ = load_tasks()[options.task]  # an unknown name is told before the pictures are read
    data = DataConfig(folder=str(options.folder), side=options.side, groups=options.groups)
    data, changed = _changed(data, options.settings)
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
    from sslstudio.engine.core.config import BaseConfig, with_texts
    from sslstudio.engine.core.errors import ConfigError, did_you_mean
    from sslstudio.engine.tasks.base import load_tasks
    from sslstudio.engine.training.config import DataConfig

    registry = load_tasks()
    changed: dict[str, BaseConfig] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        section, dot, name = key.strip().partition(".")
        if not (sign and dot):
            raise ConfigError("--set {text} is not KEY=VALUE. For example: --set jigsaw.gap=0.1", text=text)
        if section == "data":
            data = DataConfig(**{**vars(data), **vars(with_texts(data, {name: value.strip()}))})
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
        lines += [f"  What to change: --set {one.change}"] if one.change else []
        lines += [f"  For example: {', '.join(one.examples[:3])}"] if one.examples else []
        lines.append("")
    fine = [one for one in clinic.findings if one.severity == FINE and (not task or task in one.tasks)]
    lines += ["Fine:", *(f"  {one.title}: {one.text}" for one in fine), ""] if fine else []
    for name in names:
        says = clinic.suits(name)
        lines.append(f"{name}: {says.word}")
        lines += [f"  {clinic.refusals[name]}"] if name in clinic.refusals else []
    return lines


def audit(options: argparse.Namespace) -> int:
    """`sslstudio audit`."""
    from sslstudio.cli.console import print_json
    from sslstudio.cli.train import returned, say, steered
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
