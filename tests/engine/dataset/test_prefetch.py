"""The feed hands out what the order says, fetched ahead or not, and waits less when it is."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.dataset.loader import Order, Pictures
from sslstudio.engine.dataset.prefetch import Feed
from sslstudio.engine.images.cache.pixel_cache import PixelCache
from sslstudio.engine.images.index import ImageIndex


def some_pictures(folder: Path, count: int = 23) -> Pictures:
    """Each picture is filled with its number."""
    file = folder / "pixels.bin"
    np.repeat(np.arange(count, dtype=np.uint8), 8 * 8 * 3).tofile(file)
    index = ImageIndex.of(folder, [f"{number:02}.png" for number in range(count)])
    cache = PixelCache(index, 8, np.full((count, 2), 8, np.int32), file, np.arange(count))
    return Pictures(cache, index.paths, devices.choose("cpu"))


def test_every_step_gets_its_own_pictures_over_several_epochs(tmp_path: Path) -> None:
    pictures = some_pictures(tmp_path)
    feed, order = Feed(pictures, Order(23, 5, 3)), Order(23, 5, 3)
    for step in range(3 * order.steps_per_epoch):
        assert feed.take(step)[:, 0, 0, 0].tolist() == order.batch(step).tolist()


def test_a_step_out_of_turn_gets_its_own_pictures_too(tmp_path: Path) -> None:
    feed, order = Feed(some_pictures(tmp_path), Order(23, 5, 3)), Order(23, 5, 3)
    for step in (7, 0, 1, 9, 9, 2):
        assert feed.take(step)[:, 0, 0, 0].tolist() == order.batch(step).tolist()


def test_the_next_batch_is_fetched_while_this_one_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = some_pictures(tmp_path)
    taken, second = [], threading.Event()
    plain = pictures.take

    def slow(chosen: torch.Tensor) -> torch.Tensor:
        taken.append(threading.current_thread().name)
        images = plain(chosen)
        if len(taken) == 2:
            second.set()
        return images

    monkeypatch.setattr(pictures, "take", slow)
    feed = Feed(pictures, Order(23, 5, 3))
    feed.take(0)
    assert second.wait(10)  # without a second `take` of the feed
    feed.take(1)
    assert taken[:2] == [threading.current_thread().name, "feed"]


def test_what_a_batch_was_waited_for_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = some_pictures(tmp_path)
    plain, release = pictures.take, threading.Event()

    def held_up(chosen: torch.Tensor) -> torch.Tensor:
        release.wait(10)
        return plain(chosen)

    monkeypatch.setattr(pictures, "take", held_up)
    feed = Feed(pictures, Order(23, 5, 3))
    threading.Timer(0.2, release.set).start()
    began = time.perf_counter()
    feed.take(0)
    assert 0.1 < feed.waited <= time.perf_counter() - began
    waited = feed.waited
    assert feed.take(0) is feed.take(0)
    assert feed.waited == waited  # a part of a batch that is there


def test_an_error_of_the_thread_is_raised_where_the_batch_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = some_pictures(tmp_path)
    plain = pictures.take

    def fails_ahead(chosen: torch.Tensor) -> torch.Tensor:
        if threading.current_thread().name == "feed":
            raise DataError("gone")
        return plain(chosen)

    monkeypatch.setattr(pictures, "take", fails_ahead)
    feed = Feed(pictures, Order(23, 5, 3))
    feed.take(0)
    with pytest.raises(DataError, match="gone"):
        feed.take(1)
