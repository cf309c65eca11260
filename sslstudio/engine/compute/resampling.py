"""Resampling that every kind of device can do.

Apple's GPUs refuse border padding (pytorch#125098) and averages over areas that do not divide the picture, and read
pictures in another memory format wrongly without a word (pytorch#174339). On all other devices these functions are
torch's own to the bit; there they differ from those by rounding alone.

Letters: B pictures, C channels, H and W their sides, h and w the sides of what is made of them.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor


def sample(images: Tensor, grid: Tensor) -> Tensor:
    """Read (B, C, H, W) between pixels at places (B, h, w, 2) in -1..1; outside, the edge is repeated: (B, C, h, w)."""
    if images.device.type != "mps":
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return sample_within(images, grid)


def sample_within(images: Tensor, grid: Tensor) -> Tensor:
    """As `sample`, by moving places outside to the centres of the outermost pixels: those are what a border repeats."""
    height, width = images.shape[-2:]
    x = grid[..., 0].clamp(1.0 / width - 1.0, 1.0 - 1.0 / width)
    y = grid[..., 1].clamp(1.0 / height - 1.0, 1.0 - 1.0 / height)
    inside = torch.stack([x, y], dim=-1)
    return F.grid_sample(images.contiguous(), inside, mode="bilinear", padding_mode="zeros", align_corners=False)


def sample_nearest(images: Tensor, grid: Tensor) -> Tensor:
    """Read the nearest pixels of (B, C, H, W) at places (B, h, w, 2); 0 outside."""
    ready = images.contiguous() if images.device.type == "mps" else images
    return F.grid_sample(ready, grid, mode="nearest", padding_mode="zeros", align_corners=False)


def average_areas(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Average (..., H, W) over areas, as even as can be: (..., h, w)."""
    height, width = images.shape[-2:]
    if images.device.type != "mps" or (height % size[0] == 0 and width % size[1] == 0):
        return F.adaptive_avg_pool2d(images, size)
    return average_by_matrices(images, size)


def average_by_matrices(images: Tensor, size: tuple[int, int]) -> Tensor:
    """As `average_areas`, as a product from either side."""
    down = _averages(images.shape[-2], size[0], images.device)
    across = _averages(images.shape[-1], size[1], images.device)
    with torch.autocast(images.device.type, enabled=False):
        return (down @ images.float() @ across.T).to(images.dtype)


@lru_cache(maxsize=256)
def _averages(given: int, wanted: int, device: torch.device) -> Tensor:
    """(wanted, given): row i averages the places from floor(i * given / wanted) to ceil((i + 1) * given / wanted)."""
    rows = torch.zeros(wanted, given)
    for number in range(wanted):
        first, last = number * given // wanted, -(-(number + 1) * given // wanted)
        rows[number, first:last] = 1.0 / (last - first)
    return rows.to(device)
