"""A format whose labels are drawn in files of words or numbers: from files to classes or masks, with what is said."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.masks.coding import IGNORE, MaskCoding
from sslstudio.engine.labels.outlines.files import files_below, match
from sslstudio.engine.labels.outlines.made_masks import make_masks
from sslstudio.engine.labels.outlines.shapes import Drawing
from sslstudio.engine.labels.outlines.told import drawn_roles, is_left_out, left_out_roles
from sslstudio.engine.labels.roles import LABELS, OTHER, Role
from sslstudio.engine.labels.types import (
    ASKED_FOR,
    LARGEST,
    Choices,
    ClassLabels,
    Found,
    Kind,
    LabelSource,
    MaskLabels,
)

CERTAINTY = 0.75  # above COCO, which may lie anywhere, below mask files
MOST_CLASSES = 254  # a mask has a byte a pixel, 0 is background and 255 is not counted
_FEWEST = 0.1  # share of the files that is about pictures here, else they are about others


class DrawnSource(LabelSource):
    """What a format adds: its name, the suffixes of its files, and what one of them says.

    called    the name of the format, as people know it
    suffixes  of its files, in lower case
    """

    called: ClassVar[Message]
    suffixes: ClassVar[tuple[str, ...]]

    @abstractmethod
    def fits(self, file: Path) -> bool:
        """Whether a file with the suffix is of this format: told without reading all of it where that can be done."""

    @abstractmethod
    def read(self, file: Path, index: ImageIndex) -> list[Drawing]:
        """What it says of pictures. Raises DataError, in words, for a file that contradicts its format."""

    def named_in(self, files: Sequence[Path], index: ImageIndex) -> list[Path]:
        """The files that name the classes of these, where they do not do it themselves."""
        return []

    def takes(self, asked: Path) -> float:
        """A file of the format, or a folder that holds one."""
        if asked.is_dir():
            inside = [one for one in sorted(asked.iterdir()) if one.suffix.lower() in self.suffixes]
            return 0.9 if inside and self.fits(inside[0]) else 0.0
        return 0.9 if asked.suffix.lower() in self.suffixes and asked.is_file() and self.fits(asked) else 0.0

    def candidates(self, index: ImageIndex, choices: Choices) -> Generator[Preparing, None, list[Found]]:
        """Classes or masks of the pictures that the files are about."""
        files, large, left = self._files(index, choices)
        if not files:
            return [Found("classes", None, NOTHING, 0.0, notes=large, roles=left)] if large or left else []
        drawn, notes = self._read_all(files, index, choices.asked is not None)
        names = [one.name for one in drawn]
        paths = match(names, index.paths)
        notes = (*large, *notes)
        if not drawn and notes:  # none could be read: that is said, not passed over
            return [Found("classes", None, notes[-1], 0.0, notes=notes, roles=left)]
        if not any(paths) or (choices.asked is None and sum(map(bool, paths)) < _FEWEST * len(paths)):
            if choices.asked is not None:
                raise DataError(
                    "{file} says nothing of the pictures in this folder: it names {some}, the pictures are called "
                    "{others}.",
                    file=choices.asked.name,
                    some=names[:3],
                    others=list(index.first(3)),
                )
            return []
        of, said = _together(drawn, paths)
        told = (*drawn_roles(self.called, files, paths, index, choices.roles, self.named_in(files, index)), *left)
        found = yield from self._labels(of, index, choices.asked is not None)
        return [replace(one, notes=(*one.notes, *notes, *said), roles=_as_found(told, one)) for one in found]

    def _files(self, index: ImageIndex, choices: Choices) -> tuple[list[Path], tuple[Message, ...], tuple[Role, ...]]:
        """The files of the format; what is said of those that are too large; and those that a person left out."""
        asked = choices.asked
        if asked is not None and asked.is_file():
            return [asked], (), ()
        files, large = files_below(index, self.suffixes)
        if asked is not None:
            files = [file for file in files if file.is_relative_to(asked)]
        files, large = ([one for one in some if self.fits(one)] for some in (files, large))
        left = [file for file in (*files, *large) if is_left_out(file, index, choices.roles)]
        files, large = ([one for one in some if one not in left] for some in (files, large)) if left else (files, large)
        return files, (_too_large(self.called, large),) if large else (), left_out_roles(left, index)

    def _read_all(
        self, files: Sequence[Path], index: ImageIndex, asked: bool
    ) -> tuple[list[Drawing], tuple[Message, ...]]:
        drawn: list[Drawing] = []
        problems: list[DataError] = []
        for file in files:
            try:
                drawn += self.read(file, index)
            except DataError as error:
                problems.append(error)
        if problems and (asked and not drawn):
            raise problems[0]
        if not problems:
            return drawn, ()
        return drawn, (
            Message(
                "{n:,} {n:plural(file|files)} of {called} could not be used: {first}",
                n=len(problems),
                called=self.called,
                first=problems[0],
            ),
        )

    def _labels(
        self, of: dict[str, Drawing], index: ImageIndex, asked: bool
    ) -> Generator[Preparing, None, list[Found]]:
        certainty = ASKED_FOR if asked else CERTAINTY
        outlined = any(drawing.outlined for drawing in of.values())
        found = [] if outlined else self._classes(of, certainty, asked)
        if outlined or (asked and not found):
            found = yield from self._masks(of, index, certainty, outlined)
        return [*found, *(self._tags(of, certainty) if outlined else [])]

    def _masks(
        self, of: dict[str, Drawing], index: ImageIndex, certainty: float, outlined: bool
    ) -> Generator[Preparing, None, list[Found]]:
        """Where anything has an outline, boxes alone are left out: they would be wrong at their corners."""
        boxes = sum(shape.box for drawing in of.values() for shape in drawing.shapes) if outlined else 0
        if boxes:
            for drawing in of.values():
                drawing.shapes = [shape for shape in drawing.shapes if not shape.box]
        names = _names(shape.name for drawing in of.values() for shape in drawing.shapes if shape.counts)
        if not names:
            return []
        if len(names) > MOST_CLASSES:
            problem = DataError(
                "{called} marks {n} classes; masks can hold {most}. Export fewer.",
                called=self.called,
                n=len(names),
                most=MOST_CLASSES,
            )
            return [Found("masks", None, problem.message, certainty, notes=(problem.message,))]
        everything = ("background", *names)
        try:
            made = yield from make_masks(of, everything, index.root, str(self.called))
        except DataError as error:
            why = Message("{called} was not taken as labels. {error}", called=self.called, error=error)
            return [
                Found("masks", None, why, certainty, notes=(why,), problem=error if certainty == ASKED_FOR else None)
            ]
        notes = list(_uncounted(of))
        if missing := len(index) - len(made):
            notes.append(Message("{missing:,} {missing:plural(picture|pictures)} without a mask.", missing=missing))
        if boxes:
            notes.append(Message("{n:,} {n:plural(box|boxes)} without an outline left out of the masks.", n=boxes))
        if not outlined:
            notes.append(
                Message("There are boxes only: the masks are rough, every pixel of a box counts as its object.")
            )
        coding = MaskCoding("ids", tuple(range(len(everything))), ignore=IGNORE)
        labels = MaskLabels(self.called, everything, made, coding, tuple(notes))
        return [self._found(labels, certainty)]

    def _classes(self, of: dict[str, Drawing], certainty: float, asked: bool) -> list[Found]:
        """The tags; where there are none, what is in the boxes, for pictures with one kind of it."""
        if any(drawing.tags for drawing in of.values()):
            return self._tags(of, certainty)
        kinds = {path: _names(one.name for one in drawing.shapes if one.counts) for path, drawing in of.items()}
        names = _names(name for found in kinds.values() for name in found)
        if len(names) < 2 or not any(len(found) == 1 for found in kinds.values()):
            if asked or not names:
                return []
            why = Message(
                "{called}: the boxes give no classes of whole pictures. Choose the files as labels to take the boxes "
                "as rough masks.",
                called=self.called,
            )
            return [Found("classes", None, why, certainty, notes=(why,))]
        said = (Message("The boxes were taken as labels of the whole pictures."), *_uncounted(of))
        return self._one_each(kinds, names, certainty, said)

    def _tags(self, of: dict[str, Drawing], certainty: float) -> list[Found]:
        kinds = {path: _names(drawing.tags) for path, drawing in of.items()}
        names = _names(name for found in kinds.values() for name in found)
        return self._one_each(kinds, names, certainty, ()) if len(names) > 1 else []

    def _one_each(
        self, kinds: dict[str, list[str]], names: list[str], certainty: float, notes: tuple[Message, ...]
    ) -> list[Found]:
        several = sum(len(found) > 1 for found in kinds.values())
        if several:
            notes = (
                *notes,
                Message(
                    "{n:,} {n:plural(picture has|pictures have)} several classes and no label because of it.", n=several
                ),
            )
        labels = {path: found[0] for path, found in kinds.items() if len(found) == 1}
        used = [name for name in names if name in set(labels.values())]
        if len(used) < 2:
            return []
        numbered = {path: used.index(name) for path, name in labels.items()}
        return [self._found(ClassLabels(self.called, tuple(used), numbered, notes), certainty)]

    def _found(self, labels: ClassLabels | MaskLabels, certainty: float) -> Found:
        reason = Message("{called} lists {n:,} of the pictures.", called=self.called, n=len(labels.of))
        called = Message("labels of {called}", called=self.called)
        itself = Message("those of {called}", called=self.called)
        kind: Kind = "masks" if isinstance(labels, MaskLabels) else "classes"
        return Found(kind, labels, reason, certainty, called, itself)


def _as_found(told: tuple[Role, ...], found: Found) -> tuple[Role, ...]:
    """The roles where the files give no labels: something else, and why."""
    if found.usable or not found.reason:
        return told
    return tuple(replace(one, role=OTHER, reason=found.reason) if one.role == LABELS else one for one in told)


def _too_large(called: Message, files: Sequence[Path]) -> Message:
    return Message(
        "{called}: {n:,} {n:plural(file|files)} above {most} MB left out: {some}. Choose one as labels to read it.",
        n=len(files),
        called=called,
        most=LARGEST >> 20,
        some=[file.name for file in files[:3]],
    )


def _uncounted(of: Mapping[str, Drawing]) -> Iterable[Message]:
    if uncounted := sum(not shape.counts for drawing in of.values() for shape in drawing.shapes):
        yield Message("{n:,} {n:plural(object|objects)} marked as difficult: not counted.", n=uncounted)


def _names(names: Iterable[str]) -> list[str]:
    return list(Counter(names))


def _together(drawn: Sequence[Drawing], paths: Sequence[str]) -> tuple[dict[str, Drawing], list[Message]]:
    """What is said of each picture, from all files; and how much is about others."""
    of: dict[str, Drawing] = {}
    for drawing, path in zip(drawn, paths, strict=True):
        if not path:
            continue
        if path in of:
            of[path].shapes += drawing.shapes
            of[path].tags += drawing.tags
        else:
            of[path] = drawing
    lost = [drawing.name for drawing, path in zip(drawn, paths, strict=True) if not path]
    if not lost:
        return of, []
    return of, [
        Message(
            "{n:,} {n:plural(name|names)} in the labels that no picture of this folder has, or more than one: {some}.",
            n=len(lost),
            some=lost[:3],
        )
    ]
