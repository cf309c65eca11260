"""Pictures with all their depth, for looking closely."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from sslstudio.engine.images.formats.decode import read_picture, read_values


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_values_stand_upright_as_the_picture_does(tmp_path: Path, orientation: int) -> None:
    values = np.arange(6 * 4, dtype=np.uint16).reshape(6, 4) * 1000
    file = tmp_path / "scan.tif"
    tifffile.imwrite(file, values, extratags=[(274, "H", 1, orientation, True)])
    found = read_values(file)
    eight = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(6, 4))
    eight.getexif()[274] = orientation
    assert found.values.dtype == np.uint16
    assert np.array_equal(found.values // 1000, np.asarray(ImageOps.exif_transpose(eight)))
    assert found.values.shape == read_picture(file).size[::-1]


def test_a_deep_png_a_stack_of_channels_and_a_photograph(tmp_path: Path) -> None:
    deep = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
    Image.fromarray(deep).save(tmp_path / "deep.png")
    found = read_values(tmp_path / "deep.png")
    assert np.array_equal(found.values, deep)
    assert found.low < found.high <= deep.max()
    channels = np.stack([deep, deep[::-1]])
    tifffile.imwrite(tmp_path / "two.tif", channels, imagej=True, metadata={"axes": "CYX"})
    assert read_values(tmp_path / "two.tif").channels == 2
    assert np.array_equal(read_values(Path(f"{tmp_path / 'two.tif'}#channels=2")).values, deep[::-1])
    Image.fromarray(np.zeros((5, 7, 3), np.uint8)).save(tmp_path / "plain.jpg")
    plain = read_values(tmp_path / "plain.jpg")
    assert plain.values.shape == (5, 7, 3)
    assert (plain.low, plain.high, plain.channels, plain.pages) == (0, 255, 3, 1)
