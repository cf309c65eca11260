"""Run lengths, as COCO writes masks: down the columns, the first run of pixels outside (perhaps 0)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


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


def lengths_in(text: str) -> list[int]:
    """The lengths in COCO's short writing: five bits a letter, lowest first, 32 says that more follow, 16 in the last
    that the value is negative; from the fourth on the difference to the last but one. A number that is cut off is -1.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text.encode("ascii", "replace"):
        bits = letter - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return [*runs, -1] if shift else runs
