"""EfficientNet-Lite: inverted residuals with depthwise convolutions, made for processors without much memory.

The blocks are those of EfficientNet (Tan & Le, ICML 2019) without squeeze-and-excitation and with ReLU6, as the Lite
variants of TensorFlow have them. Weights made there pad as it does: the odd pixel goes to the right and below. Padding
on both sides alike, as torch would, cost 1.4 to 2.1 points of a linear probe on photographs.

Letters: B pictures, C channels, H and W sides of a map.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.core.messages import Message
from sslstudio.engine.models.encoders.base import STEM_STRIDES, Encoder, EncoderShape, EncoderSpec

EPSILON = 1e-3  # of batch norm, as where the weights come from
INSIDE = 0.5  # pictures standardised with `pixels`, times this, are shades from -1 to 1, as the weights expect them
MADE_ON = 224  # side in pixels of the pictures that the weights were made on
QUICK_ON = (
    128  # the same where a training on a CPU has minutes: a step at the larger maps takes three to four times as long
)
STRIDE = 4  # of the first stage, where no stride is left out


@dataclass(frozen=True)
class Blocks:
    """Some inverted residuals in a row: `count` of them to `channels`, the first with this stride."""

    expansion: int
    channels: int
    count: int
    stride: int
    kernel: int


@dataclass(frozen=True)
class EfficientNetLiteShape(EncoderShape):
    """Channels of the stem, and the blocks of the four stages."""

    stem: int
    stages: tuple[tuple[Blocks, ...], ...]
    about: str
    pixels: ClassVar[tuple[float, float]] = (0.5, 0.25)
    paper: ClassVar[str] = (
        "Tan & Le, EfficientNet: Rethinking model scaling for convolutional neural networks, ICML 2019, "
        "arXiv:1905.11946"
    )
    stems: ClassVar[Mapping[str, Message]] = {
        "tiny": Message(
            "pictures were enlarged to twice their side, and its first convolution has a stride of 1 instead of 2"
        ),
        "small": Message("its first convolution has a stride of 1 instead of 2"),
        "large": Message("its first layers are those of the original"),
    }

    def build(self, name: str, stem: str) -> "EfficientNetLite":
        """See `EncoderShape`."""
        return EfficientNetLite(self, name, stem)

    def facts(self) -> dict[str, object]:
        """See `EncoderShape`."""
        stages = [[list(vars(blocks).values()) for blocks in stage] for stage in self.stages]
        return {"family": "efficientnet_lite", "stem_channels": self.stem, "stages": stages, "epsilon": EPSILON}

    def stem_for(self, side: int, *, thrifty: bool = False) -> str:
        """See `EncoderShape`. Maps get no larger than those of the pictures that the weights were made on; where they
        must be quick, no larger than needed (manual, decision 0057)."""
        most = QUICK_ON if thrifty else MADE_ON
        return next((stem for stem, stride in STEM_STRIDES.items() if STRIDE // stride * side <= most), "large")


LITE0 = (
    (Blocks(1, 16, 1, 1, 3), Blocks(6, 24, 2, 2, 3)),
    (Blocks(6, 40, 2, 2, 5),),
    (Blocks(6, 80, 3, 2, 3), Blocks(6, 112, 3, 1, 5)),
    (Blocks(6, 192, 4, 2, 5), Blocks(6, 320, 1, 1, 3)),
)


class PaddedConv2d(nn.Conv2d):
    """A convolution whose output has ceil(H / stride) x ceil(W / stride) places; the odd pixel of padding is last."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) to (B, out_channels, ceil(H / stride), ceil(W / stride))."""
        # Sides as plain numbers, and zeros put on instead of F.pad: ONNX must know the sides of the maps.
        missing = [self._missing(int(side)) for side in input.shape[-2:]]
        for dim, count in zip((2, 3), missing, strict=True):
            if count % 2:
                input = torch.cat([input, torch.zeros_like(input.narrow(dim, 0, 1))], dim)
        both = (missing[0] // 2, missing[1] // 2)
        convolved: Tensor = F.conv2d(input, self.weight, self.bias, self.stride, both, self.dilation, self.groups)
        return convolved

    def _missing(self, side: int) -> int:
        kernel, stride = self.kernel_size[0], self.stride[0]
        return max(0, (math.ceil(side / stride) - 1) * stride + kernel - side)


class InvertedResidual(nn.Module):
    """Expand to more channels, look at the neighbours in each of them, project back; the sum with what came in."""

    def __init__(self, inside: int, blocks: Blocks, stride: int) -> None:
        super().__init__()
        middle = inside * blocks.expansion
        self.expand: nn.Conv2d | None = None
        if blocks.expansion > 1:
            self.expand = nn.Conv2d(inside, middle, 1, bias=False)
            self.expand_norm = nn.BatchNorm2d(middle, eps=EPSILON)
        self.depthwise = _padded(middle, middle, blocks.kernel, stride, middle)
        self.depthwise_norm = nn.BatchNorm2d(middle, eps=EPSILON)
        self.project = nn.Conv2d(middle, blocks.channels, 1, bias=False)
        self.project_norm = nn.BatchNorm2d(blocks.channels, eps=EPSILON)
        self.keeps = stride == 1 and inside == blocks.channels

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) to (B, channels, H / stride, W / stride)."""
        inner: Tensor = maps
        if self.expand is not None:
            inner = F.relu6(self.expand_norm(self.expand(inner)))
        inner = F.relu6(self.depthwise_norm(self.depthwise(inner)))
        inner = self.project_norm(self.project(inner))
        return maps + inner if self.keeps else inner


class EfficientNetLite(Encoder):
    """An EfficientNet-Lite without its classifier and the layer of 1,280 channels before it.

    On small pictures the stride of its first convolution is left out (the stem `small`), and the smallest are enlarged
    to twice their side besides (`tiny`). The weights are the same ones (manual, decision 0045: what that is worth).
    """

    def __init__(self, shape: EfficientNetLiteShape, name: str, stem: str) -> None:
        super().__init__()
        self.conv1 = _padded(3, shape.stem, 3, 2 if stem == "large" else 1, 1)
        self.bn1 = nn.BatchNorm2d(shape.stem, eps=EPSILON)
        self.relu = nn.ReLU6(inplace=True)
        self.maxpool = nn.Identity()
        inside = shape.stem
        for number, stage in enumerate(shape.stages, start=1):
            made: list[nn.Module] = []
            for blocks in stage:
                for place in range(blocks.count):
                    made.append(InvertedResidual(inside, blocks, blocks.stride if place == 0 else 1))
                    inside = blocks.channels
            self.add_module(f"layer{number}", nn.Sequential(*made))
        dims = tuple(stage[-1].channels for stage in shape.stages)
        stride = STEM_STRIDES[stem]
        self.larger = 2 if stem == "tiny" else 1
        self.spec = EncoderSpec(name, dims, (stride, 2 * stride, 4 * stride, 8 * stride), shape.pixels)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):  # He et al., ICCV 2015; a depthwise one feeds one channel from each
                fan_out = layer.kernel_size[0] ** 2 * layer.out_channels // layer.groups
                nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_out))

    def own_names(self, given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """See `Encoder`. Two ports to PyTorch are known by their names, which count blocks from the first one."""
        places = [
            f"layer{number}.{place}"
            for number in range(1, 5)
            for place, _ in self.get_submodule(f"layer{number}").named_children()
        ]
        renamed = {_own_name(name, places): value for name, value in _numbered(given).items()}
        return {**given, **{name: value for name, value in renamed.items() if name}}

    def fit_pictures(self, images: Tensor) -> Tensor:
        """As shades from -1 to 1 if they were standardised with the spec's `pixels`: (B, 3, larger * H, larger * W)."""
        shades = images * INSIDE
        if self.larger == 1:
            return shades
        return F.interpolate(shades, scale_factor=float(self.larger), mode="bilinear", align_corners=False)


def _padded(inside: int, outside: int, kernel: int, stride: int, groups: int) -> nn.Conv2d:
    """At a stride of 1 both ways of padding are the same, and torch's costs no copy."""
    if stride == 1:
        return nn.Conv2d(inside, outside, kernel, 1, kernel // 2, groups=groups, bias=False)
    return PaddedConv2d(inside, outside, kernel, stride, groups=groups, bias=False)


# --- names in the files of others

_LAYERS = {
    "_expand_conv": "expand", "_bn0": "expand_norm", "_depthwise_conv": "depthwise", "_bn1": "depthwise_norm",
    "_project_conv": "project", "_bn2": "project_norm",
    "conv_pw": "expand", "bn1": "expand_norm", "conv_dw": "depthwise", "bn2": "depthwise_norm",
    "conv_pwl": "project", "bn3": "project_norm",
}  # fmt: skip
_FIRST_LAYERS = {**_LAYERS, "bn1": "depthwise_norm", "conv_pw": "project", "bn2": "project_norm"}  # it does not expand
_STEMS = {"_conv_stem": "conv1", "conv_stem": "conv1", "_bn0": "bn1", "bn1": "bn1"}
_BLOCK = re.compile(r"_?blocks\.(\d+)\.(\w+)\.(\w+)")


def _numbered(given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Blocks that are numbered within their stage (blocks.2.1.) are numbered from the first of all (blocks.4.)."""
    found = {tuple(map(int, match.groups())) for name in given if (match := re.match(r"blocks\.(\d+)\.(\d+)\.", name))}
    order = {f"blocks.{stage}.{place}.": number for number, (stage, place) in enumerate(sorted(found))}

    def renumber(name: str) -> str:
        return next(
            (f"blocks.{number}.{name[len(old) :]}" for old, number in order.items() if name.startswith(old)), name
        )

    return {renumber(name): value for name, value in given.items()}


def _own_name(name: str, places: list[str]) -> str:
    """The name here of a tensor of another port; '' for one of the classifier, or of another network."""
    block = _BLOCK.fullmatch(name)
    if block is None:
        layer, _, kind = name.rpartition(".")
        return f"{_STEMS[layer]}.{kind}" if layer in _STEMS else ""
    number, (layer, kind) = int(block[1]), block.group(2, 3)
    layers = _FIRST_LAYERS if number == 0 else _LAYERS
    return f"{places[number]}.{layers[layer]}.{kind}" if number < len(places) and layer in layers else ""
