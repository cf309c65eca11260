"""Heads: what is put on an encoder to answer a question."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.models.encoders import EncoderSpec


class ConvNormRelu(nn.Sequential):
    """3x3 convolution, batch norm, ReLU."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(
            nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)
        )


class Decoder(nn.Module):
    """A U-Net decoder (Ronneberger et al., MICCAI 2015) over the encoder's stages.

    `first_skip` is the shallowest stage whose map is handed over; pretext tasks leave out the top one (index 0),
    because it carries the answer's edges past the encoder. The output has the stride of `first_skip`'s stage.
    """

    def __init__(self, spec: EncoderSpec, outputs: int, *, first_skip: int = 0, width: int = 32) -> None:
        super().__init__()
        self.first_skip = first_skip
        inside = spec.dims[-1]
        blocks: list[nn.Module] = []
        for stage in reversed(range(first_skip, len(spec.dims) - 1)):
            outside = max(width, spec.dims[stage] // 2)
            blocks.append(ConvNormRelu(inside + spec.dims[stage], outside))
            inside = outside
        self.blocks = nn.ModuleList(blocks)
        self.refine = ConvNormRelu(inside, inside)
        self.out = nn.Conv2d(inside, outputs, 1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """`maps` are the encoder's stages; returns (B, outputs, h, w) at the stride of the first skip."""
        x = maps[-1]
        for block, skip in zip(self.blocks, reversed(maps[self.first_skip : -1]), strict=True):
            x = F.interpolate(x, size=skip.shape[-2:], mode="nearest")
            x = block(torch.cat([x, skip], dim=1))
        logits: Tensor = self.out(self.refine(x))
        return logits


class Mlp(nn.Sequential):
    """Linear, batch norm, ReLU, linear: the usual head on embeddings."""

    def __init__(self, inside: int, hidden: int, outputs: int) -> None:
        super().__init__(
            nn.Linear(inside, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, outputs),
        )


class Expander(nn.Sequential):
    """VICReg's expander: three linear layers with batch norm and ReLU between them."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__(
            nn.Linear(inside, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True), Mlp(width, width, width)
        )
