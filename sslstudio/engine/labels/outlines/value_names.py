"""What the values of mask files are called in a list of names that lies with them: labelmap.txt, class_names.txt ..."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.images.multi_folder import roots_of, where
from sslstudio.engine.labels.mask_names import BACKGROUND, plain_names
from sslstudio.engine.labels.masks.coding import NEAR, MaskCoding
from sslstudio.engine.labels.masks.files import unpack
from sslstudio.engine.labels.outlines.name_lists import OF_MASKS, NameList, read_names

_BACKGROUND: Final = ("_background_", "__background__", "background", "bg")


@dataclass(frozen=True)
class ValueNames:
    """The names of the classes of masks; `file`: the list they are from, `named`: how many of them it names."""

    names: tuple[str, ...]
    file: Path
    named: int


def name_values(root: Path, masks: Sequence[str], coding: MaskCoding) -> ValueNames | None:
    """The names of the values of `masks` (paths below the root), from the nearest list that names one; None without.

    Objects that are numbered one by one are of one class, which no list names.
    """
    if coding.instances or not masks:
        return None
    palette = _palette(Path(where(root, masks[0])))
    for file in _lists(root, masks):
        try:
            found = read_names(file)
        except (DataError, OSError):
            continue  # a list of something else
        given = _given(found, coding, palette)
        known = [name for name in given if name]
        if any(given[1:]) and len(set(known)) == len(known):
            names = tuple(name or plain for name, plain in zip(given, plain_names(coding), strict=True))
            return ValueNames(names, file, len(known))
    return None


def _lists(root: Path, masks: Sequence[str]) -> Iterator[Path]:
    """Those in the folder of the masks, then in the folders around it, up to that which was opened."""
    tops = {one.resolve() for one in roots_of(root).values()}
    folder = Path(where(root, masks[0])).parent
    for place in (folder, *folder.parents):
        yield from (place / name for name in OF_MASKS if (place / name).is_file())
        if place.resolve() in tops:
            return


def _palette(mask: Path) -> Mapping[int, int]:
    """The colour of each value of a mask with a palette."""
    try:
        with Image.open(mask) as image:
            colours = image.getpalette() if image.mode == "P" else None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return {}
    flat = colours or []
    return {place: flat[3 * place] << 16 | flat[3 * place + 1] << 8 | flat[3 * place + 2]
            for place in range(len(flat) // 3)}  # fmt: skip


def _given(found: NameList, coding: MaskCoding, palette: Mapping[int, int]) -> list[str]:
    """A name for each value, '' where the list has none."""
    listed = [found.by_number[number] for number in sorted(found.by_number)]
    if coding.kind != "colours" and coding.values[0] == 0 and not found.by_colour:
        objects = listed[1:] if listed and _is_background(listed[0]) else listed
        whole = coding.values == (0, 255) or coding.values[-1] == len(objects)
        if (
            whole and len(objects) == len(coding.values) - 1
        ):  # a list that leaves the background out, or black and white
            return [BACKGROUND, *objects]
        if coding.values == (0, 255):
            return ["", ""]
    names = [found.by_colour.get(palette.get(value, -1), "") for value in coding.values]
    if coding.kind == "colours" or not any(names):
        names = [_name(found, coding, value) for value in coding.values]
    return [BACKGROUND if _is_background(names[0]) else names[0], *names[1:]]


def _is_background(name: str) -> bool:
    return name.lower() in _BACKGROUND


def _name(found: NameList, coding: MaskCoding, value: int) -> str:
    if coding.kind != "colours":
        return found.by_number.get(value, "")
    name = _by_colour(found, value, coding.nearest)
    if not name and value % 0x010101 == 0:  # greys, kept as colours to be compared
        return found.by_number.get(value & 255, "")
    return name


def _by_colour(found: NameList, value: int, nearest: bool) -> str:
    if value in found.by_colour or not nearest or not found.by_colour:
        return found.by_colour.get(value, "")
    colours = list(found.by_colour)
    far = np.abs(unpack(np.asarray(colours)) - unpack(np.asarray(value))).max(-1)
    best = int(far.argmin())
    return found.by_colour[colours[best]] if far[best] <= NEAR else ""
