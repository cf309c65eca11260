"""What is known of the labels of a folder, and the interface of the formats that they come in."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.core.registry import Registry
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.drawn_test import DrawnTest
from sslstudio.engine.labels.masks.coding import MaskCoding
from sslstudio.engine.labels.roles import Role

ASKED_FOR = 1.0  # the certainty of labels that somebody chose
LARGEST = 64 << 20  # bytes of a file of labels: a larger one is read only when it is asked for


@dataclass(frozen=True)
class ClassLabels:
    """One class a picture. `of`: picture path -> class number, labelled pictures only; `notes` are for people."""

    found_in: Message
    names: tuple[str, ...]
    of: dict[str, int]
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True)
class MaskLabels:
    """One mask a picture. `of`: picture path -> mask path, relative to the root or absolute; names[0]: background."""

    found_in: Message
    names: tuple[str, ...]
    of: dict[str, str]
    coding: MaskCoding
    notes: tuple[Message, ...] = ()


Labels = ClassLabels | MaskLabels
Kind = Literal["classes", "masks"]


@dataclass(frozen=True)
class Found:
    """What a format has found: labels that can be taken, or only why what looks like labels is none (`labels` None).

    reason      what they were told by; why not, where there are none: said unless others of the kind are taken
    certainty   0 to 1, ASKED_FOR where somebody chose them
    called      what is said of them where others are taken: "There are ... too"
    itself      what is said where they are taken instead of others: "... were taken"
    notes       to be said whether they are taken or not
    files       the files that are labels themselves and no pictures
    parts       picture -> the part (train, validation, test) that it is set apart for, where the labels say so
    groups      picture -> the patient, slide ... that it is of, where the labels say so
    roles       what its files and their columns were taken for
    unnamed     masks whose classes have no names of their own
    problem     what is wrong with them: whoever needs labels of this kind is told so
    drawn       which of the pictures were drawn at random to be tested on, where others were suggested to be labelled
    """

    kind: Kind
    labels: Labels | None
    reason: Message
    certainty: float
    called: Message = NOTHING
    itself: Message = NOTHING
    notes: tuple[Message, ...] = ()
    files: frozenset[str] = frozenset()
    parts: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()
    unnamed: bool = False
    problem: DataError | None = None
    drawn: DrawnTest | None = None

    @property
    def usable(self) -> bool:
        """Whether they can be taken, or would be if nothing were wrong with them."""
        return self.labels is not None or self.problem is not None


@dataclass(frozen=True)
class Choices:
    """What is given to a format: what a person chose, and what is known already.

    asked       the file or folder of this format that was chosen as labels; None: look for what lies there
    parts       picture -> the part that it is set apart for, as the folders say
    roles       what a person said that folders, files and columns are: see `labels.roles`
    """

    asked: Path | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)


class LabelSource(ABC):
    """A format of labels. A class of its own in a module of `labels.formats`, registered in SOURCES, is all it takes.

    among_pictures  its labels are files that look like pictures: it is asked first, and these are no pictures to others
    sets_apart      it may say which pictures are set apart or belong together: it is asked for that whatever was chosen
    complete        what is chosen of it holds all the labels: no other is asked then
    """

    among_pictures: ClassVar[bool] = False
    sets_apart: ClassVar[bool] = False
    complete: ClassVar[bool] = False

    def takes(self, asked: Path) -> float:
        """How surely a file or folder that somebody chose as labels is of this format, 0 to 1."""
        return 0.0

    @abstractmethod
    def candidates(self, index: ImageIndex, choices: Choices) -> list[Found] | Generator[Preparing, None, list[Found]]:
        """What there is in the folder of these pictures; a generator where much must be read.

        Raises DataError when what was asked for cannot be used. What lies there and is something else is left out.
        """


SOURCES: Registry[type[LabelSource]] = Registry(Message("format of labels"))


@dataclass(frozen=True)
class Candidate:
    """One line on what a format has found: of which format and kind, where, for how many pictures, why, how surely."""

    source: str
    kind: Kind
    found_in: Message
    pictures: int
    reason: Message
    certainty: float
    taken: bool


@dataclass(frozen=True)
class Recognised:
    """What was recognised in a folder. `pictures` is the index without masks; `notes` say what was not taken, and why;
    `candidates` all labels that were found, taken or not; `drawn` what tests where pictures were suggested to be
    labelled, None where none ever were; `roles` what each folder, file and column was taken for; `groups` what a person
    said that belongs together, picture -> its group; `problems` why there are no labels of a kind although something
    looks like them, by kind; `excluded` the pictures that a person left out, which are in none of these; `together`
    what a person wants on one side of the split, picture -> name of the group; `chosen_pictures` all that was said of
    single pictures."""

    pictures: ImageIndex
    classes: ClassLabels | None
    masks: MaskLabels | None
    given_split: dict[str, str]
    notes: tuple[Message, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    drawn: DrawnTest | None = None
    roles: tuple[Role, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, DataError] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    together: Mapping[str, str] = field(default_factory=dict)
    chosen_pictures: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def labelled(self) -> int:
        """How many pictures have a class or a mask. Counted once: it is asked at every turn of a page."""
        classes, masks = self.classes.of if self.classes else {}, self.masks.of if self.masks else {}
        return len(classes.keys() | masks.keys()) if classes and masks else len(classes) + len(masks)
