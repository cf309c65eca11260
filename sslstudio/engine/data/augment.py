"""Batched geometry and colour on the device. Everything random comes from the generator that is handed in.

Letters: B pictures, T patches of a picture, s side of a patch in pixels of the output.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def uniform(shape: tuple[int, ...], low: float, high: float, rng: torch.Generator) -> Tensor:
    """Uniform numbers in [low, high) on the generator's device."""
    return torch.empty(shape, device=rng.device).uniform_(low, high, generator=rng)


def chosen(count: int, share: float, rng: torch.Generator) -> Tensor:
    """bool (count,): each True with probability `share`."""
    return uniform((count,), 0.0, 1.0, rng) < share


def to_float(images: Tensor) -> Tensor:
    """uint8 -> float32 in [0, 1]."""
    return images.to(torch.float32).div_(255.0)


def cut_patches(images: Tensor, centres: Tensor, extent: Tensor, side: int) -> Tensor:
    """Cut T squares out of each picture in one resampling, at places that need not be whole pixels.

    images  (B, C, H, W) float
    centres (B, T, 2) as (x, y) in pixels of the picture, 0 at its left or top edge
    extent  (B,) side of each square in pixels of the picture
    returns (B, T, C, s, s); what lies outside the picture repeats its edge

    A random sub-pixel place also hides the phase of the 8x8 blocks of JPEG, which tells position.
    """
    pictures, channels, height, width = images.shape
    patches = centres.shape[1]
    steps = (torch.arange(side, device=images.device, dtype=images.dtype) + 0.5) / side - 0.5
    offsets = extent.view(-1, 1, 1) * steps.view(1, 1, -1)  # (B, 1, s) in pixels from the centre
    x = (centres[..., 0:1] + offsets) * (2.0 / width) - 1.0  # (B, T, s)
    y = (centres[..., 1:2] + offsets) * (2.0 / height) - 1.0
    grid = torch.stack(
        [x[:, :, None, :].expand(-1, -1, side, -1), y[:, :, :, None].expand(-1, -1, -1, side)], dim=-1
    )  # (B, T, s, s, 2)
    cut = F.grid_sample(
        images, grid.reshape(pictures, patches * side, side, 2), mode="bilinear", padding_mode="border",
        align_corners=False,
    )  # fmt: skip
    return cut.view(pictures, channels, patches, side, side).transpose(1, 2)


def standardise_each(patches: Tensor) -> Tensor:
    """Every patch to mean 0 and deviation 1 on its own, over its channels and places: (..., C, s, s).

    Without it brightness and contrast tell which tiles lie side by side (Noroozi & Favaro, section 3.4).
    """
    deviation, mean = torch.std_mean(patches, dim=(-3, -2, -1), keepdim=True, correction=0)
    return (patches - mean) / deviation.clamp_min(1e-3)


def grey(images: Tensor) -> Tensor:
    """The luma (ITU-R 601) in all three channels: (..., 3, H, W)."""
    weights = images.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return (images * weights).sum(dim=-3, keepdim=True).expand_as(images)
