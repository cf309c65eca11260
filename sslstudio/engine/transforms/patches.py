"""Patches of a square grid: which ones are hidden, and their brightness and contrast.

Letters: B pictures, s side of a picture, p side of a patch in pixels, g = s / p patches a side.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.transforms.geometry import BLANK, uniform


def seen_patches(count: int, grid: int, hidden: float, rng: torch.Generator) -> Tensor:
    """bool (B, 1, g, g): True for the patches that stay, chosen at random; exactly as many in every picture.

    `hidden` is the share that does not stay; at least one patch stays and one does not.
    """
    patches = grid * grid
    stay = min(patches - 1, max(1, round((1 - hidden) * patches)))
    ranks = uniform((count, patches), 0.0, 1.0, rng).argsort(dim=1).argsort(dim=1)
    return (ranks < stay).view(count, 1, grid, grid)


def patch_moments(shades: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each patch over its pixels and channels, spread over its places: (B, 1, s, s) each.

    shades (B, C, s, s) in [0, 1]. The deviation of a patch that shows next to nothing is taken as the least that
    counts, so that noise is not blown up to a texture.
    """
    mean = _spread(F.avg_pool2d(shades.mean(dim=1, keepdim=True), side), side)
    variance = F.avg_pool2d((shades - mean).square().mean(dim=1, keepdim=True), side)
    return mean, _spread(variance.sqrt().clamp_min(BLANK), side)


def _spread(values: Tensor, side: int) -> Tensor:
    return values.repeat_interleave(side, dim=-2).repeat_interleave(side, dim=-1)
