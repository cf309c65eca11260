"""The one way to read a file of settings or records: anybody may have written it, and a disk may have damaged it.

What is read is bounded in size, in depth and in its numbers before anything is made of it, and checked against a
declared kind: the TypedDict or dataclass that the rest of the program works with anyway. What does not fit is refused
in a sentence that names the file, the field, what was asked for, what was found and what to try.

    read_json(file, Spent)                          a JSON file
    for one in read_lines(file, AnswerLine): ...    JSON lines; a line torn by a power cut is left out
    read_toml(file)                                 a TOML file
    Count = Annotated[int, AtLeast(0)]              how a kind declares a range

The safetensors of weights are read by `checked_tensors`, which needs torch.
"""

import csv
import dataclasses
import errno
import functools
import io
import json
import math
import re
import stat
import tomllib
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, NoReturn, NotRequired, Required

from sslstudio.engine.core.errors import ConfigError, RunError, StudioError
from sslstudio.engine.core.files.spreadsheet import read_rows
from sslstudio.engine.core.messages import NOTHING, Message, from_stored

DEEPEST = 32  # levels of tables and lists; ours have some ten
SETTINGS = 4 << 20  # bytes of a file of settings; ours have some thousands
RECORD = 256 << 20  # bytes of a record: the lists of a million pictures have some tens of millions
WHOLE_NUMBERS = range(-(2**63), 2**63)  # those that TOML allows
JSON_NUMBERS = range(-(2**63), 2**64)  # numbers of files on a disk have 64 bits without a sign
SHOWN = 80  # letters of what was found
_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++[ \t]*\.[ \t]*){500}""")  # a.b.c and so on, in TOML


@dataclasses.dataclass(frozen=True)
class AtLeast:
    """A number that is not below this one."""

    low: float


Count = Annotated[int, AtLeast(0)]
Share = Annotated[float, AtLeast(0)]


class _Unfit(Exception):
    """Where in a file what should be something is something else."""

    def __init__(self, where: str, asked: str, found: Any) -> None:
        super().__init__(where)
        self.where, self.asked, self.found = where, asked, found


# --- bytes


def read_limited(file: Path, largest: int = RECORD, error: type[StudioError] = RunError) -> bytes:
    """The bytes of a file. Raises FileNotFoundError where there is none, `error` for one that cannot be read or is
    larger than what it should hold can be."""
    try:
        with open_regular(file) as opened:
            content = opened.read(largest + 1)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as reason:  # ValueError: a name with a zero character
        raise error(
            Message(
                "{file} cannot be read: {reason}. Check the disk and the rights of the file.",
                file=file,
                reason=getattr(reason, "strerror", None) or reason,
            )
        ) from reason
    except MemoryError as reason:
        raise error(Message("{file} is too large for the memory of this machine.", file=file)) from reason
    if len(content) > largest:
        raise error(too_large(file, largest))
    return content


def too_large(file: Path, largest: int) -> Message:
    """What to tell people of a file of more bytes than it can have."""
    return Message(
        "{file} is larger than {largest} MB, which no such file is. Put the right file there.",
        file=file,
        largest=max(1, largest >> 20),
    )


def open_regular(file: Path) -> BinaryIO:
    """Open a file for reading. A pipe, which would be waited for without end, and a device are not opened. Raises
    OSError."""
    mode = file.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # of a folder the system itself says what is wrong
        raise OSError(errno.EINVAL, Message("not a file with content"), str(file))
    return file.open("rb")


# --- JSON


def read_json(
    file: Path,
    kind: Any = Any,
    *,
    error: type[StudioError] = RunError,
    advice: str = NOTHING,
    largest: int = RECORD,
    once: bool = False,
) -> Any:
    """What a JSON file holds, with the messages in it. Raises FileNotFoundError where there is none, `error` for one
    that is damaged. `advice`: what to try. `once`: a key that stands twice in a table is refused."""
    return parse_json(read_limited(file, largest, error), file, kind, error=error, advice=advice, once=once)


def parse_json(
    content: str | bytes,
    name: Path | str,
    kind: Any = Any,
    *,
    error: type[StudioError] = RunError,
    advice: str = NOTHING,
    once: bool = False,
) -> Any:
    """`read_json` of what was read already; `name` is what it is called in an error."""
    try:
        values = _load(content, once)
        check_tree(values)
        if (b"template" if isinstance(content, bytes) else "template") in content:  # type: ignore[operator]
            values = from_stored(values)
        check_kind(values, kind)
    except _Unfit as found:
        raise error(_explain(name, found, advice)) from found
    except RecursionError as reason:
        raise error(_explain(name, _too_deep(), advice)) from reason
    except MemoryError as reason:
        raise error(Message("{file} is too large for the memory of this machine.", file=name)) from reason
    except ValueError as reason:  # what is no JSON or no UTF-8, and numbers of thousands of digits
        raise error(
            Message(
                "{file} is damaged: {reason}. {advice}", file=name, reason=_said(reason), advice=advice or _PUT_BACK
            )
        ) from reason
    return values


_PUT_BACK = Message("Put it back from a copy, or move it away.")


def _load(content: str | bytes, once: bool) -> Any:
    text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    if once:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_once)
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(Message("{name} is no number of JSON", name=name))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if any(key == one for one, _ in pairs[:number]))
        raise ValueError(Message("{key} stands in it twice", key=twice[:SHOWN]))
    return made


def _said(reason: Exception) -> Any:
    """The words of an error without the text of the file, which the decoders quote."""
    if isinstance(reason, UnicodeError):
        return Message("it is not UTF-8")
    if isinstance(reason, json.JSONDecodeError):
        return Message("it is not JSON at line {line}", line=reason.lineno)
    said = reason.args[0] if reason.args else ""
    return said if isinstance(said, Message) else str(reason)[:SHOWN]


def check_tree(values: Any) -> None:
    """Raises _Unfit for tables within tables without end, numbers of more than 64 bits and those that are not finite:
    whoever reads on need not think of them."""
    left: list[tuple[Any, int]] = [(values, 1)]
    while left:
        value, depth = left.pop()
        if isinstance(value, (dict, list)):
            if depth > DEEPEST:
                raise _too_deep()
            left += [
                (one, depth + 1)
                for one in (value.values() if isinstance(value, dict) else value)
                if not isinstance(one, str)
            ]
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise _Unfit("", Message("a number that is finite"), value)
        elif isinstance(value, int) and value not in JSON_NUMBERS:
            raise _Unfit("", Message("a whole number of at most 64 bits"), Message("a longer one"))


def _too_deep() -> _Unfit:
    return _Unfit("", Message("at most {deepest} lists or tables within each other", deepest=DEEPEST), Message("more"))


def read_lines(
    file: Path, kind: Any = Any, *, error: type[StudioError] = RunError, advice: str = NOTHING
) -> Iterator[Any]:
    """What the whole lines of a file of JSON lines hold; the last one counts when its line break is there. Lines that
    are empty or hold only zeros, as full disks leave them, are left out. Raises as `read_json` does."""
    content = read_limited(file, error=error)
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        if line.strip(b"\0 \r"):
            name = Message("Line {number} of {file}", number=number, file=file)
            yield parse_json(line.lstrip(b"\0"), name, kind, error=error, advice=advice)


# --- TOML


def read_toml(file: Path) -> dict[str, Any]:
    """Values of a TOML file. Raises ConfigError for one that holds no settings, OSError when it cannot be opened."""
    with open_regular(file) as opened:
        content = opened.read(SETTINGS + 1)
    if len(content) > SETTINGS:
        raise ConfigError(
            "{file} is larger than {largest} MB: settings are not. Put the right file there.",
            file=file,
            largest=SETTINGS >> 20,
        )
    return from_toml(content, str(file))


def read_settings(file: Path) -> dict[str, Any]:
    """`read_toml`, with a sentence for a file that cannot be opened. Raises ConfigError, FileNotFoundError where there
    is none."""
    try:
        return read_toml(file)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(
            "{file} cannot be read: {reason}. Check the disk and the rights of the file.",
            file=file,
            reason=error.strerror or error,
        ) from error


def from_toml(text: str | bytes, name: str = "config.toml") -> dict[str, Any]:
    """Values of a TOML text. Raises ConfigError with the place when it is not TOML, and for values that no settings
    have: whole numbers of more than 64 bits, tables within tables without end."""
    try:
        plain = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        if _LONG_KEY.search(plain):  # takes tomllib time and memory by the square of its parts
            raise RecursionError
        values = tomllib.loads(plain)
    except (RecursionError, MemoryError) as error:
        raise ConfigError(_toml_too_deep(name)) from error
    except ValueError as error:  # what is no TOML or no UTF-8, and numbers of thousands of digits
        raise ConfigError("{name} is not a TOML file: {error}.", name=name, error=error) from error
    _check_settings(values, name)
    return values


def _check_settings(values: dict[str, Any], name: str) -> None:
    left: list[tuple[Any, int]] = [(values, 1)]
    while left:
        value, depth = left.pop()
        if depth > DEEPEST:
            raise ConfigError(_toml_too_deep(name))
        if isinstance(value, (dict, list)):
            left += [(one, depth + 1) for one in (value.values() if isinstance(value, dict) else value)]
        elif isinstance(value, int) and value not in WHOLE_NUMBERS:
            raise ConfigError("{name} is not a TOML file: a whole number in it has more than 64 bits.", name=name)


def _toml_too_deep(name: str) -> Message:
    return Message(
        "{name} is damaged: its tables or lists lie within each other more than {deepest} times.",
        name=name,
        deepest=DEEPEST,
    )


# --- CSV


def read_table(
    file: Path, names: Sequence[str] = (), *, error: type[StudioError] = RunError, advice: str = NOTHING
) -> list[dict[str, str]]:
    """The rows of a table that this program wrote, by the names of its columns. Raises FileNotFoundError where there is
    none, `error` for one that is damaged, has not the columns `names` or a row that is not as long as its head."""
    text = read_limited(file, error=error).decode("utf-8-sig", "surrogateescape")
    try:
        rows = read_rows(io.StringIO(text, newline=""))  # splitlines would cut names at odd signs
    except csv.Error as reason:
        raise error(
            Message("{file} is damaged: {reason}. {advice}", file=file, reason=reason, advice=advice or _PUT_BACK)
        ) from reason
    for number, row in enumerate(rows, start=2):
        missing = [name for name in names if not isinstance(row.get(name), str)]
        if missing or None in row or any(not isinstance(cell, str) for cell in row.values()):
            asked = Message("the columns {names}", names=list(names)) if missing else Message("as long as its head")
            found = _Unfit(Message("line {number}", number=number), asked, Message("another"))
            raise error(_explain(file, found, advice))
    return rows


# --- kinds


def check_kind(value: Any, kind: Any, where: str = "") -> None:
    """Raises _Unfit for the first place where a value read from a file is not of its kind. A kind is a type or what is
    made of types: dict[str, int], list[str], int | None, Literal["a"], a TypedDict, Annotated with `AtLeast`. A table
    may have more than a TypedDict names: a later version has put it there."""
    _checker(kind)(value, where)


_Check = Callable[[Any, str], None]


@functools.lru_cache(maxsize=512)
def _checker(kind: Any) -> _Check:
    """The check of a kind, put together once."""
    if kind in (Any, object):
        return lambda value, where: None
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _ranged(_checker(arguments[0]), [one for one in arguments[1:] if isinstance(one, AtLeast)])
    if origin in (NotRequired, Required):
        return _checker(arguments[0])
    if origin is Literal:
        return _one_of(arguments)
    if origin in (typing.Union, types.UnionType):
        return _any_of(arguments)
    if typing.is_typeddict(kind):
        return _table_of(kind)
    return _container(origin or kind, arguments) if origin else _plain(kind)


def _plain(kind: Any) -> _Check:
    wanted: Any = {float: (int, float), Message: str, None: type(None), Mapping: dict, Sequence: list}.get(kind, kind)

    def check(value: Any, where: str) -> None:
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
            raise _Unfit(where, kind_words(kind), value)

    return check


def _ranged(inner: _Check, limits: list[AtLeast]) -> _Check:
    def check(value: Any, where: str) -> None:
        inner(value, where)
        for limit in limits:
            if value is not None and value < limit.low:
                raise _Unfit(where, Message("{low} or more", low=limit.low), value)

    return check


def _one_of(words: tuple[Any, ...]) -> _Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, (str, int)) or value not in words:
            raise _Unfit(where, Message("{words:or}", words=[str(word) for word in words]), value)

    return check


def _any_of(kinds: tuple[Any, ...]) -> _Check:
    checks = [(_checker(kind), kind) for kind in kinds if kind is not type(None)]
    optional = type(None) in kinds

    def check(value: Any, where: str) -> None:
        if value is None and optional:
            return
        first: _Unfit | None = None
        for one, _ in checks:
            try:
                return one(value, where)
            except _Unfit as unfit:
                first = first or unfit
        if first is not None:
            raise first

    return check


def _table_of(kind: Any) -> _Check:
    hints = typing.get_type_hints(kind, include_extras=True)
    checks = {key: _checker(hint) for key, hint in hints.items()}
    required = kind.__required_keys__

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _Unfit(where, kind_words(dict), value)
        for key in required:
            if key not in value:
                raise _Unfit(_below(where, key), Message("there"), Message("missing"))
        for key, one in value.items():
            if key in checks:
                checks[key](one, _below(where, key))

    return check


def _container(origin: Any, arguments: tuple[Any, ...]) -> _Check:
    if origin in (dict, Mapping, typing.get_origin(Mapping[str, int])):
        inner = _checker(arguments[1])

        def check_table(value: Any, where: str) -> None:
            if not isinstance(value, dict):
                raise _Unfit(where, kind_words(dict), value)
            for key, one in value.items():
                inner(one, _below(where, key))

        return check_table
    if origin is tuple and arguments[-1] is not Ellipsis:
        return _row([_checker(one) for one in arguments])
    inner = _checker(arguments[0])

    def check_list(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise _Unfit(where, kind_words(list), value)
        for number, one in enumerate(value):
            inner(one, f"{where}[{number}]")

    return check_list


def _row(inner: list[_Check]) -> _Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, list) or len(value) != len(inner):
            raise _Unfit(where, Message("a list of {n}", n=len(inner)), value)
        for number, (one, each) in enumerate(zip(value, inner, strict=True)):
            each(one, f"{where}[{number}]")

    return check


def _below(where: str, key: str) -> str:
    return f"{where}.{key}"[:200] if where else str(key)[:200]


def kind_words(kind: Any) -> str:
    """What a value of a type is called."""
    words = {
        bool: Message("true or false"),
        int: Message("a whole number"),
        float: Message("a number"),
        str: Message("a text"),
        Message: Message("a text"),
        dict: Message("a table"),
        Mapping: Message("a table"),
        list: Message("a list"),
        Sequence: Message("a list"),
        tuple: Message("a list"),
    }
    return words.get(kind, getattr(kind, "__name__", str(kind)))


def _found_words(value: Any) -> Any:
    if isinstance(value, Message):
        return value
    if isinstance(value, (dict, list)):
        return kind_words(type(value))
    return Message("nothing") if value is None else repr(value)[:SHOWN]


def _explain(name: Path | str, unfit: _Unfit, advice: str) -> Message:
    return Message(
        "{file} is damaged: {where} should be {asked}, and is {found}. {advice}",
        file=name,
        where=unfit.where or Message("what is in it"),
        asked=unfit.asked,
        found=_found_words(unfit.found),
        advice=advice or _PUT_BACK,
    )


def checked(
    value: Any, kind: Any, name: Path | str, *, error: type[StudioError] = RunError, advice: str = NOTHING
) -> Any:
    """`value`, which was read by other means. Raises `error` where it is not of its kind."""
    try:
        check_kind(value, kind)
    except _Unfit as found:
        raise error(_explain(name, found, advice)) from found
    return value


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
                value=str(value)[:SHOWN],
                kind=kind_words(kind),
            )
