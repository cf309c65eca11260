"""The two simple classifiers against scikit-learn's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.evaluate.linear_and_knn import PENALTY, linear_answers, nearest_answers, neighbours, standardised


def planted(n: int, dims: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    rng = generator(seed, "planted")
    targets = torch.cat([torch.arange(classes), torch.randint(classes, (n - classes,), generator=rng)])
    return torch.randn(n, dims, generator=rng).double() + targets[:, None] * 0.3, targets


@given(st.integers(6, 40), st.integers(1, 50), st.integers(2, 5), st.booleans(), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_linear_probe_is_ridge_regression(n: int, dims: int, classes: int, balanced: bool, seed: int) -> None:
    """With more pictures than features and with fewer."""
    features, targets = planted(n, dims, classes, seed)
    asked = planted(30, dims, classes, seed + 1)[0]
    sizes = torch.bincount(targets, minlength=classes)
    weight = (n / (classes * sizes[targets])).numpy() if balanced else np.ones(n)
    wanted = torch.nn.functional.one_hot(targets, classes).double().numpy()
    plain = Ridge(alpha=PENALTY).fit(features.numpy(), wanted, sample_weight=weight)
    scores = plain.predict(asked.numpy())
    ours = linear_answers(features, targets, asked, classes, balanced=balanced).numpy()
    top = np.sort(scores, axis=1)
    clear = top[:, -1] - top[:, -2] > 1e-7  # where rounding does not decide
    assert (ours == scores.argmax(axis=1))[clear].all()
    assert clear.any()


@given(st.integers(6, 40), st.integers(2, 20), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_nearest_one_is_that_of_cosine_distance(n: int, dims: int, seed: int) -> None:
    features, targets = planted(n, dims, 3, seed)
    asked = planted(20, dims, 3, seed + 1)[0]
    plain = KNeighborsClassifier(1, metric="cosine", algorithm="brute").fit(features.numpy(), targets.numpy())
    assert nearest_answers(features, targets, asked, 3, 1).tolist() == plain.predict(asked.numpy()).tolist()


def test_nearer_votes_count_more_and_more_votes_than_pictures_are_all() -> None:
    known = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    classes = torch.tensor([1, 0, 0])
    assert nearest_answers(known, classes, torch.tensor([[1.0, 0.1]]), 2, 99).tolist() == [1]


def test_a_class_that_was_never_shown_is_never_answered() -> None:
    features, _ = planted(10, 4, 2, 0)
    answers = linear_answers(features, torch.ones(10, dtype=torch.int64), features, 3)
    assert answers.tolist() == [1] * 10


def test_a_balanced_probe_does_not_bow_to_the_larger_class() -> None:
    rng = generator(0, "unbalanced")
    targets = torch.tensor([0] * 95 + [1] * 5)
    features = torch.randn(100, 2, generator=rng).double() * 0.3
    features[:, 0] += targets
    asked = torch.tensor([[1.0, 0.0]]).double()
    assert linear_answers(features, targets, asked, 2).tolist() == [1]
    assert linear_answers(features, targets, asked, 2, balanced=False).tolist() == [0]


def test_standardised_rows_are_about_one_long_and_constants_vanish() -> None:
    features = torch.randn(400, 9, generator=generator(1, "rows")) * 7 + 3
    features[:, 4] = 123456.0
    scaled = standardised(features)
    assert scaled.square().sum(dim=1).mean().item() == pytest.approx(8 / 9, rel=1e-6)
    assert not scaled[:, 4].any()
    assert standardised(features * 5 - 2).allclose(scaled, atol=1e-6)


def test_neighbours_are_odd_few_for_few_labels_and_at_most_about_twenty() -> None:
    counts = [neighbours(labelled) for labelled in range(1, 2000)]
    assert counts[0] == 1
    assert neighbours(10) == 3
    assert all(count % 2 for count in counts)
    assert counts == sorted(counts)
    assert max(counts) <= 21
