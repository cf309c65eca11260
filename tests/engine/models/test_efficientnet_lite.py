"""EfficientNet-Lite: padding as TensorFlow's, weights of two ports, pictures enlarged, its stems."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.models.encoders.efficientnet_lite import EfficientNetLite, PaddedConv2d

NAME = "efficientnet_lite0"


def lite(stem: str = "large", seed: int = 0) -> Encoder:
    return build_encoder(EncoderConfig(name=NAME, stem=stem), seed)


def random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=generator(0, "values"))


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(5, 16),
    width=st.integers(5, 16),
    kernel=st.sampled_from([3, 5]),
    stride=st.sampled_from([1, 2]),
)
def test_each_output_looks_at_what_tensorflows_would(height: int, width: int, kernel: int, stride: int) -> None:
    """Places count from stride * i - floor(missing / 2), what lies outside is 0: computed by hand at every place."""
    conv = PaddedConv2d(1, 1, kernel, stride, bias=False)
    images = random(1, 1, height, width)
    out = conv(images)
    rows, columns = -(-height // stride), -(-width // stride)
    assert out.shape == (1, 1, rows, columns)
    wide = F.pad(images, [8] * 4)[0, 0]
    first = [
        8 - max(0, (count - 1) * stride + kernel - side) // 2 for count, side in ((rows, height), (columns, width))
    ]
    for row, column in ((0, 0), (rows - 1, columns - 1), (rows // 2, 0)):
        top, left = first[0] + row * stride, first[1] + column * stride
        wanted = (wide[top : top + kernel, left : left + kernel] * conv.weight[0, 0]).sum()
        torch.testing.assert_close(out[0, 0, row, column], wanted, atol=1e-5, rtol=1e-4)


def elsewhere(name: str, encoder: Encoder, *, staged: bool) -> str:
    """What a port calls a tensor: one counts blocks within stages of equal channels, the other through all."""
    layer, rest = name.split(".", 1)
    if layer in ("conv1", "bn1"):
        stems = {"conv1": "conv_stem", "bn1": "bn1"} if staged else {"conv1": "_conv_stem", "bn1": "_bn0"}
        return f"{stems[layer]}.{rest}"
    place, part, kind = rest.split(".")
    before = sum(len(list(encoder.get_submodule(f"layer{number}").children())) for number in range(1, int(layer[-1])))
    number = before + int(place)
    if not staged:
        names = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")
    elif number == 0:  # has no expansion
        names = ("", "", "conv_dw", "bn1", "conv_pw", "bn2")
    else:
        names = ("conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3")
    ours = ("expand", "expand_norm", "depthwise", "depthwise_norm", "project", "project_norm")
    theirs = names[ours.index(part)]
    counts, stage = (1, 2, 2, 3, 3, 4, 1), 0
    while staged and number >= counts[stage]:
        number, stage = number - counts[stage], stage + 1
    return f"blocks.{stage}.{number}.{theirs}.{kind}" if staged else f"_blocks.{number}.{theirs}.{kind}"


@pytest.mark.parametrize("staged", [True, False])
def test_the_names_of_both_ports_are_known(staged: bool) -> None:
    encoder = lite()
    state = encoder.state_dict()
    theirs = {elsewhere(name, encoder, staged=staged): value for name, value in state.items()}
    theirs |= {"classifier.weight": torch.ones(2), "_fc.bias": torch.ones(2), "blocks.9.0.attn.weight": torch.ones(2)}
    assert len(theirs) == len(state) + 3
    found = encoder.own_names(theirs)
    assert all(found[name] is value for name, value in state.items())


def test_names_of_this_program_stay() -> None:
    encoder = lite()
    state = encoder.state_dict()
    found = encoder.own_names({f"encoder.{name}": value for name, value in state.items()} | state)
    assert all(found[name] is value for name, value in state.items())


@pytest.mark.parametrize(("stem", "stride", "larger"), [("tiny", 1, 2), ("small", 1, 1), ("large", 2, 1)])
def test_a_stem_leaves_out_a_stride_and_keeps_the_weights(stem: str, stride: int, larger: int) -> None:
    encoder = lite(stem)
    assert equal(encoder.state_dict(), lite("large").state_dict())
    assert encoder.conv1.stride[0] == stride
    images = random(2, 3, 16, 16)
    wanted = F.interpolate(images, scale_factor=float(larger), mode="bilinear", align_corners=False) / 2
    torch.testing.assert_close(encoder.fit_pictures(images), wanted)


@pytest.mark.parametrize(("side", "stem"), [(32, "tiny"), (48, "small"), (64, "small"), (96, "large")])
def test_where_steps_must_be_quick_maps_are_smaller(side: int, stem: str) -> None:
    assert EncoderConfig(name=NAME).resolve(False, side).stem == stem


@pytest.mark.parametrize(
    ("side", "stem"), [(32, "tiny"), (56, "tiny"), (64, "small"), (96, "small"), (112, "small"), (128, "large")]
)
def test_maps_are_no_larger_than_those_of_large_pictures(side: int, stem: str) -> None:
    assert EncoderConfig(name=NAME).resolve(False, side, trained=False).stem == stem


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def test_pictures_standardised_as_the_spec_says_are_shades_from_minus_one_to_one() -> None:
    encoder = lite()
    assert encoder.spec.pixels is not None
    mean, deviation = encoder.spec.pixels
    shades = torch.tensor([0.0, 0.25, 1.0]).view(1, 3, 1, 1)
    torch.testing.assert_close(encoder.fit_pictures((shades - mean) / deviation), 2 * shades - 1)


def test_untrained_features_neither_vanish_nor_explode() -> None:
    encoder = lite(seed=1).train()
    with torch.no_grad():
        maps = encoder.stages(random(8, 3, 64, 64))
    assert all(0.3 < float(one.std()) < 3 for one in maps)
    assert isinstance(encoder, EfficientNetLite)
