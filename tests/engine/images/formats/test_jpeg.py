"""JPEGs look the same whether simplejpeg reads them or Pillow: that it is installed must not change a run."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats import jpeg as fast_jpeg
from sslstudio.engine.images.formats.decode import squeeze
from sslstudio.engine.images.formats.jpeg import read_scaled

pytest.importorskip("simplejpeg")


def drawn(width: int, height: int, seed: int, mode: str = "RGB") -> Image.Image:
    """Soft colours with some grain, as photographs have."""
    rng = np.random.default_rng(seed)
    soft = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)).resize((width, height), 3)
    grain = rng.normal(0, 6, (height, width, 3))
    return Image.fromarray((np.asarray(soft) + grain).clip(0, 255).astype(np.uint8)).convert(mode)


def saved(image: Image.Image, **how: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **how)
    return file.getvalue()


def fast(jpeg: bytes, short_side: int) -> Image.Image | None:
    file = io.BytesIO(jpeg)
    return read_scaled(file, JpegImageFile(file), short_side)


def by_pillow(jpeg: bytes, short_side: int) -> Image.Image:
    image = JpegImageFile(io.BytesIO(jpeg))
    image.draft(None, (short_side, short_side))
    image.load()
    return image


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    short_side=st.integers(1, 320),
    mode=st.sampled_from(["RGB", "L"]),
    quality=st.integers(30, 97),
    subsampling=st.sampled_from([0, 1, 2]),
    progressive=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_pixels_are_those_of_pillow(
    size: tuple[int, int], short_side: int, mode: str, quality: int, subsampling: int, progressive: bool, seed: int
) -> None:
    jpeg = saved(drawn(*size, seed, mode), quality=quality, subsampling=subsampling, progressive=progressive)
    ours, theirs = fast(jpeg, short_side), by_pillow(jpeg, short_side)
    assert ours is not None
    assert (ours.size, ours.mode) == (theirs.size, theirs.mode)
    assert np.array_equal(np.asarray(ours), np.asarray(theirs))


def seen(path: Path, side: int) -> tuple[npt.NDArray[np.uint8], int, int] | str:
    """The square and the size, or the reason."""
    try:
        return tuple(squeeze(path, side))  # type: ignore[return-value]
    except DataError as error:
        return str(error)


def same_both_ways(path: Path, side: int) -> None:
    """With simplejpeg and without it, as where it is not installed."""
    ours = seen(path, side)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_jpeg, "_library", lambda: None)
        theirs = seen(path, side)
    if isinstance(ours, str) or isinstance(theirs, str):
        assert ours == theirs, path
    else:
        assert ours[1:] == theirs[1:], path
        assert np.array_equal(ours[0], theirs[0]), path


@pytest.mark.parametrize("side", [8, 64])
def test_every_odd_file_is_the_same_both_ways(odd_tree: Any, side: int) -> None:
    """Inks, all turns of EXIF, progressive ones, what is cut, damaged, too large, or no JPEG at all."""
    names = [odd.path for kind in ("readable", "unreadable") for odd in odd_tree.of(kind)]
    jpegs = [name for name in names if "jp" in name.lower() and not name.startswith("special/")]
    assert len(jpegs) > 30
    for name in jpegs:
        same_both_ways(odd_tree.root / name, side)


@pytest.mark.parametrize("mode", ["CMYK", "RGB"])
def test_inks_go_the_way_of_pillow(mode: str) -> None:
    assert (fast(saved(drawn(90, 70, 0, mode)), 16) is None) == (mode == "CMYK")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), progressive=st.booleans())
def test_damage_is_the_same_both_ways(tmp_path: Path, data: st.DataObject, progressive: bool) -> None:
    jpeg = bytearray(saved(drawn(120, 90, 1), quality=90, progressive=progressive))
    for _ in range(data.draw(st.integers(0, 3), "flips")):
        jpeg[data.draw(st.integers(2, len(jpeg) - 1), "place")] ^= data.draw(st.integers(1, 255), "bits")
    end = data.draw(st.integers(len(jpeg) // 2, len(jpeg)), "end")
    path = tmp_path / "damaged.jpg"
    path.write_bytes(jpeg[:end])
    same_both_ways(path, 24)
