"""The pictures of a folder as a gallery shows them, each made when it is painted: a million would take a gigabyte."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import overload

from sslstudio.engine.images.formats.wanted import from_text
from sslstudio.engine.images.index import ImageIndex, printable
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.text import formatting


class PictureItems(Sequence[GalleryItem]):
    """A picture with its name and the folder that it lies in."""

    def __init__(self, index: ImageIndex, left: Mapping[str, str] = MappingProxyType({})) -> None:
        self._index, self._left = index, left

    def __len__(self) -> int:
        return len(self._index.paths)

    @overload
    def __getitem__(self, at: int) -> GalleryItem: ...
    @overload
    def __getitem__(self, at: slice) -> list[GalleryItem]: ...
    def __getitem__(self, at: int | slice) -> GalleryItem | list[GalleryItem]:
        if isinstance(at, slice):
            return [self._item(path) for path in self._index.paths[at]]
        return self._item(self._index.paths[at])

    def _item(self, path: str) -> GalleryItem:
        said = printable(path)
        left = [formatting.render(one.words()) for one in from_text(self._left.get(path, ""))]
        caption = "/".join(said.split("/")[-2:])
        return GalleryItem(self._index.file(path), caption, tip="\n".join([said, *left]))
