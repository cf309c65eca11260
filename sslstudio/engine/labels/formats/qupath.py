"""QuPath: a GeoJSON file a picture, called like it: outlines with holes, each with the name of its classification."""

from pathlib import Path
from typing import Any, Final

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.outlines.files import json_of, place_of
from sslstudio.engine.labels.outlines.shapes import Drawing, Shape, numbers_of
from sslstudio.engine.labels.outlines.source import DrawnSource
from sslstudio.engine.labels.types import SOURCES

_NAMELESS: Final = "object"  # what an outline without a classification is


@SOURCES.register("qupath")
class QuPath(DrawnSource):
    """Polygons and groups of them."""

    called = Message("GeoJSON files")
    suffixes = (".geojson",)

    def fits(self, file: Path) -> bool:
        """The suffix says it."""
        return True

    def read(self, file: Path, index: ImageIndex) -> list[Drawing]:
        """One picture; coordinates are its pixels."""
        content = json_of(file)
        features = content if isinstance(content, list) else None
        if isinstance(content, dict):
            features = content.get("features") if content.get("type") == "FeatureCollection" else [content]
        if not isinstance(features, list):
            raise DataError("{file} is no GeoJSON: it has no features.", file=file.name)
        shapes: list[Shape] = []
        for place, feature in enumerate(features, start=1):
            try:
                shapes += _shapes(feature)
            except DataError as error:
                raise DataError(
                    "{file}, feature {place}: {problem}.", file=file.name, place=place, problem=error
                ) from error
            except (KeyError, TypeError, AttributeError, RecursionError) as error:
                raise DataError(
                    "{file}, feature {place} is no GeoJSON: {problem}.", file=file.name, place=place, problem=error
                ) from error
        return [Drawing(place_of(file, index), shapes=shapes)]


def _shapes(feature: dict[str, Any]) -> list[Shape]:
    about, geometry = feature.get("properties") or {}, feature["geometry"]
    name = str((about.get("classification") or {}).get("name") or _NAMELESS)
    if geometry["type"] not in ("Polygon", "MultiPolygon"):
        return []
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    what = Message("outline of {name}", name=name)
    return [
        Shape(name, tuple(numbers_of([value for point in ring for value in point[:2]], what) for ring in part))
        for part in parts
    ]
