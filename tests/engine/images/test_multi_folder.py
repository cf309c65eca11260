"""Several folders of pictures are one set, and each of them is read as it would be alone."""

import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslstudio.cli.main import main
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import ConfigError, DataError
from sslstudio.engine.dataset.groups import below, group_paths, suggest_groups
from sslstudio.engine.dataset.near_duplicates import near_duplicates
from sslstudio.engine.images import listing_cache
from sslstudio.engine.images import multi_folder as albums
from sslstudio.engine.images.cache.pixel_cache import build_cache
from sslstudio.engine.images.index import file_at, scan, scanning
from sslstudio.engine.images.multi_folder import (
    FILE,
    Album,
    free_name,
    is_album,
    read_album,
    root_of,
    title_of,
    where,
    write_album,
)
from sslstudio.engine.labels.recognise import recognise
from tests.support.decoded import watch

NAMES = ("scanner A", "scanner-A", "b", "b.2")
PATHS = st.sampled_from(("1.jpg", "2.png", "cats/1.jpg", "cats/deep/3.png", "cats-2/1.jpg", "notes.txt", ".x.jpg"))
TREES = st.dictionaries(st.sampled_from(NAMES), st.sets(PATHS, max_size=5), min_size=1)


def fill(folder: Path, paths: set[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(path.encode())


def alone(folder: Path, cache: Path) -> list[str]:
    try:
        return scan(folder, cache).paths
    except DataError:
        return []


@pytest.fixture
def all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small folders are remembered too, and at once."""
    monkeypatch.setattr(listing_cache, "LEAST", 0)
    monkeypatch.setattr(listing_cache, "STALE", 0.0)
    monkeypatch.setattr(listing_cache, "RACE_NS", -(10**18))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=TREES, more=TREES)
def test_its_pictures_are_those_of_its_folders_also_after_changes(
    all_remembered: None, first: dict[str, set[str]], more: dict[str, set[str]]
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        place, cache = Path(temporary) / "project" / "pictures", Path(temporary) / "cache"
        folders = {name: Path(temporary) / f"disk {number}" / "data" for number, name in enumerate(first)}
        write_album(place, folders)
        for trees in (first, more):
            for name, folder in folders.items():
                fill(folder, trees.get(name, set()))
                os.utime(folder, ns=(0, 10**18 + len(trees.get(name, ()))))
            parts = {name: alone(folder, cache) for name, folder in folders.items()}
            wanted = sorted(f"{name}/{path}" for name, paths in parts.items() for path in paths)
            if not wanted:
                with pytest.raises(DataError, match="no pictures"):
                    scan(place, cache)
                continue
            index = scan(place, cache)
            assert index.paths == wanted
            files = sum(file.is_file() for folder in folders.values() for file in folder.rglob("*"))
            assert len(index) + sum(index.ignored.values()) == files
            for path in index.paths:
                assert (index.root / path).read_bytes() == path.partition("/")[2].encode()
                assert file_at(index.root, path).size == len(path.partition("/")[2])


def test_the_first_pictures_are_told_of_with_the_names_of_their_folders(tmp_path: Path) -> None:
    for name in "ab":
        fill(tmp_path / name, {f"{number:02}.png" for number in range(40)})
    write_album(tmp_path / "album", {name: tmp_path / name for name in "ab"})
    last = list(scanning(tmp_path / "album"))[-1]
    assert len(last.first) == 60
    assert [path[:2] for path in last.first] == ["a/"] * 40 + ["b/"] * 20


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "a", {"1.png"})
    fill(tmp_path / "usb" / "b", {"1.png"})
    write_album(tmp_path / "album", {"a": tmp_path / "a", "day 2": tmp_path / "usb" / "b"})
    (tmp_path / "usb").rename(tmp_path / "unplugged")
    with pytest.raises(DataError, match=r"The folder day 2 is not there: .*usb.b\. Plug in its disk"):
        scan(tmp_path / "album")
    assert list(read_album(tmp_path / "album").find_missing()) == ["day 2"]


def test_folders_that_hold_one_another_are_refused(tmp_path: Path) -> None:
    fill(tmp_path / "a" / "inner", {"1.png"})
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for folders, said in (
        ({"a": tmp_path / "a", "b": tmp_path / "a" / "inner"}, "inner lies in .*a: its pictures would count twice"),
        ({"b": tmp_path / "a" / "inner", "a": tmp_path / "a"}, "inner lies in .*a: its pictures would count twice"),
        ({"a": tmp_path / "a", "b": tmp_path / "link"}, "are the same folder"),
        ({"a": tmp_path / "a", "A": tmp_path / "c"}, "cannot be the name of a folder, or two have it"),
        ({"a/b": tmp_path / "a"}, "cannot be the name"),
    ):
        with pytest.raises(DataError, match=said):
            write_album(tmp_path / "album", folders)
    assert not (tmp_path / "album").exists()
    write_album(tmp_path / "album", {"a": tmp_path / "a"})
    with pytest.raises(DataError, match="is a list of folders itself"):
        write_album(tmp_path / "another", {"album": tmp_path / "album"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format = 1", "lists no folders"), ("folder = [", "cannot be read"), ("folder = [1]", "lists no folders"),
        ("[[folder]]\nname = 'a'", "lists no folders"), ("format = 2\nfolder = []", "newer version"),
        ("[[folder]]\nname = '..'\npath = 'x'", "cannot be the name"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_used_is_an_error_in_words(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(DataError, match=said):
        scan(tmp_path)


def test_a_list_by_hand_may_be_relative_and_what_is_beside_the_list_moves_with_it(tmp_path: Path) -> None:
    fill(tmp_path / "disk" / "pets", {"1.png"})
    fill(tmp_path / "far", {"2.png"})
    place = tmp_path / "disk" / "project" / "pictures"
    write_album(place, {"pets": tmp_path / "disk" / "pets", "far": tmp_path / "far"})
    (tmp_path / "disk").rename(tmp_path / "moved")
    assert scan(tmp_path / "moved" / "project" / "pictures").paths == ["far/2.png", "pets/1.png"]


def test_a_folder_that_lists_none_stays_a_plain_one(tmp_path: Path) -> None:
    fill(tmp_path, {"a/1.png"})
    assert not is_album(tmp_path)
    assert type(root_of(tmp_path)) is type(tmp_path) is type(scan(tmp_path).root)
    assert where(tmp_path, "a/1.png") == str(tmp_path / "a" / "1.png")


def test_a_patient_in_two_folders_is_suggested_to_be_one() -> None:
    paths = [f"{disk}/patient{patient}/{slice_}.png" for disk in "ab" for patient in range(5) for slice_ in range(4)]
    assert suggest_groups(paths) == "subfolder:1"
    assert suggest_groups([path for path in paths if path[:9] != "b/patient"] + ["b/patient9/1.png"]) == "folder:2"


def test_it_is_called_as_its_project_is(tmp_path: Path) -> None:
    write_album(tmp_path / "pets" / "pictures", {"a": tmp_path / "a"})
    write_album(tmp_path / "both", {"a": tmp_path / "a"})
    (tmp_path / "plain" / "pictures").mkdir(parents=True)
    places = ("pets/pictures", "both", "plain/pictures", "gone/pictures")
    assert [title_of(tmp_path / place) for place in places] == ["pets", "both", "pictures", "pictures"]


def test_an_album_is_a_path_whose_files_lie_elsewhere(tmp_path: Path) -> None:
    album = Album.of(tmp_path / "album", {"a": tmp_path / "real"})
    assert album == tmp_path / "album"
    assert album not in (None, Album.of(album, {"a": tmp_path}), Album.of(tmp_path, album.folders))
    assert album == Album.of(album, {"a": tmp_path / "real"})
    assert album / "a/x/1.png" == album / Path("a/x/1.png") == tmp_path / "real" / "x" / "1.png"
    assert album / "other.csv" == tmp_path / "album" / "other.csv"
    assert album / str(tmp_path / "labels") == tmp_path / "labels"
    assert type(album / "a/1.png") is type(tmp_path)
    again = pickle.loads(pickle.dumps(album))
    assert (again, again.folders) == (album, album.folders)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    linked = Album.of(tmp_path / "album", {"a": tmp_path / "link"})
    assert linked.resolve() / "a/1.png" == (tmp_path / "real" / "1.png").resolve()
    assert album.owner_of(tmp_path / "real" / "labels.csv") == "a"
    assert album.owner_of(tmp_path / "labels.csv") == ""


@given(st.lists(st.sampled_from(["/d/images", "/e/images", "/images", "/e e/images", "/", "/x/.hidden"]), max_size=9))
def test_names_are_free(folders: list[str]) -> None:
    taken: list[str] = []
    for folder in folders:
        taken.append(free_name(Path(folder), taken))
    named = {name: Path(f"/disk/{number}") for number, name in enumerate(taken)}
    assert len(named) == len(folders)
    albums._check(Path("list"), list(named.items()))


def test_names_tell_where_a_folder_lies() -> None:
    assert free_name(Path("/2024/scans"), []) == "scans"
    assert free_name(Path("/2025/scans"), ["Scans"]) == "2025 scans"


def test_pictures_are_read_once_and_only_the_new_folder_is_read_when_one_comes(
    tools: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        for number in range(4):
            tools.draw(tmp_path / name / f"{number}.png", number)
    place = tmp_path / "album"
    decoded = watch(monkeypatch)
    write_album(place, {"a": tmp_path / "a"})
    for _ in build_cache(scan(place), 32, control=RunControl()):
        pass
    assert len(decoded) == 4
    write_album(place, {"a": tmp_path / "a", "b": tmp_path / "b"})
    cache = to_end(build_cache(scan(place), 32, control=RunControl()))
    assert decoded[4:] == [tmp_path / "b" / f"{number}.png" for number in range(4)]
    assert cache.index.paths == [f"{name}/{number}.png" for name in "ab" for number in range(4)]
    assert (cache.pixels([0]) == cache.pixels([4])).all()  # the same picture in both
    assert near_duplicates(cache.pixels()) == [(number, number + 4) for number in range(4)]


# What the folders say


def test_classes_are_the_folders_below_the_listed_ones(tmp_path: Path) -> None:
    for disk in ("scanner 1", "scanner 2"):
        fill(tmp_path / disk, {f"{kind}/{number}.png" for kind in ("ill", "well") for number in range(3)})
    fill(tmp_path / "unsorted", {"1.png", "2.png"})
    write_album(tmp_path / "album", {name: tmp_path / name for name in ("scanner 1", "scanner 2", "unsorted")})
    found = recognise(scan(tmp_path / "album")).classes
    assert found is not None
    assert found.names == ("ill", "well")
    assert len(found.of) == 12
    assert found.names[found.of["scanner 2/well/1.png"]] == "well"
    assert found.notes == ("2 pictures in no class folder: without a label.",)


def test_the_listed_folders_are_no_classes(tmp_path: Path) -> None:
    for disk in ("day 1", "day 2"):
        fill(tmp_path / disk, {f"{number}.png" for number in range(5)})
    write_album(tmp_path / "album", {name: tmp_path / name for name in ("day 1", "day 2")})
    assert recognise(scan(tmp_path / "album")).classes is None


def test_a_table_in_each_folder_speaks_of_its_own_pictures(tmp_path: Path) -> None:
    for disk, labels in (("a", "cat dog cat dog"), ("b", "dog owl dog owl")):
        fill(tmp_path / disk, {f"{number}.png" for number in range(5)})
        lines = [f"{number}.png,{label}" for number, label in enumerate(labels.split())]
        (tmp_path / disk / "labels.csv").write_text("\n".join(["file,label", *lines]))
    write_album(tmp_path / "album", {name: tmp_path / name for name in "ab"})
    index = scan(tmp_path / "album")
    found = recognise(index).classes
    assert found is not None
    assert found.names == ("cat", "dog", "owl")
    assert {path: found.names[number] for path, number in found.of.items()} == {
        "a/0.png": "cat", "a/1.png": "dog", "a/2.png": "cat", "a/3.png": "dog",
        "b/0.png": "dog", "b/1.png": "owl", "b/2.png": "dog", "b/3.png": "owl",
    }  # fmt: skip
    asked = recognise(index, str(tmp_path / "b" / "labels.csv")).classes
    assert asked is not None
    assert set(asked.of) == {f"b/{number}.png" for number in range(4)}


def test_the_command_line_says_how_many_pictures_are_in_each_folder(
    sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_album(tmp_path / "all", {name: sample_folder / name for name in ("images", "masks")})
    main(["index", str(tmp_path / "all")])
    assert "Folders: images 60, masks 0" in capsys.readouterr().out.splitlines()


def test_masks_are_found_within_a_folder_and_between_two(sample_folder: Path, tmp_path: Path) -> None:
    single = recognise(scan(sample_folder)).masks
    assert single is not None
    write_album(tmp_path / "whole", {"one": sample_folder})
    whole = recognise(scan(tmp_path / "whole")).masks
    assert whole is not None
    assert whole.of == {f"one/{path}": f"one/{mask}" for path, mask in single.of.items()}
    assert (whole.names, whole.coding) == (single.names, single.coding)
    write_album(tmp_path / "torn", {name: sample_folder / name for name in ("images", "masks")})
    torn = recognise(scan(tmp_path / "torn")).masks
    assert torn is not None
    assert torn.of == single.of


def test_patients_stay_together_wherever_their_folders_lie() -> None:
    paths = ["a/patient1/1.png", "a/patient1/2.png", "a/patient2/1.png", "b/patient1/1.png"]
    alone = [path.removeprefix("a/") for path in paths[:3]]
    rule = below("folder:1")
    assert group_paths(paths, rule) == dict(zip(paths, ["patient1", "patient1", "patient2", "patient1"], strict=True))
    assert list(group_paths(alone, "folder:1").values()) == list(group_paths(paths[:3], rule).values())
    assert list(group_paths(paths, "folder:1").values()) == ["a", "a", "a", "b"]  # the listed folder itself
    assert below(rule) == "subfolder:2"
    assert below("name:(p\\d)") == "name:(p\\d)"
    assert below("") == ""
    with pytest.raises(ConfigError, match="'subfolder:0' needs a folder level"):
        group_paths(paths, "subfolder:0")
