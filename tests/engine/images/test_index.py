"""A folder becomes a list: nothing is missed, nothing is opened that need not be, nothing stops it."""

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.index import (
    HIDDEN,
    HIDDEN_FOLDER,
    NO_SUFFIX,
    SUFFIXES,
    SYSTEM_FOLDER,
    ImageFile,
    ImageIndex,
    file_at,
    printable,
    scan,
    scanning,
)
from sslstudio.engine.images.scanner import FIRST

PNG = b"\x89PNG\r\n\x1a\n and so on"


def fill(folder: Path, *paths: str, content: bytes = PNG) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


@contextmanager
def ordinary_user() -> Iterator[Path]:
    """A new folder, seen without the powers of root (who may read everything)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        root = os.geteuid() == 0
        try:
            if root:
                os.chown(folder, 65534, 65534)
                os.seteuid(65534)
            yield folder
        finally:
            if root:
                os.seteuid(0)
            for path in [folder, *folder.rglob("*")]:
                path.chmod(0o755)


def test_every_oddity_is_listed_once(odd_tree: Any) -> None:
    index = scan(odd_tree.root)
    listed = index.paths + [item.path for item in index.unreadable]
    expected = [odd.path for odd in odd_tree.odds if odd.outcome != "ignored"]
    assert sorted(listed) == sorted(expected)
    assert sum(index.ignored.values()) == len(odd_tree.of("ignored"))
    assert index.paths == sorted(index.paths)


def test_what_the_walk_itself_cannot_read_has_its_reason(odd_tree: Any) -> None:
    reasons = {item.path: item.reason for item in scan(odd_tree.root).unreadable}
    special = [odd for odd in odd_tree.of("unreadable") if odd.path.startswith(("special/", "scan."))]
    assert set(reasons) == {odd.path for odd in special}
    for odd in special:
        assert odd.reason in reasons[odd.path]


def test_sizes_and_times_are_those_of_the_files(odd_tree: Any) -> None:
    paths = scan(odd_tree.root).paths
    assert len(paths) > 10
    for path in paths:
        about = os.stat(odd_tree.root / path)
        assert file_at(odd_tree.root, path) == ImageFile(path, about.st_size, about.st_mtime_ns)


def test_others_are_counted_by_suffix(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "b.TXT", "deep/c.csv", "LICENSE", "x.123", content=b"words")
    fill(tmp_path, ".hidden.jpg", "._a.jpg", ".cache/1.jpg", ".cache/2.jpg", "a.jpg")
    assert scan(tmp_path).ignored == {".txt": 2, HIDDEN: 2, ".csv": 1, NO_SUFFIX: 1, ".123": 1, HIDDEN_FOLDER: 1}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_suffixes_are_known_in_any_case(tmp_path: Path, suffix: str) -> None:
    fill(tmp_path, "a" + suffix, "b" + suffix.upper(), content=b"not looked into")
    assert scan(tmp_path).paths == ["a" + suffix, "b" + suffix.upper()]


def test_files_without_a_known_suffix_are_pictures_if_their_first_bytes_say_so(tmp_path: Path) -> None:
    fill(tmp_path, "IM0001", "1.2.840", "picture.xyz", "picture.v2", "notes.txt")
    fill(tmp_path, "other.xyz", content=b"words")
    fill(tmp_path, "IM0002", content=b"\0" * 128 + b"DICM")
    fill(tmp_path, "IM0003", content=b"\0" * 128 + b"DIC")
    assert scan(tmp_path).paths == ["1.2.840", "IM0001", "IM0002", "picture.v2", "picture.xyz"]
    assert scan(tmp_path).ignored == {".txt": 1, ".xyz": 1, NO_SUFFIX: 1}


def test_files_that_people_take_for_pictures_are_refused_by_name_with_what_to_do(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "phone.HEIC", "brain.nii.gz", "raw.CR2", "cells.czi")
    found = {one.path: str(one.reason) for one in scan(tmp_path).unreadable}
    assert set(found) == {"phone.HEIC", "brain.nii.gz", "raw.CR2", "cells.czi"}
    assert all("save" in reason or "export" in reason for reason in found.values())


def test_of_many_files_of_an_unknown_suffix_only_some_are_opened(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", *(f"{number:03}.xyz" for number in range(100)), content=b"words")
    fill(tmp_path, "999.xyz")
    assert scan(tmp_path).ignored[".xyz"] in (100, 101)


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    fill(tmp_path / "data", "z/1.jpg", "z/2.jpg")
    fill(tmp_path / "elsewhere", "3.jpg")
    root = tmp_path / "data"
    (root / "a link to z").symlink_to(root / "z")
    (root / "z" / "up").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "elsewhere")
    (root / "out again").symlink_to(tmp_path / "elsewhere")
    (root / "outside").symlink_to(tmp_path)
    paths = scan(root).paths
    assert paths[-2:] == ["z/1.jpg", "z/2.jpg"]  # the real path, not that of the link
    assert len(paths) == 3
    assert paths[0].split("/")[-1] == "3.jpg"


def test_a_folder_that_cannot_be_listed_is_named_and_the_rest_is_read() -> None:
    with ordinary_user() as folder:
        fill(folder, "a/1.jpg", "locked/2.jpg", "z/3.jpg")
        (folder / "locked").chmod(0)
        index = scan(folder)
        assert index.paths == ["a/1.jpg", "z/3.jpg"]
        assert [item.path for item in index.unreadable] == ["locked"]
        assert "no permission" in index.unreadable[0].reason


def test_a_nameless_file_that_cannot_be_opened_is_named() -> None:
    with ordinary_user() as folder:
        fill(folder, "a.jpg", "IM1")
        (folder / "IM1").chmod(0)
        assert [(item.path, item.reason) for item in scan(folder).unreadable] == [("IM1", "no permission to read it")]


def test_a_locked_root_is_an_error_in_words() -> None:
    with ordinary_user() as folder:
        (folder / "locked").mkdir(mode=0)
        with pytest.raises(DataError, match="cannot be listed: no permission"):
            scan(folder / "locked")


def test_a_path_longer_than_the_system_allows_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg")
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(24):  # 24 * 200 letters are more than the 4096 of Linux
        os.mkdir("d" * 200, dir_fd=place)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = deeper
    os.close(place)
    index = scan(tmp_path)
    assert index.paths == ["a.jpg"]
    assert len(index.unreadable) == 1


def test_names_that_are_no_utf8_survive(tmp_path: Path) -> None:
    name = os.fsdecode(b"bl\xe5b\xe6r.jpg")
    fill(tmp_path, name, "blåbær.jpg")
    index = scan(tmp_path)
    assert set(index.paths) == {name, "blåbær.jpg"}
    assert {json.loads(json.dumps(path)) for path in index.paths} == set(index.paths)
    assert (index.root / name).read_bytes() == PNG
    assert printable(name) == "bl\ufffdb\ufffdr.jpg"
    assert printable("blåbær.jpg") == "blåbær.jpg"


@given(st.binary(max_size=40))
def test_a_printable_path_is_always_a_text(name: bytes) -> None:
    printable(os.fsdecode(name)).encode("utf-8")


def test_subset_keeps_the_order_and_the_rest() -> None:
    index = replace(ImageIndex.of(Path("/x"), "abcd"), ignored={".txt": 1})
    part = index.subset(["d", "b", "unknown"])
    assert part.paths == ["b", "d"]
    assert (len(index), len(part), part.ignored) == (4, 2, {".txt": 1})


def test_no_pictures_says_what_was_found(tmp_path: Path) -> None:
    fill(tmp_path, *[f"{n}.txt" for n in range(10)], "a.csv", "b.csv", content=b"words")
    with pytest.raises(DataError) as caught:
        scan(tmp_path)
    text = str(caught.value)
    assert text.startswith(f"There are no pictures in {tmp_path}. Looked for .jpg, ")
    assert "Found 12 other files (.txt 10, .csv 2). Choose the folder" in text


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There are no pictures in .* Choose the folder"):
        scan(tmp_path)


def test_a_missing_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no folder .*nowhere"):
        scan(tmp_path / "nowhere")
    fill(tmp_path, "a.jpg")
    with pytest.raises(DataError, match="is a file, not a folder"):
        scan(tmp_path / "a.jpg")
    with pytest.raises(DataError, match="cannot be opened"):
        scan("zero\0byte")


def test_a_relative_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "data/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert scan("data").root == tmp_path / "data"


def test_pictures_are_not_opened(tmp_path: Path) -> None:
    """The system itself tells: reading a file would set the time of its last use."""
    fill(tmp_path, "a.jpg", "b.png", "c.dcm")
    for name in ("a.jpg", "b.png", "c.dcm"):
        os.utime(tmp_path / name, ns=(0, 10**18))
    scan(tmp_path)
    assert all(os.stat(tmp_path / name).st_atime_ns == 0 for name in ("a.jpg", "b.png", "c.dcm"))
    assert stat.S_ISDIR(os.stat(tmp_path).st_mode)


def test_scanning_and_decoding_load_no_torch() -> None:
    code = "import sys, sslstudio.engine.images.cache.pixel_cache\n"
    code += "import sslstudio.engine.images.index\n"
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_scan_says_how_far_it_is_and_names_the_first_pictures(tmp_path: Path) -> None:
    fill(tmp_path, *[f"{folder}/{number:04}.jpg" for folder in "ab" for number in range(100)], content=b"")
    said = []
    steps = scanning(tmp_path, tmp_path / "cache")
    try:
        while True:
            said.append(next(steps))
    except StopIteration as end:
        index = end.value
    assert set(said[-1].first) <= set(index.paths)
    assert len(max(said, key=lambda found: len(found.first)).first) == FIRST
    assert [found.pictures for found in said] == sorted(found.pictures for found in said)


@given(st.lists(st.text("ab-./é~", min_size=1, max_size=8), unique=True))
def test_an_index_of_paths_has_them_in_order(names: list[str]) -> None:
    paths = {"/".join(part for part in name.split("/") if part) for name in names} - {""}
    index = ImageIndex.of(Path("/x"), paths)
    assert index.paths == sorted(paths)
    assert len(index) == len(paths)
    assert index.places == {path: number for number, path in enumerate(sorted(paths))}


@pytest.mark.parametrize(
    "name", ["@eaDir", "@__thumb", "$RECYCLE.BIN", "__MACOSX", "#recycle", "System Volume Information"]
)
def test_folders_of_thumbnails_and_deleted_files_are_left_out_and_counted(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "cat/1.jpg", f"cat/{name}/1.jpg/SYNOPHOTO_THUMB_M.jpg", f"{name}/old.jpg")
    index = scan(tmp_path)
    assert index.paths == ["cat/1.jpg"]
    assert index.ignored == {SYSTEM_FOLDER: 2}
