"""Places of two views that are one: by the geometry of the views, and by likeness."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.models import dense_matching as matching
from sslstudio.engine.transforms.two_views import ViewsConfig, cell_places, map_places, random_matrices

SAME = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def pairs(count: int, seed: int) -> Tensor:
    """Matrices (count, 2, 2, 3) of two views each, mirrored, turned and of all sizes."""
    config = ViewsConfig(min_crop_area=0.2, turn=60.0)
    rng = generator(seed, "pairs")
    return torch.stack([random_matrices(count, 40, 40, config, rng) for _ in range(2)], dim=1)


def embedded_places(matrices: Tensor, height: int, width: int) -> Tensor:
    """(B, 2, P, 2): an 'embedding' of each place that is its place in the picture."""
    return map_places(matrices, cell_places(height, width, matrices.device))


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_a_counterpart_is_the_same_spot_of_the_picture(seed: int) -> None:
    matrices = pairs(6, seed)
    spots, shown = matching.counterparts(matrices, 5, 7)
    in_picture = embedded_places(matrices, 5, 7)
    assert torch.allclose(map_places(matrices.flip(1), spots), in_picture, atol=1e-4)
    assert torch.equal(shown, (spots.abs() <= 1).all(-1))


def test_views_that_do_not_overlap_share_no_place() -> None:
    left = torch.tensor([[0.4, 0.0, -0.5], [0.0, 0.4, 0.0]])
    right = torch.tensor([[0.4, 0.0, 0.5], [0.0, 0.4, 0.0]])
    _, shown = matching.counterparts(torch.stack([left, right])[None], 4, 4)
    assert not shown.any()
    loss = matching.likeness_loss(torch.ones(1, 2, 16, 3), torch.zeros(1, 2, 16, 3), shown)
    assert float(loss) == 0.0


def test_half_an_overlap_is_half_of_the_places() -> None:
    left = torch.tensor([[0.5, 0.0, -0.5], [0.0, 1.0, 0.0]])  # the left half, and the middle
    middle = torch.tensor([[0.5, 0.0, 0.0], [0.0, 1.0, 0.0]])
    spots, shown = matching.counterparts(torch.stack([left, middle])[None], 2, 4)
    assert shown[0, 0].view(2, 4).tolist() == [[False, False, True, True]] * 2
    assert shown[0, 1].view(2, 4).tolist() == [[True, True, False, False]] * 2
    assert spots[0, 0].view(2, 4, 2)[0, 2:].tolist() == [[-0.75, -0.5], [-0.25, -0.5]]


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_reading_at_a_counterpart_gives_what_lies_there(seed: int) -> None:
    """An embedding that is linear in the place is read exactly, wherever the spot is not at the very edge."""
    matrices = pairs(6, seed)
    places = embedded_places(matrices, 8, 8)
    spots, _ = matching.counterparts(matrices, 8, 8)
    read = matching.at_places(places.flip(1), spots, 8, 8)
    inner = (spots.abs() <= 1 - 1 / 8).all(-1)
    assert torch.allclose(read[inner], places[inner], atol=1e-4)


def test_the_most_alike_are_kept() -> None:
    embedded = torch.randn(3, 2, 10, 4, generator=generator(0))
    order = torch.randperm(10, generator=generator(1))
    other = embedded.flip(1)[:, :, order] * 1.0
    other = other.flip(1) + 0.01 * torch.arange(10)[order].view(10, 1)  # place i is moved by i / 100
    number, kept = matching.alike(embedded, other, 0.4)
    back = order.argsort()
    assert torch.equal(number, back.expand(3, 2, 10))
    assert bool((kept.sum(-1) == 4).all())
    assert bool(kept[..., :4].all())


def test_the_mean_square_counts_places_that_count() -> None:
    embedded, other = torch.zeros(1, 2, 3, 2), torch.zeros(1, 2, 3, 2)
    other[0, 0, 1] = torch.tensor([1.0, 3.0])
    counted = torch.zeros(1, 2, 3, dtype=torch.bool)
    counted[0, 0, 1] = counted[0, 1, 2] = True
    assert float(matching.likeness_loss(embedded, other, counted)) == pytest.approx((1 + 9) / 2 / 2)


def test_a_place_within_a_cell_of_the_right_one_is_near() -> None:
    matrices = SAME.expand(2, 2, 2, 3)
    spots, shown = matching.counterparts(matrices, 4, 4)
    own = torch.arange(16).expand(2, 2, 16)
    assert float(matching.near_share(own, spots, shown, 4, 4)) == 1.0
    assert float(matching.near_share(own.roll(2, dims=-1), spots, shown, 4, 4)) == 0.0
    beside = torch.arange(16).view(4, 4)[:, [1, 0, 3, 2]].flatten().expand(2, 2, 16)
    assert float(matching.near_share(beside, spots, shown, 4, 4)) == 1.0
    assert float(matching.near_share(own, spots, torch.zeros_like(shown), 4, 4)) == 0.0
