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
KINDS: tuple[Kind, ...] = ("classification", "segmentation")


@dataclass(frozen=True)
class LabelClass:
    """A class of pictures, or of pixels. `number` never changes (in masks it is the pixel value); `colour` is a place
    in the palette."""

    number: int
    name: str
    colour: int


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
            number, after = int(values["number"]), values["after"]
            made = LabelClass(number, str(after[0]), int(after[1])) if after is not None else None
            if values["kind"] not in KINDS:
                raise ValueError(Message("no kind of labels: {values}", values=values["kind"]))
            return ClassSet(values["kind"], number, None, made)
        case "labels":
            return Labelled(tuple((str(path), None, after) for path, after in values["after"]))
        case "mask":
            (height, width), after = values["size"], values["after"]
            content = base64.b85decode(after) if after is not None else None
            return Painted(
                str(values["path"]), int(height), int(width), Rect(*map(int, values["rect"])),
                None if values["new"] else b"", content,
            )  # fmt: skip
    raise ValueError(Message("no edit of labels: {values}", values=values["edit"]))


def pack(pixels: Mask) -> bytes:
    """Compress class numbers (h, w): a stroke takes some hundred bytes."""
    return zlib.compress(np.ascontiguousarray(pixels).tobytes(), 1)


def unpack(content: bytes, rect: Rect) -> Mask:
    """Undo `pack`. Raises ValueError when the bytes do not fill the rectangle."""
    try:
        plain = zlib.decompress(content)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return np.frombuffer(plain, np.uint8).reshape(rect.height, rect.width)
