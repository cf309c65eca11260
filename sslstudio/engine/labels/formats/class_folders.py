"""Classes told from the folders that the pictures lie in."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.images.index import ImageIndex, printable
from sslstudio.engine.images.multi_folder import Album, roots_of
from sslstudio.engine.labels import roles
from sslstudio.engine.labels.folder_words import (
    GROUPS,
    PICTURE_WORDS,
    VIEWS,
    are_views,
    folder_words,
    kind_of_group,
    natural_key,
    part_of_folder,
)
from sslstudio.engine.labels.outlines.files import path_of
from sslstudio.engine.labels.outlines.name_lists import OF_NUMBERS, read_names
from sslstudio.engine.labels.roles import Role, above_of, chosen_for
from sslstudio.engine.labels.same_name import one_spelling
from sslstudio.engine.labels.types import ASKED_FOR, SOURCES, Choices, ClassLabels, Found, LabelSource

UNLABELLED = frozenset({"unlabelled", "unlabeled", "unsorted", "unknown"})
_SAME = "same"  # of folders below the classes that all have one name
CERTAINTY = 0.5  # a folder may also be a day, or whoever took the pictures


@SOURCES.register("class_folders")
class ClassFolders(LabelSource):
    """A folder a class."""

    def candidates(self, index: ImageIndex, choices: Choices) -> list[Found]:
        """The classes of the folders, or why they were not taken as classes."""
        above = 1 if isinstance(index.root, Album) else 0
        labels, why_not, told = class_folders(index.paths, choices.parts, above, choices.roles)
        if labels is None:
            return [Found("classes", None, reason, CERTAINTY, roles=told) for reason in why_not or (NOTHING,)]
        labels, told = _named(labels, index, told)
        reason = Message("The pictures lie in {n:,} folders of different names.", n=len(labels.names))
        called, certainty = Message("class folders"), CERTAINTY
        if any(role.chosen and role.role == roles.CLASS for role in told):
            certainty = ASKED_FOR
        return [Found("classes", labels, reason, certainty, called, Message("the class folders"), roles=told)]


def _named(labels: ClassLabels, index: ImageIndex, told: tuple[Role, ...]) -> tuple[ClassLabels, tuple[Role, ...]]:
    """The classes with the names of a list beside the folders (data.yaml, classes.txt), where these are numbers."""
    if not all(name.isdecimal() for name in labels.names):
        return labels, told
    for file in (root / name for root in roots_of(index.root).values() for name in OF_NUMBERS):
        try:
            listed = read_names(file).by_number if file.is_file() else {}
        except (DataError, OSError):
            continue
        names = tuple(listed.get(int(name), "") for name in labels.names)
        if all(names) and len(set(names)) == len(names):
            why = Message("It names the classes of the folders.")
            return replace(labels, names=names), (*told, Role(path_of(file, index.root), roles.LABELS, why, len(names)))
    return labels, told


@dataclass(frozen=True)
class _Level:
    """A folder on the way to pictures that may be a class: its place in the path, and its name."""

    place: int
    name: str


Way = tuple[_Level, ...]


def class_folders(
    paths: Sequence[str], given: Mapping[str, str], above: int = 0, chosen: Mapping[str, str] | None = None
) -> tuple[ClassLabels | None, tuple[Message, ...], tuple[Role, ...]]:
    """The classes of the folders, or None and why not (a sentence, when folders looked as if they might be classes);
    and what each folder was taken for.
    above: how many levels say where the pictures come from and not what they show. chosen: what a person said."""
    chosen = chosen or {}
    counts: Counter[str] = Counter()
    parted: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        counts[folder] += 1
        if path in given:
            parted.add(folder)
    ways = {folder: _way_to(folder, above, folder in parted, chosen) for folder in counts}
    labelled = {folder: way for folder, way in ways.items() if way and not _is_unlabelled(way)}
    by_choice = {folder: place for folder in labelled if (place := _chosen_class(folder, chosen)) is not None}
    level, kinds = _Choice(None, ()), counts
    if by_choice:
        class_of = {folder: folder.split("/")[place] for folder, place in by_choice.items()}
        places = by_choice
    else:
        level = _choose_level(labelled, counts)
        if level.depth is None:
            return None, level.why, tuple(_roles(ways, {}, level, kinds, chosen))
        places = {folder: way[level.level].place for folder, way in labelled.items() if len(way) == level.depth}
        class_of = {folder: labelled[folder][level.level].name for folder in places}
    used, merged = one_spelling(name for folder, name in class_of.items() for _ in range(counts[folder]))
    of_folder = {folder: printable(used[name]) for folder, name in class_of.items()}
    sizes = Counter[str]()
    for folder, name in of_folder.items():
        sizes[name] += counts[folder]
    if not by_choice and (reason := _no_classes(sizes)):
        return None, (reason,), tuple(_roles(ways, {}, level, kinds, chosen))
    names = tuple(sorted(sizes, key=lambda name: (natural_key(name), name)))
    numbers = {name: number for number, name in enumerate(names)}
    of = {path: numbers[of_folder[folder]] for path in paths if (folder := path.rpartition("/")[0]) in of_folder}
    notes = (*merged, *_note_groups(level), *_note_rest(paths, of))
    return (
        ClassLabels(Message("class folders"), names, of, notes),
        (),
        tuple(_roles(ways, places, level, kinds, chosen)),
    )


def _way_to(folder: str, above: int, given: bool, chosen: Mapping[str, str]) -> Way:
    """The folders without those for pictures (images/) and, when the pictures are given parts, without train/ ...; and
    without those that a person said are no classes."""
    kept = []
    part_seen = not given
    for place, inner in enumerate(above_of(folder)):
        name, role = inner.rpartition("/")[2], chosen_for(inner, chosen)
        if place < above or role in (roles.PICTURES, roles.GROUP, roles.PART, roles.MASKS):
            part_seen = part_seen or (role == roles.PART)
        elif not part_seen and part_of_folder(name):
            part_seen = True
        elif role == roles.CLASS or not _holds_pictures(name):
            kept.append(_Level(place, name))
    return tuple(kept)


def _chosen_class(folder: str, chosen: Mapping[str, str]) -> int | None:
    """The place of the folder on the way that a person said is a class."""
    if not chosen:
        return None
    return next(
        (place for place, inner in enumerate(above_of(folder)) if chosen_for(inner, chosen) == roles.CLASS), None
    )


@dataclass(frozen=True)
class _Choice:
    """The depth of the folders that have classes, the level of these that names the class (from the end, -1), and what
    those below it are of."""

    depth: int | None
    groups: tuple[str, ...] = ()
    why: tuple[Message, ...] = ()  # there are no classes

    @property
    def level(self) -> int:
        return -1 - len(self.groups)


def _choose_level(labelled: Mapping[str, Way], counts: Mapping[str, int]) -> _Choice:
    depth = _depth_of_classes(labelled.values(), [counts[folder] for folder in labelled])
    if depth is None:
        return _Choice(None)
    found = [tuple(one.name for one in way) for way in labelled.values() if len(way) == depth]
    last = {names[-1] for names in found}
    if depth > 1 and are_views(last) and kind_of_group({names[-2] for names in found}) in ("owner", "code", "date"):
        return _Choice(None, why=(VIEWS,))
    groups: list[str] = []
    while len(groups) + 1 < depth:
        last = {names[-1 - len(groups)] for names in found}
        upper = {names[-2 - len(groups)] for names in found}
        kind = kind_of_group(last)
        if len(last) == 1:  # cat/raw, dog/raw
            groups.append(_SAME)
            continue
        if not kind or (len(upper) < 2 and len(groups) + 2 == depth) or (kind == "code" and kind_of_group(upper)):
            break
        groups.append(kind)
    while groups and len({names[-1 - len(groups)] for names in found}) < 2:
        groups.pop()
    return _Choice(depth, tuple(groups))


def _note_groups(level: _Choice) -> Iterable[Message]:
    for kind in dict.fromkeys(kind for kind in level.groups if kind != _SAME):
        yield Message("The folders below the classes are {kind}: not taken as classes.", kind=GROUPS[kind])


def _roles(
    ways: Mapping[str, Way], places: Mapping[str, int], level: _Choice, counts: Mapping[str, int],
    chosen: Mapping[str, str],
) -> Iterable[Role]:  # fmt: skip
    """What each folder was taken for, with the pictures below it."""
    found: dict[str, tuple[str, Message]] = {}
    below: Counter[str] = Counter()
    for folder, way in ways.items():
        for place, inner in enumerate(above_of(folder)):
            below[inner] += counts[folder]
            told = _role_of(inner, place, way, places.get(folder), level)
            if inner not in found or found[inner][0] == roles.PICTURES:
                found[inner] = told
    for inner, (role, reason) in found.items():
        said = chosen_for(inner, chosen)
        yield Role(inner, said or role, roles.CHOSEN if said else reason, below[inner], bool(said), roles.OF_FOLDERS)


def _role_of(inner: str, place: int, way: Way, at: int | None, level: _Choice) -> tuple[str, Message]:
    name = inner.rpartition("/")[2]
    if at == place:
        return roles.CLASS, Message("Pictures lie in folders of different names.")
    kept = [one.place for one in way]
    if at is not None and place in kept and place > at:
        kind = level.groups[len(kept) - 1 - kept.index(place)] if level.groups else ""
        if kind == _SAME:
            return roles.PICTURES, Message("Each class has a folder of this name.")
        return roles.GROUP, Message("Its folders are {kind}.", kind=GROUPS[kind or "owner"])
    if place not in kept and part_of_folder(name):
        return roles.PART, Message("It is called {name}.", name=name)
    if name.casefold() in UNLABELLED:
        return roles.PICTURES, Message("It is called {name}: without a label.", name=name)
    return roles.PICTURES, roles.HOLDS_PICTURES


def _holds_pictures(folder: str) -> bool:
    words = folder_words(folder)
    return bool(words) and set(words) <= PICTURE_WORDS


def _is_unlabelled(way: Way) -> bool:
    return any(one.name.casefold() in UNLABELLED for one in way)


def _depth_of_classes(ways: Iterable[Way], counts: Iterable[int]) -> int | None:
    """The depth at which most pictures lie, of those on whose way there are two or more folders of different names."""
    names: dict[int, list[set[str]]] = {}
    pictures: Counter[int] = Counter()
    for way, count in zip(ways, counts, strict=True):
        levels = names.setdefault(len(way), [set() for _ in way])
        for level, one in zip(levels, way, strict=True):
            level.add(one.name)
        pictures[len(way)] += count
    fitting = [depth for depth, found in names.items() if any(len(one) >= 2 for one in found)]
    return max(fitting, key=lambda depth: pictures[depth], default=None)


def _no_classes(sizes: Counter[str]) -> Message | None:
    examples = ", ".join(sorted(sizes, key=natural_key)[:3])
    if len(sizes) > sizes.total() / 2:
        return Message(
            "The {sizes} folders ({examples} ...) were not taken as classes: there are more of them than "
            "half of the {total} pictures.",
            sizes=len(sizes),
            examples=examples,
            total=sizes.total(),
        )
    kind = kind_of_group(sizes.keys())
    if len(sizes) >= 3 and kind in ("owner", "date", "magnification"):
        return Message(
            "The {sizes} folders ({examples} ...) were not taken as classes: they are {kind}.",
            sizes=len(sizes),
            examples=examples,
            kind=GROUPS[kind],
        )
    return None


def _note_rest(paths: Sequence[str], of: Mapping[str, int]) -> tuple[Message, ...]:
    rest = len(paths) - len(of)
    return (
        (Message("{rest:,} {rest:plural(picture|pictures)} in no class folder: without a label.", rest=rest),)
        if rest
        else ()
    )
