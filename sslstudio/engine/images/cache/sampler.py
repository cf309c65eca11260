"""A few pictures of a folder at once, whether or not somebody is reading it all: nothing is waited for or written."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sslstudio.engine.core.cache_folder import cache_folder
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.images.cache.pixel_cache import STAGE, PixelCache, Positions
from sslstudio.engine.images.cache.reader import Outcome, check_stop, cores, outcome_of
from sslstudio.engine.images.cache.store import peek, store_folder
from sslstudio.engine.images.index import ImageFile, ImageIndex, file_at

if TYPE_CHECKING:
    import torch

_AT_ONCE = 4  # pictures for each core between two signs of life


class SampledCache(PixelCache):
    """All pictures of `index`; those that are asked for are taken from the cache, or decoded there and then."""

    def __init__(self, index: ImageIndex, side: int, cache_dir: Path | None = None) -> None:
        self.index, self.side = index, side
        self.sizes = np.zeros((len(index), 2), np.int32)
        self._folder = store_folder(cache_dir or cache_folder(), index.root, side, index.channels)
        self._seen: dict[int, npt.NDArray[np.uint8] | None] = {}  # None: it cannot be read

    def __len__(self) -> int:
        return len(self.index)

    @property
    def complete(self) -> bool:
        """Never: only what was asked for is here."""
        return False

    @property
    def broken(self) -> list[str]:
        """What was found to be unreadable."""
        return [self.index.paths[number] for number, pixels in self._seen.items() if pixels is None]

    def until(self, positions: Positions, control: RunControl) -> Generator[Preparing, None, None]:
        """Have these read, and say how far it is. Raises RunError when stopped."""
        numbers = [int(number) for number in positions if int(number) not in self._seen]
        step = _AT_ONCE * cores()
        with ThreadPoolExecutor(cores(), thread_name_prefix="sample") as pool:
            for start in range(0, len(numbers), step):
                check_stop(control)
                yield Preparing(stage=STAGE, done=len(positions) - len(numbers) + start, total=len(positions))
                self._look(numbers[start : start + step], pool)

    def read_first(self, positions: Positions, count: int, control: RunControl) -> Generator[Preparing, None, None]:
        """Have the first `count` of these read. Raises RunError when stopped."""
        yield from self.until(positions[:count], control)

    def _look(self, numbers: list[int], pool: ThreadPoolExecutor) -> None:
        files: dict[int, ImageFile] = {}
        for number in numbers:
            try:
                files[number] = file_at(self.index.root, self.index.paths[number])
            except DataError:
                self._seen[number] = None
        stored = peek(self._folder, self.side, list(files.values()))
        rest = {number: file for number, file in files.items() if file.path not in stored}
        self._seen.update({number: stored[file.path] for number, file in files.items() if file.path in stored})
        outcomes = pool.map(partial(outcome_of, self.index, self.side), rest.values())
        self._seen.update(zip(rest, map(_pixels, outcomes), strict=True))

    def readable(self, positions: Positions) -> npt.NDArray[np.bool_]:
        """Which of these can be read."""
        for _ in self.until(positions, RunControl()):
            pass
        return np.array([self._seen[int(number)] is not None for number in positions], dtype=np.bool_)

    def pixels(self, positions: Positions | None = None) -> "torch.Tensor":
        """As of a whole cache. Raises DataError for one that cannot be read."""
        import torch

        wanted = range(len(self)) if positions is None else [int(number) for number in positions]
        self.readable(wanted)
        found = [pixels for number in wanted if (pixels := self._seen[number]) is not None]
        if len(found) < len(wanted):
            raise DataError("Some of these pictures cannot be read.")
        shape = (len(found), self.side, self.side, 3)
        return torch.from_numpy(np.array(found, dtype=np.uint8).reshape(shape)).permute(0, 3, 1, 2)


def _pixels(outcome: Outcome) -> npt.NDArray[np.uint8] | None:
    return None if isinstance(outcome, DataError) else outcome.pixels
