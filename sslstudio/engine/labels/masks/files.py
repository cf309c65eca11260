"""One mask file -> the integers or packed colours (0xRRGGBB) that it holds; and class numbers -> a mask file."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats.errors import check_size
from sslstudio.engine.images.formats.exif import ORIENTATION

NUMBERED = ("1", "L", "P", "I", "I;16", "I;16B", "F")  # modes of Pillow whose values are numbers
_EACH_NUMBER, _EACH_COLOUR = 8, 16  # bytes a pixel of all that is in memory at once while a mask is read
_ROWS = 256
MOST_VALUES = 64  # more than that is a photograph, or has to cluster

# Okabe & Ito's colours (2008), told apart by the colour-blind, and a grey that is told from them; background is black.
PALETTE = (
    "#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#cccccc",
)  # fmt: skip

Codes = NDArray[np.int32]  # (h, w) what a mask file holds: integers, or packed colours


def mask_size(path: Path) -> tuple[int, int]:
    """(height, width) of a mask, without reading its pixels."""
    with _open(path) as image:
        turned = orientation_of(image) >= 5  # EXIF orientations that swap the sides
        return (image.width, image.height) if turned else (image.height, image.width)


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8, from the header: no PNG is decoded for a mark that may stand behind its pixels."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    found = image.getexif().get(ORIENTATION, 1)
    return found if found in range(1, 9) else 1


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError("The mask {path} cannot be read: {error}.", path=path.name, error=error) from error


def read_codes(path: Path, *, as_colours: bool) -> Codes:
    """(h, w) integers of a mask: palette numbers or grey values, or packed colours when these are asked for."""
    try:
        with Image.open(path) as image:
            numbers = image.mode in NUMBERED and not (as_colours and image.mode == "P")
            check_size(*image.size, _EACH_NUMBER if numbers else _EACH_COLOUR)
            return codes_of(ImageOps.exif_transpose(image), as_colours)
    except DataError as error:
        raise DataError("The mask {path} cannot be read: {error}.", path=path.name, error=error) from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if path.suffix.lower() in (".tif", ".tiff"):  # 32-bit and compressed TIFF that Pillow does not know
            return _read_tiff(path)
        raise DataError("The mask {path} cannot be read: {error}.", path=path.name, error=error) from error


def grey_counts(path: Path) -> dict[int, int] | None:
    """Value -> pixels of a mask of up to 8 bits, without an array being made; None for others. Raises DataError."""
    try:
        with Image.open(path) as image:
            if image.mode not in ("L", "P", "1"):
                return None
            found = enumerate(image.histogram()[:256])
            values = {number: pixels for number, pixels in found if pixels}
            return {min(value, 1): pixels for value, pixels in values.items()} if image.mode == "1" else values
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if path.suffix.lower() in (".tif", ".tiff"):
            return None
        raise DataError("The mask {path} cannot be read: {error}.", path=path.name, error=error) from error


def _read_tiff(path: Path) -> Codes:
    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            check_size(page.imagewidth, page.imagelength, page.samplesperpixel * page.bitspersample / 8 + _EACH_NUMBER)
        values = tifffile.imread(path)
    except DataError as error:
        raise DataError("The mask {path} cannot be read: {error}.", path=path.name, error=error) from error
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise DataError("The mask {path} cannot be read: {error}.", path=path.name, error=error) from error
    if values.ndim != 2:
        raise DataError(
            "The mask {path} has the shape {shape}, not height and width.", path=path.name, shape=values.shape
        )
    return np.asarray(values).clip(0, 2**31 - 1).astype(np.int32)


def codes_of(image: Image.Image, as_colours: bool) -> Codes:
    """What an open picture holds; colours that are all grey come as numbers unless colours are asked for."""
    if image.mode in NUMBERED and not (as_colours and image.mode == "P"):
        values = np.asarray(image)
        if as_colours:
            return values.astype(np.int32) * 0x010101
        return values.clip(0).astype(np.int32) if image.mode in ("I", "F") else values.astype(np.int32)
    rgba = np.asarray(image.convert("RGBA"))
    packed: Codes = np.empty(rgba.shape[:2], np.int32)
    for top in range(0, len(rgba), _ROWS):  # a strip at a time, for memory
        strip = rgba[top : top + _ROWS].astype(np.int32)
        strip *= strip[..., 3:] > 0  # what cannot be seen is background
        packed[top : top + _ROWS] = strip[..., 0] << 16 | strip[..., 1] << 8 | strip[..., 2]
    if not as_colours and is_grey(np.unique(packed)):
        packed >>= 16
    return packed


def is_grey(colours: NDArray[Any]) -> bool:
    """Whether the three channels of these packed colours are alike."""
    spread = np.ptp(unpack(colours), axis=-1)
    lossy = len(colours) > MOST_VALUES  # JPEG tints grey a little
    return bool(spread.max() <= (8 if lossy else 0))


def unpack(codes: NDArray[Any]) -> NDArray[np.int32]:
    """(..., 3) red, green and blue of packed colours."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], -1).astype(np.int32)


def mask_png(mask: NDArray[np.uint8]) -> bytes:
    """An 8-bit palette PNG whose values are the class numbers (h, w)."""
    image = Image.fromarray(mask).convert("P")
    # All 256 places are filled: for a short palette Pillow writes fewer bits a pixel and cuts high class numbers off.
    colours = (PALETTE[0], *(PALETTE[1 + number % (len(PALETTE) - 1)] for number in range(255)))
    image.putpalette([int(colour[place : place + 2], 16) for colour in colours for place in (1, 3, 5)])
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
