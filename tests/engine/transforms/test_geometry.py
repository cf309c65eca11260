"""The arithmetic of patches and colours: each function against its definition."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sslstudio.engine.compute.draws import uniform
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.transforms import geometry


def colours(count: int, side: int = 24, channels: int = 3) -> Tensor:
    return torch.rand(count, channels, side, side, generator=generator(0, "colours", count))


def ramp(width: int, height: int) -> Tensor:
    """(1, 2, H, W): channel 0 holds x, channel 1 holds y of each pixel's centre."""
    x = (torch.arange(width) + 0.5).expand(height, -1)
    y = (torch.arange(height) + 0.5).view(-1, 1).expand(-1, width)
    return torch.stack([x, y]).unsqueeze(0)


@given(st.floats(8, 40), st.floats(8, 24), st.integers(2, 9))
@settings(max_examples=25, deadline=None)
def test_a_patch_shows_the_place_it_was_cut_from(x: float, y: float, side: int) -> None:
    cut = geometry.cut_patches(ramp(48, 32), torch.tensor([[[x, y]]]), torch.tensor([10.0]), side)
    assert cut.shape == (1, 1, 2, side, side)
    steps = ((torch.arange(side) + 0.5) / side - 0.5) * 10
    assert torch.allclose(cut[0, 0, 0], (x + steps).expand(side, side), atol=1e-3)
    assert torch.allclose(cut[0, 0, 1], (y + steps).view(-1, 1).expand(side, side), atol=1e-3)


def test_whole_pixels_are_cut_without_blurring() -> None:
    images = colours(2, 12)
    cut = geometry.cut_patches(images, torch.full((2, 1, 2), 5.0), torch.tensor([4.0, 4.0]), 4)
    assert torch.allclose(cut[:, 0], images[:, :, 3:7, 3:7], atol=1e-6)


def test_standardised_patches_have_mean_0_and_deviation_1_each() -> None:
    patches = geometry.standardise_each(colours(10).view(2, 5, 3, 24, 24) * 0.3 + 0.1)
    assert torch.allclose(patches.mean(dim=(2, 3, 4)), torch.zeros(2, 5), atol=1e-5)
    assert torch.allclose(patches.std(dim=(2, 3, 4), correction=0), torch.ones(2, 5), atol=1e-4)


def test_a_blank_patch_stays_blank() -> None:
    assert float(geometry.standardise_each(torch.full((1, 3, 8, 8), 0.7)).abs().max()) < 1e-3


def test_what_a_jpeg_leaves_of_nothing_is_not_blown_up() -> None:
    faint = 0.02 + (colours(4) - 0.5) * 2 / 255
    assert float(geometry.standardise_each(faint).std(dim=(1, 2, 3)).max()) < 0.4


def test_grey_is_the_luma_in_all_channels() -> None:
    image = torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)
    assert geometry.grey(image).flatten().tolist() == pytest.approx([0.299] * 3)
    assert not geometry.has_colour(geometry.grey(colours(3))).any()


def test_chosen_and_uniform_follow_their_generator() -> None:
    first, again = (geometry.choose(1000, 0.3, generator(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert 250 < int(first.sum()) < 350
    assert not geometry.choose(100, 0.0, generator(5)).any()
    assert geometry.choose(100, 1.0, generator(5)).all()
    numbers = uniform((1000,), -2.0, 3.0, generator(6))
    assert -2 <= float(numbers.min()) < -1.9
    assert 2.9 < float(numbers.max()) < 3


@pytest.mark.parametrize(("height", "width"), [(60, 60), (48, 90), (90, 48)])
def test_the_grid_lies_inside_the_picture_in_rows_and_columns(height: int, width: int) -> None:
    shape = geometry.GridShape(pitch=1 / 3, room=0.02, extent=0.2)
    grid = geometry.place_grid(torch.zeros(200, 3, height, width), shape, 0.5, generator(1))
    boxes = grid.boxes()
    assert float(boxes[..., :2].min()) >= 0
    assert float(boxes[..., 2].max()) <= width
    assert float(boxes[..., 3].max()) <= height
    x, y = grid.centres.view(200, 3, 3, 2).unbind(-1)
    pitch = grid.extent.view(-1, 1, 1) / 0.2 / 3
    assert ((x.diff(dim=2) - pitch).abs() < 0.13 * pitch).all()  # a column further: one pitch, give or take the room
    assert ((y.diff(dim=1) - pitch).abs() < 0.13 * pitch).all()
    assert (x.diff(dim=1).abs() < 0.13 * pitch).all()


def test_the_crop_takes_every_size_and_place_that_it_may() -> None:
    shape = geometry.GridShape(1 / 3, 0.0, 1 / 3)
    grid = geometry.place_grid(torch.zeros(2000, 3, 60, 60), shape, 0.5, generator(2))
    assert float(grid.extent.min()) == pytest.approx(10, abs=0.1)
    assert float(grid.extent.max()) == pytest.approx(20, abs=0.1)
    middle = grid.centres[:, 4]
    assert float(middle.min()) < 18
    assert float(middle.max()) > 42
    assert float(torch.corrcoef(middle.T)[0, 1].abs()) < 0.1


def test_without_a_smaller_crop_the_grid_fills_the_picture() -> None:
    grid = geometry.place_grid(torch.zeros(3, 3, 60, 60), geometry.GridShape(1 / 3, 0.0, 1 / 3), 1.0, generator(2))
    assert torch.allclose(grid.boxes()[:, 0], torch.tensor([0.0, 0.0, 20.0, 20.0]), atol=1e-4)
    assert torch.allclose(grid.boxes()[:, 5], torch.tensor([40.0, 20.0, 60.0, 40.0]), atol=1e-4)


def test_a_shift_moves_each_channel_of_each_square_by_itself() -> None:
    images = ramp(60, 60)
    grid = geometry.place_grid(images, geometry.GridShape(1 / 4, 0.0, 0.15), 0.9, generator(3))
    still = geometry.cut_grid(images, grid, 6)
    assert torch.allclose(geometry.cut_grid(images, grid, 6, torch.zeros(1, 2, 9, 2)), still, atol=1e-3)
    shift = torch.zeros(1, 2, 9, 2)
    shift[0, 0, 4] = torch.tensor([1.5, 0.7])  # channel 0 holds x
    shift[0, 1, 7] = torch.tensor([0.3, -1.25])  # channel 1 holds y
    moved = geometry.cut_grid(images, grid, 6, shift) - still
    expected = torch.zeros(1, 9, 2, 1, 1)
    expected[0, 4, 0], expected[0, 7, 1] = 1.5, -1.25
    assert torch.allclose(moved, expected.expand_as(moved), atol=1e-3)


def test_a_shifted_channel_stays_inside_the_picture() -> None:
    images = ramp(30, 30)
    grid = geometry.place_grid(images, geometry.GridShape(1 / 3, 0.0, 1 / 3), 1.0, generator(3))
    cut = geometry.cut_grid(images, grid, 10, torch.full((1, 2, 9, 2), 3.0))
    assert torch.allclose(cut[0, 8], geometry.cut_grid(images, grid, 10)[0, 8], atol=1e-3)  # the last one cannot move
    assert torch.allclose(cut[0, 0], geometry.cut_grid(images, grid, 10)[0, 0] + 3, atol=1e-3)


def test_mirrored_boxes_come_back_to_where_they_were() -> None:
    images = colours(2, 20)
    which = torch.tensor([True, False])
    turned = geometry.mirror_pictures(images, which)
    assert torch.equal(turned[0], images[0].flip(-1))
    assert torch.equal(turned[1], images[1])
    boxes = torch.tensor([[[2.0, 3.0, 7.0, 9.0]]]).repeat(2, 1, 1)
    assert geometry.unmirror_boxes(boxes, which, 20).squeeze(1).tolist() == [[13, 3, 18, 9], [2, 3, 7, 9]]


def test_has_colour_sees_a_tint_and_forgives_a_jpeg() -> None:
    shade = colours(4, 24, channels=1).expand(-1, 3, -1, -1).clone()
    noise = (torch.rand(4, 3, 24, 24, generator=generator(4)) - 0.5) * 2 / 255
    tinted = shade + torch.tensor([0.03, 0.0, 0.0]).view(1, 3, 1, 1)
    assert geometry.has_colour(shade + noise).tolist() == [False] * 4
    assert geometry.has_colour(tinted).tolist() == [True] * 4


def test_dropped_colour_leaves_one_channel_and_faint_noise() -> None:
    patches = colours(300)
    dropped = geometry.drop_colour(patches, generator(7))
    same = (dropped == patches).all(dim=3).all(dim=2)
    assert same.sum(dim=1).tolist() == [1] * 300
    assert (same.sum(dim=0) > 70).all()  # every channel has its turn
    deviation = patches[same].std(dim=(1, 2)).repeat_interleave(2)
    noise = dropped[~same]
    assert torch.allclose(noise.std(dim=(1, 2)) / deviation, torch.full((600,), 0.01), atol=0.002)
    assert torch.allclose(noise.mean(dim=(1, 2)), patches[same].mean(dim=(1, 2)).repeat_interleave(2), atol=0.002)


def test_projection_takes_out_green_magenta_and_nothing_else() -> None:
    axis = torch.tensor([-1.0, 2.0, -1.0])
    projected = geometry.project_colour(colours(5))
    assert float(torch.einsum("c,nchw->nhw", axis, projected).abs().max()) < 1e-5  # a B = 0
    assert float(geometry.project_colour(axis.view(1, 3, 1, 1)).abs().max()) < 1e-6
    assert torch.allclose(geometry.project_colour(projected), projected, atol=1e-5)
    grey = geometry.grey(colours(5))
    assert torch.allclose(geometry.project_colour(grey), grey, atol=1e-5)
    kept = torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1)
    assert torch.allclose(geometry.project_colour(kept), kept, atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.33, 1.0])
def test_the_share_of_degraded_patches_is_kept(share: float) -> None:
    patches = colours(60)
    blurred = geometry.degrade(patches, share, generator(8))
    changed = (blurred != patches).flatten(1).any(dim=1)
    assert int(changed.sum()) == round(60 * share)
    assert torch.equal(blurred, geometry.degrade(patches, share, generator(8)))


def test_a_degraded_patch_loses_detail_but_not_its_brightness() -> None:
    patches = colours(60)
    blurred = geometry.degrade(patches, 1.0, generator(8))
    assert (blurred.std(dim=(1, 2, 3)) < 0.9 * patches.std(dim=(1, 2, 3))).all()
    assert torch.allclose(blurred.mean(dim=(1, 2, 3)), patches.mean(dim=(1, 2, 3)), atol=0.05)


def test_patches_of_a_hundred_pixels_cannot_be_degraded() -> None:
    patches = colours(6, side=10)
    assert torch.allclose(geometry.degrade(patches, 1.0, generator(8)), patches, atol=1e-6)


def test_blank_share_counts_cells_without_structure() -> None:
    images = torch.randint(0, 256, (4, 3, 31, 31), dtype=torch.uint8, generator=generator(9))
    assert geometry.blank_share(images) == 0
    images[:, :, :10] = 17
    assert geometry.blank_share(images) == pytest.approx(1 / 3)
    assert geometry.blank_share(torch.zeros(2, 3, 30, 30, dtype=torch.uint8)) == 1


def test_no_crop_is_larger_than_the_largest() -> None:
    shape = geometry.GridShape(1 / 3, 0.0, 1 / 3)
    grid = geometry.place_grid(torch.zeros(500, 3, 60, 60), shape, 0.3, generator(4), 15.0, 0.6)
    sides = grid.extent * 3 / 60
    assert 0.3 <= float(sides.min()) < 0.31
    assert 0.59 < float(sides.max()) <= 0.6 + 1e-6


@settings(max_examples=40, deadline=None)
@given(st.floats(0.3, 1.0), st.sampled_from([0.0, 15.0, 45.0, 180.0]), st.integers(0, 5))
def test_no_square_is_smaller_than_the_least(min_crop_side: float, turn: float, seed: int) -> None:
    shape = geometry.GridShape(1 / 3, 0.03, 0.25)
    grid = geometry.place_grid(torch.zeros(64, 3, 60, 80), shape, min_crop_side, generator(seed, "least"), turn)
    least = geometry.least_extent(shape, min_crop_side, turn) * 60
    assert float(grid.extent.min()) >= least - 1e-3
    assert float(grid.extent.min()) <= 1.15 * least  # and some come near it
