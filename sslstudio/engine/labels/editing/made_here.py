"""Labels made in the program as one format of labels among others: a folder with classes.csv, labels.csv and masks."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.drawn_test import read_drawn
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.store import Labelling
from sslstudio.engine.labels.masks.coding import IGNORE, MaskCoding
from sslstudio.engine.labels.types import ASKED_FOR, SOURCES, Choices, ClassLabels, Found, LabelSource, MaskLabels

FOUND_IN = Message("the labels made here")


@SOURCES.register("made_here")
class MadeHere(LabelSource):
    """What was labelled in the program: it began with what was there, so that nothing else counts beside it."""

    complete = True

    def takes(self, asked: Path) -> float:
        """Any folder: what is wrong with one of something else is said when it is read."""
        if not asked.is_dir():
            return 0.0
        return 1.0 if label_files.is_labelling(asked) else 0.5

    def candidates(self, index: ImageIndex, choices: Choices) -> list[Found]:
        """The labels of the folder asked for."""
        return read_made(choices.asked, index.paths) if choices.asked else []


def read_made(folder: Path, paths: Sequence[str]) -> list[Found]:
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
    reason = Message("The labels made here were chosen.")
    drawn = read_drawn(folder)
    found = [Found("classes", classes, reason if classes else NOTHING, ASKED_FOR, notes=notes, drawn=drawn)]
    if masks:
        coding = MaskCoding("ids", (0, *used), ignore=IGNORE)
        found.append(
            Found("masks", MaskLabels(FOUND_IN, ("background", *mask_names), masks, coding), reason, ASKED_FOR)
        )
    return found


def _present(named: Sequence[str], paths: Sequence[str]) -> list[str]:
    there = frozenset(paths)
    return [path for path in named if path in there]


def _classes(
    table: dict[str, str], names: label_files.Classes, paths: Sequence[str]
) -> tuple[ClassLabels | None, tuple[Message, ...]]:
    labelled = _present(paths, list(table))
    used = {table[path] for path in labelled}
    order = [one.name for _, one in sorted(names["classification"].items()) if one.name in used]
    order += sorted(used - set(order))
    if len(order) < 2:
        only = (
            Message(
                "{labelled:,} {labelled:plural(picture|pictures)} labelled, all {order}: two classes are needed.",
                labelled=len(labelled),
                order=order[0],
            )
            if order
            else NOTHING
        )
        return None, (only,) if only else ()
    number = {name: place for place, name in enumerate(order)}
    of = {path: number[table[path]] for path in labelled}
    rest = len(paths) - len(of)
    notes = (Message("{rest:,} {rest:plural(picture|pictures)} without a label.", rest=rest),) if rest else ()
    return ClassLabels(FOUND_IN, tuple(order), of, notes), ()


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
