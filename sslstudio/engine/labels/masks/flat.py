"""Whether a picture is a mask by its looks: few values in flat patches, where a photograph has many that change with
every pixel."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.labels.masks.files import MOST_VALUES, Codes, read_codes

_LOOKED_AT = 5  # files of a folder
_BYTES_A_PIXEL = 0.5  # of a JPEG: one with more holds a photograph, and need not be decoded
_LARGE = 1 << 22  # pixels of a picture that is looked at in a quarter of its width and height
_FLAT = 0.6  # share of the pixels of objects whose neighbour to the right is the same
_FEW_VALUES = 4  # that hold nearly all pixels within _NEAR, in masks saved with loss or with soft edges
_NEAR = 8


def are_masks(files: Sequence[Path]) -> bool:
    """Whether these look like masks, from a few of them: most are flat, and one at least marks something."""
    looked = [one for path in _some(files) if (one := _look(path)) is not None]
    return any(looked) and sum(looked) >= 0.6 * len(looked)


def are_pictures(files: Sequence[Path]) -> bool:
    """Whether these do not look like masks, from a few of them. What cannot be read is a picture."""
    looked = [_look(path) for path in _some(files)]
    return sum(one is not True for one in looked) > len(looked) / 2


def _some(files: Sequence[Path]) -> Sequence[Path]:
    return files[:: max(1, len(files) // _LOOKED_AT)][:_LOOKED_AT]


def _look(path: Path) -> bool | None:
    """Whether a file is flat; None where it cannot be told: nothing is marked in it, or it cannot be read."""
    try:
        with Image.open(path) as image:
            pixels = image.width * image.height
            if image.format == "JPEG" and path.stat().st_size > _BYTES_A_PIXEL * pixels + 2000:
                return False
        codes = read_codes(path, as_colours=False)
    except (OSError, ValueError, SyntaxError, DataError, Image.DecompressionBombError):
        return None
    if codes.size > _LARGE:
        codes = codes[: codes.shape[0] // 4, : codes.shape[1] // 4]
    return is_flat(codes)


def is_flat(codes: Codes) -> bool | None:
    """Whether (h, w) integers or packed colours are a mask's; None where all are the same."""
    values, counts = np.unique(codes, return_counts=True)
    if len(values) < 2:
        return None
    background = values[counts.argmax()]
    inside = codes[:, :-1] != background
    same = codes[:, :-1] == codes[:, 1:]
    if len(values) <= MOST_VALUES:
        return bool((inside & same).sum() >= _FLAT * max(int(inside.sum()), 1))
    if codes.max() > 255:  # colours: many that are flat are numbers of objects, or a drawing
        return bool((inside & same).sum() >= 0.9 * max(int(inside.sum()), 1) and len(values) < 0.02 * codes.size)
    grey = np.bincount(codes.ravel(), minlength=256)
    held = 0
    for _ in range(_FEW_VALUES):
        best = int(grey.argmax())
        near = slice(max(0, best - _NEAR), best + _NEAR + 1)
        held += int(grey[near].sum())
        grey[near] = 0
        if held >= 0.9 * codes.size:
            calm = np.abs(np.diff(codes, axis=1)) <= _NEAR
            return bool(calm.mean() >= 0.85)
    return False
