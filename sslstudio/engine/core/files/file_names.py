"""Names that files and folders can have on every system, because projects are carried from one to another.

Windows keeps some names for itself whatever follows the first dot, cuts dots and spaces off the end, and refuses some
signs; there and on a Mac 'Pets' and 'pets' are one folder.
"""

import unicodedata
from collections.abc import Iterable

LONGEST = 100  # letters of a name: with the names of runs below it a path has to stay within what systems allow
FORBIDDEN = frozenset('<>:"/\\|?*')
_PORTS = [f"{port}{n}" for port in ("com", "lpt") for n in (*range(1, 10), "¹", "²", "³")]
RESERVED = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$", *_PORTS})


def is_reserved(name: str) -> bool:
    """Whether Windows keeps a name for a device: CON, and CON.txt as well."""
    return name.partition(".")[0].rstrip(" ").casefold() in RESERVED


def portable_name(name: str, otherwise: str) -> str:
    """The nearest name that every system takes; `otherwise` where nothing of it is left. A name that is fine stays."""
    plain = "".join("-" if sign in FORBIDDEN or not sign.isprintable() else sign for sign in name)
    plain = " ".join(plain.split()).strip(". ")[:LONGEST].rstrip(". ")
    if not plain.strip("-"):
        return otherwise
    first, dot, rest = plain.partition(".")
    return f"{first}-{dot}{rest}" if is_reserved(plain) else plain


def same_name(one: str, other: str) -> bool:
    """Whether some system takes two names for one: without regard to case, and to how accents are written."""
    return folded(one) == folded(other)


def free_among(name: str, taken: Iterable[str]) -> str:
    """The name, or the first of 'name 2', 'name 3' ... that no system takes for one of these."""
    used = {folded(one) for one in taken}
    free, number = name, 2
    while folded(free) in used:
        free, number = f"{name} {number}", number + 1
    return free


def folded(name: str) -> str:
    """A name as those systems compare it that know neither case nor ways to write an accent."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
