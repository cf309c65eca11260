"""Views of pictures: geometry to the pixel, colour by its definition, the same draws for the same seed."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.transforms import two_views as views
from sslstudio.engine.transforms.two_views import ViewsConfig

STILL = ViewsConfig(min_crop_area=1.0, size=1.0, mirror=False, turn=0.0, colour_jitter=0.0, grey=0.0, blur=0.0)
NO_SHIFT, NO_SCALE = torch.zeros(3), torch.ones(3)


def noise(count: int, height: int = 24, width: int = 24) -> Tensor:
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=generator(0, "noise"))


def ramp(count: int, height: int, width: int) -> Tensor:
    """(count, 3, H, W): the first channel holds x, the second y of each pixel's centre, in -1..1."""
    x = ((torch.arange(width) + 0.5) * 2 / width - 1).expand(height, -1)
    y = ((torch.arange(height) + 0.5) * 2 / height - 1).view(-1, 1).expand(-1, width)
    return torch.stack([x, y, torch.zeros_like(x)]).expand(count, -1, -1, -1)


def make(images: Tensor, config: ViewsConfig, seed: int = 1) -> tuple[Tensor, Tensor]:
    return views.two_views(images, config, NO_SHIFT, NO_SCALE, generator(seed, "views"))


def draw(config: ViewsConfig, count: int = 200, height: int = 40, width: int = 60) -> Tensor:
    return views.random_matrices(count, height, width, config, generator(2, "matrices"))


def test_without_any_change_a_view_is_the_picture() -> None:
    images = noise(3)
    pair, matrices = make(images, STILL)
    assert pair.shape == (3, 2, 3, 24, 24)
    assert torch.allclose(pair, (images / 255)[:, None].expand(-1, 2, -1, -1, -1), atol=1e-5)
    assert torch.allclose(matrices, torch.eye(2, 3).expand(3, 2, 2, 3), atol=1e-6)


@pytest.mark.parametrize(("short", "size", "side"), [(64, 0.75, 48), (64, 1.0, 64), (96, 0.75, 72), (30, 0.25, 16)])
def test_the_side_of_a_view_is_a_share_of_the_pictures(short: int, size: float, side: int) -> None:
    pair, _ = make(noise(2, short, short + 9), ViewsConfig(size=size))
    assert pair.shape == (2, 2, 3, side, side)


def test_pixels_come_at_the_scale_that_is_asked_for() -> None:
    images = noise(4)
    mean, deviation = torch.tensor([0.1, 0.5, 0.7]), torch.tensor([0.2, 0.3, 0.4])
    pair, _ = views.two_views(images, STILL, mean, deviation, generator(1))
    wanted = (images / 255 - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
    assert torch.allclose(pair[:, 0], wanted, atol=1e-4)


@given(st.floats(0.1, 1.0), st.floats(0.0, 180.0), st.booleans(), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_view_shows_what_its_matrix_says_and_never_more_than_the_picture(
    min_crop_area: float, turn: float, mirror: bool, seed: int
) -> None:
    config = ViewsConfig(min_crop_area=min_crop_area, turn=turn, mirror=mirror)
    matrices = views.random_matrices(8, 40, 64, config, generator(seed))
    shown = views.resample(ramp(8, 40, 64), matrices, 12)[:, :2]
    places = (
        views.map_places(matrices, views.cell_places(12, 12, torch.device("cpu"))).transpose(1, 2).view(8, 2, 12, 12)
    )
    assert float(places.abs().max()) <= 1.0
    edge = torch.tensor([1 - 1 / 64, 1 - 1 / 40]).view(1, 2, 1, 1)  # beyond the last pixels' centres shades repeat
    assert torch.allclose(shown, torch.minimum(torch.maximum(places, -edge), edge), atol=1e-4)
    outline = views.corners(matrices, 40, 64)
    assert float(outline.min()) >= -1e-3
    assert bool((outline <= torch.tensor([64, 40]) + 1e-3).all())


def test_corners_walk_around_the_pixels_that_were_cut() -> None:
    matrix = torch.tensor([[[0.5, 0.0, 0.25], [0.0, 0.25, -0.5]]])  # right half but an eighth, and the upper quarter
    assert views.corners(matrix, 40, 80)[0].tolist() == [[30, 5], [70, 5], [70, 15], [30, 15]]
    image = torch.rand(1, 3, 40, 80, generator=generator(3))
    cut = views.resample(
        image, torch.tensor([[[0.5, 0.0, 0.25], [0.0, 0.5, -0.25]]]), 20
    )  # 40 x 20 pixels from (30, 5)
    assert torch.allclose(cut, (image[:, :, 5:25, 30:70:2] + image[:, :, 5:25, 31:70:2]) / 2, atol=1e-5)


def test_areas_lie_between_the_smallest_and_all_and_shapes_are_stretched_a_third_at_most() -> None:
    matrices = draw(ViewsConfig(min_crop_area=0.2, turn=0.0, mirror=False), 2000, 40, 40)
    across, down = matrices[:, 0, 0], matrices[:, 1, 1]
    area, ratio = across * down, across / down
    assert 0.2 - 1e-5 <= float(area.min()) < 0.21
    assert 0.95 < float(area.max()) <= 1.0 + 1e-5
    assert float(area.mean()) == pytest.approx(0.6, abs=0.02)
    assert float(ratio.max()) == pytest.approx(4 / 3, abs=0.02)
    assert float(ratio.min()) == pytest.approx(3 / 4, abs=0.02)


def test_a_view_of_an_oblong_picture_is_not_distorted() -> None:
    matrices = draw(ViewsConfig(min_crop_area=1.0, turn=0.0, mirror=False))  # 40 high, 60 wide: squares of 40
    assert torch.allclose(matrices[:, 0, 0], torch.tensor(40 / 60))
    assert torch.allclose(matrices[:, 1, 1], torch.tensor(1.0))
    assert float(matrices[:, 0, 2].abs().max()) > 0.3  # but it lies anywhere along the longer side
    assert float(matrices[:, 1, 2].abs().max()) < 1e-5


def test_half_of_the_views_are_mirrored() -> None:
    matrices = draw(ViewsConfig(turn=0.0), 1000)
    mirrored = matrices[:, 0, 0] < 0
    assert 0.45 < float(mirrored.float().mean()) < 0.55
    pair, matrices = make(noise(8), STILL.replace(mirror=True))
    upright = noise(8) / 255
    flipped = (matrices[:, 0, 0, 0] < 0).view(-1, 1, 1, 1)
    assert 0 < int(flipped.sum()) < 8
    assert torch.allclose(pair[:, 0], torch.where(flipped, upright.flip(-1), upright), atol=1e-5)


def test_turns_reach_as_far_as_they_may_and_keep_right_angles() -> None:
    matrices = draw(ViewsConfig(turn=30.0, mirror=False, min_crop_area=0.5), 2000, 40, 40)
    angle = torch.rad2deg(torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    assert float(angle.max()) == pytest.approx(30, abs=0.3)
    assert float(angle.min()) == pytest.approx(-30, abs=0.3)
    assert torch.allclose((matrices[:, :, 0] * matrices[:, :, 1]).sum(1), torch.zeros(2000), atol=1e-5)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_inverse_brings_places_back(seed: int) -> None:
    matrices = views.random_matrices(5, 30, 50, ViewsConfig(turn=180.0), generator(seed))
    places = views.cell_places(4, 6, torch.device("cpu")).expand(5, -1, -1)
    assert torch.allclose(
        views.map_places(views.inverse(matrices), views.map_places(matrices, places)), places, atol=1e-4
    )


def test_cells_are_counted_row_by_row() -> None:
    places = views.cell_places(2, 4, torch.device("cpu"))
    assert places[:4].tolist() == [[-0.75, -0.5], [-0.25, -0.5], [0.25, -0.5], [0.75, -0.5]]
    assert places[4].tolist() == [-0.75, 0.5]


def test_grey_pictures_stay_grey_and_all_views_can_lose_their_colour() -> None:
    images = noise(6)[:, :1].expand(-1, 3, -1, -1)
    pair, _ = make(images, ViewsConfig(colour_jitter=1.0))
    assert float((pair.amax(2) - pair.amin(2)).max()) < 1e-4
    pair, _ = make(noise(6), ViewsConfig(grey=1.0, colour_jitter=1.0, blur=0.0))
    assert float((pair.amax(2) - pair.amin(2)).max()) < 1e-4


def test_grey_is_the_luma() -> None:
    images = noise(2)
    pair, _ = make(images, STILL.replace(grey=1.0))
    luma = (images / 255 * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1)
    assert torch.allclose(pair[:, 0, 1], luma, atol=1e-5)


def test_brightness_and_contrast_stay_within_their_reach() -> None:
    images = noise(400)[:, :1].expand(-1, 3, -1, -1)
    pair, _ = make(images, STILL.replace(colour_jitter=0.5))
    plain = (images / 255)[:, None]
    bright = pair.mean((2, 3, 4)) / plain.mean((2, 3, 4))  # contrast turns around the mean: it is brightness alone
    assert 0.6 - 1e-3 <= float(bright.min()) < 0.62
    assert 1.38 < float(bright.max()) <= 1.4 + 1e-3
    contrast = pair.std((2, 3, 4)) / plain.expand(-1, 2, -1, -1, -1).std((2, 3, 4)) / bright
    assert 0.6 - 1e-3 <= float(contrast.min()) < 0.62
    assert 1.38 < float(contrast.max()) <= 1.4 + 1e-3


def test_hues_turn_about_the_axis_of_greys() -> None:
    config = ViewsConfig(colour_jitter=0.5, grey=0.0)
    matrix = views._tints(500, torch.ones(500, 1, 1), config, generator(4))
    turned = (matrix @ torch.tensor([1.0, -0.5, -0.5])).T  # a pure hue (red) has no part along the axis
    assert torch.allclose(turned.sum(0), torch.zeros(500), atol=1e-5)
    assert torch.allclose(turned.norm(dim=0), torch.full((500,), math.sqrt(1.5)), atol=1e-4)
    angle = torch.rad2deg(torch.arccos((turned[0] / math.sqrt(1.5) / math.sqrt(2 / 3)).clamp(-1, 1)))
    assert float(angle.max()) == pytest.approx(36, abs=1)


def test_blur_takes_detail_and_noise_adds_some() -> None:
    images = noise(10)
    plain, _ = make(images, STILL)
    blurred, _ = make(images, STILL.replace(blur=1.0))
    assert bool((blurred.std((2, 3, 4)) < 0.9 * plain.std((2, 3, 4))).all())
    assert torch.allclose(blurred.mean((2, 3, 4)), plain.mean((2, 3, 4)), atol=0.02)
    half, _ = make(images, STILL.replace(blur=0.5))
    assert int((half - plain).abs().amax((2, 3, 4)).gt(1e-3).sum()) == 10
    noisy, _ = make(images, STILL.replace(noise=0.3))
    assert float((noisy - plain).std()) == pytest.approx(0.3, abs=0.01)


def test_the_same_generator_gives_the_same_views_and_both_views_differ() -> None:
    images = noise(4)
    first, again, other = (make(images, ViewsConfig(), seed) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[1][:, 0], first[1][:, 1])


def test_mixed_precision_does_not_touch_the_views() -> None:
    plain = make(noise(4), ViewsConfig())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = make(noise(4), ViewsConfig())
    assert mixed[0].dtype == torch.float32
    assert torch.equal(plain[0], mixed[0])
    assert torch.equal(plain[1], mixed[1])
