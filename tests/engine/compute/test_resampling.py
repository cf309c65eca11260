"""What is done in place of what an Apple GPU cannot do is the same but for rounding."""

import pytest
import torch
import torch.nn.functional as F

from sslstudio.engine.compute import resampling
from sslstudio.engine.compute.seeding import generator


def test_places_beyond_the_edge_repeat_it() -> None:
    images = torch.rand(2, 3, 13, 17, generator=generator(1))
    grid = torch.empty(2, 9, 11, 2).uniform_(-1.6, 1.6, generator=generator(2))
    wanted = F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    assert torch.equal(resampling.sample(images, grid), wanted), "elsewhere it is torch's own"
    torch.testing.assert_close(resampling.sample_within(images, grid), wanted, rtol=0, atol=2e-5)


@pytest.mark.parametrize(("sides", "size"), [((13, 17), (5, 4)), ((3, 3), (2, 2)), ((7, 9), (7, 3)), ((2, 3), (4, 5))])
def test_areas_that_do_not_divide_are_averaged_by_matrices(sides: tuple[int, int], size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *sides, generator=generator(1))
    wanted = F.adaptive_avg_pool2d(images, size)
    assert torch.equal(resampling.average_areas(images, size), wanted)
    assert torch.equal(F.interpolate(images, size=size, mode="area"), wanted), "area is this under another name"
    torch.testing.assert_close(resampling.average_by_matrices(images, size), wanted, rtol=0, atol=1e-6)
