"""What the window asks about the roles of folders and tables, off the UI thread: a few pictures with their labels."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.formats.decode import read_picture
from sslstudio.engine.images.index import SUFFIXES, printable
from sslstudio.engine.labels.masks.decode import IGNORE, decode_mask
from sslstudio.engine.labels.masks.files import PALETTE
from sslstudio.engine.labels.types import Recognised

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = 5  # pictures
SIDE = 160  # pixels of the longer side of each
_SHARE = 0.5  # of a mask's colour over the picture


@dataclass(frozen=True)
class Example:
    """A picture, uint8 (h, w, 3), with its mask over it where it has one; its class ('' for none) and its name."""

    pixels: npt.NDArray[np.uint8]
    label: str
    name: str


def show_examples(recognised: Recognised, path: str, control: RunControl) -> list[Example]:
    """Up to five pictures of what a role speaks of (a folder, folders of one level, a table or a column), from all over
    it, with the labels that they have."""
    found: list[Example] = []
    for picture in _some(recognised, path):
        if control.stopping:
            break
        one = _example(recognised, picture)
        if one is not None:
            found.append(one)
    return found


def _some(recognised: Recognised, path: str) -> Sequence[str]:
    """The pictures in a folder; those whose masks lie in it; those that a table labels; files that were left out."""
    here = [one for one in recognised.pictures.paths if _lies_in(one, path)]
    masks, classes = recognised.masks, recognised.classes
    if masks and (not here or not path):
        here = [picture for picture, mask in masks.of.items() if _lies_in(mask, path)] or here
    if not here and (":" in path or path.lower().endswith((".csv", ".tsv", ".json"))):
        here = list(classes.of if classes else masks.of if masks else recognised.pictures.paths)
    if not here and path:
        here = list(islice(_files_below(recognised.pictures.root, path), SHOWN))
    return here[:: max(1, len(here) // SHOWN)][:SHOWN]


def _lies_in(picture: str, folder: str) -> bool:
    if not folder:
        return True
    if "*" not in folder:
        return picture.startswith(f"{folder}/")
    wanted = folder.split("/")
    parts = picture.split("/")[:-1][: len(wanted)]
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _files_below(root: "Path", folder: str) -> Iterator[str]:
    place = root / folder
    if place.is_dir():
        for file in sorted(place.rglob("*")):
            if file.suffix.lower() in SUFFIXES:
                yield f"{folder}/{file.relative_to(place).as_posix()}"


def _example(recognised: Recognised, picture: str) -> Example | None:
    root, masks, classes = recognised.pictures.root, recognised.masks, recognised.classes
    try:
        image = read_picture(recognised.pictures.file(picture), SIDE)
    except DataError:
        return None
    image.thumbnail((SIDE, SIDE))
    pixels = np.array(image.convert("RGB"), np.uint8)
    if masks and picture in masks.of:
        with suppress(DataError):  # the damaged mask is named when it is needed
            pixels = _under(pixels, decode_mask(root / masks.of[picture], masks.coding, None))
    label = classes.names[classes.of[picture]] if classes and picture in classes.of else ""
    return Example(pixels, label, printable(picture.rpartition("/")[2]))


def _under(pixels: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The picture with the colours of the classes laid over it; pixels that do not count get dark."""
    height, width, _ = pixels.shape
    fitted = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
    table = np.zeros((256, 3), np.float32)
    for number in range(1, IGNORE):
        colour = PALETTE[1 + (number - 1) % (len(PALETTE) - 1)]
        table[number] = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    shares = np.where(fitted > 0, _SHARE, 0.0)[..., None]
    blended: npt.NDArray[np.uint8] = (pixels * (1 - shares) + table[fitted] * shares).astype(np.uint8)
    return blended
