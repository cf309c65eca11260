"""JPEGs by simplejpeg where it is installed: the same pixels as Pillow's from the same library, with less ado."""

from functools import cache
from types import ModuleType
from typing import BinaryIO

from PIL import Image

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
    file.seek(0)
    try:
        pixels = library.decode_jpeg(
            file.read(), _COLOURS[image.mode], min_height=-(-height // share), min_width=-(-width // share)
        )
    except ValueError:
        return None
    return Image.fromarray(pixels if image.mode == "RGB" else pixels[:, :, 0])
