"""From the pixel cache to batches on the device.

No worker processes: the pictures are decoded already. What fits stays on the GPU as uint8; what does not is gathered
from the memory-mapped file. Which pictures a step sees depends on the seed and the step alone.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from sslstudio.engine.data.cache import PixelCache
from sslstudio.engine.device import Device
from sslstudio.engine.seeding import generator


class Pictures:
    """Some pictures of a cache, ready to be taken in batches of uint8 (B, 3, side, side) on the device."""

    def __init__(self, cache: PixelCache, paths: Sequence[str], device: Device) -> None:
        place = {path: number for number, path in enumerate(cache.index.paths)}
        self.paths = tuple(path for path in paths if path in place)
        self.device = device
        self._cache = cache
        self._positions = np.array([place[path] for path in self.paths], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def resident(self) -> bool:
        """Whether all of them are held on the device."""
        return self._resident is not None

    @cached_property
    def _resident(self) -> Tensor | None:
        """All of them on the device, if they fit. Loaded at the first batch: a sample alone does not need them."""
        fits = self.device.holds(len(self) * 3 * self._cache.side**2)
        return self._gather(self._positions) if fits else None

    def take(self, chosen: Tensor) -> Tensor:
        """The pictures of these numbers (int64 on the CPU)."""
        if self._resident is not None:
            return self._resident[chosen.to(self.device.handle)]
        return self._gather(self._positions[chosen.numpy()])

    def chunks(self, size: int, limit: int | None = None) -> Iterator[Tensor]:
        """Numbers of the pictures in order, `size` at a time, up to `limit` in all."""
        count = len(self) if limit is None else min(limit, len(self))
        for start in range(0, count, size):
            yield torch.arange(start, min(start + size, count))

    def spread(self, count: int) -> Tensor:
        """Up to `count` of them, evenly spaced: a sample for statistics."""
        chosen = torch.linspace(0, len(self) - 1, min(count, len(self))).round().to(torch.int64)
        return self._gather(self._positions[chosen.numpy()])

    def _gather(self, positions: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Tensor:
        return self._cache.pixels(positions).to(self.device.handle)


class Order:
    """Which pictures each step sees: a new shuffle for each epoch, whole batches only."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count = count
        self.batch_size = min(batch_size, count)
        self.steps_per_epoch = max(1, count // self.batch_size)
        self._seed = seed
        self._epoch = -1
        self._shuffled = torch.empty(0, dtype=torch.int64)

    def batch(self, step: int) -> Tensor:
        """Numbers of the pictures of `step` (counted from 0)."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._shuffled = torch.randperm(self.count, generator=generator(self._seed, "order", epoch))
            self._epoch = epoch
        return self._shuffled[place * self.batch_size : (place + 1) * self.batch_size]
