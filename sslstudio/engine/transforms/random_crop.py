"""Random crops: the square of a picture that a task looks at, cut at a random place, or a disc of it.

Letters: B pictures, H and W picture size, s side of a crop in pixels of the output.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sslstudio.engine.compute.draws import Rng, uniform
from sslstudio.engine.core.config import option
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.transforms import draw, geometry


@dataclass(frozen=True)
class Crops:
    """One crop of each picture: shades (B, 3, s, s) in [0, 1], boxes (B, 4) left, top, right, bottom in pixels."""

    shades: Tensor
    boxes: Tensor


def min_crop_side_option(default: float = 0.7) -> Any:
    """Declare the option for the least side of a random crop, as a share of the picture's."""
    return option(
        default,
        "Smallest crop",
        "It looks at a random square of the picture, at least this share of its side; 1 takes all of it.",
        low=0.3,
        high=1.0,
    )


def max_crop_side_option() -> Any:
    """Declare the option for the largest side of a random crop, as a share of the picture's."""
    return option(
        1.0,
        "Largest crop",
        "The square has at most this share of the picture's side. Small squares lie anywhere, so that a tile's own "
        "look does not tell its place.",
        low=0.3,
        high=1.0,
    )


def check_crop_sides(smallest: float, largest: float) -> None:
    """Raises ConfigError where the smallest crop would be larger than the largest."""
    if smallest > largest:
        raise ConfigError(
            "min_crop_side = {smallest} is more than max_crop_side = {largest}. Lower the first or raise the second.",
            smallest=smallest,
            largest=largest,
        )


def mirror_option() -> Any:
    """Declare the option for mirroring half of the crops."""
    return option(True, "Mirror", "Mirror half of the pictures: switch off if left and right mean something.")


def random_crops(images: Tensor, min_crop_side: float, side: int, mirror: bool, rng: Rng) -> Crops:
    """A square at a random place of each uint8 (B, 3, H, W) picture, `min_crop_side`..1 of its short side, resampled.

    A place that is not of whole pixels hides the phase of JPEG's blocks. Half of them are mirrored if `mirror`; the
    boxes lie on the pictures as they were handed in.
    """
    count, _, height, width = images.shape
    which = geometry.choose(count, 0.5 if mirror else 0.0, rng)
    extent = min(height, width) * uniform((count,), min_crop_side, 1.0, rng)
    room = torch.stack([width - extent, height - extent], dim=1)
    centres = extent[:, None] / 2 + room * uniform((count, 2), 0.0, 1.0, rng)
    shades = geometry.mirror_pictures(geometry.to_float(images), which)
    cut = geometry.cut_patches(shades, centres[:, None], extent, side)[:, 0]
    half = extent[:, None] / 2
    boxes = torch.cat([centres - half, centres + half], dim=1)[:, None]
    return Crops(cut, geometry.unmirror_boxes(boxes, which, width)[:, 0])


def disc(side: int, device: torch.device) -> Tensor:
    """float (side, side): 1 in the largest disc, 0 in the corners. Every quarter turn of it is the same."""
    steps = torch.arange(side, device=device) * 2 - (side - 1)  # whole numbers, so that the symmetry is exact
    return (steps[:, None] ** 2 + steps[None, :] ** 2 <= side**2).float()


def moments_within(pictures: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation (B, 1, 1, 1) of each picture (B, C, s, s) over its channels and the places where `seen` is 1.

    `seen` is float, (s, s) or (B, 1, s, s). The deviation of a picture of shades in [0, 1] that shows next to nothing
    is taken as the least that counts, so that dividing by it does not blow noise up to a texture.
    """
    places = seen.expand(len(pictures), 1, *pictures.shape[-2:])
    count = (places.sum(dim=(1, 2, 3), keepdim=True) * pictures.shape[1]).clamp_min(1)
    mean = (pictures * places).sum(dim=(1, 2, 3), keepdim=True) / count
    away = (pictures - mean) * places
    deviation = (away.square().sum(dim=(1, 2, 3), keepdim=True) / count).sqrt()
    return mean, deviation.clamp_min(geometry.BLANK)


def standardise_within(pictures: Tensor, seen: Tensor) -> Tensor:
    """Each picture (B, C, s, s) to mean 0 and deviation 1 where `seen` is 1, and to 0, the mean, elsewhere."""
    mean, deviation = moments_within(pictures, seen)
    return (pictures - mean) / deviation * seen


def outline_crop(image: Tensor, box: Tensor, least: int) -> draw.Picture:
    """A picture (3, H, W) for people, enlarged to about `least` pixels, with the crop (4,) outlined."""
    picture = draw.to_picture(image)
    left, top, right, bottom = box.tolist()
    boxes = draw.scale_boxes([(left, top, right, bottom)], draw.magnification(picture, least))
    return draw.outline(draw.magnify(picture, least), boxes, draw.MARK, width=2)
