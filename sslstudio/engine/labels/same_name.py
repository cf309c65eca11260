"""Names that differ in case or in their Unicode form only are one name: 'Cat' and 'cat', and an 'é' of one or two signs
(systems of Apple take letters and accents apart)."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

from sslstudio.engine.core.messages import Message


def plain_form(name: str) -> str:
    """The same for names that are the same to people (Unicode's NFC, full case folding)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def same_letters(name: str) -> str:
    """The same for names of files that differ in case or Unicode form only; quick for ASCII."""
    return name.lower() if name.isascii() else plain_form(name)


def one_spelling(names: Iterable[str]) -> tuple[dict[str, str], list[Message]]:
    """Each name -> the spelling that is used for it, which is the most frequent one in NFC; and what is to be said of
    names that were spelt in several ways."""
    counts = Counter(names)
    alike: dict[str, list[str]] = {}
    for name in counts:
        alike.setdefault(plain_form(name), []).append(name)
    used: dict[str, str] = {}
    said: list[Message] = []
    for spellings in alike.values():
        best = unicodedata.normalize("NFC", max(spellings, key=lambda name: counts[name]))
        used |= dict.fromkeys(spellings, best)
        others = [name for name in spellings if name != best]
        if len(spellings) > 1:
            said.append(
                Message(
                    "{others:and} {n:plural(was|were)} taken as the same class as {best}.",
                    others=others,
                    n=len(others),
                    best=best,
                )
            )
    return used, said
