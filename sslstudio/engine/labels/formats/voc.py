"""Pascal VOC (Everingham et al., IJCV 2010): an XML file a picture with a box around each object.

Its masks (SegmentationClass, where 255 is void) are mask files, which are told by their folders.
"""

from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.checked_files import open_regular
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.outlines.files import place_of, xml_of
from sslstudio.engine.labels.outlines.shapes import Drawing, Shape, check_size, numbers_of, rectangle
from sslstudio.engine.labels.outlines.source import DrawnSource
from sslstudio.engine.labels.types import SOURCES

_SIDES: Final = ("xmin", "ymin", "xmax", "ymax")


@SOURCES.register("voc")
class Voc(DrawnSource):
    """Boxes: the class of a picture with one kind of object, or rough masks."""

    called = Message("Pascal VOC files")
    suffixes = (".xml",)

    def fits(self, file: Path) -> bool:
        """Its files hold one annotation; those of CVAT several."""
        try:
            with open_regular(file) as opened:
                return b"<annotation>" in opened.read(1024)
        except OSError:
            return False

    def read(self, file: Path, index: ImageIndex) -> list[Drawing]:
        """One picture, the one that is called like the file: what the file calls it is often of another machine."""
        content = xml_of(file)
        try:
            height, width = (int(content.findtext(f"size/{key}") or 0) for key in ("height", "width"))
            check_size(height, width)
            shapes = [_box(one) for one in content.iter("object")]
        except (DataError, ValueError) as error:
            raise DataError("{file}: {problem}.", file=file.name, problem=error) from error
        return [Drawing(place_of(file, index), height, width, shapes)]


def _box(one: ElementTree.Element) -> Shape:
    """The corners are pixels counted from 1, both of them inside."""
    name = (one.findtext("name") or "").strip()
    if not name:
        raise DataError("an object has no name")
    left, top, right, bottom = numbers_of(
        [one.findtext(f"bndbox/{side}") for side in _SIDES], Message("the box of {name}", name=name)
    )
    difficult = (one.findtext("difficult") or "").strip() == "1"
    return Shape(name, (rectangle(left - 1, top - 1, right, bottom),), box=True, counts=not difficult)
