"""Alike pictures by what a network has learnt, and what it is unsure of."""

from pathlib import Path
from typing import TypeVar

import numpy as np

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.finetuning.use.similarity import GENERAL, OWN, doubts, look_alike
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise

R = TypeVar("R")


def test_pictures_are_compared_with_and_without_a_network(sample_folder: Path, pretrained: Path) -> None:
    index = recognise(scan(sample_folder)).pictures
    plain = to_end(look_alike(index, None, RunControl(), "cpu"))
    learnt = to_end(look_alike(index, pretrained, RunControl(), "cpu"))
    assert (plain.by, learnt.by) == (GENERAL, OWN)
    assert plain.total == len(index)
    for found in (plain, learnt):
        assert found.paths == tuple(index.paths)
        assert found.features.shape[0] == len(index)
        assert found.places.shape == (len(index), 2)
        assert np.isfinite(found.features).all()
        assert found.features.std(axis=0).max() > 0
    again = to_end(look_alike(index, pretrained, RunControl(), "cpu"))
    np.testing.assert_array_equal(learnt.features, again.features)


def test_a_network_says_what_it_is_unsure_of(sample_folder: Path, classified: Path, segmented: Path) -> None:
    index = recognise(scan(sample_folder)).pictures
    for run in (classified, segmented):
        found = to_end(doubts(index, run, RunControl()))
        assert list(found) == index.paths
        assert all(0 <= value <= np.log(6) + 1e-6 for value in found.values())
        assert len(set(found.values())) > 10
