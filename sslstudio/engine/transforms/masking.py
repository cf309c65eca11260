"""Masks over pictures: blocks that are cut out, the rim around them and a smooth filling; patches of a grid that are
hidden, and their brightness and contrast.

Letters: B pictures, C channels, s side of a picture, p side of a patch in pixels, g = s / p patches a side.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.draws import Rng, uniform
from sslstudio.engine.transforms.geometry import BLANK

SMALLEST = 0.5  # of the largest block's side


def count_blocks(mask_ratio: float, block: float) -> int:
    """Count the random blocks, `block` / 2 to `block` wide, that surely cover so much of a picture: twice the mean."""
    mean_area = block**2 * (1 - SMALLEST**3) / (3 * (1 - SMALLEST))
    return math.ceil(2 * math.log(1 / (1 - mask_ratio)) / mean_area)


def cut_blocks(count: int, side: int, mask_ratio: float, block: float, rng: Rng) -> Tensor:
    """bool (B, 1, s, s): True in square blocks that may overlap, as many as come nearest to `mask_ratio` of a picture.

    A block's side is random, half to all of `block` times the picture's (Pathak et al., CVPR 2016, section 3.3).
    """
    blocks = count_blocks(mask_ratio, block)
    sides = (uniform((count, blocks), SMALLEST * block, block, rng) * side).round().clamp_min(1)
    corners = torch.round(uniform((count, blocks, 2), 0.0, 1.0, rng) * (side - sides[..., None]))
    places = torch.arange(side, device=rng.device)
    within = (places >= corners[..., None]) & (places < (corners + sides[..., None])[..., None])  # (B, blocks, 2, s)
    first = torch.full((count, side, side), blocks, device=rng.device)  # the number of the first block on each place
    for number in reversed(range(blocks)):
        covers = within[:, number, 1, :, None] & within[:, number, 0, None, :]
        first = torch.where(covers, number, first)
    covered = torch.stack([(first <= number).float().mean(dim=(1, 2)) for number in range(blocks)])  # (blocks, B)
    last = (covered - mask_ratio).abs().argmin(dim=0)  # with the blocks up to this one it is nearest to the ratio
    return (first <= last.view(-1, 1, 1))[:, None]


def rim_of(holes: Tensor, width: int) -> Tensor:
    """bool (B, 1, s, s): the places outside the holes that are at most `width` pixels away from one."""
    if width == 0:
        return torch.zeros_like(holes)
    return (F.max_pool2d(holes.float(), 2 * width + 1, stride=1, padding=width) > 0) & ~holes


def fill_smoothly(pictures: Tensor, holes: Tensor) -> Tensor:
    """Pictures (B, C, s, s) with the holes (B, 1, s, s) filled by blurring their surroundings into them.

    Pull and push (Gortler et al., SIGGRAPH 1996): means of what is seen, at coarser and coarser scales,
    enlarged again. It knows nothing of what pictures show, so a network that has learnt something beats it.
    """
    seen = ~holes
    if pictures.shape[-1] == 1:
        return pictures * seen
    weight = _halve(seen.float())
    coarse = _halve(pictures * seen) / weight.clamp_min(1e-6)
    coarse = fill_smoothly(coarse, weight == 0)
    fine = F.interpolate(coarse, size=pictures.shape[-2:], mode="bilinear", align_corners=False)
    return torch.where(seen, pictures, fine)


def _halve(pictures: Tensor) -> Tensor:
    return F.avg_pool2d(pictures, 2, ceil_mode=True, count_include_pad=False)


def choose_patches(count: int, grid: int, mask_ratio: float, rng: Rng) -> Tensor:
    """Choose at random the patches that stay: bool (B, 1, g, g), exactly as many in every picture.

    `mask_ratio` is the share that does not stay; at least one patch stays and one does not.
    """
    patches = grid * grid
    stay = min(patches - 1, max(1, round((1 - mask_ratio) * patches)))
    ranks = uniform((count, patches), 0.0, 1.0, rng).argsort(dim=1).argsort(dim=1)
    return (ranks < stay).view(count, 1, grid, grid)


def patch_moments(shades: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each patch over its pixels and channels, spread over its places: (B, 1, s, s) each.

    shades (B, C, s, s) in [0, 1]. The deviation of a patch that shows next to nothing is taken as the least that
    counts, so that noise is not blown up to a texture.
    """
    mean = _repeat_pixels(F.avg_pool2d(shades.mean(dim=1, keepdim=True), side), side)
    variance = F.avg_pool2d((shades - mean).square().mean(dim=1, keepdim=True), side)
    return mean, _repeat_pixels(variance.sqrt().clamp_min(BLANK), side)


def _repeat_pixels(values: Tensor, side: int) -> Tensor:
    return values.repeat_interleave(side, dim=-2).repeat_interleave(side, dim=-1)
