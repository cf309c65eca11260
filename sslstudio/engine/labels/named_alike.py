"""Labels of a folder in the numbering of a network that was trained on another one, or on this one some time ago.

Classes are the same when they have the same name; their place in a list says nothing. In masks without names, where
numbers or colours stand for them ("class 3", "#ff0000"), the value is the name. One class beside the background that
nobody has named ("object") is whatever the only class of the other side is called.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.mask_names import OBJECT, plain_name
from sslstudio.engine.labels.masks.coding import IGNORE
from sslstudio.engine.labels.masks.files import unpack
from sslstudio.engine.labels.types import ClassLabels, MaskLabels, Recognised

COLOUR = re.compile("#[0-9a-f]{6}")
NEAR = 24  # what JPEG makes of one colour in two folders


def named_alike(kind: str, names: Sequence[str], found: Recognised, *, partly: bool = False) -> Recognised:
    """The labels of `kind` numbered as in `names`. Raises DataError where there are none, or other classes.

    partly: classes that are not among `names` do not count, instead of being refused; some must be.
    """
    if kind == "classification":
        return replace(found, classes=classes_alike(names, found.classes, partly=partly))
    return replace(found, masks=masks_alike(names, found.masks, partly=partly))


def classes_alike(names: Sequence[str], found: ClassLabels | None, *, partly: bool = False) -> ClassLabels:
    """See `named_alike`."""
    place = {name: number for number, name in enumerate(names)}
    given = found.names if found else ()
    if found is None or not _enough([name in place for name in given], partly):
        raise DataError(_unlike(names, given))
    if tuple(names) == given:
        return found
    of = {path: place[given[label]] for path, label in found.of.items() if given[label] in place}
    return replace(found, names=tuple(names), of=of)


def masks_alike(names: Sequence[str], found: MaskLabels | None, *, partly: bool = False) -> MaskLabels:
    """See `named_alike`. The background is that of both, whatever it is called."""
    if found is None:
        raise DataError(_unlike(names, ()))
    numbers = [0, *(_number(names, found, number) for number in range(1, len(found.names)))]
    if not _enough([number != IGNORE for number in numbers[1:]], partly):
        raise DataError(_unlike(names, found.names))
    if numbers == list(range(len(numbers))):
        return replace(found, names=tuple(names))
    return replace(found, names=tuple(names), coding=replace(found.coding, numbers=tuple(numbers)))


def _enough(known: Sequence[bool], partly: bool) -> bool:
    return any(known) if partly else bool(known) and all(known)


def _number(names: Sequence[str], found: MaskLabels, number: int) -> int:
    """Which of `names` (after the background) the class `number` of these masks is; IGNORE for none of them."""
    coding, own = found.coding, found.names[number]
    called = [own]
    if own == OBJECT and not coding.instances:
        called.append(plain_name(coding.kind, coding.values[number]))
    for name in called:
        if name in names[1:]:
            return names.index(name, 1)
    if len(names) == len(found.names) == 2 and OBJECT in (names[1], own):
        return 1
    return _near_colour(names, coding.values[number]) if coding.nearest else IGNORE


def _near_colour(names: Sequence[str], value: int) -> int:
    """Which of the colours among `names` this one is, of masks that were saved with loss."""
    for number, name in enumerate(names[1:], start=1):
        if COLOUR.fullmatch(name):
            ours, theirs = unpack(np.asarray([int(name[1:], 16), value]))
            if np.abs(ours - theirs).max() <= NEAR:
                return number
    return IGNORE


def _unlike(names: Sequence[str], found: Sequence[str]) -> Message:
    there = Message("has the classes {found}", found=found) if found else Message("has no labels that were recognised")
    return Message(
        "The run knows the classes {names}; the folder {there}. Name them alike to score the run on it.",
        names=names,
        there=there,
    )
