"""Folders that hold the same files twice, whatever they are called: pictures, and beside them their masks.

Two folders are twins where their files have the same names, but for what all names of one of them end with
(x_leftImg8bit, x_gtFine_labelIds); the one with few flat values holds the masks of the other.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.folder_words import MASK_WORDS, folder_words, stem_of
from sslstudio.engine.labels.masks.flat import are_masks, are_pictures
from sslstudio.engine.labels.same_name import same_letters

MOST_FOLDERS = 5000  # that are compared
MOST_BESIDE = 12  # folders beside each other: more are classes, days or patients
LEAST = 2  # pictures with a twin
SHARE = 0.5  # of the files of the masks
_LOOKED_AT = 6  # names that are looked for before all are compared
# What is told of a picture in several files of one folder: the first that is there is the mask.
KINDS = (
    "labelids",
    "labeltrainids",
    "trainids",
    "mask",
    "masks",
    "label",
    "labels",
    "gt",
    "seg",
    "segmentation",
    "0000",
)
NOT_MASKS = ("color", "colour", "colors", "rgb", "vis", "overlay", "viz")


@dataclass
class _Side:
    """One of the folders at a place: what all its files lie in below it -> their names."""

    name: str
    place: str
    names: dict[str, list[str]] = field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """The paths of all its files."""
        return [_join(self.place, self.name, rest, name) for rest, names in self.names.items() for name in names]

    def some(self) -> list[str]:
        """The paths of some of its files, from all over it."""
        found = []
        for rest in list(self.names)[:: max(1, len(self.names) // _LOOKED_AT)]:
            names = self.names[rest]
            found += [_join(self.place, self.name, rest, name) for name in names[:: max(1, len(names) // _LOOKED_AT)]]
        return found[:: max(1, len(found) // _LOOKED_AT)]

    @property
    def path(self) -> str:
        """The folder."""
        return _join(self.place, self.name)


@dataclass(frozen=True)
class Twins:
    """`of`: picture -> mask; `further`: other files of the masks' folder; the two folders ('' is the root)."""

    pictures: str
    masks: str
    of: dict[str, str]
    further: tuple[str, ...]


def find_twins(index: ImageIndex) -> list[Twins]:
    """The folders of pictures that have a folder of masks beside or in them."""
    found: list[Twins] = []
    taken: set[str] = set()
    looked_at: dict[int, bool] = {}  # by side: whether it looks like masks
    for sides in _places(index):
        for pictures, masks in _candidates(sides):
            if masks.path in taken or masks.path == pictures.path or pictures.path in taken:
                continue
            if id(masks) not in looked_at:
                looked_at[id(masks)] = are_masks([index.root / path for path in masks.some()])
            twins = _pair(index, pictures, masks) if looked_at[id(masks)] else None
            if twins is not None:
                found.append(twins)
                taken.add(masks.path)
    return found


def _join(*parts: str) -> str:
    return "/".join(filter(None, parts))


def _places(index: ImageIndex) -> Iterator[list[_Side]]:
    """For each folder, those in it (and itself, '') that hold files in the same folders below, the uppermost first."""
    if not 2 <= len(index.runs) <= MOST_FOLDERS:
        return
    at: dict[str, dict[str, _Side]] = {}
    for run in index.runs:
        parts = run.prefix.split("/")[:-1]
        names = run.names.split("/")
        for level, name in enumerate(parts):
            place, rest = "/".join(parts[:level]), "/".join(parts[level + 1 :])
            side = at.setdefault(place, {}).setdefault(name, _Side(name, place))
            side.names.setdefault(rest, []).extend(names)
        own = "/".join(parts)
        at.setdefault(own, {}).setdefault("", _Side("", own)).names.setdefault("", []).extend(names)
    for place in sorted(at, key=lambda place: (place.count("/"), place)):
        if 2 <= len(at[place]) <= MOST_BESIDE:
            yield list(at[place].values())


def _candidates(sides: Sequence[_Side]) -> Iterable[tuple[_Side, _Side]]:
    """(pictures, masks) worth a look: those whose names say so, or are alike, first."""
    pairs = [(a, b) for a, b in permutations(sides, 2) if _may_share(a, b)]
    return sorted(pairs, key=lambda pair: (not _is_named_after(*pair), pair[0].name, pair[1].name))


def _is_named_after(pictures: _Side, masks: _Side) -> bool:
    a, b = pictures.name.lower(), masks.name.lower()
    return bool(set(folder_words(b)) & MASK_WORDS) or (bool(a) and a in b)


def _may_share(a: _Side, b: _Side) -> bool:
    """Whether names of the one are in the other, from a few of them: a search in one text, not a set of all names."""
    for rest in a.names.keys() & b.names.keys():
        text = "/" + "/".join(a.names[rest])
        some = b.names[rest]
        some = some[:: max(1, len(some) // _LOOKED_AT)][:_LOOKED_AT]
        hits = sum(any(f"/{begin}" in text for begin in _beginnings(stem_of(name))) for name in some)
        if some and hits >= SHARE * len(some):
            return True
    return False


def _beginnings(stem: str) -> Iterator[str]:
    """'x_gt_ids.', 'x_gt_ids_', 'x_gt.', 'x_gt_', 'x.', 'x_' for 'x_gt_ids'."""
    for _ in range(4):
        yield from (f"{stem}.", f"{stem}_", f"{stem}-")
        stem, sign, _rest = re.sub(r"[-.]", "_", stem).rpartition("_")
        if not sign:
            return


def _pair(index: ImageIndex, pictures: _Side, masks: _Side) -> Twins | None:
    ours, theirs = _keys(pictures), _keys(masks)
    common = ours.keys() & theirs.keys()
    if len(common) < max(LEAST, SHARE * len(theirs), 0.1 * len(ours)):
        return None
    of = {ours[key]: theirs[key] for key in sorted(common)}
    if not are_masks([index.root / path for path in of.values()]) or not are_pictures([index.root / p for p in of]):
        return None
    chosen = set(of.values())
    return Twins(pictures.path, masks.path, of, tuple(path for path in masks.files if path not in chosen))


def _keys(side: _Side) -> dict[tuple[str, str], str]:
    """(folder below, what a name has of its own) -> path; of several kinds of files the one that is the mask."""
    files = [(rest, name) for rest, names in side.names.items() for name in names]
    stems = [stem_of(name) for _, name in files]
    kind = _kind_of(stems)
    if kind:
        files = [one for one, stem in zip(files, stems, strict=True) if stem.endswith(kind)]
        stems = [stem.removesuffix(kind) for stem in stems if stem.endswith(kind)]
    end = _common_end(stems)
    return {
        (rest, same_letters(stem.removesuffix(end))): _join(side.place, side.name, rest, name)
        for (rest, name), stem in zip(files, stems, strict=True)
    }


def _kind_of(stems: Sequence[str]) -> str:
    """'_labelIds' where each picture has several files, told apart by the last word; '' where it has one."""
    ends = Counter(stem.rpartition("_")[2] for stem in stems if "_" in stem)
    if not 2 <= len(ends) <= 6 or ends.total() < len(stems):
        return ""
    bare = {stem.rpartition("_")[0] for stem in stems}
    if len(bare) * len(ends) > 1.2 * len(stems):
        return ""
    known = [end for kind in KINDS for end in ends if end.lower() == kind]
    others = [end for end in sorted(ends) if end.lower() not in (*NOT_MASKS, "instanceids")]
    return f"_{[*known, *others, *sorted(ends)][0]}"


def _common_end(stems: Sequence[str]) -> str:
    """What all names end with, from a sign between words on: '_leftImg8bit'."""
    if len(stems) < LEAST:
        return ""
    first, last = min(stem[::-1] for stem in stems), max(stem[::-1] for stem in stems)
    length = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    match = re.search(r"[_\-. ].*", first[:length][::-1])
    return match.group() if match else ""
