"""What every encoder is: a stem and four stages, whose strides and channels heads read from its spec.

Letters: B pictures, H and W their sides in pixels.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import torch
from torch import Tensor, nn

from sslstudio.engine.core.messages import Message

MEMORY_FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
STEM_STRIDES = {"tiny": 1, "small": 2, "large": 4}


@dataclass(frozen=True)
class EncoderSpec:
    """What others need to know of an encoder: channels and strides of its four stages, and how it wants its pictures.

    `pixels` are the mean and deviation, of shades in [0, 1], that pictures are standardised with; None: with their own
    of each channel, which suits an encoder that has learnt from nothing else.
    """

    name: str
    dims: tuple[int, ...]
    strides: tuple[int, ...]
    pixels: tuple[float, float] | None = None

    @property
    def dim(self) -> int:
        """Channels of the last stage: the length of an embedding."""
        return self.dims[-1]


class Encoder(nn.Module):
    """A network without its classifier. Input (B, 3, H, W) with mean about 0 and deviation about 1.

    A convolutional family sets the parts: conv1, bn1, relu and maxpool are the stem, the blocks of layer1 to layer4 the
    stages, with the names of the files of weights. One that has other parts says how it walks (`walk`) and which of its
    parameters belong to which stage (`stage_of`).
    """

    conv1: nn.Conv2d
    bn1: nn.BatchNorm2d
    relu: nn.Module
    maxpool: nn.Module
    spec: EncoderSpec

    def __init__(self) -> None:
        super().__init__()
        self.memory_format = "channels_last"  # by name: torch's own constants cannot be pickled
        self.compiled = False

    def use_memory_format(self, name: str) -> None:
        """Keep weights and feature maps in this memory format of `MEMORY_FORMATS`."""
        self.memory_format = name
        self.to(memory_format=MEMORY_FORMATS[name])

    def fit_pictures(self, images: Tensor) -> Tensor:
        """The pictures as the first convolution takes them, (B, 3, h, w); most take them as they are."""
        return images

    def own_names(self, given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The tensors of a file that another library may have written, under the names that they have here."""
        return given

    def stage_of(self, name: str) -> int:
        """The stage, 1 to 4, that a parameter belongs to by its name; 0: the stem. Early stages may learn slower."""
        block = name.split(".")[0]
        return int(block.removeprefix("layer")) if block.startswith("layer") else 0

    def walk(self, images: Tensor, last: int) -> list[Tensor]:
        """What `stages` compiles and calls: the maps of the stages up to `last`."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(self.fit_pictures(images)))))
        maps: list[Tensor] = []
        for number in range(1, last + 1):
            x = self.get_submodule(f"layer{number}")(x)
            maps.append(x)
        return maps

    def stages(self, images: Tensor, last: int = 4) -> list[Tensor]:
        """Feature maps of the stages up to `last`: (B, dims[i], H / strides[i], W / strides[i])."""
        walk = _compile_walk() if self.compiled else _walk
        return walk(self, images.contiguous(memory_format=MEMORY_FORMATS[self.memory_format]), last)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (B, dim): the last stage, averaged over its places."""
        return self.stages(images)[-1].mean(dim=(2, 3))


def _walk(encoder: Encoder, images: Tensor, last: int) -> list[Tensor]:
    return encoder.walk(images, last)


@cache
def _compile_walk() -> Callable[[Encoder, Tensor, int], list[Tensor]]:
    """Compile a function that is handed the encoder: a copy of an encoder walks through its own weights."""
    return torch.compile(_walk)


class EncoderShape(ABC):
    """What tells one encoder from the others of its family, and makes it.

    about: what it is, for people. paper: the work that it is from. stems: what each stem is, in the words of a paper's
    methods. pixels: see `EncoderSpec`.
    """

    about: str
    paper: ClassVar[str]
    stems: ClassVar[Mapping[str, Message]]
    pixels: ClassVar[tuple[float, float] | None] = None

    @property
    def network(self) -> str:
        """What a paper calls it: `about` without whom it suits."""
        return self.about.values.get("network", self.about) if isinstance(self.about, Message) else self.about

    @abstractmethod
    def build(self, name: str, stem: str) -> Encoder:
        """The encoder with weights from torch's global generator. `stem`: one of `STEM_STRIDES`."""

    @abstractmethod
    def facts(self) -> dict[str, object]:
        """Plain values by which another program can build it: `family`, and what the family needs to know."""

    def stem_for(self, side: int, *, thrifty: bool = False) -> str:
        """The stem that suits pictures of this side in pixels; `thrifty`: steps of a training must be quick."""
        return "tiny" if side <= 48 else "small" if side <= 192 else "large"
