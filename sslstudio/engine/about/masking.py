"""Takes out of a text what tells who somebody is: names that are known, paths and picture names by how they look."""

import json
import re
from collections.abc import Container, Iterable, Mapping

from sslstudio.engine.images.index import SUFFIXES

_BACK = "\\"
LONGEST = 400  # characters of a picture's path
FILE, PLACE = "<file>", "<path>"
OTHERS = (".zip", ".csv", ".tsv", ".json", ".txt", ".docx", ".xlsx")
_ENDS = re.compile("(?:" + "|".join(map(re.escape, (*SUFFIXES, *OTHERS))) + r")\b", re.IGNORECASE)
_NAME = re.compile(r"""[^\s"'<>|*?:,;(][^"'<>|*?:,;(]*(?<!\s)$""")
_QUOTED = re.compile(r"""(["'])((?:[A-Za-z]:)?[\\/][^"'\n]*[\\/][^"'\n]*)\1""")
_BARE = re.compile(r"""(?<![\w<>.~\\/])(?:[A-Za-z]:)?[\\/]+(?:[^\s"'<>|*?:\\/]+[\\/]+)+[^\s"'<>|*?:,;)\\/]*""")
_OWN = re.compile(r".*[\\/](?:site-packages|lib[\\/]python[\d.]+)[\\/]|.*[\\/](?=sslstudio[\\/])")


def spell(name: str) -> set[str]:
    """Spell a name also as JSON, TOML and Windows write it."""
    return {name, json.dumps(name)[1:-1], name.replace("\\", "/"), name.replace("/", "\\")}


def mask_names(text: str, names: Mapping[str, str]) -> str:
    """Mask every name in the text, however it is written."""
    for name, mask in names.items():
        for form in spell(name):
            text = text.replace(form, mask)
    return text


def names_of(paths: Iterable[str]) -> frozenset[str]:
    """What pictures at these paths can be called in a text: with their folders and without."""
    return frozenset(form for path in paths for name in (path, path.rpartition("/")[2]) for form in spell(name))


def without_words(text: str, words: Iterable[str], mask: str) -> str:
    """The text without names of folders and files where they stand as words of their own."""
    for word in sorted({form for one in words if len(one) > 2 for form in spell(one)}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", lambda _: mask, text)
    return text


def without_files(text: str, known: Container[str] = frozenset()) -> str:
    """The text with `<file>` and the suffix for each picture, table or archive: a known name whole, any other with all
    words before it that may be part of its name."""
    return "\n".join(_line_without(line, known) for line in text.split("\n"))


def _line_without(line: str, known: Container[str]) -> str:
    kept, begin = [], 0
    for end in _ENDS.finditer(line):
        before = line[begin : end.start()]
        first = max(0, len(before) - LONGEST)
        whole = next((at for at in range(first, len(before)) if before[at:] + end.group() in known), None)
        maybe = _NAME.search(before)
        at = whole if whole is not None else maybe.start() if maybe else len(before)
        kept += [before[:at], FILE if at < len(before) else "", end.group()]
        begin = end.end()
    return "".join([*kept, line[begin:]])


def without_places(text: str) -> str:
    """The text without absolute paths; of the program's own modules what lies inside the program is kept."""
    text = _QUOTED.sub(lambda found: f"{found[1]}{_place(found[2])}{found[1]}", text)
    return _BARE.sub(lambda found: _place(found[0]), text)


def _place(path: str) -> str:
    if not path.endswith(".py"):
        return PLACE
    inside = _OWN.sub("", path)
    return f"{PLACE}/{inside if inside != path else path.replace(_BACK, '/').rpartition('/')[2]}"
