"""ImageJ: outlines (ROI) of a picture in a zip, or one in a file, called like the picture ("x.zip", "x_RoiSet.zip")."""

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Final

import numpy as np

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.checked_files import read_limited
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.mask_names import OBJECT
from sslstudio.engine.labels.outlines.files import place_of
from sslstudio.engine.labels.outlines.shapes import Drawing, Shape, ellipse, numbers_of, rectangle
from sslstudio.engine.labels.outlines.source import DrawnSource
from sslstudio.engine.labels.types import LARGEST, SOURCES

_MOST: Final = 100_000  # outlines of a picture
_HEAD: Final = 64  # bytes before the points
_OUTLINES: Final = (0, 7, 8)  # polygon, freehand, traced
_RECTANGLE: Final = 1
_OVAL: Final = 2
_FINER: Final = 128  # the bit of the options that says that points between pixels follow
_AROUND: Final = re.compile(r"(?i)[_\- ]?rois?(et)?s?$|^rois?(et)?[_\- ]?")


@SOURCES.register("imagej")
class ImageJ(DrawnSource):
    """Polygons, freehand outlines, rectangles and ovals: one class, as their names are numbers."""

    called = Message("ImageJ outlines")
    suffixes = (".zip", ".roi")

    def fits(self, file: Path) -> bool:
        """A zip is one of outlines when its first file is."""
        if file.suffix.lower() == ".roi":
            return True
        try:
            with zipfile.ZipFile(file) as packed:
                return next(iter(packed.namelist()), "").lower().endswith(".roi")
        except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
            return False

    def read(self, file: Path, index: ImageIndex) -> list[Drawing]:
        """One picture."""
        folder, slash, stem = place_of(file, index).rpartition("/")
        shapes = []
        for name, content in _contents(file):
            try:
                shapes += roi_shape(content)
            except DataError as error:
                raise DataError("{file}, {name}: {problem}.", file=file.name, name=name, problem=error) from error
        return [Drawing(folder + slash + (_AROUND.sub("", stem) or stem), shapes=shapes)]


def _contents(file: Path) -> list[tuple[str, bytes]]:
    try:
        if file.suffix.lower() == ".roi":
            return [(file.name, read_limited(file, LARGEST, DataError))]
        with zipfile.ZipFile(file) as packed:
            inside = [one for one in packed.infolist() if one.filename.lower().endswith(".roi")]
            if len(inside) > _MOST or sum(one.file_size for one in inside) > LARGEST:
                raise DataError("{file} unpacks to more than {most} MB.", file=file.name, most=LARGEST >> 20)
            return [(one.filename, packed.read(one)) for one in inside]
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise DataError("{file} cannot be read: {reason}.", file=file.name, reason=error) from error


def roi_shape(content: bytes) -> list[Shape]:
    """What one outline encloses; nothing for lines and points. Numbers in the file are big-endian: type at 6, the
    rectangle around it at 8 (top, left, bottom, right), points at 16, options at 50.

    Raises DataError for what is no outline, or one made of several.
    """
    if len(content) < _HEAD or content[:4] != b"Iout":
        raise DataError("it is no outline of ImageJ")
    version, kind = struct.unpack_from(">hB", content, 4)
    top, left, bottom, right = struct.unpack_from(">4h", content, 8)
    (points,) = struct.unpack_from(">H", content, 16)
    if kind == _RECTANGLE:
        if struct.unpack_from(">i", content, 36)[0]:
            raise DataError("it is made of several outlines: split it in ImageJ, then save it again")
        return [Shape(OBJECT, (rectangle(left, top, right, bottom),))]
    if kind == _OVAL:
        wide, high = (right - left) / 2, (bottom - top) / 2
        return [Shape(OBJECT, (ellipse(left + wide, top + high, wide, high),))]
    if kind not in _OUTLINES:
        return []
    finer = version >= 222 and struct.unpack_from(">h", content, 50)[0] & _FINER
    start, size = (_HEAD + 4 * points, 8 * points) if finer else (_HEAD, 4 * points)
    if len(content) < start + size:
        raise DataError("it ends in the middle")
    found = np.frombuffer(content[start : start + size], ">f4" if finer else ">i2").reshape(2, points).astype(float)
    if not finer:
        found += [[left], [top]]
    return [Shape(OBJECT, (numbers_of(found.T.ravel().tolist(), Message("the outline")),))]
