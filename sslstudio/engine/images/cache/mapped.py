"""The file of squares as memory, with its length looked at before each use: the system ends a process that looks at a
part of a mapped file that somebody has cut off."""

import os
from pathlib import Path

import numpy as np

from sslstudio.engine.core.errors import RunError


class MappedSquares:
    """`squares`: uint8 (count, side, side, 3), the first of a file. Raises RunError when it has fewer."""

    def __init__(self, path: Path, side: int, count: int) -> None:
        self._path, self._size = path, count * side * side * 3
        shape = (count, side, side, 3)
        self._file = path.open("rb", buffering=0)
        self.check()
        # "c": writable in memory, never on disk, because torch warns about arrays that cannot be written
        self.squares = (
            np.asarray(np.memmap(self._file, np.uint8, "c", shape=shape)) if count else np.zeros(shape, np.uint8)
        )

    def check(self) -> None:
        """Raises RunError when the file has become shorter, which nothing in this program does."""
        if os.fstat(self._file.fileno()).st_size < self._size:
            raise RunError(
                "{path} has been cut off by something else while it was used. Start again, or go on with the run: what "
                "is missing is decoded again.",
                path=self._path,
            )

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()
