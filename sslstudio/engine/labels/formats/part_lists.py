"""Lists of the pictures of each part: train.txt, val.txt, test.txt, a name a line. Pascal VOC keeps them in
ImageSets/Main and ImageSets/Segmentation (Everingham et al., IJCV 2010); others beside the pictures, in `splits` or in
`meta`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.images.multi_folder import roots_of
from sslstudio.engine.labels import roles
from sslstudio.engine.labels.folder_words import SPLIT_WORDS
from sslstudio.engine.labels.outlines.files import text_of
from sslstudio.engine.labels.picture_names import find_pictures, lookup_of
from sslstudio.engine.labels.roles import Role, above_of, chosen_for
from sslstudio.engine.labels.types import LARGEST, SOURCES, Choices, Found, LabelSource

_PARTS: Final = {**SPLIT_WORDS, "trainval": "train"}
_TOGETHER: Final = "trainval"  # is read last: what is in val.txt too is there
_FOLDERS: Final = ("", "splits", "meta", "ImageSets")
_OF_OBJECTS, _OF_MASKS = "ImageSets/Main", "ImageSets/Segmentation"
_MOST_PLACES: Final = 200  # looked into; lists lie above many folders, not in each
_FEWEST: Final = 0.5  # share of the lines that name a picture here: else the list is of something else
_FLAG: Final = re.compile(r"\s+-?[01]$")  # VOC's lists of one class say whether it is in the picture


@dataclass(frozen=True)
class _PartList:
    """A file, as roles name it, its part and the pictures that its lines name ('' for none here)."""

    path: str
    part: str
    named: Sequence[str]


@SOURCES.register("part_lists")
class PartLists(LabelSource):
    """Says only which part a picture is set apart for."""

    sets_apart = True

    def candidates(self, index: ImageIndex, choices: Choices) -> list[Found]:
        """The parts of the pictures; of several lists that name a picture the first holds."""
        if choices.asked is not None or not index.ignored.get(".txt"):
            return []
        found: list[_PartList] = []
        told: list[Role] = []
        for place, root, prefix in _places(index):
            for file, path in _lists_at(place, root, prefix):
                if chosen_for(path, choices.roles) == roles.IGNORE:
                    told.append(Role(path, roles.IGNORE, roles.CHOSEN, 0, True, (roles.PART, roles.IGNORE)))
                    continue
                named = _read(file, index, place.relative_to(root).as_posix(), prefix)
                if sum(map(bool, named)) >= max(1, _FEWEST * len(named)):
                    found.append(_PartList(path, _PARTS[file.stem.lower()], named))
        parts, notes = _merge(found)
        if not found or "train" not in parts.values() or len(set(parts.values())) < 2:
            return [Found("classes", None, NOTHING, 0.0, roles=tuple(told))] if told else []
        told += [_role(one, choices.roles) for one in found]
        return [Found("classes", None, NOTHING, 0.0, parts=parts, roles=tuple(told), notes=tuple(notes))]


def _places(index: ImageIndex) -> Iterator[tuple[Path, Path, str]]:
    """(folder, the root it lies in, that root's name in an album) of the folders around pictures, uppermost first."""
    for name, root in roots_of(index.root).items():
        inner: dict[str, None] = {"": None}
        for run in index.runs:
            folder = run.prefix.rstrip("/")
            if name and folder.partition("/")[0] != name:
                continue
            inner |= dict.fromkeys(above_of(folder.partition("/")[2] if name else folder))
            if len(inner) > _MOST_PLACES:
                break
        for folder in sorted(inner, key=lambda one: (one.count("/") + bool(one), one))[:_MOST_PLACES]:
            yield root / folder, root, name


def _lists_at(place: Path, root: Path, prefix: str) -> Iterator[tuple[Path, str]]:
    """The lists that belong to a folder, those of whole parts first; of VOC those of what its folders hold."""
    of_voc = (_OF_OBJECTS, _OF_MASKS)
    if any((place / name).is_dir() for name in ("SegmentationClass", "SegmentationClassPNG")):
        of_voc = (_OF_MASKS, _OF_OBJECTS)
    for folder in (*of_voc, *_FOLDERS):
        try:
            files = [one for one in sorted((place / folder).iterdir()) if one.suffix.lower() == ".txt"]
        except OSError:
            continue
        lists = [one for one in files if one.stem.lower() in _PARTS and one.stat().st_size <= LARGEST]
        for file in sorted(lists, key=lambda one: one.stem.lower() == _TOGETHER):
            yield file, "/".join(filter(None, [prefix, file.relative_to(root).as_posix()]))


def _read(file: Path, index: ImageIndex, place: str, prefix: str) -> list[str]:
    """The picture of each line, '' where it names none, or several. Of two names in a line the first is the picture's
    (SegNet's lists name its mask behind it)."""
    below = "/".join(part for part in (prefix, place) if part not in ("", "."))
    try:
        lines = [line.strip() for line in text_of(file).splitlines() if line.strip()]
    except DataError:
        return []
    lookup = lookup_of([path for path in index.paths if path.startswith(f"{below}/")] if below else index.paths)
    whole = find_pictures([_FLAG.sub("", line) for line in lines], lookup)
    if not any(whole):
        whole = find_pictures([line.split()[0] for line in lines], lookup)
    return [one[0] if len(one) == 1 else "" for one in whole]


def _merge(found: Sequence[_PartList]) -> tuple[dict[str, str], list[Message]]:
    parts: dict[str, str] = {}
    torn: dict[str, None] = {}
    for one in found:
        known = one.path.rpartition("/")[2].lower() == f"{_TOGETHER}.txt"
        for path in filter(None, one.named):
            if parts.setdefault(path, one.part) != one.part and not known:
                torn[path] = None
    if not torn:
        return parts, []
    return parts, [
        Message(
            "{n:,} {n:plural(picture is|pictures are)} in the lists of several parts: the first list holds ({some}).",
            n=len(torn),
            some=list(torn)[:3],
        )
    ]


def _role(one: _PartList, chosen: Mapping[str, str]) -> Role:
    here = sum(map(bool, one.named))
    why = Message("A list: {n:,} of its {all:,} names are pictures here.", n=here, all=len(one.named))
    said = chosen_for(one.path, chosen) == roles.PART
    return Role(one.path, roles.PART, why, here, said, (roles.PART, roles.IGNORE))
