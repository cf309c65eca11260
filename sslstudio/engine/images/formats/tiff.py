"""TIFF: plain 8-bit pages by Pillow, all others (packed, deep, floating point, many channels) by tifffile."""

import os
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, SAMPLEFORMAT, TiffFile, TiffPage

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats.errors import check_size, silence_log
from sslstudio.engine.images.formats.tone import Values, flatten, from_values

silence_log("tifffile")

_ALPHA = (EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA)
_PILLOW_SAMPLES = (
    (PHOTOMETRIC.MINISWHITE, 1),
    (PHOTOMETRIC.MINISBLACK, 1),
    (PHOTOMETRIC.PALETTE, 1),
    (PHOTOMETRIC.RGB, 3),
    (PHOTOMETRIC.RGB, 4),
    (PHOTOMETRIC.YCBCR, 3),
    (PHOTOMETRIC.SEPARATED, 4),
)
# Pillow hands packed data to libtiff, which writes to the terminal of the process whatever it finds odd.
_PILLOW_CODECS = (COMPRESSION.NONE, COMPRESSION.OJPEG)


def read_tiff(file: BinaryIO) -> tuple[Image.Image, int]:
    """The first page as L or RGB, and its orientation (1 if Pillow has already turned it)."""
    with TiffFile(file) as tiff:
        page = tiff.pages.first
        if not isinstance(page, TiffPage):
            raise DataError("not a picture that can be read: a TIFF file without a page")
        _check(page, file)
        if not _is_plain(page):
            return _from_page(page), _orientation(page)
    file.seek(0)
    image = TiffImageFile(file)
    image.load()
    return flatten(image), 1


def _check(page: TiffPage, file: BinaryIO) -> None:
    """Raises DataError if the page is too large or its data lies beyond the end of the file."""
    sample = (int(page.bitspersample) + 7) // 8
    check_size(page.imagewidth, page.imagelength * page.imagedepth, sample * page.samplesperpixel)
    size = file.seek(0, os.SEEK_END)
    if any(start + count > size for start, count in zip(page.dataoffsets, page.databytecounts, strict=False)):
        raise DataError("the file ends too early")


def _is_plain(page: TiffPage) -> bool:
    return (
        page.bitspersample <= 8
        and page.sampleformat == SAMPLEFORMAT.UINT
        and page.planarconfig == 1
        and page.compression in _PILLOW_CODECS
        and (page.photometric, page.samplesperpixel) in _PILLOW_SAMPLES
    )


def _from_page(page: TiffPage) -> Image.Image:
    values = _rows_columns_channels(page.asarray(maxworkers=1), page.axes)
    if page.photometric == PHOTOMETRIC.SEPARATED and values.shape[-1] >= 4 and values.dtype.kind == "u":
        inks = values[..., :4] >> (8 * (values.dtype.itemsize - 1))
        return Image.fromarray(np.ascontiguousarray(inks, dtype=np.uint8), "CMYK").convert("RGB")
    if page.photometric == PHOTOMETRIC.PALETTE and page.colormap is not None and values.ndim == 2:
        return from_values(_look_up(values, page.colormap), colour=True)
    colour = page.photometric in (PHOTOMETRIC.RGB, PHOTOMETRIC.YCBCR)
    image = from_values(_full_scale(values, page), colour=colour, alpha=_alpha(page, colour))
    return image.point(lambda value: 255 - value) if page.photometric == PHOTOMETRIC.MINISWHITE else image


def _look_up(values: Values, table: Values) -> Values:
    """Look up numbers of colours in a table (3, n) of 16-bit values (some programs write 8 bits there)."""
    colours = table >> 8 if table.max() > 255 else table
    return np.asarray(np.moveaxis(colours[:, values], 0, -1), dtype=np.uint8)


def _rows_columns_channels(values: Values, axes: str) -> Values:
    """Any axes -> (Y, X) or (Y, X, S); of any other axis (depth) the first."""
    for axis in axes:
        if axis not in "YXS":
            values = values[(slice(None),) * axes.index(axis) + (0,)]
            axes = axes.replace(axis, "", 1)
    order = [axes.index(axis) for axis in "YXS" if axis in axes]
    return np.asarray(values.transpose(order))


def _full_scale(values: Values, page: TiffPage) -> Values:
    """Grey levels of 2 to 7 bits, which are unpacked to bytes as they are, spread over 0..255."""
    if values.dtype != np.uint8 or page.bitspersample >= 8:
        return values
    spread = values.astype(np.float32) * (255 / (2**page.bitspersample - 1))
    return np.asarray(spread, dtype=np.uint8)


def _alpha(page: TiffPage, colour: bool) -> int | None:
    main = 3 if colour else 1
    return main if page.extrasamples and page.extrasamples[0] in _ALPHA and page.samplesperpixel > main else None


def _orientation(page: TiffPage) -> int:
    tag = page.tags.get(274)
    return tag.value if tag is not None and isinstance(tag.value, int) else 1
