"""Encoders: the part of the network that is pretrained, kept and fine-tuned. All have four stages and one interface.

`base` is the interface, `resnet` and `efficientnet_lite` are the families, `choice` the names and the config, `general`
the weights that come with the program.
"""

from sslstudio.engine.models.encoders.base import MEMORY_FORMATS, STEM_STRIDES, Encoder, EncoderShape, EncoderSpec
from sslstudio.engine.models.encoders.choice import ENCODERS, EncoderConfig, build_encoder
from sslstudio.engine.models.encoders.resnet import ResNetShape

__all__ = [
    "ENCODERS",
    "MEMORY_FORMATS",
    "STEM_STRIDES",
    "Encoder",
    "EncoderConfig",
    "EncoderShape",
    "EncoderSpec",
    "ResNetShape",
    "build_encoder",
]
