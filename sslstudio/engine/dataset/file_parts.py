"""One file of many: which pages and channels of the files are the pictures, and what of them is not used, in words.

Pages, slices and frames of a file may each be a picture (`pages = "all"`); their paths then name them,
'stack.tif#page=03', and they are a group that no split tears apart (dataset/groups.py).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from statistics import median
from typing import TypeVar

from sslstudio.engine.core.errors import ConfigError, DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.formats.decode import count_pages
from sslstudio.engine.images.formats.wanted import PAGE, from_text, page_path, read_channels
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.picture_choices import apply_choices
from sslstudio.engine.labels.types import Recognised

T = TypeVar("T")
FIRST, ALL = "first", "all"
_SINGLE = (".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".jp2", ".pgm", ".ppm", ".tga")  # one picture a file: not opened


def choose_parts(recognised: Recognised, channels: str, pages: str) -> Recognised:
    """What was recognised, with the chosen channels and pages for pictures; labels of a file are those of its pages.

    `channels`: '' or as `read_channels` takes them; `pages`: 'first', 'all' or a number from 1. Files with a mask keep
    their first page: the mask is of that. Raises ConfigError for another choice.
    """
    chosen = read_channels(channels)
    if chosen:
        recognised = replace(recognised, pictures=replace(recognised.pictures, channels=chosen))
    if pages in ("", FIRST):
        return recognised
    if pages != ALL and not (pages.isdecimal() and 1 <= int(pages) <= 9_999_999):
        raise ConfigError(
            "pages = {pages!r} is not a choice of pages. Say first, all, or the number of a page.", pages=pages
        )
    return _expand(recognised, pages)


def _expand(recognised: Recognised, pages: str) -> Recognised:
    index, masks = recognised.pictures, recognised.masks
    of: dict[str, list[str]] = {}
    masked = 0
    for path in index.paths:
        count = _pages_of(index, path)
        if count > 1 and masks is not None and path in masks.of:
            masked, count = masked + 1, 1
        of[path] = _named(path, count, pages) if count > 1 else [path]
    taken = [name for names in of.values() for name in names]
    new = replace(
        ImageIndex.of(index.root, taken), unreadable=index.unreadable, ignored=index.ignored, channels=index.channels
    )
    classes = recognised.classes
    if classes is not None:
        classes = replace(classes, of=_spread(classes.of, of))
    notes = _notes(of, masked, pages)
    given, groups = _spread(recognised.given_split, of), _spread(recognised.groups, of)
    found = replace(
        recognised, pictures=new, classes=classes, given_split=given, groups=groups, notes=(*recognised.notes, *notes)
    )
    paged = {path: role for path, role in recognised.chosen_pictures.items() if PAGE in path}
    return replace(apply_choices(found, paged), chosen_pictures=recognised.chosen_pictures)


def _pages_of(index: ImageIndex, path: str) -> int:
    if PurePosixPath(path).suffix.lower() in _SINGLE:
        return 1
    try:
        return count_pages(index.root / path)
    except DataError:  # its reason is told when it is read
        return 1


def _named(path: str, count: int, pages: str) -> list[str]:
    numbers = range(1, count + 1) if pages == ALL else [int(pages)]
    return [page_path(path, number, len(str(count))) for number in numbers]


def _spread(values: Mapping[str, T], of: Mapping[str, Sequence[str]]) -> dict[str, T]:
    return {name: values[path] for path, names in of.items() if path in values for name in names}


def _notes(of: Mapping[str, Sequence[str]], masked: int, pages: str) -> list[Message]:
    notes = []
    files = [names for names in of.values() if len(names) > 1]
    if files:
        notes.append(
            Message(
                "{files:,} {files:plural(file|files)} with several pages {files:plural(is|are)} read as {n:,} "
                "pictures; the pages of a file stay together when pictures are set apart.",
                files=len(files),
                n=sum(map(len, files)),
            )
        )
    if masked:
        notes.append(
            Message(
                "{n:,} {n:plural(file|files)} with several pages {n:plural(has|have)} a mask: only the first page is "
                "used.",
                n=masked,
            )
        )
    return notes


@dataclass(frozen=True)
class LeftOver:
    """What of one kind is not used: in how many files, the most that a file has, and how many in all are left out."""

    kind: str
    files: int
    most: int
    left: int

    def words(self) -> Message:
        """The sentence for people."""
        values = {"n": self.files, "most": self.most, "left": self.left}
        if self.kind == "channels":
            return Message(
                "{n:,} {n:plural(file has|files have)} up to {most:,} channels: {left:,} channels in all are not used. "
                "Choose others with channels = 3 (grey) or 3,1,2 (red, green, blue).",
                **values,
            )
        if self.kind == "series":
            return Message(
                "{n:,} {n:plural(file has|files have)} up to {most:,} series of pictures: the first is used, {left:,} "
                "in all are not.",
                **values,
            )
        said = {
            "slices": Message("slices"),
            "frames": Message("frames"),
        }.get(self.kind, Message("pages"))
        return Message(
            "{n:,} {n:plural(file has|files have)} up to {most:,} {kind}: only the first is used, {left:,} in all are "
            "not. Use each as a picture with pages = all.",
            kind=said,
            **values,
        )


def left_over(left: Mapping[str, str]) -> list[LeftOver]:
    """Sum up what is left out; `left`: path of a picture -> what of its file is not in it (`wanted.to_text`)."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for text in left.values():
        for one in from_text(text):
            found[one.kind].append((one.found, one.found - one.used))
    return [
        LeftOver(kind, len(counts), max(n for n, _ in counts), sum(rest for _, rest in counts))
        for kind, counts in found.items()
    ]


def squeeze_words(sizes: Sequence[tuple[int, int]], side: int) -> Message | None:
    """What the network sees of the pictures, whose `sizes` are (height, width); None where it sees them whole."""
    known = [(height, width) for height, width in sizes if height and width]
    larger = [size for size in known if min(size) > side]
    if not larger:
        return None
    height, width = (int(median(size[axis] for size in larger)) for axis in (0, 1))
    return Message(
        "The network sees {side} x {side} of {width:,} x {height:,} pixels. Small details are lost: a larger side "
        "keeps more, and takes about four times as long for each doubling.",
        side=side,
        width=width,
        height=height,
    )


def left_out_words(index: ImageIndex, sizes: Sequence[tuple[int, int]], side: int) -> list[Message]:
    """All that is not used of the pictures that were read, in sentences."""
    squeezed = squeeze_words(sizes, side)
    return [*(one.words() for one in left_over(index.left)), *([squeezed] if squeezed else [])]
