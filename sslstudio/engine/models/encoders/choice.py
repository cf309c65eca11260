"""Which encoders there are, and which one a run has."""

from dataclasses import dataclass, replace

import torch

from sslstudio.engine.compute.seeding import seed_init
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.registry import Registry
from sslstudio.engine.models.encoders.base import STEM_STRIDES, Encoder, EncoderShape
from sslstudio.engine.models.encoders.efficientnet_lite import LITE0, EfficientNetLiteShape
from sslstudio.engine.models.encoders.general import find_general, is_general
from sslstudio.engine.models.encoders.resnet import BasicBlock, Bottleneck, ResNetShape
from sslstudio.engine.models.encoders.timm_family import TimmShape

ENCODERS: Registry[EncoderShape] = Registry("encoder")
ENCODERS.register("small")(
    ResNetShape(
        BasicBlock,
        (1, 1, 1, 1),
        (32, 64, 128, 256),
        Message("{network}, for laptops", network=Message("ResNet of half width with 10 layers")),
    )
)
ENCODERS.register("resnet18")(ResNetShape(BasicBlock, (2, 2, 2, 2), (64, 128, 256, 512), "ResNet-18"))
ENCODERS.register("resnet34")(ResNetShape(BasicBlock, (3, 4, 6, 3), (64, 128, 256, 512), "ResNet-34"))
ENCODERS.register("resnet50")(ResNetShape(Bottleneck, (3, 4, 6, 3), (64, 128, 256, 512), "ResNet-50"))
ENCODERS.register("efficientnet_lite0")(EfficientNetLiteShape(32, LITE0, "EfficientNet-Lite0"))
ENCODERS.register("timm_convnext_atto")(TimmShape("convnext_atto", "ConvNeXt-Atto"))
ENCODERS.register("timm_convnext_tiny")(TimmShape("convnext_tiny", "ConvNeXt-Tiny"))
ENCODERS.register("timm_efficientnet_b0")(TimmShape("efficientnet_b0", "EfficientNet-B0"))
ENCODERS.register("timm_regnety_004")(TimmShape("regnety_004", "RegNetY-400MF"))
ENCODERS.register("timm_vit_small")(TimmShape("vit_small_patch16_224", "ViT-S/16", fixed_side=True))


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(BaseConfig):
    """Which encoder, and what it starts from."""

    name: str = option(
        "auto",
        "Encoder",
        "Automatic takes the one that general weights are for if it starts from them, else the small one on a CPU and "
        "ResNet-18 on a GPU.",
        choices=("auto", *ENCODERS),
    )
    stem: str = option(
        "auto",
        "Stem",
        "First layers: tiny keeps every pixel (32 px pictures), small halves, large quarters (224 px and more).",
        choices=("auto", *STEM_STRIDES),
        advanced=True,
    )
    weights: str = option(
        "",
        "Start from weights",
        "general: weights learnt from general photographs, which come with the program. Else a .safetensors or .pth "
        "file; empty: random weights.",
    )

    def resolve(self, accelerated: bool, side: int, *, trained: bool = True) -> "EncoderConfig":
        """Replace `auto` by whether there is a GPU, by the side of the pictures in pixels, and by whether it is to be
        `trained` or only read.

        Raises ConfigError when there are no general weights for the encoder that was chosen.
        """
        if is_general(self.weights):
            return self.start_from_general(self.weights)._resolve_stem(side, trained and not accelerated)
        name = self.name if self.name != "auto" else ("resnet18" if accelerated else "small")
        return replace(self, name=name)._resolve_stem(side, trained and not accelerated)

    def _resolve_stem(self, side: int, thrifty: bool) -> "EncoderConfig":
        stem = self.stem if self.stem != "auto" else ENCODERS[self.name].stem_for(side, thrifty=thrifty)
        return replace(self, stem=stem)

    def start_from_general(self, source: str) -> "EncoderConfig":
        """The encoder that general weights are for, starting from them. `source`: `general` or `general:NAME`.

        Raises ConfigError when there are none for the encoder that was chosen.
        """
        general = find_general(source)
        if self.name not in ("auto", general.encoder):
            raise ConfigError(
                "The general weights are for the encoder {encoder}, not for {name}. Leave the encoder to the program "
                "(auto), or start from something else.",
                encoder=general.encoder,
                name=self.name,
            )
        return replace(self, name=general.encoder, weights=general.source_name)


def build_encoder(config: EncoderConfig, seed: int) -> Encoder:
    """An encoder with random weights from `seed`. `config` must be resolved (no auto)."""
    with seed_init(seed, "encoder"):
        return ENCODERS[config.name].build(config.name, config.stem).to(memory_format=torch.channels_last)
