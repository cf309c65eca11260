"""A config is declared once: form, command line, validation and TOML file all read the same `option(...)`.

    @dataclass(frozen=True, kw_only=True)
    class Config(BaseConfig):
        gap: float = option(0.2, "Gap", "Space between tiles, as a share of the tile.", low=0.0, high=1.0)
        labels: tuple[int, ...] = option((5, 10), "Labels", "How many.", low=1)
        crop: CropConfig = section(CropConfig, "Crop", "What is cut out.")

What an option may be, and how it is typed on the command line and in a form:

    bool, int, float, str          true, 5, 0.2, any text
    int | None, float | None       auto leaves the choice to the program
    tuple[int, ...] and so on      5,10,25
    Table[str] and so on           imagenet=/data/resnet18.pth;other=/runs/a
    Overrides                      optimiser.batch_size=32;jigsaw.gap=0: options of other configs, set in advance

A piece of a list or a table that holds its separator is put in double quotes. In TOML these are arrays and tables.
"""

import csv
import dataclasses
import io
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, Self, TypeVar

import tomli_w

from sslstudio.engine.core.errors import ConfigError, did_you_mean
from sslstudio.engine.core.files.checked_files import kind_words
from sslstudio.engine.core.messages import Message, as_message
from sslstudio.engine.core.migrations import current_key

V = TypeVar("V")
Kind = type


class Table(Mapping[str, V], Generic[V]):
    """Values by name that never change, so that a config can hold them."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, V] | Iterable[tuple[str, V]] = ()) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> V:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values!r})"


class Overrides(Table["Table[Value]"]):
    """Options of other configs that are set in advance: section -> option -> value."""

    __slots__ = ()

    def __init__(self, values: Mapping[str, Mapping[str, "Value"]] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__({name: Table(given) for name, given in dict(values).items()})


Value = bool | int | float | str | None | tuple[Any, ...] | Table[Any]


@dataclasses.dataclass(frozen=True)
class Option:
    """What is known of one value: the words for people, and the limits, which in a list or table hold for each piece.

    `several` is for a list that names some of a few things: it gives their titles by name, once all of them are known.
    `sections` is for overrides: the configs whose options may be set, by section. `named_to_the_last` is for a table
    whose names may hold = (folders do): the last = ends them.
    """

    title: Message
    help: Message
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    advanced: bool = False
    several: Callable[[], dict[str, str]] | None = None
    sections: Callable[[], Mapping[str, type["BaseConfig"]]] | None = None
    named_to_the_last: bool = False


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
    sections: Callable[[], Mapping[str, type["BaseConfig"]]] | None = None,
    named_to_the_last: bool = False,
) -> Any:
    """A dataclass field with its words and limits. `advanced` folds it away in the form."""
    words = as_message(title, {}), as_message(help, {})
    about = Option(*words, low, high, choices, advanced, several, sections, named_to_the_last)
    return dataclasses.field(default=default, metadata={"option": about})


def section(config: type["BaseConfig"], title: str = "", help: str = "") -> Any:
    """A dataclass field that holds another config, with its defaults. With a title a form shows it as a group; without
    one the section has a form of its own somewhere."""
    words = Option(as_message(title, {}), as_message(help, {})) if title else None
    return dataclasses.field(default_factory=config, metadata={"section": words})


@dataclasses.dataclass(frozen=True)
class OptionField:
    """One option of a config class: its name, its type without None (bool, int, float, str, tuple, Table, Overrides),
    whether None is allowed, default and words; `item` is the type of a piece of a list or table."""

    name: str
    type: type
    optional: bool
    default: Value
    about: Option
    item: Kind = str


@dataclasses.dataclass(frozen=True)
class SectionField:
    """One config within another: its name, class, and words where a form shows it as a group."""

    name: str
    config: type["BaseConfig"]
    about: Option | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaseConfig:
    """Base of every config: checks its values when it is made."""

    def __post_init__(self) -> None:
        for field in options_of(type(self)):
            value = _unchanging(field, getattr(self, field.name))
            object.__setattr__(self, field.name, value)
            _check(field, value)

    def replace(self, **changes: Any) -> Self:
        """A copy with some values changed, checked again."""
        return dataclasses.replace(self, **changes)


def options_of(config: type[BaseConfig]) -> Iterator[OptionField]:
    """The options of a config class in the order of declaration; sections are left out."""
    hints = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        if "option" in field.metadata:
            kind, item, optional = _types_of(hints[field.name])
            default: Any = field.default
            yield OptionField(field.name, kind, optional, default, field.metadata["option"], item)


def sections_of(config: type[BaseConfig]) -> Iterator[SectionField]:
    """The configs within a config class in the order of declaration."""
    hints = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        if _is_section(hints[field.name]):
            yield SectionField(field.name, hints[field.name], field.metadata.get("section"))


def option_at(config: type[BaseConfig], key: str) -> OptionField:
    """The option that a key such as 'data.side' leads to. Raises KeyError for a key that leads to none."""
    name, dot, rest = key.partition(".")
    if dot:
        return option_at({one.name: one.config for one in sections_of(config)}[name], rest)
    return {one.name: one for one in options_of(config)}[name]


def _types_of(hint: Any) -> tuple[type, type, bool]:
    """The type of an option without None, the type of its pieces, and whether None is allowed."""
    if isinstance(hint, types.UnionType):
        plain = [part for part in typing.get_args(hint) if part is not type(None)]
        return plain[0], plain[0], True
    if typing.get_origin(hint) in (tuple, Table):
        return typing.get_origin(hint), typing.get_args(hint)[0], False
    return hint, hint, False


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseConfig)


def _unchanging(field: OptionField, value: Any) -> Any:
    """A list or a table as a config holds it."""
    if field.type is tuple and isinstance(value, list):
        return tuple(value)
    if field.type in (Table, Overrides) and isinstance(value, Mapping) and not isinstance(value, field.type):
        tables = field.type is Table or all(isinstance(one, Mapping) for one in value.values())
        return field.type(value) if tables else value
    return value


def _check(field: OptionField, value: Any) -> None:
    if value is None and field.optional:
        return
    if field.type in (tuple, Table, Overrides):
        _check_pieces(field, value)
    else:
        _check_one(field, value)


def _check_pieces(field: OptionField, value: Any) -> None:
    if isinstance(value, str):  # as a form gives what was typed and is no list: the reason says more than "not a list"
        parse_value(field, value)
    fits = isinstance(value, field.type)
    if not fits:
        raise _not_a(field, value)
    if field.type is Overrides:
        for section_name, given in value.items():
            for name, one in given.items():
                _check(override_field(field, f"{section_name}.{name}"), one)
        return
    piece = dataclasses.replace(field, type=field.item)
    for name in value if field.type is Table else ():
        if not name or name != name.strip() or ("=" in name and not field.about.named_to_the_last):
            raise ConfigError("{field}: {name!r} is not a name that a value can have.", field=field.name, name=name)
    for one in value.values() if field.type is Table else value:
        _check_one(piece, one)
        if isinstance(one, str) and (not one or one != one.strip()):
            raise ConfigError("{field}: {value!r} is empty or has spaces around it.", field=field.name, value=one)


def _not_a(field: OptionField, value: Any) -> ConfigError:
    return ConfigError(
        "{field} = {value!r} is not {kind}.", field=field.name, value=value, kind=_kind_words(field.type)
    )


def _check_one(field: OptionField, value: Any) -> None:
    about = field.about
    wanted = (int, float) if field.type is float else field.type
    if not isinstance(value, wanted) or (isinstance(value, bool) and field.type is not bool):
        raise _not_a(field, value)
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


def _kind_words(kind: type) -> str:
    words: dict[type, Message] = {Table: Message("a table"), Overrides: Message("a table of options")}
    return words.get(kind) or kind_words(kind)


def override_field(field: OptionField, key: str) -> OptionField:
    """The option of another config that an override names. Raises ConfigError for a key that names none."""
    known = field.about.sections() if field.about.sections else {}
    section_name, dot, name = key.partition(".")
    if not dot:
        raise ConfigError(
            "{field}: {key!r} is not SECTION.OPTION=VALUE. For example: optimiser.learning_rate=0.002",
            field=field.name,
            key=key,
        )
    if section_name not in known:
        raise ConfigError(
            "{field}: there is no section {section!r}. {hint}",
            field=field.name,
            section=section_name,
            hint=did_you_mean(section_name, known),
        )
    options = {one.name: one for one in options_of(known[section_name])}
    if name not in options:
        raise ConfigError("There is no option {name!r}. {hint}", name=name, hint=did_you_mean(name, options))
    return options[name]


def parse_value(field: OptionField, text: str) -> Value:
    """The value that a typed text stands for. Raises ConfigError naming the key, the text and the type."""
    if field.type is tuple:
        item = dataclasses.replace(field, type=field.item)
        return tuple(parse_value(item, piece) for piece in _pieces(field, text, ","))
    if field.type is Table:
        return Table(_parse_pair(field, piece) for piece in _pieces(field, text, ";"))
    if field.type is Overrides:
        return _parse_overrides(field, _pieces(field, text, ";"))
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
            "{field} = {text!r} is not {kind}.", field=field.name, text=text, kind=_kind_words(field.type)
        ) from None


def _pieces(field: OptionField, text: str, separator: str) -> list[str]:
    """What stands between separators and line breaks, without what is empty."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise ConfigError(
            "{field} = {text!r} cannot be read: {error}.", field=field.name, text=text[:80], error=error
        ) from error
    return [piece.strip() for row in rows for piece in row if piece.strip()]


def _parse_pair(field: OptionField, piece: str) -> tuple[str, Value]:
    last = field.about.named_to_the_last
    name, _, value = (part.strip() for part in (piece.rpartition("=") if last else piece.partition("=")))
    if not (name and value):
        raise ConfigError(
            "{field} = {text!r} is not NAME=VALUE. Several are separated by semicolons.", field=field.name, text=piece
        )
    return name, parse_value(dataclasses.replace(field, type=field.item), value)


def _parse_overrides(field: OptionField, pieces: Iterable[str]) -> Overrides:
    found: dict[str, dict[str, Value]] = {}
    for piece in pieces:
        key, sign, text = piece.partition("=")
        if not sign:
            raise ConfigError(
                "{field} = {text!r} is not SECTION.OPTION=VALUE. For example: optimiser.learning_rate=0.002",
                field=field.name,
                text=piece,
            )
        key = current_key(key.strip())
        section_name, _, name = key.partition(".")
        found.setdefault(section_name, {})[name] = parse_value(override_field(field, key), text.strip())
    return Overrides(found)


def value_text(value: Value) -> str:
    """A value as it is typed: the inverse of `parse_value`."""
    if value is None:
        return "auto"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    if isinstance(value, tuple):
        return ",".join(_quote(value_text(piece), ",") for piece in value)
    if isinstance(value, Table):
        return ";".join(_quote(entry, ";") for entry in entries_of(value))
    return str(value)


def entries_of(value: Table[Any]) -> list[str]:
    """A table as single entries: NAME=VALUE, or SECTION.OPTION=VALUE."""
    if isinstance(value, Overrides):
        return [
            f"{section_name}.{name}={value_text(one)}"
            for section_name, given in value.items()
            for name, one in given.items()
        ]
    return [f"{name}={value_text(one)}" for name, one in value.items()]


def _quote(piece: str, separator: str) -> str:
    if not any(sign in piece for sign in (separator, '"', "\n", "\r")):
        return piece
    return '"' + piece.replace('"', '""') + '"'


def entry_text(entry: str) -> str:
    """One entry of a table as text that `parse_value` reads, whatever signs are in it."""
    return _quote(entry, ";")


C = typing.TypeVar("C", bound=BaseConfig)


def with_texts(config: C, texts: Mapping[str, str]) -> C:
    """A copy of `config` with options set from typed texts, as `--set` gives them. A key may lead into a section
    ('data.side') or name one entry of a table ('weights.imagenet').

    Raises ConfigError for an unknown name (with the nearest one) and for a text that is not a value.
    """
    fields = {field.name: field for field in options_of(type(config))}
    changes: dict[str, Any] = {}
    inner: dict[str, dict[str, str]] = {}
    for key, text in texts.items():
        name, dot, rest = key.partition(".")
        if dot and isinstance(getattr(config, name, None), BaseConfig):
            inner.setdefault(name, {})[rest] = text
        elif dot and name in fields and fields[name].type in (Table, Overrides):
            before = changes.get(name, getattr(config, name))
            changes[name] = merge(before, parse_value(fields[name], entry_text(f"{rest}={text}")))
        elif not dot and name in fields:
            changes[name] = parse_value(fields[name], text)
        else:
            raise ConfigError("There is no option {name!r}. {hint}", name=key, hint=did_you_mean(key, fields))
    for name, given in inner.items():  # all of a section at once: two options may only fit together
        changes[name] = with_texts(getattr(config, name), given)
    return config.replace(**changes)


def merge(first: Any, second: Any) -> Any:
    """Merge two tables; the second one counts where both have a name. Overrides merge option by option."""
    if isinstance(first, Overrides):
        names = dict.fromkeys([*first, *second])
        return Overrides({name: {**first.get(name, {}), **second.get(name, {})} for name in names})
    return type(first)({**first, **second})


def with_settings(config: C, texts: Iterable[str], task: str = "") -> C:
    """`config` with every KEY=VALUE put in. A key is section.option; the name of the task stands for its options.

    Raises ConfigError for a text of another form, an unknown section or option, and a value that is none.
    """
    changes: dict[str, str] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        key = current_key(key.strip(), task)
        section_name, dot, name = key.partition(".")
        if not (sign and key):
            raise ConfigError(
                "--set {text} is not KEY=VALUE. For example: --set optimiser.learning_rate=0.002", text=text
            )
        if dot and task and section_name in (task, "task"):
            section_name = "options"
        inside = getattr(config, section_name, None)
        if dot and not isinstance(inside, (BaseConfig, Table)):
            known = [field for field, value in vars(config).items() if isinstance(value, BaseConfig)]
            raise ConfigError(
                "--set {text}: there is no section {section!r}. {hint}",
                text=text,
                section=section_name,
                hint=did_you_mean(section_name, known),
            )
        changes[f"{section_name}{dot}{name}"] = value.strip()
    return with_texts(config, changes)


def with_overrides(config: C, overrides: Overrides, task: str = "") -> C:
    """`config` with the options that were set in advance; those under the name of the task are its options."""
    changes: dict[str, Any] = {}
    for section_name, given in overrides.items():
        name = "options" if task and section_name == task else section_name
        changes[name] = changes.get(name, getattr(config, name)).replace(**given)
    return config.replace(**changes)


def to_dict(config: BaseConfig) -> dict[str, Any]:
    """Nested plain values, without those that are None (TOML has no null: absent means None)."""
    result: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, BaseConfig):
            result[field.name] = to_dict(value)
        elif value is not None:
            result[field.name] = _plain(value)
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Table):  # within a table absent means that nothing was said, so that None needs its word
        return {name: "auto" if one is None else _plain(one) for name, one in value.items()}
    return value


def from_dict(config: type[C], values: Mapping[str, Any], where: str = "") -> C:
    """The inverse of `to_dict`. Raises ConfigError for an unknown key: a typing error must not be silently ignored."""
    if not isinstance(values, Mapping):
        raise ConfigError(_explain_place(where.removesuffix("."), True))
    options = {field.name: field for field in options_of(config)}
    sections = {field.name: field.config for field in sections_of(config)}
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name in sections:
            if not isinstance(value, Mapping):
                raise ConfigError(_explain_place(f"{where}{name}", True))
            given[name] = from_dict(sections[name], value, f"{where}{name}.")
        elif name not in options:
            raise ConfigError(
                "There is no option {where}{name}. {hint}",
                where=where,
                name=name,
                hint=did_you_mean(name, [*options, *sections]),
            )
        elif isinstance(value, Mapping) and options[name].type not in (Table, Overrides):
            raise ConfigError(_explain_place(f"{where}{name}", False))
        else:
            given[name] = _read(options[name], value)
    for name, field in options.items():  # absent means None where None is allowed, whatever the default is
        if name not in given and field.optional:
            given[name] = None
    return config(**given)


def _read(field: OptionField, value: Any) -> Any:
    """A value of a file as its option takes it."""
    if field.type is tuple and isinstance(value, list):
        return tuple(_read(dataclasses.replace(field, type=field.item), one) for one in value)
    if field.type is Table and isinstance(value, Mapping):
        piece = dataclasses.replace(field, type=field.item)
        return Table({name: _read(piece, one) for name, one in value.items()})
    if field.type is Overrides and isinstance(value, Mapping):
        if wrong := [name for name, given in value.items() if not isinstance(given, Mapping)]:
            raise ConfigError(_explain_place(f"{field.name}.{wrong[0]}", True))
        return Overrides({name: _read_section(field, name, given) for name, given in value.items()})
    if field.type is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _read_section(field: OptionField, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides of a section; a text stands for what it would mean if it were typed."""
    read: dict[str, Any] = {}
    for key, value in values.items():
        inner = override_field(field, f"{name}.{key}")
        read[key] = parse_value(inner, value) if isinstance(value, str) else _read(inner, value)
    return read


def _explain_place(name: str, is_section: bool) -> Message:
    if is_section:
        return Message(
            "{name} is a section with options of its own, not a value. Write [{name}] and its options below that.",
            name=name,
        )
    return Message(
        "{name} is a value, not a section. Write {key} = ... instead of [{name}].",
        name=name,
        key=name.rpartition(".")[2],
    )


def to_toml(values: Mapping[str, Any]) -> str:
    """Text of a TOML file."""
    return tomli_w.dumps(dict(values))
