"""Which patches are hidden, and their brightness and contrast."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.transforms.geometry import BLANK
from sslstudio.engine.transforms.patches import patch_moments, seen_patches


@settings(max_examples=30, deadline=None)
@given(grid=st.integers(2, 12), hidden=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_every_picture_shows_exactly_as_many_patches(grid: int, hidden: float, seed: int) -> None:
    seen = seen_patches(5, grid, hidden, generator(seed))
    shown = seen.sum(dim=(1, 2, 3)).tolist()
    assert seen.shape == (5, 1, grid, grid)
    assert len(set(shown)) == 1
    assert 1 <= shown[0] <= grid * grid - 1
    assert abs(shown[0] - (1 - hidden) * grid * grid) <= 1


def test_every_patch_is_hidden_as_often_as_any_other() -> None:
    often = (~seen_patches(4000, 4, 0.6, generator(1))).float().mean(dim=0)
    assert often.min() > 0.58  # 10 of 16 are hidden: 0.625, with a deviation of 0.008
    assert often.max() < 0.67


@pytest.mark.parametrize("side", [2, 4, 8])
def test_moments_are_those_of_each_patch(side: int) -> None:
    shades = torch.rand(2, 3, 16, 16, generator=generator(1))
    mean, deviation = patch_moments(shades, side)
    assert mean.shape == deviation.shape == (2, 1, 16, 16)
    for top in range(0, 16, side):
        for left in range(0, 16, side):
            patch = shades[:, :, top : top + side, left : left + side].numpy()
            place = (slice(None), 0, slice(top, top + side), slice(left, left + side))
            wide = np.ones((1, side, side), dtype=np.float32)
            assert np.allclose(mean[place], patch.mean(axis=(1, 2, 3))[:, None, None] * wide, atol=1e-5)
            assert np.allclose(deviation[place], patch.std(axis=(1, 2, 3))[:, None, None] * wide, atol=1e-5)


def test_a_blank_patch_is_not_blown_up() -> None:
    _, deviation = patch_moments(torch.full((1, 3, 8, 8), 0.3), 4)
    assert torch.allclose(deviation, torch.tensor(BLANK))
