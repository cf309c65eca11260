"""Encoders: the part of the network that is pretrained, kept and fine-tuned.

The ResNets carry torchvision's parameter names, so that weight files made for torchvision load into them. Three
stems: a 7x7 convolution and max-pooling throw away four fifths of a tile of 32 pixels before the first block
sees it, so small pictures get a smaller stem (as the CIFAR variants of SimCLR and BYOL do).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from sslstudio.engine.compute.seeding import seed_init
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.registry import Registry


@dataclass(frozen=True)
class ResNetShape:
    """What tells one ResNet from another: block, blocks and channels of the four stages."""

    block: type[BasicBlock] | type[Bottleneck]
    blocks: tuple[int, int, int, int]
    channels: tuple[int, int, int, int]
    about: str


ENCODERS: Registry[ResNetShape] = Registry("encoder")
ENCODERS.register("small")(
    ResNetShape(
        BasicBlock, (1, 1, 1, 1), (32, 64, 128, 256), Message("ResNet of half width with 10 layers, for laptops")
    )
)
ENCODERS.register("resnet18")(ResNetShape(BasicBlock, (2, 2, 2, 2), (64, 128, 256, 512), "ResNet-18"))
ENCODERS.register("resnet34")(ResNetShape(BasicBlock, (3, 4, 6, 3), (64, 128, 256, 512), "ResNet-34"))
ENCODERS.register("resnet50")(ResNetShape(Bottleneck, (3, 4, 6, 3), (64, 128, 256, 512), "ResNet-50"))

MEMORY_FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
STEM_STRIDES = {"tiny": 1, "small": 2, "large": 4}


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(BaseConfig):
    """Which encoder, and what it starts from."""

    name: str = option(
        "auto", "Encoder", "Automatic takes the small one on a CPU and ResNet-18 on a GPU.", choices=("auto", *ENCODERS)
    )
    stem: str = option(
        "auto",
        "Stem",
        "First layers: tiny keeps every pixel (32 px pictures), small halves, large quarters (224 px and more).",
        choices=("auto", *STEM_STRIDES),
        advanced=True,
    )
    weights: str = option("", "Start from weights", "A .safetensors or .pth file to start from; empty: random weights.")

    def resolve(self, accelerated: bool, side: int) -> "EncoderConfig":
        """Replace `auto` by whether there is a GPU, and by the side of the pictures in pixels."""
        name = self.name if self.name != "auto" else ("resnet18" if accelerated else "small")
        stem = self.stem if self.stem != "auto" else ("tiny" if side <= 48 else "small" if side <= 192 else "large")
        return replace(self, name=name, stem=stem)


@dataclass(frozen=True)
class EncoderSpec:
    """What heads need to know of an encoder: channels and strides of its four stages."""

    name: str
    dims: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def dim(self) -> int:
        """Channels of the last stage: the length of an embedding."""
        return self.dims[-1]


class Encoder(nn.Module):
    """A ResNet without its classifier. Input (B, 3, H, W) with mean 0 and deviation 1."""

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
        self.memory_format = "channels_last"  # by name: torch's own constants cannot be pickled
        self.compiled = False
        _init_weights(self)

    def use_memory_format(self, name: str) -> None:
        """Keep weights and feature maps in this memory format of `MEMORY_FORMATS`."""
        self.memory_format = name
        self.to(memory_format=MEMORY_FORMATS[name])

    def stages(self, images: Tensor, last: int = 4) -> list[Tensor]:
        """Feature maps of the stages up to `last`: (B, dims[i], H / strides[i], W / strides[i])."""
        walk = _compile_walk() if self.compiled else _walk
        return walk(self, images.contiguous(memory_format=MEMORY_FORMATS[self.memory_format]), last)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (B, dim): the last stage, averaged over its places."""
        return self.stages(images)[-1].mean(dim=(2, 3))


def _walk(encoder: Encoder, images: Tensor, last: int) -> list[Tensor]:
    x = encoder.maxpool(encoder.relu(encoder.bn1(encoder.conv1(images))))
    maps: list[Tensor] = []
    for number in range(1, last + 1):
        x = encoder.get_submodule(f"layer{number}")(x)
        maps.append(x)
    return maps


@cache
def _compile_walk() -> Callable[[Encoder, Tensor, int], list[Tensor]]:
    """Compile a function that is handed the encoder: a copy of an encoder walks through its own weights."""
    return torch.compile(_walk)


def _stem(stem: str, channels: int) -> tuple[nn.Module, nn.Module]:
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


def build_encoder(config: EncoderConfig, seed: int) -> Encoder:
    """An encoder with random weights from `seed`. `config` must be resolved (no auto)."""
    with seed_init(seed, "encoder"):
        return Encoder(ENCODERS[config.name], config.name, config.stem).to(memory_format=torch.channels_last)
