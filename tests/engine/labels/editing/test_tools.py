from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.labels.editing.stroke import Area, Mask, Stroke
from sslstudio.engine.labels.editing.tools import WINDOW, brush, fill, polygon, wand

SHAPE = (40, 50)
COORDINATE = st.floats(-20, 70)
POINT = st.tuples(COORDINATE, COORDINATE)


def whole(area: Area, shape: tuple[int, int] = SHAPE) -> Mask:
    """The area in a mask of its own."""
    mask = np.zeros(shape, np.uint8)
    mask[area.rect.slices][area.inside] = 1
    return mask


@given(POINT, POINT, st.floats(0.6, 15))
@settings(max_examples=40, deadline=None)
def test_the_brush_takes_what_is_near_the_line(
    start: tuple[float, float], end: tuple[float, float], radius: float
) -> None:
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]] + 0.5
    steps = np.linspace(0, 1, 100)[:, None, None]
    near = np.hypot(
        x - (start[0] + steps * (end[0] - start[0])), y - (start[1] + steps * (end[1] - start[1]))
    ).min(axis=0)  # fmt: skip
    taken = whole(brush(SHAPE, start, end, radius)).astype(bool)
    long = np.hypot(end[0] - start[0], end[1] - start[1])
    assert taken[near <= radius - 1e-9].all()
    extra = taken & (near > radius + long / 100)
    assert extra.sum() <= 2  # the pixels right under the points


def test_the_thinnest_brush_takes_one_pixel() -> None:
    mask = whole(brush(SHAPE, (7.1, 3.9), (7.1, 3.9), 0.0))
    assert mask.sum() == 1
    assert mask[3, 7] == 1


def test_a_polygon_is_filled_and_clipped() -> None:
    mask = whole(polygon(SHAPE, [(-10, 5), (20, 5), (20, 200), (-10, 200)]))
    assert mask[5:, :21].all()
    assert mask[:5].sum() == mask[:, 21:].sum() == 0
    assert whole(polygon(SHAPE, [(1, 1), (5, 5)])).sum() == 0
    assert whole(polygon(SHAPE, [(100, 100), (120, 100), (120, 120)])).sum() == 0


def test_a_fill_takes_one_class_that_hangs_together() -> None:
    mask = np.zeros((300, 300), np.uint8)
    mask[10:290, 140:160] = 2
    mask[100:110, 10:290] = 2
    mask[0:5, 0:5] = 2  # apart
    area = fill(mask, (150.0, 50.0))
    wanted = mask.copy()
    wanted[0:5, 0:5] = 0
    np.testing.assert_array_equal(whole(area, mask.shape) * 2, wanted)
    assert fill(mask, (-1, 4)).rect.width == 0


def test_a_small_fill_looks_at_a_small_window() -> None:
    mask = np.zeros((1000, 1000), np.uint8)
    mask[500:510, 500:510] = 1
    looked: list[int] = []

    class Watched(np.ndarray[Any, Any]):
        def __getitem__(self, key: Any) -> Any:
            part = super().__getitem__(key)
            looked.append(int(np.size(part)))
            return part

    assert fill(mask.view(Watched), (505, 505)).inside.sum() == 100
    assert max(looked) <= (2 * WINDOW + 1) ** 2


@pytest.mark.parametrize("tolerance", [0, 9, 10, 300])
def test_the_wand_keeps_to_its_tolerance(tolerance: float) -> None:
    picture = np.zeros((*SHAPE, 3), np.uint8)
    picture[:, :20] = (100, 100, 100)
    picture[:, 20:30] = (100, 110, 100)
    picture[:, 40:] = (100, 100, 100)
    mask = whole(wand(picture, (3, 3), tolerance))
    assert mask[:, :20].all()
    assert mask[:, 20:30].all() == (tolerance >= 10)
    assert mask[:, 30:40].all() == (tolerance >= 100)
    assert mask[:, 40:].any() == (tolerance >= 100)
    np.testing.assert_array_equal(whole(wand(picture[..., 0], (3, 3), 5)), whole(wand(picture, (3, 3), 10)))


@given(st.lists(st.tuples(POINT, POINT, st.floats(0.5, 30), st.integers(0, 4)), min_size=1, max_size=6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_stroke_goes_back_and_forth(
    dabs: list[tuple[tuple[float, float], tuple[float, float], float, int]], cancelled: bool
) -> None:
    shape = (130, 150)
    mask = np.random.default_rng(len(dabs)).integers(0, 3, shape).astype(np.uint8)
    before = mask.copy()
    stroke = Stroke(mask)
    for start, end, radius, number in dabs:
        stroke.put(brush(shape, start, end, radius), number)
    after = mask.copy()
    patch = stroke.end()
    if cancelled:
        stroke.cancel()
        np.testing.assert_array_equal(mask, before)
    elif patch is None:
        np.testing.assert_array_equal(mask, before)
    else:
        np.testing.assert_array_equal(after[patch.rect.slices], patch.after)
        assert (patch.before != patch.after).any()
        mask[patch.rect.slices] = patch.before
        np.testing.assert_array_equal(mask, before)
