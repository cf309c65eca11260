"""Whoever reads the cache keeps what it looks at, and what is damaged is decoded again, never read."""

import os
import signal
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.images.cache import reader
from sslstudio.engine.images.cache.pixel_cache import PixelCache, build_cache, stream_cache
from sslstudio.engine.images.cache.store import TABLE, store_folder
from sslstudio.engine.images.formats.decode import decode
from sslstudio.engine.images.index import scan
from tests.support import cache_kit as tools

SIDE = tools.SIDE


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(6):
        paint(folder, number)
    return folder


def paint(folder: Path, number: int, seed: int = 0) -> None:
    rng = np.random.default_rng((number, seed))
    Image.fromarray(rng.integers(0, 256, (20 + seed, 20, 3), dtype=np.uint8)).save(folder / f"{number}.png")


def build(root: Path, tmp_path: Path) -> PixelCache:
    return to_end(build_cache(scan(root), SIDE, cache_dir=tmp_path / "cache"))


def place(root: Path, tmp_path: Path) -> Path:
    return store_folder(tmp_path / "cache", root, SIDE)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_reader_keeps_its_pictures_when_files_change_and_somebody_indexes(
    root: Path, tmp_path: Path, streamed: bool
) -> None:
    if streamed:
        mine: PixelCache = to_end(stream_cache(scan(root), SIDE, cache_dir=tmp_path / "cache"))
    else:
        mine = build(root, tmp_path)
    before = mine.pixels(list(range(6))).clone()
    for number in (0, 3, 5):
        paint(root, number, seed=1)
    tools.assert_right(build(root, tmp_path))
    assert (mine.pixels(list(range(6))) == before).all()
    (root / "5.png").unlink()  # the last one: its slot is behind all that are used
    paint(root, 7)
    tools.assert_right(build(root, tmp_path))
    assert (mine.pixels(list(range(6))) == before).all()
    mine.close()


def test_slots_are_used_again_when_the_last_reader_has_gone(root: Path, tmp_path: Path) -> None:
    mine = build(root, tmp_path)
    size = (place(root, tmp_path) / "pixels.bin").stat().st_size
    paint(root, 0, seed=1)
    other = build(root, tmp_path)
    assert (place(root, tmp_path) / "pixels.bin").stat().st_size == size + SIDE * SIDE * 3
    del mine, other
    paint(root, 1, seed=1)
    build(root, tmp_path)
    assert (place(root, tmp_path) / "pixels.bin").stat().st_size == size + SIDE * SIDE * 3
    assert not list(place(root, tmp_path).glob("reader-*"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_reader_that_was_killed_is_no_reader(root: Path, tmp_path: Path) -> None:
    body = """
        from sslstudio.engine.core.control import to_end
        cache = to_end(pixel_cache.build_cache(scan(root), 8, cache_dir=where))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    with tools.child(body, root, tmp_path / "cache") as process:
        said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said
    assert list(place(root, tmp_path).glob("reader-*"))
    paint(root, 0, seed=1)
    tools.assert_right(build(root, tmp_path))
    assert len(set(tools.slots(root, tmp_path / "cache").values())) == 6
    assert max(tools.slots(root, tmp_path / "cache").values()) == 5
    assert not list(place(root, tmp_path).glob("reader-*"))


@pytest.mark.parametrize("how", ["zeros", "other bytes", "cut", "swapped", "no table", "table of noise"])
def test_what_is_damaged_is_decoded_again(root: Path, tmp_path: Path, how: str) -> None:
    build(root, tmp_path)
    file, table = place(root, tmp_path) / "pixels.bin", place(root, tmp_path) / TABLE
    content = file.read_bytes()
    square = SIDE * SIDE * 3
    if how == "zeros":
        file.write_bytes(bytes(len(content)))
    elif how == "other bytes":
        file.write_bytes(content[:700] + bytes([content[700] ^ 255]) + content[701:])
    elif how == "cut":
        file.write_bytes(content[: 2 * square + 5])
    elif how == "swapped":
        file.write_bytes(content[square : 2 * square] + content[:square] + content[2 * square :])
    elif how == "no table":
        table.unlink()
    else:
        table.write_bytes(bytes(range(256)) * 30)
    tools.assert_right(build(root, tmp_path))


def test_a_file_that_is_cut_off_while_it_is_read_is_said(root: Path, tmp_path: Path) -> None:
    mine = build(root, tmp_path)
    os.truncate(place(root, tmp_path) / "pixels.bin", 100)
    with pytest.raises(RunError, match=r"pixels\.bin has been cut off by something else"):
        mine.pixels()
    with pytest.raises(RunError, match="has been cut off"):
        mine.pixels([0])
    tools.assert_right(build(root, tmp_path))


def test_what_is_read_is_used_on_a_disk_that_is_read_only(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(root, tmp_path)
    monkeypatch.setattr(reader, "_can_write", lambda _: False)
    folder = place(root, tmp_path)
    before = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.iterdir()}
    tools.assert_right(build(root, tmp_path))
    streamed = to_end(stream_cache(scan(root), SIDE, cache_dir=tmp_path / "cache", control=RunControl()))
    assert (streamed.pixels([2])[0].permute(1, 2, 0).numpy() == decode(root / "2.png", SIDE)).all()
    streamed.close()
    assert {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.iterdir()} == before


def test_the_table_knows_the_checksum_of_each_picture(root: Path, tmp_path: Path) -> None:
    build(root, tmp_path)
    table = sqlite3.connect(place(root, tmp_path) / TABLE)
    sums = [number for (number,) in table.execute("SELECT checksum FROM pictures")]
    table.close()
    assert len(set(sums) - {0}) == 6
