"""Masks as files among the pictures, paired with them by folder names (images/ and masks/) or by file names."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message, join
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.folder_words import (
    MASK_WORDS,
    SPLIT_WORDS,
    folder_words,
    name_of,
    plain_folder,
    stem_of,
)
from sslstudio.engine.labels.mask_names import plain_names
from sslstudio.engine.labels.masks.coding import MaskCoding, learn_coding
from sslstudio.engine.labels.types import SOURCES, Choices, Found, LabelSource, MaskLabels

_MASK = "masks?|labels?|annotations?|segmentations?|seg|gt|groundtruth|ground[_-]truth"
_MASK_STEM = re.compile(
    rf"(?P<a>.+)[_\-. ](?:{_MASK})(?:[_\-. ]?(?P<number>\d{{1,2}}))?|(?:{_MASK})(?:[_\-. ]|(?=\d))(?P<b>.+)"
)
_PICTURE = "images?|imgs?|photo|picture"
_PICTURE_STEM = re.compile(rf"(.+)[_\-. ](?:{_PICTURE})|(?:{_PICTURE})(?:[_\-. ]|(?=\d))(.+)")

CERTAINTY = 0.8

Key = tuple[tuple[str, ...], str]  # folders without the words for pictures and masks, and the stem; lower case


@dataclass(frozen=True)
class MaskPairs:
    """`of`: picture -> mask. `orphans`: masks that have no picture. `further`: second masks of a picture."""

    found_in: Message
    of: dict[str, str]
    orphans: tuple[str, ...]
    further: tuple[str, ...]

    @property
    def masks(self) -> set[str]:
        """All files that are masks, paired or not."""
        return {*self.of.values(), *self.orphans, *self.further}


def _is_mask_folder(name: str) -> bool:
    words = set(folder_words(name))
    return bool(words & MASK_WORDS) and words <= MASK_WORDS | SPLIT_WORDS.keys()


@lru_cache(maxsize=100_000)
def _mask_folder(folder: str) -> str:
    """The uppermost folder for masks on the way to this one, '' when there is none."""
    parts = folder.split("/")
    level = next((place for place, part in enumerate(parts) if _is_mask_folder(part)), None)
    return "" if level is None else "/".join(parts[: level + 1])


@SOURCES.register("mask_files")
class MaskFiles(LabelSource):
    """A mask file a picture, in a folder or with a name that says so."""

    among_pictures = True

    def candidates(self, index: ImageIndex, choices: Choices) -> list[Found]:
        """The masks with what their values mean; files that turn out to be photographs stay pictures."""
        pairs = find_pairs(index.paths)
        if pairs is None:
            return []
        try:
            coding = learn_coding([index.root / mask for mask in sorted(pairs.of.values())])
        except DataError as error:
            why = Message("{found_in}: not taken as masks. {error}", found_in=pairs.found_in, error=error)
            return [Found("masks", None, why, CERTAINTY, notes=(why,))]
        notes = _notes(pairs, coding, len(index) - len(pairs.masks))
        labels = MaskLabels(pairs.found_in, plain_names(coding), pairs.of, coding, tuple(notes))
        reason = Message(
            "{found_in}: {n:,} files are called like a picture and hold few values.",
            found_in=pairs.found_in,
            n=len(pairs.of),
        )
        called, itself = Message("mask files"), Message("the mask files")
        masks = frozenset(pairs.masks)
        return [Found("masks", labels, reason, CERTAINTY, called, itself, files=masks, unnamed=True)]


def _notes(pairs: MaskPairs, coding: MaskCoding, pictures: int) -> list[Message]:
    notes = []
    if missing := pictures - len(pairs.of):
        notes.append(Message("{missing:,} {missing:plural(picture|pictures)} without a mask.", missing=missing))
    if pairs.orphans:
        notes.append(
            Message(
                "{orphans:,} {orphans:plural(mask|masks)} without a picture: {examples}.",
                orphans=len(pairs.orphans),
                examples=pairs.orphans[:3],
            )
        )
    if pairs.further:
        notes.append(
            Message(
                "{further:,} {further:plural(further mask|further masks)} of pictures left out: {example}.",
                further=len(pairs.further),
                example=pairs.further[0],
            )
        )
    if coding.instances:
        notes.append(Message("The masks number single objects; all of them were taken as one class, 'object'."))
    if coding.ignore is not None:
        notes.append(Message("The value 255 in the masks marks what is not counted."))
    return notes


def find_pairs(paths: Sequence[str]) -> MaskPairs | None:
    """The masks among `paths`, or None. A folder is believed to hold masks when a tenth of its files have a picture."""
    return _by_folder(paths) or _by_stem(paths)


def _key(path: str, stem: str) -> Key:
    return _plain_folders(path.rpartition("/")[0]), stem.lower()


@lru_cache(maxsize=100_000)
def _plain_folders(folder: str) -> tuple[str, ...]:
    return tuple(filter(None, map(plain_folder, folder.split("/"))))


def _mask_stem(stem: str) -> tuple[str, int] | None:
    """('x', 2) for 'x_mask_2'; None when the stem does not say that it is a mask."""
    match = _MASK_STEM.fullmatch(stem.lower())
    return (match["a"] or match["b"], int(match["number"] or 0)) if match else None


def _picture_keys(pictures: Iterable[str]) -> dict[Key, list[str]]:
    keys: dict[Key, list[str]] = {}
    shorter: dict[Key, list[str]] = {}
    for path in pictures:
        stem = stem_of(path)
        keys.setdefault(_key(path, stem), []).append(path)
        if match := _PICTURE_STEM.fullmatch(stem.lower()):
            shorter.setdefault(_key(path, match[1] or match[2]), []).append(path)
    return shorter | keys


def _by_folder(paths: Sequence[str]) -> MaskPairs | None:
    in_folder: dict[str, list[str]] = {}
    for path in paths:
        if folder := _mask_folder(path.rpartition("/")[0]):
            in_folder.setdefault(folder, []).append(path)
    if not in_folder:
        return None
    candidates = {path for found in in_folder.values() for path in found}
    keys = _picture_keys(path for path in paths if path not in candidates)
    pairs: list[tuple[str, str, int]] = []
    orphans: list[str] = []
    folders: list[str] = []
    for folder, masks in in_folder.items():
        found, lost = _match(masks, keys)
        if found and len(found) >= 0.1 * len(masks):
            pairs, orphans, folders = pairs + found, orphans + lost, [*folders, folder]
    return _settle(Message("mask folder {named}", named=_list_names(folders)), pairs, orphans) if pairs else None


def _by_stem(paths: Sequence[str]) -> MaskPairs | None:
    candidates = [path for path in paths if _mask_stem(stem_of(path))]
    if not candidates:
        return None
    marked = set(candidates)
    found, lost = _match(candidates, _picture_keys(path for path in paths if path not in marked))
    if not found or len(found) < 0.5 * len(candidates):
        return None
    return _settle(Message("file names such as {name}", name=name_of(found[0][1])), found, lost)


def _match(masks: Sequence[str], keys: dict[Key, list[str]]) -> tuple[list[tuple[str, str, int]], list[str]]:
    """(picture, mask, number of the mask) for each mask that has a picture, and the masks that have none."""
    found: list[tuple[str, str, int]] = []
    lost: list[str] = []
    for mask in masks:
        stem, number = _mask_stem(stem_of(mask)) or (stem_of(mask), 0)
        same, bare = keys.get(_key(mask, stem_of(mask))), keys.get(_key(mask, stem))
        pictures = same or bare
        if pictures:
            picture = next((one for one in pictures if name_of(one) == name_of(mask)), pictures[0])
            found.append((picture, mask, 0 if same else number))
        else:
            lost.append(mask)
    return found, lost


def _settle(found_in: Message, pairs: list[tuple[str, str, int]], orphans: list[str]) -> MaskPairs:
    of: dict[str, str] = {}
    further: list[str] = []
    for picture, mask, _ in sorted(pairs, key=lambda pair: (pair[0], pair[2], pair[1])):
        if of.setdefault(picture, mask) != mask:
            further.append(mask)
    return MaskPairs(found_in, of, tuple(orphans), tuple(further))


def _list_names(folders: Sequence[str]) -> Message:
    if len(folders) <= 3:
        return join(folders, "")
    return Message("{folders} and {n} more", folders=folders[:3], n=len(folders) - 3)
