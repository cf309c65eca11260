"""On a disk that becomes full while pictures are read, a run waits, says so, and goes on when there is room. The system
itself refuses here: no file may grow beyond a size."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sslstudio.engine.core import room
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DiskFull, RunError
from sslstudio.engine.images.cache import reader
from sslstudio.engine.images.cache import store as store_module
from sslstudio.engine.images.cache.pixel_cache import StreamingCache, build_cache, stream_cache
from sslstudio.engine.images.cache.store import PixelStore, store_folder
from sslstudio.engine.images.index import file_at, scan
from tests.support.full_disk import full_disk

SIDE = 64
SEVEN = 7 * SIDE * SIDE * 3
pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once, and records each picture by itself."""
    monkeypatch.setattr(room, "SECONDS", 0.01)
    monkeypatch.setattr(reader, "COMMIT_PICTURES", 1)


def streaming(root: Path, where: Path, control: RunControl) -> StreamingCache:
    return to_end(stream_cache(scan(root), SIDE, cache_dir=where, control=control, workers=1, patient=True))


def test_a_run_goes_on_with_the_same_pictures(tools: Any, root: Path, tmp_path: Path) -> None:
    control, where = RunControl(), tmp_path / "cache"
    with full_disk(SEVEN):
        cache = streaming(root, where, control)
        cache.await_read(range(7))  # for these there is room
        with pytest.raises(DiskFull, match=r"The disk is full: the decoded pictures need 0\.2 MB more in"):
            cache.await_read(range(20))
        stages = {str(event.stage) for event, _ in zip(cache.until(range(20), control), range(3), strict=False)}
        folder = store_folder(where, root, SIDE)
        assert stages == {f"The disk is full: waiting for room for the decoded pictures in {folder}"}
    assert cache.readable(range(20)).all()
    cache.close()
    again = tools.build(root, where, SIDE)
    tools.assert_right(again)
    assert sorted(again._slots.tolist()) == list(range(20))  # none was left out by a try that failed


def test_whoever_waits_for_room_can_stop(root: Path, tmp_path: Path) -> None:
    control = RunControl()
    with full_disk(SEVEN):
        cache = streaming(root, tmp_path / "cache", control)
        with pytest.raises(DiskFull):
            cache.await_read(range(20))
        control.stop()
        with pytest.raises(DiskFull):
            cache.readable(range(20))
        cache.close()


@pytest.mark.parametrize("patient", [True, False])
def test_a_whole_cache(tools: Any, root: Path, tmp_path: Path, patient: bool) -> None:
    steps = build_cache(scan(root), SIDE, cache_dir=tmp_path / "cache", workers=1, patient=patient)
    if not patient:
        with full_disk(SEVEN), pytest.raises(RunError, match="The disk is full"):
            to_end(steps)
        return
    with full_disk(SEVEN):
        waited = next(event for event in steps if str(event.stage).startswith("The disk is full: waiting"))
        assert (waited.done, waited.total) == (8, 20)
    tools.assert_right(to_end(steps))


def test_a_table_that_is_full_is_written_when_there_is_room(tmp_path: Path, root: Path) -> None:
    index = scan(root)
    store = PixelStore(tmp_path, SIDE)
    for path in index.paths[:2]:
        store.put_reason(file_at(root, path), "x" * 90_000)
    with full_disk(SEVEN), pytest.raises((OSError, sqlite3.Error)):
        store.commit()
    assert not store.rows
    store.commit()
    store.close()
    again = PixelStore(tmp_path, SIDE)
    assert sorted(again.rows) == sorted(index.paths[:2])
    again.close()


def test_what_could_not_be_synced_is_written_again(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = store_module

    index, written, refused = scan(root), [], [True]
    real, sync = module.write_all, module.os.fsync

    def fsync(handle: int) -> None:
        if refused.pop() if refused else False:
            raise OSError(28, "No space left on device")
        sync(handle)

    def write(handle: int, content: bytes) -> None:
        written.append(content)
        real(handle, content)

    monkeypatch.setattr(module, "write_all", write)
    monkeypatch.setattr(module.os, "fsync", fsync)
    store = PixelStore(tmp_path, 1)
    store.put(file_at(root, index.paths[0]), np.full((1, 1, 3), 7, np.uint8), 1, 1)
    with pytest.raises(OSError, match="No space"):
        store.commit()
    store.commit()
    store.close()
    assert written == [b"\7\7\7"] * 2
