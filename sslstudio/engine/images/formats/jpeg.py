"""JPEGs by simplejpeg where it is installed: the same pixels as Pillow's from the same library, with less ado."""

import os
import struct
from functools import cache
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from sslstudio.engine.images.formats.errors import BYTES_LIMIT, check_size

COPIES = 7  # bytes a pixel: as it is decoded, and as Pillow keeps it
_COLOURS = {"RGB": "RGB", "L": "GRAY"}  # mode of Pillow -> name there; inks go Pillow's way


@cache
def _library() -> ModuleType | None:
    try:
        import simplejpeg
    except ImportError:
        return None
    library: ModuleType = simplejpeg
    return library


def read_scaled(file: BinaryIO, image: Image.Image, short_side: int) -> Image.Image | None:
    """The pixels at 1, 1/2, 1/4 or 1/8 of their size, the shorter side never below `short_side`, as `draft` does.

    `image` is the opened header. None for whatever is odd or damaged: Pillow then reads it, or says what is wrong.
    """
    library = _library()
    if library is None or image.mode not in _COLOURS:
        return None
    width, height = image.size
    share = next(s for s in (8, 4, 2, 1) if s <= max(1, min(width, height) // max(1, short_side)))
    if width * height // share**2 * COPIES > BYTES_LIMIT:
        return None
    file.seek(0)
    try:
        pixels = library.decode_jpeg(
            file.read(), _COLOURS[image.mode], min_height=-(-height // share), min_width=-(-width // share)
        )
    except ValueError:
        return None
    return Image.fromarray(pixels if image.mode == "RGB" else pixels[:, :, 0])


def read_other(file: BinaryIO) -> npt.NDArray[Any] | None:
    """The values of a JPEG that Pillow does not decode: of 12 or 16 bits, lossless, JPEG-LS. (h, w) or (h, w, 3).

    None for an ordinary one, which is then damaged. Raises what the decoder says of a damaged one.
    """
    import imagecodecs

    frame, bits = _frame(file)
    if frame:
        height, width, channels = struct.unpack(">HHB", file.read(5))
        check_size(width, height, channels * (2 if bits > 8 else 1) * 2 + 7)
    file.seek(0)
    data = file.read()
    if frame == _JPEG_LS:
        return np.asarray(imagecodecs.jpegls_decode(data))
    return np.asarray(imagecodecs.jpeg_decode(data)) if bits > 8 or frame in _LOSSLESS else None


_JPEG_LS, _LOSSLESS = 0xF7, (0xC3, 0xC7, 0xCB, 0xCF)
_FRAMES = {*range(0xC0, 0xD0), _JPEG_LS} - {0xC4, 0xC8, 0xCC}  # markers that begin a frame (ITU T.81, table B.1)


def is_lossless(file: BinaryIO) -> bool:
    """Whether it has no smaller sizes inside: asked for one, libjpeg-turbo writes beyond its memory."""
    return _frame(file)[0] in (*_LOSSLESS, _JPEG_LS)


def _frame(file: BinaryIO) -> tuple[int, int]:
    """The marker of the first frame and its bits a sample; (0, 8) where none is found."""
    file.seek(2)
    while len(head := file.read(5)) == 5 and head[0] == 0xFF:
        if head[1] == 0xFF:  # a byte that fills
            file.seek(-4, os.SEEK_CUR)
        elif head[1] in _FRAMES:
            return head[1], head[4]
        else:
            file.seek(int.from_bytes(head[2:4], "big") - 3, os.SEEK_CUR)
    return 0, 8
