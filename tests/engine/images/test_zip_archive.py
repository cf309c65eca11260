"""Archives are unpacked once, whole or not at all, and never out of their folder."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images import zip_archive
from sslstudio.engine.images.zip_archive import MARKER, unpack


def zipped(file: Path, **content: bytes) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return file


def unpacked(archive: Path, into: Path, control: RunControl | None = None) -> Path:
    found: list[Path] = []

    def steps() -> Iterator[object]:
        found.append((yield from unpack(archive, into, control or RunControl())))

    list(steps())
    return found[0]


def files(folder: Path) -> dict[str, bytes]:
    return {
        one.relative_to(folder).as_posix(): one.read_bytes()
        for one in folder.rglob("*")
        if one.is_file() and one.name != MARKER
    }


def test_pictures_lie_as_in_the_archive_without_what_systems_add(tmp_path: Path) -> None:
    content = {"cats/æ 1.png": b"one", "dogs\\2.png": b"two", "__MACOSX/cats/._1.png": b"", "cats/.DS_Store": b""}
    folder = unpacked(zipped(tmp_path / "pets.zip", **content), tmp_path / "home")
    assert folder == tmp_path / "home" / "pets"
    assert files(folder) == {"cats/æ 1.png": b"one", "dogs/2.png": b"two"}
    assert [one.name for one in (tmp_path / "home").iterdir()] == ["pets"]


def test_the_same_archive_is_unpacked_once_and_another_of_its_name_apart(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = unpacked(zipped(tmp_path / "pets.zip", **{"1.png": b"one"}), home)
    (first / "1.png").write_bytes(b"looked at")
    assert unpacked(tmp_path / "pets.zip", home) == first
    assert files(first) == {"1.png": b"looked at"}
    other = unpacked(zipped(tmp_path / "pets.zip", **{"1.png": b"another one"}), home)
    assert other == home / "pets 2"
    assert files(other) == {"1.png": b"another one"}


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/etc/out.png", "C:/out.png", "..\\out.png"])
def test_nothing_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    archive = zipped(tmp_path / "odd.zip", **{"1.png": b"one", name: b"two"})
    with pytest.raises(DataError, match="leads out of its folder"):
        unpacked(archive, tmp_path / "home")
    assert files(tmp_path) == {"odd.zip": archive.read_bytes()}


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("passwords.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="leads out"):
        unpacked(tmp_path / "odd.zip", tmp_path / "home")


@pytest.mark.parametrize(
    ("damage", "words"),
    [(lambda data: b"no zip", "is no zip file"), (lambda data: data.replace(b"onezip", b"twozip"), "is no zip file")],
)
def test_what_is_damaged_leaves_nothing(tmp_path: Path, damage, words: str) -> None:  # type: ignore[no-untyped-def]
    archive = zipped(tmp_path / "odd.zip", **{"0.png": b"zero", "1.png": b"onezip"})
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(DataError, match=words):
        unpacked(archive, tmp_path / "home")
    assert not list((tmp_path / "home").glob("*"))


def test_an_empty_archive_and_none_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file in"):
        unpacked(zipped(tmp_path / "empty.zip"), tmp_path / "home")
    with pytest.raises(DataError, match="cannot be read"):
        unpacked(tmp_path / "none.zip", tmp_path / "home")


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    huge = 2**32 - 2
    count = 2 * shutil.disk_usage(tmp_path).free // huge + 2
    archive = zipped(tmp_path / "bomb.zip", **{f"{number}.png": b"x" for number in range(count)})
    data = bytearray(archive.read_bytes())
    entry = data.find(b"PK\x01\x02")  # the central directory says how large each file becomes
    while entry >= 0:
        data[entry + 24 : entry + 28] = huge.to_bytes(4, "little")
        entry = data.find(b"PK\x01\x02", entry + 4)
    archive.write_bytes(data)
    with pytest.raises(DataError, match="Make room"):
        unpacked(archive, tmp_path / "home")


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "pets.zip", **{f"{number}.png": b"x" for number in range(200)})
    control = RunControl()
    steps = unpack(archive, tmp_path / "home", control)
    next(steps)
    control.stop()
    with pytest.raises(DataError, match="Stopped"):
        list(steps)
    assert not list((tmp_path / "home").glob("*"))


def test_folders_of_archives_from_windows_are_no_files(tmp_path: Path) -> None:
    content = {"photos\\": b"", "photos\\cats\\": b"", "photos\\cats\\1.png": b"one"}
    assert files(unpacked(zipped(tmp_path / "photos.zip", **content), tmp_path / "home")) == {
        "photos/cats/1.png": b"one"
    }


@pytest.mark.parametrize(
    ("page", "name"),
    [("gbk", "猫/图片1.png"), ("cp932", "ねこ/写真1.png"), ("utf-8", "Kätzchen/é.png"), ("cp437", "Kätzchen/é.png")],
)
def test_names_come_in_the_letters_of_who_wrote_them(tmp_path: Path, page: str, name: str) -> None:
    stand_in = "".join(f"z{number:02}" for number in range(20))
    raw = name.encode(page)
    held = (stand_in * 2)[: len(raw)]
    archive = zipped(tmp_path / "pets.zip", **{held: b"one", "plain.png": b"two"})
    archive.write_bytes(archive.read_bytes().replace(held.encode(), raw))
    assert files(unpacked(archive, tmp_path / "home")) == {name: b"one", "plain.png": b"two"}


def test_an_archive_that_becomes_hundreds_of_times_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_archive, "BOMB", 100_000)
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        content.writestr("a.bmp", bytes(2_000_000))
    with pytest.raises(DataError, match=r"would become .* more than 200 times of what it is"):
        unpacked(archive, tmp_path / "home")
    assert not list((tmp_path / "home").rglob("*.bmp"))
    monkeypatch.setattr(zip_archive, "BOMB", 2_000_000)  # a small one of blank pictures is an honest one
    assert files(unpacked(archive, tmp_path / "home")) == {"a.bmp": bytes(2_000_000)}
