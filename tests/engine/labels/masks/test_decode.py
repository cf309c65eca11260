"""Masks of every coding become the same class numbers."""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.labels.masks.decode import MaskCoding, decode_mask, learn_coding, mask_size
from sslstudio.engine.labels.masks.files import mask_png, read_codes

Plan = NDArray[np.uint8]


def plan(classes: int, side: int = 24, turn: int = 0) -> Plan:
    """Background with one square for each further class."""
    numbers = np.zeros((side, side), np.uint8)
    for number in range(1, classes):
        top = 2 + (number * 5 + turn) % (side - 8)
        numbers[top : top + 6, 3 * number : 3 * number + 5] = number
    return numbers


def save(folder: Path, name: str, values: NDArray[np.generic], mode: str | None = None) -> Path:
    path = folder / name
    Image.fromarray(values).convert(mode).save(path) if mode else Image.fromarray(values).save(path)
    return path


@pytest.mark.parametrize("values", [(0, 255), (0, 1), (1, 2), (3, 200)])
def test_two_values_are_background_and_object(tmp_path: Path, values: tuple[int, int]) -> None:
    wanted = plan(2)
    path = save(tmp_path, "a.png", np.asarray(values, np.uint8)[wanted])
    coding = learn_coding([path])
    assert (coding.kind, coding.values) == ("binary", values)
    assert np.array_equal(decode_mask(path, coding, None), wanted)


def test_one_bit_files_are_binary(tmp_path: Path) -> None:
    wanted = plan(2)
    path = save(tmp_path, "a.png", wanted * np.uint8(255), "1")
    assert np.array_equal(decode_mask(path, learn_coding([path]), None), wanted)


def test_integer_ids_keep_their_order(tmp_path: Path) -> None:
    wanted = plan(4)
    path = save(tmp_path, "a.png", np.asarray([0, 3, 7, 40], np.uint8)[wanted])
    coding = learn_coding([path])
    assert coding == MaskCoding("ids", (0, 3, 7, 40))
    assert np.array_equal(decode_mask(path, coding, None), wanted)


def test_ids_are_gathered_from_all_masks(tmp_path: Path) -> None:
    paths = [save(tmp_path, f"{n}.png", plan(2) * np.uint8(n)) for n in (1, 2, 5)]
    coding = learn_coding(paths)
    assert coding.values == (0, 1, 2, 5)
    assert decode_mask(paths[2], coding, None).max() == 3


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_ids(tmp_path: Path, suffix: str) -> None:
    wanted = plan(3)
    values = np.asarray([0, 300, 40_000], np.uint16)[wanted]
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(values).save(path) if suffix == "png" else tifffile.imwrite(path, values, compression="zlib")
    coding = learn_coding([path])
    assert coding.values == (0, 300, 40_000)
    assert np.array_equal(decode_mask(path, coding, None), wanted)


def test_palette_numbers_are_the_ids(tmp_path: Path) -> None:
    wanted = plan(3)
    image = Image.fromarray(wanted, "L").convert("P")
    image.putpalette([0, 0, 0, 200, 10, 10, 10, 200, 10])
    image.putdata(wanted.ravel().tolist())
    image.save(tmp_path / "a.png")
    coding = learn_coding([tmp_path / "a.png"])
    assert coding == MaskCoding("ids", (0, 1, 2))
    assert np.array_equal(decode_mask(tmp_path / "a.png", coding, None), wanted)


def test_palettes_that_disagree_are_read_as_colours(tmp_path: Path) -> None:
    red, blue = (255, 0, 0), (0, 0, 255)
    for name, colours in (("a", [(0, 0, 0), red, blue]), ("b", [(0, 0, 0), blue, red])):
        image = Image.fromarray(plan(3), "L").convert("P")
        image.putpalette([channel for colour in colours for channel in colour])
        image.putdata(plan(3).ravel().tolist())
        image.save(tmp_path / f"{name}.png")
    coding = learn_coding([tmp_path / "a.png", tmp_path / "b.png"])
    assert coding == MaskCoding("colours", (0, 0x0000FF, 0xFF0000))
    a, b = (decode_mask(tmp_path / f"{name}.png", coding, None) for name in "ab")
    assert np.array_equal(a == 1, b == 2)


def test_small_ids_beside_255_are_classes_and_255_is_void(tmp_path: Path) -> None:
    values = plan(3)
    values[0] = 255
    path = save(tmp_path, "a.png", values)
    coding = learn_coding([path])
    assert (coding.values, coding.ignore) == ((0, 1, 2), 255)
    decoded = decode_mask(path, coding, None)
    assert (decoded[0] == 255).all()
    assert set(np.unique(decoded)) == {0, 1, 2, 255}


def test_grey_levels_spread_to_255_are_all_classes(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", np.asarray([0, 128, 255], np.uint8)[plan(3)])
    assert learn_coding([path]) == MaskCoding("ids", (0, 128, 255))


def test_jpeg_of_black_and_white_is_cut_in_the_middle(tmp_path: Path) -> None:
    wanted = plan(2, side=64)
    path = tmp_path / "a.jpg"
    Image.fromarray(wanted * np.uint8(255)).save(path, quality=60)
    coding = learn_coding([path])
    assert coding.kind == "binary"
    assert (decode_mask(path, coding, None) != wanted).mean() < 0.01


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_grey_stored_as_colour_is_grey(tmp_path: Path, mode: str) -> None:
    path = save(tmp_path, "a.png", plan(3), mode)
    assert learn_coding([path]) == MaskCoding("ids", (0, 1, 2))
    assert np.array_equal(decode_mask(path, learn_coding([path]), None), plan(3))


def test_colours_with_black_as_background(tmp_path: Path) -> None:
    colours = np.asarray([(0, 0, 0), (0, 200, 0), (250, 0, 0)], np.uint8)
    path = save(tmp_path, "a.png", colours[plan(3)])
    coding = learn_coding([path])
    assert coding == MaskCoding("colours", (0, 0x00C800, 0xFA0000))
    assert np.array_equal(decode_mask(path, coding, None), plan(3))


def test_without_black_the_commonest_colour_is_background(tmp_path: Path) -> None:
    colours = np.asarray([(255, 255, 255), (0, 200, 0), (250, 0, 0)], np.uint8)
    path = save(tmp_path, "a.png", colours[plan(3)])
    assert learn_coding([path]).values[0] == 0xFFFFFF


def test_colours_saved_as_jpeg_take_the_nearest(tmp_path: Path) -> None:
    colours = np.asarray([(0, 0, 0), (20, 200, 30), (230, 30, 200)], np.uint8)
    wanted = np.kron(plan(3), np.ones((15, 15), np.uint8))
    path = tmp_path / "a.jpg"
    Image.fromarray(colours[wanted]).save(path, quality=92, subsampling=0)
    coding = learn_coding([path])
    assert coding.nearest
    assert len(coding.values) == 3
    assert (decode_mask(path, coding, None) != wanted).mean() < 0.03


def test_unknown_values_do_not_count(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", plan(4))
    assert set(np.unique(decode_mask(path, MaskCoding("ids", (0, 1)), None))) == {0, 1, 255}
    painted = save(tmp_path, "b.png", np.asarray([(0, 0, 0), (9, 9, 0)], np.uint8)[plan(2)])
    assert set(np.unique(decode_mask(painted, MaskCoding("colours", (0, 0xFF)), None))) == {0, 255}


def test_masks_that_number_objects_become_one_class(tmp_path: Path) -> None:
    paths = []
    for objects in (9, 12, 15):
        cells = np.arange(100, dtype=np.uint8).reshape(10, 10)
        values = np.kron(np.where(cells <= objects, cells, 0), np.ones((4, 4), np.uint8))
        paths.append(save(tmp_path, f"{objects}.png", values.astype(np.uint8)))
    coding = learn_coding(paths)
    assert coding.instances
    assert set(np.unique(decode_mask(paths[0], coding, None))) == {0, 1}


@pytest.mark.parametrize("channels", [1, 3])
def test_photographs_are_refused(tmp_path: Path, channels: int) -> None:
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(64), np.arange(64))[..., None] + rng.integers(0, 60, (64, 64, channels))
    path = save(tmp_path, "a.png", np.squeeze(ramp.clip(0, 255).astype(np.uint8)))
    with pytest.raises(DataError, match=r"a\.png .* look like photographs"):
        learn_coding([path])


def test_masks_without_anything_marked_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", np.zeros((8, 8), np.uint8))
    with pytest.raises(DataError, match="one value only"):
        learn_coding([path])


def test_a_damaged_mask_is_passed_over_and_named_when_it_is_needed(tmp_path: Path) -> None:
    good, bad = save(tmp_path, "a.png", plan(3)), tmp_path / "b.png"
    bad.write_bytes(good.read_bytes()[:40])
    coding = learn_coding([bad, good])
    assert coding.values == (0, 1, 2)
    with pytest.raises(DataError, match=r"b\.png cannot be read"):
        decode_mask(bad, coding, 8)
    with pytest.raises(DataError, match=r"No mask could be read.*b\.png"):
        learn_coding([bad])


def test_resizing_takes_the_nearest_pixel_and_makes_no_new_class(tmp_path: Path) -> None:
    wanted = plan(4)
    path = save(tmp_path, "a.png", wanted)
    coding = learn_coding([path])
    assert np.array_equal(decode_mask(path, coding, 48), np.kron(wanted, np.ones((2, 2), np.uint8)))
    small = decode_mask(path, coding, 7)
    assert small.shape == (7, 7)
    assert small.dtype == np.uint8
    assert set(np.unique(small)) <= {0, 1, 2, 3}


def test_mask_size_is_height_and_width_upright(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", np.zeros((5, 9), np.uint8))
    assert mask_size(path) == (5, 9)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(np.zeros((5, 9), np.uint8)).save(tmp_path / "b.jpg", exif=turned)
    assert mask_size(tmp_path / "b.jpg") == (9, 5)


def drawn(values: tuple[int, int, int], side: int = 64) -> Image.Image:
    """Background and two discs, four times as large."""
    rows, columns = np.mgrid[: 4 * side, : 4 * side] / 4
    numbers = np.full((4 * side, 4 * side), values[0], np.uint8)
    numbers[(rows - 20) ** 2 + (columns - 20) ** 2 < 144] = values[1]
    numbers[(rows - 44) ** 2 + (columns - 42) ** 2 < 196] = values[2]
    return Image.fromarray(numbers)


@pytest.mark.parametrize("how", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.BOX])
def test_soft_edges_of_greys_are_no_classes(tmp_path: Path, how: Image.Resampling) -> None:
    image = drawn((0, 128, 255))
    image.resize((64, 64), how).save(tmp_path / "a.png")
    coding = learn_coding([tmp_path / "a.png"])
    assert coding.soft
    assert [value & 255 for value in coding.values] == [0, 128, 255]
    decoded = decode_mask(tmp_path / "a.png", coding, None)
    sharp = np.asarray(image.resize((64, 64), Image.Resampling.NEAREST)) // 127
    counted = decoded != 255
    assert (decoded[counted] != sharp[counted]).mean() < 0.02  # an edge of white passes the grey of the other class
    assert counted.mean() > 0.9


def test_few_greys_between_two_are_cut_in_the_middle(tmp_path: Path) -> None:
    values = np.zeros((32, 32), np.uint8)
    values[8:20, 8:20] = 200
    values[7, 8:20] = values[20, 8:20] = 100
    values[7:21, 7] = 50
    coding = learn_coding([save(tmp_path, "a.png", values)])
    assert coding == MaskCoding("binary", (0, 200))


def test_soft_edges_of_colours_are_no_classes(tmp_path: Path) -> None:
    colours = np.asarray([(0, 0, 0), (220, 20, 60), (0, 0, 230)], np.uint8)
    numbers = np.asarray(drawn((0, 1, 2)))
    Image.fromarray(colours[numbers]).resize((64, 64), Image.Resampling.BILINEAR).save(tmp_path / "a.png")
    coding = learn_coding([tmp_path / "a.png"])
    assert coding.soft
    assert len(coding.values) == 3


def test_a_band_between_black_and_white_is_a_border(tmp_path: Path) -> None:
    values = np.zeros((48, 48), np.uint8)
    values[10:38, 10:38] = 128
    values[13:35, 13:35] = 255
    path = save(tmp_path, "a.png", values)
    coding = learn_coding([path])
    assert coding == MaskCoding("ids", (0, 255), ignore=255, void=(128,))
    assert set(np.unique(decode_mask(path, coding, None))) == {0, 1, 255}
    values[13:35, 10:13] = 255  # now they touch: two classes
    assert learn_coding([save(tmp_path, "b.png", values)]).values == (0, 128, 255)


def test_the_cream_of_pascal_voc_does_not_count(tmp_path: Path) -> None:
    colours = np.asarray([(0, 0, 0), (128, 0, 0), (224, 224, 192)], np.uint8)
    path = save(tmp_path, "a.png", colours[plan(3)])
    coding = learn_coding([path])
    assert coding.values == (0, 0x800000)
    assert set(np.unique(decode_mask(path, coding, None))) == {0, 1, 255}


def test_a_value_in_one_mask_of_many_is_a_class(tmp_path: Path) -> None:
    common = save(tmp_path, "common.png", plan(3))
    rare = save(tmp_path, "rare.png", np.asarray([0, 1, 7], np.uint8)[plan(3)])
    assert learn_coding([*[common] * 300, rare, *[common] * 211]).values == (0, 1, 2, 7)


def test_many_greys_with_soft_edges_are_read_or_refused(tmp_path: Path) -> None:
    numbers = np.kron(np.arange(5, dtype=np.uint8).repeat(5).reshape(5, 5), np.ones((40, 40), np.uint8))
    image = Image.fromarray(np.asarray([0, 64, 128, 192, 255], np.uint8)[numbers])
    image.resize((70, 70), Image.Resampling.BICUBIC).save(tmp_path / "a.png")
    coding = learn_coding([tmp_path / "a.png"])
    assert [value & 255 for value in coding.values] == [0, 64, 128, 192, 255]


# Laws


CLASSES = st.lists(st.integers(0, 250), min_size=3, max_size=6, unique=True)


@given(CLASSES, st.integers(0, 3))
@settings(deadline=None, max_examples=30)
def test_what_is_written_in_any_numbers_is_read_as_classes_again(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], turn: int
) -> None:
    """decode(encode(classes)) is classes, whatever numbers a program gave them: gapped ones, and a background that is
    not 0. The background is 0 where it is among them, else what most pixels have."""
    background = 0 if 0 in values else values[0]
    ordered = np.asarray([background, *sorted(one for one in values if one != background)], np.uint8)
    wanted = plan(len(values), turn=turn)
    path = save(tmp_path_factory.mktemp("masks"), "a.png", ordered[wanted])
    coding = learn_coding([path])
    assume(not coding.soft and not coding.instances)
    assert coding.values == tuple(ordered.tolist())
    assert np.array_equal(decode_mask(path, coding, None), wanted)


@pytest.mark.parametrize("values", [(7, 3, 90), (200, 1, 2, 3), (40, 0, 60), (5, 9, 2)])
def test_a_background_that_is_not_the_least_number(tmp_path: Path, values: tuple[int, ...]) -> None:
    wanted = plan(len(values))
    path = save(tmp_path, "a.png", np.asarray(values, np.uint8)[wanted])
    background = 0 if 0 in values else values[0]
    assert learn_coding([path]).values == (background, *sorted(one for one in values if one != background))


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_the_masks_of_this_program_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 256, rng.integers(1, 9, 2), np.uint8)
    path = tmp_path_factory.mktemp("own") / "a.png"
    path.write_bytes(mask_png(numbers))
    assert np.array_equal(read_codes(path, as_colours=False), numbers)


def test_colours_are_packed_strip_by_strip_and_grey_ones_are_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (600, 5, 4), np.uint8)
    colours[..., 3] = rng.integers(0, 2, (600, 5)) * 255
    path = save(tmp_path, "a.png", colours)
    seen = colours.astype(np.int32) * (colours[..., 3:] > 0)
    assert np.array_equal(read_codes(path, as_colours=True), seen[..., 0] << 16 | seen[..., 1] << 8 | seen[..., 2])
    grey = np.repeat(rng.integers(0, 9, (600, 5, 1), np.uint8), 3, axis=2)
    assert np.array_equal(read_codes(save(tmp_path, "b.png", grey), as_colours=False), grey[..., 0])


@pytest.mark.parametrize(("mode", "side"), [("RGB", 9_000), ("L", 12_000)])
def test_a_mask_that_says_to_be_huge_is_refused_before_it_is_decoded(tmp_path: Path, mode: str, side: int) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", side, side, 8, 2 if mode == "RGB" else 0, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with pytest.raises(DataError, match=r"The mask bomb\.png cannot be read: too large"):
            read_codes(path, as_colours=mode == "RGB")
