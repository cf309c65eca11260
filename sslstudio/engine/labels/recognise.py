"""What a folder says about its pictures: classes (from folders, CSV or COCO), masks, and parts set apart already."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message, joined
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.images.multi_folder import Album
from sslstudio.engine.labels.class_folders import class_folders, given_parts, natural_key
from sslstudio.engine.labels.coco.labels import CocoLabels, coco_labels
from sslstudio.engine.labels.coco.search import find_files
from sslstudio.engine.labels.csv_table import Contradiction, read_labels
from sslstudio.engine.labels.editing.start import read_made
from sslstudio.engine.labels.label_tables import beside, owner_of, tables_in
from sslstudio.engine.labels.masks.decode import IGNORE, OBJECT, MaskCoding, decode_mask, learn_coding
from sslstudio.engine.labels.masks.pairing import MaskPairs, find_pairs

_FEW_CONTRADICTIONS = 0.05  # more: the table lists objects in the pictures, it does not label pictures
_MASKS_A_CLASS = 8  # looked at to give the numbers in the masks the names of the class folders


@dataclass(frozen=True)
class ClassLabels:
    """One class a picture. `of`: picture path -> class number, labelled pictures only; `notes` are for people."""

    found_in: str
    names: tuple[str, ...]
    of: dict[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MaskLabels:
    """One mask a picture. `of`: picture path -> mask path, relative to the root or absolute; names[0]: background."""

    found_in: str
    names: tuple[str, ...]
    of: dict[str, str]
    coding: MaskCoding
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recognised:
    """What `recognise` found. `pictures` is the index without masks; `notes` say what was not taken, and why."""

    pictures: ImageIndex
    classes: ClassLabels | None
    masks: MaskLabels | None
    given_split: dict[str, str]
    notes: tuple[str, ...] = ()

    @cached_property
    def labelled(self) -> int:
        """How many pictures have a class or a mask. Counted once: it is asked at every turn of a page."""
        classes, masks = self.classes.of if self.classes else {}, self.masks.of if self.masks else {}
        return len(classes.keys() | masks.keys()) if classes and masks else len(classes) + len(masks)


def recognise(index: ImageIndex, labels_file: str = "") -> Recognised:
    """What `recognising` returns, in one go."""
    return to_end(recognising(index, labels_file))


def recognising(index: ImageIndex, labels_file: str = "") -> Generator[Preparing, None, Recognised]:
    """Tell pictures from masks and find the classes and the parts that the folder gives.

    labels_file: a CSV or COCO file, relative to the data folder or absolute, or a folder of labels made in the
    program, which holds masks too; empty: what lies beside the pictures, if it fits.
    Raises DataError when the labels file asked for cannot be used, and when one found contradicts itself.
    """
    pairs, coding, mask_notes = _find_masks(index)
    masked = pairs.masks if pairs else set()
    pictures = index.subset([path for path in index.paths if path not in masked]) if masked else index
    given = given_parts(pictures.paths)
    made = pictures.root / Path(labels_file).expanduser()
    if labels_file and made.is_dir():
        return _from_made(pictures, made, given)
    asked = made if labels_file and made.suffix.lower() == ".json" else None
    coco, coco_notes = yield from _find_coco(pictures, asked)
    classes, class_notes = _find_classes(pictures, "" if asked else labels_file, given, coco, asked is not None)
    masks = _mask_labels(index.root, pairs, coding, classes, len(pictures)) if pairs and coding else None
    masks, instead = _coco_masks(coco, masks, len(pictures), asked is not None)
    given, part_notes = _labelled_parts(given, classes, masks)
    notes = (*mask_notes, *coco_notes, *instead, *class_notes, *part_notes)
    return Recognised(pictures, classes, masks, given, notes)


def _from_made(pictures: ImageIndex, folder: Path, given: Mapping[str, str]) -> Recognised:
    """Only what was labelled in the program: that began with what was there."""
    made = read_made(folder, pictures.paths)
    found_in = Message("the labels made here")
    classes = ClassLabels(found_in, made.classes.names, made.classes.of, made.classes.notes) if made.classes else None
    masks = MaskLabels(found_in, made.mask_names, made.masks, made.coding) if made.coding else None
    parts, notes = _labelled_parts(given, classes, masks)
    return Recognised(pictures, classes, masks, parts, (*made.notes, *notes))


# Classes


def _find_classes(
    pictures: ImageIndex, labels_file: str, given: Mapping[str, str], coco: CocoLabels | None, asked: bool
) -> tuple[ClassLabels | None, tuple[str, ...]]:
    """From the COCO file if it was asked for; else from a table, a COCO file or folders, in this order."""
    folders, notes = class_folders(pictures.paths, given, above=1 if isinstance(pictures.root, Album) else 0)
    listed = ClassLabels(coco.found_in, coco.names, coco.classes) if coco and coco.classes else None
    table, table_notes = (None, ()) if listed and asked else _find_table(pictures, labels_file)
    table = table or listed
    if table is not None:
        instead = (Message("There are class folders too; the labels of the file were taken."),) if folders else ()
        labels = ClassLabels(table.found_in, table.names, table.of, (*table.notes, *instead))
        return labels, table_notes
    if folders is None:
        return None, (*notes, *table_notes)
    return ClassLabels(Message("class folders"), folders.names, folders.of, folders.notes), (*notes, *table_notes)


def _find_table(pictures: ImageIndex, labels_file: str) -> tuple[ClassLabels | None, tuple[str, ...]]:
    if labels_file:
        return _read_table(pictures.root / Path(labels_file).expanduser(), pictures), ()
    found: dict[str, ClassLabels] = {}  # the best one of each folder
    notes = []
    for file in tables_in(pictures.root):
        try:
            table = _read_table(file, pictures)
        except Contradiction as error:
            if error.share <= _FEW_CONTRADICTIONS or len(pictures) < 1 / _FEW_CONTRADICTIONS:
                raise
            notes.append(Message("{file} was not taken as labels: it gives many pictures several.", file=file.name))
            continue
        except DataError:
            continue  # a table of something else
        best = found.setdefault(owner := owner_of(file, pictures.root), table)
        found[owner] = max(best, table, key=lambda one: len(one.of))
    return _together(list(found.values())), tuple(notes)


def _together(tables: Sequence[ClassLabels]) -> ClassLabels | None:
    """The labels of several folders of an album as one: classes of the same name are the same."""
    if len(tables) < 2:
        return next(iter(tables), None)
    names = tuple(sorted({name for one in tables for name in one.names}, key=lambda name: (natural_key(name), name)))
    numbers = {name: number for number, name in enumerate(names)}
    of = {path: numbers[one.names[number]] for one in tables for path, number in one.of.items()}
    notes = tuple(note for one in tables for note in one.notes)
    return ClassLabels(joined(dict.fromkeys(one.found_in for one in tables), ""), names, of, notes)


def _read_table(file: Path, pictures: ImageIndex) -> ClassLabels:
    found = read_labels(file, beside(file, pictures))
    return ClassLabels(Message("CSV file {file}", file=file.name), found.names, found.of, found.notes)


# COCO


def _find_coco(
    pictures: ImageIndex, asked: Path | None
) -> Generator[Preparing, None, tuple[CocoLabels | None, tuple[str, ...]]]:
    """What the file asked for gives, else those that lie beside or above the pictures."""
    files, large = ([asked], []) if asked else find_files(pictures)
    notes = tuple(
        Message(
            "{file} is large ({size} MB) and was not read: choose it as labels to use it.",
            file=file.name,
            size=file.stat().st_size >> 20,
        )
        for file in large
    )
    if not files:
        return None, notes
    found = yield from coco_labels(files, pictures, asked is not None)
    return (found if found.masks or found.classes else None), (*notes, *found.notes)


def _coco_masks(
    coco: CocoLabels | None, masks: MaskLabels | None, pictures: int, asked: bool
) -> tuple[MaskLabels | None, tuple[str, ...]]:
    """The masks to take: mask files go before outlines in a COCO file that nobody asked for."""
    if coco is None or not coco.masks:
        return masks, ()
    if masks is not None and not asked:
        return masks, (
            Message("There are outlines in the {found_in} too; the mask files were taken.", found_in=coco.found_in),
        )
    missing = pictures - len(coco.masks)
    notes = (
        (Message("{missing:,} {missing:plural(picture|pictures)} without a mask.", missing=missing),) if missing else ()
    )
    instead = (Message("There are mask files too; the outlines were taken."),) if masks else ()
    return MaskLabels(coco.found_in, coco.names, coco.masks, coco.coding, notes), instead


# Masks


def _find_masks(index: ImageIndex) -> tuple[MaskPairs | None, MaskCoding | None, tuple[str, ...]]:
    """The pairs and what the masks' values mean; files that turn out to be photographs stay pictures."""
    pairs = find_pairs(index.paths)
    if pairs is None:
        return None, None, ()
    try:
        return pairs, learn_coding([index.root / mask for mask in sorted(pairs.of.values())]), ()
    except DataError as error:
        return None, None, (Message("{found_in}: not taken as masks. {error}", found_in=pairs.found_in, error=error),)


def _mask_labels(
    root: Path, pairs: MaskPairs, coding: MaskCoding, classes: ClassLabels | None, pictures: int
) -> MaskLabels:
    names = _names_by_class(root, pairs, coding, classes) if classes else None
    notes = tuple(_mask_notes(pairs, coding, pictures))
    return MaskLabels(pairs.found_in, names or _plain_names(coding), pairs.of, coding, notes)


def _plain_names(coding: MaskCoding) -> tuple[str, ...]:
    if len(coding.values) == 2:
        return ("background", OBJECT)
    return ("background", *(plain_name(coding.kind, value) for value in coding.values[1:]))


def plain_name(kind: str, value: int) -> str:
    """What a class is called whose value in the masks is all that is known of it."""
    return f"#{value:06x}" if kind == "colours" else Message("class {value}", value=value)


def _names_by_class(root: Path, pairs: MaskPairs, coding: MaskCoding, classes: ClassLabels) -> tuple[str, ...] | None:
    """The names of the picture classes, when the masks of each hold one number of its own beside the background."""
    name_of: dict[int, str] = {}
    for number, name in enumerate(classes.names):
        masks = [pairs.of[path] for path, label in classes.of.items() if label == number and path in pairs.of]
        found = _numbers_in(root, masks[:: max(1, len(masks) // _MASKS_A_CLASS)], coding)
        if len(found) != 1 or found & name_of.keys():
            return None
        name_of[found.pop()] = name
    if len(name_of) != len(coding.values) - 1 or len(name_of) < 2:
        return None
    return ("background", *(name_of[number] for number in range(1, len(coding.values))))


def _numbers_in(root: Path, masks: Sequence[str], coding: MaskCoding) -> set[int]:
    found: set[int] = set()
    for mask in masks:
        try:
            found |= set(np.unique(decode_mask(root / mask, coding, None)).tolist())
        except DataError:
            continue  # the damaged mask is named when it is needed
    return found - {0, IGNORE}


def _mask_notes(pairs: MaskPairs, coding: MaskCoding, pictures: int) -> list[Message]:
    notes = []
    if missing := pictures - len(pairs.of):
        notes.append(Message("{missing:,} {missing:plural(picture|pictures)} without a mask.", missing=missing))
    if pairs.orphans:
        notes.append(
            Message(
                "{orphans:,} {orphans:plural(mask|masks)} without a picture: {orphans2}.",
                orphans=len(pairs.orphans),
                orphans2=pairs.orphans[:3],
            )
        )
    if pairs.further:
        notes.append(
            Message(
                "{further:,} {further:plural(further mask|further masks)} of pictures left out: {further2}.",
                further=len(pairs.further),
                further2=pairs.further[0],
            )
        )
    if coding.instances:
        notes.append(Message("The masks number single objects; all of them were taken as one class, 'object'."))
    if coding.ignore is not None:
        notes.append(Message("The value 255 in the masks marks what is not counted."))
    return notes


# Parts


def _labelled_parts(
    given: Mapping[str, str], classes: ClassLabels | None, masks: MaskLabels | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The given parts without those that have no label at all: nothing can be tested on them."""
    labelled = {*(classes.of if classes else ()), *(masks.of if masks else ())}
    empty = sorted(set(given.values()) - {given[path] for path in labelled if path in given} - {"train"})
    if not labelled or not empty:
        return dict(given), ()
    kept = {path: part for path, part in given.items() if part not in empty}
    return kept, (
        Message(
            "The pictures in the folder for {parts:and} have no labels: they are used for pretraining only.",
            parts=empty,
        ),
    )
