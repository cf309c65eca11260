"""Classes told from the folders that the pictures lie in."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex, printable
from sslstudio.engine.images.multi_folder import Album
from sslstudio.engine.labels.folder_words import (
    PICTURE_WORDS,
    folder_words,
    folders_of,
    natural_key,
    part_of_folder,
)
from sslstudio.engine.labels.types import SOURCES, Choices, ClassLabels, Found, LabelSource

UNLABELLED = frozenset({"unlabelled", "unlabeled", "unsorted", "unknown"})
_OWNER = re.compile(
    r"(patient|pat|subject|subj|sub|case|donor|person|participant|slide|specimen|biopsy|video|vid|scan|study"
    r"|series|session|volume|plate|batch)s?[_\- ]?\d+",
    re.IGNORECASE,
)

CERTAINTY = 0.5  # a folder may also be a day, or whoever took the pictures

Folders = tuple[str, ...]


@SOURCES.register("class_folders")
class ClassFolders(LabelSource):
    """A folder a class."""

    def candidates(self, index: ImageIndex, choices: Choices) -> list[Found]:
        """The classes of the folders, or why they were not taken as classes."""
        labels, why_not = class_folders(index.paths, choices.parts, above=1 if isinstance(index.root, Album) else 0)
        if labels is None:
            return [Found("classes", None, reason, CERTAINTY) for reason in why_not]
        reason = Message("The pictures lie in {n:,} folders of different names.", n=len(labels.names))
        called = Message("class folders")
        return [Found("classes", labels, reason, CERTAINTY, called, Message("the class folders"))]


def class_folders(
    paths: Sequence[str], given: Mapping[str, str], above: int = 0
) -> tuple[ClassLabels | None, tuple[Message, ...]]:
    """The classes of the folders, or None and why not (a sentence, when folders looked as if they might be classes).
    above: how many levels say where the pictures come from and not what they show."""
    folders = {path: _without_parts(folders_of(path)[above:], path in given) for path in paths}
    labelled = {path: names for path, names in folders.items() if names and not _is_unlabelled(names)}
    depth = _depth_of_classes(labelled.values())
    if depth is None:
        return None, ()
    level = _level(labelled, depth)
    of_name = {path: printable(names[level]) for path, names in labelled.items() if len(names) == depth}
    sizes = Counter(of_name.values())
    if reason := _no_classes(sizes):
        return None, (reason,)
    names = tuple(sorted(sizes, key=lambda name: (natural_key(name), name)))
    numbers = {name: number for number, name in enumerate(names)}
    of = {path: numbers[name] for path, name in of_name.items()}
    return ClassLabels(Message("class folders"), names, of, _note_rest(paths, of)), ()


def _without_parts(folders: Folders, given: bool) -> Folders:
    """The folders without those for pictures (images/) and, when the pictures are given parts, without train/ ..."""
    kept = []
    part_seen = not given
    for name in folders:
        if not part_seen and part_of_folder(name):
            part_seen = True
        elif not _holds_pictures(name):
            kept.append(name)
    return tuple(kept)


def _holds_pictures(folder: str) -> bool:
    words = folder_words(folder)
    return bool(words) and set(words) <= PICTURE_WORDS


def _is_unlabelled(folders: Folders) -> bool:
    return any(name.casefold() in UNLABELLED for name in folders)


def _depth_of_classes(folders: Iterable[Folders]) -> int | None:
    """The depth at which most pictures lie in two or more folders of different names."""
    at_depth: dict[int, list[Folders]] = {}
    for names in folders:
        at_depth.setdefault(len(names), []).append(names)
    fitting = [depth for depth, found in at_depth.items() if len({names[-1] for names in found}) >= 2]
    return max(fitting, key=lambda depth: len(at_depth[depth]), default=None)


def _level(labelled: Mapping[str, Folders], depth: int) -> int:
    """The last level, or the one above when the last ones are patients, slides ...: tumour/patient12/slice3.png."""
    found = [names for names in labelled.values() if len(names) == depth]
    if depth >= 2 and all(_OWNER.fullmatch(names[-1]) for names in found) and len({n[-2] for n in found}) >= 2:
        return depth - 2
    return depth - 1


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
    if len(sizes) >= 3 and all(_OWNER.fullmatch(name) for name in sizes):
        return Message(
            "The {sizes} folders ({examples} ...) were not taken as classes: they are named like patients.",
            sizes=len(sizes),
            examples=examples,
        )
    return None


def _note_rest(paths: Sequence[str], of: Mapping[str, int]) -> tuple[Message, ...]:
    rest = len(paths) - len(of)
    return (
        (Message("{rest:,} {rest:plural(picture|pictures)} in no class folder: without a label.", rest=rest),)
        if rest
        else ()
    )
