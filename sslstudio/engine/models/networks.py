"""The networks that are fine-tuned: an encoder and what answers on top of it."""

import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.data.augment import to_float
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.models.heads import Decoder


class PixelScale(nn.Module):
    """Pictures to about mean 0 and deviation 1 a channel. The figures are kept with the weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, images: Tensor) -> None:
        """`images`: uint8 (N, 3, H, W), a sample of the pictures."""
        super().__init__()
        deviation, mean = _channel_statistics(images)
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
    """A pixel scale, an encoder and a head. `probing` keeps the encoder as it is, its batch statistics too."""

    def __init__(self, scale: PixelScale, encoder: Encoder, head: nn.Module, *, probing: bool) -> None:
        super().__init__()
        self.scale = scale
        self.encoder = encoder
        self.head = head
        self.probing = probing
        if probing:
            encoder.requires_grad_(False)

    def train(self, mode: bool = True) -> "Network":
        """As usual, but a probed encoder stays in evaluation mode."""
        super().train(mode)
        if self.probing:
            self.encoder.eval()
        return self


class Classifier(Network):
    """One class a picture: a linear layer on the embedding."""

    def __init__(self, scale: PixelScale, encoder: Encoder, classes: int, *, probing: bool = False) -> None:
        super().__init__(scale, encoder, nn.Linear(encoder.spec.dim, classes), probing=probing)

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> logits (B, classes)."""
        logits: Tensor = self.head(self.encoder(self.scale(images)))
        return logits


class Segmenter(Network):
    """One class a pixel: a decoder with skip connections on the encoder's stages."""

    def __init__(self, scale: PixelScale, encoder: Encoder, classes: int, *, probing: bool = False) -> None:
        super().__init__(scale, encoder, Decoder(encoder.spec, classes), probing=probing)

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> logits (B, classes, H, W)."""
        logits = self.head(self.encoder.stages(self.scale(images)))
        return F.interpolate(logits, size=images.shape[-2:], mode="bilinear", align_corners=False)
