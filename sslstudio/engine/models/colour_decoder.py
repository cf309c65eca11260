"""Small networks around colour: the output layer that starts undecided and the critic of an adversarial task."""

import torch
from torch import nn

from sslstudio.engine.models.encoders import EncoderSpec
from sslstudio.engine.models.heads import Decoder


def build_undecided_decoder(spec: EncoderSpec, outputs: int, skips: int) -> tuple[Decoder, int]:
    """A decoder that gets `skips` of the encoder's shallower maps, and the stride of its output.

    Its first answers are near 0 everywhere: all classes alike, or grey.
    """
    first_skip = len(spec.dims) - 1 - skips
    decoder = Decoder(spec, outputs, first_skip=first_skip)
    nn.init.normal_(decoder.out.weight, std=0.01)
    assert decoder.out.bias is not None
    nn.init.zeros_(decoder.out.bias)
    return decoder.to(memory_format=torch.channels_last), spec.strides[first_skip]


class PatchCritic(nn.Sequential):
    """Real or made, for each overlapping patch of 18 places (Isola et al., CVPR 2017, section 3.2.2).

    (B, channels, h, w) -> logits (B, 1, h / 4, w / 4), above 0 for real. At a stride of 4 a patch is about the paper's
    70 pixels. There is no batch norm: its statistics would mix real and made pictures.
    """

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 1, 3, padding=1),
        )
