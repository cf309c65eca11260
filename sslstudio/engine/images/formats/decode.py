"""One file -> pixels. Thread-safe: each call opens the file for itself and changes nothing that is shared."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import Resampling
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TgaImagePlugin import TgaImageFile
from PIL.WebPImagePlugin import WebPImageFile

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.formats.dimensions import size_said
from sslstudio.engine.images.formats.errors import BROKEN, CannotOpen, check_size, from_library, from_os, silence
from sslstudio.engine.images.formats.exif import ORIENTATION, TURNS
from sslstudio.engine.images.formats.file_type import HEAD, Kind, describe, is_tga, kind_of, refused_by_name
from sslstudio.engine.images.formats.jpeg import is_lossless, read_other, read_scaled
from sslstudio.engine.images.formats.tone import Values, flatten, from_values, range_of
from sslstudio.engine.images.formats.wanted import CHANNELS, LeftOut, Wanted, split_name

# The plugins are called directly and not through Image.open: it would warn about large pictures by a global limit.
_PLUGINS: dict[Kind, type[ImageFile.ImageFile]] = {
    Kind.JPEG: JpegImageFile,
    Kind.PNG: PngImageFile,
    Kind.WEBP: WebPImageFile,
    Kind.BMP: BmpImageFile,
    Kind.GIF: GifImageFile,
    Kind.PNM: PpmImageFile,
    Kind.TGA: TgaImageFile,
}
_CODECS = {Kind.JPEG2000: "jpeg2k", Kind.JPEGXL: "jpegxl", Kind.AVIF: "avif"}  # names in imagecodecs
_ANIMATED = (Kind.GIF, Kind.WEBP, Kind.PNG)


class Upright(NamedTuple):
    """A picture of mode L or RGB, the size in pixels it has in the file (before a draft made it smaller), and what of
    the file is not in it."""

    image: Image.Image
    height: int
    width: int
    left: tuple[LeftOut, ...] = ()


class Squeezed(NamedTuple):
    """uint8 (side, side, 3), the size in pixels of the whole picture, and what of its file is not in it."""

    pixels: npt.NDArray[np.uint8]
    height: int
    width: int
    left: tuple[LeftOut, ...] = ()


def read_picture(path: Path, short_side: int | None = None) -> Image.Image:
    """The picture in RGB of 8 bits, upright, transparent places white; of several frames or pages the first,
    or the one that `path` names ('stack.tif#page=3').

    `short_side` lets a JPEG be decoded at a fraction of its size, never so small that its shorter side is below it.
    Raises DataError whose text is the reason alone, without the path.
    """
    image = _load(path, short_side).image
    return image if image.mode == "RGB" else image.convert("RGB")


class Measured(NamedTuple):
    """A picture as it is looked at closely: the values (h, w) of one channel in whatever type the file holds them, or
    uint8 (h, w, 3). `low` and `high` become black and white, `dark`: the other way round. How many channels and pages
    the file has."""

    values: npt.NDArray[Any]
    low: float
    high: float
    dark: bool
    channels: int
    pages: int


def read_values(path: Path) -> Measured:
    """The picture with all that its file holds of it, upright; more than 8 bits stay as they are. Raises as
    `read_picture`."""
    silence()
    place, wanted = _of(path)
    pages = count_pages(place)
    deep = _deep_values(place, wanted)
    if deep is not None:
        low, high = deep.window or range_of(deep.values)
        return Measured(deep.values, low, high if high > low else low + 1, deep.dark, deep.channels, pages)
    whole = _load(path, None)
    found = next((one.found for one in whole.left if one.kind == "channels"), len(whole.image.getbands()))
    image = whole.image if whole.image.mode == "L" else whole.image.convert("RGB")
    return Measured(np.array(image), 0.0, 255.0, False, found, pages)


class _Deep(NamedTuple):
    """Values of more than 8 bits in one channel, upright; the window that the file gives; whether large ones are dark;
    how many channels there are."""

    values: npt.NDArray[Any]
    window: tuple[float, float] | None = None
    dark: bool = False
    channels: int = 1


def _deep_values(path: Path, wanted: Wanted) -> _Deep | None:
    """None where the picture is of 8 bits or a colour."""
    with _open(path) as file:
        kind = _kind(file, path)
        with _in_words(kind, file):
            if kind is Kind.DICOM:
                from sslstudio.engine.images.formats.dicom import read_dicom_values

                grey = read_dicom_values(file, wanted)
                return None if grey is None else _Deep(*grey)
            if kind is Kind.TIFF:
                from sslstudio.engine.images.formats.tiff import read_tiff_values

                found = read_tiff_values(file, wanted)
                return None if found is None else _Deep(_turn_values(*found[:2]), None, *found[2:])
            return _deep_png_values(file) if kind is Kind.PNG and not wanted.channels else None


_PNG_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by the kind of colour (ISO/IEC 15948, 11.2.2)
_LOOKED_AT = 2  # bytes a pixel beside the values themselves, while their range is looked for


def _deep_png_values(file: BinaryIO) -> _Deep | None:
    if not _is_deep_png(file):
        return None
    import imagecodecs

    file.seek(16)
    head = file.read(10)  # width, height, bits, kind of colour
    width, height = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    check_size(width, height, 2 * _PNG_CHANNELS.get(head[9], 4) + _LOOKED_AT, os.fstat(file.fileno()).st_size)
    file.seek(0)
    values = np.asarray(imagecodecs.png_decode(file.read()))
    return _Deep(values) if values.ndim == 2 else None


def _turn_values(values: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Values (h, w), upright: the eight ways of the tag Orientation."""
    if orientation > 4:
        values = values.T
    mirror = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation, ())
    return np.ascontiguousarray(np.flip(values, mirror) if mirror else values)


def decode(path: Path, side: int) -> npt.NDArray[np.uint8]:
    """uint8 (side, side, 3): the whole picture squeezed into a square, nothing cut off. Raises as `read_picture`."""
    return squeeze(path, side).pixels


def squeeze(path: Path, side: int) -> Squeezed:
    """`decode` together with the size of the picture in the file."""
    image, height, width, left = _load(path, side)
    square = image.resize((side, side), Resampling.BICUBIC, reducing_gap=3.0)
    return Squeezed(np.array(square.convert("RGB")), height, width, left)


def short_side_of(path: Path) -> int:
    """The shorter side in pixels. Where the header says it, nothing is decoded. Raises as `read_picture`."""
    silence()
    file_path, _ = _of(path)
    with _open(file_path) as file:
        kind = _kind(file, file_path)
        if kind in _PLUGINS:
            try:
                return min(_PLUGINS[kind](file).size)
            except BROKEN as error:
                if not (kind is Kind.JPEG and (values := _other_jpeg(file)) is not None):
                    raise from_library(error, kind, file) from error
                return int(min(values.shape[:2]))
    return min(_load(path, None).image.size)


def count_pages(path: Path) -> int:
    """How many pictures a file holds: pages, slices, frames. Pixels are not decoded. Raises as `read_picture`."""
    silence()
    with _open(path) as file:
        kind = _kind(file, path)
        try:
            if kind is Kind.DICOM:
                from sslstudio.engine.images.formats.dicom import count_frames

                return count_frames(file)
            if kind is Kind.TIFF:
                from sslstudio.engine.images.formats.tiff import count_pages as count_tiff

                return count_tiff(file)
            return _frames_of(_PLUGINS[kind](file), kind) if kind in _ANIMATED else 1
        except DataError:
            raise
        except BROKEN as error:
            raise from_library(error, kind, file) from error


def _of(path: Path) -> tuple[Path, Wanted]:
    """The file and what is wanted of it. A file that is really named so is meant itself."""
    text = os.fspath(path)
    if "#" not in text or os.path.lexists(text):
        return path, Wanted()
    name, wanted = split_name(text)
    paged = text.rpartition(CHANNELS)[0]
    if wanted.channels and os.path.lexists(paged):
        return Path(paged), Wanted(None, wanted.channels)
    return Path(name), wanted


def _load(path: Path, short_side: int | None) -> Upright:
    silence()
    path, wanted = _of(path)
    with _open(path) as file:
        kind = _kind(file, path)
        with _in_words(kind, file):
            return _read(file, kind, short_side, wanted)


@contextmanager
def _in_words(kind: Kind, file: BinaryIO) -> Iterator[None]:
    """What a library, or the memory, refuses while a file is read, as a reason for people."""
    try:
        yield
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
    if (
        kind is None
        and path.suffix.lower() in (".dcm", ".dicom", ".ima")
        and head.strip(b"\0")
        and _is_bare_dicom(head)
    ):
        return Kind.DICOM
    if kind is None and path.suffix.lower() == ".tga" and is_tga(head):
        return Kind.TGA
    if kind is None and (refused := refused_by_name(path.name)) is not None:
        raise DataError("{reason}", reason=refused)
    if kind is None:
        raise DataError("not a picture that can be read: {described}", described=describe(head))
    return kind


def _is_bare_dicom(head: bytes) -> bool:
    """Old DICOM files begin at once with an element of group 2 or 8."""
    return head[:2] in (b"\x02\0", b"\x08\0") and len(head) == HEAD


def _read(file: BinaryIO, kind: Kind, short_side: int | None, wanted: Wanted) -> Upright:
    if kind is Kind.DICOM:
        from sslstudio.engine.images.formats.dicom import read_dicom  # a quarter of a second, only where there is DICOM

        picture, left = read_dicom(file, wanted)
        return _turn(picture, 1)._replace(left=left)
    if kind is Kind.TIFF:
        from sslstudio.engine.images.formats.tiff import read_tiff

        picture, orientation, left = read_tiff(file, wanted)
        return _turn(picture, orientation)._replace(left=left)
    if kind in _CODECS:
        said = size_said(_CODECS[kind], file)
        if said is not None:
            check_size(*said[:2], said[2] + 7)
        return _from_codec(_decode_by(_CODECS[kind], file), wanted)
    try:
        return _read_plugin(file, kind, short_side, wanted)
    except BROKEN:
        if kind is Kind.JPEG and (values := _other_jpeg(file)) is not None:
            return _from_codec(values, wanted)
        raise


def _read_plugin(file: BinaryIO, kind: Kind, short_side: int | None, wanted: Wanted) -> Upright:
    image = _PLUGINS[kind](file)
    size = image.size
    check_size(*size)
    if kind is Kind.PNG and _is_deep_png(file):
        channels = len(image.getbands())
        check_size(*size, 2 * channels + (7 if channels >= 3 else 2), os.fstat(file.fileno()).st_size)
        orientation = _orientation(image) if "exif" in image.info else 1
        return _turn(_deep_png(file, wanted), orientation)
    left = _choose_frame(image, kind, wanted)
    flat = _shrink(file, image, kind, short_side)
    if flat is None:
        check_size(*image.size, _bytes_while_read(image, kind))
        flat = _whole(image, kind)
    if wanted.channels:
        flat = from_values(np.asarray(flat), colour=True, channels=wanted.channels)
    orientation = _orientation(image)
    width, height = size[::-1] if orientation in (5, 6, 7, 8) else size
    return Upright(_turn(flat, orientation).image, height, width, left)


def _choose_frame(image: ImageFile.ImageFile, kind: Kind, wanted: Wanted) -> tuple[LeftOut, ...]:
    """Go to the frame that is wanted; returns what is left out if none is."""
    if kind is Kind.JPEG and "mpoffset" in image.info and wanted.page is None:
        return _pictures_in_mpo(image)
    if wanted.page is not None and kind in _ANIMATED:
        count = _frames_of(image, kind)
        if wanted.page > count:
            raise DataError("page {asked} was asked for, and it has {n}", asked=wanted.page, n=count)
        image.seek(wanted.page - 1)
        return ()
    count = _frames_of(image, kind) if kind in _ANIMATED else 1
    return (LeftOut("frames", count),) if count > 1 else ()


def _frames_of(image: ImageFile.ImageFile, kind: Kind) -> int:
    """How many frames there are. Those of a GIF are counted by going through the file, as far as it is whole."""
    try:
        return int(getattr(image, "n_frames", 1))
    except BROKEN:  # damaged later frames are no reason against the first
        image.seek(0)
        return 1


def _pictures_in_mpo(image: ImageFile.ImageFile) -> tuple[LeftOut, ...]:
    """Further pictures of a stereo camera or a phone (the Multi Picture Format of CIPA, tag 0xB001)."""
    try:
        facts = image._getmp()  # type: ignore[attr-defined]
        count = int(facts[0xB001]) if facts else 1
    except BROKEN:
        return ()
    return (LeftOut("pages", count),) if count > 1 else ()


def _decode_by(codec: str, file: BinaryIO) -> Values:
    import imagecodecs

    if not getattr(imagecodecs, codec.upper()).available:
        raise DataError(
            "not a picture that can be read: it is a picture in the format {codec}, and the decoder that is installed "
            "does not know it; save it as PNG or TIFF, or install a newer imagecodecs",
            codec=codec,
        )
    file.seek(0)
    return np.asarray(getattr(imagecodecs, f"{codec}_decode")(file.read()))


def _other_jpeg(file: BinaryIO) -> Values | None:
    try:
        return read_other(file)
    except BROKEN:
        return None


def _from_codec(values: Values, wanted: Wanted) -> Upright:
    """(h, w), (h, w, c) or (frames, h, w, c) -> a picture."""
    left: tuple[LeftOut, ...] = ()
    if values.ndim == 4:
        left = (LeftOut("frames", len(values)),) if len(values) > 1 else ()
        values = values[0]
    values = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    count = 1 if values.ndim == 2 else values.shape[2]
    check_size(values.shape[1], values.shape[0])
    alpha = count - 1 if count in (2, 4) else None
    colour = count >= 3 and not wanted.channels
    return _turn(from_values(values, colour=colour, alpha=alpha, channels=wanted.channels), 1)._replace(left=left)


def _shrink(file: BinaryIO, image: ImageFile.ImageFile, kind: Kind, short_side: int | None) -> Image.Image | None:
    """Read a JPEG small by the fast way; else None, and the slow way decodes no more of it than is needed."""
    if short_side is None or (kind is Kind.JPEG and is_lossless(file)):
        return None
    if kind is Kind.JPEG and image.info.get("progressive"):  # all of it is in memory before there is a smaller one
        check_size(*image.size, 2 * len(image.getbands()))
    fast = read_scaled(file, image, short_side) if kind is Kind.JPEG else None
    if fast is None:
        image.draft(None, (short_side, short_side))
    return fast


_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}  # bytes that Pillow keeps a pixel in; others 4


def _bytes_while_read(image: Image.Image, kind: Kind) -> int:
    """Bytes a pixel of all that is in memory at once while this picture is decoded, flattened and turned."""
    own = _OF_MODE.get(image.mode, 4)
    grey = image.mode in ("1", "L") or image.mode.startswith(("I", "F"))
    if image.mode.startswith(("I", "F")):
        more = own + 2  # as an array, and in 8 bits twice
    elif image.mode in ("L", "RGB"):
        more = 0
    else:
        more = 1 if grey else 8 if image.mode == "CMYK" else 4
    decoder = 12 if kind is Kind.WEBP else 2 * len(image.getbands()) if image.info.get("progressive") else 0
    turned = (kind is not Kind.PNG or "exif" in image.info) and _orientation(image) in TURNS  # a PNG would be loaded
    return own + max(decoder, more + (1 if grey else 4) * turned)


def _whole(image: ImageFile.ImageFile, kind: Kind) -> Image.Image:
    image.load()
    return flatten(ImageChops.invert(image) if _is_plain_ink(image, kind) else image)


def _is_plain_ink(image: Image.Image, kind: Kind) -> bool:
    """Pillow takes every JPEG in inks for one by Adobe, which stores them inverted; without its mark they are not."""
    return kind is Kind.JPEG and image.mode == "CMYK" and "adobe" not in image.info


def _is_deep_png(file: BinaryIO) -> bool:
    file.seek(24)
    return file.read(1) == b"\x10"


def _deep_png(file: BinaryIO, wanted: Wanted) -> Image.Image:
    """16 bits a sample. Pillow would keep the high byte alone, in which 12-bit data is almost black."""
    import imagecodecs

    file.seek(0)
    values = imagecodecs.png_decode(file.read())
    channels = 1 if values.ndim == 2 else values.shape[2]
    alpha = channels - 1 if channels in (2, 4) else None
    colour = channels >= 3 and not wanted.channels
    return from_values(values, colour=colour, alpha=alpha, channels=wanted.channels)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except BROKEN:  # a damaged EXIF block: the pixels are still good
        return 1


def _turn(image: Image.Image, orientation: int) -> Upright:
    if orientation in TURNS:
        image = image.transpose(TURNS[orientation])
    return Upright(image, image.height, image.width)
