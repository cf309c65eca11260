"""Catalogues of translations, for whoever writes for people without a window: a report in another language."""

from sslstudio.engine.core.errors import InputError
from sslstudio.engine.core.files.resource_files import find_resource, resource_places
from sslstudio.engine.core.messages import ENGLISH, Language, Message

MARKS = {"en": (".", ","), "fr": (",", "\u202f")}  # decimal point and thousands; most other languages: , and .

LAST = {"and": Message("and"), "or": Message("or")}  # before the last one of a list


def languages() -> list[str]:
    """The codes of the languages that there are catalogues for beside English: de for de.po."""
    folders = [place / "translations" for place in resource_places()]
    return sorted({file.stem for folder in folders for file in folder.glob("*.po")})


def read_entries(code: str) -> dict[str, str]:
    """Translations by their English source. Those without one, or that a person is to look at, are left out."""
    import polib  # takes a while, and English needs it not

    entries = polib.pofile(str(find_resource(f"translations/{code}.po"))).translated_entries()
    return {one.msgid: one.msgstr for one in entries}


def language_of(entries: dict[str, str], code: str, decimal: str, group: str) -> Language:
    """The language that these translations make."""
    return Language(
        lookup=entries.get,
        code=code,
        decimal=decimal,
        group=group,
        percent=True,
        percent_sign="\u00a0%",
        points=entries.get("{0} points", "{0} points"),
        last={how: f" {entries.get(word, word)} " for how, word in LAST.items()},
    )


def find_language(code: str) -> Language:
    """The language with this code. Raises InputError where there is no catalogue of it."""
    if code == ENGLISH.code:
        return ENGLISH
    known = languages()
    if code not in known:
        raise InputError(
            "{code!r} is no language of this program. It has {known:and}.", code=code, known=[ENGLISH.code, *known]
        )
    decimal, group = MARKS.get(code, (",", "."))
    return language_of(read_entries(code), code, decimal, group)
