"""What a folder held is remembered, and never wrongly."""

import itertools
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images import listing, listing_cache
from sslstudio.engine.images.index import ImageIndex, file_at, scan

FOLDERS = ("", "a", "a-b", "a/b", "a/b/c", "z")
NAMES = ("1.jpg", "2.PNG", "b.jpg", "note.txt", "IM1", ".hidden.jpg", "é.tif")
PLACES = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES)).map("/".join).map(lambda path: path.lstrip("/"))
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), PLACES, st.binary(max_size=3)),
        st.tuples(st.just("remove"), PLACES, st.just(b"")),
        st.tuples(st.just("rename"), PLACES, PLACES),
        st.tuples(st.just("link"), PLACES, PLACES),
        st.tuples(st.just("move folder"), st.sampled_from(FOLDERS[1:]), st.sampled_from(FOLDERS[1:])),
    ),
    max_size=6,
)
TICKS = itertools.count(1)


@pytest.fixture
def all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small folders are remembered too, and at once."""
    monkeypatch.setattr(listing_cache, "LEAST", 0)
    monkeypatch.setattr(listing_cache, "STALE", 0.0)
    monkeypatch.setattr(listing_cache, "RACE_NS", -(10**18))


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that were really listed."""
    folders: list[str] = []
    real = listing.list_folder

    def watched(root: str, prefix: str):  # type: ignore[no-untyped-def]
        folders.append(prefix)
        return real(root, prefix)

    monkeypatch.setattr("sslstudio.engine.images.scanner.list_folder", watched)
    return folders


def edit(root: Path, what: str, first: str, second: str | bytes) -> None:
    """One change, if it is possible; the folders it touched get a time of their own, as if a while had passed."""
    path = root / first
    target = root / second if isinstance(second, str) else root
    if path.is_dir() and what in ("write", "remove", "rename", "link"):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if what == "write" and isinstance(second, bytes):
        path.unlink(missing_ok=True)  # a link would be written through
        path.write_bytes(b"\xff\xd8\xff" * 50 + second)
    elif what == "remove":
        path.unlink(missing_ok=True)
    elif what == "rename" and path.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    elif what == "link" and not path.is_symlink() and not path.exists():
        path.symlink_to(target)
    elif what == "move folder" and path.is_dir() and not target.exists() and path not in target.parents:
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    for folder in {path.parent, target.parent} & {root, *root.rglob("*")}:
        os.utime(folder, ns=(0, 10**18 + next(TICKS)))


def seen(root: Path, cache: Path) -> tuple[object, ...]:
    try:
        index = scan(root, cache)
    except DataError as error:
        return (str(error),)
    return index.paths, index.unreadable, index.ignored, [file_at(root, path) for path in index.paths]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(EDITS, min_size=1, max_size=4))
def test_a_rescan_sees_what_a_fresh_scan_sees(
    all_remembered: None, rounds: list[list[tuple[str, str, str | bytes]]]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "data"
        (root / "a").mkdir(parents=True)
        (root / "a" / "0.jpg").write_bytes(b"")
        for number, edits in enumerate(rounds):
            for what, first, second in edits:
                edit(root, what, first, second)
            assert seen(root, Path(place) / "cache") == seen(root, Path(place) / f"fresh {number}")


def test_only_changed_folders_are_listed_again(all_remembered: None, listed: list[str], tmp_path: Path) -> None:
    for name in ("a/1.jpg", "a/2.jpg", "b/1.jpg", "b/c/1.jpg"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(b"")
    first = scan(tmp_path / "data", tmp_path / "cache")
    assert sorted(listed) == ["", "a/", "b/", "b/c/"]
    listed.clear()
    assert scan(tmp_path / "data", tmp_path / "cache") == first
    assert listed == []
    edit(tmp_path / "data", "write", "b/c/2.jpg", b"")
    assert len(scan(tmp_path / "data", tmp_path / "cache")) == 5
    assert listed == ["b/c/"]


def test_a_folder_that_just_changed_is_not_remembered(
    all_remembered: None, monkeypatch: pytest.MonkeyPatch, listed: list[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(listing_cache, "RACE_NS", 3_000_000_000)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.jpg").write_bytes(b"")
    for _ in range(2):
        scan(tmp_path / "data", tmp_path / "cache")
    assert listed == ["", ""]


@pytest.mark.parametrize("content", ["", "[1", "[1, 2, 3]", '[0, {"": []}]', "{}", "3", '[1, ["a"]]'])
def test_a_damaged_memory_is_none(all_remembered: None, tmp_path: Path, content: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.jpg").write_bytes(b"")
    first = scan(tmp_path / "data", tmp_path / "cache")
    [file] = (tmp_path / "cache" / "folders").iterdir()
    file.write_text(content)
    assert scan(tmp_path / "data", tmp_path / "cache") == first


def test_a_cache_that_cannot_be_written_stops_nothing(all_remembered: None, tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"")
    (tmp_path / "cache").write_bytes(b"a file")
    assert scan(tmp_path, tmp_path / "cache").paths == ["1.jpg"]


def test_few_pictures_are_not_written_down(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"")
    scan(tmp_path, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    assert isinstance(scan(tmp_path, tmp_path / "cache"), ImageIndex)
