"""A config is declared once: form, command line, validation and TOML file all read the same `option(...)`.

    @dataclass(frozen=True, kw_only=True)
    class Config(BaseConfig):
        gap: float = option(0.2, "Gap", "Space between tiles, as a share of the tile.", low=0.0, high=1.0)

Values are bool, int, float or str; `int | None` and `float | None` leave a choice to the program.
"""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import tomli_w

from sslstudio.engine.core.errors import ConfigError, did_you_mean
from sslstudio.engine.core.messages import Message, declared

Value = bool | int | float | str | None

DEEPEST = 32  # levels of tables and lists; ours have 4
LARGEST = 4 << 20  # bytes of a file of settings; ours have some thousands
WHOLE_NUMBERS = range(-(2**63), 2**63)  # those that TOML allows


@dataclasses.dataclass(frozen=True)
class Option:
    """What is known of one value: the words for people and the limits. `several` is for a text that names some of a few
    things with commas between them: it gives their titles by name, once all of them are known."""

    title: Message
    help: Message
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    advanced: bool = False
    several: Callable[[], dict[str, str]] | None = None


def option(
    default: Value,
    title: str,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    advanced: bool = False,
    several: Callable[[], dict[str, str]] | None = None,
) -> Any:
    """A dataclass field with its words and limits. `advanced` folds it away in the form."""
    about = Option(declared(title, {}), declared(help, {}), low, high, choices, advanced, several)
    return dataclasses.field(default=default, metadata={"option": about})


def section(config: type["BaseConfig"]) -> Any:
    """A dataclass field that holds another config, with its defaults."""
    return dataclasses.field(default_factory=config)


@dataclasses.dataclass(frozen=True)
class OptionField:
    """One option of a config class: its name, its type without None, whether None is allowed, default and words."""

    name: str
    type: type
    optional: bool
    default: Value
    about: Option


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaseConfig:
    """Base of every config: checks its values when it is made."""

    def __post_init__(self) -> None:
        for field in options_of(type(self)):
            _check(field, getattr(self, field.name))

    def replace(self, **changes: Any) -> Self:
        """A copy with some values changed, checked again."""
        return dataclasses.replace(self, **changes)


def options_of(config: type[BaseConfig]) -> Iterator[OptionField]:
    """The options of a config class in the order of declaration; sections are left out."""
    hints = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        if "option" in field.metadata:
            kind, optional = _plain_type(hints[field.name])
            default: Any = field.default
            yield OptionField(field.name, kind, optional, default, field.metadata["option"])


def _plain_type(hint: Any) -> tuple[type, bool]:
    if isinstance(hint, types.UnionType):
        plain = [part for part in typing.get_args(hint) if part is not type(None)]
        return plain[0], True
    return hint, False


def _check(field: OptionField, value: Any) -> None:
    about = field.about
    if value is None and field.optional:
        return
    wanted = (int, float) if field.type is float else field.type
    if not isinstance(value, wanted) or (isinstance(value, bool) and field.type is not bool):
        raise ConfigError(
            "{field} = {value!r} is not {kind}.", field=field.name, value=value, kind=_type_words(field.type)
        )
    if isinstance(value, str) and "\0" in value:
        raise ConfigError(
            "{field} = {value!r} is not a text that can be used: it holds a zero character.",
            field=field.name,
            value=value,
        )
    if about.choices and value not in about.choices:
        raise ConfigError(
            "{field} = {value!r} is not a choice. {hint}",
            field=field.name,
            value=value,
            hint=did_you_mean(str(value), about.choices),
        )
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_limits(field.name, value, about)


def _check_limits(name: str, value: float, about: Option) -> None:
    if value != value:
        raise ConfigError("{name} = nan is not a number that can be used.", name=name)
    if about.low is not None and value < about.low:
        raise ConfigError(
            "{name} = {value} is below its lowest value {low}. Try {low} or more.",
            name=name,
            value=value,
            low=about.low,
        )
    if about.high is not None and value > about.high:
        raise ConfigError(
            "{name} = {value} is above its highest value {high}. Try {high} or less.",
            name=name,
            value=value,
            high=about.high,
        )


def _type_words(kind: type) -> str:
    words = {
        bool: Message("true or false"),
        int: Message("a whole number"),
        float: Message("a number"),
        str: Message("a text"),
        dict: Message("a table"),
    }
    return words.get(kind, kind.__name__)


def parse_value(field: OptionField, text: str) -> Value:
    """The value that a typed text stands for. Raises ConfigError naming the key, the text and the type."""
    if field.optional and text.lower() in ("", "auto", "none"):
        return None
    try:
        if field.type is bool:
            return {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False,
                    "0": False}[text.lower()]  # fmt: skip
        value: Value = field.type(text)
        return value
    except (ValueError, KeyError):
        raise ConfigError(
            "{field} = {text!r} is not {kind}.", field=field.name, text=text, kind=_type_words(field.type)
        ) from None


C = typing.TypeVar("C", bound=BaseConfig)


def with_texts(config: BaseConfig, texts: Mapping[str, str]) -> BaseConfig:
    """A copy of `config` with options set from typed texts, as `--set` gives them.

    Raises ConfigError for an unknown name (with the nearest one) and for a text that is not a value.
    """
    fields = {field.name: field for field in options_of(type(config))}
    changes: dict[str, Value] = {}
    for name, text in texts.items():
        if name not in fields:
            raise ConfigError("There is no option {name!r}. {hint}", name=name, hint=did_you_mean(name, fields))
        changes[name] = parse_value(fields[name], text)
    return config.replace(**changes)


def with_settings(config: C, texts: Iterable[str], task: str = "") -> C:
    """`config` with every KEY=VALUE put in. A key is section.option; the name of the task stands for its options.

    Raises ConfigError for a text of another form, an unknown section or option, and a value that is none.
    """
    changes: dict[str, dict[str, str]] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        section, dot, name = key.strip().partition(".")
        if not (sign and dot):
            raise ConfigError(
                "--set {text} is not KEY=VALUE. For example: --set optimiser.learning_rate=0.002", text=text
            )
        section = "options" if task and section in (task, "task") else section
        if not isinstance(getattr(config, section, None), BaseConfig):
            known = [field for field, value in vars(config).items() if isinstance(value, BaseConfig)]
            raise ConfigError(
                "--set {text}: there is no section {section!r}. {hint}",
                text=text,
                section=section,
                hint=did_you_mean(section, known),
            )
        changes.setdefault(section, {})[name] = value.strip()
    for section, given in changes.items():  # all of a section at once: two options may only fit together
        config = config.replace(**{section: with_texts(getattr(config, section), given)})
    return config


def to_dict(config: BaseConfig) -> dict[str, Any]:
    """Nested plain values, without those that are None (TOML has no null: absent means None)."""
    result: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, BaseConfig):
            result[field.name] = to_dict(value)
        elif value is not None:
            result[field.name] = value
    return result


def from_dict(config: type[C], values: Mapping[str, Any], where: str = "") -> C:
    """The inverse of `to_dict`. Raises ConfigError for an unknown key: a typing error must not be silently ignored."""
    if not isinstance(values, Mapping):
        raise ConfigError(_misplaced(where.removesuffix("."), True))
    fields = {field.name: field for field in dataclasses.fields(config)}
    hints = typing.get_type_hints(config)
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            raise ConfigError(
                "There is no option {where}{name}. {hint}", where=where, name=name, hint=did_you_mean(name, fields)
            )
        if isinstance(value, Mapping) is not _is_section(hints[name]):
            raise ConfigError(_misplaced(f"{where}{name}", _is_section(hints[name])))
        if isinstance(value, Mapping):
            value = from_dict(hints[name], value, f"{where}{name}.")
        elif isinstance(value, int) and not isinstance(value, bool) and hints[name] in (float, float | None):
            value = float(value)
        given[name] = value
    for name, field in fields.items():  # absent means None where None is allowed, whatever the default is
        if name not in given and "option" in field.metadata and _plain_type(hints[name])[1]:
            given[name] = None
    return config(**given)


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseConfig)


def _misplaced(name: str, is_section: bool) -> Message:
    if is_section:
        return Message(
            "{name} is a section with options of its own, not a value. Write [{name}] and its options below that.",
            name=name,
        )
    return Message(
        "{name} is a value, not a section. Write {name2} = ... instead of [{name}].",
        name=name,
        name2=name.rpartition(".")[2],
    )


def to_toml(values: Mapping[str, Any]) -> str:
    """Text of a TOML file."""
    return tomli_w.dumps(dict(values))


def read_toml(file: Path) -> dict[str, Any]:
    """Values of a TOML file. Raises ConfigError for one that holds no settings, OSError when it cannot be opened."""
    with file.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ConfigError(
            "{file} is larger than {largest} MB: settings are not. Put the right file there.",
            file=file,
            largest=LARGEST >> 20,
        )
    return from_toml(content, str(file))


def from_toml(text: str | bytes, name: str = "config.toml") -> dict[str, Any]:
    """Values of a TOML text. Raises ConfigError with the place when it is not TOML, and for values that no settings
    have: whole numbers of more than 64 bits, tables within tables without end."""
    try:
        values = tomllib.loads(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
    except RecursionError as error:
        raise ConfigError(_too_deep(name)) from error
    except ValueError as error:  # what is no TOML or no UTF-8, and numbers of thousands of digits
        raise ConfigError("{name} is not a TOML file: {error}.", name=name, error=error) from error
    _check_tree(values, name)
    return values


def _check_tree(values: dict[str, Any], name: str) -> None:
    left: list[tuple[Any, int]] = [(values, 1)]
    while left:
        value, depth = left.pop()
        if depth > DEEPEST:
            raise ConfigError(_too_deep(name))
        if isinstance(value, (dict, list)):
            left += [(one, depth + 1) for one in (value.values() if isinstance(value, dict) else value)]
        elif isinstance(value, int) and value not in WHOLE_NUMBERS:
            raise ConfigError("{name} is not a TOML file: a whole number in it has more than 64 bits.", name=name)


def _too_deep(name: str) -> Message:
    return Message(
        "{name} is damaged: its tables or lists lie within each other more than {deepest} times.",
        name=name,
        deepest=DEEPEST,
    )


def check_kinds(values: Mapping[str, Any], kinds: Mapping[str, type], name: str) -> None:
    """Raises ConfigError for the first value of another type than `kinds` says; a dot leads into a table, and what is
    absent is fine."""
    for key, kind in kinds.items():
        table, _, inner = key.rpartition(".")
        holder = values.get(table, {}) if table else values
        value = holder.get(inner) if isinstance(holder, Mapping) else None
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            raise ConfigError(
                "{name} is damaged: {key} = {value} is not {kind}.",
                name=name,
                key=key,
                value=str(value)[:80],
                kind=_type_words(kind),
            )
