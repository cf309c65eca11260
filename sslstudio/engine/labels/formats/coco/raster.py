"""What COCO marks in a picture -> one class number a pixel. Polygons and run lengths, as COCO's own code reads them.

A pixel belongs to a polygon when its middle does; of two on the same pixel the smaller one is seen. Run lengths go down
the columns, the first run of pixels outside (perhaps 0).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sslstudio.engine.labels.formats.coco.reader import CocoPicture, Mark
from sslstudio.engine.labels.masks.coding import IGNORE
from sslstudio.engine.labels.outlines.shapes import Inside, fill_polygon


def paint(picture: CocoPicture, numbers: Mapping[int, int]) -> NDArray[np.uint8]:
    """(height, width) class numbers, 0 where nothing is marked; `numbers`: category -> class.

    Crowds and things with a box only are 255, not counted: their pixels are not known; what is outlined lies on top.
    """
    mask = np.zeros((picture.height, picture.width), np.uint8)
    shapes = []
    for mark in picture.marks:
        inside = inside_of(mark, picture)
        shapes.append((mark.outlined and not mark.crowd, -int(inside.sum()), mark, np.packbits(inside)))
    for known, _, mark, packed in sorted(shapes, key=lambda shape: shape[:2]):
        inside = np.unpackbits(packed, count=mask.size).astype(bool).reshape(mask.shape)
        mask[inside] = numbers[mark.category] if known else IGNORE
    return mask


def inside_of(mark: Mark, picture: CocoPicture) -> Inside:
    """The pixels of one mark; those of its box where nothing else is known."""
    height, width = picture.height, picture.width
    if mark.runs:
        return from_runs(mark.runs, height, width)
    inside = np.zeros((height, width), bool)
    for polygon in mark.polygons:
        inside |= fill_polygon(np.asarray(polygon).reshape(-1, 2), height, width)
    if not mark.outlined and mark.box is not None:
        left, top, wide, high = mark.box
        corners = [(left, top), (left + wide, top), (left + wide, top + high), (left, top + high)]
        inside |= fill_polygon(np.asarray(corners), height, width)
    return inside


# Run lengths


def run_lengths(inside: NDArray[np.bool_]) -> list[int]:
    """The lengths for (height, width)."""
    flat = inside.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs: list[int] = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def from_runs(counts: Sequence[int], height: int, width: int) -> NDArray[np.bool_]:
    """The inverse of `run_lengths`."""
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(height, width, order="F")
