"""What each column of a table is: told by its name, and by the kind of its values.

A column that says how pictures are split, who they are of, or what was measured is not what a network is to learn.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels import roles
from sslstudio.engine.labels.folder_words import SPLIT_WORDS

LABEL_HEADERS = (
    "label", "labels", "class", "category", "target", "diagnosis", "type", "class_name", "classname", "class name",
    "label_name", "species", "dx", "y", "klasse", "classe", "clase", "kategorie", "catégorie", "grade", "group",
)  # fmt: skip
LABEL_WORDS = frozenset({
    "label", "labels", "class", "classes", "category", "categories", "target", "diagnosis", "diagnoses", "type",
    "subtype", "species", "klasse", "classe", "clase", "kategorie", "grade", "disease", "pathology", "finding",
    "findings", "phenotype", "genus", "outcome", "diagnose", "befund", "state", "status",
})  # fmt: skip
PART_WORDS = frozenset({
    "aufteilung", "teilmenge",
    "split", "set", "subset", "partition", "part", "phase", "usage", "fold", "folds", "kfold", "cv", "holdout",
})  # fmt: skip
OWNER_WORDS = frozenset({
    "patient", "patients", "pat", "subject", "subj", "case", "donor", "person", "participant", "animal", "mouse", "rat",
    "slide", "specimen", "biopsy", "lesion", "video", "scan", "study", "series", "session", "volume", "plate", "batch",
    "proband", "probanden", "tier", "präparat", "praeparat", "spender", "klinik", "kamera",
    "site", "hospital", "center", "centre", "camera", "scanner", "device", "operator", "well",
})  # fmt: skip
OTHER_WORDS = frozenset({
    "sex", "gender", "geschlecht", "male", "female", "männlich", "weiblich", "datei", "dateiname", "breite", "höhe",
    "bemerkung", "kommentar", "jahr", "monat", "tag", "nummer", "gewicht",
    "age", "alter", "date", "datum", "time", "year", "month", "day", "id", "idx",
    "index", "no", "nr", "number", "width", "height", "size", "area", "path", "file", "filename", "url", "md5", "sha1",
    "sha256", "hash", "comment", "comments", "note", "notes", "remark", "race", "ethnicity", "weight", "bmi", "x",
    "xmin", "xmax", "ymin", "ymax", "x1", "x2", "y1", "y2", "left", "top", "laterality", "view", "position", "seed",
    "annotator", "rater", "reader", "confidence", "score", "probability", "percent", "percentage", "magnification",
})  # fmt: skip
PARTS = {
    **SPLIT_WORDS, "validierung": "validation", "prüfung": "test",
    "dev": "validation", "eval": "validation", "holdout": "test", "hold-out": "test", "tr": "train",
    "te": "test", "va": "validation", "tuning": "validation", "publictest": "validation", "privatetest": "test",
}  # fmt: skip

NO_LABEL = frozenset({
    "", "nan", "n/a", "na", "?", "unlabelled", "unlabeled", "#n/a", "#na", "<na>", "null", "<null>", "nil", "(null)",
    "-", "--", "---", ".", "n.a.", "n.a", "#n/a n/a", "-nan", "nat", "<none>", "missing", "no label", "undefined",
    "tbd", "not available", "k.a.", "k. a.", "1.#ind", "1.#qnan", "-1.#ind", "-1.#qnan", "#value!", "#ref!", "\\n",
})  # fmt: skip
_NONE_IS_A_CLASS = 0.2  # share of rows that say 'none', as people write it, above which it is a finding

FLAGS = {
    "0": False, "1": True, "0.0": False, "1.0": True, "true": True, "false": False, "yes": True, "no": False, "x": True,
}  # fmt: skip
FEW = 20  # whole numbers of more values than that are a measure, unless they count classes one by one
_SEVERAL_SIGNS = ("|", ";", ",", "/", "+")
_NEVER_IN_NAMES = ("|", ";")
_GROUPS = frozenset({"group", "groups", "gruppe", "groupe", "grupo", "gruppo"})  # beside a class they are none


@dataclass(frozen=True)
class Column:
    """One column: its place, its name ('' without a header), what it was taken for and why."""

    place: int
    name: str
    role: str
    reason: Message
    rows: int
    chosen: bool = False

    @property
    def called(self) -> str:
        """By what it is chosen: its name, or its number from 1."""
        return self.name or str(self.place + 1)


def name_words(header: str) -> tuple[str, ...]:
    """Lower-case words of a header: 'tumourType' and 'tumour_type' -> ('tumour', 'type')."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    return tuple(word for word in re.split(r"[^\w]+|_+", apart.lower()) if word)


def is_missing(cell: str, none_counts: bool = False) -> bool:
    """Whether a cell gives no label. none_counts: 'none' is a finding in this column."""
    folded = cell.casefold()
    return folded in NO_LABEL or (folded == "none" and not none_counts)


def none_is_a_class(cells: Sequence[str]) -> bool:
    """Whether 'none' is what somebody found (none, mild, severe) and not what a program wrote for nothing: written as
    the other labels are, and not rare."""
    said = [cell for cell in cells if cell.casefold() == "none"]
    others = [cell for cell in cells if not is_missing(cell)]
    alike = sum(cell[:1].isupper() == said[0][:1].isupper() for cell in others) if said else 0
    return bool(said) and len(said) > _NONE_IS_A_CLASS * len(cells) and alike > len(others) / 2


def judge_columns(
    header: Sequence[str] | None, columns: Sequence[Sequence[str]], files: int, chosen: Mapping[str, str]
) -> list[Column]:
    """What each column (its cells, of the rows that name pictures) is; the column `files` names the pictures.

    At most one is the class, unless several were chosen, or are flags of several labels.
    """
    found: list[Column] = []
    for place, cells in enumerate(columns):
        name = header[place] if header else ""
        rows = sum(not is_missing(cell) for cell in cells)
        said = chosen.get(name, "") if name else ""
        said = said or chosen.get(str(place + 1), "")
        if place == files:
            found.append(Column(place, name, roles.FILE, Message("It names the most pictures."), rows))
        elif said:
            found.append(Column(place, name, said, roles.CHOSEN, rows, chosen=True))
        else:
            role, reason = _judge(name, cells, alone=len(columns) == 2)
            found.append(Column(place, name, role, reason, rows))
    return _one_class(found, columns)


def _judge(name: str, cells: Sequence[str], alone: bool) -> tuple[str, Message]:
    """A column by itself: `class` says that it may be one."""
    values = {cell for cell in cells if not is_missing(cell)}
    words = name_words(name)
    if role := _by_name(name, words, values):
        return role
    if len(values) >= 2 and {value.casefold() for value in values} <= PARTS.keys() and _has_train(values):
        return roles.PART, Message("Its cells say {values}.", values=sorted(values)[:4])
    if is_measure(cells, labelled=bool(set(words) & LABEL_WORDS)):
        low, high = _range(values)
        return roles.NUMBER, Message("It holds {n:,} different numbers, {low} to {high}: a measure.",
                                     n=len(values), low=low, high=high)  # fmt: skip
    if set(values) and {value.casefold() for value in values} <= FLAGS.keys() | {"-1", "-1.0"}:
        return roles.SEVERAL, Message("It says yes or no.")
    if not 2 <= len(values) <= most_classes(name, len(cells), alone):
        return roles.IGNORE, Message("{n:,} different values: none that repeat as classes do.", n=len(values))
    named = name.casefold() in LABEL_HEADERS or set(words) & LABEL_WORDS
    return roles.CLASS, Message("Its name says so.") if named else Message("Its values repeat as classes do.")


def _by_name(name: str, words: Sequence[str], values: set[str]) -> tuple[str, Message] | None:
    because = Message("It is called {name}.", name=name)
    if name.casefold() in LABEL_HEADERS:
        return None
    folded = {value.casefold() for value in values}
    if set(words) & PART_WORDS and not set(words) & LABEL_WORDS:
        parts = bool(folded) and folded <= PARTS.keys() and _has_train(values)
        return (roles.PART if parts else roles.IGNORE), because
    last = words[-1] if words else ""
    if set(words) & LABEL_WORDS and last not in OTHER_WORDS - {"id", "idx", "index", "no", "nr", "number"}:
        return None
    if last in OTHER_WORDS and not (last in ("id", "idx", "no", "nr", "number") and set(words) & OWNER_WORDS):
        number = is_measure(list(values), labelled=False)
        return (roles.NUMBER if number else roles.IGNORE), because
    return (roles.GROUP, because) if set(words) & OWNER_WORDS else None


def _has_train(values: Iterable[str]) -> bool:
    return "train" in {PARTS[value.casefold()] for value in values}


def most_classes(name: str, rows: int, alone: bool) -> int:
    """How many different values a column of classes has at most. alone: it is the only one beside the file names."""
    named = name.casefold() in LABEL_HEADERS or set(name_words(name)) & LABEL_WORDS
    return max(FEW if named or alone else 2, rows // 2)


def is_measure(cells: Sequence[str], labelled: bool) -> bool:
    """Whether these are numbers on a scale and no names of classes: broken numbers, or more whole ones than classes
    have that do not count from 0 or 1 (`labelled`: in a column that is called a label) with some pictures each."""
    values = {cell for cell in cells if not is_missing(cell)}
    numbers = [_number(value) for value in values]
    if len(values) < 3 or any(number is None for number in numbers):
        return False
    found = sorted(number for number in numbers if number is not None)
    if any(number != int(number) for number in found):
        return len(found) > 5
    counted = found[0] in (0, 1) and found[-1] - found[0] < 1.2 * len(found) and len(cells) >= 4 * len(found)
    return len(found) > FEW and not (labelled and counted)


def _number(cell: str) -> float | None:
    if "_" in cell:  # Python takes 1_2 for a number
        return None
    try:
        number = float(cell.replace(",", ".").rstrip(" %"))
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None  # nan and inf are none either


def _range(values: Iterable[str]) -> tuple[str, str]:
    known = sorted((number, value) for value in values if (number := _number(value)) is not None)
    return known[0][1], known[-1][1]


def _one_class(found: list[Column], columns: Sequence[Sequence[str]]) -> list[Column]:
    """Of the columns that may be the class, the one whose name says so, else the first; the others are left alone."""
    chosen = [one for one in found if one.chosen and one.role == roles.CLASS]
    may = [one for one in found if one.role == roles.CLASS and not one.chosen]
    flags = [one for one in found if one.role == roles.SEVERAL]
    labelled = [one for one in flags if one.name.casefold() in LABEL_HEADERS]  # label: 0 or 1
    likely = [*may, *labelled] if len(labelled) == 1 else may
    named = sorted((rank, one.place) for one in likely if (rank := _rank(one.name)) is not None)
    best = chosen[0].place if chosen else named[0][1] if named else None
    if best is None and _are_labels(flags, may, columns):
        return [_not_the_class(one, Message("Other columns say yes or no, one a class.")) if one in may else one
                for one in found]  # fmt: skip
    if best is None and may:
        best = may[0].place
    if best is None and len(flags) == 1:  # ill: yes or no
        only = flags[0]
        return [replace(one, role=roles.CLASS) if one is only else one for one in found]
    if best is None:
        return found
    called = next(one.called for one in found if one.place == best)
    why = Message("{called} is the class.", called=called)
    others = [one for one in (*may, *flags) if one.place != best]
    taken = [replace(one, role=roles.CLASS) if one.place == best else one for one in found]
    return [_not_the_class(one, why) if one in others else one for one in taken]


def _are_labels(flags: Sequence[Column], may: Sequence[Column], columns: Sequence[Sequence[str]]) -> bool:
    """Whether the columns that say yes or no are the labels: exactly one says yes in each row, or there are more of
    them than of columns that may be the class."""
    if len(flags) < 2:
        return False
    rows = zip(*(columns[one.place] for one in flags), strict=True)
    single = all(sum(is_set(cell) for cell in row) == 1 for row in rows)
    return single or not may or (len(flags) >= 3 and len(flags) > len(may))


def is_set(cell: str) -> bool:
    """Whether a flag says yes."""
    return FLAGS.get(cell.casefold(), False)


def _not_the_class(one: Column, why: Message) -> Column:
    if set(name_words(one.name)) & _GROUPS:
        return replace(one, role=roles.GROUP, reason=Message("It is called {name}.", name=one.name))
    return replace(one, role=roles.IGNORE, reason=why)


def _rank(name: str) -> int | None:
    folded = name.casefold()
    if folded in LABEL_HEADERS:
        return LABEL_HEADERS.index(folded)
    return len(LABEL_HEADERS) if set(name_words(name)) & LABEL_WORDS else None


def names_in(cell: str, sign: str) -> list[str]:
    """The names in a cell that holds several: 'a|b', or "['a', 'b']"."""
    inner = cell.strip("[](){} ")
    return [name.strip(" '\"") for name in inner.split(sign) if name.strip(" '\"")]


def several_sign(cells: Iterable[str]) -> str:
    """The sign between names where cells hold several of a few ('a|b'), '' where each holds one.

    Names in lists come alone too, or again in other lists; a comma that belongs to a name does neither.
    """
    counts = Counter(cells)
    for sign in _SEVERAL_SIGNS:
        lists = [cell for cell in counts if len(names_in(cell, sign)) > 1]
        if not lists or sum(counts[cell] for cell in lists) < 2:
            continue
        pieces = Counter(name for cell in counts for name in set(names_in(cell, sign)))
        inside = {name for cell in lists for name in names_in(cell, sign)}
        again = sum(pieces[name] > 1 for name in inside)
        least = 1 if sign in _NEVER_IN_NAMES else 0.6 * len(inside)
        if again >= least and (sign in _NEVER_IN_NAMES or len(pieces) <= len(counts)):
            return sign
    return ""
