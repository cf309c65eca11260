"""Random crops: squares of pictures, round ones, and their brightness and contrast."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.transforms import draw, geometry
from sslstudio.engine.transforms.random_crop import disc, outline_crop, random_crops, standardise_within


def noise(count: int, height: int, width: int) -> Tensor:
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=generator(0, "noise"))


@pytest.mark.parametrize(("height", "width"), [(40, 40), (40, 60), (60, 40)])
def test_crops_show_what_lies_in_their_boxes_also_when_mirrored(height: int, width: int) -> None:
    images = noise(16, height, width)
    crops = random_crops(images, 0.5, 20, True, generator(1))
    left, top, right, bottom = crops.boxes.unbind(-1)
    assert float(crops.boxes.min()) > -1e-3
    assert float(right.max()) < width + 1e-3
    assert float(bottom.max()) < height + 1e-3
    assert torch.allclose(right - left, bottom - top, atol=1e-3)
    assert float((right - left).min()) >= 20 - 1e-3
    centres = torch.stack([left + right, top + bottom], dim=1)[:, None] / 2
    cut = geometry.cut_patches(geometry.to_float(images), centres, right - left, 20)[:, 0]
    straight = (cut - crops.shades).abs().amax(dim=(1, 2, 3)) < 1e-3
    turned = (cut.flip(-1) - crops.shades).abs().amax(dim=(1, 2, 3)) < 1e-3
    assert bool((straight ^ turned).all())
    assert 0 < int(turned.sum()) < 16


@given(side=st.integers(1, 70))
def test_a_disc_looks_the_same_from_all_sides(side: int) -> None:
    seen = disc(side, torch.device("cpu"))
    assert torch.equal(seen, torch.rot90(seen))
    assert torch.equal(seen, seen.flip(-1))
    if side > 20:
        assert float(seen.mean()) == pytest.approx(np.pi / 4, abs=0.06)
        assert float(seen[0, 0]) == 0
        assert float(seen[side // 2, 0]) == 1


def test_brightness_and_contrast_are_evened_out_over_what_is_seen() -> None:
    pictures = torch.rand(4, 3, 30, 30, generator=generator(1)) * torch.tensor([0.1, 0.5, 1.0, 0.3]).view(-1, 1, 1, 1)
    seen = disc(30, torch.device("cpu"))
    even = standardise_within(pictures, seen)
    for one, before in zip(even, pictures, strict=True):
        inside = before.numpy()[:, seen.numpy() == 1]
        expected = (inside - inside.mean()) / inside.std()
        assert np.allclose(one.numpy()[:, seen.numpy() == 1], expected, atol=1e-4)
        assert float(one[:, seen == 0].abs().max()) == 0


def test_a_blank_picture_is_not_blown_up() -> None:
    faint = 0.5 + 0.001 * torch.randn(1, 3, 16, 16, generator=generator(1))
    assert float(standardise_within(faint, torch.ones(16, 16)).std()) < 0.2


def test_a_crop_is_outlined_where_it_lies() -> None:
    image = torch.zeros(3, 20, 20, dtype=torch.uint8)
    picture = outline_crop(image, torch.tensor([5.0, 5.0, 15.0, 15.0]), 40)
    assert picture.shape == (40, 40, 3)
    assert tuple(picture[10, 20]) == draw.MARK
    assert tuple(picture[20, 20]) == (0, 0, 0)
