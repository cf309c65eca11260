"""Whether files look like masks: decided as soon as it is sure, and as if all had been looked at."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.engine.labels.masks import flat


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_looking_ends_early_without_another_answer(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [Path(str(number)) for number in range(count)]
    for looks in product((True, False, None), repeat=count):
        left: Iterator[bool | None] = iter(looks)
        monkeypatch.setattr(flat, "_look", lambda _path, left=left: next(left))
        known = [one for one in looks if one is not None]
        assert flat.are_masks(files) == (any(known) and sum(known) >= 0.6 * len(known))


def test_photographs_are_not_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def look(path: Path) -> bool:
        asked.append(path)
        return False

    monkeypatch.setattr(flat, "_look", look)
    assert not flat.are_masks([Path(str(number)) for number in range(100)])
    assert len(asked) == 3


def _scene(kind: str) -> Image.Image:
    """96 x 64 pixels: what a camera sees, or the outline of something."""
    rng = np.random.default_rng(3)
    if kind == "photograph":
        return Image.fromarray(rng.integers(0, 256, (16, 24, 3), np.uint8)).resize((96, 64), Image.Resampling.BICUBIC)
    pixels = np.zeros((64, 96), np.uint8)
    pixels[20:40, 30:70] = 1 if kind == "numbers" else 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp"])
@pytest.mark.parametrize("kind", ["photograph", "numbers", "black and white"])
def test_what_is_told_quickly_is_told_rightly(kind: str, ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"a.{ending}"
    level = 0 if ending == "png" else 6  # as large as pixels are: no sign of a photograph
    _scene(kind).save(file, compress_level=level)
    assert flat.are_masks([file]) == (kind != "photograph")


def test_a_photograph_is_told_without_counting_its_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for ending in ("png", "bmp"):
        _scene("photograph").save(tmp_path / f"a.{ending}")
    monkeypatch.setattr(flat, "is_flat", lambda _codes: pytest.fail("its values are counted"))
    assert not flat.are_masks(sorted(tmp_path.iterdir()))
