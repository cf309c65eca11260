"""Batches: which pictures a step sees, and that they are the cache's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sslstudio.engine.compute.device import Device, choose
from sslstudio.engine.compute.seeding import derive
from sslstudio.engine.core.control import to_end
from sslstudio.engine.dataset import loader
from sslstudio.engine.dataset.loader import Order, Pictures
from sslstudio.engine.images.cache.pixel_cache import PixelCache, build_cache
from sslstudio.engine.images.index import scan

SIDE = 16


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> PixelCache:
    """Nine pictures of noise, one that cannot be read."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(derive(0, "pictures"))
    for number in range(9):
        Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(folder / f"{number}.png")
    (folder / "4b.png").write_bytes(b"broken")
    return to_end(build_cache(scan(folder), SIDE, cache_dir=tmp_path_factory.mktemp("cache"), workers=1))


def names(*numbers: int) -> list[str]:
    return [f"{number}.png" for number in numbers]


def test_pictures_are_the_rows_of_the_cache_in_the_order_asked_for(cache: PixelCache) -> None:
    pictures = Pictures(cache, names(7, 2, 5, 0), choose("cpu"))
    assert len(pictures) == 4
    taken = pictures.take(torch.tensor([2, 0, 0, 3]))
    assert taken.dtype == torch.uint8
    assert taken.shape == (4, 3, SIDE, SIDE)
    everything = cache.pixels()
    assert torch.equal(taken, everything[[5, 7, 7, 0]])
    file = np.asarray(Image.open(cache.index.root / "5.png"))
    assert np.array_equal(taken[0].permute(1, 2, 0).numpy(), file)


def test_pictures_that_cannot_be_read_are_left_out(cache: PixelCache) -> None:
    pictures = Pictures(cache, ["4b.png", *names(8), "none.png", *names(1)], choose("cpu"))
    assert pictures.paths == ("8.png", "1.png")
    assert torch.equal(pictures.take(torch.tensor([1])), cache.pixels([1]))


def test_chunks_go_through_all_of_them_once_and_in_order(cache: PixelCache) -> None:
    pictures = Pictures(cache, names(*range(9)), choose("cpu"))
    assert [chunk.tolist() for chunk in pictures.chunks(4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]
    assert [chunk.tolist() for chunk in pictures.chunks(4, limit=5)] == [[0, 1, 2, 3], [4]]
    assert [chunk.tolist() for chunk in pictures.chunks(99, limit=99)] == [list(range(9))]
    assert list(Pictures(cache, [], choose("cpu")).chunks(4)) == []


def test_a_spread_is_even(cache: PixelCache) -> None:
    pictures = Pictures(cache, names(*range(9)), choose("cpu"))
    everything = cache.pixels()
    assert torch.equal(pictures.spread(3), everything[[0, 4, 8]])
    assert torch.equal(pictures.spread(99), everything)


def test_a_mix_is_drawn_once_for_all_and_names_each_picture_once(cache: PixelCache) -> None:
    pictures = Pictures(cache, names(*range(9)), choose("cpu"))
    mixed = pictures.mix(9)
    assert mixed.tolist() != list(range(9))
    assert sorted(mixed.tolist()) == list(range(9))
    assert pictures.mix(4).tolist() == mixed[:4].tolist()
    assert pictures.chosen(mixed[:2]).paths == tuple(names(*mixed[:2].tolist()))


def test_a_cpu_reads_the_mapped_file(cache: PixelCache) -> None:
    assert not Pictures(cache, names(1, 2), choose("cpu")).resident


class Roomy(Device):
    """A device that says it has room, and is asked for it once."""

    def holds(self, count: int) -> bool:
        asked.append(count)
        return True


asked: list[int] = []


def test_what_fits_is_copied_in_slices_and_the_device_is_asked_once(
    cache: PixelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "SLICE", 2)
    pictures = Pictures(cache, names(7, 2, 5, 0, 8), Roomy(torch.device("cpu"), "roomy", torch.float32))
    asked.clear()
    for _ in range(3):
        assert pictures.resident
    assert asked == [5 * 3 * SIDE**2]
    assert not pictures.reading
    taken = pictures.take(torch.tensor([2, 4, 0]))
    assert torch.equal(taken, cache.pixels([5, 8, 7]))
    assert taken.stride() == cache.pixels([5, 8, 7]).stride()  # channels last, as from the file


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_what_fits_stays_on_the_gpu(cache: PixelCache) -> None:
    pictures = Pictures(cache, names(7, 2), choose("cuda"))
    assert pictures.resident
    taken = pictures.take(torch.tensor([1, 0]))
    assert taken.device.type == "cuda"
    assert torch.equal(taken.cpu(), cache.pixels([2, 7]))


orders = st.tuples(st.integers(1, 40), st.integers(1, 50), st.integers(0, 9))


@given(orders, st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_an_epoch_shows_each_picture_at_most_once_in_whole_batches(asked: tuple[int, int, int], epoch: int) -> None:
    count, batch_size, seed = asked
    order = Order(count, batch_size, seed)
    steps = range(epoch * order.steps_per_epoch, (epoch + 1) * order.steps_per_epoch)
    batches = [order.batch(step) for step in steps]
    assert {len(batch) for batch in batches} == {min(batch_size, count)}
    seen = torch.cat(batches).tolist()
    assert len(set(seen)) == len(seen) > count - min(batch_size, count)
    assert set(seen) <= set(range(count))


@given(orders, st.lists(st.integers(0, 60), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_a_step_sees_the_same_whatever_was_asked_before(asked: tuple[int, int, int], steps: list[int]) -> None:
    order = Order(*asked)
    for step in steps:
        assert torch.equal(order.batch(step), Order(*asked).batch(step))


def test_every_epoch_and_every_seed_has_a_shuffle_of_its_own() -> None:
    order = Order(32, 32, 0)
    epochs = [order.batch(epoch).tolist() for epoch in range(3)]
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    assert Order(32, 32, 1).batch(0).tolist() != epochs[0]
    assert epochs[0] != list(range(32))


def test_what_one_epoch_leaves_out_another_shows() -> None:
    order = Order(10, 8, 0)
    assert order.steps_per_epoch == 1
    assert {number for epoch in range(30) for number in order.batch(epoch).tolist()} == set(range(10))


@given(orders)
@settings(max_examples=60, deadline=None)
def test_the_first_pictures_are_those_of_the_first_batches(asked: tuple[int, int, int]) -> None:
    order = Order(*asked)
    first = order.first(2 * order.batch_size)
    assert first.tolist() == sorted(first.tolist())
    assert set(order.batch(0).tolist()) <= set(first.tolist())
    assert torch.equal(order.first(order.batch_size), order.batch(0).sort().values)
    assert torch.equal(order.first(order.count), torch.arange(order.count))
