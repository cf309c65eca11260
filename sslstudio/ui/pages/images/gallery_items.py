"""The pictures of a folder as a gallery shows them, each made when it is painted: a million would take a gigabyte."""

from collections.abc import Sequence
from typing import overload

from sslstudio.engine.images.index import ImageIndex, printable
from sslstudio.ui.gallery.model import GalleryItem


class PictureItems(Sequence[GalleryItem]):
    """A picture with its name and the folder that it lies in."""

    def __init__(self, index: ImageIndex) -> None:
        self._index = index

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
        return GalleryItem(self._index.root / path, "/".join(said.split("/")[-2:]), tip=said)
