"""Mask files -> class numbers. What the values mean is learnt once (`learn_coding`); decoding only looks up."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sslstudio.engine.labels.masks.coding import IGNORE, NEAR, MaskCoding, learn_coding
from sslstudio.engine.labels.masks.files import Codes, mask_size, read_codes, unpack

__all__ = ["IGNORE", "MaskCoding", "decode_mask", "learn_coding", "mask_size"]


def decode_mask(path: Path, coding: MaskCoding, side: int | None) -> NDArray[np.uint8]:
    """(side, side) class numbers, nearest pixel, or the mask's own size; 255 where a pixel does not count.

    A value that the coding does not know becomes 255. Raises DataError when the file cannot be read.
    """
    classes = _decode(path, coding, side)
    return _numbers(coding.numbers)[classes] if coding.numbers else classes


def _decode(path: Path, coding: MaskCoding, side: int | None) -> NDArray[np.uint8]:
    codes = read_codes(path, as_colours=coding.kind == "colours")
    if side is not None:
        codes = codes[np.ix_(_nearest_places(codes.shape[0], side), _nearest_places(codes.shape[1], side))]
    if coding.kind == "binary":
        return (codes * 2 > sum(coding.values)).astype(np.uint8)
    if coding.nearest:
        return _nearest_class(codes, coding.values, coding.soft)
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
def _numbers(numbers: tuple[int, ...]) -> NDArray[np.uint8]:
    table = np.full(256, IGNORE, np.uint8)
    table[: len(numbers)] = numbers
    return table


@lru_cache(maxsize=8)
def _table(values: tuple[int, ...]) -> NDArray[np.uint8]:
    table = np.full(max(values) + 2, IGNORE, np.uint8)  # the last entry answers for all larger values
    table[list(values)] = np.arange(len(values))
    return table


def _nearest_class(codes: Codes, values: tuple[int, ...], soft: bool) -> NDArray[np.uint8]:
    """The class of the nearest value; soft: 255 where none is near."""
    found, back = np.unique(codes, return_inverse=True)
    apart = unpack(found)[:, None] - unpack(np.asarray(values))[None]
    classes: NDArray[np.uint8] = np.square(apart).sum(-1).argmin(1).astype(np.uint8)
    if soft:
        classes[np.abs(apart).max(-1).min(1) > NEAR] = IGNORE
    return classes[back.reshape(codes.shape)]
