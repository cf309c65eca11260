import numpy as np
import numpy.typing as npt
import pytest

from sslstudio.engine.core.control import to_end
from sslstudio.engine.evaluate import active_learning as module
from sslstudio.engine.evaluate.active_learning import suggest
from sslstudio.engine.evaluate.embedding_map import Features, compact, flat_map, inside


def planted(
    sizes: tuple[int, ...], seed: int = 0, dim: int = 24, odd: int = 0
) -> tuple[Features, npt.NDArray[np.int64]]:
    """Clusters of these sizes, then `odd` pictures that are like nothing; and the cluster of each (-1: odd)."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(sizes), dim)) * 4
    points = [centre + 0.4 * rng.normal(size=(size, dim)) for centre, size in zip(centres, sizes, strict=True)]
    lonely = rng.normal(size=(odd, dim)) * 9
    cluster = np.concatenate([np.full(size, number) for number, size in enumerate(sizes)] + [np.full(odd, -1)])
    order = rng.permutation(len(cluster))
    return np.concatenate([*points, lonely])[order].astype(np.float32), cluster[order]


@pytest.mark.parametrize("seed", range(5))
def test_every_cluster_is_covered_before_one_comes_again(seed: int) -> None:
    features, cluster = planted((200, 80, 40, 30, 20, 12), seed)
    picked = suggest(features, (), 6)
    assert sorted(cluster[picked]) == list(range(6))


@pytest.mark.parametrize("seed", range(3))
def test_clusters_with_a_label_are_not_picked_from_first(seed: int) -> None:
    features, cluster = planted((100, 60, 40, 20), seed)
    labelled = [int(np.flatnonzero(cluster == number)[0]) for number in (0, 2)]
    picked = suggest(features, labelled, 2)
    assert sorted(cluster[picked]) == [1, 3]
    assert not set(picked) & set(labelled)


def test_odd_ones_out_come_last() -> None:
    features, cluster = planted((100, 80, 60), odd=6)
    picked = suggest(features, (), len(features))
    assert sorted(cluster[picked[:3]]) == [0, 1, 2]
    assert -1 not in cluster[picked[:100]]
    assert sorted(picked) == list(range(len(features)))  # each once, and all of them in the end


def test_the_pick_is_typical_of_its_cluster() -> None:
    features, cluster = planted((150, 150))
    picked = suggest(features, (), 2)
    assert len({int(cluster[place]) for place in picked}) == 2
    for place in picked:
        members = features[cluster == cluster[place]]
        middle = members.mean(axis=0)
        distances = np.linalg.norm(members - middle, axis=1)
        assert np.linalg.norm(features[place] - middle) <= np.quantile(distances, 0.4)


def test_what_the_network_is_unsure_of_comes_first_once_it_says_so() -> None:
    features, cluster = planted((90, 90, 90))
    unsure = np.where(cluster == 1, 1.0, 0.0)
    assert set(cluster[suggest(features, (), 20, unsure)]) == {1}


def test_few_or_equal_pictures_do_no_harm() -> None:
    assert suggest(np.zeros((0, 4), np.float32), (), 3) == []
    assert suggest(np.zeros((1, 4), np.float32), (), 3) == [0]
    assert sorted(suggest(np.ones((4, 4), np.float32), (2,), 9)) == [0, 1, 3]


def test_of_very_many_an_even_sample_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 100)
    features, cluster = planted((400, 300, 200))
    labelled = np.flatnonzero(cluster == 0)[:20].tolist()
    picked = suggest(features, labelled, 2)
    assert sorted(cluster[picked]) == [1, 2]


def test_the_map_keeps_neighbours_together() -> None:
    features, cluster = planted((40, 40, 40))
    places = to_end(flat_map(features))
    assert places.shape == (120, 2)
    assert places.min() == 0
    assert places.max() == 1
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1) + 9 * np.eye(120)
    assert (cluster[distances.argmin(axis=1)] == cluster).mean() > 0.97
    np.testing.assert_array_equal(places, to_end(flat_map(features)))


def test_the_map_says_how_far_it_is() -> None:
    features, _ = planted((20, 20))
    assert [(one.done, one.total) for one in flat_map(features)] == [(0, 0), *((done, 4) for done in range(5))]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_map_of_few_pictures(count: int) -> None:
    places = to_end(flat_map(np.random.default_rng(0).normal(size=(count, 7)).astype(np.float32)))
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


def test_features_that_never_change_do_not_count() -> None:
    features, _ = planted((20, 20))
    padded = np.concatenate([features, np.full((40, 3), 7, np.float32)], axis=1)
    np.testing.assert_allclose(np.abs(compact(padded)), np.abs(compact(features)), atol=1e-3)


def test_a_lasso_takes_what_is_inside() -> None:
    places = np.array([[0.1, 0.1], [0.5, 0.5], [0.9, 0.1], [0.5, 0.05], [0.5, 0.95]])
    assert inside(places, [(0.3, 0.3), (0.7, 0.3), (0.7, 1.0), (0.3, 1.0)]) == [1, 4]
    hollow = [(0, 0), (1, 0), (1, 1), (0.9, 1), (0.9, 0.2), (0, 0.2)]  # an L lying down
    assert inside(places, hollow) == [0, 2, 3]
    assert inside(places, [(0, 0), (1, 1)]) == []
