"""Copies beside the computing, on a GPU that is pretended: what is queued where, and in which order."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.side_stream import SideStream
from sslstudio.engine.core.control import to_end
from sslstudio.engine.dataset.loader import Order, Pictures
from sslstudio.engine.dataset.prefetch import Feed
from sslstudio.engine.images.cache.pixel_cache import build_cache
from sslstudio.engine.images.index import scan
from tests.support.pretend_gpu import AHEAD, COPY, WAIT, held, pretend_gpu


class Streams:
    """Streams that write down what is asked of them; which one is the current one is known for each thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        self.local = threading.local()
        streams = self

        class Stream:
            def __init__(self, device: object = None, name: str = "side") -> None:
                self.name = name

            def record_event(self) -> str:
                streams.said.append(f"an event on {self.name}")
                return f"the event of {self.name}"

            def wait_event(self, event: str) -> None:
                streams.said.append(f"{self.name} waits for {event}")

        self.main = Stream(name="main")

        @contextlib.contextmanager
        def within(stream: Stream) -> Iterator[None]:
            self.local.name = stream.name
            yield
            del self.local.name

        monkeypatch.setattr(torch.cuda, "Stream", Stream)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda device=None: self.main)
        monkeypatch.setattr(torch.cuda, "stream", within)
        kept = "the memory is kept for {}"
        monkeypatch.setattr(torch.Tensor, "record_stream", lambda made, to: self.said.append(kept.format(to.name)))

    @property
    def current(self) -> str:
        return str(getattr(self.local, "name", "main"))


@pytest.fixture
def pictures(sample_folder: Path) -> Iterator[tuple[Pictures, Streams, pytest.MonkeyPatch]]:
    """Pictures that are copied batch by batch, because the pretended GPU has no room for all."""
    cache = to_end(build_cache(scan(sample_folder), 32))
    with pretend_gpu(roomy=False), pytest.MonkeyPatch.context() as patch:
        streams = Streams(patch)
        device = devices.choose("cuda")
        yield Pictures(cache, cache.index.paths, device), streams, patch


def test_the_next_batch_is_copied_on_the_side_and_the_step_waits_for_it_there_alone(
    pictures: tuple[Pictures, Streams, pytest.MonkeyPatch],
) -> None:
    source, streams, patch = pictures
    copied_on: list[str] = []
    bring = devices.Device.bring

    def noted(self: devices.Device, tensor: torch.Tensor) -> torch.Tensor:
        copied_on.append(f"{threading.current_thread().name}: {streams.current}")
        return bring(self, tensor)

    patch.setattr(devices.Device, "bring", noted)
    order = Order(len(source), 4, seed=0)
    feed = Feed(source, order)
    first, second = feed.take(0), feed.take(1)
    assert held(first)
    assert held(second)
    assert torch.equal(second.cpu(), source.take(order.batch(1)).cpu())
    assert copied_on[0] == "MainThread: main", "nothing can be ahead of the first batch"
    assert "feed: side" in copied_on
    assert streams.said == ["an event on side", "main waits for the event of side", "the memory is kept for main"]


def test_a_batch_comes_through_pinned_memory_and_nothing_waits(sample_folder: Path) -> None:
    cache = to_end(build_cache(scan(sample_folder), 32))
    with pretend_gpu(roomy=False) as log:
        source = Pictures(cache, cache.index.paths, devices.choose("cuda"))
        feed = Feed(source, Order(len(source), 4, seed=0))
        before = len(log.events)
        for step in range(3):
            feed.take(step)
        feed.take(3)  # the fetch of the fourth batch has ended by now, too
        kinds = [kind for kind, _, _ in log.events[before:]]
    assert kinds.count(AHEAD) >= 4
    assert COPY not in kinds
    assert WAIT not in kinds


def test_without_cuda_it_is_made_at_once() -> None:
    beside = SideStream(devices.choose("cpu"))
    made = beside.make(lambda: torch.ones(2))
    assert beside.stream is None
    assert beside.hand_over(made) is made
