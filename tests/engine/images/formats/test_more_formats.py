"""Formats and codings that were read wrongly or not at all: each is built here, and looks like what it was made of."""

import io
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats.decode import count_pages, read_picture, squeeze
from sslstudio.engine.images.formats.wanted import LeftOut
from tests.support.odd_dicom import dicom

Pixels = npt.NDArray[Any]


def scene(height: int = 48, width: int = 64) -> npt.NDArray[np.uint8]:
    """Smooth colours (height, width, 3), with a bright patch."""
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([40 + 160 * x / width, 60 + 120 * y / height, 200 - 100 * x / width], axis=-1)
    picture[8:20, 10:30] = (230, 200, 60)
    pixels: npt.NDArray[np.uint8] = np.rint(picture).astype(np.uint8)
    return pixels


def read(path: Path) -> Pixels:
    return np.asarray(read_picture(path).convert("RGB")).astype(int)


def off(path: Path, picture: Pixels) -> float:
    return float(np.abs(read(path) - picture).mean())


# TIFF


@pytest.mark.parametrize(
    ("kind", "number", "tag"),
    [
        (np.float32, -9999.0, "-9999"),
        (np.float32, np.finfo(np.float32).min, "-3.4028234663852886e+38"),
        (np.float64, -1e38, "-1e+38"),
        (np.uint16, 65535, "65535"),
        (np.uint16, 0, "0 "),
        (np.int16, -32768, "-32768"),
    ],
)
def test_no_data_has_no_say_in_the_range(tmp_path: Path, kind: Any, number: float, tag: str) -> None:
    values = (1000 + scene()[..., 0].astype(np.float64) * 4).astype(kind)
    tifffile.imwrite(tmp_path / "whole.tif", values)
    holed = values.copy()
    holed[:10] = kind(number)
    tifffile.imwrite(tmp_path / "holed.tif", holed, extratags=[(42113, "s", 0, tag, True)])
    whole, seen = read(tmp_path / "whole.tif"), read(tmp_path / "holed.tif")
    assert (seen[:10] == 0).all()
    assert seen[10:].std() > 0.9 * whole[10:].std()
    assert np.abs(seen[10:] - whole[10:]).mean() < 12


def test_no_data_in_words_that_are_no_number_is_passed_over(tmp_path: Path) -> None:
    values = np.arange(12 * 12, dtype=np.uint16).reshape(12, 12)
    tifffile.imwrite(tmp_path / "a.tif", values, extratags=[(42113, "s", 0, "none", True)])
    assert read(tmp_path / "a.tif").std() > 50


def _lab_of(rgb: Pixels) -> Pixels:
    """sRGB -> Lab with the white of print, by the formulas of the standards."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
    )
    xyz = linear @ to_xyz.T / np.array([0.96422, 1.0, 0.82521])
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack(
        [116 * root[..., 1] - 16, 500 * (root[..., 0] - root[..., 1]), 200 * (root[..., 1] - root[..., 2])], -1
    )


@pytest.mark.parametrize(("photometric", "deep"), [(8, False), (8, True), (9, False), (9, True)])
def test_lab_is_shown_in_its_colours(tmp_path: Path, photometric: int, deep: bool) -> None:
    lab = _lab_of(scene())
    kind, scale, full = (np.uint16, 256.0, 65535) if deep else (np.uint8, 1.0, 255)
    if photometric == 8:
        coded = np.stack([lab[..., 0] * full / 100, *((lab[..., n] * scale) % (full + 1) for n in (1, 2))], -1)
    else:
        coded = np.stack(
            [lab[..., 0] * (0xFF00 if deep else 255) / 100, *((lab[..., n] + 128) * scale for n in (1, 2))], -1
        )
    coded = np.rint(coded).astype(kind)
    tifffile.imwrite(tmp_path / "lab.tif", coded, photometric="rgb")
    with tifffile.TiffFile(tmp_path / "lab.tif", mode="r+") as tiff:
        page = tiff.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        page.tags["PhotometricInterpretation"].overwrite(photometric)
    assert off(tmp_path / "lab.tif", scene()) < 1.5


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("deep", [False, True])
def test_associated_alpha_lies_on_white(tmp_path: Path, compression: str | None, deep: bool) -> None:
    opacity = np.full((48, 64, 1), 255.0)
    opacity[:, 32:] = 128
    opacity[40:] = 0
    share = opacity / 255
    stored = np.concatenate([scene() * share, opacity], -1)
    stored = np.rint(stored * 257).astype(np.uint16) if deep else np.rint(stored).astype(np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["assocalpha"], compression=compression
    )
    wanted = scene() * share + 255 * (1 - share)
    seen = read(tmp_path / "a.tif")
    assert (seen[40:] == 255).all()
    assert (np.corrcoef(seen.ravel(), wanted.ravel())[0, 1] > 0.97) if deep else np.abs(seen - wanted).mean() < 1.5


def test_a_thumbnail_before_the_picture_is_not_the_picture(tmp_path: Path) -> None:
    small = np.zeros((12, 16, 3), np.uint8)
    for marked in (0, 1):
        with tifffile.TiffWriter(tmp_path / f"{marked}.tif") as out:
            out.write(small, photometric="rgb", subfiletype=marked)
            out.write(scene(), photometric="rgb")
        seen = squeeze(tmp_path / f"{marked}.tif", 16)
        assert (seen.height, seen.width, seen.left) == (48, 64, ())
        assert off(tmp_path / f"{marked}.tif", scene()) == 0
    with tifffile.TiffWriter(tmp_path / "inside.tif") as out:  # the picture in a sub-directory, as cameras do
        out.write(small, photometric="rgb", subfiletype=1, subifds=1)
        out.write(scene(), photometric="rgb", subfiletype=0)
    assert off(tmp_path / "inside.tif", scene()) == 0


@pytest.mark.parametrize("compression", ["jpeg2000", "jpegxl", "lerc", "webp"])
def test_packings_of_a_tiff(tmp_path: Path, compression: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", scene(), photometric="rgb", compression=compression)
    assert off(tmp_path / "a.tif", scene()) < 4


def test_twelve_bit_jpeg_in_a_tiff(tmp_path: Path) -> None:
    grey = scene()[..., 0].astype(np.uint16) * 16
    tifffile.imwrite(
        tmp_path / "a.tif", grey, compression="jpeg", compressionargs={"level": 95, "bitspersample": 12}, tile=(48, 64)
    )
    assert np.corrcoef(read(tmp_path / "a.tif")[..., 0].ravel(), grey.ravel())[0, 1] > 0.98


# files of their own


def test_jpegs_of_all_kinds(tmp_path: Path) -> None:
    grey = scene()[..., 0].astype(np.uint16)
    (tmp_path / "twelve.jpg").write_bytes(imagecodecs.jpeg_encode(grey * 16, level=95, bitspersample=12))
    (tmp_path / "lossless.jpg").write_bytes(imagecodecs.jpeg_encode(scene(), lossless=True))
    (tmp_path / "ls.jls").write_bytes(imagecodecs.jpegls_encode(scene()))
    (tmp_path / "ls named.jpg").write_bytes(imagecodecs.jpegls_encode(scene()))
    assert np.corrcoef(read(tmp_path / "twelve.jpg")[..., 0].ravel(), grey.ravel())[0, 1] > 0.98
    for name in ("lossless.jpg", "ls.jls", "ls named.jpg"):
        assert off(tmp_path / name, scene()) == 0
        for side in (4, 8, 16, 32):  # a smaller size is not inside: asking for it wrote beyond the memory
            assert squeeze(tmp_path / name, side).pixels.shape == (side, side, 3)


@pytest.mark.parametrize(
    ("name", "codec", "most"),
    [("a.jp2", "jpeg2k", 0.0), ("a.jxl", "jpegxl", 4.0), ("a.avif", "avif", 4.0)],
)
def test_newer_formats(tmp_path: Path, name: str, codec: str, most: float) -> None:
    if not getattr(imagecodecs, codec.upper()).available:
        pytest.skip("this imagecodecs does not have it")
    (tmp_path / name).write_bytes(
        getattr(imagecodecs, f"{codec}_encode")(scene(), level=0 if codec == "jpeg2k" else 95)
    )
    assert off(tmp_path / name, scene()) <= most
    opacity = np.full((48, 64, 1), 255, np.uint8)
    opacity[:, :32] = 0
    see_through = np.concatenate([scene(), opacity], axis=-1)
    (tmp_path / name).write_bytes(
        getattr(imagecodecs, f"{codec}_encode")(see_through, level=0 if codec == "jpeg2k" else 95)
    )
    assert read(tmp_path / name)[:, :28].min() > 245


@pytest.mark.parametrize("name", ["a.ppm", "a.tga", "packed.tga", "a.pgm"])
def test_old_formats(tmp_path: Path, name: str) -> None:
    picture = Image.fromarray(scene() if name != "a.pgm" else scene()[..., 0])
    picture.save(tmp_path / name, **({"compression": "tga_rle"} if name == "packed.tga" else {}))
    assert off(tmp_path / name, np.asarray(picture.convert("RGB"))) == 0


def test_a_stereo_picture_says_that_there_are_two(tmp_path: Path) -> None:
    Image.fromarray(scene()).save(tmp_path / "a.mpo", save_all=True, append_images=[Image.fromarray(scene()[::-1])])
    assert squeeze(tmp_path / "a.mpo", 16).left == (LeftOut("pages", 2),)


def test_frames_of_animations_are_counted(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.roll(scene(), number * 8, axis=1)) for number in range(4)]
    for name in ("a.gif", "a.webp", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        assert squeeze(tmp_path / name, 16).left == (LeftOut("frames", 4),)
        assert count_pages(tmp_path / name) == 4
        assert off(Path(f"{tmp_path / name}#page=3"), np.asarray(frames[2])) < 12
        with pytest.raises(DataError, match="page 9 was asked for, and it has 4"):
            read_picture(Path(f"{tmp_path / name}#page=9"))


# stacks and channels


def test_pages_and_channels_of_a_tiff(tmp_path: Path) -> None:
    pages = np.stack([np.roll(scene()[..., 0], 5 * number, axis=1) for number in range(7)])
    tifffile.imwrite(tmp_path / "stack.tif", pages, photometric="minisblack")
    tifffile.imwrite(tmp_path / "packed.tif", pages, photometric="minisblack", compression="zlib")
    for name in ("stack.tif", "packed.tif"):
        assert squeeze(tmp_path / name, 16).left == (LeftOut("pages", 7),)
        for page in (1, 3, 7):
            assert off(Path(f"{tmp_path / name}#page={page}"), pages[page - 1][..., None]) == 0
        assert squeeze(Path(f"{tmp_path / name}#page=2"), 16).left == ()
    hyper = np.arange(2 * 3 * 5 * 8 * 8, dtype=np.uint16).reshape(2, 3, 5, 8, 8)  # frames, slices, channels
    hyper[..., ::2] += 4000 * np.arange(5, dtype=np.uint16)[:, None, None]
    tifffile.imwrite(tmp_path / "hyper.tif", hyper, imagej=True, metadata={"axes": "TZCYX"})
    assert set(squeeze(tmp_path / "hyper.tif", 8).left) == {
        LeftOut("channels", 5), LeftOut("slices", 3), LeftOut("frames", 2),
    }  # fmt: skip
    assert count_pages(tmp_path / "hyper.tif") == 6
    seen = read(Path(f"{tmp_path / 'hyper.tif'}#page=5#channels=4"))[..., 0]  # frame 2, slice 2
    assert np.corrcoef(seen.ravel(), hyper[1, 1, 3].ravel().astype(float))[0, 1] > 0.99
    together = read(Path(f"{tmp_path / 'hyper.tif'}#channels=3,1,2"))
    for place, channel in enumerate((3, 1, 2)):
        assert np.corrcoef(together[..., place].ravel(), hyper[0, 0, channel - 1].ravel())[0, 1] > 0.99


def test_channels_inside_a_page(tmp_path: Path) -> None:
    many = np.stack([np.roll(scene()[..., 0], 9 * number, axis=0) for number in range(5)], -1)
    tifffile.imwrite(tmp_path / "five.tif", many, photometric="minisblack", planarconfig="contig")
    assert squeeze(tmp_path / "five.tif", 16).left == (LeftOut("channels", 5, 3),)
    assert (read(Path(f"{tmp_path / 'five.tif'}#channels=5,1,4")) == many[..., [4, 0, 3]]).all()
    with pytest.raises(DataError, match="channel 6 was chosen, and it has 5 channels"):
        read_picture(Path(f"{tmp_path / 'five.tif'}#channels=6"))
    Image.fromarray(scene()).save(tmp_path / "plain.png")
    assert (read(Path(f"{tmp_path / 'plain.png'}#channels=3")) == scene()[..., 2:]).all()


def test_a_file_that_is_really_named_like_a_page_is_itself(tmp_path: Path) -> None:
    Image.fromarray(scene()).save(tmp_path / "odd#page=2", format="PNG")
    assert off(tmp_path / "odd#page=2", scene()) == 0


# DICOM


def write(path: Path, pixels: Pixels, syntax: UID = ExplicitVRLittleEndian, /, **elements: Any) -> Path:
    path.write_bytes(dicom(pixels, syntax, **elements))
    return path


@pytest.mark.parametrize("first", [-124, 900])
@pytest.mark.parametrize("top", [65535, 4095, 255])
def test_a_table_of_greys_is_asked_with_real_values(tmp_path: Path, first: int, top: int) -> None:
    slope, intercept = (1, -1024) if first < 0 else (1, 0)
    wanted = np.linspace(0, 1, 48 * 64).reshape(48, 64)
    stored = np.rint(first - intercept + wanted * 399).astype(np.uint16)
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [400, first, 16])
    item.add_new(0x00283006, "US", np.rint(np.linspace(0, top, 400)).astype(int).tolist())
    path = write(
        tmp_path / "a.dcm", stored, RescaleSlope=slope, RescaleIntercept=intercept, VOILUTSequence=Sequence([item])
    )
    assert np.abs(read(path)[..., 0] - wanted * 255).max() < 2


@pytest.mark.parametrize("factor", [1, 257])
def test_palettes_of_eight_bits_in_sixteen(tmp_path: Path, factor: int) -> None:
    table = np.stack([np.arange(256), 255 - np.arange(256), np.roll(np.arange(256), 90)])
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for row, name in zip(table, ("Red", "Green", "Blue"), strict=True):
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        elements[f"{name}PaletteColorLookupTableData"] = (row * factor).astype("<u2").tobytes()
    numbers = scene()[..., 0]
    assert off(write(tmp_path / "a.dcm", numbers, **elements), np.moveaxis(table[:, numbers], 0, -1)) == 0


@pytest.mark.parametrize(
    ("syntax", "codec"),
    [
        (ExplicitVRLittleEndian, None),
        (RLELossless, None),
        (JPEGLSLossless, lambda values: imagecodecs.jpegls_encode(values)),
        (JPEG2000Lossless, lambda values: imagecodecs.jpeg2k_encode(values, level=0, mct=False, codecformat="j2k")),
        (
            JPEGLosslessSV1,
            lambda values: imagecodecs.jpeg_encode(values, lossless=True, colorspace="RGB", outcolorspace="RGB"),
        ),
    ],
)
def test_luma_and_chroma_become_colours_in_every_transfer_syntax(tmp_path: Path, syntax: UID, codec: Any) -> None:
    ybr = np.asarray(Image.fromarray(scene()).convert("YCbCr"))
    elements: dict[str, Any] = {"PhotometricInterpretation": "YBR_FULL"}
    if syntax == RLELossless:
        about: dict[str, Any] = {
            "rows": 48, "columns": 64, "samples_per_pixel": 3, "bits_allocated": 8, "bits_stored": 8,
            "photometric_interpretation": "YBR_FULL", "pixel_representation": 0, "number_of_frames": 1,
            "planar_configuration": 0,
        }  # fmt: skip
        elements["PixelData"] = encapsulate([RLELosslessEncoder.encode(ybr, **about)])
    elif codec:
        elements["PixelData"] = encapsulate([codec(ybr)])
    assert off(write(tmp_path / "a.dcm", ybr, syntax, **elements), scene()) < 2


def _groups(slope: float, intercept: float, centre: float, width: float) -> Dataset:
    scale, window, groups = Dataset(), Dataset(), Dataset()
    scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = slope, intercept, "US"
    window.WindowCenter, window.WindowWidth = centre, width
    groups.PixelValueTransformationSequence, groups.FrameVOILUTSequence = Sequence([scale]), Sequence([window])
    return groups


@pytest.mark.parametrize("shared", [False, True])
def test_functional_groups_of_an_enhanced_object(tmp_path: Path, shared: bool) -> None:
    """Scale and window stand in the groups, and may be others for each frame."""
    grey = scene()[..., 0].astype(np.float64)
    scales = [(2.0, -100.0)] * 2 if shared else [(2.0, -100.0), (0.5, -300.0)]
    frames = np.stack([np.rint((grey - intercept) / slope + 200) for slope, intercept in scales]).astype(np.uint16)
    groups = [_groups(slope, intercept, 128 + 200 * slope, 256) for slope, intercept in scales]
    place = "SharedFunctionalGroupsSequence" if shared else "PerFrameFunctionalGroupsSequence"
    path = write(
        tmp_path / "a.dcm", frames[..., None].repeat(1, -1)[..., 0].reshape(2, 48, 64), NumberOfFrames=2, Rows=48,
        Columns=64, **{place: Sequence(groups[:1] if shared else groups)},
    )  # fmt: skip
    assert squeeze(path, 16).left == (LeftOut("frames", 2),)
    assert count_pages(path) == 2
    for frame in (1, 2):
        assert off(Path(f"{path}#page={frame}"), grey[..., None]) < 3


def test_eight_bits_with_a_slope_of_one_are_as_without(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.dcm", scene()[..., 0])
    scaled = write(tmp_path / "b.dcm", scene()[..., 0], RescaleSlope="1", RescaleIntercept="0")
    assert (read(plain) == read(scaled)).all()
    assert (read(plain) == scene()[..., :1]).all()


def test_padding_and_its_range_have_no_say(tmp_path: Path) -> None:
    values = (scene()[..., 0].astype(np.int16) * 4) - 200
    whole = read(write(tmp_path / "whole.dcm", values))
    holed = values.copy()
    holed[:8], holed[8:16] = -2000, -1990
    seen = read(write(tmp_path / "a.dcm", holed, PixelPaddingValue=-2000, PixelPaddingRangeLimit=-1980))
    assert (seen[:16] == 0).all()
    assert np.abs(seen[16:] - whole[16:]).mean() < 12


def test_a_segmentation_is_told_from_a_picture(tmp_path: Path) -> None:
    path = write(tmp_path / "seg.dcm", scene()[..., 0], SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    with pytest.raises(DataError, match="segmentation: it holds masks"):
        read_picture(path)


def test_unfinished_stacks_are_reasons_or_pictures(tmp_path: Path) -> None:
    pages = np.zeros((9, 16, 16), np.uint8)
    out = io.BytesIO()
    tifffile.imwrite(out, pages, photometric="minisblack", compression="zlib")
    for end in range(8, len(out.getvalue()), 97):
        (tmp_path / "a.tif").write_bytes(out.getvalue()[:end])
        try:
            squeeze(tmp_path / "a.tif", 8)
        except DataError:
            continue
