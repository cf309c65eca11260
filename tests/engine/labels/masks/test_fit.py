"""Masks lie on their pictures as these are shown, or it is said that they do not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats.decode import read_picture
from sslstudio.engine.images.index import scan
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.masks.fit import compare
from sslstudio.engine.labels.recognise import recognise


def make(root: Path, name: str, orientation: int, size: tuple[int, int], mask: tuple[int, int], turn: bool) -> None:
    """A picture (white object in its corner) stored as `size` (h, w), and its mask of size `mask`; turn: as shown."""
    stored = np.zeros((*size, 3), np.uint8)
    stored[: size[0] // 2, : size[1] // 3] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    (root / "images").mkdir(parents=True, exist_ok=True)
    (root / "masks").mkdir(exist_ok=True)
    Image.fromarray(stored).save(root / f"images/{name}.png", exif=exif)
    shown = np.asarray(read_picture(root / f"images/{name}.png"))[..., 0] if turn else stored[..., 0]
    Image.fromarray(shown).resize(mask[::-1], Image.Resampling.NEAREST).save(root / f"masks/{name}.png")


def agrees(root: Path) -> list[float]:
    """How much of each mask lies on the object of its picture as it is shown."""
    found = recognise(scan(root)).masks
    assert found is not None
    shares = []
    for picture, mask in found.of.items():
        shown = np.asarray(read_picture(root / picture))[..., 0] > 127
        decoded = decode_mask(root / mask, found.coding, None)
        fitted = np.asarray(Image.fromarray(decoded).resize(shown.shape[::-1], Image.Resampling.NEAREST))
        shares.append(float((fitted == shown).mean()))
    return shares


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("turned", [False, True])
def test_masks_on_stored_pixels_are_turned_and_others_are_not(tmp_path: Path, orientation: int, turned: bool) -> None:
    for number in range(3):
        size = (30, 48)
        make(tmp_path, f"p{number}", orientation, size, size[::-1] if turned else size, turned)
    assert agrees(tmp_path) == [1.0] * 3
    notes = recognise(scan(tmp_path)).masks.notes  # type: ignore[union-attr]
    assert any("they were turned likewise" in note for note in notes) is not turned


def test_what_sizes_do_not_tell_follows_those_that_they_tell_of(tmp_path: Path) -> None:
    make(tmp_path, "a", 6, (30, 48), (30, 48), False)
    make(tmp_path, "b", 3, (30, 48), (30, 48), False)
    make(tmp_path, "c", 1, (30, 48), (30, 48), False)
    make(tmp_path, "d", 6, (40, 40), (40, 40), False)
    assert agrees(tmp_path) == [1.0] * 4


def test_where_no_size_tells_it_is_said(tmp_path: Path) -> None:
    for number in range(2):
        make(tmp_path, f"p{number}", 3, (30, 48), (30, 48), True)
    found = recognise(scan(tmp_path)).masks
    assert found is not None
    assert any("sizes do not tell how their masks lie" in note for note in found.notes)


def test_another_scale_is_said_and_taken(tmp_path: Path) -> None:
    for number in range(2):
        make(tmp_path, f"p{number}", 1, (30, 48), (15, 24), False)
    assert min(agrees(tmp_path)) > 0.95
    found = recognise(scan(tmp_path)).masks
    assert found is not None
    assert any("the same proportions: scaled" in note for note in found.notes)


def test_other_proportions_are_refused_in_words(tmp_path: Path) -> None:
    make(tmp_path, "a", 1, (30, 48), (48, 30), False)
    assert compare(tmp_path, {"images/a.png": "masks/a.png"}).refused == {"images/a.png": "swapped"}
    found = recognise(scan(tmp_path))
    assert found.masks is None
    assert "width and height changed about" in found.notes[0]
    assert isinstance(found.problems["masks"], DataError)
    make(tmp_path, "b", 1, (30, 48), (30, 48), False)
    other = recognise(scan(tmp_path)).masks
    assert other is not None
    assert list(other.of) == ["images/b.png"]
    assert any("1 mask has other proportions" in note for note in other.notes)
