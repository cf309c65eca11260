"""An encoder that sees only some patches: what is hidden has no influence, and nothing else is changed."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.models.encoders import Encoder, EncoderShape, ResNetShape
from sslstudio.engine.models.encoders.efficientnet_lite import Blocks, EfficientNetLiteShape
from sslstudio.engine.models.sparse_encoder import Densify, norm_of_seen, spread_to, visible_stages
from sslstudio.engine.transforms.masking import choose_patches

GRID = 3
BLOCKS = (1, 2, 1, 1), (4, 8, 8, 16)
BASIC, BOTTLENECK = ResNetShape(BasicBlock, *BLOCKS, ""), ResNetShape(Bottleneck, *BLOCKS, "")
LITE = EfficientNetLiteShape(
    8,
    (
        (Blocks(1, 4, 1, 1, 3), Blocks(2, 8, 2, 2, 3)),
        (Blocks(2, 8, 2, 2, 5),),
        (Blocks(2, 8, 1, 2, 3),),
        (Blocks(2, 16, 1, 2, 5),),
    ),
    "",
)
KINDS = [(BASIC, "tiny"), (BASIC, "small"), (BOTTLENECK, "large"), (LITE, "tiny"), (LITE, "small"), (LITE, "large")]
every_kind = pytest.mark.parametrize(("shape", "stem"), KINDS)


def encoder_of(shape: EncoderShape, stem: str) -> Encoder:
    with seed_init(0, "encoder"):
        return shape.build("toy", stem)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=generator(seed, "values"))


def asked(encoder: Encoder, count: int = 3) -> tuple[Tensor, Tensor]:
    side = GRID * encoder.spec.strides[-1]
    return random(count, 3, side, side), choose_patches(count, GRID, 0.6, generator(1))


@every_kind
@pytest.mark.parametrize("training", [True, False])
def test_with_everything_seen_it_is_the_encoder_itself(shape: EncoderShape, stem: str, training: bool) -> None:
    encoder = encoder_of(shape, stem).train(training)
    other = copy.deepcopy(encoder)
    images, seen = asked(encoder)
    for ours, its in zip(
        visible_stages(encoder, images, torch.ones_like(seen)), other.stages(images.clone()), strict=True
    ):
        assert torch.allclose(ours, its, atol=1e-4)
    for name, value in other.state_dict().items():  # the running statistics too
        assert torch.allclose(encoder.state_dict()[name].float(), value.float(), atol=1e-5), name


@every_kind
@pytest.mark.parametrize("training", [True, False])
def test_what_is_hidden_has_no_influence_at_all(shape: EncoderShape, stem: str, training: bool) -> None:
    encoder = encoder_of(shape, stem).train(training)
    other = copy.deepcopy(encoder)
    images, seen = asked(encoder)
    hidden = spread_to(seen, *images.shape[-2:]) == 0
    changed = torch.where(hidden, 9 * random(*images.shape, seed=5), images)
    for first, second in zip(visible_stages(encoder, images, seen), visible_stages(other, changed, seen), strict=True):
        assert torch.equal(first, second)
        assert bool((first.amax(dim=1, keepdim=True)[spread_to(seen, *first.shape[-2:]) == 0] == 0).all())
        assert float(first.detach().abs().max()) > 0
    for name, value in encoder.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_what_is_seen_has_influence() -> None:
    encoder = encoder_of(BASIC, "tiny").eval()
    images, seen = asked(encoder)
    shown = spread_to(seen, *images.shape[-2:]) > 0
    changed = torch.where(shown, images + 1, images)
    first, second = visible_stages(encoder, images, seen), visible_stages(encoder, changed, seen)
    assert all(float((one - two).detach().abs().max()) > 0.01 for one, two in zip(first, second, strict=True))


def test_nothing_is_left_in_the_encoder() -> None:
    encoder = encoder_of(BASIC, "tiny")
    names = list(encoder.state_dict())
    images, seen = asked(encoder)
    torch.autograd.backward(visible_stages(encoder, images, seen)[-1].sum())
    assert list(encoder.state_dict()) == names
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in encoder.modules())
    assert all(weight.grad is not None for weight in encoder.parameters())
    assert bool(encoder.eval()(images).isfinite().all())


def norms(channels: int) -> tuple[nn.BatchNorm2d, nn.BatchNorm1d]:
    """Two norms of the same weights and running statistics."""
    ours, reference = nn.BatchNorm2d(channels), nn.BatchNorm1d(channels)
    nn.init.normal_(ours.weight, generator=generator(2))
    nn.init.normal_(ours.bias, generator=generator(3))
    assert ours.running_mean is not None
    nn.init.normal_(ours.running_mean, generator=generator(4))
    reference.load_state_dict(ours.state_dict())
    return ours, reference


@pytest.mark.parametrize("training", [True, False])
def test_the_norm_is_torchs_own_over_the_seen_places(training: bool) -> None:
    """The reference gathers the seen places into a list and leaves the rest to nn.BatchNorm1d; gradients as well."""
    ours, reference = (norm.train(training) for norm in norms(5))
    assert isinstance(ours, nn.BatchNorm2d)
    seen = choose_patches(4, 6, 0.6, generator(1))
    maps = (3 * random(4, 5, 6, 6) + 1).requires_grad_()
    places = seen[:, 0]
    target = random(4, 5, 6, 6, seed=3)
    result = norm_of_seen(ours, maps, seen.float())
    (gradient,) = torch.autograd.grad((result * target).sum(), maps)
    expected = reference(maps.movedim(1, -1)[places])
    (reference_gradient,) = torch.autograd.grad((expected * target.movedim(1, -1)[places]).sum(), maps)
    assert torch.allclose(result.movedim(1, -1)[places], expected, atol=1e-5)
    assert bool((result.movedim(1, -1)[~places] == 0).all())
    assert torch.allclose(gradient, reference_gradient, atol=1e-4)
    for name, value in reference.state_dict().items():
        assert torch.allclose(ours.state_dict()[name].float(), value.float(), atol=1e-5), name


def test_gaps_are_filled_with_the_token_and_nothing_else_changes() -> None:
    maps = [random(2, channels, side, side) for channels, side in ((3, 12), (4, 6), (5, 3))]
    seen = choose_patches(2, 3, 0.5, generator(1))
    dense = Densify((3, 4, 5), first=1)
    filled = dense(maps, seen)
    assert filled[0] is maps[0]
    for number in (1, 2):
        places = spread_to(seen, *maps[number].shape[-2:]).expand_as(maps[number]) > 0
        assert torch.equal(filled[number][places], maps[number][places])
        assert torch.equal(filled[number][~places], dense.tokens[number - 1].expand_as(maps[number])[~places])
