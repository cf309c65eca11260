"""What is asked about single pictures, off the UI thread: pixels with all their depth, masks, facts, near copies, and
where the split has them."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.groups import groups_of
from sslstudio.engine.images.formats.decode import Measured, read_values
from sslstudio.engine.images.formats.wanted import file_of
from sslstudio.engine.labels.masks.coding import MaskCoding
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.types import Recognised

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.training.config import DataConfig

Classes = npt.NDArray[np.uint8]  # (h, w), numbers of classes


@dataclass(frozen=True)
class Close:
    """A picture with its depth, the size of its file in bytes, and its masks where it has some (h, w)."""

    measured: Measured
    bytes: int
    truth: Classes | None = None
    answer: Classes | None = None


def read_closely(path: Path, truth: tuple[Path, MaskCoding] | None, answer: Path | None, control: RunControl) -> Close:
    """Read a picture with all that is to be seen of it. A mask that cannot be read is left out."""
    measured = read_values(path)
    masks: list[Classes | None] = [None, None]
    with suppress(DataError):
        if truth is not None:
            masks[0] = decode_mask(truth[0], truth[1], None)
    with suppress(OSError, ValueError):
        if answer is not None:
            with Image.open(answer) as image:
                masks[1] = np.asarray(image, dtype=np.uint8)
    return Close(measured, os.stat(file_of(os.fspath(path))).st_size, masks[0], masks[1])


@dataclass(frozen=True)
class Apart:
    """How the pictures are set apart now: path -> part, and path -> what it belongs together with."""

    parts: dict[str, str]
    groups: dict[str, str]


def set_apart(recognised: Recognised, data: "DataConfig", control: RunControl) -> Apart:
    """Draw the split as a run would draw it now."""
    from sslstudio.engine.training.session import draw_split

    split = draw_split(recognised, data)
    parts = {path: part for part in ("train", "validation", "test") for path in getattr(split, part)}
    groups = groups_of(recognised.pictures.paths, data.groups, recognised.groups, recognised.together)
    return Apart(parts, groups)


@dataclass(frozen=True)
class CopyGroup:
    """Pictures that are nearly the same, each with its part of the split and its class ('' where it has none)."""

    paths: tuple[str, ...]
    parts: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def torn(self) -> bool:
        """Whether they are on several sides of the split."""
        return len(set(self.parts)) > 1

    @property
    def at_odds(self) -> bool:
        """Whether they have several classes."""
        return len({label for label in self.labels if label}) > 1


def leaking_in(group: CopyGroup, out: Callable[[str], bool]) -> int:
    """How many held-out pictures of a group have another of it in an earlier part, but for those left out."""
    order = ("train", "validation", "test")
    parts = [order.index(part) for path, part in zip(group.paths, group.parts, strict=True) if part and not out(path)]
    return sum(part > min(parts) for part in parts)


@dataclass(frozen=True)
class Copies:
    """All groups, those first that are torn by the split; how many held-out pictures have a copy in an earlier part, of
    how many; how many pictures were compared, of how many."""

    groups: tuple[CopyGroup, ...]
    leaking: int
    held_out: int
    compared: int
    pictures: int


def find_copies(recognised: Recognised, data: "DataConfig", control: RunControl) -> Generator[Preparing, None, Copies]:
    """Look for near copies among the pictures, as they are set apart now."""
    from sslstudio.engine.compute import device as devices
    from sslstudio.engine.dataset.loader import Pictures
    from sslstudio.engine.dataset.near_duplicates import MOST, across, near_duplicates
    from sslstudio.engine.images.cache.pixel_cache import build_cache
    from sslstudio.engine.training.session import draw_split, side_of

    cache = yield from build_cache(recognised.pictures, side_of(recognised, data, devices.choose()), control=control)
    yield Preparing(stage=Message("Looking for near copies"), done=0, total=0)
    paths = cache.index.paths
    split = draw_split(recognised, data)
    shown = Pictures(cache, paths, devices.choose("cpu"))
    found = near_duplicates(shown.take(chunk) for chunk in shown.chunks(_CHUNK, MOST))
    part_of = {path: part for part in ("train", "validation", "test") for path in getattr(split, part)}
    classes = recognised.classes
    groups = [
        CopyGroup(
            names,
            tuple(part_of.get(path, "") for path in names),
            tuple(classes.names[classes.of[path]] if classes and path in classes.of else "" for path in names),
        )
        for names in (tuple(paths[number] for number in group) for group in found)
    ]
    groups.sort(key=lambda one: (not one.torn, not one.at_odds, one.paths))
    leaking = len(across(found, paths, split))
    held_out = len(split.validation) + len(split.test)
    return Copies(tuple(groups), leaking, held_out, min(MOST, len(paths)), len(paths))


_CHUNK = 512


def best_of(group: Sequence[str], sizes: Sequence[int]) -> str:
    """The one to keep of a group: the largest file, of equally large ones the first by name."""
    return min(zip(group, sizes, strict=True), key=lambda one: (-one[1], one[0]))[0]


def largest_of(recognised: Recognised, groups: Sequence[Sequence[str]], control: RunControl) -> list[str]:
    """Of each group the one to keep."""
    kept = []
    for group in groups:
        sizes = []
        for path in group:
            try:
                sizes.append(os.stat(file_of(os.fspath(recognised.pictures.file(path)))).st_size)
            except OSError:
                sizes.append(-1)
        kept.append(best_of(group, sizes))
    return kept
