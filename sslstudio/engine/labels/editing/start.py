"""Where the labels of a folder of pictures are kept, what they begin with, and how they are read for a training."""

import shutil
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import numpy as np
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.class_folders import FolderClasses
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.edits import Kind, LabelClass
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.masks.coding import IGNORE, MaskCoding
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.masks.files import mask_png

if TYPE_CHECKING:  # recognise.py reads what is written here
    from sslstudio.engine.labels.recognise import Recognised

FOLDER = Message("Labels")  # in the user's own


def labels_folder(home: Path, pictures: Path) -> Path | None:
    """The folder in `home`/Labels in which somebody has labelled these pictures: where labels were kept before there
    were projects. None when there is none."""
    root, wanted = home / FOLDER, str(pictures.resolve())
    taken = sorted(root.iterdir()) if root.is_dir() else []
    return next((one for one in taken if label_files.pictures_of(one) == wanted and is_edited(one)), None)


def is_edited(folder: Path) -> bool:
    """Whether anybody has labelled in this folder of labels, ever."""
    return label_files.is_labelling(folder) and (folder / label_files.JOURNAL).exists()


def begin(folder: Path, recognised: "Recognised") -> Generator[Preparing, None, None]:
    """Make the folder of labels with everything that was recognised; nothing happens where somebody has labelled.

    Raises DataError for a mask that cannot be read.
    """
    if is_edited(folder) or _is_open(folder):
        return
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    yield from _copy_masks(beside, recognised)
    classes = recognised.classes
    made: label_files.Classes = {
        "classification": _numbered(classes.names if classes else ()),
        "segmentation": _numbered(recognised.masks.names[1:] if recognised.masks else ()),
    }
    of = {path: number + 1 for path, number in classes.of.items()} if classes else {}
    label_files.write_classes(beside, made)
    label_files.write_labels_table(beside / label_files.LABELS, of, made["classification"])
    label_files.write_about(beside, recognised.pictures.root.resolve())
    shutil.rmtree(folder, ignore_errors=True)  # nobody has labelled in it
    beside.rename(folder)


def _is_open(folder: Path) -> bool:
    lock = filelock.FileLock(str(folder / ".lock"), timeout=0)
    if not folder.is_dir():
        return False
    try:
        with lock:
            return False
    except filelock.Timeout:
        return True


def _numbered(names: Sequence[str]) -> dict[int, LabelClass]:
    return {number: LabelClass(number, name, number) for number, name in enumerate(names, start=1)}


def _copy_masks(folder: Path, recognised: "Recognised") -> Generator[Preparing, None, None]:
    masks, root = recognised.masks, recognised.pictures.root
    for done, (path, mask) in enumerate(masks.of.items() if masks else (), start=1):
        assert masks is not None
        file = label_files.mask_file(folder, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        # The folder gets its name when all is there: the single file need not be whole at once.
        file.write_bytes(mask_png(decode_mask(root / mask, masks.coding, None)))
        yield Preparing(stage=Message("Taking over the masks that are there"), done=done, total=len(masks.of))


@dataclass(frozen=True)
class Made:
    """The labels of a folder as a training wants them. `masks`: picture -> file, `coding` its values."""

    classes: FolderClasses | None
    mask_names: tuple[str, ...]
    masks: dict[str, str]
    coding: MaskCoding | None
    notes: tuple[str, ...]


def read_made(folder: Path, paths: Sequence[str]) -> Made:
    """The labels made in the program for these pictures; classes that no picture has are left out.

    Raises DataError when the folder holds none.
    """
    if not label_files.is_labelling(folder):
        raise DataError(
            "{folder} is a folder, but not one with labels made in this program. Choose a CSV file, or a "
            "folder that holds {labels} and {classes}.",
            folder=folder,
            labels=label_files.LABELS,
            classes=label_files.CLASSES,
        )
    journal = folder / label_files.JOURNAL
    if journal.exists() and journal.stat().st_size:  # a crash has left it, or a window is open and has not saved
        with suppress(DataError):
            Labelling(folder).close()
    names = label_files.read_classes(folder)
    table = label_files.read_labels_table(folder)
    classes, notes = _classes(table, names, paths)
    masks = {path: str(label_files.mask_file(folder, path)) for path in _present(label_files.masks_in(folder), paths)}
    used = _values_in(list(masks.values()))
    if masks and not used:
        notes = (*notes, Message("Nothing is marked in {masks:,} {masks:plural(mask|masks)}.", masks=len(masks)))
        masks = {}
    known = names["segmentation"]
    mask_names = tuple(known[value].name if value in known else Message("class {value}", value=value) for value in used)
    coding = MaskCoding("ids", (0, *used), ignore=IGNORE) if masks else None
    return Made(classes, ("background", *mask_names), masks, coding, notes)


def _present(named: Sequence[str], paths: Sequence[str]) -> list[str]:
    there = frozenset(paths)
    return [path for path in named if path in there]


def _classes(
    table: dict[str, str], names: label_files.Classes, paths: Sequence[str]
) -> tuple[FolderClasses | None, tuple[str, ...]]:
    kind: Kind = "classification"
    labelled = _present(paths, list(table))
    used = {table[path] for path in labelled}
    order = [one.name for _, one in sorted(names[kind].items()) if one.name in used]
    order += sorted(used - set(order))
    if len(order) < 2:
        only = (
            Message(
                "{labelled:,} {labelled:plural(picture|pictures)} labelled, all {order}: two classes are needed.",
                labelled=len(labelled),
                order=order[0],
            )
            if order
            else ""
        )
        return None, (only,) if only else ()
    number = {name: place for place, name in enumerate(order)}
    of = {path: number[table[path]] for path in labelled}
    rest = len(paths) - len(of)
    notes = (Message("{rest:,} {rest:plural(picture|pictures)} without a label.", rest=rest),) if rest else ()
    return FolderClasses(tuple(order), of, notes), ()


def _values_in(files: Sequence[str]) -> list[int]:
    """The class numbers that occur in masks, without background and what does not count."""
    found = np.zeros(256, np.int64)
    for file in files:
        try:
            with Image.open(file) as image:
                found += np.asarray(image.histogram()[:256])
        except (OSError, ValueError, SyntaxError):
            continue  # the damaged mask is named when it is needed
    return [int(value) for value in np.flatnonzero(found) if value not in (0, IGNORE)]
