"""The window's language: every text is looked up by its English source in one openly editable catalogue a language.

The engine speaks English, and so does every record on disk. What the window shows goes through here: its own texts by
Qt's `tr`, the engine's by `render`, which looks up the template of a message and writes its values as that language
does.
"""

import os
from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from sslstudio.engine.core.catalogue import language_of, languages, read_entries
from sslstudio.engine.core.messages import ENGLISH, Language, Message
from sslstudio.ui.base import app_settings

WINDOW_ENGLISH = Language(percent=True)  # scores as the tables beside them have them

KEYS = "QShortcut"  # in whose name Qt asks how a key is called


class Catalogue:
    """Translations by their English source. `decimal` and `group` are the language's marks in numbers, `code` is what
    pages call it."""

    def __init__(self, entries: Mapping[str, str], decimal: str = ".", group: str = ",", code: str = "en") -> None:
        self._entries = dict(entries)
        self.language = language_of(self._entries, code, decimal, group)

    def exact(self, source: str) -> str | None:
        """The translation of a source as it stands in the program; None where there is none."""
        return self._entries.get(source)


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


def choose_language() -> str:
    """Choose the code of the language: SSLSTUDIO_LANGUAGE, else what was chosen, else the system's, else English."""
    asked = os.environ.get("SSLSTUDIO_LANGUAGE") or app_settings.language() or QLocale.system().name()
    code = asked.partition("_")[0]
    return code if code in languages() else "en"


def read(code: str) -> Catalogue:
    """The catalogue of a language. Entries without a translation, or that a person is to look at, are left out."""
    place = QLocale(code)
    return Catalogue(read_entries(code), place.decimalPoint(), place.groupSeparator(), code)


def speak(code: str, app: QCoreApplication) -> list[QTranslator]:
    """Let the window, and Qt's own dialogs, speak a language from now on. Returns what was installed for it."""
    _spoken.clear()
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


def spoken() -> Language:
    """The language of files that the window writes for people. While it speaks English, that of the command line, whose
    files are the same ones."""
    return _spoken[0].language if _spoken else ENGLISH


def render(text: str) -> str:
    """Write a message of the engine, or one of its fixed texts, in the window's language; a name stays as it is."""
    if isinstance(text, Message):
        return text.render(_spoken[0].language if _spoken else WINDOW_ENGLISH)
    return (_spoken[0].exact(text) or text) if _spoken and text else text


def only_english(text: str) -> bool:
    """Whether a sentence of the engine stays in English though the window does not speak it: one in a record of an
    earlier version, which has no template."""
    return bool(_spoken and text) and not isinstance(text, Message)


def figures(said: str) -> str:
    """A number as the window's language writes it."""
    return _spoken[0].language.figures(said) if _spoken else said
