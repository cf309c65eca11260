"""Batched geometry and colour on the device. Everything random comes from the generator that is handed in.

Letters: B pictures, C channels, T patches of a picture, s side of a patch in pixels of the output.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.constants import constant
from sslstudio.engine.compute.draws import Rng, chosen_rows, integers, normal, uniform
from sslstudio.engine.compute.resampling import average_areas, sample
from sslstudio.engine.core.errors import ConfigError

MOST_LEFT_OUT = 0.75  # share of a cell that gap and jitter may take
BLANK = 2.0 / 255.0  # deviation of shades in [0, 1] below which a patch shows next to nothing


def choose(count: int, share: float, rng: Rng) -> Tensor:
    """Choose each of `count` with probability `share`: bool (count,)."""
    return uniform((count,), 0.0, 1.0, rng) < share


def to_float(images: Tensor) -> Tensor:
    """uint8 -> float32 in [0, 1]."""
    return images.to(torch.float32).div_(255.0)


def cut_patches(images: Tensor, centres: Tensor, extent: Tensor, side: int, turn: Tensor | None = None) -> Tensor:
    """Cut T squares out of each picture in one resampling, at places that need not be whole pixels.

    images  (B, C, H, W) float
    centres (B, T, 2) as (x, y) in pixels of the picture, 0 at its left or top edge
    extent  (B,) side of each square in pixels of the picture
    turn    (B,) radians by which the squares of a picture are turned, clockwise as one sees it; None: upright
    returns (B, T, C, s, s); what lies outside the picture repeats its edge

    A random sub-pixel place also hides the phase of the 8x8 blocks of JPEG, which tells position.
    """
    pictures, channels, height, width = images.shape
    patches = centres.shape[1]
    steps = (torch.arange(side, device=images.device, dtype=images.dtype) + 0.5) / side - 0.5
    offsets = extent.view(-1, 1, 1) * steps.view(1, 1, -1)  # (B, 1, s) in pixels from the centre
    across, down = offsets[:, :, None, :], offsets[:, :, :, None]  # (B, 1, 1, s) and (B, 1, s, 1)
    if turn is not None:
        cos, sin = torch.cos(turn).view(-1, 1, 1, 1), torch.sin(turn).view(-1, 1, 1, 1)
        across, down = cos * across - sin * down, sin * across + cos * down
    x = (centres[..., 0, None, None] + across) * (2.0 / width) - 1.0
    y = (centres[..., 1, None, None] + down) * (2.0 / height) - 1.0
    shape = (pictures, patches, side, side)
    grid = torch.stack([x.expand(shape), y.expand(shape)], dim=-1)
    cut = sample(images, grid.reshape(pictures, patches * side, side, 2))
    return cut.view(pictures, channels, patches, side, side).transpose(1, 2)


def standardise_each(patches: Tensor) -> Tensor:
    """Every patch to mean 0 and deviation 1 on its own, over its channels and places: (..., C, s, s).

    Without it brightness and contrast tell which tiles lie side by side (Noroozi & Favaro, section 3.4). Shades in
    [0, 1] that deviate by less than 2 of 255 are what JPEG leaves of nothing: they are not blown up to a texture.
    """
    deviation, mean = torch.std_mean(patches, dim=(-3, -2, -1), keepdim=True, correction=0)
    return (patches - mean) / deviation.clamp_min(BLANK)


def grey(images: Tensor) -> Tensor:
    """The luma (ITU-R 601) in all three channels: (..., 3, H, W)."""
    weights = constant((0.299, 0.587, 0.114), images.device, images.dtype).view(3, 1, 1)
    return (images * weights).sum(dim=-3, keepdim=True).expand_as(images)


@dataclass(frozen=True)
class GridShape:
    """A 3x3 grid of squares, in shares of the crop it is laid into.

    `pitch` from centre to centre, `room` that a square may move to each side of its centre, `extent` its side.
    """

    pitch: float
    room: float
    extent: float


@dataclass(frozen=True)
class Grid:
    """Where the nine squares of each picture lie, row by row: centres (B, 9, 2) as (x, y), extent (B,), in pixels.

    `turn` (B,) in radians if the squares are turned.
    """

    centres: Tensor
    extent: Tensor
    turn: Tensor | None = None

    def boxes(self) -> Tensor:
        """(B, 9, 4): left, top, right, bottom in pixels of the picture; of turned squares the upright ones there."""
        half = (self.extent / 2).view(-1, 1, 1)
        return torch.cat([self.centres - half, self.centres + half], dim=-1)


def place_grid(
    images: Tensor,
    shape: GridShape,
    min_crop_side: float,
    rng: Rng,
    turn: float = 0.0,
    max_crop_side: float = 1.0,
) -> Grid:
    """A grid in a square crop at a random place of each picture (B, C, H, W), its squares moved at random.

    The crop's side is `min_crop_side`..`max_crop_side` times the picture's short side. Where it is less than 1 a
    square's place in the grid is no longer its place in the picture: pictures of one centred subject would give the
    answer away. The crop is turned by up to `turn` degrees to either side and made smaller so that its corners stay in
    the picture.
    """
    pictures, _, height, width = images.shape
    crop = uniform((pictures, 1, 1), min_crop_side, max_crop_side, rng) * min(height, width)
    angle = uniform((pictures, 1, 1), -math.radians(turn), math.radians(turn), rng) if turn else None
    reach = crop  # side of the upright square around the crop
    if angle is not None:
        wider = angle.cos() + angle.sin().abs()
        reach = torch.clamp(crop * wider, max=float(min(height, width)))
        crop = reach / wider
    limits = constant((width, height), rng.device, torch.int64)
    middle = reach / 2 + uniform((pictures, 1, 2), 0.0, 1.0, rng) * (limits - reach)
    numbers = torch.arange(9, device=rng.device)
    steps = torch.stack([numbers % 3, numbers // 3], dim=-1) - 1.0  # (9, 2) columns and rows from the middle one
    moved = uniform((pictures, 9, 2), -1.0, 1.0, rng) * shape.room
    places = (steps * shape.pitch + moved) * crop
    if angle is None:
        return Grid(middle + places, crop.view(-1) * shape.extent)
    x, y = places[..., :1], places[..., 1:]
    places = torch.cat([angle.cos() * x - angle.sin() * y, angle.sin() * x + angle.cos() * y], dim=-1)
    return Grid(middle + places, crop.view(-1) * shape.extent, angle.view(-1))


def check_cells(gap: float, jitter: float) -> None:
    """Raises ConfigError when gap and jitter, shares of a cell, leave too little of it to its tile."""
    if gap + jitter > MOST_LEFT_OUT:
        raise ConfigError(
            "gap = {gap} and jitter = {jitter} leave {tile:.2f} of a cell to its tile. Make one smaller, "
            "so that together they take 0.75 at most.",
            gap=gap,
            jitter=jitter,
            tile=1 - gap - jitter,
        )


def cell_grid(gap: float, jitter: float) -> GridShape:
    """Three cells a side; a tile fills what gap and jitter, shares of a cell, leave of its own, so it never touches the
    next one."""
    return GridShape(1 / 3, jitter / 6, (1 - gap - jitter) / 3)


def least_extent(shape: GridShape, min_crop_side: float, turn: float) -> float:
    """Side of the smallest square that `place_grid` lays, as a share of the picture's short side."""
    angle = math.radians(min(turn, 45.0))  # the widest upright square around a turned one
    return shape.extent * min(min_crop_side, 1 / (math.cos(angle) + math.sin(angle)))


def square_side(natural: float) -> int:
    """Pixels a side at which a square of `natural` pixels is shown to an encoder, a multiple of 4.

    Small ones are enlarged by half, to between 16 and 32: at 8 pixels the last stage of a ResNet has a single place,
    and what it learns there is not what it meets in a whole picture. Large ones stay as they are.
    """
    return 4 * round(max(natural, min(32.0, max(16.0, 1.5 * natural))) / 4)


def cut_grid(images: Tensor, grid: Grid, side: int, shift: Tensor | None = None) -> Tensor:
    """The nine squares of each picture, (B, 9, C, s, s). `shift` (B, C, 9, 2) displaces each channel by (x, y) pixels.

    A displaced channel stays inside the picture, so that repeated edges do not mark the outer squares.
    """
    if shift is None:
        return cut_patches(images, grid.centres, grid.extent, side, grid.turn)
    pictures, channels, height, width = images.shape
    half = (grid.extent / 2).view(-1, 1, 1, 1)
    limits = constant((width, height), images.device, torch.int64) - half
    centres = torch.minimum(torch.maximum(grid.centres[:, None] + shift, half), limits)  # (B, C, 9, 2)
    planes = images.reshape(pictures * channels, 1, height, width)
    turn = None if grid.turn is None else grid.turn.repeat_interleave(channels)
    cut = cut_patches(planes, centres.flatten(0, 1), grid.extent.repeat_interleave(channels), side, turn)
    return cut.view(pictures, channels, -1, side, side).transpose(1, 2)


def mirror_pictures(images: Tensor, which: Tensor) -> Tensor:
    """Exchange left and right of the pictures where `which` (B,) is True."""
    return torch.where(which.view(-1, 1, 1, 1), images.flip(-1), images)


def has_colour(images: Tensor) -> Tensor:
    """bool (B,): whether a float picture is more than shades of grey (a JPEG of greys strays by a shade or two)."""
    spread = images.amax(dim=1) - images.amin(dim=1)
    return spread.mean(dim=(1, 2)) > 2.0 / 255.0


def drop_colour(patches: Tensor, rng: Rng) -> Tensor:
    """Keep one channel of each patch (N, 3, s, s), chosen at random, and put faint noise into the other two.

    The noise has 1/100 of the kept channel's deviation around its mean (Doersch et al., ICCV 2015, section 3.1).
    """
    count = patches.shape[0]
    keep = integers(3, (count, 1, 1, 1), rng)
    kept = patches.gather(1, keep.expand(-1, -1, *patches.shape[2:]))
    deviation, mean = torch.std_mean(kept, dim=(1, 2, 3), keepdim=True, correction=0)
    noise = normal(patches.shape, rng) * (deviation / 100) + mean
    channel = torch.arange(3, device=rng.device).view(1, 3, 1, 1)
    return torch.where(channel == keep, patches, noise)


def project_colour(patches: Tensor) -> Tensor:
    """Take the green-magenta axis a = [-1, 2, -1] out of (..., 3, H, W): every pixel times I - a'a / (aa').

    Lenses bend green otherwise than red and blue, which tells where in the picture a patch was (Doersch, section 3.1).
    Shades of grey stay as they are.
    """
    axis = constant((-1.0, 2.0, -1.0), patches.device, patches.dtype)
    matrix = torch.eye(3, device=patches.device) - torch.outer(axis, axis) / axis.dot(axis)
    with torch.autocast(patches.device.type, enabled=False):  # which would round colours to eight bits
        return torch.einsum("ij,...jhw->...ihw", matrix, patches)


def degrade(patches: Tensor, share: float, rng: Rng, least: int = 100, levels: int = 3) -> Tensor:
    """`share` of the patches (N, C, s, s), chosen at random, made smaller and enlarged again.

    Down to `least` pixels in all, in as many `levels`, so that sharpness does not tell a patch (Doersch, section 3.1).
    """
    side, count = patches.shape[-1], patches.shape[0]
    lowest = min(round(least**0.5), side)
    result = patches.clone()
    for level, rows in chosen_rows(count, share, levels, rng):
        small = lowest + (side - lowest) * level // levels
        shrunk = average_areas(patches[rows], (small, small))
        result[rows] = F.interpolate(shrunk, size=(side, side), mode="bilinear", align_corners=False)
    return result


def blank_share(images: Tensor, cells: int = 3) -> float:
    """Share of the cells of a cells x cells grid over uint8 (N, C, H, W) pictures that show next to nothing.

    A cell is blank when its shades deviate by less than 2 of 255.
    """
    height, width = (side - side % cells for side in images.shape[-2:])
    shades = images[..., :height, :width].float().mean(dim=1)
    tiles = shades.view(-1, cells, height // cells, cells, width // cells)
    return float((tiles.std(dim=(2, 4), correction=0) < 255 * BLANK).float().mean())


def unmirror_boxes(boxes: Tensor, mirror: Tensor, width: int) -> Tensor:
    """Put boxes (B, T, 4) back to where they were before the pictures in `mirror` (B,) were mirrored."""
    left, top, right, bottom = boxes.unbind(-1)
    return torch.where(mirror.view(-1, 1, 1), torch.stack([width - right, top, width - left, bottom], dim=-1), boxes)
