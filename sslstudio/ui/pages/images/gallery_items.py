"""The pictures of a folder as a gallery shows them, each made when it is painted: a million would take a gigabyte."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, overload

from sslstudio.engine.images.formats.wanted import from_text
from sslstudio.engine.images.index import ImageIndex, printable
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.text import formatting

if TYPE_CHECKING:
    from sslstudio.engine.labels.types import Recognised


_LOOKED_AT = 500  # names, for what they all begin and end with
_KIND = 3  # first letters that names of one kind share
_LONG = 14  # letters that there is room for


def _shared_ends(paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """What the names of several pictures begin with, and what they end with before the suffix: by their first letters,
    for names of several kinds lie in one folder."""
    kinds: dict[str, list[str]] = {}
    for path in paths:
        name = path.rpartition("/")[2].rpartition(".")[0]
        kinds.setdefault(name[:_KIND], []).append(name)
    return {kind: _ends(names) for kind, names in kinds.items() if len(set(names)) > 1}


def _ends(names: Sequence[str]) -> tuple[str, str]:
    begin = _begin(names).rstrip("0123456789")
    end = _begin([name[len(begin) :][::-1] for name in names])[::-1].lstrip("0123456789")
    return begin, end


def _begin(names: Sequence[str]) -> str:
    """What all of them begin with: what the first and the last in order do."""
    first, last = min(names), max(names)
    same = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[: min(same, len(last))]


def _shorten(name: str, shared: Mapping[str, tuple[str, str]]) -> str:
    """A long name without what it shares with the others: the thumbnail's line would cut what tells it from them."""
    stem, dot, suffix = name.rpartition(".")
    begin, end = shared.get(stem[:_KIND], ("", ""))
    if len(name) <= _LONG or not dot or not stem.startswith(begin) or not stem.endswith(end):
        return name
    head = "…" if len(begin) > 2 else begin
    tail = "…" if len(end) > 2 else end
    return f"{head}{stem[len(begin) : len(stem) - len(end)]}{tail}{dot}{suffix}"


class PictureItems(Sequence[GalleryItem]):
    """A picture with its name and the folder that it lies in, where there are several; after all of them those that a
    person left out. part_of: path -> the part of the split, '' where it is not known."""

    def __init__(
        self,
        index: ImageIndex,
        left: Mapping[str, str] = MappingProxyType({}),
        recognised: "Recognised | None" = None,
        part_of: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._index, self._left, self._part_of = index, left, part_of
        self._classes = recognised.classes if recognised else None
        self._masks = recognised.masks if recognised else None
        self._out = recognised.excluded if recognised else ()
        self._deep = len(index.runs) > 1
        self._shared = _shared_ends(index.first(_LOOKED_AT))

    @property
    def shown(self) -> range:
        """The numbers of those that are not left out."""
        return range(len(self._index.paths))

    def __len__(self) -> int:
        return len(self._index.paths) + len(self._out)

    @overload
    def __getitem__(self, at: int) -> GalleryItem: ...
    @overload
    def __getitem__(self, at: slice) -> list[GalleryItem]: ...
    def __getitem__(self, at: int | slice) -> GalleryItem | list[GalleryItem]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        inside = len(self._index.paths)
        at = at + len(self) if at < 0 else at
        return self._item(self._index.paths[at]) if at < inside else self._item(self._out[at - inside], True)

    def _item(self, path: str, excluded: bool = False) -> GalleryItem:
        said = printable(path)
        left = [formatting.render(one.words()) for one in from_text(self._left.get(path, ""))]
        folder, _, name = said.rpartition("/")
        caption = _shorten(name, self._shared)
        if self._deep:
            caption = f"{folder.rpartition('/')[2]}/{caption}".lstrip("/")
        classes, masks = self._classes, self._masks
        label = classes.names[classes.of[path]] if classes and path in classes.of else ""
        truth: Path | None = self._index.root / masks.of[path] if masks and path in masks.of else None
        return GalleryItem(
            self._index.file(path), caption, tip="\n".join([said, *left]), file=path, label=label,
            labelled=truth is not None, part=self._part_of(path), excluded=excluded,
            truth=(truth, masks.coding) if truth is not None and masks else None,
        )  # fmt: skip
