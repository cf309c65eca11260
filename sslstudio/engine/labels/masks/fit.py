"""Whether masks lie on their pictures as these are shown: sizes are compared, and the turn that EXIF says is undone.

A picture may say by EXIF that it is to be shown turned; programs that pass over this draw masks on the stored pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.labels.masks.files import mask_size, orientation_of

Verdict = Literal["same", "raw", "open", "scaled", "swapped", "other", "unknown"]


class Shape(NamedTuple):
    """The size of a picture as it is stored, in pixels, and its EXIF orientation, 1 to 8."""

    height: int
    width: int
    orientation: int = 1

    @property
    def shown(self) -> tuple[int, int]:
        """(height, width) as the picture is shown."""
        return (self.width, self.height) if self.orientation >= 5 else (self.height, self.width)


@dataclass(frozen=True)
class Fit:
    """How the masks of a set lie on their pictures.

    turned    mask -> the orientation of its picture, by which it has to be turned
    refused   picture -> why its mask cannot lie on it: 'swapped' or 'other'
    scaled    how many masks have another size and the same proportions
    open      how many pictures are marked as turned while sizes do not tell how the mask lies
    """

    turned: Mapping[str, int]
    refused: Mapping[str, str]
    scaled: int
    open: int


def shape_of(path: Path) -> Shape | None:
    """The size of a picture from its header; None where Pillow does not know it."""
    try:
        with Image.open(path) as image:
            return Shape(image.height, image.width, orientation_of(image))
    except (OSError, ValueError, SyntaxError, TypeError, Image.DecompressionBombError):
        return None


def compare(root: Path, of: Mapping[str, str]) -> Fit:
    """Compare each mask with its picture. Where sizes tell for some that masks lie on the stored pixels, and for none
    that they do not, those that they do not tell of are turned as well."""
    seen: dict[str, tuple[Verdict, int]] = {}
    for picture, mask in of.items():
        shape = shape_of(root / picture)
        try:
            seen[picture] = (_verdict(shape, mask_size(root / mask)), shape.orientation if shape else 1)
        except (DataError, OSError):
            seen[picture] = ("unknown", 1)
    kinds = {kind for kind, orientation in seen.values() if orientation >= 5}
    raw = "raw" in kinds and "same" not in kinds
    turned = {
        of[picture]: orientation
        for picture, (kind, orientation) in seen.items()
        if kind == "raw" or (kind == "open" and raw)
    }
    refused = {picture: kind for picture, (kind, _) in seen.items() if kind in ("swapped", "other")}
    scaled = sum(kind == "scaled" for kind, _ in seen.values())
    unsure = 0 if raw else sum(kind == "open" for kind, _ in seen.values())
    if "same" in kinds:  # the sizes of others tell that masks lie as pictures are shown
        unsure = 0
    return Fit(turned, refused, scaled, unsure)


def _verdict(picture: Shape | None, mask: tuple[int, int]) -> Verdict:
    if picture is None or 0 in mask or 0 in picture[:2]:
        return "unknown"
    stored = (picture.height, picture.width)
    if mask == picture.shown:
        return "open" if picture.orientation > 1 and (picture.orientation < 5 or mask[0] == mask[1]) else "same"
    if picture.orientation >= 5 and (mask == stored or _is_scaled(stored, mask)):
        return "raw"
    if _is_scaled(picture.shown, mask):
        return "scaled"
    return "swapped" if mask == picture.shown[::-1] or _is_scaled(picture.shown[::-1], mask) else "other"


def _is_scaled(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one is the other at another scale, up to the rounding of a pixel in the smaller one."""
    (height, width), (h, w) = size, other
    if h > height:
        (height, width), (h, w) = other, size
    scale = h / height
    return abs(width * scale - w) <= 1 + 0.5 * width / height
