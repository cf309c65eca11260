"""Neighbours and doubtful labels on planted clusters."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.evaluate.neighbours import Array, directions, doubts, nearest


def clusters(each: int = 20, seed: int = 0) -> tuple[Array, list[int]]:
    """Three well separated clouds in 16 dimensions, and the number of each picture's cloud."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(3, 16)) * 4
    labels = [number for number in range(3) for _ in range(each)]
    features = middles[labels] + rng.normal(size=(3 * each, 16))
    return features.astype(np.float32), labels


def test_neighbours_are_of_the_same_cloud_and_never_the_picture_itself() -> None:
    features, labels = clusters()
    places = directions(features)
    for number in (0, 25, 59):
        found = nearest(places, number, 8)
        assert len(found) == 8
        assert number not in [one for one, _ in found]
        assert all(labels[one] == labels[number] for one, _ in found)
        cosines = [alike for _, alike in found]
        assert cosines == sorted(cosines, reverse=True)


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(0, 10))
def test_no_more_neighbours_than_there_are(count: int, wanted: int) -> None:
    places = directions(np.random.default_rng(count).normal(size=(count, 4)).astype(np.float32))
    assert len(nearest(places, 0, wanted)) == min(wanted, count - 1)


def chances_of(clouds: list[int]) -> Array:
    found = np.full((len(clouds), 3), 0.1, np.float32)
    found[np.arange(len(clouds)), clouds] = 0.8
    return found


def test_planted_wrong_labels_are_doubted_and_no_others() -> None:
    features, clouds = clusters()
    labels = list(clouds)
    labels[3], labels[40] = 2, 0
    found = doubts(directions(features), labels, chances_of(clouds), range(len(labels)))
    assert {(one.number, one.label, one.suggested) for one in found} == {(3, 2, 0), (40, 0, clouds[40])}
    assert all(0 < one.doubt <= 1 and one.other_agree > one.agree for one in found)


def test_only_pictures_that_were_not_taught_are_doubted() -> None:
    features, clouds = clusters()
    labels = list(clouds)
    labels[3] = 2
    asked = [number for number in range(len(labels)) if number != 3]
    assert doubts(directions(features), labels, chances_of(clouds), asked) == []


def test_a_mistake_that_the_neighbours_do_not_share_is_no_doubt() -> None:
    features, clouds = clusters()
    chances = chances_of(clouds)
    chances[7] = [0.1, 0.8, 0.1]  # the network is wrong here, the label is right
    assert doubts(directions(features), clouds, chances, range(len(clouds))) == []
