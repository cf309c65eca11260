"""Colour as colorization sees it: lightness L (what is asked) and the two colour axes a and b (the answer).

CIE 1976 L*a*b* of sRGB under D65: L in 0..100, a (green to red) and b (blue to yellow) in about -108..98. The bins and
the encoding of Zhang, Isola & Efros, ECCV 2016, section 2. Everything is batched and stays on its device.

Letters: B pictures, H and W picture size, h and w size of the map of answers, Q bins, K nearest bins.
"""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.draws import Rng, uniform
from sslstudio.engine.compute.process_group import sum_over_ranks
from sslstudio.engine.compute.resampling import average_areas
from sslstudio.engine.transforms.geometry import choose, cut_patches, mirror_pictures, to_float

BIN_STEP = 10.0
NEAREST = 10  # bins that share a colour: the authors' code; the text of the paper says 5
SOFTNESS = 5.0  # deviation of the Gaussian over the distance to the bins
GREY_BELOW = 5.0  # |a| and |b| up to this everywhere: the picture has no colour to learn (the authors' code)
REBALANCING = 0.5  # lambda of section 2.2: how much of the prior is replaced by the even one
FURTHEST = 110.0  # no colour of sRGB has |a| or |b| beyond it
CELL = 2.5  # side of the cells of the ab plane whose near bins are known beforehand

# sRGB (IEC 61966-2-1) to XYZ. Rows are divided by their sum, the white point, so that white is exactly (1, 1, 1).
_TO_XYZ = torch.tensor(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
    dtype=torch.float64,
)
_TO_XYZ /= _TO_XYZ.sum(dim=1, keepdim=True)
_TO_RGB = torch.linalg.inv(_TO_XYZ)
Rows = tuple[tuple[float, ...], ...]
_XYZ_ROWS: Rows = tuple(map(tuple, _TO_XYZ.tolist()))  # numbers that a compiler takes for what they are
_RGB_ROWS: Rows = tuple(map(tuple, _TO_RGB.tolist()))
_KNEE = 6 / 29  # below its third power the cube root of Lab becomes a straight line


def rgb_to_lab(images: Tensor) -> Tensor:
    """sRGB in [0, 1] (..., 3, H, W) -> Lab of the same shape."""
    # What is made here is changed in place: on a CPU this is bound by memory.
    curve = images.clamp_min(0.04045).add_(0.055).div_(1.055).pow_(2.4)
    linear = torch.where(images <= 0.04045, images / 12.92, curve)
    xyz = _mix_channels(linear, _XYZ_ROWS)
    line = (xyz / (3 * _KNEE**2)).add_(4 / 29)
    root = torch.where(xyz > _KNEE**3, xyz.clamp_min(_KNEE**3).pow_(1 / 3), line)
    x, y, z = root.unbind(-3)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-3)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Lab (..., 3, H, W) -> sRGB, cut off at [0, 1]: a colour that no screen can show becomes a near one."""
    light, a, b = lab.unbind(-3)
    y = (light + 16) / 116
    root = torch.stack([y + a / 500, y, y - b / 200], dim=-3)
    xyz = torch.where(root > _KNEE, root**3, 3 * _KNEE**2 * (root - 4 / 29))
    linear = _mix_channels(xyz, _RGB_ROWS).clamp(0.0, 1.0)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055)


def _mix_channels(planes: Tensor, matrix: Rows) -> Tensor:
    """Apply a 3x3 matrix to the channels; written out, because matrix products on GPUs may round to ten bits."""
    channels = planes.unbind(-3)
    rows = [sum(factor * plane for factor, plane in zip(row, channels, strict=True)) for row in matrix]
    return torch.stack([torch.as_tensor(row) for row in rows], dim=-3)


@lru_cache(maxsize=1)
def ab_bins() -> Tensor:
    """The 313 bins of the paper as (313, 2) points (a, b), ordered by a, then b. Clone before changing it.

    A point of the grid of step 10 is a bin if its four cells reach the convex hull of the sRGB colours in the ab
    plane; in other words, if it lies inside that hull widened by one step along both axes. This gives the very set
    that the authors published. (Points inside the gamut itself: 229; cells of the grid, centred on its points, that
    hold a colour: 261; corners of the cells that hold a colour: 309.)
    """
    shades = torch.linspace(0, 1, 9, dtype=torch.float64)  # 5 are enough: the corners of the hull lie near the cube's
    cube = torch.cartesian_prod(shades, shades, shades).T.reshape(3, -1, 1)
    colours = rgb_to_lab(cube)[1:, :, 0].numpy()  # (2, colours)
    turns = np.linspace(0, 2 * np.pi, 8192, endpoint=False)
    ways = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    reach = (ways @ colours).max(axis=1) + BIN_STEP * np.abs(ways).sum(axis=1)
    steps = np.arange(-130.0, 131.0, BIN_STEP)
    points = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    inside = (points @ ways.T < reach).all(axis=1)
    return torch.from_numpy(points[inside]).to(torch.float32)


@lru_cache(maxsize=1)
def near_bins() -> Tensor:
    """int64 (cells, cells, M): the numbers of `ab_bins` among which the NEAREST ones of any colour in a cell lie.

    Cells of CELL are laid over -FURTHEST..FURTHEST, a first. A colour lies within half a diagonal of its cell's centre;
    so a bin that is further from the centre than the last of the centre's NEAREST by more than a diagonal is none of
    the colour's. Clone before changing it.
    """
    bins = ab_bins().double()
    count = round(2 * FURTHEST / CELL)
    middles = (torch.arange(count, dtype=torch.float64) + 0.5) * CELL - FURTHEST
    found = torch.cdist(torch.cartesian_prod(middles, middles), bins).sort(dim=1, stable=True)
    reach = found.values[:, NEAREST - 1 : NEAREST] + CELL * 2**0.5 + 1e-3
    most = int((found.values <= reach).sum(dim=1).max())
    return found.indices[:, :most].reshape(count, count, most).contiguous()


def soft_encode(ab: Tensor, bins: Tensor, near: Tensor) -> tuple[Tensor, Tensor]:
    """Each colour as a mixture of its nearest bins: numbers (B, h, w, K) and weights (B, h, w, K) that sum to 1.

    ab (B, 2, h, w) within -FURTHEST..FURTHEST, `bins` (Q, 2) and `near` those of `ab_bins` and `near_bins` on the
    device of `ab`. Only K numbers a place are kept, never a map of all Q, and only bins near its cell are looked at.
    """
    places = ab.movedim(1, -1)
    rows = places.reshape(-1, 2)
    cells = ((rows + FURTHEST) / CELL).long().clamp(0, len(near) - 1)
    asked = near[cells[:, 0], cells[:, 1]]
    far = (bins[asked] - rows[:, None]).square().sum(dim=2)
    distance, kept = far.topk(NEAREST, dim=1, largest=False, sorted=False)
    nearest, weights = asked.gather(1, kept), torch.softmax(distance / (-2 * SOFTNESS**2), dim=1)
    return nearest.view(*places.shape[:-1], -1), weights.view(*places.shape[:-1], -1)


def main_bins(nearest: Tensor, weights: Tensor) -> Tensor:
    """The bin with the largest weight: (..., K), (..., K) -> (...)."""
    return nearest.gather(-1, weights.argmax(dim=-1, keepdim=True)).squeeze(-1)


def bin_shares(nearest: Tensor, weights: Tensor, count: int) -> Tensor:
    """How often each of `count` bins occurs, smoothed by the soft encoding: (count,), sums to 1."""
    sums = torch.zeros(count, dtype=torch.float64)  # on the CPU, where the order of adding is always the same
    sums.index_add_(0, nearest.flatten().cpu(), weights.flatten().cpu().double())
    return sums / sums.sum()


def rebalancing(shares: Tensor) -> Tensor:
    """A weight for each bin, larger for rare ones: 1 / ((1 - lambda) p + lambda / Q), scaled to mean 1 under p."""
    weights = 1.0 / ((1 - REBALANCING) * shares + REBALANCING / len(shares))
    return weights / (shares * weights).sum()


def annealed_mean(logits: Tensor, bins: Tensor, temperature: float) -> Tensor:
    """One colour (B, 2, h, w) from the logits (B, Q, h, w): the mean after sharpening by `temperature` (section 2.3).

    1 is the plain mean, dull where the network doubts; towards 0 it becomes the most likely bin, spotty.
    """
    shares = torch.softmax(logits.movedim(1, -1).float() / temperature, dim=-1)
    return (shares @ bins).movedim(-1, 1)


def has_colour(ab: Tensor, share: float = 0.0) -> Tensor:
    """bool (B,): whether more than `share` of the places of (B, 2, h, w) are further from grey than GREY_BELOW."""
    return (ab.abs().amax(dim=1) > GREY_BELOW).float().mean(dim=(1, 2)) > share


def crop_at_random(images: Tensor, min_crop_side: float, mirror: bool, rng: Rng) -> Tensor:
    """Cut a random square, `min_crop_side`..1 of the short side, out of each uint8 picture; mirror half: in [0, 1]."""
    count, _, height, width = images.shape
    side = min(height, width)
    extent = side * uniform((count,), min_crop_side, 1.0, rng)
    room = torch.stack([width - extent, height - extent], dim=1)
    centres = extent[:, None] / 2 + room * uniform((count, 2), 0.0, 1.0, rng)
    shades = mirror_pictures(to_float(images), choose(count, 0.5 if mirror else 0.0, rng))
    return cut_patches(shades, centres[:, None], extent, side)[:, 0]


def light_and_colour(images: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Lightness (B, 1, H, W) and colour (B, 2, H / stride, W / stride), averaged over areas, of sRGB in [0, 1].

    JPEG keeps colour at half the resolution, so there would be little to learn from finer answers.
    """
    lab = rgb_to_lab(images)
    height, width = (-(-side // stride) for side in images.shape[-2:])
    return lab[:, :1], average_areas(lab[:, 1:], (height, width))


def as_input(light: Tensor) -> Tensor:
    """Lightness (B, 1, H, W) as an encoder takes it: mean about 0, deviation about 1, in all three channels.

    The first convolution then fits RGB pictures when the encoder is fine-tuned.
    """
    same = ((light - 50.0) / 25.0).expand(-1, 3, -1, -1)
    return same.contiguous(memory_format=torch.channels_last)


def add_colour(light: Tensor, ab: Tensor) -> Tensor:
    """Add coarse colour to full lightness: sRGB (B, 3, H, W), what the best answer could look like."""
    fine = F.interpolate(ab.float(), size=light.shape[-2:], mode="bilinear", align_corners=False)
    return lab_to_rgb(torch.cat([light, fine], dim=1))


def mean_distance(answer: Tensor, truth: Tensor, counts: Tensor) -> Tensor:
    """Mean distance in the ab plane of (B, 2, h, w) maps over the pictures in `counts` (B,), 0-dimensional."""
    return mean_over(torch.linalg.vector_norm(answer - truth, dim=1), counts)


def mean_over(values: Tensor, counts: Tensor) -> Tensor:
    """Mean of (B, ...) over the pictures that count; 0 if none does."""
    each = values.flatten(1).mean(dim=1)
    counted = counts.to(each.dtype)
    return sum_over_ranks((each * counted).sum()) / sum_over_ranks(counted.sum()).clamp_min(1.0)
