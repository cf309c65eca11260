"""Residual networks (He et al., CVPR 2016).

The ResNets carry torchvision's parameter names, so that weight files made for torchvision load into them. Three
stems: a 7x7 convolution and max-pooling throw away four fifths of a tile of 32 pixels before the first block
sees it, so small pictures get a smaller stem (as the CIFAR variants of SimCLR and BYOL do).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sslstudio.engine.core.messages import Message
from sslstudio.engine.models.encoders.base import STEM_STRIDES, Encoder, EncoderShape, EncoderSpec

try:
    from torchvision.models.resnet import BasicBlock, Bottleneck
except (ImportError, RuntimeError):  # RuntimeError: a torchvision that was built for another torch
    from sslstudio.engine.models.encoders.residual_blocks import BasicBlock, Bottleneck

__all__ = ["OWN_BLOCKS", "BasicBlock", "Bottleneck", "ResNet", "ResNetShape"]

OWN_BLOCKS = BasicBlock.__module__.startswith("sslstudio.")  # torchvision is not there


@dataclass(frozen=True)
class ResNetShape(EncoderShape):
    """What tells one ResNet from another: block, blocks and channels of the four stages."""

    block: type[BasicBlock] | type[Bottleneck]
    blocks: tuple[int, int, int, int]
    channels: tuple[int, int, int, int]
    about: str
    paper: ClassVar[str] = "He et al., Deep residual learning for image recognition, CVPR 2016, arXiv:1512.03385"
    stems: ClassVar[Mapping[str, Message]] = {
        "tiny": Message("its first convolution is 3x3 with stride 1 and its first pooling was left out"),
        "small": Message("its first convolution is 3x3 with stride 2 and its first pooling was left out"),
        "large": Message("its first layers are those of the original"),
    }

    def build(self, name: str, stem: str) -> "ResNet":
        """See `EncoderShape`."""
        return ResNet(self, name, stem)

    def facts(self) -> dict[str, object]:
        """See `EncoderShape`."""
        return {
            "family": "resnet",
            "block": self.block.__name__,
            "blocks": list(self.blocks),
            "channels": list(self.channels),
        }


class ResNet(Encoder):
    """A ResNet without its classifier."""

    def __init__(self, shape: ResNetShape, name: str, stem: str) -> None:
        super().__init__()
        self.conv1, self.maxpool = _stem(stem, shape.channels[0])
        self.bn1 = nn.BatchNorm2d(shape.channels[0])
        self.relu = nn.ReLU(inplace=True)
        inside = shape.channels[0]
        for number, (blocks, channels) in enumerate(zip(shape.blocks, shape.channels, strict=True), start=1):
            stage = _stage(shape.block, inside, channels, blocks, stride=1 if number == 1 else 2)
            self.add_module(f"layer{number}", stage)
            inside = channels * shape.block.expansion
        dims = tuple(channels * shape.block.expansion for channels in shape.channels)
        stride = STEM_STRIDES[stem]
        self.spec = EncoderSpec(name, dims, (stride, 2 * stride, 4 * stride, 8 * stride))
        _init_weights(self)


def _stem(stem: str, channels: int) -> tuple[nn.Conv2d, nn.Module]:
    if stem == "large":
        return nn.Conv2d(3, channels, 7, 2, 3, bias=False), nn.MaxPool2d(3, 2, 1)
    return nn.Conv2d(3, channels, 3, STEM_STRIDES[stem], 1, bias=False), nn.Identity()


def _stage(
    block: type[BasicBlock] | type[Bottleneck], inside: int, channels: int, blocks: int, stride: int
) -> nn.Sequential:
    outside = channels * block.expansion
    shortcut: nn.Module | None = None
    if stride != 1 or inside != outside:
        shortcut = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))
    first = block(inside, channels, stride, shortcut)
    return nn.Sequential(first, *(block(outside, channels) for _ in range(blocks - 1)))


def _init_weights(model: nn.Module) -> None:
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):  # He et al., ICCV 2015
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
