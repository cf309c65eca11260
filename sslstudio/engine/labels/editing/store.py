"""The labels that a person gives in the program: a folder of their own beside no picture, safe to the last stroke.

An edit is in the journal, on the disk, before it counts; `save` writes the open files (see `label_files`) and empties
the journal. After a crash the journal is read over the files as they are.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import filelock
import numpy as np

from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.files.atomic_files import take_lock
from sslstudio.engine.labels.drawn_test import DrawnTest, read_drawn
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.edits import ClassSet, Edit, Kind, LabelClass, Labelled, Painted, pack, unpack
from sslstudio.engine.labels.editing.journal import Journal, edits_in
from sslstudio.engine.labels.editing.stroke import Mask, Patch, Rect
from sslstudio.engine.labels.table_columns import NO_LABEL

MOST_CLASSES = 254  # values of a mask beside 0 for the background and 255 for what does not count
SAVE_AFTER = 200  # edits
MOST_SEARCHED = 300  # masks that are read at once


class Labelling:
    """The labels of one folder of pictures, open to be edited. One window at a time.

    Raises DataError when another one has them open, or when the folder holds no labels.
    """

    def __init__(self, folder: Path) -> None:
        if not label_files.is_labelling(folder):
            raise DataError(
                "{folder} holds no labels made in this program. Choose a folder with a classes.csv.", folder=folder
            )
        self.folder = folder
        self.journal = Journal(folder / label_files.JOURNAL)
        try:
            self._lock = take_lock(folder / ".lock")
        except filelock.Timeout as error:
            raise DataError(
                "The labels in {folder} are being edited in another window. Close it, then try again.", folder=folder
            ) from error
        try:
            self._load()
        except BaseException:
            self.journal.close()
            self._lock.release()
            raise

    def _load(self) -> None:
        self.classes = label_files.read_classes(self.folder)
        self.drawn = read_drawn(self.folder)
        self.of: dict[str, int] = {}
        self._masked = set(label_files.masks_in(self.folder))
        self._masks: dict[str, Mask | None] = {}  # those that differ from their files
        self._take_table(label_files.read_labels_table(self.folder))
        for edit in edits_in(self.journal.path):
            try:
                self._take(edit)
            except (ValueError, IndexError, OverflowError, MemoryError) as error:
                raise RunError("{path} is damaged: {error}.", path=self.journal.path, error=error) from error
            self.journal.lines += 1
        if self.journal.path.exists() and self.journal.path.stat().st_size:
            self.save()  # a line that was cut off goes too

    def _take_table(self, names: Mapping[str, str]) -> None:
        """Labels by name; a name that somebody wrote into the table is a new class."""
        numbers = {one.name: one.number for one in self.classes["classification"].values()}
        for path, name in names.items():
            if name not in numbers:
                numbers[name] = self._free("classification")
                made = LabelClass(numbers[name], name, numbers[name])
                self.classes["classification"][made.number] = made
            self.of[path] = numbers[name]

    # --- what there is

    def names(self, kind: Kind) -> list[LabelClass]:
        """The classes, in the order in which they were made."""
        return [one for _, one in sorted(self.classes[kind].items())]

    @property
    def masked(self) -> frozenset[str]:
        """The pictures that have a mask."""
        return frozenset(self._masked)

    def counts(self) -> Counter[int]:
        """Class number -> labelled pictures."""
        return Counter(self.of.values())

    def mask(self, path: str) -> Mask | None:
        """The mask of a picture (h, w), not to be written to; None when it has none."""
        if path in self._masks:
            return self._masks[path]
        return label_files.read_mask(self.folder, path) if path in self._masked else None

    # --- edits, to be applied

    def adding(self, kind: Kind, name: str) -> ClassSet:
        """A new class. Raises DataError for a name that cannot be used, or when there are too many."""
        number = self._free(kind)
        if number > MOST_CLASSES:
            raise DataError(
                "There are {most_classes} classes already: a mask cannot tell more apart.", most_classes=MOST_CLASSES
            )
        return ClassSet(kind, number, None, LabelClass(number, self._fitting(kind, name, number), number))

    def renaming(self, kind: Kind, number: int, name: str) -> ClassSet:
        """Another name for a class. Raises DataError for one that cannot be used."""
        old = self.classes[kind][number]
        return ClassSet(kind, number, old, LabelClass(number, self._fitting(kind, name, number), old.colour))

    def recolouring(self, kind: Kind, number: int, colour: int) -> ClassSet:
        """Another colour for a class: a place in the palette."""
        old = self.classes[kind][number]
        return ClassSet(kind, number, old, LabelClass(number, old.name, colour))

    def removing(self, kind: Kind, number: int) -> list[Edit]:
        """A class goes, and with it the labels of its pictures, or its pixels, which become background. Raises
        DataError where there are too many masks to look through while a person waits."""
        gone = ClassSet(kind, number, self.classes[kind][number], None)
        if kind == "classification":
            paths = [path for path, one in self.of.items() if one == number]
            unlabelled = self.labelling(paths, None)
            return [unlabelled, gone] if unlabelled is not None else [gone]
        if len(self._masked) > MOST_SEARCHED:
            raise DataError(
                "There are {masks:,} masks, too many to take a class out of at once. Rename it instead.",
                masks=len(self._masked),
            )
        wiped = [edit for path in sorted(self._masked) if (edit := self._wiping(path, number)) is not None]
        return [*wiped, gone]

    def _wiping(self, path: str, number: int) -> Painted | None:
        """The pixels of a class become background; None where there are none."""
        mask = self.mask(path)
        if mask is None or not (mask == number).any():
            return None
        height, width = mask.shape
        after = np.where(mask == number, 0, mask).astype(np.uint8)
        return Painted(path, height, width, Rect(0, 0, width, height), pack(mask), pack(after))

    def _free(self, kind: Kind) -> int:
        return max(self.classes[kind], default=0) + 1

    def _fitting(self, kind: Kind, name: str, number: int) -> str:
        plain = " ".join(name.split())
        if plain.casefold() in NO_LABEL:
            raise DataError(
                "A class cannot be called {plain!r}: in tables that means no label. Try another name.", plain=plain
            )
        others = (one for one in self.classes[kind].values() if one.number != number)
        if any(one.name.casefold() == plain.casefold() for one in others):
            raise DataError("There is a class called {plain!r} already. Try another name.", plain=plain)
        return plain

    def labelling(self, paths: Iterable[str], number: int | None) -> Labelled | None:
        """A class for these pictures (None: no label); None when that changes nothing."""
        changes = tuple((path, self.of.get(path), number) for path in paths if self.of.get(path) != number)
        return Labelled(changes) if changes else None

    def painting(self, path: str, shape: tuple[int, int], patch: Patch) -> Painted:
        """What a stroke changed in the mask of a picture of this (height, width)."""
        before = pack(patch.before) if path in self._masked else None
        return Painted(path, shape[0], shape[1], patch.rect, before, pack(patch.after))

    def masking(self, path: str, shape: tuple[int, int]) -> Painted | None:
        """An empty mask: there is nothing to mark in this picture. None when it has a mask."""
        if path in self._masked:
            return None
        return Painted(path, shape[0], shape[1], Rect(0, 0, 1, 1), None, pack(np.zeros((1, 1), np.uint8)))

    def unmasking(self, path: str) -> Painted | None:
        """No mask any more; None when there is none."""
        mask = self.mask(path)
        if mask is None:
            return None
        height, width = mask.shape
        return Painted(path, height, width, Rect(0, 0, width, height), pack(mask), None)

    # --- what tests

    def note_asked(self, draw: DrawnTest, kind: Kind, paths: Collection[str]) -> None:
        """Keep that pictures have got a label because a person was asked for them by `draw`: the first time what was
        labelled before is kept, too. Raises RunError when the disk does not take it."""
        if self.drawn is None:
            of = {"classification": frozenset(self.of), "segmentation": self.masked}
            before = {one: labelled - frozenset(paths if one == kind else ()) for one, labelled in of.items()}
            made = DrawnTest.draw(draw.numbers, draw.held, before).with_asked(paths, kind)
            made.write(self.folder)
            self.drawn = made
        elif (reached := self.drawn.with_asked(paths, kind)) is not self.drawn:
            reached.write_state(self.folder)
            self.drawn = reached

    # --- applying

    def apply(self, edit: Edit) -> None:
        """Do an edit, or take one back by applying its inverse. Raises RunError when it cannot be kept; then nothing
        has changed."""
        self.journal.append(edit)
        self._take(edit)
        if self.journal.lines >= SAVE_AFTER:
            with suppress(RunError):  # the journal has it, and whoever saves next hears of it
                self.save()

    def _take(self, edit: Edit) -> None:
        if isinstance(edit, ClassSet):
            if edit.after is None:
                self.classes[edit.kind].pop(edit.number, None)
            else:
                self.classes[edit.kind][edit.number] = edit.after
        elif isinstance(edit, Labelled):
            for path, _, number in edit.changes:
                if number is None:
                    self.of.pop(path, None)
                else:
                    self.of[path] = number
        else:
            self._paint(edit)

    def _paint(self, edit: Painted) -> None:
        if edit.after is None:
            self._masks[edit.path] = None
            self._masked.discard(edit.path)
            return
        mask = None if edit.before is None else self.mask(edit.path)
        if mask is None or mask.shape != (edit.height, edit.width):
            mask = np.zeros((edit.height, edit.width), np.uint8)
        mask[edit.rect.slices] = unpack(edit.after, edit.rect)
        self._masks[edit.path] = mask
        self._masked.add(edit.path)

    # --- files

    def save(self) -> None:
        """Write the files and empty the journal. Raises RunError when the disk does not take them."""
        label_files.write_classes(self.folder, self.classes)
        known = {path: number for path, number in self.of.items() if number in self.classes["classification"]}
        label_files.write_labels_table(self.folder / label_files.LABELS, known, self.classes["classification"])
        for path, mask in self._masks.items():
            label_files.write_mask_file(self.folder, path, mask)
        self._masks.clear()
        self.journal.empty()

    def close(self) -> None:
        """Save, and let others edit. Raises RunError when the disk does not take it; the journal has it all then."""
        try:
            if self.journal.pending:
                self.save()
        finally:
            self.journal.close()
            self._lock.release()

    def __enter__(self) -> "Labelling":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
