"""A name from a file never leads out of its folder."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.named_paths import inside, leads_out

OUT = [
    "",
    ".",
    "..",
    "../x",
    "a/../../x",
    "/x",
    "a/..",
    "C:\\x",
    "c:/x",
    "\\\\machine\\x",
    "//machine/x",
    "a\0b",
]
IN = ["a", "a/b.png", "a..b", "...", ".hidden", "con.png", "a b/c", "ä.png", "x" * 200, "a:b"]
DEVICES = ["con", "CON.png", "a/nul.txt", "aux", "com1", "LPT9.png", "COM¹.txt", "prn .txt", "a.png:stream"]


@pytest.mark.parametrize("name", OUT)
def test_names_that_lead_out_are_refused(name: str, tmp_path: Path) -> None:
    assert leads_out(name)
    with pytest.raises(DataError, match="leads out"):
        inside(tmp_path, name)


@pytest.mark.parametrize("name", IN)
def test_other_names_are_paths(name: str, tmp_path: Path) -> None:
    assert inside(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("name", DEVICES)
def test_devices_and_streams_are_refused_on_windows(name: str) -> None:
    assert leads_out(name, windows=True)
    assert not leads_out(name, windows=False)


def test_a_link_that_leaves_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "link").symlink_to(tmp_path)
    with pytest.raises(DataError, match="leads out"):
        inside(tmp_path / "home", "link/x")


@given(st.text(st.sampled_from("a./\\:C~ \0"), max_size=12))
def test_what_is_a_path_lies_in_the_folder(name: str) -> None:
    folder = Path("/home/of/it")
    try:
        path = inside(folder, name)
    except DataError:
        return
    assert path.resolve().is_relative_to(folder)
    assert path.resolve() != folder


PIECE = st.sampled_from(["a", "b c", "..", ".", "", "a..b", "...", "~", "a\\b", "\0"]) | st.text(max_size=4)


@given(st.lists(PIECE, max_size=5).map("/".join))
def test_whatever_a_name_says_what_comes_of_it_lies_in_the_folder(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    folder = tmp_path_factory.mktemp("files")
    if leads_out(name):
        assert ".." in name or "\0" in name or name.startswith("/") or not name.strip("./")
        with pytest.raises(DataError, match="leads out of"):
            inside(folder, name)
        return
    whole = os.path.normpath(inside(folder, name))
    assert whole.startswith(f"{folder}{os.sep}")
    assert whole != str(folder)


def test_names_that_lead_out_of_a_folder_are_refused(tmp_path: Path) -> None:
    folder, out = tmp_path / "labels", tmp_path / "out"
    (folder / "own").mkdir(parents=True)
    out.mkdir()
    (folder / "link").symlink_to(out)
    (folder / "near").symlink_to(folder / "own")
    (folder / "round").symlink_to(folder / "round")
    for name in ("../out/x", "/etc/passwd", "a/../../x", "link/x", "round/x", "", ".", "a\0b"):
        with pytest.raises(DataError, match="nothing there was touched"):
            inside(folder, name)
    for name in ("x", "own/x", "new/deep/x", "near/x", "link", "..x", "a..b/x"):
        assert inside(folder, name) == folder / name
    assert inside(folder, "own", "x.png") == folder / "own" / "x.png"
    (tmp_path / "way").symlink_to(folder)  # how one comes to the folder does not matter
    assert inside(tmp_path / "way", "own/x") == tmp_path / "way" / "own" / "x"
    assert leads_out("../x")
    assert not leads_out("x/y")
