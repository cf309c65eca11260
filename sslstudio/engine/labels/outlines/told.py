"""What files of labels and the folders of their pictures are taken for: the lines of the tree of roles."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels import roles
from sslstudio.engine.labels.outlines.files import path_of
from sslstudio.engine.labels.roles import Role, above_of, chosen_for

_NAMES: Final = Message("It names the classes.")
_ONE_BY_ONE: Final = 3  # files of a folder that are told one by one; more are told as one line, with *


def is_left_out(file: Path, index: ImageIndex, chosen: Mapping[str, str]) -> bool:
    """Whether a person left out a file of labels, all in its folder ('labels/*.txt'), or a folder around it."""
    if roles.IGNORE not in chosen.values():
        return False
    path = path_of(file, index.root)
    return any(chosen_for(one, chosen) == roles.IGNORE for one in (*above_of(path), _together(path)))


def left_out_roles(files: Sequence[Path], index: ImageIndex) -> tuple[Role, ...]:
    """The roles of the files that a person left out."""
    told = _told_together(path_of(file, index.root) for file in files)
    return tuple(Role(path, roles.IGNORE, roles.CHOSEN, count, True, roles.OF_FILES) for path, count in told)


def _together(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}*.{name.rpartition('.')[2]}"


def drawn_roles(
    called: Message, files: Sequence[Path], pictures: Sequence[str], index: ImageIndex, chosen: Mapping[str, str],
    named_in: Iterable[Path] = (),
) -> tuple[Role, ...]:  # fmt: skip
    """The roles of files of labels and of the folders whose pictures (`pictures`, '' for a name that none has) they are
    about; `named_in`: the files that name their classes."""
    here = sum(map(bool, pictures))
    why = Message("{called}: {here:,} of {all:,} pictures that they name are here.", called=called, here=here,
                  all=len(pictures))  # fmt: skip
    found = [Role(path, roles.LABELS, why, count, chosen_for(path, chosen) == roles.LABELS, roles.OF_FILES)
             for path, count in _told_together(path_of(file, index.root) for file in files)]  # fmt: skip
    found += [Role(path_of(file, index.root), roles.LABELS, _NAMES, 1) for file in named_in]
    labelled = Counter(path.rpartition("/")[0] for path in {*pictures} - {""})
    return (*found, *picture_folders(called, labelled, index))


def _told_together(paths: Iterable[str]) -> list[tuple[str, int]]:
    of_folder: dict[str, list[str]] = {}
    for path in paths:
        of_folder.setdefault(_together(path), []).append(path)
    told: list[tuple[str, int]] = []
    for pattern, inside in of_folder.items():
        told += [(pattern, len(inside))] if len(inside) > _ONE_BY_ONE else [(path, 1) for path in inside]
    return told


def picture_folders(called: Message, labelled: Mapping[str, int], index: ImageIndex) -> Iterable[Role]:
    """The folders that hold the pictures; `labelled`: folder -> pictures in it that have labels."""
    held = Counter[str]()
    for run in index.runs:
        held[run.prefix.rstrip("/")] += run.pictures
    for folder, count in labelled.items():
        if folder:
            why = Message(
                "{called}: labels of {n:,} of its {all:,} pictures.", called=called, n=count, all=held[folder]
            )
            yield Role(folder, roles.PICTURES, why, held[folder], choices=roles.OF_FOLDERS)


def _common_end(masks: Sequence[str]) -> str:
    """What the names of several masks end with, '' for one."""
    backwards = sorted(mask[::-1] for mask in masks)
    first, last = backwards[0], backwards[-1]
    length = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    end = first[:length][::-1] if len(masks) > 1 else ""
    return end[end.find("_") :] if "_" in end else ""


def beside_roles(masks: Iterable[str], of: Mapping[str, str], reason: Message, index: ImageIndex) -> tuple[Role, ...]:
    """The roles of masks that lie beside their pictures (`of`: picture -> mask): 'slides/*_mask.png'."""
    end_of = {mask: mask.removeprefix(picture.rpartition(".")[0]) for picture, mask in of.items()}
    ends = Counter(end for mask, end in end_of.items() if end != mask)
    masks = sorted(masks)
    usual = ends.most_common(1)[0][0] if ends else _common_end(masks)
    found = Counter(f"{mask.rpartition('/')[0]}/*{usual}".lstrip("/") if usual else mask for mask in masks)
    told = [Role(path, roles.MASKS, reason, count) for path, count in found.items()]
    pictures = Counter(path.rpartition("/")[0] for path in of)
    return (*told, *picture_folders(Message("Masks beside them"), pictures, index))
