"""The names of the classes of masks: the program's own where nobody has named them, else those of picture classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message, plain
from sslstudio.engine.labels.masks.coding import IGNORE, MaskCoding
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.types import ClassLabels, MaskLabels

BACKGROUND, OBJECT, NUMBERED = "background", "object", "class "  # the names of classes that nobody has named
_MASKS_A_CLASS = 8  # looked at to give the numbers in the masks the names of the class folders


def name_class(name: str) -> Message:
    """Name a class of masks for people: the program's own names can be translated, a person's stay as they are."""
    number = name.removeprefix(NUMBERED)
    if name != number and number.isdecimal():
        return Message("class {value}", value=int(number))
    return {BACKGROUND: Message("background"), OBJECT: Message("object")}.get(name, plain(name))


def plain_name(kind: str, value: int) -> str:
    """What a class is called whose value in the masks is all that is known of it."""
    return f"#{value:06x}" if kind == "colours" else Message("class {value}", value=value)


def plain_names(coding: MaskCoding) -> tuple[str, ...]:
    """The names of classes of which only the values are known."""
    if len(coding.values) == 2:
        return (BACKGROUND, OBJECT)
    if coding.soft and all(value % 0x010101 == 0 for value in coding.values):  # greys, kept as colours to be compared
        return (BACKGROUND, *(plain_name("ids", value & 255) for value in coding.values[1:]))
    return (BACKGROUND, *(plain_name(coding.kind, value) for value in coding.values[1:]))


def names_by_class(root: Path, masks: MaskLabels, classes: ClassLabels) -> tuple[str, ...] | None:
    """The names of the picture classes, when the masks of each hold one number of its own beside the background."""
    name_of: dict[int, str] = {}
    for number, name in enumerate(classes.names):
        files = [masks.of[path] for path, label in classes.of.items() if label == number and path in masks.of]
        found = _numbers_in(root, files[:: max(1, len(files) // _MASKS_A_CLASS)], masks.coding)
        if len(found) != 1 or found & name_of.keys():
            return None
        name_of[found.pop()] = name
    if len(name_of) != len(masks.coding.values) - 1 or len(name_of) < 2:
        return None
    return (BACKGROUND, *(name_of[number] for number in range(1, len(masks.coding.values))))


def _numbers_in(root: Path, masks: Sequence[str], coding: MaskCoding) -> set[int]:
    found: set[int] = set()
    for mask in masks:
        try:
            found |= set(np.unique(decode_mask(root / mask, coding, None)).tolist())
        except DataError:
            continue  # the damaged mask is named when it is needed
    return found - {0, IGNORE}
