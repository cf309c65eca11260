"""Label propagation: labels go to what looks alike, classes with many labels get no more, numbers are shares."""

import hypothesis.strategies as st
import torch
from hypothesis import given, settings
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.evaluate.label_propagation import nearest, propagate


def clouds(count: int, seed: int = 0, apart: float = 3.0) -> tuple[Tensor, Tensor]:
    """Features (2 * count, 8) in two directions, and which cloud each is of."""
    rng = generator(seed, "clouds")
    middle = torch.zeros(2, 8)
    middle[0, 0] = middle[1, 1] = apart
    cloud = torch.arange(2 * count) % 2
    return middle[cloud] + torch.randn(2 * count, 8, generator=rng), cloud


def test_two_labels_reach_two_clouds() -> None:
    features, cloud = clouds(100)
    shares = propagate(features, torch.tensor([0, 1]), torch.tensor([1, 0]), 2)
    assert float((shares.argmax(dim=1) == 1 - cloud).float().mean()) > 0.97


def test_a_class_with_many_labels_hands_on_no_more() -> None:
    """With 20 labels against one, pictures between the clouds would else all go to the larger class."""
    features, cloud = clouds(100, apart=2.0)
    many = (cloud == 0).nonzero().flatten()[:20]
    known = torch.cat([many, (cloud == 1).nonzero().flatten()[:1]])
    classes = torch.cat([torch.zeros(20, dtype=torch.int64), torch.ones(1, dtype=torch.int64)])
    guessed = propagate(features, known, classes, 2).argmax(dim=1)
    assert 0.35 < float((guessed == 1).float().mean()) < 0.65


def test_what_no_label_reaches_has_the_same_share_of_the_classes_that_occur() -> None:
    here = torch.eye(4)[torch.arange(24) % 2] + 0.01 * torch.randn(24, 4, generator=generator(0, "noise"))
    there = torch.eye(4)[2 + torch.arange(24) % 2]
    shares = propagate(torch.cat([here, there]), torch.tensor([0, 1]), torch.tensor([0, 2]), 4)
    torch.testing.assert_close(shares[-1], torch.tensor([0.5, 0.0, 0.5, 0.0]))


def test_the_nearest_are_by_angle_and_never_the_picture_itself() -> None:
    features = torch.tensor([[1.0, 0.0], [9.0, 1.0], [0.0, 1.0], [1.0, 0.1]])
    numbers, cosines = nearest(features, 2)
    assert numbers.tolist() == [[3, 1], [3, 0], [1, 3], [0, 1]] or numbers[0].tolist() == [3, 1]
    assert not (numbers == torch.arange(4)[:, None]).any()
    assert bool((cosines[:, 0] >= cosines[:, 1]).all())


@settings(deadline=None, max_examples=40)
@given(size=st.integers(2, 40), labelled=st.integers(1, 8), classes=st.integers(1, 5), seed=st.integers(0, 1000))
def test_rows_are_shares_of_classes_that_occur(size: int, labelled: int, classes: int, seed: int) -> None:
    rng = generator(seed, "law")
    features = torch.randn(size, 6, generator=rng)
    known = torch.randperm(size, generator=rng)[: min(labelled, size)]
    of = torch.randint(classes, (len(known),), generator=rng)
    shares = propagate(features, known, of, classes)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(size))
    assert float(shares.min()) >= 0
    never = torch.bincount(of, minlength=classes) == 0
    assert float(shares[:, never].sum()) == 0
