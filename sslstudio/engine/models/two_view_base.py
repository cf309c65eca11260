"""What all joint-embedding tasks have in common: they make two views of each picture and can show them."""

import torch
from torch import Tensor, nn

from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.models.heads import Mlp
from sslstudio.engine.transforms.draw_views import Shown, show_pair
from sslstudio.engine.transforms.geometry import blank_share, to_float
from sslstudio.engine.transforms.two_views import ViewsConfig, two_views

MOST_BLANK = 0.9  # share of the cells of all pictures without structure above which two views have nothing in common
LEAST_SIDE = 16  # pixels


class ViewMaker(nn.Module):
    """Makes views at the scale of pixels that the encoder expects; the scale is kept with the weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: ViewsConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.full((3,), 0.5))
        self.register_buffer("deviation", torch.full((3,), 0.25))

    def fit(self, images: Tensor) -> None:
        """Take the scale from a sample of the pictures, uint8 (N, 3, H, W)."""
        deviation, mean = torch.std_mean(to_float(images), dim=(0, 2, 3), correction=0)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp_min(1e-2))

    def forward(self, images: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Views (B, 2, 3, s, s) of uint8 (B, 3, H, W) and their matrices (B, 2, 2, 3): see `two_views`."""
        return two_views(images, self.config, self.mean, self.deviation, rng)

    def shown(
        self, images: Tensor, views: Tensor, matrices: Tensor, partners: Tensor | None, count: int
    ) -> list[Shown]:
        """The first `count` pairs for people. `partners` (B,): whose second view the network took for the partner."""
        shades = self.shades(views)
        said = None if partners is None else partners.tolist()
        return [show_pair(images, shades, matrices, said, number) for number in range(min(count, len(images)))]

    def shades(self, views: Tensor) -> Tensor:
        """Views as they are looked at, in 0..1."""
        return views.detach().float() * self.deviation.view(3, 1, 1) + self.mean.view(3, 1, 1)


def check_views(images: Tensor) -> None:
    """Raises TaskDoesNotFit when pictures (uint8 (N, 3, H, W)) are too small, blank or all the same."""
    side = min(images.shape[-2:])
    if side < LEAST_SIDE:
        raise TaskDoesNotFit(
            "Parts of a picture are to be recognised as one, for which pictures of {side} pixels are too "
            "small. Set the picture side to {least_side} pixels or more.",
            side=side,
            least_side=LEAST_SIDE,
        )
    if len(images) > 1 and bool((images == images[:1]).all()):
        raise TaskDoesNotFit(
            "All of the {images} pictures that were looked at are the same, so there is nothing to tell "
            "apart. Choose a folder with different pictures.",
            images=len(images),
        )
    blank = blank_share(images)
    if blank > MOST_BLANK:
        raise TaskDoesNotFit(
            "{blank:.0%} of these pictures' area is blank: most views would show nothing. Cut the empty "
            "border off, or stretch the contrast of the pictures.",
            blank=blank,
        )


class Expander(nn.Sequential):
    """VICReg's expander: three linear layers with batch norm and ReLU between them."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__(
            nn.Linear(inside, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True), Mlp(width, width, width)
        )


def rows_of(views: Tensor) -> Tensor:
    """Views (B, 2, 3, s, s) as one batch (2B, 3, s, s) in the encoder's memory format, partners side by side."""
    return views.flatten(0, 1).contiguous(memory_format=torch.channels_last)
