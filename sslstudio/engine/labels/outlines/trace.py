"""The outlines of pixels, exactly along their edges: filled again they give the same pixels."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

Ring = list[tuple[int, int]]  # corners x, y; the last one is joined to the first
_RIGHT, _DOWN, _LEFT, _UP = (1, 0), (0, 1), (-1, 0), (0, -1)


def rings_of(inside: NDArray[np.bool_]) -> list[Ring]:
    """The closed outlines of (height, width) pixels, those of holes among them: a pixel belongs where an odd number of
    rings is around it. Only corners are listed. Where two pixels touch at a corner only, the outline turns back to its
    own pixel, so that no ring touches itself."""
    padded = np.pad(inside, 1).astype(np.int8)
    following: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    across, down = np.diff(padded, axis=0)[:, 1:-1], np.diff(padded, axis=1)[1:-1]
    # Edges go clockwise around pixels: what is inside lies to the right.
    for step, edges, shift in (
        (_RIGHT, across == 1, (0, 0)),
        (_LEFT, across == -1, (1, 0)),
        (_UP, down == 1, (0, 1)),
        (_DOWN, down == -1, (0, 0)),
    ):
        for y, x in np.argwhere(edges).tolist():
            following[x + shift[0], y + shift[1]].append(step)
    rings: list[Ring] = []
    while following:
        rings.append(_ring(following))
    return rings


def _ring(following: dict[tuple[int, int], list[tuple[int, int]]]) -> Ring:
    """Take one closed outline out of the edges that are left."""
    start = at = next(iter(following))
    heading = first = following[at][0]
    ring: Ring = []
    while True:
        steps = following[at]
        right = (-heading[1], heading[0])
        step = first if not ring and at == start else right if right in steps else steps[0]
        if not ring or step != heading:
            ring.append(at)
        steps.remove(step)
        if not steps:
            del following[at]
        at, heading = (at[0] + step[0], at[1] + step[1]), step
        if at == start:
            return ring
