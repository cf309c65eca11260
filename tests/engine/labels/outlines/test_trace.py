"""What is traced and filled again is the same, pixel by pixel."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from sslstudio.engine.labels.editing.other_programs import parts_of, with_slits
from sslstudio.engine.labels.outlines.shapes import Shape, inside_of
from sslstudio.engine.labels.outlines.trace import rings_of


@settings(deadline=None)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.booleans()))
def test_tracing_and_filling_change_nothing(inside: NDArray[np.bool_]) -> None:
    rings = rings_of(inside)
    flat = tuple(tuple(float(value) for corner in ring for value in corner) for ring in rings)
    assert np.array_equal(inside_of(Shape("x", flat), *inside.shape), inside)
    assert all(len(ring) >= 4 for ring in rings)


@settings(deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=10), elements=st.integers(0, 2)))
def test_parts_with_slits_to_their_holes_are_the_same_pixels_in_shares_too(mask: NDArray[np.uint8]) -> None:
    height, width = mask.shape
    again = np.zeros_like(mask)
    for part in parts_of(mask):
        shares = tuple(share for x, y in with_slits(part.rings) for share in (x / width, y / height))
        inside = inside_of(Shape("x", (shares,), shares=True), height, width)
        assert not again[inside].any()
        again[inside] = part.number
    assert np.array_equal(again, mask)


def test_a_ring_has_corners_only_and_a_hole_is_one_more() -> None:
    inside = np.zeros((9, 9), bool)
    inside[1:8, 2:7] = True
    inside[3:5, 3:5] = False
    assert sorted(map(sorted, rings_of(inside))) == [
        [(2, 1), (2, 8), (7, 1), (7, 8)],
        [(3, 3), (3, 5), (5, 3), (5, 5)],
    ]
