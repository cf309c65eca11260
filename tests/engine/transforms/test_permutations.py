"""The groups are groups, and every set keeps the distance and the balance that its docstring promises."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.transforms import permutations as p

GROUPS = [(p.affine_group, 72, 8), (p.projective_group, 504, 7), (p.semilinear_group, 1512, 6)]


def counts(members: p.Permutations) -> p.Permutations:
    """(9, 9): how often each place (row) shows each tile (column)."""
    return np.stack([np.bincount(members[:, place], minlength=9) for place in range(9)])


def slow_min_hamming(members: p.Permutations) -> int:
    """The definition, pair by pair."""
    pairs = ((a, b) for i, a in enumerate(members) for b in members[:i])
    return min(int((a != b).sum()) for a, b in pairs)


@pytest.mark.parametrize(("group", "order", "distance"), GROUPS)
def test_a_group_has_its_order_its_distance_and_every_tile_everywhere_equally_often(
    group: Callable[[], p.Permutations], order: int, distance: int
) -> None:
    members = group()
    assert members.shape == (order, 9)
    assert len(set(map(tuple, members.tolist()))) == order
    assert (np.sort(members, axis=1) == np.arange(9)).all()
    assert p.min_hamming(members) == distance
    assert (counts(members) == order // 9).all()


@pytest.mark.parametrize(("group", "order", "distance"), GROUPS)
def test_a_group_is_closed(group: Callable[[], p.Permutations], order: int, distance: int) -> None:
    members = group()
    known = set(map(tuple, members.tolist()))
    for a in members[:: max(1, order // 12)]:
        assert set(map(tuple, a[members].tolist())) == known


DISTANCES = {2: 9, 9: 9, 30: 8, 72: 8, 73: 7, 100: 7, 504: 7, 505: 6, 1000: 6, 1512: 6, 2000: 4, 5000: 4}


@pytest.mark.parametrize(("count", "distance"), DISTANCES.items())
def test_a_set_keeps_the_distance_of_the_group_it_comes_from(count: int, distance: int) -> None:
    members = p.permutation_set(count)
    assert members.shape == (count, 9)
    assert p.min_hamming(members) == distance
    assert len(set(map(tuple, members.tolist()))) == count


@given(st.integers(min_value=2, max_value=600))
@settings(max_examples=30, deadline=None)
def test_a_set_is_made_of_permutations_and_shows_tiles_about_equally_often(count: int) -> None:
    members = p.permutation_set(count)
    assert (np.sort(members, axis=1) == np.arange(9)).all()
    assert np.abs(counts(members) - count / 9).max() <= 2
    assert members[0].tolist() == list(range(9))


@given(st.integers(min_value=2, max_value=72))
@settings(max_examples=20, deadline=None)
def test_sets_of_one_group_are_nested(count: int) -> None:
    assert (p.permutation_set(count) == p.permutation_set(72)[:count]).all()


@pytest.mark.parametrize("count", [5, 40, 130])
def test_min_hamming_agrees_with_its_definition(count: int) -> None:
    rng = np.random.default_rng(count)
    members = np.stack([rng.permutation(9) for _ in range(count)]).astype(np.int64)
    assert p.min_hamming(members) == slow_min_hamming(members)


def test_min_hamming_of_twins_is_zero_also_across_blocks() -> None:
    members = np.concatenate([p.permutation_set(1512), p.permutation_set(1512)[:1]])
    assert p.min_hamming(members) == 0


def test_a_set_is_shared_and_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        p.permutation_set(30)[0, 0] = 5


@pytest.mark.parametrize("count", [-1, 0, 1, 5001])
def test_a_number_that_cannot_be_had_is_named(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} permutations"):
        p.permutation_set(count)
