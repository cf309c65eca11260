"""The window's language: every text is looked up by its English source in one openly editable catalogue a language.

The engine speaks English, and so does every record on disk. What the window shows goes through here: its own texts by
Qt's `tr`, the engine's by `told`, which also knows sentences with values in them ('There are 3 pictures in C:/eyes.').
"""

import os
import re
from collections.abc import Mapping
from functools import lru_cache

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from sslstudio.ui import resources, settings

SENTENCE_END = re.compile(r"((?<=[.!?:])[ \n]+(?=[A-Z0-9'\"(]))")
PLACE = re.compile(r"\{(\d+)(:[^}]*)?\}")  # {0} a value as it is, {0:t} a value that is a text itself
FIGURE = re.compile(r"[-+−]?\d[\d,]*(\.\d+)?([  ]?%)?")
LEAST_SAID = 5  # signs of a template beside its places: with fewer ('{0} of {1}') the values are names and figures
LONGEST_NAME = 40
KEYS = "QShortcut"  # in whose name Qt asks how a key is called
SPLITS = re.compile(r"(, | and | or )")


class Template:
    """A text with values in it: finds them in a text and puts them into the translation."""

    def __init__(self, source: str, target: str) -> None:
        pieces = PLACE.split(source)  # text, number, format, text ...
        self.literals = [_plain(one) for one in pieces[::3]]
        self.places = [int(one) for one in pieces[1::3]]
        self.target = target
        texts = {int(place) for place, kind in PLACE.findall(target) if kind == ":t"}
        # 'balanced accuracy 0.5 ...' is '{0} {1} ...': of two places with a space between them the text takes most.
        self._groups = ["(.*)" if place in texts and after == " " else "(.*?)"
                        for place, after in zip(self.places, self.literals[1:], strict=True)]  # fmt: skip
        self.weight = sum(len(one) for one in self.literals)
        self._pattern: re.Pattern[str] | None = None

    def values(self, text: str) -> dict[int, str] | None:
        """The values that make this text of the source; None for another text."""
        if not text.startswith(self.literals[0]) or not all(one in text for one in self.literals):
            return None
        if self._pattern is None:  # some hundred templates; few are ever needed
            pairs = zip(map(re.escape, self.literals), [*self._groups, ""], strict=True)
            self._pattern = re.compile("".join(literal + group for literal, group in pairs), re.DOTALL)
        found = self._pattern.fullmatch(text)
        return dict(zip(self.places, found.groups(), strict=True)) if found else None


def _plain(literal: str) -> str:
    return literal.replace("{{", "{").replace("}}", "}")


class Catalogue:
    """Translations by their English source. `decimal` and `group` are the language's marks in numbers."""

    def __init__(self, entries: Mapping[str, str], decimal: str = ".", group: str = ",") -> None:
        self._exact = dict(entries)
        self._marks = str.maketrans({".": decimal, ",": group})
        made = (Template(source, target) for source, target in entries.items() if PLACE.search(source))
        self._templates = sorted(made, key=lambda one: -one.weight)

    def exact(self, source: str) -> str | None:
        """The translation of a source as it stands in the program; None where there is none."""
        return self._exact.get(source)

    def told(self, text: str) -> str:
        """A text of the engine in this language; what is not known stays as it is."""
        known = self._one(text)
        if known is not None:
            return known
        pieces = SENTENCE_END.split(text)
        said = self._sentences(pieces) if len(pieces) > 1 else text
        if said != text:
            return said
        whole = self._one(text, across=True)  # a value that is a sentence itself
        return self._row(text) if whole is None else whole

    def _row(self, text: str) -> str:
        """Several texts with commas between them, if all of them are known: 'Ran 3 s, nothing lost.'"""
        parts = SPLITS.split(text.removesuffix("."))
        told = [self._part(part) for part in parts]
        known = all(new != old for new, old in zip(told[::2], parts[::2], strict=True))
        return "".join(told) + text[len("".join(parts)) :] if known else text

    def figures(self, said: str) -> str:
        """'1,721.5' with the language's marks."""
        return said.translate(self._marks)

    def _one(self, text: str, across: bool = False) -> str | None:
        if (known := self._exact.get(text)) is not None:
            return known
        for template in self._templates:
            stop = "." if text.endswith(".") and not template.literals[-1] else ""  # set behind it by who shows it
            values = template.values(text.removesuffix(stop))
            if values is not None and template.weight < LEAST_SAID and max(map(len, values.values())) > LONGEST_NAME:
                continue  # a sentence that nobody has translated, with an ' of ' in it
            if values is not None and (across or not any(SENTENCE_END.search(one) for one in values.values())):
                return self._filled(template.target, values) + stop
        return None

    def _filled(self, target: str, values: Mapping[int, str]) -> str:
        return PLACE.sub(lambda place: self._value(values.get(int(place[1]), ""), place[2] == ":t"), target)

    def _value(self, value: str, is_text: bool) -> str:
        if FIGURE.fullmatch(value):
            return self.figures(value)
        if not is_text:
            return value
        if (known := self._one(value)) is not None:
            return known
        return "".join(self._part(one) for one in SPLITS.split(value))

    def _part(self, part: str) -> str:
        """One of several texts in a row, or what joins them: '1,721 pictures', ' and '."""
        if (known := self._one(part)) is not None:
            return known
        figure, space, noun = part.partition(" ")
        if space and FIGURE.fullmatch(figure) and noun in self._exact:
            return f"{self.figures(figure)} {self._exact[noun]}"
        return part

    def _sentences(self, pieces: list[str]) -> str:
        """Sentences (and what parts them, in turn) in this language, the longest known run first."""
        said: list[str] = []
        at = 0
        while at < len(pieces):
            for end in range(len(pieces), at, -2):
                known = self._one("".join(pieces[at:end]))
                if known is not None:
                    break
            said.append(pieces[at] if known is None else known)
            end = max(end, at + 1)
            said += pieces[end : end + 1]
            at = end + 1
        return "".join(said)


class Translator(QTranslator):
    """Answers Qt's `tr` from the catalogue, whatever the class that asks."""

    def __init__(self, catalogue: Catalogue, parent: QObject) -> None:
        super().__init__(parent)
        self._catalogue = catalogue

    def isEmpty(self) -> bool:
        """Qt asks no translator that holds nothing."""
        return False

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        """The translation; None, which Qt takes for 'not here', where there is none. Keys have Qt's own names: in ours
        'Left' is the time that is."""
        return None if context == KEYS else self._catalogue.exact(source)  # type: ignore[return-value]


_spoken: list[Catalogue] = []  # one, or none while the window speaks English


def wanted() -> str:
    """The code of the language to speak: SSLSTUDIO_LANGUAGE, else what was chosen, else the system's, else English."""
    asked = os.environ.get("SSLSTUDIO_LANGUAGE") or settings.language() or QLocale.system().name()
    code = asked.partition("_")[0]
    return code if code in resources.languages() else "en"


def read(code: str) -> Catalogue:
    """The catalogue of a language. Entries without a translation, or that a person is to look at, are left out."""
    import polib  # only a window that does not speak English needs it

    entries = polib.pofile(str(resources.find(f"translations/{code}.po"))).translated_entries()
    place = QLocale(code)
    return Catalogue({one.msgid: one.msgstr for one in entries}, place.decimalPoint(), place.groupSeparator())


def speak(code: str, app: QCoreApplication) -> list[QTranslator]:
    """Let the window, and Qt's own dialogs, speak a language from now on. Returns what was installed for it."""
    _spoken.clear()
    told.cache_clear()
    QLocale.setDefault(QLocale(code))  # number fields write as the sentences around them, whatever the system does
    if code == "en":
        return []
    _spoken.append(read(code))
    own = QTranslator(app)
    own.load(f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    installed = [own, Translator(_spoken[0], app)]
    for one in installed:  # Qt asks the last one first
        app.installTranslator(one)
    return installed


@lru_cache(maxsize=4096)
def told(text: str) -> str:
    """A text that the engine made, in the window's language."""
    return _spoken[0].told(text) if _spoken and text else text


def under_title(text: str) -> str:
    """'Jigsaw puzzle: permutation 3 of 504', a text of the engine behind the title of what it belongs to; any other as
    `told` has it."""
    title, colon, rest = text.partition(": ")
    if not _spoken or not colon or _spoken[0].exact(title) is None:
        return told(text)
    return f"{told(title)}: {told(rest)}"


def figures(said: str) -> str:
    """A number as the window's language writes it."""
    return _spoken[0].figures(said) if _spoken else said
