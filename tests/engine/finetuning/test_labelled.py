"""The loss of segmentation against plain arithmetic, and that an ignored pixel says nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.finetuning.labelled import (
    WATCHED,
    LabelledJob,
    choose_labelled,
    class_weights,
    dice_loss,
    segmentation_loss,
)
from sslstudio.engine.finetuning.recipe import Recipe
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import Classifier, PixelScale
from sslstudio.engine.training.config import DataConfig, FinetuneConfig
from sslstudio.engine.training.session import open_session
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


def test_classes_weigh_alike_in_the_loss() -> None:
    targets = torch.tensor([0] * 6 + [1] * 2)
    weights = class_weights(targets, 3)
    assert weights is not None
    assert weights.tolist() == pytest.approx([8 / 12, 8 / 4, 0.0])
    logits = torch.randn(8, 3, generator=generator(0, "logits"))
    loss = F.cross_entropy(logits, targets, weight=weights)
    by_class = [F.cross_entropy(logits[targets == one], targets[targets == one]) for one in (0, 1)]
    assert float(loss) == pytest.approx(float(sum(by_class) / 2), rel=1e-5)


def test_as_many_of_each_class_need_no_weights() -> None:
    assert class_weights(torch.tensor([0, 2, 0, 2]), 3) is None


def test_what_is_watched_has_each_class_by_its_share(tmp_path: Path) -> None:
    """Of 900 pictures by folder, the first 256 are of the first class alone."""
    pixels = Image.new("L", (8, 8))
    for name, count in (("a", 600), ("b", 300)):
        (tmp_path / name).mkdir()
        for number in range(count):
            pixels.save(tmp_path / name / f"{number}.bmp")
    data = DataConfig(folder=str(tmp_path), side=16, validation=0.5)
    session = to_end(open_session(data, devices.choose("cpu"), RunControl()))
    config = FinetuneConfig(data=data, encoder=EncoderConfig(name="small", stem="tiny"))
    labelled = choose_labelled(session, config)
    network = Classifier(PixelScale(torch.zeros(1, 3, 1, 1, dtype=torch.uint8)), build_encoder(config.encoder, 0), 2)
    job = LabelledJob("scratch", network, Recipe(), labelled, session, config, devices.choose("cpu"))
    assert len(job.watched) == WATCHED
    assert torch.bincount(job.watched_targets).tolist() == pytest.approx([WATCHED * 2 / 3, WATCHED / 3], abs=1)
    assert job.weights is not None
    assert float(job.weights[1]) == pytest.approx(2 * float(job.weights[0]), rel=0.01)
