"""Odd files look like what they were made from, or say why not."""

import re
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats import tone
from sslstudio.engine.images.formats.decode import decode, read_picture, squeeze
from sslstudio.engine.images.formats.errors import PIXELS_LIMIT, CannotOpen, check_size

SIDE = 32


def correlation(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    one, other = one.astype(float) - one.mean(), other.astype(float) - other.mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size else 0.0


def unlike(pixels: npt.NDArray[np.uint8], look: str, reference: Image.Image) -> str:
    """What is wrong with a decoded picture; '' if it looks as it must."""
    square = reference.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=3.0)
    colour, grey = np.asarray(square), np.asarray(square.convert("L"))
    seen = np.asarray(Image.fromarray(pixels).convert("L"))
    if look in ("colour", "hue"):
        each = [correlation(pixels[..., channel], colour[..., channel]) for channel in range(3)]
        if min(each) < 0.95:
            return f"channels correlate {each}"
        off = np.abs(pixels.astype(int) - colour).mean()
        return f"off by {off}" if look == "colour" and off > 6 else ""
    if np.ptp(pixels.astype(int), axis=-1).max() > 0 and look in ("grey", "like"):
        return "a grey picture has become coloured"
    if look == "grey":
        off = np.abs(seen.astype(int) - grey).mean()
        return f"off by {off}" if off > 3 else ""
    least, range_ = (0.98, 200) if look == "like" else (0.65, 80)
    near, contrast = correlation(seen, grey), int(np.ptp(seen))
    return "" if near > least and contrast > range_ else f"correlates {near}, contrast {contrast}"


def test_every_readable_oddity_looks_like_the_reference(odd_tree: Any, kit: Any) -> None:
    wrong = {}
    for odd in odd_tree.of("readable"):
        try:
            fault = unlike(decode(odd_tree.root / odd.path, SIDE), odd.look, kit.REFERENCE)
        except DataError as error:
            fault = f"not read: {error}"
        if fault:
            wrong[odd.path] = fault
    assert not wrong


def test_every_unreadable_oddity_says_why(odd_tree: Any) -> None:
    wrong = {}
    for odd in odd_tree.of("unreadable"):
        if odd.path.startswith("special/"):
            continue  # listed by the index, which never opens them
        try:
            decode(odd_tree.root / odd.path, SIDE)
            wrong[odd.path] = "was read"
        except DataError as error:
            if odd.reason not in str(error) or str(odd_tree.root) in str(error):
                wrong[odd.path] = str(error)
    assert not wrong


@pytest.mark.parametrize(
    ("name", "reason"),
    [("pipe.jpg", "not a file"), ("device.png", "not a file"), ("lost.jpg", "leads nowhere"), ("loop", "a folder")],
)
def test_what_is_no_file_is_not_opened(odd_tree: Any, name: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        decode(odd_tree.root / "special" / name, SIDE)


def test_threads_see_the_same_pixels(odd_tree: Any) -> None:
    paths = [odd_tree.root / odd.path for odd in odd_tree.of("readable")][::3]
    alone = [decode(path, 16) for path in paths]
    gate = threading.Barrier(4)

    def work(turn: int) -> list[npt.NDArray[np.uint8]]:
        gate.wait()
        order = paths[turn * 5 :] + paths[: turn * 5]
        by_path = {path: decode(path, 16) for path in order}
        return [by_path[path] for path in paths]

    with ThreadPoolExecutor(4) as pool:
        for seen in pool.map(work, range(4)):
            assert all(np.array_equal(one, other) for one, other in zip(alone, seen, strict=True))


def test_short_side_makes_a_jpeg_smaller_but_never_below_it(odd_tree: Any) -> None:
    path = odd_tree.root / "jpeg" / "large.jpg"
    assert read_picture(path).size == (1920, 1280)
    for short_side, height in ((160, 160), (161, 320), (320, 320), (700, 1280), (5000, 1280)):
        assert read_picture(path, short_side).height == height
    assert squeeze(path, 32)[1:3] == (1280, 1920)  # the size is that of the file all the same


@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_is_that_of_the_upright_picture(odd_tree: Any, kit: Any, orientation: int) -> None:
    pixels, height, width, _ = squeeze(odd_tree.root / "jpeg" / "turned" / f"{orientation}.jpg", SIDE)
    assert (height, width) == (kit.HEIGHT, kit.WIDTH)
    assert pixels.shape == (SIDE, SIDE, 3)


def test_eight_bits_are_left_as_they_are(odd_tree: Any, kit: Any) -> None:
    for name in ("png/plain.png", "tiff/plain.tif", "bmp/24.bmp", "webp/lossless.webp", "dicom/colour.dcm"):
        assert np.array_equal(np.asarray(read_picture(odd_tree.root / name)), kit.ARRAY), name
    assert np.array_equal(np.asarray(read_picture(odd_tree.root / "dicom/8 bit.dcm"))[..., 0], kit.LUMA)


def test_nothing_is_cut_off(tmp_path: Path) -> None:
    """The four corners of a very wide picture are all in the square."""
    pixels = np.zeros((20, 400, 3), np.uint8)
    pixels[:, :40], pixels[:, -40:] = (255, 0, 0), (0, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    square = decode(tmp_path / "wide.png", 20)
    assert square[0, 0].tolist() == square[-1, 0].tolist() == [255, 0, 0]
    assert square[0, -1].tolist() == square[-1, -1].tolist() == [0, 0, 255]


def test_fine_stripes_become_grey_and_not_a_false_pattern(tmp_path: Path) -> None:
    stripes = np.zeros((512, 512), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    inner = decode(tmp_path / "stripes.png", 50)[2:-2, 2:-2]
    assert np.abs(inner.astype(int) - 127).max() < 12


def test_transparent_places_are_white(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "half.png")
    seen = np.asarray(read_picture(tmp_path / "half.png"))
    assert (seen[:4] == 0).all()
    assert (seen[4:] == 255).all()


def test_a_file_that_cannot_be_opened_now_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="the file is gone"):
        decode(tmp_path / "nothing.png", SIDE)


def test_the_limit_itself_is_allowed() -> None:
    check_size(PIXELS_LIMIT // 1000, 1000)
    with pytest.raises(DataError, match="too large: 250001x1000 pixels is over the limit of 250 million pixels"):
        check_size(PIXELS_LIMIT // 1000 + 1, 1000)
    with pytest.raises(DataError, match=r"need 20,000 MB of memory .* the limit is 1000 MB"):
        check_size(10000, 10000, 200)


@pytest.mark.parametrize(
    "mode", ["I;16", "I;16B", "I;16L", "I", "F", "L", "LA", "P", "1", "CMYK", "YCbCr", "HSV", "LAB"]
)
def test_every_mode_becomes_grey_or_colour(kit: Any, mode: str) -> None:
    if mode.startswith("I;16"):
        order = ">u2" if mode.endswith("B") else "<u2"
        image = Image.frombytes(mode, kit.GREY.size, (kit.LUMA * 16.0).astype(order).tobytes())
    elif mode == "LAB":
        image = Image.merge("LAB", (kit.GREY, Image.new("L", kit.GREY.size), Image.new("L", kit.GREY.size)))
    else:
        image = (kit.REFERENCE if mode in ("CMYK", "YCbCr", "HSV", "P") else kit.GREY).convert(mode)
    flat = tone.flatten(image)
    assert flat.mode in ("L", "RGB")
    assert correlation(np.asarray(flat.convert("L")), kit.LUMA) > (0.4 if mode == "1" else 0.95)


NUMBERS = st.sampled_from([np.uint16, np.int16, np.uint32, np.int64, np.float16, np.float32, np.float64, np.int8])
PICTURES = NUMBERS.flatmap(lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=2, max_dims=3, max_side=9)))


@settings(deadline=None)
@given(PICTURES)
def test_stretch_never_swaps_dark_and_bright(values: npt.NDArray[Any]) -> None:
    seen = tone.stretch(values)
    assert seen.shape == values.shape
    assert seen.dtype == np.uint8
    finite = np.isfinite(values)
    order = np.argsort(values[finite], kind="stable")
    assert (np.diff(seen[finite][order].astype(int)) >= 0).all()


@settings(deadline=None)
@given(PICTURES)
def test_stretch_uses_the_whole_range(values: npt.NDArray[Any]) -> None:
    seen = tone.stretch(values)
    finite = values[np.isfinite(values)]
    if finite.size and finite.min() < finite.max():
        assert seen.min() == 0
        assert seen.max() == 255
    else:
        assert not seen[np.isfinite(values)].any()


@settings(deadline=None)
@given(st.integers(0, 65535), st.integers(1, 9))
def test_one_value_everywhere_is_black(value: int, side: int) -> None:
    assert not tone.stretch(np.full((side, side), value, np.uint16)).any()


def test_few_bright_points_stay_visible() -> None:
    points = np.zeros((200, 200), np.uint16)
    points[5, 5], points[9, 9] = 300, 150
    seen = tone.stretch(points)
    assert (seen[5, 5], seen[9, 9], seen[0, 0]) == (255, 128, 0)


def test_one_hot_pixel_does_not_darken_the_picture() -> None:
    ramp = np.tile(np.arange(1000, dtype=np.uint16), (100, 1))
    ramp[0, 0] = 65535
    assert tone.stretch(ramp).std() > 60


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_of_any_kind_is_a_reason_and_never_a_crash(odd_tree: Any, tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed anywhere, or an end anywhere: either a picture or a DataError in printable words."""
    odds = [odd for odd in odd_tree.of("readable") if 0 < len(odd.content) < 40_000]
    odd = data.draw(st.sampled_from(odds))
    content = bytearray(odd.content)
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(1, len(content)))
    path = tmp_path / "damaged.dcm"
    path.write_bytes(bytes(content[:end]))
    reason = ""
    try:
        assert decode(path, 8).shape == (8, 8, 3)
    except DataError as error:
        reason = str(error)
    assert reason.isprintable()
    assert str(tmp_path) not in reason


def test_the_libraries_are_silenced_once(odd_tree: Any) -> None:
    """One filter for the whole process, whoever decodes and however often; our own warnings are still seen."""
    for _ in range(3):
        decode(odd_tree.root / "jpeg" / "corrupt exif.jpg", SIDE)
    patterns = [getattr(entry[3], "pattern", "") for entry in warnings.filters]
    assert sum("PIL" in pattern for pattern in patterns) == 1
    assert not any(re.match(pattern, "sslstudio.engine.images.formats.decode") for pattern in patterns if pattern)
