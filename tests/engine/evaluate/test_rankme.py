"""RankMe and spread of matrices whose values follow from arithmetic."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.evaluate.rankme import rank_me, reach, spread


@pytest.mark.parametrize("directions", [1, 3, 8])
def test_equal_singular_values_count_themselves(directions: int) -> None:
    embeddings = torch.eye(8)[:, :directions].repeat(4, 1)
    assert rank_me(embeddings) == pytest.approx(directions, abs=1e-3)


def test_singular_values_of_three_to_one() -> None:
    """The entropy of (3/4, 1/4), by hand."""
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert rank_me(torch.diag(torch.tensor([3.0, 1.0]))) == pytest.approx(math.exp(entropy), abs=1e-4)


@given(st.integers(2, 30), st.integers(1, 12), st.floats(0.01, 100.0), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_laws(n: int, dims: int, scale: float, seed: int) -> None:
    embeddings = torch.randn(n, dims, generator=generator(seed, "rank")).double()
    rank = rank_me(embeddings)
    assert 1 - 1e-4 <= rank <= min(n, dims) + 1e-3
    assert rank_me(embeddings * scale) == pytest.approx(rank)
    assert rank_me(embeddings.flip(0)) == pytest.approx(rank)
    assert -1e-9 <= spread(embeddings) <= 1 + 1e-9
    assert spread(embeddings * scale) == pytest.approx(spread(embeddings))


def test_a_collapsed_network_has_one_direction_and_no_spread() -> None:
    found = reach(torch.full((50, 16), 0.3))
    assert found.rank == pytest.approx(1.0, abs=1e-3)
    assert found.spread == pytest.approx(0.0, abs=1e-6)


def test_directions_drawn_evenly_spread_fully() -> None:
    assert spread(torch.randn(2000, 32, generator=generator(0, "even"))) == pytest.approx(1.0, abs=0.02)


def test_embeddings_of_nothing_but_zeros_are_a_number_too() -> None:
    found = reach(torch.zeros(5, 4))
    assert found.spread == 0.0
    assert math.isfinite(found.rank)
