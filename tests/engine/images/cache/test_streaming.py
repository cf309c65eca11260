"""A cache in use while it is read gives what a whole one gives, only later."""

import threading
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslstudio.engine.compute.device import choose
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.images.cache import reader
from sslstudio.engine.images.cache.pixel_cache import StreamingCache, build_cache, stream_cache
from sslstudio.engine.images.cache.reader import outcome_of
from sslstudio.engine.images.cache.sampler import SampledCache
from sslstudio.engine.images.cache.store import store_folder
from sslstudio.engine.images.formats.decode import Squeezed, decode
from sslstudio.engine.images.index import ImageIndex, scan

SIDE = 8


@pytest.fixture
def held_back(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Decoding waits until it is let go on, one release a picture."""
    gate = threading.Semaphore(0)

    def gated(index: ImageIndex, side: int, file: Any) -> Squeezed | DataError:
        gate.acquire()
        return outcome_of(index, side, file)

    monkeypatch.setattr(reader, "outcome_of", gated)
    return gate


def grown(root: Path, where: Path, **options: Any) -> StreamingCache:
    return to_end(stream_cache(scan(root), SIDE, cache_dir=where, **options))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.lists(st.integers(0, 19), min_size=1, max_size=5), max_size=4))
def test_any_pictures_at_any_time(
    tools: Any, root: Path, tmp_path_factory: pytest.TempPathFactory, asked: list[list[int]]
) -> None:
    where = tmp_path_factory.mktemp("grown")
    cache = grown(root, where, workers=2)
    try:
        for positions in asked:
            for got, position in zip(cache.pixels(positions), positions, strict=True):
                wanted = decode(root / cache.index.paths[position], SIDE)
                assert np.array_equal(got.permute(1, 2, 0).numpy(), wanted)
        assert cache.unreadable() == ()
        assert cache.complete
    finally:
        cache.close()
    again, _ = tools.drain(build_cache(scan(root), SIDE, cache_dir=where))
    tools.assert_right(again)


def test_what_is_asked_for_comes_first(root: Path, tmp_path: Path, held_back: threading.Semaphore) -> None:
    cache = grown(root, tmp_path / "cache", workers=1)
    cache.prefer([19, 18])
    held_back.release(8)  # four in flight were chosen before anything was asked for
    assert cache.readable([19]).tolist() == [True]
    assert not cache.complete
    held_back.release(20)
    cache.close()


def test_closing_ends_the_reading_and_keeps_what_is_read(
    tools: Any, root: Path, tmp_path: Path, held_back: threading.Semaphore
) -> None:
    cache = grown(root, tmp_path / "cache", workers=1)
    held_back.release(3)
    cache.readable([0])
    held_back.release(10)
    cache.close()
    with pytest.raises(RunError, match="no longer being read"):
        cache.readable(range(20))
    assert 0 < len(tools.slots(root, tmp_path / "cache")) < 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("reading", "decode"))]
    with filelock.FileLock(store_folder(tmp_path / "cache", root, SIDE) / "lock", timeout=0):
        pass


def test_waiting_can_be_stopped(root: Path, tmp_path: Path, held_back: threading.Semaphore) -> None:
    cache, control = grown(root, tmp_path / "cache"), RunControl()
    steps = cache.until(range(20), control)
    assert next(steps).total == 20
    control.stop()
    with pytest.raises(RunError, match="Stopped"):
        next(steps)
    held_back.release(40)
    cache.close()


def test_a_full_disk_is_told_to_whoever_waits(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sslstudio.engine.images.cache.store.PixelStore.put", full)
    cache = grown(root, tmp_path / "cache")
    with pytest.raises(RunError, match="The disk is full"):
        cache.readable([3])
    cache.close()


@pytest.mark.parametrize("kind", ["growing", "complete", "sample"])
def test_what_stands_in_does_not_depend_on_when_it_is_found_out(root: Path, tmp_path: Path, kind: str) -> None:
    for number in (4, 5, 19):
        (root / scan(root).paths[number]).write_bytes(b"words")
    if kind == "complete":
        whole = grown(root, tmp_path / "cache")
        assert len(whole.unreadable()) == 3
        whole.close()
    cache = SampledCache(scan(root), SIDE) if kind == "sample" else grown(root, tmp_path / "cache")
    try:
        train = cache.index.paths[3:]
        pictures = Pictures(cache, train, choose("cpu"))
        shown = pictures.take(torch.tensor([16, 1, 2, 0]))
        for got, path in zip(shown, [train[0], train[3], train[3], train[0]], strict=True):
            assert np.array_equal(got.permute(1, 2, 0).numpy(), decode(root / path, SIDE))
        assert pictures.keep_readable().paths == tuple(path for path in train if path not in pictures.broken)
        assert len(pictures.keep_readable()) == 14
    finally:
        cache.close()


def test_a_sample_takes_what_is_there_and_writes_nothing(tools: Any, root: Path, tmp_path: Path) -> None:
    index = scan(root)
    tools.drain(build_cache(index.subset(index.paths[:10]), SIDE, cache_dir=tmp_path / "cache"))
    before = tools.slots(root, tmp_path / "cache")
    wanted = [decode(root / path, SIDE) for path in index.paths]
    for path in index.paths[:10]:
        tools.garble(root / path)
    with filelock.FileLock(store_folder(tmp_path / "cache", root, SIDE) / "lock"):
        shown = SampledCache(index, SIDE, tmp_path / "cache").pixels(list(range(5, 15)))
    assert np.array_equal(shown.permute(0, 2, 3, 1).numpy(), np.stack(wanted[5:15]))
    assert tools.slots(root, tmp_path / "cache") == before
