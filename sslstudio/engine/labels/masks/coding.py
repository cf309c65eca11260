"""What the values in mask files mean: integers, black and white, or one colour a class, learnt from the masks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.masks.files import MOST_VALUES, codes_of, is_grey, read_codes, unpack

IGNORE = 255  # the class number of pixels that count neither as right nor as wrong
LOOKED_AT = 256  # masks that are read to learn the coding
_FAR_APART = 64  # two clusters of values lie at least so far apart ...
_NEAR = 24  # ... and hold what JPEG made of them within this


@dataclass(frozen=True)
class MaskCoding:
    """What the values of mask files mean: `values[c]` is the id or packed colour of class c, class 0 the background.

    binary: two values, told apart at their middle. `ignore` is 255 when the id 255 means "do not count".
    `nearest`: the values were saved with loss, a pixel takes the nearest. `instances`: every object had a number of
    its own; they are taken together as one class. `numbers[c]` is what the class is called instead of c, where a
    network counts them in another order; () where nothing is renumbered.
    """

    kind: Literal["ids", "binary", "colours"]
    values: tuple[int, ...]
    ignore: int | None = None
    nearest: bool = False
    instances: bool = False
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Seen:
    """The values of the masks looked at: pixels of each, sets of each file, share of equal neighbours in objects."""

    counts: dict[int, int]
    files: list[frozenset[int]]
    flatness: float


def learn_coding(paths: Sequence[Path]) -> MaskCoding:
    """What the values of these masks mean, from up to 256 evenly spaced ones; damaged ones are passed over.

    Raises DataError when they look like photographs, hold one value only, or none can be read.
    """
    step = max(1, -(-len(paths) // LOOKED_AT))
    looked_at = paths[::step]
    colours = _need_colours(looked_at)
    seen = _look(looked_at, colours)
    if len(seen.counts) < 2 and step > 1:
        seen = _look(paths, colours)
    if len(seen.counts) < 2:
        raise DataError(
            "The masks hold one value only ({next}): nothing is marked in them. Choose masks in which "
            "the background and the objects have different values.",
            next=next(iter(seen.counts)),
        )
    lossy = any(path.suffix.lower() in (".jpg", ".jpeg", ".jpe", ".jfif") for path in looked_at)
    coding = _coding(seen, "colours" if colours else "ids", lossy)
    if coding is None:
        raise DataError(
            "{name} and the other masks hold {counts} different values: they look like photographs, not "
            "like masks. A mask has one value or colour a class; try PNG files instead of JPEG.",
            name=paths[0].name,
            counts=len(seen.counts),
        )
    return coding


def _need_colours(paths: Sequence[Path]) -> bool:
    """True when numbers do not do: real colours, or palettes that give one number different colours."""
    meaning: dict[int, int] = {}
    for path in paths:
        try:
            with Image.open(path) as image:
                if image.mode not in ("RGB", "RGBA", "P", "CMYK", "YCbCr"):
                    continue
                contradiction = image.mode == "P" and _contradicts(meaning, image)
                if contradiction or (image.mode != "P" and not is_grey(np.unique(codes_of(image, as_colours=True)))):
                    return True
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
    return False


def _contradicts(meaning: dict[int, int], image: Image.Image) -> bool:
    palette = np.asarray(image.convert("RGB")).astype(np.int32)
    packed = palette[..., 0] << 16 | palette[..., 1] << 8 | palette[..., 2]
    numbers, first = np.unique(np.asarray(image), return_index=True)
    colours = packed.reshape(-1)[first]
    return any(meaning.setdefault(int(n), int(c)) != int(c) for n, c in zip(numbers, colours, strict=True))


def _look(paths: Sequence[Path], colours: bool) -> _Seen:
    counts: dict[int, int] = {}
    files: list[frozenset[int]] = []
    equal = inside = 0
    problem = Message("there are none")
    for path in paths:
        try:
            codes = read_codes(path, as_colours=colours)
        except DataError as error:
            problem = error.message
            continue
        values, pixels = np.unique(codes, return_counts=True)
        for value, count in zip(values.tolist(), pixels.tolist(), strict=True):
            counts[value] = counts.get(value, 0) + count
        files.append(frozenset(values.tolist()))
        objects = codes[:, :-1] != 0
        inside += int(objects.sum())
        equal += int((objects & (codes[:, :-1] == codes[:, 1:])).sum())
    if not files:
        raise DataError("No mask could be read: {problem}", problem=problem)
    return _Seen(counts, files, equal / max(inside, 1))


def _coding(seen: _Seen, kind: Literal["ids", "colours"], lossy: bool) -> MaskCoding | None:
    values = sorted(seen.counts)
    if kind == "ids":
        if len(values) == 2:
            return MaskCoding("binary", (values[0], values[1]))
        if _black_and_white(seen.counts):
            return MaskCoding("binary", (0, 255))
        if _numbers_objects(seen):
            return MaskCoding("binary", (0, 1), instances=True)
    clustered = _cluster(seen.counts, kind) if lossy or len(values) > MOST_VALUES else None
    if clustered is not None or len(values) > MOST_VALUES:
        return clustered
    return _void_apart(values) if kind == "ids" else MaskCoding("colours", _background_first(seen.counts))


def _cluster(counts: Mapping[int, int], kind: Literal["ids", "colours"]) -> MaskCoding | None:
    as_colours = counts if kind == "colours" else {value * 0x010101: n for value, n in counts.items()}
    centres = _clusters(as_colours) if max(as_colours) <= 0xFFFFFF else None
    if centres is None:
        return None
    return replace(MaskCoding("colours", _background_first(centres)), nearest=True)


def _numbers_objects(seen: _Seen) -> bool:
    """One number an object, as segmentation programs write: 0, 1 ... n in each file, n differs; or many flat values."""
    most = [max(file) for file in seen.files]
    gapless = all(file == frozenset(range(len(file))) for file in seen.files)
    if gapless and max(most) >= 8 and len(set(most)) >= 3:
        return True
    background = max(seen.counts, key=lambda value: seen.counts[value])
    return len(seen.counts) > MOST_VALUES and background == 0 and seen.flatness > 0.7


def _black_and_white(counts: Mapping[int, int]) -> bool:
    """Values that lie at both ends, with a few between: black and white saved as JPEG or with soft edges."""
    if len(counts) < 8 or max(counts) > 255:
        return False
    low = sum(n for value, n in counts.items() if value < 32)
    high = sum(n for value, n in counts.items() if value > 223)
    between = sum(counts.values()) - low - high
    return low > 0 and high > between and between < 0.1 * sum(counts.values())


def _void_apart(values: list[int]) -> MaskCoding:
    """255 beside two or more small ids marks what is not to count; beside widely spread ones it is a class."""
    ids = [value for value in values if value != 255]
    if 255 in values and len(ids) >= 2 and max(ids) < 100:
        return MaskCoding("ids", tuple(ids), ignore=IGNORE)
    return MaskCoding("ids", tuple(values))


def _background_first(counts: Mapping[int, int]) -> tuple[int, ...]:
    background = 0 if 0 in counts else max(sorted(counts), key=lambda colour: counts[colour])
    return (background, *sorted(colour for colour in counts if colour != background))


def _clusters(counts: Mapping[int, int]) -> dict[int, int] | None:
    """A dozen colours at most that lie far apart and have nearly all pixels close by, or None."""
    colours = np.asarray(sorted(counts), np.int64)
    pixels = np.asarray([counts[int(colour)] for colour in colours])
    channels, left = unpack(colours), np.ones(len(colours), bool)
    centres: dict[int, int] = {}
    while (pixels * left).sum() > 0.03 * pixels.sum():
        best = int((pixels * left).argmax())
        distance = np.abs(channels - channels[best]).max(-1)
        if len(centres) == 12:
            return None
        near = left & (distance <= _NEAR)
        centres[int(colours[best])] = int(pixels[near].sum())
        left &= distance > _FAR_APART  # what lies between is blur: too much of it and this is no mask
        lost = pixels.sum() - pixels[left].sum() - sum(centres.values())
        if lost > 0.05 * pixels.sum():
            return None
    return centres if len(centres) >= 2 else None
