"""What the shortcut audit does to held-out pictures and puzzles: each change takes away one thing that a network should
not need, or the very thing that it should.

Letters: B pictures, H and W picture size, T tiles of a picture, s their side.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from sslstudio.engine.core.messages import Message
from sslstudio.engine.tasks.base import Batch
from sslstudio.engine.transforms.geometry import grey

FRAME = 0.1  # width of the masked frame, as a share of the side
CENTRE = (1 - (1 - 2 * FRAME) ** 2) ** 0.5  # side of the square in the middle that has the frame's area
CORNER = 0.3  # side of a masked corner
SHIFT = 0.06  # how far a shifted picture moves
RIM = 0.12  # width of the erased rim of a tile, as a share of its side
CORNERS = (Message("top left"), Message("top right"), Message("bottom left"), Message("bottom right"))


def same(pictures: Tensor) -> Tensor:
    """No change."""
    return pictures


@dataclass(frozen=True)
class Alteration:
    """A change of the uint8 (B, 3, H, W) pictures before the puzzle is made, or of its (B, T, 3, s, s) tiles after."""

    name: str
    pictures: Callable[[Tensor], Tensor] = same
    tiles: Callable[[Tensor], Tensor] = same

    def batch(self, batch: Batch) -> Batch:
        """The batch with its tiles changed."""
        inputs = {name: self.tiles(value) if value.ndim == 5 else value for name, value in batch.inputs.items()}
        return Batch(inputs, batch.targets)


def cover(pictures: Tensor, place: Callable[[int, torch.device], Tensor]) -> Tensor:
    """Cover each picture with its own mean colour where `place(side, device)`, bool (S, S), is True."""
    mean = pictures.float().mean(dim=(2, 3), keepdim=True).round().to(torch.uint8)
    return torch.where(place(pictures.shape[-1], pictures.device), mean, pictures)


def _frame(side: int, device: torch.device) -> Tensor:
    return ~_middle(1 - 2 * FRAME, side, device)


def _middle(share: float, side: int, device: torch.device) -> Tensor:
    far = ((torch.arange(side, device=device) + 0.5) / side - 0.5).abs() < share / 2
    return far[:, None] & far[None, :]


def _corner(number: int, side: int, device: torch.device) -> Tensor:
    place = (torch.arange(side, device=device) + 0.5) / side
    down, right = divmod(number, 2)
    rows = place > 1 - CORNER if down else place < CORNER
    columns = place > 1 - CORNER if right else place < CORNER
    return rows[:, None] & columns[None, :]


def shift(pictures: Tensor) -> Tensor:
    """Move pictures right and down by a few pixels, not a multiple of JPEG's blocks; the edge is repeated."""
    side = pictures.shape[-1]
    step = max(1, round(SHIFT * side))
    step += step % 8 == 0
    from_place = (torch.arange(side, device=pictures.device) - step).clamp_min(0)
    return pictures[:, :, from_place][:, :, :, from_place]


def without_colour(pictures: Tensor) -> Tensor:
    """uint8 pictures in greys."""
    return grey(pictures.float()).round().to(torch.uint8)


def mean_colour(tiles: Tensor) -> Tensor:
    """Every tile as its mean colour."""
    return tiles.mean(dim=(-2, -1), keepdim=True).expand_as(tiles)


def erase_rims(tiles: Tensor) -> Tensor:
    """The rim of every tile replaced by what lies just inside it: lines no longer run on into the next tile."""
    side = tiles.shape[-1]
    rim = max(1, round(RIM * side))
    place = torch.arange(side, device=tiles.device).clamp(rim, side - 1 - rim)
    return tiles[..., place, :][..., place]


MEAN_COLOUR = Alteration("mean_colour", tiles=mean_colour)
RIMS = Alteration("rims", tiles=erase_rims)
GREY = Alteration("grey", pictures=without_colour)
FRAME_COVERED = Alteration("frame", pictures=partial(cover, place=_frame))
CENTRE_COVERED = Alteration("centre", pictures=partial(cover, place=partial(_middle, CENTRE)))
CORNERS_COVERED = tuple(
    Alteration(Message("corner, {name}", name=name), pictures=partial(cover, place=partial(_corner, number)))
    for number, name in enumerate(CORNERS)
)
SMALL_CENTRE_COVERED = Alteration(Message("small centre"), pictures=partial(cover, place=partial(_middle, CORNER)))
MIRRORED = Alteration("mirrored", pictures=lambda pictures: pictures.flip(-1))
SHIFTED = Alteration("shifted", pictures=shift)
