"""From what was typed to a config, and flags from the options of configs: a flag's help, default and kind are declared
by its option. The way back is engine/report/command_line.py, which says which options have a flag of their own."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sslstudio.engine.core.config import (
    BaseConfig,
    OptionField,
    Overrides,
    Table,
    entry_text,
    option_at,
    options_of,
    sections_of,
    value_text,
    with_settings,
    with_texts,
)
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.migrations import current_key
from sslstudio.engine.evaluate.arms import TITLES
from sslstudio.engine.labels.roles import EXCLUDED

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.report.command_line import Command

C = TypeVar("C", bound=BaseConfig)


@dataclass(frozen=True)
class Entry:
    """A command: its name, its line in the help, what adds its flags once it is asked for, and what it does."""

    name: str
    about: str
    add_flags: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def flags_of(config: type[BaseConfig], inside: str = "") -> dict[str, str]:
    """A flag for every option of a config class and of the sections in it: 'crop.size' -> '--crop-size'."""
    flags = {
        inside + one.name: "--" + f"{inside}{one.name}".replace(".", "-").replace("_", "-")
        for one in options_of(config)
    }
    for one in sections_of(config):
        flags |= flags_of(one.config, f"{inside}{one.name}.")
    return flags


def add_flags(parser: Any, config: type[BaseConfig], flags: Mapping[str, str] | None = None) -> None:
    """Add the flags of some options (key -> flag) of a config class to a parser; of all if none are named. Those that
    are not typed are left out of the result, so that the defaults are those of the config."""
    for key, flag in (flags_of(config) if flags is None else flags).items():
        add_flag(parser, option_at(config, key), flag, key)


def add_flag(parser: Any, field: OptionField, flag: str, key: str, **more: Any) -> None:
    """Add the flag of one option; `more` as for argparse."""
    given: dict[str, Any] = {"dest": key, "default": argparse.SUPPRESS, "help": help_of(field)}
    if field.type is bool:
        given["action"] = argparse.BooleanOptionalAction
    else:
        given["metavar"] = _metavar(field) or field.name.upper()
    if field.type in (Table, Overrides):
        given["action"] = "append"
    parser.add_argument(flag, **{**given, **more})


def help_of(field: OptionField) -> str:
    """The help of an option and its default, as argparse takes it."""
    default = value_text(field.default)
    said = f"{field.about.title}. {field.about.help}".replace("%", "%%")
    return f"{said} (default: {default.replace('%', '%%')})" if default else said


def _metavar(field: OptionField) -> str | None:
    if field.about.choices:
        return "{" + ",".join(field.about.choices) + "}"
    words = {int: "N", float: "X", tuple: "N,N" if field.item in (int, float) else "A,B", Table: "NAME=VALUE"}
    return "KEY=VALUE" if field.type is Overrides else words.get(field.type)


def typed_texts(options: argparse.Namespace, keys: Iterable[str]) -> dict[str, str]:
    """What was typed for the flags of these options."""
    typed: dict[str, str] = {}
    for key, value in vars(options).items():
        if key in keys:
            several = isinstance(value, list)  # of a table, an entry each time the flag was said
            typed[key] = ";".join(map(entry_text, _listed(value))) if several else value_text(value)
    return typed


def add_configured(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a command that takes the whole config of a run or an experiment."""
    from sslstudio.engine.report.command_line import COMMANDS

    name = parser.prog.rpartition(" ")[2]
    add_command(parser, next(one for one in COMMANDS if one.name == name))
    add_json(parser)


def add_command(parser: argparse.ArgumentParser, command: "Command", *, out: bool = True, **folder: Any) -> None:
    """Add everything that says a config: the folder of pictures (more on it as for argparse), flags, the time, where
    the run is kept, and what sets any other option."""
    config = command.config
    said = option_at(config, "data.folder").about.help
    parser.add_argument("data.folder", **{"metavar": "DIR", "type": _path, "help": str(said), **folder})
    add_flags(parser, config, {key: flag for key, flag in command.flags.items() if key not in command.untyped})
    if "data.roles" in command.flags:
        add_exclude(parser, "data.roles")
    for key in command.untyped:
        about = option_at(config, key).about
        add_flag(parser, option_at(config, key), command.flags[key], key, help=f"{about.title}. {about.help}")
    for key, (value, flag) in command.switches.items():
        add_flag(parser, option_at(config, key), flag, key, action="store_const", const=value)
    if command.budget:
        length = parser.add_mutually_exclusive_group()
        add_flags(
            length, config, {f"{command.budget}.epochs": command.epochs, f"{command.budget}.minutes": "--minutes"}
        )
    if out:
        add_flag(parser, option_at(config, "out"), "--out", "out", type=_path, required=True)
    add_settings(parser, command.others)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the flag for programs that read the output."""
    parser.add_argument("--json", action="store_true", help="print JSON: progress, events and the result, one a line")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the flag of the device alone."""
    from sslstudio.engine.training.config import HardwareConfig

    add_flag(parser, option_at(HardwareConfig, "device"), "--device", "device", default="auto")


def add_trained(parser: argparse.ArgumentParser) -> None:
    """Add what says which network of a fine-tuned run is meant."""
    parser.add_argument("--part", choices=tuple(TITLES), default="", help="which arm")
    parser.add_argument("--weights", choices=("last", "best"), default="last", help="which state (default last)")


def add_settings(parser: argparse.ArgumentParser, flag: str = "--set") -> None:
    """Add the flag that sets any option."""
    parser.add_argument(
        flag, dest="settings", action="append", default=[], metavar="KEY=VALUE",
        help="any option: SECTION.OPTION of the run (optimiser.learning_rate=0.002, data.test=0.3), or TASK.OPTION of "
        "a pretext task (jigsaw.permutations=100); see also: sslstudio tasks",
    )  # fmt: skip


def _path(text: str) -> str:
    return str(Path(text))


def config_of(options: argparse.Namespace) -> BaseConfig:
    """The config of `sslstudio pretrain`, `finetune`, `compare` or `tournament`. Raises ConfigError in words."""
    from sslstudio.engine.report.command_line import COMMANDS

    return config_by(next(one for one in COMMANDS if one.name == options.command), options)


def config_by(command: "Command", options: argparse.Namespace) -> BaseConfig:
    """The config that was typed for a command. Raises ConfigError in words."""
    keys = {"data.folder", "out", *command.flags, *command.switches}
    keys |= {f"{command.budget}.epochs", f"{command.budget}.minutes"} if command.budget else set()
    typed = {**command.untyped, **typed_texts(options, keys)}
    if "data.labels" in typed:
        typed["data.labels"] = labels_path(typed["data.labels"])
    if command.budget and f"{command.budget}.epochs" in typed:
        typed[f"{command.budget}.minutes"] = "auto"
    task = typed.pop("task", "")
    start: dict[str, Any] = {"task": task} if task else {}
    config: BaseConfig = command.config(**start)
    config = with_texts(config, typed)
    task = str(getattr(config, "task", ""))
    return with_settings(config, current_settings(options.settings, task), task)


def add_roles(parser: argparse.ArgumentParser) -> None:
    """Add the flag that says what folders, tables and columns are."""
    parser.add_argument(
        "--role", dest="roles", action="append", default=[], metavar="PATH=ROLE",
        help="what a folder (pictures, masks, class, part, group, ignore), a table (labels, ignore) or a column of one "
        "(TABLE:COLUMN=class, part, group, file, ignore) is, where it was guessed wrongly; * stands for one folder",
    )  # fmt: skip
    add_exclude(parser)


class _Exclude(argparse.Action):
    """Pictures that are left out, as roles among the others; @FILE, a list of them, is read when they are used."""

    def __call__(
        self, parser: argparse.ArgumentParser, options: argparse.Namespace, values: Any, flag: str | None = None
    ) -> None:
        said = [*(getattr(options, self.dest, None) or []), f"{values}={EXCLUDED}"]
        setattr(options, self.dest, said)


def _listed(texts: Iterable[str]) -> list[str]:
    """Roles as they were typed, with the pictures that a list names in its place. Raises ConfigError for a list that
    cannot be read."""
    found: list[str] = []
    for text in texts:
        if not (text.startswith("@") and text.endswith(f"={EXCLUDED}")):
            found.append(text)
            continue
        file = Path(text[1:].removesuffix(f"={EXCLUDED}"))
        try:
            lines = file.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
        except OSError as error:
            raise ConfigError(
                "--exclude @{file}: the list cannot be read ({reason}). Name a text file with a picture a line.",
                file=file,
                reason=error.strerror,
            ) from error
        found += [f"{line.strip()}={EXCLUDED}" for line in lines if line.strip()]
    return found


def add_exclude(parser: argparse.ArgumentParser, dest: str = "roles") -> None:
    """Add the flag that leaves single pictures out; they join the roles, which are typed by another flag."""
    parser.add_argument(
        "--exclude", dest=dest, action=_Exclude, metavar="PICTURE", default=argparse.SUPPRESS,
        help="a picture that is left out, by its path in the folder, or @FILE for a list of them, one a line",
    )  # fmt: skip


def roles_of(texts: Iterable[str]) -> dict[str, str]:
    """What was typed for that flag. Raises ConfigError for what is no PATH=ROLE."""
    found: dict[str, str] = {}
    for text in _listed(texts):
        path, sign, role = text.rpartition("=")
        if not sign or not path:
            raise ConfigError("--role {text} is not PATH=ROLE. For example: --role masks=masks", text=text)
        found[path.strip().rstrip("/")] = role.strip()
    return found


def labels_path(text: str) -> str:
    """The file or folder of labels that was typed: from the working folder, as every other path. One that is not there
    is looked for in the folder of the pictures."""
    place = Path(text).expanduser()
    return str(place.absolute()) if text.strip("./\\") and place.exists() else text


def current_settings(texts: Iterable[str], task: str = "") -> list[str]:
    """KEY=VALUE by the names of today; a name of an earlier version is understood, and said to have changed."""
    current: list[str] = []
    for text in texts:
        old, sign, value = text.partition("=")
        new = current_key(old.strip(), task)
        if new != old.strip():
            sys.stderr.write(f"sslstudio: {old.strip()} is called {new} now.\n")
        current.append(f"{new}{sign}{value}")
    return current
