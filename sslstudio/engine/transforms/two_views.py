"""Two random views of each picture: what joint-embedding tasks (SimCLR, BYOL, VICReg) are asked to recognise as one.

A view is a random rectangle of the picture, turned, mirrored, lit and tinted otherwise. Geometry is one resampling and
colour one 3x3 matrix for each view, so that on two CPU cores the views cost a small part of a training step.

Letters: B pictures, H and W picture size, s side of a view. A matrix (2, 3) takes a place (x, y) of the view to one of
the picture, both in -1..1 from edge to edge (y downwards), as `torch.nn.functional.affine_grid` has it.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sslstudio.engine.compute.constants import constant
from sslstudio.engine.compute.draws import Rng, normal, uniform
from sslstudio.engine.compute.resampling import sample
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.transforms.geometry import choose, degrade, to_float

STRETCH = math.log(4 / 3)  # most that a view is stretched, as in the random crops of Inception and SimCLR
LIGHT = 0.8  # brightness, contrast and saturation at full colour strength, either way (SimCLR, appendix A)
HUE = math.radians(72)  # turn of the hues at full colour strength, either way
BLURRED_TO = 3  # a blurred view keeps a third of its side at worst
LUMA = (0.299, 0.587, 0.114)  # ITU-R 601


@dataclass(frozen=True, kw_only=True)
class ViewsConfig(BaseConfig):
    """How far two views of a picture may differ. What differs between them is what the network learns to overlook."""

    min_crop_area: float = option(
        0.25,
        "Smallest view",
        "A view shows at least this share of the picture's area; smaller views are harder. Take more when what counts "
        "is small and could be missed.",
        low=0.05,
        high=1.0,
    )
    size: float = option(
        0.75,
        "Size of a view",
        "Side of a view, as a share of the picture's. Smaller is faster; at 0.75 things are on average as large in the "
        "views as in the whole picture.",
        low=0.25,
        high=1.0,
        advanced=True,
    )
    mirror: bool = option(True, "Mirror", "Mirror half of the views: left and right mean nothing here.")
    turn: float = option(
        10.0,
        "Turn",
        "Degrees that a view may be turned either way; 180 for pictures that have no up, as from a microscope.",
        low=0.0,
        high=180.0,
    )
    colour_jitter: float = option(
        0.5,
        "Colour strength",
        "How much brightness, contrast and colour change between views. Take less when they tell the classes apart.",
        low=0.0,
        high=1.0,
    )
    grey: float = option(0.2, "Grey views", "Share of views that lose their colour.", low=0.0, high=1.0)
    blur: float = option(
        0.2,
        "Blurred views",
        "Share of views that are blurred; 0 when fine texture tells the classes apart.",
        low=0.0,
        high=1.0,
    )
    noise: float = option(
        0.0,
        "Noise",
        "Deviation of the noise put on each view, as a share of the deviation of all pictures.",
        low=0.0,
        high=1.0,
        advanced=True,
    )


def two_views(images: Tensor, config: ViewsConfig, mean: Tensor, deviation: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
    """Views (B, 2, 3, s, s) of uint8 (B, 3, H, W) and their matrices (B, 2, 2, 3).

    s is `size` times the short side of a picture, a multiple of 8: a crop that is enlarged to the whole side would show
    things larger than they are when the encoder is used (Touvron et al., NeurIPS 2019), and cost more.

    `mean` and `deviation` (3,) are those of the channels of all pictures, in shades of 0..1. Views are brought to
    mean 0 and deviation 1 with them, and not each by its own: this is what the encoder is given when it is fine-tuned,
    and brightness and contrast stay in a view as far as the option leaves them there.
    """
    count, _, height, width = images.shape
    shades, side = to_float(images), view_side(config, min(height, width))
    views, matrices = [], []
    for _ in range(2):
        matrix = random_matrices(count, height, width, config, rng)
        view = recolour(resample(shades, matrix, side), config, mean, deviation, rng)
        views.append(_blur(view, config.blur, rng))
        matrices.append(matrix)
    pair = torch.stack(views, dim=1)
    if config.noise:
        pair += config.noise * normal(pair.shape, rng)
    return pair, torch.stack(matrices, dim=1)


def view_side(config: ViewsConfig, short: int) -> int:
    """Side of a view in pixels, of a picture whose short side is `short`."""
    return min(short, max(16, 8 * round(config.size * short / 8)))


def random_matrices(count: int, height: int, width: int, config: ViewsConfig, rng: Rng) -> Tensor:
    """(count, 2, 3): a random rectangle each, turned and mirrored, `min_crop_area`..1 of the square of the short side.

    It lies wholly in the picture, so that a view shows nothing made up: a turned rectangle that is too large for that
    is made smaller.
    """
    area = uniform((count,), config.min_crop_area, 1.0, rng)
    limit = area.log().neg().clamp(max=STRETCH)  # a longer side than the picture's would not fit
    ratio = (uniform((count,), -1.0, 1.0, rng) * limit).exp()
    turn = uniform((count,), -1.0, 1.0, rng) * math.radians(config.turn)
    mirror = torch.where(choose(count, 0.5 if config.mirror else 0.0, rng), -1.0, 1.0)
    short = min(height, width)
    across, down = (area * ratio).sqrt() * short * mirror, (area / ratio).sqrt() * short
    cos, sin = turn.cos(), turn.sin()
    rows = [torch.stack([cos * across, -sin * down], 1) / width, torch.stack([sin * across, cos * down], 1) / height]
    linear = torch.stack(rows, dim=1)  # (count, 2, 2)
    linear = linear / linear.abs().sum(dim=2).amax(dim=1).clamp_min(1.0).view(-1, 1, 1)
    room = (1.0 - linear.abs().sum(dim=2)).clamp_min(0.0)
    centre = room * uniform((count, 2), -1.0, 1.0, rng)
    return torch.cat([linear, centre.unsqueeze(2)], dim=2)


def map_places(matrices: Tensor, places: Tensor) -> Tensor:
    """Map places (..., N, 2) of views to where they lie in their pictures; matrices (..., 2, 3).

    Written out: under mixed precision a matrix product would round places to eight bits.
    """
    x, y = places[..., 0], places[..., 1]
    parts = matrices.unsqueeze(-3)  # (..., 1, 2, 3)
    return torch.stack([parts[..., row, 0] * x + parts[..., row, 1] * y + parts[..., row, 2] for row in (0, 1)], -1)


def inverse(matrices: Tensor) -> Tensor:
    """The matrices (..., 2, 3) that take places of the picture to places of the view."""
    a, b, x = matrices[..., 0, :].unbind(-1)
    c, d, y = matrices[..., 1, :].unbind(-1)
    area = a * d - b * c
    top = torch.stack([d, -b, b * y - d * x], dim=-1)
    bottom = torch.stack([-c, a, c * x - a * y], dim=-1)
    return torch.stack([top, bottom], dim=-2) / area[..., None, None]


def cell_places(rows: int, columns: int, device: torch.device) -> Tensor:
    """(rows * columns, 2): the centres (x, y) of the cells of a map in -1..1, row by row."""
    y = (torch.arange(rows, device=device) + 0.5) * (2.0 / rows) - 1.0
    x = (torch.arange(columns, device=device) + 0.5) * (2.0 / columns) - 1.0
    return torch.stack([x.repeat(rows), y.repeat_interleave(columns)], dim=1)


def corners(matrices: Tensor, height: int, width: int) -> Tensor:
    """Outlines of views (..., 4, 2) in pixels (x, y) of the picture: a walk around from the view's own left top."""
    square = matrices.new_tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return (map_places(matrices, square) + 1.0) * (0.5 * matrices.new_tensor([width, height]))


def resample(shades: Tensor, matrices: Tensor, side: int) -> Tensor:
    """Views (B, 3, side, side) of float pictures (B, 3, H, W)."""
    grid = map_places(matrices, cell_places(side, side, shades.device)).view(-1, side, side, 2)
    return sample(shades, grid)


def recolour(views: Tensor, config: ViewsConfig, mean: Tensor, deviation: Tensor, rng: Rng) -> Tensor:
    """Views (B, 3, s, s) in 0..1 with random brightness, contrast and colour, brought to mean 0 and deviation 1.

    Contrast turns around the mean shade of the view. Nothing is cut off at black and white: detail would be lost.
    """
    count = views.shape[0]
    reach = LIGHT * config.colour_jitter
    bright, contrast, saturation = uniform((3, count, 1, 1), 1 - reach, 1 + reach, rng)
    matrix = _tints(count, saturation, config, rng)
    middle = (_luma(matrix) * views.mean(dim=(2, 3)).unsqueeze(1)).sum(dim=2, keepdim=True)  # (B, 1, 1)
    matrix = matrix * (bright * contrast) / deviation.view(1, 3, 1)
    offset = ((1 - contrast) * bright * middle - mean.view(1, 3, 1)) / deviation.view(1, 3, 1)
    return mix_channels(views, matrix, offset)


def _tints(count: int, saturation: Tensor, config: ViewsConfig, rng: Rng) -> Tensor:
    """(count, 3, 3): the hues turned about the axis of greys, then a stronger or weaker colour, or none.

    Shades of grey stay what they are.
    """
    angle = HUE * config.colour_jitter * uniform((count, 1, 1), -1.0, 1.0, rng)
    same = torch.eye(3, device=rng.device)
    cross = constant((0.0, -1.0, 1.0, 1.0, 0.0, -1.0, -1.0, 1.0, 0.0), rng.device).view(3, 3) / math.sqrt(3)
    turned = angle.cos() * same + (1 - angle.cos()) / 3 + angle.sin() * cross
    saturation = torch.where(choose(count, config.grey, rng).view(-1, 1, 1), 0.0, saturation)
    return saturation * turned + (1 - saturation) * _luma(turned)


def _luma(matrix: Tensor) -> Tensor:
    """(B, 1, 3): what the luma of a pixel becomes made of when it goes through the matrix (B, 3, 3)."""
    return (matrix * constant(LUMA, matrix.device, matrix.dtype).view(3, 1)).sum(dim=1, keepdim=True)


def mix_channels(views: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """Multiply each pixel by matrix (B, 3, 3) and add offset (B, 3, 1)."""
    planes = views.flatten(2)
    with torch.autocast(views.device.type, enabled=False):
        return torch.baddbmm(offset, matrix, planes).view_as(views)


def _blur(views: Tensor, share: float, rng: Rng) -> Tensor:
    least = max(2, views.shape[-1] // BLURRED_TO) ** 2
    return degrade(views, share, rng, least) if share else views
