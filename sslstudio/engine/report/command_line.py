"""A config as the line that does the same in a terminal. The way back is sslstudio/cli/config_args.py."""

import dataclasses
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence

from sslstudio.engine.core.config import BaseConfig, Table, Value, entries_of, options_of, value_text
from sslstudio.engine.experiments.compare_config import CompareConfig
from sslstudio.engine.experiments.tournament_config import TournamentConfig
from sslstudio.engine.training.config import FinetuneConfig, PretrainConfig

Runnable = PretrainConfig | FinetuneConfig | CompareConfig | TournamentConfig


@dataclasses.dataclass(frozen=True)
class Command:
    """How a command takes a config: which options have a flag of their own, and the flag that takes all others. What a
    flag takes, its help and its default are those of the option."""

    name: str
    config: type[Runnable]
    flags: Mapping[str, str]  # option -> flag; of a table the flag is said for each entry
    switches: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)  # option -> value, flag for it
    budget: str = ""  # the section that says how long
    epochs: str = "--epochs"
    others: str = "--set"
    untyped: Mapping[str, str] = dataclasses.field(default_factory=dict)  # option -> its value where it is not typed


PICTURES = {
    "data.side": "--side",
    "data.groups": "--groups",
    "data.roles": "--role",
    "encoder.name": "--encoder",
    "hardware.device": "--device",
}
COMMANDS = (
    Command("pretrain", PretrainConfig, {"task": "--task", **PICTURES, "seed": "--seed"}, budget="budget"),
    Command(
        "finetune",
        FinetuneConfig,
        {
            "kind": "--kind", "source": "--from", "labels_per_class": "--labels-per-class", "data.labels": "--labels",
            "twin": "--twin", "general": "--general", "flip": "--mirror", "turn": "--turn", "watch": "--watch",
            "views": "--views", "folds": "--folds", **PICTURES, "seed": "--seed",
        },
        switches={"mode": ("probe", "--probe")},
        budget="budget",
    ),
    Command(
        "compare",
        CompareConfig,
        {
            "kind": "--kind", "tasks": "--tasks", "labels": "--labels", "scratch_labels": "--scratch-labels",
            "seeds": "--seeds", "pretrain_seeds": "--pretrain-seeds", "steps": "--steps",
            "longer": "--longer", "read_at": "--read-at", "general": "--general",
            "after_general": "--after-general", "suggested": "--suggested",
            "data.labels": "--label-file", **PICTURES,
            "keep_weights": "--keep-weights", "weights": "--weights", "pretrain_settings": "--set",
            "finetune_settings": "--finetune-set",
        },
        budget="pretraining",
        epochs="--pretrain-epochs",
        others="--set-all",
        untyped={"tasks": ""},  # from scratch alone: each task named takes its time
    ),
    Command(
        "tournament",
        TournamentConfig,
        {
            "tasks": "--tasks", "minutes": "--minutes", "data.labels": "--label-file", **PICTURES,
            "pretrain_settings": "--set",
        },
        others="--set-all",
    ),
)  # fmt: skip
# Commands that take the config of a pretraining, and of it what they need.
PREVIEW = Command(
    "preview",
    PretrainConfig,
    {"task": "--task", "data.side": "--side", "data.groups": "--groups", "data.roles": "--role", "seed": "--seed"},
)
BENCH = Command(
    "bench",
    PretrainConfig,
    {"task": "--task", "data.side": "--side", "encoder.name": "--encoder", "hardware.device": "--device"},
)
# Said also where they are as they are by default: they are what the line is about.
ALWAYS = ("task", "tasks", "source", "labels", "minutes")


def command_line(config: Runnable) -> str:
    """The line to type or paste into a terminal of this system."""
    return typed(command_words(config))


def typed(words: Sequence[str]) -> str:
    """Arguments as one line for a terminal of this system, the program's name first."""
    line = ["sslstudio", *words]
    return subprocess.list2cmdline(line) if os.name == "nt" else shlex.join(line)


def command_words(config: Runnable, command: Command | None = None) -> list[str]:
    """The same as separate arguments, without the program's name. `command`: another one that takes such a config."""
    command = command or next(one for one in COMMANDS if one.config is type(config))
    values, defaults = _flat(config), _defaults(config)
    words = [command.name, str(values.pop("data.folder"))]
    for key, flag in command.flags.items():
        value = values.pop(key)
        if value != defaults[key] or (key in ALWAYS and value):
            words += _flagged(flag, value)
    for key, (wanted, flag) in command.switches.items():
        words += [flag] if values.pop(key) == wanted else []
    if command.budget:
        words += _budget(command, values)
    words += _said("--out", str(values.pop("out")))
    for key, value in values.items():
        if value != defaults[key]:
            words += _said(command.others, f"{key}={value_text(value)}")
    return words


def _flagged(flag: str, value: Value) -> list[str]:
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, Table):
        return [word for entry in entries_of(value) for word in _said(flag, entry)]
    return _said(flag, value_text(value))


def _budget(command: Command, values: dict[str, Value]) -> list[str]:
    """How long. Without epochs and minutes nothing: that there are no minutes is then said as any other option."""
    epochs = values.pop(f"{command.budget}.epochs")
    key = f"{command.budget}.minutes"
    minutes = values[key]
    words = [] if epochs is None else [command.epochs, value_text(epochs)]
    if minutes is not None or epochs is not None:
        del values[key]
    if minutes is not None:  # with epochs they have no flag
        words += (
            ["--minutes", value_text(minutes)] if epochs is None else [command.others, f"{key}={value_text(minutes)}"]
        )
    return words


def _flat(config: BaseConfig) -> dict[str, Value]:
    """Every option by the key that the command line knows it by: a task's own begin with the task's name."""
    values: dict[str, Value] = {field.name: getattr(config, field.name) for field in options_of(type(config))}
    for field in dataclasses.fields(config):
        part = getattr(config, field.name)
        if isinstance(part, BaseConfig):
            section = str(values["task"]) if field.name == "options" else field.name
            values |= {f"{section}.{key}": value for key, value in _flat(part).items()}
    return values


def _defaults(config: Runnable) -> dict[str, Value]:
    fresh = PretrainConfig(task=config.task) if isinstance(config, PretrainConfig) else type(config)()
    return _flat(fresh)


def _said(flag: str, value: str) -> list[str]:
    """Flag and value; in one word where the value would be taken for a flag."""
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]
