"""Blocks that are cut out, their rim, and the smooth filling that an answer is compared with; hidden patches."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.transforms.geometry import BLANK
from sslstudio.engine.transforms.masking import choose_patches, cut_blocks, fill_smoothly, patch_moments, rim_of


@settings(max_examples=30, deadline=None)
@given(side=st.integers(24, 72), mask_ratio=st.floats(0.05, 0.5), block=st.floats(0.2, 0.6), seed=st.integers(0, 99))
def test_as_much_is_cut_out_as_asked_give_or_take_half_a_block(
    side: int, mask_ratio: float, block: float, seed: int
) -> None:
    holes = cut_blocks(8, side, mask_ratio, block, generator(seed))
    assert holes.shape == (8, 1, side, side)
    covered = holes.float().mean(dim=(1, 2, 3))
    largest = (round(block * side) + 1) ** 2 / side**2
    near = (covered - mask_ratio).abs() <= largest / 2
    single = (covered > mask_ratio) & (covered <= largest)  # one block is the least
    assert float(covered.min()) > 0
    assert bool((near | single).all())


def test_the_default_cuts_out_a_quarter() -> None:
    assert abs(float(cut_blocks(500, 64, 0.25, 0.35, generator(1)).float().mean()) - 0.25) < 0.01


def test_holes_are_squares_of_the_sizes_asked_for() -> None:
    """With so small a ratio one block is enough: its box is filled, half to all of the largest side long."""
    holes = cut_blocks(200, 60, 0.01, 0.5, generator(1))[:, 0]
    rows, columns = holes.any(dim=2).sum(dim=1), holes.any(dim=1).sum(dim=1)
    assert torch.equal(rows, columns)
    assert torch.equal(holes.sum(dim=(1, 2)), rows * columns)
    assert int(rows.min()) == 15
    assert int(rows.max()) == 30


def test_holes_may_lie_anywhere() -> None:
    often = cut_blocks(2000, 30, 0.25, 0.35, generator(1)).float().mean(dim=(0, 1))
    assert float(often.min()) > 0  # corners too
    assert float(often[8:22, 8:22].std()) < 0.03


def test_the_rim_lies_around_the_hole() -> None:
    holes = torch.zeros(1, 1, 12, 12, dtype=torch.bool)
    holes[..., 4:8, 5:9] = True
    expected = torch.zeros_like(holes)
    expected[..., 2:10, 3:11] = True
    assert torch.equal(rim_of(holes, 2), expected & ~holes)
    assert not bool(rim_of(holes, 0).any())


@settings(max_examples=20, deadline=None)
@given(side=st.integers(5, 40), seed=st.integers(0, 99))
def test_a_filling_keeps_what_is_seen_and_stays_between_its_shades(side: int, seed: int) -> None:
    pictures = torch.rand(3, 2, side, side, generator=generator(seed))
    holes = torch.rand(3, 1, side, side, generator=generator(seed, "holes")) < 0.4
    holes[..., 0, 0] = False
    filled = fill_smoothly(pictures, holes)
    wide = holes.expand_as(pictures)
    assert torch.equal(filled[~wide], pictures[~wide])
    assert bool(((filled >= 0) & (filled <= 1)).all())
    assert torch.equal(filled, fill_smoothly(torch.where(holes, torch.full_like(pictures, 7.0), pictures), holes))


def test_what_is_smooth_is_filled_well_and_what_is_flat_exactly() -> None:
    holes = cut_blocks(8, 48, 0.25, 0.35, generator(1))
    flat = torch.full((8, 1, 48, 48), 0.3)
    assert torch.allclose(fill_smoothly(flat, holes), flat, atol=1e-6)
    slope = torch.linspace(0, 1, 48).expand(8, 1, 48, 48)
    error = ((fill_smoothly(slope, holes) - slope).square() * holes).sum()
    of_mean = ((slope - 0.5).square() * holes).sum()
    assert float(error) < 0.1 * float(of_mean)


@settings(max_examples=30, deadline=None)
@given(grid=st.integers(2, 12), mask_ratio=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_every_picture_shows_exactly_as_many_patches(grid: int, mask_ratio: float, seed: int) -> None:
    seen = choose_patches(5, grid, mask_ratio, generator(seed))
    shown = seen.sum(dim=(1, 2, 3)).tolist()
    assert seen.shape == (5, 1, grid, grid)
    assert len(set(shown)) == 1
    assert 1 <= shown[0] <= grid * grid - 1
    assert abs(shown[0] - (1 - mask_ratio) * grid * grid) <= 1


def test_every_patch_is_hidden_as_often_as_any_other() -> None:
    often = (~choose_patches(4000, 4, 0.6, generator(1))).float().mean(dim=0)
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
