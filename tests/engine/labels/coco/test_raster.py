"""Polygons cover the pixels whose middle they hold."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.labels.coco.raster import filled

points = st.lists(st.tuples(st.floats(-4, 14), st.floats(-4, 14)), min_size=3, max_size=7)


def inside(x: float, y: float, corners: list[tuple[float, float]]) -> bool:
    """Crossings of the ray to the left, edge by edge."""
    odd = False
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        if (ay <= y) != (by <= y) and ax + (y - ay) * (bx - ax) / (by - ay) <= x:
            odd = not odd
    return odd


@settings(deadline=None)
@given(points)
def test_a_pixel_belongs_to_a_polygon_when_its_middle_does(corners: list[tuple[float, float]]) -> None:
    # coordinates on a grid of eighths, as no middle of a pixel lies within rounding of an edge's crossing by accident
    corners = [(round(x * 8) / 8 + 1 / 16, round(y * 8) / 8 + 1 / 16) for x, y in corners]
    mask = filled(np.array(corners), 9, 11)
    near = 0
    for row in range(9):
        for column in range(11):
            here = {inside(column + 0.5 + d, row + 0.5, corners) for d in (-1e-6, 1e-6)}
            near += len(here) == 2
            assert len(here) == 2 or mask[row, column] == here.pop()
    assert near < 9 * 11


def test_what_lies_outside_is_cut_off() -> None:
    assert filled(np.array([(-1e9, -1e9), (1e9, -1e9), (1e9, 1e9), (-1e9, 1e9)]), 4, 5).all()
    assert not filled(np.array([(20, 1), (30, 1), (30, 3)], float), 4, 5).any()
