"""An encoder that sees only some patches of a picture: what is hidden stays 0 through every layer.

A convolution smears what is seen into the hidden places, a batch norm lifts their zeros and counts them as shades.
Here each layer's output is put back to 0 there and batch norm counts the seen places alone, as sparse convolution
would have it (Tian et al., "SparK", ICLR 2023, arXiv:2301.03580, section 3.1). The encoder's own weights and running
statistics are used and updated, nothing is hooked into it: afterwards it takes whole pictures as before.

Letters: B pictures, C channels, g patches a side, h and w size of a map.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.compute.process_group import sum_over_ranks
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.models.encoders.efficientnet_lite import InvertedResidual
from sslstudio.engine.models.encoders.resnet import BasicBlock, Bottleneck
from sslstudio.engine.models.encoders.timm_family import TimmEncoder


def spread_to(seen: Tensor, height: int, width: int) -> Tensor:
    """The patches (B, 1, g, g) as places of a map: float (B, 1, height, width)."""
    return F.interpolate(seen.float(), size=(height, width), mode="nearest")


def norm_of_seen(norm: nn.BatchNorm2d, maps: Tensor, seen: Tensor) -> Tensor:
    """Batch norm of maps (B, C, h, w) over the places where `seen` (B, 1, h, w) is 1, and 0 elsewhere.

    With all places seen it is what `norm(maps)` gives; the running statistics are moved in the same way.
    """
    values = maps.float()
    mean, variance = _statistics(norm, values, seen)
    assert norm.weight is not None
    assert norm.bias is not None
    gain = norm.weight * torch.rsqrt(variance + norm.eps)
    shift = norm.bias - mean * gain
    return ((values * gain.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)) * seen).to(maps.dtype)


def _statistics(norm: nn.BatchNorm2d, values: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance (C,): of the batch in training, the running ones otherwise."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    if not norm.training:
        return norm.running_mean, norm.running_var
    count = sum_over_ranks(seen.sum())
    mean = sum_over_ranks((values * seen).sum(dim=(0, 2, 3))) / count
    variance = sum_over_ranks(((values - mean.view(1, -1, 1, 1)).square() * seen).sum(dim=(0, 2, 3))) / count
    _move_running(norm, mean.detach(), variance.detach() * count / (count - 1).clamp_min(1))
    return mean, variance


@torch.no_grad()
def _move_running(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    assert norm.momentum is not None
    norm.num_batches_tracked.add_(1)
    norm.running_mean.lerp_(mean, norm.momentum)
    norm.running_var.lerp_(variance, norm.momentum)


class _Walk:
    """The layers of an encoder, one after the other, with the hidden places kept at 0."""

    def __init__(self, seen: Tensor) -> None:
        self.seen = seen
        self._spread: dict[tuple[int, int], Tensor] = {}

    def places(self, maps: Tensor) -> Tensor:
        """Which places of these maps are seen: float (B, 1, h, w)."""
        size = (maps.shape[-2], maps.shape[-1])
        if size not in self._spread:
            self._spread[size] = spread_to(self.seen, *size)
        return self._spread[size]

    def convolve(self, convolution: nn.Module, norm: nn.Module, maps: Tensor) -> Tensor:
        """Apply a convolution and its batch norm, which puts the hidden places back to 0."""
        assert isinstance(norm, nn.BatchNorm2d)
        convolved: Tensor = convolution(maps)
        return norm_of_seen(norm, convolved, self.places(convolved))

    def stem(self, encoder: Encoder, images: Tensor) -> Tensor:
        """`images` (B, 3, H, W) must be 0 where they are hidden. Pooling reaches over the edge of a patch too, and so
        does enlarging."""
        fitted = encoder.fit_pictures(images)
        fitted = fitted * self.places(fitted).to(fitted.dtype)
        maps: Tensor = encoder.maxpool(encoder.relu(self.convolve(encoder.conv1, encoder.bn1, fitted)))
        return maps * self.places(maps).to(maps.dtype)

    def block(self, block: nn.Module, maps: Tensor) -> Tensor:
        """A residual block of torchvision's, or an inverted one."""
        if isinstance(block, InvertedResidual):
            return self.inverted(block, maps)
        assert isinstance(block, BasicBlock | Bottleneck)
        kept = maps if block.downsample is None else self.convolve(block.downsample[0], block.downsample[1], maps)
        layers = [(block.conv1, block.bn1), (block.conv2, block.bn2)]
        if isinstance(block, Bottleneck):
            layers.append((block.conv3, block.bn3))
        for convolution, norm in layers[:-1]:
            maps = F.relu(self.convolve(convolution, norm, maps))
        last, last_norm = layers[-1]
        return F.relu(self.convolve(last, last_norm, maps) + kept)

    def inverted(self, block: InvertedResidual, maps: Tensor) -> Tensor:
        """An inverted residual block."""
        inner = maps
        if block.expand is not None:
            inner = F.relu6(self.convolve(block.expand, block.expand_norm, inner))
        inner = F.relu6(self.convolve(block.depthwise, block.depthwise_norm, inner))
        inner = self.convolve(block.project, block.project_norm, inner)
        return maps + inner if block.keeps else inner


def visible_stages(encoder: Encoder, images: Tensor, seen: Tensor) -> list[Tensor]:
    """As `encoder.stages(images)`, of the patches in `seen` alone: the maps are 0 in the others.

    images (B, 3, H, W), sides a multiple of the last stage's stride; seen (B, 1, g, g) with g = side / that stride.
    What `images` hold in the hidden patches has no influence. Raises ConfigError for an encoder of another kind.
    """
    if isinstance(encoder, TimmEncoder):
        raise ConfigError(
            "Masked autoencoding hides patches inside the layers of ResNets and EfficientNet-Lite; it cannot in "
            "{name}. Choose the encoder small, resnet18 or efficientnet_lite0, or another pretext task.",
            name=encoder.spec.name,
        )
    assert all(side % encoder.spec.strides[-1] == 0 for side in images.shape[-2:])
    walk = _Walk(seen)
    maps = walk.stem(encoder, images * walk.places(images))
    stages: list[Tensor] = []
    for number in range(1, 5):
        for block in encoder.get_submodule(f"layer{number}").children():
            maps = walk.block(block, maps)
        stages.append(maps)
    return stages


class Densify(nn.Module):
    """Fills the hidden places of each stage's map with a learnt token (SparK, section 3.2), for a decoder to work on.

    `first` is the shallowest stage that the decoder looks at; shallower maps are handed on as they are.
    """

    def __init__(self, dims: tuple[int, ...], first: int) -> None:
        super().__init__()
        self.first = first
        self.tokens = nn.ParameterList(torch.zeros(1, dim, 1, 1) for dim in dims[first:])
        for token in self.tokens:
            nn.init.trunc_normal_(token, std=0.02)

    def forward(self, maps: list[Tensor], seen: Tensor) -> list[Tensor]:
        """Maps of the stages and the seen patches (B, 1, g, g) -> maps without gaps."""
        dense = [
            torch.where(spread_to(seen, *one.shape[-2:]) > 0, one, token.to(one.dtype))
            for one, token in zip(maps[self.first :], self.tokens, strict=True)
        ]
        return maps[: self.first] + dense
