"""What is no data in a deep picture has no say in its contrast."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sslstudio.engine.images.formats.tone import eight_bits, find_padding


def _scene(dtype: type, low: int) -> NDArray[Any]:
    return (low + np.random.default_rng(0).integers(0, 700, (40, 60))).astype(dtype)


@pytest.mark.parametrize(("dtype", "low", "value"), [(np.uint16, 900, 65535), (np.uint16, 30000, 0),
                                                     (np.int16, 100, -32768), (np.int16, 100, 32767)])  # fmt: skip
def test_the_ends_of_a_type_far_from_all_else_are_no_data(dtype: type, low: int, value: int) -> None:
    whole = _scene(dtype, low)
    padded = whole.copy()
    padded[:, :9] = value
    shown = eight_bits(padded)
    assert np.abs(shown[:, 9:].astype(int) - eight_bits(whole)[:, 9:]).max() <= 3
    assert shown[:, 9:].std() > 60
    assert not shown[:, :9].any()


def test_saturated_dark_and_flat_pixels_are_data() -> None:
    scene = _scene(np.uint16, 900)
    saturated = scene.copy()
    saturated[3, 4:8] = 65535  # a few hot pixels
    bright = (scene.astype(np.int64) * 40).clip(0, 65535).astype(np.uint16)  # overexposed
    dark = scene.copy()
    dark[:, :9] = 0
    mask = np.zeros((40, 60), np.uint16)
    mask[10:20, 10:30] = 1000
    for one in (scene, saturated, bright, dark, mask):
        assert find_padding(one) is None
