"""Masked autoencoding: what is hidden stays hidden, and only that is asked for."""

import numpy as np
import pytest
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.models.sparse_encoder import spread_to
from sslstudio.engine.tasks.base import Batch
from sslstudio.engine.tasks.masked_autoencoding import MaskedAutoencoding, MaskedAutoencodingConfig
from sslstudio.engine.transforms.geometry import BLANK

SIDE = 32
PATCH = 8


def make(
    config: MaskedAutoencodingConfig | None = None, stem: str = "auto", side: int = SIDE
) -> tuple[MaskedAutoencoding, Encoder]:
    encoder = build_encoder(EncoderConfig(stem=stem).resolve(accelerated=False, side=side), seed=0)
    with seed_init(0, "task"):
        return MaskedAutoencoding(config or MaskedAutoencodingConfig(), encoder.spec), encoder


def noise(count: int, side: int = SIDE, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator(seed, "noise"))


def hidden_places(batch: Batch) -> Tensor:
    """bool (B, 3, s, s)"""
    shades = batch.targets["shades"]
    return (spread_to(batch.inputs["seen"], *shades.shape[-2:]) == 0).expand_as(shades)


def test_six_patches_in_ten_are_hidden_and_tell_nothing() -> None:
    task, _ = make()
    batch = task.make_batch(noise(6), generator(1))
    assert batch.inputs["seen"].shape == (6, 1, 4, 4)
    assert batch.inputs["seen"].sum(dim=(1, 2, 3)).tolist() == [6] * 6
    hidden = hidden_places(batch)
    assert float(batch.inputs["pictures"][hidden].abs().max()) == 0
    for one, shown in zip(batch.inputs["pictures"].numpy(), ~hidden.numpy(), strict=True):
        assert one[shown].mean() == pytest.approx(0, abs=1e-4)
        assert one[shown].std() == pytest.approx(1, abs=1e-4)


def test_the_painting_is_made_from_what_is_seen_alone() -> None:
    """Other shades under the mask, in the batch itself: the network paints the same, bit by bit."""
    task, encoder = make()
    batch = task.make_batch(noise(4), generator(1))
    outputs: list[Tensor] = []
    task.decoder.register_forward_hook(lambda *call: outputs.append(call[-1]))
    encoder.eval()
    hidden = hidden_places(batch)
    smuggled = torch.where(hidden, torch.randn(hidden.shape, generator=generator(2)), batch.inputs["pictures"])
    task(encoder, batch)
    task(encoder, Batch({**batch.inputs, "pictures": smuggled}, batch.targets))
    shown = torch.where(hidden, batch.inputs["pictures"], batch.inputs["pictures"] + 0.5)
    task(encoder, Batch({**batch.inputs, "pictures": shown}, batch.targets))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


@pytest.mark.parametrize("norm_pix_loss", [True, False])
def test_the_loss_is_the_mean_square_over_hidden_patches(norm_pix_loss: bool) -> None:
    """Written out in numpy, patch by patch (He et al., section 3)."""
    task, encoder = make(MaskedAutoencodingConfig(norm_pix_loss=norm_pix_loss))
    batch = task.make_batch(noise(3), generator(1))
    with torch.no_grad():
        result = task(encoder, batch)
    painted, shades = (each.double().numpy() for each in (result.answers["shades"], batch.targets["shades"]))
    hidden, seen = hidden_places(batch).numpy(), batch.inputs["seen"].numpy()
    errors, flat = [], []
    for picture, _, row, column in zip(*np.nonzero(~seen), strict=True):
        place = (picture, slice(None), *(slice(at * PATCH, (at + 1) * PATCH) for at in (row, column)))
        known = shades[place] if norm_pix_loss else shades[picture][~hidden[picture]]
        mean, deviation = known.mean(), max(known.std(), BLANK)
        errors.append((((painted[place] - shades[place]) / deviation) ** 2).mean())
        flat.append((((shades[place] - mean) / deviation) ** 2).mean())
    assert float(result.loss) == pytest.approx(np.mean(errors), rel=1e-3)
    assert float(result.metrics["explained"]) == pytest.approx(1 - np.mean(errors) / np.mean(flat), abs=1e-3)


def test_only_hidden_patches_count() -> None:
    task, encoder = make()
    batch = task.make_batch(noise(4), generator(1))
    hidden, shades = hidden_places(batch), batch.targets["shades"]
    seen_changed = {**batch.targets, "shades": torch.where(hidden, shades, 1 - shades)}
    hidden_changed = {**batch.targets, "shades": torch.where(hidden, 1 - shades, shades)}
    encoder.eval()
    task.eval()
    asked = [Batch(batch.inputs, each) for each in (batch.targets, seen_changed, hidden_changed)]
    with torch.no_grad():
        losses = [float(task(encoder, each).loss) for each in asked]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]


@pytest.mark.parametrize("norm_pix_loss", [True, False])
def test_one_shade_explains_nothing(norm_pix_loss: bool) -> None:
    task, encoder = make(MaskedAutoencodingConfig(norm_pix_loss=norm_pix_loss))
    torch.nn.init.zeros_(task.decoder.out.weight)
    result = task(encoder, task.make_batch(noise(4), generator(1)))
    assert float(result.metrics["explained"]) == pytest.approx(0, abs=1e-5)
    assert task.chance() == {"explained": 0.0}


def test_the_encoder_takes_whole_pictures_afterwards() -> None:
    """Its weights and statistics have moved, its parts are the same, and no hook is left."""
    task, encoder = make()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    weights = list(encoder.parameters())
    gradients = torch.autograd.grad(task(encoder, task.make_batch(noise(4), generator(1))).loss, weights)
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.sub_(0.1 * gradient)
    after = encoder.state_dict()
    assert list(after) == list(before)
    assert not [name for name, value in after.items() if torch.equal(value, before[name])]
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in encoder.modules())
    assert float(encoder.eval()(noise(2).float() / 255).detach().abs().max()) < 100


@pytest.mark.parametrize(
    ("stem", "side", "seen"), [("tiny", 32, 32), ("tiny", 30, 32), ("small", 32, 48), ("large", 140, 128)]
)
@pytest.mark.parametrize("skips", [0, 3])
def test_the_crop_is_a_whole_number_of_patches(stem: str, side: int, seen: int, skips: int) -> None:
    task, encoder = make(MaskedAutoencodingConfig(skips=skips), stem, side)
    result = task(encoder, task.make_batch(noise(2, side), generator(1)))
    assert result.answers["shades"].shape == (2, 3, seen, seen)


def test_pictures_that_are_too_small_or_blank_are_refused() -> None:
    with pytest.raises(TaskDoesNotFit, match="16 pixels"):
        MaskedAutoencoding.check(MaskedAutoencodingConfig(), noise(4, 16))
    blank = torch.full((4, 3, 48, 48), 9, dtype=torch.uint8)
    blank[..., :10, :10] = noise(4, 10)
    with pytest.raises(TaskDoesNotFit, match="94% of the places"):
        MaskedAutoencoding.check(MaskedAutoencodingConfig(), blank)


def test_blank_pictures_among_others_do_no_harm() -> None:
    task, encoder = make()
    images = noise(4)
    images[1] = 0
    result = task(encoder, task.make_batch(images, generator(1)))
    result.loss.backward()
    assert all(bool(value.isfinite()) for value in (result.loss, *result.metrics.values()))


def test_people_see_the_answer_in_hidden_patches_only() -> None:
    task, encoder = make()
    images = noise(3)
    batch = task.make_batch(images, generator(1))
    with torch.no_grad():
        puzzles = task.preview(images, batch, task(encoder, batch), 3)
    for number, puzzle in enumerate(puzzles):
        hidden = hidden_places(batch)[number, 0].numpy().repeat(5, axis=0).repeat(5, axis=1)
        assert puzzle.answer is not None
        assert np.array_equal(puzzle.answer[~hidden], puzzle.target[~hidden])
        assert np.array_equal(puzzle.input[~hidden], puzzle.target[~hidden])
        assert set(puzzle.input[hidden].ravel().tolist()) == {128}
        assert np.ptp(puzzle.answer[hidden]) > 0
