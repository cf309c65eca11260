"""TIFF: plain 8-bit pages by Pillow, all others (packed, deep, floating point, many channels) by tifffile."""

import math
import os
from collections.abc import Sequence
from functools import partial
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, SAMPLEFORMAT, TiffFile, TiffPage, TiffPageSeries

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats.errors import BROKEN, check_size, silence_log
from sslstudio.engine.images.formats.exif import TURNS
from sslstudio.engine.images.formats.tone import (
    Values,
    choose,
    flatten,
    from_values,
    in_strips,
    lab_to_rgb,
    shown_channels,
    unmultiplied,
)
from sslstudio.engine.images.formats.wanted import LeftOut, Wanted

silence_log("tifffile")

_ALPHA = (EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA)
_LAB = (PHOTOMETRIC.CIELAB, PHOTOMETRIC.ICCLAB)
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
_JPEGS = (COMPRESSION.JPEG, COMPRESSION.OJPEG, COMPRESSION.JPEG_LOSSY)
_NODATA = 42113
_REDUCED = 1  # bit of NewSubfileType: a smaller version of another page
_FEW = 8  # pages among which a first small one is looked at as a thumbnail without the bit
_AXES = {"Z": "slices", "T": "frames"}  # axis of a series -> kind; all others are pages


class Stack(NamedTuple):
    """The pictures of a file: `page` is the one that describes all, `series` holds them (None: the page alone).

    `axes` and `shape` are those beyond the page's own: 'TZC', (5, 10, 3). `further`: other series of pictures.
    """

    page: TiffPage
    series: TiffPageSeries | None = None
    axes: str = ""
    shape: tuple[int, ...] = ()
    further: int = 0

    @property
    def pages(self) -> int:
        """How many pictures there are: channels are no pictures of their own."""
        return math.prod(size for axis, size in zip(self.axes, self.shape, strict=True) if axis != "C")

    @property
    def channels(self) -> int:
        """How many pages of one channel each make a picture."""
        return self.shape[self.axes.index("C")] if "C" in self.axes else 1

    def place(self, page: int, channel: int) -> int:
        """The number in the series of a channel of a picture, all from 0."""
        rest = tuple(size for axis, size in zip(self.axes, self.shape, strict=True) if axis != "C")
        where = list(np.unravel_index(page, rest)) if rest else []
        if "C" in self.axes:
            where.insert(self.axes.index("C"), np.intp(channel))
        return int(np.ravel_multi_index(tuple(where), self.shape)) if where else 0


def count_pages(file: BinaryIO) -> int:
    """How many pictures a TIFF file holds (pages, slices, frames; channels are none)."""
    with TiffFile(file) as tiff:
        return _stack(tiff).pages


def read_tiff(file: BinaryIO, wanted: Wanted) -> tuple[Image.Image, int, tuple[LeftOut, ...]]:
    """The first page, or the one that is wanted, as L or RGB; its orientation (1 if Pillow has already turned it); and
    what of the file is not in it."""
    with TiffFile(file) as tiff:
        stack = _stack(tiff)
        _check(stack.page, file)
        if wanted.page is not None and wanted.page > stack.pages:
            raise DataError("page {asked} was asked for, and it has {n}", asked=wanted.page, n=stack.pages)
        left = _left_out(stack, wanted)
        number = (wanted.page or 1) - 1
        plain = stack.channels == 1 and not wanted.channels and _is_plain(stack.page)
        frame = _frame_number(stack, number) if plain else None
        if frame is None:
            return _from_stack(stack, number, wanted.channels, file), _orientation(stack.page), left
    file.seek(0)
    image = TiffImageFile(file)
    image.seek(frame)
    image.load()
    return flatten(image), 1, left


def read_tiff_values(file: BinaryIO, wanted: Wanted) -> tuple[Values, int, bool, int] | None:
    """The values (h, w) of one channel as the file holds them, their orientation, whether large ones are dark, and how
    many channels there are; None for a picture of several channels or of 8 bits, which `read_tiff` gives whole."""
    with TiffFile(file) as tiff:
        stack = _stack(tiff)
        page = stack.page
        _check(page, file)
        number = (wanted.page or 1) - 1
        channel = wanted.channels[0] if len(wanted.channels) == 1 else 1
        one = len(wanted.channels) <= 1 and channel <= max(stack.channels, _samples(page)) and number < stack.pages
        if not one or page.dtype is None or page.dtype == np.uint8 or page.photometric == PHOTOMETRIC.PALETTE:
            return None
        held = page.samplesperpixel + (page.samplesperpixel > 1)  # all channels, and the one that is cut out of them
        check_size(page.imagewidth, page.imagelength * page.imagedepth, page.dtype.itemsize * held)
        values = _plane(stack, stack.place(number, channel - 1 if stack.channels > 1 else 0), file)
        if values.ndim == 3:
            if values.shape[2] > 2 and not wanted.channels:
                return None  # a colour
            values = values[..., channel - 1 if stack.channels == 1 else 0]
        if values.dtype.kind not in "uif":
            return None
        dark = page.photometric == PHOTOMETRIC.MINISWHITE
        return np.ascontiguousarray(values), _orientation(page), dark, max(stack.channels, _samples(page))


def _frame_number(stack: Stack, number: int) -> int | None:
    """Where in the chain of the file's pages the picture is; None where it is not in it."""
    if stack.series is None:
        page: Any = stack.page
    else:
        page = stack.series.pages[number] if number < len(stack.series.pages) else None
    return page.treeindex[0] if page is not None and len(page.treeindex) == 1 else None


def _stack(tiff: TiffFile) -> Stack:
    first = tiff.pages.first
    if not isinstance(first, TiffPage):
        raise DataError("not a picture that can be read: a TIFF file without a page")
    try:
        count = len(tiff.pages)
    except BROKEN:  # the chain of pages is damaged: the first is still good
        return Stack(first)
    if count == 1 and not _has_more(tiff, first):
        return Stack(first)
    main = _main_page(tiff, first, count)
    try:
        return _by_series(tiff, main)
    except BROKEN:
        alike = count if main is first else 1
        return Stack(main, None, "I" * (alike > 1), (alike,) * (alike > 1))


def _has_more(tiff: TiffFile, first: TiffPage) -> bool:
    """Whether one page may stand for a stack (ImageJ, and what it writes over 4 GB), or hide a larger one."""
    return bool(tiff.is_imagej or tiff.is_shaped or tiff.is_lsm or first.subfiletype & _REDUCED)


def _main_page(tiff: TiffFile, first: TiffPage, count: int) -> TiffPage:
    """The page that is the picture: cameras and scanners put a thumbnail before it."""
    if first.subfiletype & _REDUCED:
        inside = list(first.pages or ())
        others = [page for page in [*tiff.pages[1:], *inside] if isinstance(page, TiffPage)]
        whole = [page for page in others if not page.subfiletype & _REDUCED]
        return max(whole, key=_area, default=first)
    if not 1 < count <= _FEW:
        return first
    others = [page for page in tiff.pages[1:] if isinstance(page, TiffPage)]
    larger = [page for page in others if _area(page) >= 4 * _area(first) and _same_shape(page, first)]
    return max(larger, key=_area, default=first)


def _area(page: TiffPage) -> int:
    return page.imagewidth * page.imagelength


def _same_shape(page: TiffPage, other: TiffPage) -> bool:
    """Whether the sides are in the same proportion, within what rounding does to a thumbnail."""
    one, two = page.imagewidth * other.imagelength, other.imagewidth * page.imagelength
    return abs(one - two) <= 0.05 * max(one, two)


def _by_series(tiff: TiffFile, main: TiffPage) -> Stack:
    found = [one for one in tiff.series if one.keyframe is main or main in list(one.pages)]
    if not found:
        return Stack(main)
    series = found[0]
    inner = main.ndim
    axes, shape = series.axes[: series.ndim - inner], series.shape[: series.ndim - inner]
    whole = [one for one in tiff.series if one is not series and not _is_reduced(one, main)]
    if tuple(series.shape[series.ndim - inner :]) != tuple(main.shape) or "".join(axes).count("C") > 1:
        return Stack(main, further=len(whole))
    if not axes:
        return Stack(main, further=len(whole))
    return Stack(main, series, axes, tuple(shape), len(whole))


def _is_reduced(series: TiffPageSeries, main: TiffPage) -> bool:
    """Thumbnails, previews and levels of a pyramid are no further pictures."""
    page = series.keyframe
    return bool(page.subfiletype & _REDUCED) or (_same_shape(page, main) and _area(page) < _area(main))


def _left_out(stack: Stack, wanted: Wanted) -> tuple[LeftOut, ...]:
    left = []
    inside = _samples(stack.page)
    if stack.channels * inside > 1 and not wanted.channels:
        count = stack.channels if stack.channels > 1 else inside
        used = 1 if stack.channels > 1 else shown_channels(inside)
        left += [LeftOut("channels", count, used)] if used < count else []
    if stack.page.imagedepth > 1:
        left.append(LeftOut("slices", stack.page.imagedepth))
    if wanted.page is None:
        counts: dict[str, int] = {}
        for axis, size in zip(stack.axes, stack.shape, strict=True):
            if axis != "C" and size > 1:
                kind = _AXES.get(axis, "pages")
                counts[kind] = counts.get(kind, 1) * size
        left += [LeftOut(kind, size) for kind, size in counts.items()]
    if stack.further:
        left.append(LeftOut("series", stack.further + 1))
    return tuple(left)


def _samples(page: TiffPage) -> int:
    """Channels inside a page that are measurements or colours: opacity and inks are not counted."""
    if page.photometric == PHOTOMETRIC.SEPARATED:
        return 3
    colour = page.photometric in (PHOTOMETRIC.RGB, PHOTOMETRIC.YCBCR)
    return int(page.samplesperpixel) - (_alpha(page, colour) is not None)


def _check(page: TiffPage, file: BinaryIO) -> None:
    """Raises DataError if the page is too large or its data lies beyond the end of the file."""
    sample = (int(page.bitspersample) + 7) // 8
    shown = 3 if page.samplesperpixel >= 3 or page.photometric == PHOTOMETRIC.PALETTE else 1
    made = shown + (4 if shown == 3 else 1)  # in 8 bits, as an array and as Pillow keeps it
    masked = page.samplesperpixel if page.tags.get(_NODATA) is not None else 0
    lossy = 4 * page.samplesperpixel if page.photometric == PHOTOMETRIC.SEPARATED else 0
    each = sample * page.samplesperpixel + made + masked + lossy + (made - shown) * (_orientation(page) in TURNS)
    check_size(page.imagewidth, page.imagelength * page.imagedepth, each)
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
        and EXTRASAMPLE.ASSOCALPHA not in page.extrasamples
    )


def _from_stack(stack: Stack, number: int, channels: Sequence[int], file: BinaryIO) -> Image.Image:
    page = stack.page
    if stack.channels == 1:
        return _from_page(page, _plane(stack, stack.place(number, 0), file), channels)
    if channels and max(channels) > stack.channels:
        choose(np.zeros((1, 1, stack.channels)), channels)  # says so
    planes = [_plane(stack, stack.place(number, one - 1), file) for one in channels or (1,)]
    if planes[0].ndim > 2:  # channels of several samples each
        planes = [plane[..., 0] for plane in planes]
    chosen = np.stack(planes, axis=-1)
    return _from_page(page, chosen, tuple(range(1, len(planes) + 1)))


def _plane(stack: Stack, place: int, file: BinaryIO) -> Values:
    """The values of one page of the series as (Y, X) or (Y, X, S)."""
    page, series = stack.page, stack.series
    if series is None or place < len(series.pages):
        chosen = page if series is None else series.pages[place]
        if chosen is None:
            raise DataError("the file ends too early")
        return _rows_columns_channels(chosen.asarray(maxworkers=1), page.axes)
    if series.dataoffset is None:
        check_size(page.imagewidth, page.imagelength, more=2 * int(series.nbytes))
        return _rows_columns_channels(series.asarray(maxworkers=1).reshape(-1, *page.shape)[place], page.axes)
    size = math.prod(page.shape) * series.dtype.itemsize  # one page stands for all, whose values follow each other
    file.seek(series.dataoffset + place * size)
    found = file.read(size)
    if len(found) < size:
        raise DataError("the file ends too early")
    values = np.frombuffer(found, series.dtype.newbyteorder(page.parent.byteorder)).reshape(page.shape)
    return _rows_columns_channels(values.astype(series.dtype), page.axes)


def _from_page(page: TiffPage, values: Values, channels: Sequence[int]) -> Image.Image:
    if page.photometric == PHOTOMETRIC.SEPARATED and values.shape[-1] >= 4 and values.dtype.kind == "u":
        inks = values[..., :4] >> (8 * (values.dtype.itemsize - 1))
        return _chosen(Image.fromarray(np.ascontiguousarray(inks, dtype=np.uint8), "CMYK").convert("RGB"), channels)
    if page.photometric == PHOTOMETRIC.PALETTE and page.colormap is not None and values.ndim == 2:
        colours = in_strips(partial(_look_up, table=page.colormap), values)
        return from_values(colours, colour=True, channels=channels)
    if page.photometric in _LAB and values.ndim == 3 and values.shape[2] >= 3:
        return from_values(in_strips(partial(_lab, page=page), values), colour=True, channels=channels)
    if page.photometric == PHOTOMETRIC.YCBCR and page.compression not in _JPEGS and values.dtype == np.uint8:
        return _chosen(Image.fromarray(np.ascontiguousarray(values[..., :3]), "YCbCr").convert("RGB"), channels)
    colour = page.photometric in (PHOTOMETRIC.RGB, PHOTOMETRIC.YCBCR) and values.ndim == 3
    alpha = _alpha(page, colour) if values.ndim == 3 and values.shape[2] == page.samplesperpixel else None
    padding = _padding(page, values)
    if alpha is not None and page.extrasamples[0] == EXTRASAMPLE.ASSOCALPHA:
        values = unmultiplied(values, alpha)
    whole = _full_scale(values, page)
    image = from_values(whole, colour=colour and not channels, alpha=alpha, channels=channels, padding=padding)
    return image.point(lambda value: 255 - value) if page.photometric == PHOTOMETRIC.MINISWHITE else image


def _chosen(image: Image.Image, channels: Sequence[int]) -> Image.Image:
    return from_values(np.asarray(image), colour=True, channels=channels) if channels else image


def _padding(page: TiffPage, values: Values) -> Any:
    """Where a page has no data, by GDAL's tag: true in the shape of the values; None where all are data."""
    tag = page.tags.get(_NODATA)
    if tag is None:
        return None
    try:
        number = float(str(tag.value).strip().strip("\0"))
    except ValueError:
        return None
    if values.dtype.kind in "ui":
        return values == int(number) if number == math.floor(number) else None
    if values.dtype.kind != "f" or math.isnan(number):
        return None
    return in_strips(partial(_is_number, number=number), values)


def _is_number(values: Values, number: float) -> Values:
    with np.errstate(over="ignore"):
        none = np.asarray(number).astype(values.dtype)
    # a value that was written in decimals, or by a program of another precision, is met within its last digits
    near = np.isclose(values, none, rtol=1e-6, atol=0) if np.isfinite(none) else ~np.isfinite(values)
    return np.asarray(near | (values == none))


def _lab(values: Values, page: TiffPage) -> Values:
    """Lab as a TIFF codes it (TIFF 6.0 section 23; ICC Lab in Adobe's notes) -> sRGB uint8."""
    coded = values[..., :3]
    if coded.dtype.kind == "f":
        return lab_to_rgb(coded.astype(np.float64))
    deep = coded.dtype.itemsize == 2
    real = coded.astype(np.float64)
    scale = 256.0 if deep else 1.0
    if page.photometric == PHOTOMETRIC.ICCLAB:
        lightness = real[..., :1] * 100 / (0xFF00 if deep else 255)
        return lab_to_rgb(np.concatenate([lightness, real[..., 1:] / scale - 128], axis=-1))
    signed = coded[..., 1:].astype(np.int16 if deep else np.int8).astype(np.float64) / scale
    lightness = real[..., :1] * 100 / (65535 if deep else 255)
    return lab_to_rgb(np.concatenate([lightness, signed], axis=-1))


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
    spread = np.arange(256, dtype=np.uint8).astype(np.float32) * (255 / (2**page.bitspersample - 1))
    return np.asarray(np.clip(spread, 0, 255), dtype=np.uint8)[values]


def _alpha(page: TiffPage, colour: bool) -> int | None:
    main = 3 if colour else 1
    return main if page.extrasamples and page.extrasamples[0] in _ALPHA and page.samplesperpixel > main else None


def _orientation(page: TiffPage) -> int:
    tag = page.tags.get(274)
    return tag.value if tag is not None and isinstance(tag.value, int) else 1
