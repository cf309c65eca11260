"""Whether a picture is a mask by its looks: few values in flat patches, where a photograph has many that change with
every pixel."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.checked_files import open_regular
from sslstudio.engine.labels.masks.files import MOST_VALUES, Codes, codes_of, read_codes

T = TypeVar("T")
_LOOKED_AT = 5  # files of a folder
_LEAST_ALIKE, _ALIKE = 3, 0.98  # masks, and the share of their pixels, that are the same where they say no more
_MOST_ARE = 0.6  # share of masks that are flat
_BYTES_A_PIXEL = 0.5  # of a JPEG: one with more holds a photograph, and need not be decoded
_BYTES_A_PIXEL_PNG, _LOOKED_IN = 0.75, 8192  # of a PNG, whose packer may have been switched off: bytes that are packed
_PACKED = 0.9  # share of its bytes that is left when what is packed already is packed again
_BUSY = 0.4  # share of neighbours that are alike, in no mask less: its edges are fewer than what they enclose
_LARGE = 1 << 22  # pixels of a picture that is looked at in a quarter of its width and height
_FLAT = 0.6  # share of the pixels of objects whose neighbour to the right is the same
_VERY_FLAT, _FEW_OBJECTS = 0.9, 0.02  # of more values than that; values a pixel
_FEW_VALUES, _FEW_COLOURS, _NEAR = 6, 12, 2  # values that hold nearly all pixels, each with what is so near to it
_HELD, _CALM = 0.85, 0.75  # share of the pixels that they hold; of neighbours that are alike


def are_masks(files: Sequence[Path]) -> bool:
    """Whether these look like masks, from a few of them: most are flat, and one at least marks something."""
    some = _some(files)
    flat = other = 0
    for number, path in enumerate(some, start=1):
        one = _look(path)
        flat, other = flat + (one is True), other + (one is False)
        left = len(some) - number
        if flat + left < _MOST_ARE * (flat + left + other):  # were all that are left flat, it would not be enough
            return False
    return flat > 0


def are_pictures(files: Sequence[Path]) -> bool:
    """Whether these do not look like masks, from a few of them. What cannot be read is a picture."""
    looked = [_look(path) for path in _some(files)]
    return sum(one is not True for one in looked) > len(looked) / 2


def are_alike(root: Path, masks: Sequence[str]) -> bool:
    """Whether masks are nearly the same one, from a few of them."""
    if len(masks) < _LEAST_ALIKE:
        return False
    try:
        codes = [read_codes(root / mask, as_colours=False) for mask in _some(masks)]
    except DataError:
        return False
    first = codes[0]
    return all(one.shape == first.shape and (one == first).mean() >= _ALIKE for one in codes[1:])


def _some(files: Sequence[T]) -> Sequence[T]:
    return files[:: max(1, len(files) // _LOOKED_AT)][:_LOOKED_AT]


def _look(path: Path) -> bool | None:
    """Whether a file is flat; None where it cannot be told: nothing is marked in it, or it cannot be read."""
    try:
        with Image.open(path) as image:
            if _is_large_file(image, path) or _is_busy(image):
                return False
            codes = codes_of(ImageOps.exif_transpose(image), as_colours=False)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        try:
            codes = read_codes(path, as_colours=False)
        except DataError:
            return None
    if codes.size > _LARGE:
        codes = codes[: codes.shape[0] // 4, : codes.shape[1] // 4]
    return is_flat(codes)


def _is_large_file(image: Image.Image, path: Path) -> bool:
    """Whether a file is larger than flat patches make it: told without decoding it."""
    pixels, size = image.width * image.height, path.stat().st_size
    if image.format == "JPEG":
        return size > _BYTES_A_PIXEL * pixels + 2000
    if image.format != "PNG" or size <= _BYTES_A_PIXEL_PNG * pixels + 2000:
        return False
    with open_regular(path) as file:
        file.seek(size // 2)
        some = file.read(_LOOKED_IN)
    return len(zlib.compress(some, 1)) > _PACKED * len(some)


def _is_busy(image: Image.Image) -> bool:
    """Whether neighbours differ as in no mask: told by their brightness, before values are counted, which takes long.
    Where brightness differs, so do the values."""
    grey = np.asarray(image.convert("L")).astype(np.int16)
    return bool(grey.shape[1] > 1 and (np.abs(np.diff(grey, axis=1)) <= _NEAR).mean() < _BUSY)


def is_flat(codes: Codes) -> bool | None:
    """Whether (h, w) integers or packed colours are a mask's; None where all are the same."""
    values, counts = np.unique(codes, return_counts=True)
    if len(values) < 2:
        return None
    background = values[counts.argmax()]
    inside = codes[:, :-1] != background
    same = codes[:, :-1] == codes[:, 1:]
    flat = int((inside & same).sum()) / max(int(inside.sum()), 1)
    if len(values) <= MOST_VALUES and flat >= _FLAT:
        return True
    if len(values) < _FEW_OBJECTS * codes.size and flat >= _VERY_FLAT:  # numbers of objects
        return True
    return _is_held_by_few(codes, values, counts)


def _is_held_by_few(codes: Codes, values: Codes, counts: NDArray[np.intp]) -> bool:
    """Whether a few values hold nearly all pixels, and most neighbours are alike: masks that were saved with loss, or
    have soft edges."""
    colours = int(values.max()) > 255
    near, most = (0, _FEW_COLOURS) if colours else (_NEAR, _FEW_VALUES)
    left = counts.copy()
    held = 0
    for _ in range(most):
        best = values[left.argmax()]
        close = np.abs(values - best) <= near
        held += int(left[close].sum())
        left[close] = 0
    steps = np.abs(np.diff(codes, axis=1))
    calm = float((steps <= near).mean()) if steps.size else 1.0  # one column has no neighbours
    return held >= _HELD * codes.size and calm >= _CALM
