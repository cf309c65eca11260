"""From the pixel cache to batches on the device.

No worker processes: the pictures are decoded already. What fits stays on the GPU as uint8; what does not is gathered
from the memory-mapped file. Which pictures a step sees depends on the seed and the step alone.
"""

from collections.abc import Generator, Iterator, Sequence
from itertools import compress

import numpy as np
import torch
from torch import Tensor

from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.images.cache.pixel_cache import PixelCache

SLICE = 1024  # pictures that are copied to the device at once
Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


class Pictures:
    """Some pictures of a cache, ready to be taken in batches of uint8 (B, 3, side, side) on the device."""

    def __init__(self, cache: PixelCache, paths: Sequence[str], device: Device) -> None:
        place = cache.index.places
        self.paths = tuple(path for path in paths if path in place)
        self.device = device
        self._cache = cache
        self._positions = np.array([place[path] for path in self.paths], dtype=np.int64)
        self._held: Tensor | None = None
        self._asked = False  # whether the device has been asked for room

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def resident(self) -> bool:
        """Whether all of them are held on the device: if they fit, once all are read and the first are asked for."""
        if not self._asked and self._cache.complete:
            self._asked = True
            if self.device.holds(len(self) * 3 * self._cache.side**2):
                self._held = self._copy()
        return self._held is not None

    def _copy(self) -> Tensor:
        """Copy all of them to the device, slice by slice: only a slice is in the CPU's memory at a time."""
        side = self._cache.side
        held = torch.empty((len(self), side, side, 3), dtype=torch.uint8, device=self.device.handle).permute(0, 3, 1, 2)
        for start in range(0, len(self), SLICE):
            held[start : start + SLICE] = self._gather(np.arange(start, min(start + SLICE, len(self))))
        return held

    @property
    def reading(self) -> bool:
        """Whether some of them are still being read."""
        return not self._cache.complete

    @property
    def settled_ahead(self) -> bool:
        """Whether a next batch is worth fetching ahead: all are read, and they are not on the device already."""
        return self._held is None and self._cache.complete

    def take(self, chosen: Tensor) -> Tensor:
        """The pictures of these numbers (int64 on the CPU); see `stand_ins` for those that cannot be read."""
        if self.resident and self._held is not None:
            return self._held[self.device.bring(chosen)]
        return self.only(chosen)

    def only(self, chosen: Tensor) -> Tensor:
        """As `take`, without bringing all the others to the device for it."""
        return self._gather(chosen.numpy())

    def chunks(self, size: int, limit: int | None = None) -> Iterator[Tensor]:
        """Numbers of the pictures in order, `size` at a time, up to `limit` in all."""
        count = len(self) if limit is None else min(limit, len(self))
        for start in range(0, count, size):
            yield torch.arange(start, min(start + size, count))

    def sample(self, count: int) -> Tensor:
        """Numbers of up to `count` of them, evenly spaced."""
        return torch.linspace(0, len(self) - 1, min(count, len(self))).round().to(torch.int64)

    def mix(self, count: int) -> Tensor:
        """Numbers of up to `count` of them in a drawn order that is always the same. Folders come one after the other,
        and with them the classes: only mixed pictures make batches that are alike."""
        return torch.randperm(len(self), generator=generator(0, "mixed"))[:count]

    def spread(self, count: int) -> Tensor:
        """Up to `count` of them, evenly spaced: a sample for statistics."""
        return self.only(self.sample(count))

    def positions(self, chosen: Tensor) -> Numbers:
        """Where the pictures of these numbers are in the cache."""
        found: Numbers = self._positions[chosen.numpy()]
        return found

    @property
    def broken(self) -> list[str]:
        """Those known to be unreadable; others stand in for them."""
        return sorted(set(self._cache.broken).intersection(self.paths))

    def keep_readable(self, count: int | None = None) -> "Pictures":
        """Keep those of the first `count` (or of all) that can be read; wait for these if they are being read."""
        good = self._cache.readable(self._positions[:count])
        return Pictures(self._cache, list(compress(self.paths, good)), self.device)

    def await_read(self, chosen: Tensor) -> None:
        """Wait until these are read, or known not to be readable. Raises DiskFull while there is no room for them."""
        self._cache.await_read(self.positions(chosen))

    def chosen(self, numbers: Tensor) -> "Pictures":
        """Those of these numbers, in their order."""
        return self.of([self.paths[number] for number in numbers.tolist()])

    def of(self, paths: Sequence[str]) -> "Pictures":
        """Others of the same cache."""
        return Pictures(self._cache, paths, self.device)

    def order(self, batch_size: int, seed: int) -> "Order":
        """The order in which a training takes them."""
        return Order(len(self), batch_size, seed)

    def read_first(self, order: "Order", sample: int, control: RunControl) -> Generator[Preparing, None, Tensor]:
        """Have them read in the order of the first epoch, if they are still being read. Waits for the first `sample`
        of them (N at most) and returns these: uint8 (N, 3, side, side) on the device, as `first`.

        Raises DataError when fewer than four pictures can be read, RunError when stopped.
        """
        shuffled = self.positions(order.shuffle(0))
        yield from self._cache.read_first(shuffled, sample, control)
        return self.first(order, sample)

    def first(self, order: "Order", sample: int) -> Tensor:
        """Up to `sample` pictures (N), uint8 (N, 3, side, side) on the device.

        They are the first that a training takes, so that its first steps need not wait for others. Their order is a
        shuffle: as a sample they are as good as any.
        """
        return self.only(order.first(sample))

    def stand_ins(self, numbers: Numbers) -> Numbers:
        """A picture that cannot be read is replaced by the next one that can: which it is does not depend on when that
        is found out, and no batch becomes smaller. Raises DataError if there is none."""
        for _ in range(len(self) + 1):
            bad = ~self._cache.readable(self._positions[numbers])
            if not bad.any():
                return numbers
            numbers = np.where(bad, (numbers + 1) % len(self), numbers)
        raise DataError(
            "Not one of the {value} pictures to train on can be read. Choose another folder.", value=len(self)
        )

    def _gather(self, numbers: Numbers) -> Tensor:
        return self.device.bring(self._cache.pixels(self._positions[self.stand_ins(numbers)]))


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
        return self.shuffle(epoch)[place * self.batch_size : (place + 1) * self.batch_size]

    def first(self, count: int) -> Tensor:
        """Numbers, ascending, of the first `count` pictures that a training takes."""
        return self.shuffle(0)[:count].sort().values

    def shuffle(self, epoch: int) -> Tensor:
        """Shuffle the numbers of all pictures into the order of this epoch."""
        if epoch != self._epoch:
            self._shuffled = torch.randperm(self.count, generator=generator(self._seed, "order", epoch))
            self._epoch = epoch
        return self._shuffled
