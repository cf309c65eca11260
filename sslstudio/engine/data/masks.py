"""Mask files -> class numbers: integers, black and white, or one colour a class, whatever the folder holds.

What the values mean is learnt once from the masks themselves (`learn_coding`); `decode_mask` then only looks up.
A colour is packed as 0xRRGGBB wherever it is a number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from sslstudio.engine.errors import DataError

IGNORE = 255  # the class number of pixels that count neither as right nor as wrong
MOST_VALUES = 64  # more than that is a photograph, or has to cluster
LOOKED_AT = 256  # masks that are read to learn the coding
_FAR_APART = 64  # two clusters of values lie at least so far apart ...
_NEAR = 24  # ... and hold what JPEG made of them within this

Codes = NDArray[np.int32]  # (h, w) what a mask file holds: integers, or packed colours


@dataclass(frozen=True)
class MaskCoding:
    """What the values of mask files mean: `values[c]` is the id or packed colour of class c, class 0 the background.

    binary: two values, told apart at their middle. `ignore` is 255 when the id 255 means "do not count".
    `nearest`: the values were saved with loss, a pixel takes the nearest. `instances`: every object had a number of
    its own; they are taken together as one class.
    """

    kind: Literal["ids", "binary", "colours"]
    values: tuple[int, ...]
    ignore: int | None = None
    nearest: bool = False
    instances: bool = False


def mask_size(path: Path) -> tuple[int, int]:
    """(height, width) of a mask, without reading its pixels."""
    with _opened(path) as image:
        turned = image.getexif().get(0x0112, 1) >= 5  # EXIF orientations that swap the sides
        return (image.width, image.height) if turned else (image.height, image.width)


def decode_mask(path: Path, coding: MaskCoding, side: int | None) -> NDArray[np.uint8]:
    """(side, side) class numbers, nearest pixel, or the mask's own size; 255 where a pixel does not count.

    A value that the coding does not know becomes 255. Raises DataError when the file cannot be read.
    """
    codes = _read(path, as_colours=coding.kind == "colours")
    if side is not None:
        codes = codes[np.ix_(_nearest_places(codes.shape[0], side), _nearest_places(codes.shape[1], side))]
    if coding.kind == "binary":
        return (codes * 2 > sum(coding.values)).astype(np.uint8)
    if coding.nearest:
        return _nearest_class(codes, coding.values)
    if coding.kind == "ids":
        classes: NDArray[np.uint8] = np.take(_table(coding.values), codes, mode="clip")
        return classes
    order = np.argsort(coding.values)
    known = np.asarray(coding.values, np.int32)[order]
    place = np.searchsorted(known, codes).clip(max=len(known) - 1)
    return np.where(known[place] == codes, order[place], IGNORE).astype(np.uint8)


def _nearest_places(length: int, side: int) -> NDArray[np.intp]:
    return ((np.arange(side) + 0.5) * length / side).astype(np.intp)


@lru_cache(maxsize=8)
def _table(values: tuple[int, ...]) -> NDArray[np.uint8]:
    table = np.full(max(values) + 2, IGNORE, np.uint8)  # the last entry answers for all larger values
    table[list(values)] = np.arange(len(values))
    return table


def _nearest_class(codes: Codes, values: tuple[int, ...]) -> NDArray[np.uint8]:
    found, back = np.unique(codes, return_inverse=True)
    distance = np.square(_unpack(found)[:, None] - _unpack(np.asarray(values))[None]).sum(-1)
    classes: NDArray[np.uint8] = distance.argmin(1).astype(np.uint8)
    return classes[back.reshape(codes.shape)]


def _unpack(codes: NDArray[Any]) -> NDArray[np.int32]:
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], -1).astype(np.int32)


# Reading a file


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(f"The mask {path.name} cannot be read: {error}.") from error


def _read(path: Path, *, as_colours: bool) -> Codes:
    """(h, w) integers of a mask: palette numbers or grey values, or packed colours when these are asked for."""
    try:
        with Image.open(path) as image:
            return _codes(ImageOps.exif_transpose(image), as_colours)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if path.suffix.lower() in (".tif", ".tiff"):  # 32-bit and compressed TIFF that Pillow does not know
            return _read_tiff(path)
        raise DataError(f"The mask {path.name} cannot be read: {error}.") from error


def _read_tiff(path: Path) -> Codes:
    try:
        values = tifffile.imread(path)
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise DataError(f"The mask {path.name} cannot be read: {error}.") from error
    if values.ndim != 2:
        raise DataError(f"The mask {path.name} has the shape {values.shape}, not height and width.")
    return np.asarray(values).clip(0, 2**31 - 1).astype(np.int32)


def _codes(image: Image.Image, as_colours: bool) -> Codes:
    if image.mode in ("1", "L", "P", "I", "I;16", "I;16B", "F") and not (as_colours and image.mode == "P"):
        values = np.asarray(image)
        if as_colours:
            return values.astype(np.int32) * 0x010101
        return values.clip(0).astype(np.int32) if image.mode in ("I", "F") else values.astype(np.int32)
    rgba = np.asarray(image.convert("RGBA")).astype(np.int32)
    rgba *= rgba[..., 3:] > 0  # what cannot be seen is background
    packed: Codes = rgba[..., 0] << 16 | rgba[..., 1] << 8 | rgba[..., 2]
    if not as_colours and _is_grey(np.unique(packed)):
        return rgba[..., 0]
    return packed


def _is_grey(colours: NDArray[Any]) -> bool:
    spread = np.ptp(_unpack(colours), axis=-1)
    lossy = len(colours) > MOST_VALUES  # JPEG tints grey a little
    return bool(spread.max() <= (8 if lossy else 0))


# Learning what the values mean


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
            f"The masks hold one value only ({next(iter(seen.counts))}): nothing is marked in them. "
            "Choose masks in which the background and the objects have different values."
        )
    coding = _coding(seen, "colours" if colours else "ids")
    if coding is None:
        raise DataError(
            f"{paths[0].name} and the other masks hold {len(seen.counts)} different values: they look like "
            "photographs, not like masks. A mask has one value or colour a class; try PNG files instead of JPEG."
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
                codes = np.unique(_codes(image, as_colours=True))
                if image.mode != "P" and not _is_grey(codes):
                    return True
                if image.mode == "P" and _contradicts(meaning, image):
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
    problem = "there are none"
    for path in paths:
        try:
            codes = _read(path, as_colours=colours)
        except DataError as error:
            problem = str(error)
            continue
        values, pixels = np.unique(codes, return_counts=True)
        for value, count in zip(values.tolist(), pixels.tolist(), strict=True):
            counts[value] = counts.get(value, 0) + count
        files.append(frozenset(values.tolist()))
        objects = codes[:, :-1] != 0
        inside += int(objects.sum())
        equal += int((objects & (codes[:, :-1] == codes[:, 1:])).sum())
    if not files:
        raise DataError(f"No mask could be read: {problem}")
    return _Seen(counts, files, equal / max(inside, 1))


def _coding(seen: _Seen, kind: Literal["ids", "colours"]) -> MaskCoding | None:
    values = sorted(seen.counts)
    if kind == "ids":
        if len(values) == 2:
            return MaskCoding("binary", (values[0], values[1]))
        if _numbers_objects(seen):
            return MaskCoding("binary", (0, 1), instances=True)
        if _black_and_white(seen.counts):
            return MaskCoding("binary", (0, 255))
    if len(values) <= MOST_VALUES:
        return _void_apart(values) if kind == "ids" else MaskCoding("colours", _background_first(seen.counts))
    as_colours = seen.counts if kind == "colours" else {value * 0x010101: n for value, n in seen.counts.items()}
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
    channels, left = _unpack(colours), np.ones(len(colours), bool)
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
