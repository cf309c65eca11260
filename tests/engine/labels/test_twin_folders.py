"""Folders of the same names are pictures and masks where one holds few flat values, whatever they are called."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.recognise import recognise

RNG = np.random.default_rng(0)


def photograph(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (32, 48, 3), np.uint8)).save(file)


def mask(file: Path) -> None:
    values = np.zeros((32, 48), np.uint8)
    values[8:24, 10:30] = 255
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(file)


@pytest.mark.parametrize(
    ("picture", "wanted"),
    [
        ("train/{}.jpg", "trainannot/{}.png"),
        ("x/{}.png", "y/{}.png"),
        ("images/{}_training.tif", "1st_manual/{}_manual1.gif"),
        ("Bilder/{}.jpg", "Masken/{}.png"),
        ("photos/{}.jpg", "photos/annots/{}.png"),
        ("{}.jpg", "lesions/{}.png"),
        ("leftImg8bit/train/aachen/{}_leftImg8bit.png", "gtFine/train/aachen/{}_gtFine_labelIds.png"),
        ("imagesTr/{}_0000.png", "labelsTr/{}.png"),
    ],
)
def test_any_pair_of_folders(tmp_path: Path, picture: str, wanted: str) -> None:
    names = [f"s{number:02}" for number in range(6)]
    for name in names:
        photograph(tmp_path / picture.format(name))
        mask(tmp_path / wanted.format(name))
    found = recognise(scan(tmp_path))
    assert found.masks is not None
    assert found.masks.of == {picture.format(name): wanted.format(name) for name in names}
    assert found.pictures.paths == [picture.format(name) for name in names]
    assert found.classes is None
    folder = wanted.rpartition("/")[0].split("/")[0] if "photos" not in wanted else "photos/annots"
    role = next(one for one in found.roles if one.path == folder)
    assert (role.role, role.count) == ("masks", 6)
    assert "few flat values" in role.reason


@pytest.mark.parametrize(
    ("suffix", "soft"), [("jpg", False), ("jpg", True), ("bmp", True), ("tif", True), ("gif", False)]
)
def test_masks_saved_with_loss_or_soft_edges(tmp_path: Path, suffix: str, soft: bool) -> None:
    for number in range(5):
        photograph(tmp_path / f"x/{number}.jpg")
        mask(tmp_path / f"y/{number}.png")
        file = tmp_path / f"y/{number}.png"
        with Image.open(file) as image:
            blurred = image.filter(ImageFilter.GaussianBlur(0.6))
            (blurred if soft else image).save(file.with_suffix(f".{suffix}"))
        file.unlink()
    found = recognise(scan(tmp_path)).masks
    assert found is not None
    assert len(found.of) == 5
    assert found.names == ("background", "object")


def test_kinds_of_masks_are_told_apart_by_what_their_names_end_with(tmp_path: Path) -> None:
    for city in ("aachen", "bonn"):
        for number in range(4):
            photograph(tmp_path / f"leftImg8bit/{city}/{city}_{number}_leftImg8bit.png")
            for kind in ("color", "instanceIds", "labelIds"):
                mask(tmp_path / f"gtFine/{city}/{city}_{number}_gtFine_{kind}.png")
    found = recognise(scan(tmp_path))
    assert found.masks is not None
    assert len(found.masks.of) == 8
    assert all(file.endswith("labelIds.png") for file in found.masks.of.values())
    assert len(found.pictures) == 8
    assert any("16 further masks" in note for note in found.masks.notes)


def test_each_part_has_its_own_folder_of_masks(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        for number in range(4):
            photograph(tmp_path / f"{part}/{part}{number}.png")
            mask(tmp_path / f"{part}annot/{part}{number}.png")
    found = recognise(scan(tmp_path))
    assert found.masks is not None
    assert len(found.masks.of) == 12
    assert set(found.given_split.values()) == {"train", "validation", "test"}


def test_classes_of_the_same_names_stay_classes(tmp_path: Path) -> None:
    for kind in ("cat", "dog", "cow"):
        for number in range(4):
            photograph(tmp_path / f"{kind}/{number}.png")
    for kind in ("disc", "square"):  # drawings, all of them flat
        for number in range(4):
            mask(tmp_path / f"drawn/{kind}/{number}.png")
    assert recognise(scan(tmp_path / "drawn")).masks is None
    (tmp_path / "drawn").rename(tmp_path.parent / f"{tmp_path.name}-drawn")
    found = recognise(scan(tmp_path))
    assert found.masks is None
    assert found.classes is not None
    assert len(found.classes.of) == 12


def test_a_choice_says_which_folder_holds_masks_and_which_does_not(tmp_path: Path) -> None:
    for number in range(4):
        photograph(tmp_path / f"a/{number}.png")
        mask(tmp_path / f"b/{number}.png")
    index = scan(tmp_path)
    assert recognise(index).masks is not None
    assert recognise(index, roles={"b": "pictures"}).masks is None
    other = recognise(index, roles={"b": "masks"})
    assert other.masks is not None
    assert len(other.masks.of) == 4
    assert next(one for one in other.roles if one.path == "b").chosen
