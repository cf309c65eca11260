"""The networks that are fine-tuned: an encoder and what answers on top of it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.compute.resampling import average_areas
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.models.heads import Decoder
from sslstudio.engine.transforms.geometry import to_float


class PixelScale(nn.Module):
    """Pictures to about mean 0 and deviation 1 a channel. The figures are kept with the weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, images: Tensor, fixed: tuple[float, float] | None = None) -> None:
        """`images`: uint8 (N, 3, H, W), a sample of the pictures; `fixed`: mean and deviation that stand for theirs,
        where the encoder wants these (`EncoderSpec.pixels`)."""
        super().__init__()
        deviation, mean = _channel_statistics(images)
        if fixed is not None:
            mean, deviation = torch.full_like(mean, fixed[0]), torch.full_like(mean, fixed[1])
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] to what the encoder expects."""
        scaled: Tensor = (images - self.mean) / self.deviation
        return scaled


def _channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    values = to_float(images)
    deviation = values.std(dim=(0, 2, 3), correction=0).clamp_min(1e-2).view(1, 3, 1, 1)
    return deviation, values.mean(dim=(0, 2, 3)).view(1, 3, 1, 1)


class Network(nn.Module):
    """A pixel scale, an encoder and a head.

    `freeze` keeps the encoder as it is, its batch statistics too. `freeze_norm_stats` keeps only the batch statistics:
    those of a pretraining come from all pictures, those of a few labelled ones are noise.
    """

    def __init__(
        self, scale: PixelScale, encoder: Encoder, head: nn.Module, *, freeze_norm_stats: bool = False
    ) -> None:
        super().__init__()
        self.scale = scale
        self.encoder = encoder
        self.head = head
        self.freeze_norm_stats = freeze_norm_stats
        self.frozen = False

    def freeze(self, frozen: bool = True) -> None:
        """Train the head alone, or everything again."""
        self.frozen = frozen
        self.encoder.requires_grad_(not frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> "Network":
        """As usual, but an encoder that is frozen, or whose statistics are, stays in evaluation mode."""
        super().train(mode)
        if self.frozen or self.freeze_norm_stats:
            self.encoder.eval()
        return self


def pool_stages(maps: list[Tensor]) -> list[Tensor]:
    """Pool each stage's map to one vector a picture: (B, dims[i] * 4) in a 2x2 grid, the last stage's mean (B, dim).

    The first stages look at details and say little without knowing where.
    """
    early = [average_areas(features, (2, 2)).flatten(1) for features in maps[:-1]]
    return [*early, maps[-1].mean(dim=(2, 3))]


LAST = 4
ALL = 0  # the features of all stages side by side


class Standard(nn.Module):
    """Each feature to mean 0 and deviation 1 by figures that are kept with the weights: stages differ in scale."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))

    def fit(self, features: Tensor) -> None:
        """Take the figures from features (n, D) of many pictures."""
        deviation, mean = torch.std_mean(features, dim=0, correction=0)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp_min(1e-3))

    def forward(self, features: Tensor) -> Tensor:
        """(B, D) to (B, D)."""
        scaled: Tensor = (features - self.mean) / self.deviation
        return scaled


class Classifier(Network):
    """One class a picture: a linear layer on the features of one stage (1 to 4), or of all of them (0)."""

    def __init__(
        self, scale: PixelScale, encoder: Encoder, classes: int, *, freeze_norm_stats: bool = False, stage: int = LAST
    ) -> None:
        widths = [4 * width for width in encoder.spec.dims[:-1]] + [encoder.spec.dim]
        inside = sum(widths) if stage == ALL else widths[stage - 1]
        linear = nn.Linear(inside, classes)
        head: nn.Module = nn.Sequential(Standard(inside), linear) if stage == ALL else linear
        super().__init__(scale, encoder, head, freeze_norm_stats=freeze_norm_stats)
        self.stage = stage

    def features(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> what the head reads, (B, D)."""
        scaled = self.scale(images)
        if self.stage in (ALL, LAST):
            vectors = pool_stages(self.encoder.stages(scaled))
            return torch.cat(vectors, dim=1) if self.stage == ALL else vectors[-1]
        maps = self.encoder.stages(scaled, self.stage)
        return pool_stages([*maps, maps[-1]])[-2]

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> logits (B, classes)."""
        logits: Tensor = self.head(self.features(images))
        return logits


class Segmenter(Network):
    """One class a pixel: a decoder with skip connections on the encoder's stages."""

    def __init__(self, scale: PixelScale, encoder: Encoder, classes: int, *, freeze_norm_stats: bool = False) -> None:
        super().__init__(scale, encoder, Decoder(encoder.spec, classes), freeze_norm_stats=freeze_norm_stats)

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> logits (B, classes, H, W)."""
        logits = self.head(self.encoder.stages(self.scale(images)))
        return F.interpolate(logits, size=images.shape[-2:], mode="bilinear", align_corners=False)
