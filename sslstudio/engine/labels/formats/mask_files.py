"""Masks as files among the pictures, paired with them by folder names (images/ and masks/), by file names, or because a
folder beside the pictures holds files of the same names with few flat values."""

import re
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
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
from sslstudio.engine.labels.masks.flat import are_alike
from sslstudio.engine.labels.masks.mask_set import read_masks
from sslstudio.engine.labels.outlines.files import path_of
from sslstudio.engine.labels.outlines.told import beside_roles
from sslstudio.engine.labels.outlines.value_names import ValueNames, name_values
from sslstudio.engine.labels.roles import (
    CHOSEN,
    IGNORE,
    LABELS,
    MASKS,
    OF_FOLDERS,
    PICTURES,
    Role,
    above_of,
    chosen_for,
)
from sslstudio.engine.labels.same_name import same_letters
from sslstudio.engine.labels.twin_folders import find_twins
from sslstudio.engine.labels.types import ASKED_FOR, SOURCES, Choices, Found, LabelSource, MaskLabels

_MASK = "masks?|labels?|annotations?|segmentations?|seg|gt|groundtruth|ground[_-]truth"
_MASK_STEM = re.compile(
    rf"(?P<a>.+)[_\-. ](?:{_MASK})(?:[_\-. ]?(?P<number>\d{{1,2}}))?|(?:{_MASK})(?:[_\-. ]|(?=\d))(?P<b>.+)"
)
_PICTURE = "images?|imgs?|photo|picture|volume|vol|raw|stack|original"
_PICTURE_STEM = re.compile(rf"(.+)[_\-. ](?:{_PICTURE})|(?:{_PICTURE})(?:[_\-. ]|(?=\d))(.+)")

CERTAINTY = 0.8

Key = tuple[tuple[str, ...], str]  # folders without the words for pictures and masks, and the stem; lower case


@dataclass(frozen=True)
class MaskPairs:
    """`of`: picture -> mask. `orphans`: masks that have no picture. `further`: second masks of a picture. `reason`: by
    what they were told; `folders`: those that hold masks."""

    found_in: Message
    of: dict[str, str]
    orphans: tuple[str, ...]
    further: tuple[str, ...]
    reason: Message
    folders: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    @property
    def masks(self) -> set[str]:
        """All files that are masks, paired or not."""
        return {*self.of.values(), *self.orphans, *self.further}


def _is_mask_folder(name: str) -> bool:
    words = set(folder_words(name))
    return bool(words & MASK_WORDS) and words <= MASK_WORDS | SPLIT_WORDS.keys()


def _mask_folder(folder: str, chosen: Mapping[str, str]) -> str:
    """The uppermost folder for masks on the way to this one, '' when there is none."""
    for inner in above_of(folder):
        said = chosen_for(inner, chosen)
        if said == MASKS or (not said and _is_mask_folder(inner.rpartition("/")[2])):
            return inner
    return ""


@SOURCES.register("mask_files")
class MaskFiles(LabelSource):
    """A mask file a picture, in a folder or with a name that says so."""

    among_pictures = True

    def candidates(self, index: ImageIndex, choices: Choices) -> Generator[Preparing, None, list[Found]]:
        """The masks with what their values mean; files that turn out to be photographs stay pictures."""
        chosen = choices.roles
        found = []
        named = find_pairs(index.paths, chosen)
        if named is not None:
            named = _settle_with_twins(index, named, chosen)
        if named is not None:
            found.append((yield from _describe(index, named, chosen)))
        twins = _by_twins(index, chosen) if named is None or found[0].labels is None else None
        if twins is not None:
            found.append((yield from _describe(index, twins, chosen)))
        return found


def _describe(index: ImageIndex, pairs: MaskPairs, chosen: Mapping[str, str]) -> Generator[Preparing, None, Found]:
    certainty = ASKED_FOR if any(chosen_for(folder, chosen) == MASKS for folder in pairs.folders) else CERTAINTY
    try:
        masks = yield from read_masks(index.root, pairs.of)
    except DataError as error:
        why = Message("{found_in}: not taken as masks. {error}", found_in=pairs.found_in, error=error)
        return Found("masks", None, why, CERTAINTY, notes=(why,))
    notes = [*_notes(pairs, len(index) - len(pairs.masks)), *masks.notes()]
    named = name_values(index.root, sorted(pairs.of.values()), masks.coding)
    beside = () if pairs.folders else beside_roles(pairs.masks, pairs.of, pairs.reason, index)
    told = [*_roles(pairs, chosen), *beside, *_role_of_names(index, named)]
    names = named.names if named else plain_names(masks.coding)
    labels = MaskLabels(pairs.found_in, names, masks.of, masks.coding, tuple(notes))
    called, itself = Message("mask files"), Message("the mask files")
    files = frozenset(pairs.masks)
    return Found(
        "masks", labels, pairs.reason, certainty, called, itself, files=files, unnamed=named is None,
        roles=tuple(told),
    )  # fmt: skip


def _role_of_names(index: ImageIndex, named: ValueNames | None) -> Iterable[Role]:
    if named is None:
        return
    why = Message("It names {n:,} of the {all:,} values of the masks.", n=named.named, all=len(named.names))
    yield Role(path_of(named.file, index.root), LABELS, why, named.named)


def _settle_with_twins(index: ImageIndex, named: MaskPairs, chosen: Mapping[str, str]) -> MaskPairs:
    """Where two folders hold masks of the same pictures, those that are called so are taken, unless they all are alike:
    these say where a picture is (the round field of a camera), not what is in it."""
    rest = index.subset(set(index.paths) - named.masks)
    twins = _by_twins(rest, chosen) if named.folders and rest.runs else None
    if twins is None or len(twins.of.keys() & named.of.keys()) < 0.5 * len(twins.of):
        return named
    said = any(chosen_for(folder, chosen) == MASKS for folder in named.folders)
    taken, other = (twins, named) if not said and are_alike(index.root, list(named.of.values())) else (named, twins)
    return replace(taken, further=(*taken.further, *sorted(other.masks - taken.masks)), beside=other.folders)


def _roles(pairs: MaskPairs, chosen: Mapping[str, str]) -> Iterable[Role]:
    counts = Counter(mask.rpartition("/")[0] for mask in pairs.masks)
    below = Counter(inner for folder, n in counts.items() for inner in above_of(folder) for _ in range(n))
    for folder in pairs.folders:
        said = chosen_for(folder, chosen)
        reason = CHOSEN if said else pairs.reason
        yield Role(folder, MASKS, reason, below[folder], bool(said), OF_FOLDERS)
    for folder in pairs.beside:
        why = Message("Its files are masks of the same pictures: those in {others} are used.", others=pairs.folders)
        yield Role(folder, IGNORE, why, below[folder], choices=OF_FOLDERS)


def _by_twins(index: ImageIndex, chosen: Mapping[str, str]) -> MaskPairs | None:
    """Masks in folders that no name says it of: their files are called as the pictures, and hold few flat values."""
    found = [one for one in find_twins(index) if chosen_for(one.masks, chosen) in ("", MASKS)]
    if not found:
        return None
    folders = [one.masks for one in found]
    of = {picture: mask for one in found for picture, mask in one.of.items()}
    further = tuple(path for one in found for path in one.further)
    reason = Message(
        "Its files are called like the pictures in {pictures}, and hold few flat values.",
        pictures=list(dict.fromkeys(one.pictures or "." for one in found))[:3],
    )
    return MaskPairs(
        Message("mask folder {named}", named=_list_names(folders)), of, (), further, reason, tuple(folders)
    )


def _notes(pairs: MaskPairs, pictures: int) -> list[Message]:
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
    return notes


def find_pairs(paths: Sequence[str], chosen: Mapping[str, str] | None = None) -> MaskPairs | None:
    """The masks among `paths` by the names of folders or files, or None. A folder is believed to hold masks when a
    tenth of its files have a picture. chosen: what a person said that folders are."""
    return _by_folder(paths, chosen or {}) or _by_stem(paths, chosen or {})


def _key(path: str, stem: str) -> Key:
    return _plain_folders(path.rpartition("/")[0]), same_letters(stem)


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


def _by_folder(paths: Sequence[str], chosen: Mapping[str, str]) -> MaskPairs | None:
    in_folder: dict[str, list[str]] = {}
    known: dict[str, str] = {}
    for path in paths:
        lies_in = path.rpartition("/")[0]
        if lies_in not in known:
            known[lies_in] = _mask_folder(lies_in, chosen)
        if folder := known[lies_in]:
            in_folder.setdefault(folder, []).append(path)
    if not in_folder:
        return None
    candidates = {path for found in in_folder.values() for path in found}
    keys = _picture_keys(path for path in paths if path not in candidates)
    pairs: list[tuple[str, str, int]] = []
    orphans: list[str] = []
    folders: list[str] = []
    for folder, masks in in_folder.items():
        found, lost = _match(masks, keys, folder if chosen_for(folder, chosen) == MASKS else "")
        if found and len(found) >= 0.1 * len(masks):
            pairs, orphans, folders = pairs + found, orphans + lost, [*folders, folder]
    if not pairs:
        return None
    reason = Message("Its name says so, and its files are called like pictures.")
    return _settle(Message("mask folder {named}", named=_list_names(folders)), pairs, orphans, reason, folders)


def _by_stem(paths: Sequence[str], chosen: Mapping[str, str]) -> MaskPairs | None:
    candidates = [path for path in paths if _mask_stem(stem_of(path)) and _may_hold_masks(path, chosen)]
    if not candidates:
        return None
    marked = set(candidates)
    pictures = [path for path in paths if path not in marked]
    found, lost = _match(candidates, _picture_keys(pictures))
    if not found:
        found, lost = _match_several(candidates, pictures), []
    if len({mask for _, mask, _ in found}) < max(1, 0.5 * len(candidates)):
        return None
    reason = Message("{n:,} files are called like a picture and say that they are masks.", n=len(found))
    return _settle(Message("file names such as {name}", name=name_of(found[0][1])), found, lost, reason)


def _match_several(masks: Sequence[str], pictures: Sequence[str]) -> list[tuple[str, str, int]]:
    """(picture, mask, 0) where a mask is of several pictures of its folder: x_seg of x_t1, x_t2 and x_flair."""
    of_folder: dict[str, list[str]] = {}
    for path in pictures:
        of_folder.setdefault(path.rpartition("/")[0], []).append(path)
    found = []
    for mask in masks:
        stem, _ = _mask_stem(stem_of(mask)) or ("", 0)
        here = [
            path for path in of_folder.get(mask.rpartition("/")[0], ()) if stem_of(path).lower().startswith(f"{stem}_")
        ]
        found += [(path, mask, 0) for path in here if stem]
    return found


def _may_hold_masks(path: str, chosen: Mapping[str, str]) -> bool:
    """Whether nobody said that the files in these folders are something else."""
    if not chosen:
        return True
    said = [chosen_for(folder, chosen) for folder in above_of(path.rpartition("/")[0])]
    return PICTURES not in said


def _match(
    masks: Sequence[str], keys: dict[Key, list[str]], chosen: str = ""
) -> tuple[list[tuple[str, str, int]], list[str]]:
    """(picture, mask, number of the mask) for each mask that has a picture, and the masks that have none. chosen: a
    folder of masks whose name does not say so: pictures may have any folder in its place."""
    found: list[tuple[str, str, int]] = []
    lost: list[str] = []
    for mask in masks:
        stem, number = _mask_stem(stem_of(mask)) or (stem_of(mask), 0)
        same, bare = keys.get(_key(mask, stem_of(mask))), keys.get(_key(mask, stem))
        if chosen and not same and not bare:
            bare = _elsewhere(mask, stem, keys, chosen)
        pictures = same or bare
        if pictures:
            picture = next((one for one in pictures if name_of(one) == name_of(mask)), pictures[0])
            found.append((picture, mask, 0 if same else number))
        else:
            lost.append(mask)
    return found, lost


def _elsewhere(mask: str, stem: str, keys: dict[Key, list[str]], chosen: str) -> list[str] | None:
    """The pictures of this name where another folder stands in the place of the chosen one, or none; None unless they
    all lie in one folder."""
    folders = _plain_folders(mask.rpartition("/")[0])
    place = len(_plain_folders(chosen)) - 1
    rest = folders[:place] + folders[place + 1 :]
    fitting = [
        paths
        for (others, other), paths in keys.items()
        if other == same_letters(stem) and rest in (others, others[:place] + others[place + 1 :])
    ]
    return fitting[0] if len(fitting) == 1 else None


def _settle(
    found_in: Message,
    pairs: list[tuple[str, str, int]],
    orphans: list[str],
    reason: Message,
    folders: Sequence[str] = (),
) -> MaskPairs:
    of: dict[str, str] = {}
    further: list[str] = []
    for picture, mask, _ in sorted(pairs, key=lambda pair: (pair[0], pair[2], pair[1])):
        if of.setdefault(picture, mask) != mask:
            further.append(mask)
    return MaskPairs(found_in, of, tuple(orphans), tuple(further), reason, tuple(folders))


def _list_names(folders: Sequence[str]) -> Message:
    if len(folders) <= 3:
        return join(folders, "")
    return Message("{folders} and {n} more", folders=folders[:3], n=len(folders) - 3)
