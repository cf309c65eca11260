"""Heads: what shapes they answer in, which maps they look at, and that the gradient reaches the encoder."""

import pytest
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.models.encoders import EncoderSpec
from sslstudio.engine.models.heads import ConvNormRelu, Decoder, Mlp

SPEC = EncoderSpec("any", (8, 16, 32, 64), (2, 4, 8, 16))
SIDES = (48, 24, 12, 6)


def maps(seed: int = 0, sides: tuple[int, ...] = SIDES) -> list[Tensor]:
    rng = generator(seed, "maps")
    return [torch.randn(2, dim, side, side, generator=rng) for dim, side in zip(SPEC.dims, sides, strict=True)]


def decoder(outputs: int = 5, first_skip: int = 0) -> Decoder:
    with seed_init(0, "decoder"):
        return Decoder(SPEC, outputs, first_skip=first_skip).eval()


@pytest.mark.parametrize("first_skip", [0, 1, 2])
def test_a_decoder_answers_at_the_stride_of_its_first_skip(first_skip: int) -> None:
    assert decoder(5, first_skip)(maps()).shape == (2, 5, SIDES[first_skip], SIDES[first_skip])


@pytest.mark.parametrize("first_skip", [0, 1, 2])
def test_a_decoder_looks_at_its_skips_and_at_no_shallower_map(first_skip: int) -> None:
    """A shallower map would carry the answer's edges past the encoder."""
    features = [part.requires_grad_() for part in maps()]
    decoder(5, first_skip)(features).square().sum().backward()
    looked_at = [part.grad is not None and bool(part.grad.abs().sum() > 0) for part in features]
    assert looked_at == [number >= first_skip for number in range(4)]


def test_sides_that_do_not_halve_evenly_fit_together() -> None:
    assert decoder()(maps(sides=(49, 25, 13, 7))).shape == (2, 5, 49, 49)


def test_a_decoder_keeps_places_in_place() -> None:
    """A change in one corner of the shallowest map changes nothing in the far corner."""
    features = maps()
    before = decoder()(features).detach()
    features[0][:, :, :4, :4] += 1.0
    change = (decoder()(features).detach() - before).abs().sum(1)
    assert float(change[:, :4, :4].min()) > 0
    assert float(change[:, 24:, 24:].max()) == 0


def test_a_block_is_never_negative_and_keeps_the_size() -> None:
    out = ConvNormRelu(8, 4)(maps()[0])
    assert out.shape == (2, 4, 48, 48)
    assert float(out.detach().min()) == 0.0


def test_an_mlp_answers_for_each_row() -> None:
    with seed_init(0, "mlp"):
        head = Mlp(8, 16, 3).eval()
    rows = torch.randn(5, 8, generator=generator(0, "rows"))
    assert head(rows).shape == (5, 3)
    torch.testing.assert_close(head(rows)[1:2], head(rows[1:2]))
    assert not torch.allclose(head(-rows), -head(rows))  # it is not a linear layer
