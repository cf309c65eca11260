"""Features of an encoder, which must come out of it untouched."""

import pytest
import torch
from torch import Tensor, nn

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.evaluate.features import (
    CHUNK,
    classes_at_positions,
    copy_with_own_statistics,
    dense_features,
    stage_features,
)
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder


@pytest.fixture
def encoder() -> Encoder:
    return build_encoder(EncoderConfig(name="small", stem="small"), 0)


def pictures(count: int, side: int = 32) -> Tensor:
    return torch.randn(count, 3, side, side, generator=generator(0, "pictures"))


def state(encoder: Encoder) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in encoder.state_dict().items()}


def test_each_stage_is_its_map_in_a_two_by_two_grid_and_the_last_its_mean(encoder: Encoder) -> None:
    images = pictures(5)
    found = stage_features(encoder, images)
    with torch.no_grad():
        maps = encoder.eval().stages(images)
    assert [tuple(stage.shape) for stage in found] == [(5, 128), (5, 256), (5, 512), (5, 256)]
    upper_left = maps[0][:, :, :8, :8].mean(dim=(2, 3))
    torch.testing.assert_close(found[0].view(5, 32, 2, 2)[:, :, 0, 0], upper_left)
    torch.testing.assert_close(found[3], maps[3].mean(dim=(2, 3)))


def test_chunks_do_not_show(encoder: Encoder) -> None:
    images = pictures(CHUNK + 3)
    whole, rest = stage_features(encoder, images), stage_features(encoder, images[CHUNK:])
    for stage, end in zip(whole, rest, strict=True):
        torch.testing.assert_close(stage[CHUNK:], end)


def test_the_encoder_is_left_as_it_was_also_layer_by_layer(encoder: Encoder) -> None:
    encoder.train()
    encoder.get_submodule("layer2").eval()
    modes = [layer.training for layer in encoder.modules()]
    before = state(encoder)
    for look in (stage_features(encoder, pictures(3)), dense_features(encoder, pictures(3), 4)):
        assert not any(stage.requires_grad for stage in look)
    twin = copy_with_own_statistics(encoder, pictures(6))
    assert [layer.training for layer in encoder.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert all(weight.requires_grad and weight.grad is None for weight in encoder.parameters())
    assert not {weight.data_ptr() for weight in twin.parameters()} & {w.data_ptr() for w in encoder.parameters()}


def test_modes_come_back_when_the_encoder_fails(encoder: Encoder) -> None:
    encoder.train()
    with pytest.raises(RuntimeError):
        stage_features(encoder, torch.zeros(2, 5, 32, 32))
    assert all(layer.training for layer in encoder.modules())


def test_a_copy_has_the_batch_statistics_of_these_pictures(encoder: Encoder) -> None:
    images = pictures(40) * 3 + 1
    twin = copy_with_own_statistics(encoder, images)
    first = encoder.conv1(images).detach()
    torch.testing.assert_close(twin.bn1.running_mean, first.mean(dim=(0, 2, 3)), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(twin.bn1.running_var, first.var(dim=(0, 2, 3)), rtol=1e-3, atol=1e-4)
    assert not twin.training


def test_as_many_places_as_the_map_has_are_the_map(encoder: Encoder) -> None:
    images = pictures(2)
    with torch.no_grad():
        maps = encoder.eval().stages(images)
    found = dense_features(encoder, images, 16)  # the first stage has 16 x 16 places
    torch.testing.assert_close(found[0], maps[0].flatten(2).transpose(1, 2), rtol=1e-4, atol=1e-5)
    assert [tuple(stage.shape) for stage in found] == [(2, 256, 32), (2, 256, 64), (2, 256, 128), (2, 256, 256)]


def test_the_class_at_a_place_is_read_where_the_feature_is() -> None:
    """A picture that is its own feature: left dark, right bright, and a bright row."""
    mask = torch.zeros(1, 20, 20, dtype=torch.uint8)
    mask[:, :, 10:] = 1
    mask[:, 2] = 2

    class Eye(nn.Module):
        def stages(self, images: Tensor) -> list[Tensor]:
            return [images]

    read = dense_features(Eye(), mask[:, None].float().expand(1, 3, 20, 20), 20)[0]  # type: ignore[arg-type]
    assert read[0, :, 0].round().to(torch.int64).tolist() == classes_at_positions(mask, 20)[0].tolist()
    assert classes_at_positions(mask, 4).tolist() == [[2, 2, 2, 2] + [0, 0, 1, 1] * 3]


def test_mixed_precision_comes_back_as_float(encoder: Encoder) -> None:
    half = devices.choose("cpu", "bfloat16")
    for exact, rough in zip(
        stage_features(encoder, pictures(4)), stage_features(encoder, pictures(4), half), strict=True
    ):
        assert rough.dtype is torch.float32
        torch.testing.assert_close(rough, exact, rtol=0.1, atol=0.1)
