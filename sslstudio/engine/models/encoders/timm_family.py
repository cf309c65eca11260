"""Encoders of the library timm (Wightman, PyTorch Image Models, Apache-2.0), for weights that people bring along.

The library is an extra of the program (`pip install "sslstudio[timm]"`) and is asked for architectures alone: it never
looks for weights itself, so nothing is fetched. Small pictures are enlarged instead of getting another stem, because
files of weights fit only the layers that they were made for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.models.encoders.base import STEM_STRIDES, Encoder, EncoderShape, EncoderSpec

STAGES = 4


@dataclass(frozen=True)
class TimmShape(EncoderShape):
    """An architecture by its name in the library; `side`: that of its pictures where it must be told, in pixels."""

    architecture: str
    about: str
    fixed_side: bool = False
    # Mean and deviation of ImageNet's shades, of the three channels together: what the library's weights expect.
    pixels: ClassVar[tuple[float, float]] = (0.449, 0.226)
    paper: ClassVar[str] = "Wightman, PyTorch Image Models, 2019, doi:10.5281/zenodo.4414861"
    stems: ClassVar[Mapping[str, Message]] = {
        "tiny": Message("pictures were enlarged to four times their side"),
        "small": Message("pictures were enlarged to twice their side"),
        "large": Message("its layers are those of the original"),
    }

    def build(self, name: str, stem: str) -> "TimmEncoder":
        """See `EncoderShape`. Raises ConfigError, which names the extra, when the library is not installed."""
        return TimmEncoder(self, name, stem)

    def facts(self) -> dict[str, object]:
        """See `EncoderShape`."""
        return {"family": "timm", "architecture": self.architecture, "flexible": self.fixed_side}

    def make(self) -> Any:
        """The network without its classifier and with random weights."""
        try:
            import timm
        except ImportError as error:
            raise ConfigError(
                'The encoder {about} needs the library timm, which is not installed: pip install "sslstudio[timm]", or '
                "choose another encoder.",
                about=self.about,
            ) from error
        flexible: dict[str, Any] = {"dynamic_img_size": True} if self.fixed_side else {}
        return timm.create_model(self.architecture, pretrained=False, num_classes=0, **flexible)


class TimmEncoder(Encoder):
    """The last four stages of a network of the library: its own names, so that files made for it fit.

    Of a transformer the stages are its last four blocks, all of the same stride.
    """

    def __init__(self, shape: TimmShape, name: str, stem: str) -> None:
        super().__init__()
        self.net: nn.Module = shape.make()
        info = list(self.net.feature_info)
        self.taken = list(range(len(info) - STAGES, len(info)))
        self.ends = [str(info[place]["module"]) for place in self.taken]
        strides = [int(info[place]["reduction"]) for place in self.taken]
        self.larger = max(STEM_STRIDES.values()) // STEM_STRIDES[stem]
        dims = tuple(int(info[place]["num_chs"]) for place in self.taken)
        self.spec = EncoderSpec(name, dims, tuple(max(1, stride // self.larger) for stride in strides), shape.pixels)

    def own_names(self, given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """See `Encoder`. The library's own files have the names of the network inside."""
        return {**given, **{f"net.{name}": value for name, value in given.items()}}

    def fit_pictures(self, images: Tensor) -> Tensor:
        """Enlarged to (B, 3, larger * H, larger * W)."""
        if self.larger == 1:
            return images
        return F.interpolate(images, scale_factor=float(self.larger), mode="bilinear", align_corners=False)

    def walk(self, images: Tensor, last: int) -> list[Tensor]:
        """See `Encoder`."""
        network: Any = self.net
        maps: list[Tensor] = network.forward_intermediates(
            self.fit_pictures(images),
            indices=self.taken[:last],
            output_fmt="NCHW",
            intermediates_only=True,
            stop_early=True,
        )
        return maps

    def stage_of(self, name: str) -> int:
        """See `Encoder`. What lies before the end of the first stage taken is its stem or belongs to it."""
        names = [one for one, _ in self.named_parameters()]
        last_of = [max((n for n, one in enumerate(names) if one.startswith(f"net.{end}.")), default=-1)
                   for end in self.ends]  # fmt: skip
        position = names.index(name)
        return next((stage for stage, last in enumerate(last_of, start=1) if position <= last), STAGES)
