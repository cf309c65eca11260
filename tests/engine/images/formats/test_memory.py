"""No picture within the limits takes more than 1 GB while it is read; what would is refused before it is decoded."""

import os
import re
import struct
import sys
import traceback
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats import decode, tone
from sslstudio.engine.images.formats.decode import read_picture, read_values, squeeze
from sslstudio.engine.images.formats.dimensions import size_said
from sslstudio.engine.images.formats.errors import BYTES_LIMIT, check_size

GIGABYTE = 1 << 30
SPARE = 48 << 20  # what the libraries load, and strips
SIDES = (2600, 2300)
ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")


def growth(work: Callable[[], object]) -> int:
    """By how many bytes a process of its own grows at most while it does this."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            before = memory("VmRSS")
            Path("/proc/self/clear_refs").write_text("5")  # the highest mark begins anew
            work()
            os.write(theirs, str(memory("VmHWM") - before).encode())
        except BaseException:
            os.write(theirs, traceback.format_exc().encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as said:
        told = said.read()
    os.waitpid(pid, 0)
    assert told.lstrip("-").isdigit(), told
    return int(told)


def memory(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) << 10


def gradient(*shape: int, dtype: str = "u2") -> np.ndarray:
    values = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) * (1 if dtype == "u1" else 13)
    values = values[..., None] + np.arange(shape[2]) * 7 if len(shape) == 3 else values
    return (values % (256 if dtype == "u1" else 60000)).astype(dtype)


def write(folder: Path, name: str, height: int, width: int) -> Path:
    file = folder / f"{name}.{'png' if 'png' in name else 'jpg' if 'jpeg' in name else 'tif'}"
    if "tiff" in name:
        channels = 3 if "rgb" in name else 1
        kind = {"16": "u2", "f32": "f4", "f64": "f8", "8": "u1"}[name.split()[-1]]
        shape = (height, width, channels) if channels == 3 else (height, width)
        tifffile.imwrite(file, gradient(*shape, dtype=kind), photometric="rgb" if channels == 3 else "minisblack",
                         compression="zlib" if "zip" in name else None, rowsperstrip=64)  # fmt: skip
        return file
    mode = {"rgb": "RGB", "rgba": "RGBA", "palette": "P", "cmyk": "CMYK", "la": "LA", "grey": "L"}[name.split()[1]]
    count = {"RGB": 3, "RGBA": 4, "P": 1, "CMYK": 4, "LA": 2, "L": 1}[mode]
    values = gradient(height, width, count, dtype="u1") if count > 1 else gradient(height, width, dtype="u1")
    image = Image.frombytes(mode, (width, height), values.tobytes())
    options = {"compress_level": 1} if "png" in name else {"progressive": "progressive" in name}
    exif = Image.Exif()
    if "turned" in name:
        exif[0x0112] = 6
    image.save(file, exif=exif, **options)
    return file


NAMES = ("tiff rgb 16", "tiff rgb zip 16", "tiff grey f32", "tiff rgb zip f64", "tiff rgb 8", "png rgb", "png rgba",
         "png la", "png palette", "png rgb turned", "jpeg cmyk", "jpeg rgb turned", "jpeg rgb progressive",
         "jpeg grey")  # fmt: skip


@ON_LINUX
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_takes_no_more_than_was_asked_of_the_limit(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is on what the program reckons with; a picture of a smaller size shows that it reckons rightly."""
    file = write(tmp_path, name, *SIDES)
    monkeypatch.setattr(tone, "STRIP", 500_000)
    reckoned: list[float] = []

    def note(width: int, height: int, bytes_per_pixel: float = 1, more: int = 0) -> None:
        check_size(width, height, bytes_per_pixel, more)
        reckoned.append(width * height * bytes_per_pixel + more)

    for module in (decode, sys.modules.get("sslstudio.engine.images.formats.tiff")):
        if module is not None:
            monkeypatch.setattr(module, "check_size", note)
    from sslstudio.engine.images.formats import tiff

    monkeypatch.setattr(tiff, "check_size", note)
    squeeze(file, 64)
    assert growth(lambda: squeeze(file, 64)) <= max(reckoned) + SPARE
    assert growth(lambda: read_picture(file)) <= max(reckoned) + SPARE


@ON_LINUX
@pytest.mark.slow
@pytest.mark.parametrize(("name", "each"), [("tiff rgb zip 16", 13), ("tiff rgb 16", 13), ("tiff grey f32", 6)])
def test_at_the_limit_it_is_less_than_a_gigabyte(tmp_path: Path, name: str, each: int) -> None:
    height = 4000
    file = write(tmp_path, name, height, int(BYTES_LIMIT / each / height))
    assert growth(lambda: squeeze(file, 96)) < GIGABYTE
    assert growth(lambda: read_picture(file)) < GIGABYTE


def refused(file: Path) -> str:
    with pytest.raises(DataError) as error:
        squeeze(file, 32)
    return str(error.value)


def png_header(width: int, height: int, bits: int, colour: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@ON_LINUX
@pytest.mark.parametrize(("bits", "colour"), [(16, 2), (16, 6), (8, 6)])
def test_a_png_that_says_to_be_huge_is_refused_before_it_is_decoded(tmp_path: Path, bits: int, colour: int) -> None:
    file = tmp_path / "bomb.png"
    file.write_bytes(png_header(15_000, 15_000, bits, colour))
    assert "MB of memory while they are read, and the limit is 1000 MB" in refused(file)
    assert growth(lambda: refused(file)) < SPARE


def tiff_header(width: int, height: int, bits: int, kind: int) -> bytes:
    """A page of one channel whose strip is a few bytes that deflate to far fewer than it says."""
    strip = zlib.compress(bytes(1000))
    tags = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 8), (262, 3, 1), (273, 4, 8), (277, 3, 1),
            (278, 4, height), (279, 4, len(strip)), (339, 3, kind)]  # fmt: skip
    start = 8 + len(strip)
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, form, 1, value)
                                                        for tag, form, value in tags)  # fmt: skip
    return struct.pack("<2sHI", b"II", 42, start) + strip + directory + bytes(4)


BOMBS = {
    "deep grey.png": png_header(24_000, 15_000, 16, 0), "deep colour.png": png_header(15_000, 15_000, 16, 2),
    "deep.tif": tiff_header(24_000, 10_400, 32, 1), "floats.tif": tiff_header(15_000, 15_000, 64, 3),
}  # fmt: skip


@ON_LINUX
@pytest.mark.parametrize("name", BOMBS)
def test_what_is_looked_at_closely_has_the_same_limit(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(BOMBS[name])

    def look() -> None:
        with pytest.raises(DataError, match="too large"):
            read_values(file)

    look()
    assert growth(look) < SPARE


@ON_LINUX
def test_a_deflated_dicom_is_inflated_no_further_than_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "bomb.dcm"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    dataset = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    dataset.Rows = dataset.Columns = 8
    dataset.save_as(file, enforce_file_format=True)
    packed = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    with file.open("r+b") as content:
        head = content.read()
        content.seek(head.rindex(b"1.2.840.10008.1.2.1.99") + 22)
        whole = file.read_bytes()
        start = 132 + 12 + struct.unpack("<I", whole[140:144])[0]  # behind the group of the file's own elements
        content.seek(start)
        content.truncate()
        for _ in range(300):
            content.write(packed.compress(bytes(1_000_000)))
        content.write(packed.flush())
    assert file.stat().st_size < 1_000_000
    assert refused(file) == "too large: its compressed data become more than 250 MB"
    assert growth(lambda: refused(file)) < SPARE


@pytest.mark.parametrize("codec", ["jpeg2k", "avif", "jpegxl"])
@pytest.mark.parametrize("size", [(40, 30), (257, 300), (64, 64), (1000, 10)])
def test_the_size_of_what_only_a_decoder_reads_is_told_by_its_header(
    tmp_path: Path, codec: str, size: tuple[int, int]
) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    if not getattr(imagecodecs, codec.upper()).available:
        pytest.skip(f"no {codec}")
    file = tmp_path / "picture"
    file.write_bytes(getattr(imagecodecs, f"{codec}_encode")(gradient(size[1], size[0], 3, dtype="u1")))
    with file.open("rb") as content:
        said = size_said(codec, content)
    assert said is not None
    assert said[:2] == size


def test_strips_make_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    arrays: list[Any] = [rng.integers(0, 4000, (61, 47, 3), dtype=np.uint16),
              rng.normal(size=(61, 47)).astype(np.float32),
              rng.normal(size=(61, 47, 5))]  # fmt: skip
    arrays[1][3, 4], arrays[2][5, 6] = np.nan, np.inf
    masks = rng.random((61, 47)) < 0.1
    whole = [tone.stretch(one, padding=masks) for one in arrays]
    colours = [np.asarray(tone.from_values(one, colour=False, alpha=None)) for one in arrays]
    see_through = Image.fromarray(rng.integers(0, 256, (61, 47, 4), dtype=np.uint8), "RGBA")
    flat = np.asarray(tone.flatten(see_through))
    monkeypatch.setattr(tone, "STRIP", 100)
    for one, made, colour in zip(arrays, whole, colours, strict=True):
        assert np.array_equal(tone.stretch(one, padding=masks), made)
        assert np.array_equal(np.asarray(tone.from_values(one, colour=False, alpha=None)), colour)
    assert np.array_equal(np.asarray(tone.flatten(see_through)), flat)
