"""Texts for people, declared: a template with named places and the values for them.

    Message("{name} has {n:,} {n:plural(picture|pictures)}.", name=folder.name, n=len(paths))

A message *is* its English text (a `str`), so whoever prints or logs it needs to know nothing; it also carries template
and values, from which a window or a report says the same in another language. Templates are looked up as they stand, so
the text of a template is its name: where it lives does not matter. Sentences are put together from messages as values,
never by adding strings, and never taken apart again.

Values are numbers, names (plain texts and paths, which no one translates), other messages, lists of these, and errors
that carry a message. What a place does with its value is declared behind a colon:

    {n:,} {x:.2f} {share:.0%}   as Python formats numbers, with the marks of the language
    {n:plural(picture|pictures)}  the form that belongs to the number
    {names:and} {names:or}      a list as one says it; without it, with commas; {parts:words} with spaces,
                                {parts:semicolons} with semicolons
    {seconds:duration}          '40 s', '3 min', '2 h 5 min'
    {value:score}               a score between 0 and 1; {value:tick}: as the axis of a chart has it; {gap:points}
                                {low:signed}: a difference of scores, and the ends of its interval
    {name!r}                    in quotation marks
"""

import json
import math
import os
import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

Plain = str | int | float | None
Value = Any  # what may be given: Plain, Message, Path, an error with a message, or a list of these

_FORM = re.compile(r"plural\((.*)\)", re.DOTALL)
_WIDE = re.compile(r"[:.+<>^=, ]\d{3}")  # of a format that no template of the program has
_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_FORMATTER = string.Formatter()
_BETWEEN = {"words": " ", "semicolons": "; "}
_KEYS = {"template", "values", "text"}


def neutral(text: str) -> str:
    """A text that does nothing but be read: what steers a terminal (escape sequences), turns the direction of what
    follows or hides is written out (\\u001b). Line breaks and tabs stay."""
    return _STEERS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def printable(name: str) -> str:
    """A name as a text for screens, JSON and logs: bytes that are no UTF-8 become the replacement character, and what
    steers a terminal is written out, line breaks, too."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return neutral(text).replace("\n", "\\u000a").replace("\t", "\\u0009")


def plain_markdown(name: str) -> str:
    """A name as Markdown shows it letter by letter: no heading, no link, no HTML."""
    return re.sub(r"([\\`*_\[\]<>#|!])", r"\\\1", printable(name))


@dataclass(frozen=True)
class Language:
    """How values are written, and where templates are looked up. The default is the English of records and consoles.

    `lookup` gives the template of this language, None where there is none. `many` is the number of the plural form.
    `code` is what pages call it ('en', 'de').
    `percent` has scores written in per cent, as tables beside them do, instead of as a share.
    """

    lookup: Callable[[str], str | None] = lambda template: template
    code: str = "en"
    decimal: str = "."
    group: str = ","
    percent: bool = False
    percent_sign: str = "%"
    points: str = "{} points"
    many: Callable[[float], int] = lambda number: int(number != 1)
    last: Mapping[str, str] = field(default_factory=lambda: {"and": " and ", "or": " or "})

    def figures(self, said: str) -> str:
        """A number as Python writes it ('1,721.5', '81.5 %') with the marks of this language."""
        marks = str.maketrans({".": self.decimal, ",": self.group})
        said = said.translate(marks)
        return said if self.percent_sign == "%" else said.replace(" %", "%").replace("%", self.percent_sign)


ENGLISH = Language()


class Message(str):
    """A text for people: its English, and the template and values that it was made of."""

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Value) -> Self:
        kept = {name: _keep(value) for name, value in values.items()}
        return cls._make(template, kept, _fill(template, kept, ENGLISH))

    @classmethod
    def _make(cls, template: str, values: Mapping[str, Any], text: str) -> Self:
        made = str.__new__(cls, text)
        made.template = template
        made.values = MappingProxyType(dict(values))
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.template, dict(self.values), str(self))

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # nothing in it changes

    def render(self, language: Language) -> str:
        """Write the text in a language; as it was stored where the language does not know the template."""
        if language is ENGLISH:
            return str(self)
        template = language.lookup(self.template)
        if template is None and not has_words(self.template):
            template = self.template  # only values and signs: nothing to translate
        if template is None:
            return str(self)
        try:
            return _fill(template, self.values, language)
        except (KeyError, ValueError, TypeError, IndexError):  # a template that was reworded: other places or values
            return str(self)

    def to_json(self) -> dict[str, Any]:
        """Template, values and English text, for a record."""
        return {"template": self.template, "values": dict(self.values), "text": str(self)}


def _restore(template: str, values: Mapping[str, Any], text: str) -> Message:
    return Message._make(template, values, text)


def is_message(value: object) -> bool:
    """Whether a table read from JSON is a message that was stored."""
    return isinstance(value, dict) and value.keys() == _KEYS and isinstance(value["template"], str)


def from_stored(value: Any) -> Any:
    """The inverse of what `to_json` wrote, anywhere in lists and tables read from JSON."""
    if isinstance(value, dict):
        inner = {key: from_stored(item) for key, item in value.items()}
        if not is_message(value) or not isinstance(inner["values"], dict) or not isinstance(value["text"], str):
            return inner
        if _WIDE.search(value["template"]):  # '{n:999999999}' would be a gigabyte of spaces
            return plain(value["text"])
        return Message._make(
            value["template"], {str(name): one for name, one in inner["values"].items()}, value["text"]
        )
    if isinstance(value, list):
        return [from_stored(item) for item in value]
    return value


def loads(text: str | bytes) -> Any:
    """JSON with the messages in it. Raises ValueError for what is none."""
    return from_stored(json.loads(text))


def to_stored(value: Any) -> Any:
    """What JSON can hold: each message with its template and values, None for a number that is not finite."""
    if isinstance(value, Message):
        return {name: to_stored(one) for name, one in value.to_json().items()}
    if isinstance(value, dict):
        return {str(key): to_stored(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_stored(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def to_text(message: str) -> str:
    """One line of text that `from_text` makes a message of again: for tables that hold texts."""
    return json.dumps(to_stored(message), ensure_ascii=False) if isinstance(message, Message) else message


def from_text(text: str) -> str:
    """The inverse of `to_text`; a text from before there were templates stays one."""
    if not text.startswith('{"template"'):
        return text
    try:
        found = loads(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, Message) else text


def plain(text: str) -> Message:
    """A text as it is, in every language: a name, or a sentence of an older record or another program."""
    return Message("{text}", text=text)


def as_message(template: str, values: Mapping[str, Any]) -> Message:
    """Make a message of what an error was given: a template with its values, a message, or somebody else's words."""
    if isinstance(template, Message):
        return template
    if not values and "{" in template:
        return plain(template)
    return Message(template, **values)


def join(parts: Iterable[Any], how: str = "words") -> Message:
    """Join messages into one, with spaces between them or as `how` says ('and', 'or', '' for commas)."""
    given = [part for part in parts if part != ""]
    template = f"{{parts:{how}}}" if how else "{parts}"
    return Message(template, parts=given)


def joined_parts(text: str) -> list[str]:
    """The messages that one was joined from with spaces; another text is its own only part."""
    if isinstance(text, Message) and text.template == "{parts:words}":
        return list(text.values["parts"])
    return [text]


def has_words(template: str) -> bool:
    """Whether there is something in a template that a language would say differently."""
    try:
        parsed = list(_FORMATTER.parse(template))
    except ValueError:
        return True
    return any(
        any(sign.isalpha() for sign in literal) or (spec or "").startswith("plural(") for literal, _, spec, _ in parsed
    )


def places(template: str) -> list[tuple[str, str]]:
    """The places of a template: name, and what is declared of it."""
    return [(name, spec or "") for _, name, spec, _ in _FORMATTER.parse(template) if name is not None]


def _keep(value: Value) -> Any:
    """Turn a value into what a message keeps: numbers, texts, messages and lists of them."""
    if value is None or isinstance(value, (Message, bool, int, float)):
        return value
    if isinstance(value, str):
        return _readable(value)
    if isinstance(value, os.PathLike):
        return printable(os.fspath(value))
    if isinstance(value, BaseException):
        message = getattr(value, "message", None)
        return message if isinstance(message, Message) else _readable(str(value))
    if isinstance(value, Mapping):
        return [_keep(item) for item in value]
    if hasattr(value, "item") and not getattr(value, "shape", None):
        return value.item()  # a number of numpy's
    if isinstance(value, (Sequence, set, frozenset)) or hasattr(value, "__iter__"):
        return [_keep(item) for item in value]
    return _readable(str(value))


def _readable(text: str) -> str:
    """A text of several lines, maybe; a name with a line break should come as a path or by `printable`."""
    return neutral(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _fill(template: str, values: Mapping[str, Any], language: Language) -> str:
    pieces = []
    for literal, name, spec, conversion in _FORMATTER.parse(template):
        pieces.append(literal)
        if name is not None:
            pieces.append(_put(values[name], spec or "", conversion or "", language))
    return "".join(pieces)


def _put(value: Any, spec: str, conversion: str, language: Language) -> str:
    if conversion == "r":
        return repr(str(value)) if isinstance(value, str) else repr(value)
    if isinstance(value, list):
        return _write_list([_put(item, "", "", language) for item in value], spec, language)
    if isinstance(value, Message):
        return value.render(language)
    if isinstance(value, str) or value is None:
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    return _number(value, spec, language)


def _write_list(parts: list[str], how: str, language: Language) -> str:
    if how in _BETWEEN:
        return _BETWEEN[how].join(parts)
    if how in language.last and len(parts) > 1:
        return ", ".join(parts[:-1]) + language.last[how] + parts[-1]
    return ", ".join(parts)


def _number(value: float, spec: str, language: Language) -> str:
    if spec in _NUMBERS:
        return _NUMBERS[spec](value, language)
    if form := _FORM.fullmatch(spec):
        forms = form[1].split("|")
        return forms[min(language.many(value), len(forms) - 1)]
    return language.figures(format(value, spec))


def duration(seconds: float) -> Message:
    """Rounded to what one would say: '40 s', '3 min', '2 h 5 min', '3 days', '' when it is not known."""
    if not math.isfinite(seconds) or seconds < 0:
        return NOTHING
    if seconds < 90:
        return Message("{n} s", n=round(seconds))
    minutes = round(seconds / 60)
    if minutes < 60:
        return Message("{n} min", n=minutes)
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return Message("{n} {n:plural(day|days)}", n=round(hours / 24))
    return Message("{hours} h {minutes} min", hours=hours, minutes=rest) if rest else Message("{hours} h", hours=hours)


def _score(value: float, language: Language) -> str:
    if not language.percent:
        return language.figures(f"{value:.3f}")
    return language.figures(f"{100 * value:.1f} %") if math.isfinite(value) else "–"


def _tick(value: float, language: Language) -> str:
    return language.figures(f"{100 * value:.3g} %" if language.percent else f"{value:.3g}")


def _write_signed(value: float, language: Language) -> str:
    said = f"{100 * value:+.1f}" if language.percent else f"{value:+.3f}"
    return language.figures(said.replace("-", "\u2212"))


def _points(value: float, language: Language) -> str:
    said = _write_signed(value, language)
    return language.points.format(said) if language.percent else said


_NUMBERS: dict[str, Callable[[float, Language], str]] = {
    "duration": lambda value, language: duration(value).render(language),
    "score": _score,
    "tick": _tick,
    "points": _points,
    "signed": _write_signed,
}

NOTHING = Message("")
