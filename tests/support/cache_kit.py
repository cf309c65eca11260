"""Building and checking small caches."""

import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.images.cache.pixel_cache import PixelCache, build_cache
from sslstudio.engine.images.cache.store import store_folder
from sslstudio.engine.images.formats.decode import decode
from sslstudio.engine.images.index import scan

SIDE = 8
CHILD = """
    import os, signal, sys
    from pathlib import Path
    from sslstudio.engine.images.cache import pixel_cache, reader
    from sslstudio.engine.images.index import scan
    reader.EVENT_SECONDS = 0.0
    reader.COMMIT_PICTURES = 5
    root, where = Path(sys.argv[1]), Path(sys.argv[2])
"""


def drain(steps: Generator[Preparing, None, PixelCache]) -> tuple[PixelCache, list[Preparing]]:
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return end.value, events


def build(root: Path, where: Path, side: int = SIDE, **options: Any) -> PixelCache:
    return drain(build_cache(scan(root), side, cache_dir=where, **options))[0]


def draw(path: Path, number: int) -> None:
    """A picture that no other number has."""
    pixels = np.random.default_rng(number).integers(0, 256, (SIDE + number % 5, SIDE + 3, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def garble(path: Path) -> None:
    """Other content of the same size and time: only a reader can tell."""
    about = path.stat()
    path.write_bytes(b"\xaa" * about.st_size)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def assert_right(cache: PixelCache) -> None:
    """Every row holds what its file decodes to."""
    got = cache.pixels().permute(0, 2, 3, 1).numpy()
    for row, path in zip(got, cache.index.paths, strict=True):
        assert np.array_equal(row, decode(cache.index.root / path, cache.side)), path


def slots(root: Path, where: Path) -> dict[str, int]:
    table = sqlite3.connect(store_folder(where, root, SIDE) / "pictures.sqlite")
    rows = table.execute("SELECT path, slot FROM pictures WHERE slot IS NOT NULL").fetchall()
    table.close()
    return {os.fsdecode(path): slot for path, slot in rows}


def child(body: str, root: Path, where: Path, *more: str, **options: Any) -> "subprocess.Popen[str]":
    code = textwrap.dedent(CHILD) + textwrap.dedent(body)
    command = [sys.executable, "-c", code, str(root), str(where), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
