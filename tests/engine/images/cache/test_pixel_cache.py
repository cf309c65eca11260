"""Pixels are decoded once, come back right in any order, and survive whatever happens while they are written."""

import os
import threading
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.images.cache.pixel_cache import STAGE, PixelCache, build_cache
from sslstudio.engine.images.cache.reader import WAITING
from sslstudio.engine.images.cache.store import store_folder
from sslstudio.engine.images.formats.decode import decode
from sslstudio.engine.images.index import scan

SIDE = 8
PARTS = st.sets(st.integers(0, 11), min_size=1)


@pytest.fixture(scope="module")
def built(tools: Any, odd_tree: Any, tmp_path_factory: pytest.TempPathFactory) -> PixelCache:
    cache: PixelCache = tools.build(odd_tree.root, tmp_path_factory.mktemp("built"), 16)
    return cache


def test_all_that_was_made_is_accounted_for(odd_tree: Any, built: PixelCache) -> None:
    index = built.index
    assert sorted(index.paths) == sorted(odd.path for odd in odd_tree.of("readable"))
    reasons = {item.path: item.reason for item in index.unreadable}
    assert set(reasons) == {odd.path for odd in odd_tree.of("unreadable")}
    assert len(index) + len(reasons) + sum(index.ignored.values()) == len(odd_tree.odds)
    assert len(odd_tree.odds) >= 200
    for odd in odd_tree.of("unreadable"):
        assert odd.reason in reasons[odd.path]


def test_every_row_is_what_decode_gives(tools: Any, built: PixelCache) -> None:
    tools.assert_right(built)


def test_sizes_are_those_of_the_files(odd_tree: Any, built: PixelCache, kit: Any) -> None:
    assert built.sizes.dtype == np.int32
    assert built.sizes.shape == (len(built), 2)
    for path, size in zip(built.index.paths, built.sizes.tolist(), strict=True):
        assert size == ([1280, 1920] if path == "jpeg/large.jpg" else [kit.HEIGHT, kit.WIDTH]), path


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_positions_in_any_order(built: PixelCache, data: st.DataObject) -> None:
    positions = data.draw(st.lists(st.integers(0, len(built) - 1), min_size=1, max_size=6))
    chosen = built.pixels(positions)
    assert chosen.shape == (len(positions), 3, 16, 16)
    assert chosen.dtype == torch.uint8
    assert chosen.is_contiguous(memory_format=torch.channels_last)
    for got, position in zip(chosen, positions, strict=True):
        wanted = decode(built.index.root / built.index.paths[position], 16)
        assert np.array_equal(got.permute(1, 2, 0).numpy(), wanted)


@settings(max_examples=8, deadline=None)
@given(first=PARTS, second=PARTS, workers=st.integers(1, 4))
def test_any_part_after_any_part(
    tools: Any, tmp_path_factory: pytest.TempPathFactory, first: set[int], second: set[int], workers: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    for number in range(12):
        tools.draw(folder / "data" / f"{number:02}.png", number)
    whole = scan(folder / "data")
    for part in (first, second):
        index = whole.subset([whole.paths[number] for number in part])
        cache, _ = tools.drain(build_cache(index, SIDE, cache_dir=folder / "cache", workers=workers))
        assert cache.index.paths == index.paths
        tools.assert_right(cache)
    assert len(tools.slots(folder / "data", folder / "cache")) == len(first | second)


def test_no_positions_and_positions_out_of_range(built: PixelCache) -> None:
    assert built.pixels([]).shape == (0, 3, 16, 16)
    with pytest.raises(IndexError):
        built.pixels([len(built)])


def test_writing_to_pixels_reaches_neither_disk_nor_others(tools: Any, root: Path, tmp_path: Path) -> None:
    cache = tools.build(root, tmp_path / "cache")
    cache.pixels().zero_()
    tools.assert_right(tools.build(root, tmp_path / "cache"))


def test_progress_counts_up_and_ends_with_all(tools: Any, root: Path, tmp_path: Path) -> None:
    _, events = tools.drain(build_cache(scan(root), SIDE, cache_dir=tmp_path / "cache"))
    assert {event.stage for event in events} == {STAGE}
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert (events[-1].done, events[-1].total) == (20, 20)


def test_a_second_start_opens_no_picture(tools: Any, root: Path, tmp_path: Path) -> None:
    before = tools.build(root, tmp_path / "cache").pixels().clone()
    for path in root.rglob("*.png"):
        tools.garble(path)
    again, events = tools.drain(build_cache(scan(root), SIDE, cache_dir=tmp_path / "cache"))
    assert torch.equal(again.pixels(), before)
    assert again.sizes[4].tolist() == [SIDE + 12 % 5, SIDE + 3]  # 0/12.png is the fifth
    assert [(event.done, event.total) for event in events] == [(20, 20)]


def test_only_what_changed_is_decoded_again(tools: Any, root: Path, tmp_path: Path) -> None:
    before = tools.build(root, tmp_path / "cache").pixels().clone()
    places = tools.slots(root, tmp_path / "cache")
    for path in root.rglob("*.png"):
        tools.garble(path)
    tools.draw(root / "0" / "03.png", 100)
    tools.draw(root / "0" / "new.png", 101)
    (root / "1" / "04.png").unlink()
    cache = tools.build(root, tmp_path / "cache")
    for position, name in enumerate(cache.index.paths):
        got = cache.pixels([position])[0]
        if name in ("0/03.png", "0/new.png"):
            assert np.array_equal(got.permute(1, 2, 0).numpy(), decode(root / name, SIDE))
        else:
            assert torch.equal(got, before[sorted(places).index(name)])


def test_the_slots_of_gone_and_changed_files_are_used_again(tools: Any, root: Path, tmp_path: Path) -> None:
    tools.build(root, tmp_path / "cache")
    places = tools.slots(root, tmp_path / "cache")
    freed = {places["0/00.png"], places["0/03.png"], places["2/02.png"]}
    (root / "0" / "00.png").unlink()
    (root / "0" / "03.png").unlink()
    tools.draw(root / "2" / "02.png", 200)
    tools.draw(root / "new.png", 201)
    cache = tools.build(root, tmp_path / "cache")
    tools.assert_right(cache)
    after = tools.slots(root, tmp_path / "cache")
    assert {after["2/02.png"], after["new.png"]} < freed
    assert "0/00.png" not in after


def test_what_cannot_be_read_is_remembered_until_it_changes(tools: Any, root: Path, tmp_path: Path) -> None:
    bad = root / "0" / "00.png"
    bad.write_bytes(b"words " * 10)
    first = tools.build(root, tmp_path / "cache")
    assert [(item.path, item.reason) for item in first.index.unreadable] == [
        ("0/00.png", "not a picture that can be read: it is a text")
    ]
    about = bad.stat()
    tools.garble(bad)  # were it opened, the reason would be another one
    assert tools.build(root, tmp_path / "cache").index.unreadable == first.index.unreadable
    tools.draw(bad, 7)
    os.utime(bad, ns=(0, about.st_mtime_ns + 1))
    healed = tools.build(root, tmp_path / "cache")
    assert not healed.index.unreadable
    tools.assert_right(healed)


def test_what_cannot_be_opened_just_now_is_tried_again(tools: Any, root: Path, tmp_path: Path) -> None:
    index = scan(root)
    away = tmp_path / "away.png"
    (root / "0" / "00.png").rename(away)
    cache, _ = tools.drain(build_cache(index, SIDE, cache_dir=tmp_path / "cache"))
    assert [item.path for item in cache.index.unreadable] == ["0/00.png"]
    assert "gone" in cache.index.unreadable[0].reason
    away.rename(root / "0" / "00.png")
    assert len(tools.build(root, tmp_path / "cache")) == 20


def test_sides_and_folders_do_not_meet(tools: Any, root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    tools.draw(other / "0" / "00.png", 50)
    for folder, side in ((root, 8), (root, 5), (other, 8), (root, 8)):
        tools.assert_right(tools.build(folder, tmp_path / "cache", side))


def test_nothing_is_written_to_the_users_folder(tools: Any, root: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]}
    tools.build(root, tmp_path / "cache")
    assert {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]} == before


def test_the_default_place_is_the_one_in_the_environment(tools: Any, root: Path, own_cache: Path) -> None:
    tools.drain(build_cache(scan(root), SIDE))
    assert (store_folder(own_cache, root, SIDE) / "pixels.bin").stat().st_size == 20 * SIDE * SIDE * 3


def test_not_one_readable_picture_is_an_error(tools: Any, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(7):
        (folder / f"{number}.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"Not one of the 7 .* \(0.jpg: empty file; .* and 2 more\)"):
        tools.build(folder, tmp_path / "cache")


def test_stopping_keeps_what_was_decoded(
    tools: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sslstudio.engine.images.cache.reader.EVENT_SECONDS", 0.0)
    control = RunControl()
    steps = build_cache(scan(root), SIDE, cache_dir=tmp_path / "cache", control=control)
    for _ in range(4):
        next(steps)
    control.stop()
    with pytest.raises(RunError, match=r"^Stopped while reading pictures\.$"):
        next(steps)
    kept = tools.slots(root, tmp_path / "cache")
    assert len(kept) == 4
    for path in kept:
        tools.garble(root / path)
    assert len(tools.build(root, tmp_path / "cache")) == 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_an_abandoned_build_lets_the_next_one_in(tools: Any, root: Path, tmp_path: Path) -> None:
    steps = build_cache(scan(root), SIDE, cache_dir=tmp_path / "cache")
    next(steps)
    steps.close()
    tools.assert_right(tools.build(root, tmp_path / "cache"))


def test_a_build_waits_for_another_and_can_be_stopped_meanwhile(tools: Any, root: Path, tmp_path: Path) -> None:
    folder = store_folder(tmp_path / "cache", root, SIDE)
    folder.mkdir(parents=True)
    control = RunControl()
    steps = build_cache(scan(root), SIDE, cache_dir=tmp_path / "cache", control=control)
    with filelock.FileLock(folder / "lock"):
        assert next(steps).stage == WAITING
        assert next(steps).stage == WAITING
        control.stop()
        with pytest.raises(RunError, match="Stopped"):
            next(steps)
    assert len(tools.build(root, tmp_path / "cache")) == 20


@pytest.mark.parametrize("damage", ["no pixels", "short pixels", "no table", "garbage table"])
def test_a_damaged_cache_is_made_again(tools: Any, root: Path, tmp_path: Path, damage: str) -> None:
    tools.build(root, tmp_path / "cache")
    folder = store_folder(tmp_path / "cache", root, SIDE)
    pixels, table = folder / "pixels.bin", folder / "pictures.sqlite"
    if damage == "no pixels":
        pixels.unlink()
    elif damage == "short pixels":
        os.truncate(pixels, 1000)
    elif damage == "no table":
        table.unlink()
    else:
        table.write_bytes(b"garbage " * 1000)
    tools.assert_right(tools.build(root, tmp_path / "cache"))


def test_more_than_the_disk_holds_is_refused_at_once(tools: Any, root: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="The disk is full: the decoded pictures need "):
        tools.build(root, tmp_path / "cache", 2_000_000)


def test_a_cache_folder_that_cannot_be_made_is_said_in_words(tools: Any, root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RunError, match=r"cannot be made: Not a directory\. Set SSLSTUDIO_CACHE"):
        tools.build(root, tmp_path / "file" / "cache")


def test_dates_beyond_the_integers_of_the_table(tools: Any, root: Path, tmp_path: Path) -> None:
    os.utime(root / "0" / "00.png", ns=(0, 2**63 + 5))
    before = tools.build(root, tmp_path / "cache").pixels().clone()
    tools.garble(root / "0" / "00.png")
    assert torch.equal(tools.build(root, tmp_path / "cache").pixels(), before)
