"""What can be done to labels, as plain values: each edit knows its own inverse, and travels as one line of JSON."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.editing.stroke import Mask, Rect

Kind = Literal["classification", "segmentation"]
HIGHEST = 1 << 31  # no class has such a number
MOST_PIXELS = 400_000_000  # of a mask
KINDS: tuple[Kind, ...] = ("classification", "segmentation")


@dataclass(frozen=True)
class LabelClass:
    """A class of pictures, or of pixels. `number` never changes (in masks it is the pixel value); `colour` is a place
    in the palette."""

    number: int
    name: str
    colour: int


def check_class(one: LabelClass) -> None:
    """Raises ValueError for a class that none can be: its number is a pixel value, its colour a place in a palette."""
    if not (0 < one.number < HIGHEST and 0 <= one.colour < HIGHEST):
        raise ValueError(Message("no class has the number {n} and the colour {c}", n=one.number, c=one.colour))


def _number(value: Any) -> int:
    """A whole number from a file. Raises TypeError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(Message("{value!r} is not a whole number", value=str(value)[:80]))
    return value


def _path(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(Message("{value!r} is not a path", value=str(value)[:80]))
    return value


@dataclass(frozen=True)
class ClassSet:
    """A class is added (before None), renamed or recoloured, or taken away again (after None)."""

    kind: Kind
    number: int
    before: LabelClass | None
    after: LabelClass | None

    def inverse(self) -> "ClassSet":
        """What takes it back."""
        return ClassSet(self.kind, self.number, self.after, self.before)

    def to_json(self) -> dict[str, Any]:
        """What the journal holds: only what is true afterwards."""
        after = [self.after.name, self.after.colour] if self.after else None
        return {"edit": "class", "kind": self.kind, "number": self.number, "after": after}


@dataclass(frozen=True)
class Labelled:
    """Pictures get a class: (path, class number before, after); None is no label."""

    changes: tuple[tuple[str, int | None, int | None], ...]

    def inverse(self) -> "Labelled":
        """What takes it back."""
        return Labelled(tuple((path, after, before) for path, before, after in self.changes))

    def to_json(self) -> dict[str, Any]:
        """What the journal holds: only what is true afterwards."""
        return {"edit": "labels", "after": [[path, after] for path, _, after in self.changes]}


@dataclass(frozen=True)
class Painted:
    """A rectangle of a picture's mask changes. `before` and `after`: packed class numbers (see `pack`).

    before None: there was no mask yet, and it begins as background; after None: the mask is taken away.
    """

    path: str
    height: int
    width: int
    rect: Rect
    before: bytes | None
    after: bytes | None

    def inverse(self) -> "Painted":
        """What takes it back."""
        return Painted(self.path, self.height, self.width, self.rect, self.after, self.before)

    def to_json(self) -> dict[str, Any]:
        """What the journal holds: only what is true afterwards."""
        after = base64.b85encode(self.after).decode("ascii") if self.after is not None else None
        return {
            "edit": "mask", "path": self.path, "size": [self.height, self.width], "rect": list(self.rect),
            "new": self.before is None, "after": after,
        }  # fmt: skip


Edit = ClassSet | Labelled | Painted


def edit_from_json(values: Mapping[str, Any]) -> Edit:
    """The edit of a line of the journal; what was before is not in it. Raises KeyError, TypeError or ValueError."""
    match values["edit"]:
        case "class":
            number, after = _number(values["number"]), values["after"]
            made = LabelClass(number, str(after[0]), _number(after[1])) if after is not None else None
            check_class(made or LabelClass(number, "", 0))
            if values["kind"] not in KINDS:
                raise ValueError(Message("no kind of labels: {values}", values=values["kind"]))
            return ClassSet(values["kind"], number, None, made)
        case "labels":
            return Labelled(tuple((_path(path), None, after and _number(after)) for path, after in values["after"]))
        case "mask":
            (height, width), after = map(_number, values["size"]), values["after"]
            rect = Rect(*map(_number, values["rect"]))
            _check_place(height, width, rect)
            content = base64.b85decode(after) if after is not None else None
            return Painted(
                _path(values["path"]), height, width, rect,
                None if values["new"] else b"", content,
            )  # fmt: skip
    raise ValueError(Message("no edit of labels: {values}", values=values["edit"]))


def _check_place(height: int, width: int, rect: Rect) -> None:
    """Raises ValueError where a rectangle does not lie in its mask, or none can be so large."""
    left, top, wide, high = rect
    fits = 0 <= top <= top + high <= height and 0 <= left <= left + wide <= width and high >= 0 and wide >= 0
    if not fits or height * width > MOST_PIXELS:
        raise ValueError(Message("no part of a mask of {height} x {width}", height=height, width=width))


def pack(pixels: Mask) -> bytes:
    """Compress class numbers (h, w): a stroke takes some hundred bytes."""
    return zlib.compress(np.ascontiguousarray(pixels).tobytes(), 1)


def unpack(content: bytes, rect: Rect) -> Mask:
    """Undo `pack`. Raises ValueError when the bytes do not fill the rectangle."""
    try:
        plain = zlib.decompressobj().decompress(content, rect.height * rect.width + 1)  # not what is packed without end
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return np.frombuffer(plain, np.uint8).reshape(rect.height, rect.width)
