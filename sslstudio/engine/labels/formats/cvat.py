"""CVAT for images 1.1: one XML file with all pictures, their polygons, boxes, masks and tags."""

import math
from pathlib import Path
from xml.etree import ElementTree

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.files.checked_files import open_regular
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.outlines.files import xml_of
from sslstudio.engine.labels.outlines.shapes import Drawing, Shape, check_size, ellipse, numbers_of, turned_rectangle
from sslstudio.engine.labels.outlines.source import DrawnSource
from sslstudio.engine.labels.types import SOURCES


@SOURCES.register("cvat")
class Cvat(DrawnSource):
    """Polygons, ellipses and masks; tags are classes of the picture, boxes rough."""

    called = Message("CVAT file")
    suffixes = (".xml",)

    def fits(self, file: Path) -> bool:
        """It holds annotations with a version."""
        try:
            with open_regular(file) as opened:
                return b"<annotations>" in opened.read(1024)
        except OSError:
            return False

    def read(self, file: Path, index: ImageIndex) -> list[Drawing]:
        """All its pictures. What is drawn over the frames of a video is not read."""
        drawn = []
        for image in xml_of(file).iter("image"):
            name = image.get("name", "")
            try:
                height, width = int(image.get("height") or 0), int(image.get("width") or 0)
                check_size(height, width)
                shapes = [shape for one in image for shape in _shape(one)]
            except (DataError, ValueError, OverflowError) as error:
                raise DataError(
                    "{file}, picture {name}: {problem}.", file=file.name, name=name, problem=error
                ) from error
            drawn.append(Drawing(name, height, width, shapes, [one.get("label", "") for one in image.iter("tag")]))
        return drawn


def _turned(one: ElementTree.Element, about: Message) -> float:
    """Radians clockwise; the file has degrees."""
    return math.radians(numbers_of([one.get("rotation") or 0], about)[0])


def _shape(one: ElementTree.Element) -> list[Shape]:
    name = one.get("label", "")
    about = Message("{kind} of {name}", kind=one.tag, name=name)

    def of(*keys: str) -> tuple[float, ...]:
        return numbers_of([one.get(key) for key in keys], about)

    if one.tag == "polygon":
        return [Shape(name, (numbers_of(one.get("points", "").replace(";", ",").split(","), about),))]
    if one.tag == "box":
        left, top, right, bottom = of("xtl", "ytl", "xbr", "ybr")
        return [Shape(name, (turned_rectangle(left, top, right, bottom, _turned(one, about)),), box=True)]
    if one.tag == "ellipse":
        x, y, wide, high = of("cx", "cy", "rx", "ry")
        return [Shape(name, (ellipse(x, y, wide, high, _turned(one, about)),))]
    if one.tag != "mask":
        return []
    runs = tuple(int(value) for value in numbers_of(one.get("rle", "").split(","), about))
    left, top, wide, high = (int(value) for value in of("left", "top", "width", "height"))
    if min(runs) < 0 or sum(runs) > wide * high:
        raise DataError("the runs of {name} are longer than its mask", name=name)
    rest = wide * high - sum(runs)  # what comes after the last run is outside
    runs = (*runs, rest) if len(runs) % 2 == 0 else (*runs[:-1], runs[-1] + rest)
    return [Shape(name, runs=runs, place=(left, top, wide, high))]
