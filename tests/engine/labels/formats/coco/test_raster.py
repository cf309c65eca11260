"""Polygons cover the pixels whose middle they hold; run lengths are exact, and the short writing is read as COCO's own
code reads it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sslstudio.engine.labels.formats.coco.raster import from_runs, run_lengths
from sslstudio.engine.labels.formats.coco.reader import lengths_in
from sslstudio.engine.labels.outlines.shapes import fill_polygon

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
    mask = fill_polygon(np.array(corners), 9, 11)
    near = 0
    for row in range(9):
        for column in range(11):
            here = {inside(column + 0.5 + d, row + 0.5, corners) for d in (-1e-6, 1e-6)}
            near += len(here) == 2
            assert len(here) == 2 or mask[row, column] == here.pop()
    assert near < 9 * 11


def test_what_lies_outside_is_cut_off() -> None:
    assert fill_polygon(np.array([(-1e9, -1e9), (1e9, -1e9), (1e9, 1e9), (-1e9, 1e9)]), 4, 5).all()
    assert not fill_polygon(np.array([(20, 1), (30, 1), (30, 3)], float), 4, 5).any()


@settings(deadline=None)
@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_run_lengths_are_exact(inside: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> None:
    runs = run_lengths(inside)
    assert sum(runs) == inside.size
    assert all(run > 0 for run in runs[1:])
    assert np.array_equal(from_runs(runs, *inside.shape), inside)


def test_runs_go_down_the_columns() -> None:
    """The example in COCO's own mask code: zeros first, column by column."""
    assert run_lengths(np.array([[0, 1, 1], [0, 0, 1]], bool)) == [2, 1, 1, 2]
    assert run_lengths(np.array([[1, 1], [1, 0]], bool)) == [0, 3, 1]


def in_short(counts: list[int]) -> str:
    """COCO's short writing of run lengths, told from the description of the format."""
    text = ""
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        while True:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + bits + (32 if more else 0))
            if not more:
                break
    return text


@given(st.lists(st.integers(0, 2**40), min_size=1))
def test_the_short_writing(counts: list[int]) -> None:
    assert lengths_in(in_short(counts)) == counts


def test_the_short_writing_of_others() -> None:
    """pycocotools wrote these: 2 x 2 pixels in the corner of 5 x 5, and 10 x 30 within 480 x 640."""
    assert lengths_in("0230?") == [0, 2, 3, 2, 18]
    assert lengths_in("Tkm2:f>" + 57 * "0" + "lRP6") == [96_100, 10, *(29 * [470, 10]), 197_170]


def test_a_text_that_is_cut_off_has_no_number_for_the_rest() -> None:
    assert lengths_in("0230?")[:4] == lengths_in("0230")
    assert lengths_in("02P") == [0, 2, -1]
    assert lengths_in("") == []
