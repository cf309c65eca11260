"""The two residual blocks of the ResNets, for programs that come without torchvision.

torchvision is a dependency of the package, and where it is installed its own blocks are used (see `resnet`). The
program that is installed by double-click leaves it out, because of all of it only these two classes are needed. They
have torchvision's names of parameters and its order of operations, so weights fit and outputs are equal to the last
bit; a test holds both.

Made after torchvision/models/resnet.py, Copyright (c) Soumith Chintala 2016, BSD 3-Clause License: its text is in
resources/licences/torchvision.txt.
"""

from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; takes and gives maps (B, C, h, w)."""

    expansion: int = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (B, planes, h / stride, w / stride)."""
        shortcut = maps if self.downsample is None else self.downsample(maps)
        inner = self.relu(self.bn1(self.conv1(maps)))
        inner = self.bn2(self.conv2(inner))
        inner += shortcut
        out: Tensor = self.relu(inner)
        return out


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride, as in ResNet 1.5) and 1x1 convolutions beside a shortcut."""

    expansion: int = 4

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None) -> None:
        super().__init__()
        outside = planes * self.expansion
        self.conv1 = nn.Conv2d(inplanes, planes, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, outside, 1, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outside)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (B, 4 planes, h / stride, w / stride)."""
        shortcut = maps if self.downsample is None else self.downsample(maps)
        inner = self.relu(self.bn1(self.conv1(maps)))
        inner = self.relu(self.bn2(self.conv2(inner)))
        inner = self.bn3(self.conv3(inner))
        inner += shortcut
        out: Tensor = self.relu(inner)
        return out
