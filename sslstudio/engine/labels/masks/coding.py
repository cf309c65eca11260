"""What the values in mask files mean: integers, black and white, or one colour a class, learnt from all the masks.

A class has pixels whose neighbours are of it too. Values that never do are what soft edges, resizing and JPEG made of
the values on both sides.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.masks.files import MOST_VALUES, Codes, codes_of, grey_counts, is_grey, read_codes, unpack

IGNORE = 255  # the class number of pixels that count neither as right nor as wrong
STAGE = Message("Learning what the values in the masks mean")
LOOKED_AT = 256  # masks whose shapes are looked at; values are taken from all
_A_STEP = 50  # masks between two events
_VOC_VOID = 0xE0E0C0  # what Pascal VOC and its descendants paint what is not to count with
_FINE = 0.25  # share of pixels amid their own value, below which a value is an edge
_RARE = 0.03  # share of all pixels
_MOST_EDGES = 0.25  # of all pixels
_LEAST_APART = 16  # of two greys that are two classes, where there are soft edges
MOST_CLUSTERS = 12  # colours that values are gathered around
_SMALL = 64  # ids below it are close together: nothing lies between them
_FAR_APART = 64  # two clusters of values lie at least so far apart ...
NEAR = 24  # ... and hold what JPEG made of them within this


@dataclass(frozen=True)
class MaskCoding:
    """What the values of mask files mean: `values[c]` is the id or packed colour of class c, class 0 the background.

    binary: two values, told apart at their middle. `ignore` is 255 when the id 255 means "do not count".
    `nearest`: the values were saved with loss, a pixel takes the nearest. `instances`: every object had a number of
    its own; they are taken together as one class. `void`: values that mark what is not to count; `soft`: what lies
    between the values is an edge, and does not count. `numbers[c]` is what the class is called instead of c, where a
    network counts them in another order; () where nothing is renumbered.
    """

    kind: Literal["ids", "binary", "colours"]
    values: tuple[int, ...]
    ignore: int | None = None
    nearest: bool = False
    instances: bool = False
    void: tuple[int, ...] = ()
    soft: bool = False
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Seen:
    """The values of the masks: pixels of each, and sets of each file. And of some of the masks: pixels of each value,
    those of them amid their own value, share of equal neighbours in objects, pixels between different values, and those
    of them between 0 and 255."""

    counts: dict[int, int]
    some: dict[int, int]
    amid: dict[int, int]
    files: list[frozenset[int]]
    flatness: float
    borders: int
    black_to_white: int


def learn_coding(paths: Sequence[Path]) -> MaskCoding:
    """What `learning` returns, in one go."""
    return to_end(learning(paths))


def learning(paths: Sequence[Path]) -> Generator[Preparing, None, MaskCoding]:
    """Learn what the values of these masks mean, from all of them; damaged ones are passed over.

    Raises DataError when they look like photographs, hold one value only, or none can be read.
    """
    colours = _need_colours(paths)
    seen = yield from _look(paths, colours)
    if len(seen.counts) < 2:
        raise DataError(
            "The masks hold one value only ({next}): nothing is marked in them. Choose masks in which "
            "the background and the objects have different values.",
            next=next(iter(seen.counts)),
        )
    lossy = any(path.suffix.lower() in (".jpg", ".jpeg", ".jpe", ".jfif") for path in paths)
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
    palette = image.getpalette() or []
    for number, pixels in enumerate(image.histogram()[:256]):
        if pixels and len(palette) >= 3 * number + 3:
            red, green, blue = palette[3 * number : 3 * number + 3]
            if meaning.setdefault(number, red << 16 | green << 8 | blue) != red << 16 | green << 8 | blue:
                return True
    return False


def _look(paths: Sequence[Path], colours: bool) -> Generator[Preparing, None, _Seen]:
    counts: dict[int, int] = {}
    files: list[frozenset[int]] = []
    shapes = _Shapes()
    step = max(1, -(-len(paths) // LOOKED_AT))
    problem = Message("there are none")
    for number, path in enumerate(paths, start=1):
        if number % _A_STEP == 0:
            yield Preparing(stage=STAGE, done=number, total=len(paths))
        try:
            found = grey_counts(path) if (number - 1) % step and not colours else None
            if found is None:
                codes = read_codes(path, as_colours=colours)
                found = _count(codes)
                shapes.take(codes, found)
        except DataError as error:
            problem = error.message
            continue
        _add(found, counts)
        files.append(frozenset(found))
    if not files:
        raise DataError("No mask could be read: {problem}", problem=problem)
    flatness = shapes.equal / max(shapes.inside, 1)
    return _Seen(counts, shapes.counts, shapes.amid, files, flatness, shapes.borders, shapes.black_to_white)


@dataclass
class _Shapes:
    """How the values of masks lie beside each other: see `_Seen`."""

    counts: dict[int, int] = field(default_factory=dict)
    amid: dict[int, int] = field(default_factory=dict)
    equal: int = 0
    inside: int = 0
    borders: int = 0
    black_to_white: int = 0

    def take(self, codes: Codes, found: Mapping[int, int]) -> None:
        """Look at one more mask, whose values are known."""
        left, right = codes[:, :-1], codes[:, 1:]
        same = left == right
        _add(found, self.counts)
        _add(_count(left[:-1][same[:-1] & (codes[:-1, :-1] == codes[1:, :-1])]), self.amid)
        objects = left != 0
        self.inside += int(objects.sum())
        self.equal += int((objects & same).sum())
        self.borders += same.size - int(same.sum())
        if 0 in found and 255 in found and len(found) > 2:
            self.black_to_white += int((((left == 0) & (right == 255)) | ((left == 255) & (right == 0))).sum())


def _add(found: Mapping[int, int], counts: dict[int, int]) -> None:
    for value, pixels in found.items():
        counts[value] = counts.get(value, 0) + pixels


def _count(codes: Codes) -> dict[int, int]:
    """Value -> pixels."""
    if codes.size and int(codes.min()) >= 0 and int(codes.max()) < 1 << 16:  # three times as fast as sorting
        pixels = np.bincount(codes.ravel())
        values = np.flatnonzero(pixels)
        return dict(zip(values.tolist(), pixels[values].tolist(), strict=True))
    found, number = np.unique(codes, return_counts=True)
    return dict(zip(found.tolist(), number.tolist(), strict=True))


def _coding(seen: _Seen, kind: Literal["ids", "colours"], lossy: bool) -> MaskCoding | None:
    values = sorted(seen.counts)
    if kind == "ids" and (coding := _of_few_meanings(seen, values)) is not None:
        return coding
    if not lossy and not (kind == "ids" and _are_counted(seen)) and _has_soft_edges(seen, kind):
        return _soft_greys(seen) if kind == "ids" else _soft_colours(seen)
    if kind == "ids" and _numbers_objects(seen):
        return MaskCoding("binary", (0, 1), instances=True)
    clustered = _cluster(seen.counts, kind) if lossy or len(values) > MOST_VALUES else None
    if clustered is not None or len(values) > MOST_VALUES:
        return clustered
    return _void_apart(seen.counts) if kind == "ids" else _without_void(_background_first(seen.counts))


def _of_few_meanings(seen: _Seen, values: Sequence[int]) -> MaskCoding | None:
    """Numbers that say object or not: two values, black and white with soft edges, a trimap."""
    if len(values) == 2:
        return MaskCoding("binary", (values[0], values[1]))
    if _black_and_white(seen.counts):
        return MaskCoding("binary", (0, 255))
    middle = _void_between(seen)
    return None if middle is None else MaskCoding("ids", (0, 255), ignore=IGNORE, void=(middle,))


def _soft_greys(seen: _Seen) -> MaskCoding | None:
    """Two flat greys are cut in the middle; of more, what lies between is an edge of which nobody knows whose it is.
    None for too many."""
    found = _flat_values(seen, _LEAST_APART)
    if found is None or len(found) != 2:
        counts = {value * 0x010101: seen.some[value] for value in found or ()}
        return MaskCoding("colours", _background_first(counts), nearest=True, soft=True) if found else None
    return MaskCoding("binary", (min(found), max(found)))


def _soft_colours(seen: _Seen) -> MaskCoding | None:
    found = _flat_values(seen, 2 * NEAR)
    if found is None:
        return None
    counts = {value: seen.some[value] for value in found}
    return MaskCoding("colours", _background_first(counts), nearest=True, soft=True)


def _flat_values(seen: _Seen, apart: int) -> list[int] | None:
    """The values that are flat, those with most pixels first, each so far from the others in one channel; of rare ones
    half of the pixels are amid their own. None for one only, or too many."""
    total = sum(seen.some.values())
    found: list[int] = []
    for value, pixels in sorted(seen.some.items(), key=lambda item: (-item[1], item[0])):
        least = _FINE if pixels >= _RARE * total else 2 * _FINE
        if seen.amid.get(value, 0) < least * pixels:
            continue
        if all(np.abs(unpack(np.asarray(value)) - unpack(np.asarray(other))).max() >= apart for other in found):
            found.append(value)
        if len(found) > MOST_CLUSTERS:
            return None
    return found if len(found) >= 2 else None


def _has_soft_edges(seen: _Seen, kind: str) -> bool:
    """Whether some values are flat and many others occur at edges only, as after smooth resizing."""
    edges = [value for value, pixels in seen.some.items() if seen.amid.get(value, 0) < _FINE * pixels]
    flat = len(seen.some) - len(edges)
    largest = max((value for value in seen.counts if value != 255), default=0)
    if kind == "ids" and not _SMALL <= largest <= 255:  # classes one by one, or numbers of objects
        return False
    many = len(edges) >= (2 if kind == "ids" else 8) and len(edges) >= (0.3 if kind == "ids" else 2) * flat
    return many and flat >= 2 and sum(seen.some[value] for value in edges) <= _MOST_EDGES * sum(seen.some.values())


def _void_between(seen: _Seen) -> int | None:
    """The grey between black and white of a trimap: black and white never touch, for a band of it lies between."""
    middle = [value for value in seen.counts if value not in (0, 255)]
    if len(middle) != 1 or not 120 <= middle[0] <= 136 or not {0, 255} <= seen.counts.keys():
        return None
    return middle[0] if seen.black_to_white <= 0.02 * seen.borders else None


def _without_void(colours: tuple[int, ...]) -> MaskCoding:
    """The cream that Pascal VOC paints borders with does not count, where the other colours are of its palette."""
    rest = tuple(colour for colour in colours if colour != _VOC_VOID)
    of_voc = all(part % 64 == 0 for colour in rest for part in (colour >> 16, colour >> 8 & 255, colour & 255))
    if len(rest) == len(colours) or len(rest) < 2 or not of_voc:
        return MaskCoding("colours", colours)
    return MaskCoding("colours", rest, ignore=IGNORE, void=(_VOC_VOID,))


def _cluster(counts: Mapping[int, int], kind: Literal["ids", "colours"]) -> MaskCoding | None:
    as_colours = counts if kind == "colours" else {value * 0x010101: n for value, n in counts.items()}
    centres = _clusters(as_colours) if max(as_colours) <= 0xFFFFFF else None
    if centres is None:
        return None
    return replace(MaskCoding("colours", _background_first(centres)), nearest=True)


def _numbers_objects(seen: _Seen) -> bool:
    """One number an object, as segmentation programs write: 0, 1 ... n in each file, n differs; or many flat values."""
    if _are_counted(seen):
        return True
    background = max(seen.counts, key=lambda value: seen.counts[value])
    return len(seen.counts) > MOST_VALUES and background == 0 and seen.flatness > 0.7


def _are_counted(seen: _Seen) -> bool:
    """0, 1 ... n in each file without a gap, and another n in each."""
    most = [max(file) for file in seen.files]
    gapless = all(file == frozenset(range(len(file))) for file in seen.files)
    return gapless and max(most) >= 8 and len(set(most)) >= 3


def _black_and_white(counts: Mapping[int, int]) -> bool:
    """Values that lie at both ends, with a few between: black and white saved as JPEG or with soft edges."""
    if len(counts) < 8 or max(counts) > 255:
        return False
    low = sum(n for value, n in counts.items() if value < 32)
    high = sum(n for value, n in counts.items() if value > 223)
    between = sum(counts.values()) - low - high
    return low > 0 and high > between and between < 0.1 * sum(counts.values())


def _void_apart(counts: Mapping[int, int]) -> MaskCoding:
    """255 beside two or more small ids marks what is not to count; beside widely spread ones it is a class. Where no
    value is 0, most pixels are the background."""
    ids = {value: pixels for value, pixels in counts.items() if value != 255}
    if 255 in counts and len(ids) >= 2 and max(ids) < 100:
        return MaskCoding("ids", _background_first(ids), ignore=IGNORE, void=(255,))
    return MaskCoding("ids", _background_first(counts))


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
        if len(centres) == MOST_CLUSTERS:
            return None
        near = left & (distance <= NEAR)
        centres[int(colours[best])] = int(pixels[near].sum())
        left &= distance > _FAR_APART  # what lies between is blur: too much of it and this is no mask
        lost = pixels.sum() - pixels[left].sum() - sum(centres.values())
        if lost > 0.05 * pixels.sum():
            return None
    return centres if len(centres) >= 2 else None
