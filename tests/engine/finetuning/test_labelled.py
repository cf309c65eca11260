"""The loss of segmentation against plain arithmetic, and that an ignored pixel says nothing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.finetuning.labelled import dice_loss, segmentation_loss
from sslstudio.engine.transforms.finetune_views import IGNORE

shapes = st.tuples(st.integers(1, 3), st.integers(2, 4), st.integers(1, 6), st.integers(1, 6))


def example(shape: tuple[int, int, int, int], seed: int = 0, ignored: float = 0.3) -> tuple[Tensor, Tensor]:
    """Logits, and masks of which a share is to be ignored."""
    count, classes, height, width = shape
    rng = generator(seed, "masks")
    masks = torch.randint(0, classes, (count, height, width), generator=rng)
    masks[torch.rand(masks.shape, generator=rng) < ignored] = IGNORE
    return 2 * torch.randn(shape, generator=rng), masks


def plain_losses(logits: Tensor, masks: Tensor) -> tuple[float, float]:
    """Cross-entropy and Dice pixel by pixel, in numpy."""
    entropy, pixels = 0.0, 0
    classes = logits.shape[1]
    both, sizes, found = np.zeros(classes), np.zeros(classes), np.zeros(classes, bool)
    values, truth = logits.double().numpy(), masks.numpy()
    for picture, row, column in np.ndindex(*truth.shape):
        label = truth[picture, row, column]
        if label == IGNORE:
            continue
        powers = np.exp(values[picture, :, row, column] - values[picture, :, row, column].max())
        chances = powers / powers.sum()
        entropy -= float(np.log(chances[label]))
        pixels += 1
        found[label] = True
        both[label] += chances[label]
        sizes += chances
        sizes[label] += 1
    dice = (2 * both + 1) / (sizes + 1)
    return entropy / max(pixels, 1), 1 - float(dice[found].mean() if found.any() else 0.0)


@given(shapes, st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_the_loss_is_cross_entropy_plus_dice(shape: tuple[int, int, int, int], seed: int) -> None:
    logits, masks = example(shape, seed)
    entropy, dice = plain_losses(logits, masks)
    assert float(dice_loss(logits, masks)) == pytest.approx(dice, abs=1e-5)
    assert float(segmentation_loss(logits, masks)) == pytest.approx(entropy + dice, abs=1e-4)


def test_ignored_pixels_have_no_part_in_loss_or_gradient() -> None:
    logits, masks = example((2, 3, 6, 5))
    out = (masks == IGNORE)[:, None].expand_as(logits)
    losses, gradients = [], []
    for shift in (0.0, 50.0):
        moved = torch.where(out, logits.roll(1, dims=1) + shift, logits).requires_grad_()
        loss = segmentation_loss(moved, masks)
        (gradient,) = torch.autograd.grad(loss, moved)
        losses.append(float(loss.detach()))
        gradients.append(gradient)
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert bool((gradients[0][out] == 0).all())
    assert bool((gradients[0][~out] != 0).any())
    torch.testing.assert_close(gradients[0], gradients[1])


def test_nothing_known_is_no_reason_to_move() -> None:
    logits = torch.randn(1, 3, 4, 4, generator=generator(0, "logits")).requires_grad_()
    loss = segmentation_loss(logits, torch.full((1, 4, 4), IGNORE))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert bool(loss.isfinite())
    assert not gradient.any()


def test_right_answers_cost_almost_nothing_and_wrong_ones_much() -> None:
    _, masks = example((2, 3, 16, 16), ignored=0.0)
    right = 30.0 * torch.nn.functional.one_hot(masks, 3).movedim(-1, 1).float()
    assert float(segmentation_loss(right, masks)) < 1e-3
    assert float(dice_loss(right.roll(1, dims=1), masks)) > 0.95
    assert float(segmentation_loss(right.roll(1, dims=1), masks)) > 20


def test_a_class_that_does_not_occur_does_not_count() -> None:
    logits, masks = example((2, 2, 8, 8), ignored=0.0)
    absent = torch.cat([logits, torch.full((2, 1, 8, 8), -40.0)], dim=1)
    assert float(dice_loss(absent, masks)) == pytest.approx(float(dice_loss(logits, masks)), abs=1e-5)


def test_half_precision_logits_are_summed_in_float32() -> None:
    logits, masks = example((1, 2, 64, 64))
    loss = segmentation_loss(logits.bfloat16(), masks)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(float(segmentation_loss(logits.bfloat16().float(), masks)), abs=1e-6)
