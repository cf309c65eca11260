"""Encoders: torchvision's names and numbers, the shapes they promise, and weights from the seed alone."""

import pytest
import torch
import torchvision
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.models.encoders import (
    ENCODERS,
    STEM_STRIDES,
    Encoder,
    EncoderConfig,
    build_encoder,
)

every_resnet = pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])


def unbuilt(name: str, stem: str) -> Encoder:
    """An encoder with shapes but no numbers: building it and asking it cost nothing."""
    with torch.device("meta"):
        return ENCODERS[name].build(name, stem)


def small(seed: int = 0, stem: str = "small") -> Encoder:
    return build_encoder(EncoderConfig(name="small", stem=stem), seed)


@every_resnet
def test_names_and_shapes_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        theirs = getattr(torchvision.models, name)().state_dict()
    ours = unbuilt(name, "large").state_dict()
    wanted = {key: value.shape for key, value in theirs.items() if not key.startswith("fc.")}
    assert {key: value.shape for key, value in ours.items()} == wanted


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_torchvisions_weights_give_torchvisions_embedding(name: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        theirs = getattr(torchvision.models, name)().eval()
    theirs.fc = torch.nn.Identity()
    ours = ENCODERS[name].build(name, "large").eval()
    ours.load_state_dict(theirs.state_dict())
    ours.use_memory_format("contiguous")  # the format that theirs computes in
    images = torch.randn(2, 3, 64, 64, generator=generator(0, "images"))
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images))


@pytest.mark.parametrize("stem", STEM_STRIDES)
@pytest.mark.parametrize("name", ENCODERS)
def test_the_feature_maps_are_as_the_spec_says(name: str, stem: str) -> None:
    encoder = unbuilt(name, stem)
    spec = encoder.spec
    height, width = 96, 64
    images = torch.empty(2, 3, height, width, device="meta")
    shapes = [tuple(part.shape) for part in encoder.stages(images)]
    wanted = [(2, d, height // s, width // s) for d, s in zip(spec.dims, spec.strides, strict=True)]
    assert shapes == wanted
    assert encoder(images).shape == (2, spec.dim)
    assert spec.name == name
    if spec.strides[0] != spec.strides[-1]:  # the blocks of a transformer all have one stride
        assert spec.strides[0] == STEM_STRIDES[stem]


def test_the_embedding_is_the_mean_of_the_last_map() -> None:
    encoder = small().eval()
    images = torch.randn(3, 3, 32, 32, generator=generator(0, "images"))
    with torch.no_grad():
        torch.testing.assert_close(encoder(images), encoder.stages(images)[-1].flatten(2).mean(2))


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def test_the_weights_come_from_the_seed_and_nothing_else() -> None:
    first = small(1).state_dict()
    torch.rand(5, generator=None)  # whatever was drawn in between
    assert equal(first, small(1).state_dict())
    assert not equal(first, small(2).state_dict())


def test_the_global_generator_is_not_touched() -> None:
    before = torch.get_rng_state()
    small()
    assert torch.equal(torch.get_rng_state(), before)


def test_convolutions_start_as_he_et_al_say() -> None:
    weight = small().get_submodule("layer4.0.conv1").weight
    assert isinstance(weight, Tensor)
    fan_out = weight.shape[0] * weight.shape[2] * weight.shape[3]
    assert float(weight.detach().std()) == pytest.approx((2 / fan_out) ** 0.5, rel=0.02)


def test_weights_lie_channels_last() -> None:
    weight = small().conv1.weight
    assert isinstance(weight, Tensor)
    assert weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("accelerated", "side", "name", "stem"),
    [(False, 32, "small", "tiny"), (False, 96, "small", "small"), (True, 224, "resnet18", "large")],
)
def test_auto_follows_the_device_and_the_side(accelerated: bool, side: int, name: str, stem: str) -> None:
    resolved = EncoderConfig(weights="w.pth").resolve(accelerated, side)
    assert resolved == EncoderConfig(name=name, stem=stem, weights="w.pth")


def test_a_choice_is_kept_whatever_the_device() -> None:
    config = EncoderConfig(name="resnet50", stem="tiny")
    assert config.resolve(False, 512) == config


def test_an_unknown_encoder_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'resnet18'"):
        EncoderConfig(name="resnet-18")
