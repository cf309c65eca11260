"""One file -> pixels. Thread-safe: each call opens the file for itself and changes nothing that is shared."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import Resampling, Transpose
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.formats.errors import BROKEN, CannotOpen, check_size, from_library, from_os, silence
from sslstudio.engine.images.formats.file_type import HEAD, Kind, describe, kind_of
from sslstudio.engine.images.formats.jpeg import read_scaled
from sslstudio.engine.images.formats.tone import flatten, from_values

# The plugins are called directly and not through Image.open: it would warn about large pictures by a global limit.
_PLUGINS: dict[Kind, type[ImageFile.ImageFile]] = {
    Kind.JPEG: JpegImageFile,
    Kind.PNG: PngImageFile,
    Kind.WEBP: WebPImageFile,
    Kind.BMP: BmpImageFile,
    Kind.GIF: GifImageFile,
}
_ORIENTATION = 0x0112
_TURNS = {  # EXIF orientation -> what makes the picture upright
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


class Upright(NamedTuple):
    """A picture of mode L or RGB, and the size in pixels it has in the file (before a draft made it smaller)."""

    image: Image.Image
    height: int
    width: int


class Squeezed(NamedTuple):
    """uint8 (side, side, 3), and the size in pixels of the whole picture."""

    pixels: npt.NDArray[np.uint8]
    height: int
    width: int


def read_picture(path: Path, short_side: int | None = None) -> Image.Image:
    """The picture in RGB of 8 bits, upright, transparent places white; of several frames or pages the first.

    `short_side` lets a JPEG be decoded at a fraction of its size, never so small that its shorter side is below it.
    Raises DataError whose text is the reason alone, without the path.
    """
    return _load(path, short_side).image.convert("RGB")


def decode(path: Path, side: int) -> npt.NDArray[np.uint8]:
    """uint8 (side, side, 3): the whole picture squeezed into a square, nothing cut off. Raises as `read_picture`."""
    return squeeze(path, side).pixels


def squeeze(path: Path, side: int) -> Squeezed:
    """`decode` together with the size of the picture in the file."""
    image, height, width = _load(path, side)
    square = image.resize((side, side), Resampling.BICUBIC, reducing_gap=3.0)
    return Squeezed(np.array(square.convert("RGB")), height, width)


def short_side_of(path: Path) -> int:
    """The shorter side in pixels. Where the header says it, nothing is decoded. Raises as `read_picture`."""
    silence()
    with _open(path) as file:
        kind = _kind(file, path)
        if kind in _PLUGINS:
            try:
                return min(_PLUGINS[kind](file).size)
            except BROKEN as error:
                raise from_library(error, kind, file) from error
    return min(_load(path, None).image.size)


def _load(path: Path, short_side: int | None) -> Upright:
    silence()
    with _open(path) as file:
        kind = _kind(file, path)
        try:
            return _read(file, kind, short_side)
        except DataError:
            raise
        except MemoryError as error:
            raise CannotOpen("there is not enough memory to read it") from error
        except BROKEN as error:
            raise from_library(error, kind, file) from error


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading. Whatever is not a regular file is never opened: a pipe would block for ever."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            raise DataError(
                Message("a folder, not a file") if stat.S_ISDIR(mode) else Message("not a file with content")
            )
        file = open(path, "rb")  # noqa: SIM115 (closed below; errors of the body must not pass through this handler)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise from_os(error if isinstance(error, OSError) else OSError(str(error))) from error
    with file:
        yield file


def _kind(file: BinaryIO, path: Path) -> Kind:
    try:
        head = file.read(HEAD)
    except OSError as error:
        raise from_os(error) from error
    file.seek(0)
    if not head:
        raise DataError("empty file")
    kind = kind_of(head)
    if kind is None and path.suffix.lower() in (".dcm", ".dicom") and head.strip(b"\0") and _is_bare_dicom(head):
        return Kind.DICOM
    if kind is None:
        raise DataError("not a picture that can be read: {described}", described=describe(head))
    return kind


def _is_bare_dicom(head: bytes) -> bool:
    """Old DICOM files begin at once with an element of group 2 or 8."""
    return head[:2] in (b"\x02\0", b"\x08\0") and len(head) == HEAD


def _read(file: BinaryIO, kind: Kind, short_side: int | None) -> Upright:
    if kind is Kind.DICOM:
        from sslstudio.engine.images.formats.dicom import read_dicom  # a quarter of a second, only where there is DICOM

        return _turn(read_dicom(file), 1)
    if kind is Kind.TIFF:
        from sslstudio.engine.images.formats.tiff import read_tiff

        return _turn(*read_tiff(file))
    return _read_plugin(file, kind, short_side)


def _read_plugin(file: BinaryIO, kind: Kind, short_side: int | None) -> Upright:
    image = _PLUGINS[kind](file)
    size = image.size
    check_size(*size)
    if kind is Kind.PNG and _is_deep_png(file):
        orientation = _orientation(image) if "exif" in image.info else 1
        return _turn(_deep_png(file), orientation)
    flat = _shrink(file, image, kind, short_side) or _whole(image, kind)
    orientation = _orientation(image)
    width, height = size[::-1] if orientation in (5, 6, 7, 8) else size
    return Upright(_turn(flat, orientation).image, height, width)


def _shrink(file: BinaryIO, image: ImageFile.ImageFile, kind: Kind, short_side: int | None) -> Image.Image | None:
    """Read a JPEG small by the fast way; else None, and the slow way decodes no more of it than is needed."""
    if short_side is None:
        return None
    fast = read_scaled(file, image, short_side) if kind is Kind.JPEG else None
    if fast is None:
        image.draft(None, (short_side, short_side))
    return fast


def _whole(image: ImageFile.ImageFile, kind: Kind) -> Image.Image:
    image.load()
    return flatten(ImageChops.invert(image) if _is_plain_ink(image, kind) else image)


def _is_plain_ink(image: Image.Image, kind: Kind) -> bool:
    """Pillow takes every JPEG in inks for one by Adobe, which stores them inverted; without its mark they are not."""
    return kind is Kind.JPEG and image.mode == "CMYK" and "adobe" not in image.info


def _is_deep_png(file: BinaryIO) -> bool:
    file.seek(24)
    return file.read(1) == b"\x10"


def _deep_png(file: BinaryIO) -> Image.Image:
    """16 bits a sample. Pillow would keep the high byte alone, in which 12-bit data is almost black."""
    import imagecodecs

    file.seek(0)
    values = imagecodecs.png_decode(file.read())
    channels = 1 if values.ndim == 2 else values.shape[2]
    return from_values(values, colour=channels >= 3, alpha=channels - 1 if channels in (2, 4) else None)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except BROKEN:  # a damaged EXIF block: the pixels are still good
        return 1


def _turn(image: Image.Image, orientation: int) -> Upright:
    if orientation in _TURNS:
        image = image.transpose(_TURNS[orientation])
    return Upright(image, image.height, image.width)
