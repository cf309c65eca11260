"""sRGB <-> Lab, the bins of colorization, and whether pictures have colour at all."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.transforms import lab_colour
from sslstudio.engine.transforms.colourfulness import refuse_without_colour
from sslstudio.engine.transforms.geometry import to_float

# Published values of the corners of the sRGB cube under D65 (two decimals).
KNOWN = {
    (1.0, 0.0, 0.0): (53.24, 80.09, 67.20),
    (0.0, 1.0, 0.0): (87.73, -86.18, 83.18),
    (0.0, 0.0, 1.0): (32.30, 79.19, -107.86),
    (0.0, 1.0, 1.0): (91.11, -48.09, -14.13),
    (1.0, 0.0, 1.0): (60.32, 98.23, -60.82),
    (1.0, 1.0, 0.0): (97.14, -21.55, 94.48),
    (1.0, 1.0, 1.0): (100.0, 0.0, 0.0),
    (0.0, 0.0, 0.0): (0.0, 0.0, 0.0),
}

# The set that Zhang et al. published, a -> (least b, greatest b): every step of 10 between them is a bin.
PUBLISHED = {
    -90: (50, 90), -80: (20, 90), -70: (0, 90), -60: (-20, 90), -50: (-30, 100), -40: (-40, 100), -30: (-50, 100),
    -20: (-50, 100), -10: (-60, 100), 0: (-70, 100), 10: (-80, 90), 20: (-80, 90), 30: (-90, 90), 40: (-100, 90),
    50: (-100, 80), 60: (-110, 80), 70: (-110, 80), 80: (-110, 70), 90: (-110, 70), 100: (-90, 0),
}  # fmt: skip


def one_pixel(*channels: float) -> Tensor:
    return torch.tensor(channels).view(1, 3, 1, 1)


@pytest.mark.parametrize(("rgb", "lab"), KNOWN.items())
def test_lab_of_known_colours(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    assert lab_colour.rgb_to_lab(one_pixel(*rgb)).flatten().tolist() == pytest.approx(lab, abs=0.006)
    assert lab_colour.lab_to_rgb(one_pixel(*lab)).flatten().tolist() == pytest.approx(rgb, abs=1 / 255)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=3, max_size=30))
def test_every_colour_comes_back(values: list[int]) -> None:
    shades = torch.tensor(values[: len(values) // 3 * 3], dtype=torch.float32).view(3, 1, -1) / 255
    lab = lab_colour.rgb_to_lab(shades)
    assert float(lab[1:].abs().max()) <= lab_colour.FURTHEST
    assert torch.allclose(lab_colour.lab_to_rgb(lab), shades, atol=0.5 / 255)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_greys_have_no_colour_and_lightness_rises_with_them(first: float, second: float) -> None:
    low, high = (lab_colour.rgb_to_lab(one_pixel(shade, shade, shade)).flatten() for shade in sorted((first, second)))
    assert float(low[1:].abs().max()) < 1e-3
    assert float(low[0]) <= float(high[0]) + 1e-3


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 100), st.floats(-200, 200), st.floats(-200, 200))
def test_a_colour_that_no_screen_shows_is_cut_off(light: float, a: float, b: float) -> None:
    shown = lab_colour.lab_to_rgb(one_pixel(light, a, b))
    assert bool(torch.isfinite(shown).all())
    assert 0.0 <= float(shown.min()) <= float(shown.max()) <= 1.0


def test_the_bins_are_the_published_313() -> None:
    published = {(float(a), float(b)) for a, (low, high) in PUBLISHED.items() for b in range(low, high + 1, 10)}
    bins = [(a, b) for a, b in lab_colour.ab_bins().tolist()]
    assert len(bins) == 313
    assert set(bins) == published
    assert bins == sorted(bins)
    assert lab_colour.ab_bins().amin(dim=0).tolist() == [-90, -110]
    assert lab_colour.ab_bins().amax(dim=0).tolist() == [100, 100]


def some_ab(seed: int, shape: tuple[int, int, int] = (2, 4, 5)) -> Tensor:
    count, height, width = shape
    shades = torch.rand(count, 3, height, width, generator=generator(seed, "ab"))
    return lab_colour.rgb_to_lab(shades)[:, 1:]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
@example(69)
def test_soft_encoding_is_that_of_plain_numpy(seed: int) -> None:
    ab, bins = some_ab(seed), lab_colour.ab_bins()
    nearest, weights = lab_colour.soft_encode(ab, bins, lab_colour.near_bins())
    assert nearest.shape == weights.shape == (2, 4, 5, 10)
    assert torch.allclose(weights.sum(dim=-1), torch.ones(2, 4, 5))
    points = bins.double().numpy()
    for picture, row, column in np.ndindex(2, 4, 5):
        place = ab[picture, :, row, column].double().numpy()
        distance = ((points - place) ** 2).sum(axis=1)
        near = distance[nearest[picture, row, column].numpy()]  # of two bins equally far away either may be the tenth
        assert np.sort(near) == pytest.approx(np.sort(distance)[:10], abs=1e-2)
        kernel = np.exp(-near / (2 * 5.0**2))
        assert weights[picture, row, column].numpy() == pytest.approx(kernel / kernel.sum(), abs=2e-4)
        assert len(set(nearest[picture, row, column].tolist())) == 10


@pytest.mark.parametrize("spread", [1.0, 0.0])
def test_the_bins_near_a_cell_hold_the_nearest_of_every_colour_in_it(spread: float) -> None:
    """In the whole square, in and on the corners of cells, beyond the gamut too."""
    count = round(2 * lab_colour.FURTHEST / lab_colour.CELL)
    corners = torch.cartesian_prod(*2 * [torch.arange(count) * lab_colour.CELL - lab_colour.FURTHEST])
    inside = torch.rand(len(corners), 2, generator=generator(0, "cells")) * lab_colour.CELL * spread
    ab, bins = (corners + inside).T.reshape(1, 2, 1, -1), lab_colour.ab_bins()
    nearest, _ = lab_colour.soft_encode(ab, bins, lab_colour.near_bins())
    every = torch.cdist(ab[0, :, 0].T.double(), bins.double())
    found = every.gather(1, nearest[0, 0]).sort(dim=1).values
    assert torch.allclose(found, every.sort(dim=1).values[:, :10], atol=1e-3)


def test_a_colour_on_a_bin_belongs_mainly_to_it() -> None:
    bins = lab_colour.ab_bins()
    nearest, weights = lab_colour.soft_encode(bins.T.reshape(1, 2, 1, 313), bins, lab_colour.near_bins())
    assert torch.equal(lab_colour.main_bins(nearest, weights).flatten(), torch.arange(313))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=40).filter(lambda values: sum(values) > 0.01))
def test_rebalancing_keeps_the_mean_at_one_and_prefers_rare_bins(values: list[float]) -> None:
    shares = torch.tensor(values, dtype=torch.float64)
    shares /= shares.sum()
    weights = lab_colour.rebalancing(shares)
    assert float((shares * weights).sum()) == pytest.approx(1.0)
    assert float(weights.max() / weights.min()) <= 1 + len(values) + 1e-9
    order = shares.argsort()
    assert bool((weights[order].diff() <= 1e-12).all())


def test_bin_shares_count_the_weights() -> None:
    nearest = torch.tensor([[0, 1], [1, 2]])
    weights = torch.tensor([[0.75, 0.25], [0.5, 0.5]])
    assert lab_colour.bin_shares(nearest, weights, 4).tolist() == [0.375, 0.375, 0.25, 0.0]


def test_the_annealed_mean_goes_from_the_mean_to_the_mode() -> None:
    bins = lab_colour.ab_bins()
    logits = torch.randn(2, 313, 3, 4, generator=generator(0, "logits"))
    mean = torch.einsum("bqhw,qc->bchw", logits.softmax(dim=1), bins)
    assert torch.allclose(lab_colour.annealed_mean(logits, bins, 1.0), mean, atol=1e-4)
    mode = bins[logits.argmax(dim=1)].movedim(-1, 1)
    assert torch.allclose(lab_colour.annealed_mean(logits, bins, 1e-5), mode, atol=1e-3)
    middle = lab_colour.annealed_mean(logits, bins, 0.38)
    assert float((middle - mode).norm()) < float((mean - mode).norm())


def coded(count: int = 6, side: int = 48) -> Tensor:
    """uint8 pictures whose colour can be read off their lightness: green grows by the left, red and blue fall."""
    ramp = torch.rand(count, 1, 6, 6, generator=generator(1, "ramp"))
    ramp = torch.nn.functional.interpolate(ramp, size=side, mode="bilinear", align_corners=False)
    return (torch.cat([0.3 * ramp, ramp, 0.6 - 0.6 * ramp], dim=1) * 255).to(torch.uint8)


def test_lightness_and_colour_come_from_the_same_crop() -> None:
    crops = lab_colour.crop_at_random(coded(), 0.4, True, generator(0, "fields"))
    light, ab = lab_colour.light_and_colour(crops, 4)
    assert light.shape == (6, 1, 48, 48)
    assert ab.shape == (6, 2, 12, 12)
    coarse = torch.nn.functional.avg_pool2d(light, 4).flatten()
    curve = lab_colour.rgb_to_lab(to_float(coded(24)))
    known, order = curve[:, 0].flatten().sort()
    place = torch.searchsorted(known, coarse).clamp_max(len(known) - 1)
    wanted = curve[:, 1:].movedim(1, -1).reshape(-1, 2)[order][place]
    found = ab.movedim(1, -1).reshape(-1, 2)
    assert float((wanted - found).abs().mean()) < 1.5  # one unit is hardly seen; a wrong place is off by 20 and more
    shuffled = found.roll(30, dims=0)
    assert float((wanted - shuffled).abs().mean()) > 10


def test_a_crop_of_the_whole_picture_is_the_picture_or_its_mirror_image() -> None:
    images = coded(16, 32)
    whole = lab_colour.crop_at_random(images, 1.0, False, generator(0, "fields"))
    assert torch.allclose(whole, to_float(images), atol=1e-4)
    either = lab_colour.crop_at_random(images, 1.0, True, generator(0, "fields"))
    same = (either - to_float(images)).abs().amax(dim=(1, 2, 3)) < 1e-4
    turned = (either - to_float(images).flip(-1)).abs().amax(dim=(1, 2, 3)) < 1e-4
    assert bool((same | turned).all())
    assert 0 < int(same.sum()) < 16


@pytest.mark.parametrize("stride", [2, 4, 8, 16])
@pytest.mark.parametrize("side", [16, 45, 64])
def test_the_map_of_answers_has_the_size_of_the_decoders_output(side: int, stride: int) -> None:
    _, ab = lab_colour.light_and_colour(torch.rand(1, 3, side, side), stride)
    assert ab.shape[-1] == -(-side // stride)


def test_full_lightness_and_the_true_colour_give_the_picture_back() -> None:
    lab = torch.empty(2, 3, 32, 32)
    lab[:, :1] = torch.rand(2, 1, 32, 32, generator=generator(0, "light")) * 30 + 40
    lab[:, 1:] = torch.tensor([20.0, -15.0]).view(2, 1, 1)
    painted = lab_colour.add_colour(lab[:, :1], lab[:, 1:, ::4, ::4])
    assert torch.allclose(painted, lab_colour.lab_to_rgb(lab), atol=1e-5)


def test_the_input_of_the_encoder_is_about_standard_and_the_same_in_all_channels() -> None:
    light = torch.rand(2, 1, 8, 8, generator=generator(0, "light")) * 100
    asked = lab_colour.as_input(light)
    assert asked.shape == (2, 3, 8, 8)
    assert torch.equal(asked[:, 0], asked[:, 2])
    assert float(asked.mean()) == pytest.approx(0.0, abs=0.25)
    assert float(asked.std()) == pytest.approx(1.15, abs=0.15)


def test_only_pictures_that_count_enter_the_mean() -> None:
    values = torch.tensor([[1.0, 3.0], [100.0, 100.0], [4.0, 4.0]])
    assert float(lab_colour.mean_over(values, torch.tensor([True, False, True]))) == 3.0
    assert float(lab_colour.mean_over(values, torch.tensor([False, False, False]))) == 0.0


# -- does colorization fit? ------------------------------------------------------------------------------------------


def noise(count: int, seed: int = 0) -> Tensor:
    """Smooth coloured pictures, uint8."""
    coarse = torch.rand(count, 3, 5, 5, generator=generator(seed, "noise"))
    return (torch.nn.functional.interpolate(coarse, size=40, mode="bilinear") * 255).to(torch.uint8)


def greys(count: int) -> Tensor:
    return noise(count, 1)[:, :1].expand(-1, 3, -1, -1).contiguous()


def tinted(strengths: Tensor) -> Tensor:
    """Old photographs: greys, each towards brown by its own strength, with the little noise that JPEG leaves."""
    light = greys(len(strengths)).float()
    factors = 1 - strengths.view(-1, 1, 1, 1) * torch.tensor([0.0, 0.25, 0.55]).view(3, 1, 1)
    grain = torch.randn(light.shape, generator=generator(0, "grain"))
    return (light * factors + grain).clamp(0, 255).to(torch.uint8)


def test_coloured_pictures_fit() -> None:
    refuse_without_colour(noise(40))


def test_grey_pictures_are_refused_in_words() -> None:
    with pytest.raises(TaskDoesNotFit, match=r"30 of 30 pictures looked at are grey\. Use the jigsaw puzzle"):
        refuse_without_colour(greys(30))


def test_a_coloured_mark_does_not_make_a_picture_colourful() -> None:
    marked = greys(30)
    marked[:, 0, 1:3, 1:3] = 255
    marked[:, 1:, 1:3, 1:3] = 0
    with pytest.raises(TaskDoesNotFit, match="30 of 30"):
        refuse_without_colour(marked)


def test_mostly_grey_pictures_are_refused_and_partly_grey_ones_are_not() -> None:
    refuse_without_colour(torch.cat([greys(25), noise(15)]))
    with pytest.raises(TaskDoesNotFit, match=r"45 of 50 pictures looked at are grey\. Take out the grey ones"):
        refuse_without_colour(torch.cat([greys(45), noise(5)]))


@pytest.mark.parametrize("strengths", [torch.full((30,), 0.8), torch.linspace(0.5, 1.0, 30)])
def test_a_tint_is_refused(strengths: Tensor) -> None:
    with pytest.raises(TaskDoesNotFit, match="30 coloured pictures looked at have a tint"):
        refuse_without_colour(tinted(strengths))


def test_false_colour_is_refused() -> None:
    shade = greys(30)[:, :1].float() / 255
    blue = torch.cat([0.2 * shade**2, 0.4 * shade, shade], dim=1)
    with pytest.raises(TaskDoesNotFit, match="follows from the brightness alone"):
        refuse_without_colour((blue * 255).to(torch.uint8))


def test_brown_things_on_grey_are_no_tint() -> None:
    images = greys(30)
    images[:, :, 10:30, 10:30] = tinted(torch.ones(30))[:, :, 10:30, 10:30]
    refuse_without_colour(images)
