"""Pictures (and their masks) as fine-tuning sees them: moved, scaled, turned, mirrored and lit a little differently."""

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.draws import Rng, integers, uniform
from sslstudio.engine.compute.resampling import sample, sample_nearest
from sslstudio.engine.transforms.geometry import choose

TURN = 0.17  # radians, about 10 degrees
ZOOM = (0.8, 1.15)
SHIFT = 0.1  # of the side, either way
LIGHT = 0.2  # brightness and contrast, either way
IGNORE = 255  # a mask value that says nothing


def vary(images: Tensor, masks: Tensor | None, rng: Rng, *, flip: bool) -> tuple[Tensor, Tensor | None]:
    """One random view of each picture; a mask moves with its picture.

    images: float (B, 3, H, W) in [0, 1]; masks: uint8 (B, H, W) of class numbers, or None. What comes in from outside
    repeats the edge in the picture and is IGNORE in the mask. Float32 under mixed precision too, which would round
    places to eight bits: up to a pixel of 224.
    """
    with torch.autocast(images.device.type, enabled=False):
        return _vary(images, masks, rng, flip)


def _vary(images: Tensor, masks: Tensor | None, rng: Rng, flip: bool) -> tuple[Tensor, Tensor | None]:
    count, _, height, width = images.shape
    grid = F.affine_grid(_matrices(count, rng, flip), [count, 3, height, width], align_corners=False)
    moved = sample(images, grid)
    gain = uniform((count, 1, 1, 1), 1 - LIGHT, 1 + LIGHT, rng)
    lift = uniform((count, 1, 1, 1), -LIGHT / 2, LIGHT / 2, rng)
    middle = moved.mean(dim=(1, 2, 3), keepdim=True)
    lit = (moved - middle) * gain + middle + lift
    if masks is None:
        return lit, None
    # Class numbers are shifted up by one, so that the zeros from outside can be told from class 0.
    ids = masks[:, None].to(torch.float32) + 1
    ids = sample_nearest(ids, grid)[:, 0]
    return lit, torch.where(ids == 0, IGNORE + 1, ids).sub(1).round().to(torch.uint8)


def turn_pictures(images: Tensor, turn: int) -> Tensor:
    """Turn squares (..., H, H) by `turn` quarters of a circle against the clock: by transposing and flipping, which
    every format of an export knows."""
    if turn % 2:
        images = images.transpose(-2, -1)
    dims = {0: [], 1: [-2], 2: [-2, -1], 3: [-1]}[turn % 4]
    return images.flip(dims) if dims else images


def turn_at_random(images: Tensor, masks: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
    """Each picture (B, 3, H, H) and its mask (B, H, H) by a quarter turn of its own."""
    turns = integers(4, (len(images),), rng)
    turned, moved = images, masks
    for turn in (1, 2, 3):  # all of them, picked afterwards: picking first has the CPU wait for a GPU
        which = (turns == turn)[:, None, None]
        turned = torch.where(which[:, None], turn_pictures(images, turn), turned)
        moved = torch.where(which, turn_pictures(masks, turn), moved)
    return turned, moved


def _matrices(count: int, rng: Rng, flip: bool) -> Tensor:
    """(B, 2, 3) for affine_grid: turn, zoom and shift, mirrored in half of the cases if `flip`."""
    turn = uniform((count,), -TURN, TURN, rng)
    zoom = uniform((count,), *ZOOM, rng)
    mirror = torch.where(choose(count, 0.5 if flip else 0.0, rng), -1.0, 1.0)
    shift = uniform((count, 2), -2 * SHIFT, 2 * SHIFT, rng)
    cos, sin = torch.cos(turn) * zoom, torch.sin(turn) * zoom
    top = torch.stack([cos * mirror, -sin, shift[:, 0]], dim=1)
    bottom = torch.stack([sin * mirror, cos, shift[:, 1]], dim=1)
    return torch.stack([top, bottom], dim=1)
