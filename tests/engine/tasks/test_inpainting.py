"""Inpainting: what the network gets, what it is scored on, and against what."""

import numpy as np
import pytest
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.tasks.base import Batch
from sslstudio.engine.tasks.inpainting import Inpainting, InpaintingConfig
from sslstudio.engine.transforms.masking import fill_smoothly, rim_of

SIDE = 32


def make(config: InpaintingConfig | None = None, stem: str = "auto", side: int = SIDE) -> tuple[Inpainting, Encoder]:
    encoder = build_encoder(EncoderConfig(stem=stem).resolve(accelerated=False, side=side), seed=0)
    with seed_init(0, "task"):
        return Inpainting(config or InpaintingConfig(), encoder.spec), encoder


def noise(count: int, side: int = SIDE, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator(seed, "noise"))


def test_the_network_gets_the_picture_without_the_holes() -> None:
    task, _ = make()
    batch = task.make_batch(noise(6), generator(1))
    asked, whole, holes = batch.inputs["pictures"], batch.targets["pictures"], batch.targets["holes"]
    wide = holes.expand_as(asked)
    assert float(asked[wide].abs().max()) == 0
    assert torch.equal(asked[~wide], whole[~wide])
    for one, seen in zip(asked.numpy(), ~wide.numpy(), strict=True):  # brightness and contrast of what is seen alone
        assert one[seen].mean() == pytest.approx(0, abs=1e-4)
        assert one[seen].std() == pytest.approx(1, abs=1e-4)


def test_what_lies_in_a_hole_has_no_influence_on_what_is_asked() -> None:
    task, _ = make(InpaintingConfig(min_crop_side=1.0, mirror=False))
    images = noise(4)
    batch = task.make_batch(images, generator(1))
    deep = ~rim_of(~batch.targets["holes"], 1) & batch.targets["holes"]  # resampling mixes neighbours very slightly
    other = task.make_batch(torch.where(deep, 255 - images, images), generator(1))
    assert torch.equal(batch.targets["holes"], other.targets["holes"])
    assert torch.allclose(batch.inputs["pictures"], other.inputs["pictures"], atol=1e-4)
    assert not torch.allclose(batch.targets["pictures"], other.targets["pictures"], atol=0.1)


def test_the_loss_is_the_mean_square_over_the_holes() -> None:
    """Equation 1 of the paper, the mask being 1 where something is missing; written out in numpy."""
    task, encoder = make()
    batch = task.make_batch(noise(5), generator(1))
    with torch.no_grad():
        result = task(encoder, batch)
    painted, whole = result.answers["pictures"].double().numpy(), batch.targets["pictures"].double().numpy()
    holes = batch.targets["holes"].numpy()
    total, pixels, of_mean = 0.0, 0, 0.0
    for picture, row, column in zip(*np.nonzero(holes[:, 0]), strict=True):
        total += float(np.mean((painted[picture, :, row, column] - whole[picture, :, row, column]) ** 2))
        of_mean += float(np.mean(whole[picture, :, row, column] ** 2))
        pixels += 1
    assert float(result.loss) == pytest.approx(total / pixels, rel=1e-4)
    assert float(result.metrics["explained"]) == pytest.approx(1 - total / of_mean, abs=1e-4)


def test_only_the_holes_count() -> None:
    task, encoder = make()
    batch = task.make_batch(noise(4), generator(1))
    holes, whole = batch.targets["holes"], batch.targets["pictures"]
    outside = {**batch.targets, "pictures": torch.where(holes, whole, whole + 3)}
    inside = {**batch.targets, "pictures": torch.where(holes, whole + 3, whole)}
    encoder.eval()
    task.eval()
    with torch.no_grad():
        losses = [float(task(encoder, Batch(batch.inputs, each)).loss) for each in (batch.targets, outside, inside)]
    assert losses[0] == losses[1]
    assert losses[2] > losses[0] + 1


def test_a_rim_counts_ten_times() -> None:
    """The paper's rim: the prediction overlaps with what is seen, and errors there weigh 10."""
    task, encoder = make(InpaintingConfig(overlap=0.06))
    batch = task.make_batch(noise(4), generator(1))
    outputs: list[Tensor] = []
    task.decoder.register_forward_hook(lambda *call: outputs.append(call[-1]))
    with torch.no_grad():
        result = task(encoder, batch)
    stride, output = task.stride, outputs[0].double().numpy()
    painted = np.zeros((4, 3, SIDE, SIDE))
    for row in range(SIDE):
        for column in range(SIDE):
            place = (row % stride) * stride + column % stride  # as torch orders the channels of a place
            painted[:, :, row, column] = output[:, place :: stride**2, row // stride, column // stride]
    error = ((painted - batch.targets["pictures"].double().numpy()) ** 2).mean(axis=1)
    holes = batch.targets["holes"].numpy()[:, 0]
    rim = np.zeros_like(holes)
    for picture, row, column in zip(*np.nonzero(~holes), strict=True):
        near = holes[picture, max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        rim[picture, row, column] = near.any()
    weight = holes + 10.0 * rim
    assert float(result.loss) == pytest.approx((error * weight).sum() / weight.sum(), rel=1e-4)


def test_the_baselines_score_zero_and_the_truth_one() -> None:
    task, encoder = make()
    batch = task.make_batch(noise(4), generator(1))
    torch.nn.init.zeros_(task.decoder.out.weight)
    filled_with_mean = task(encoder, batch)
    assert float(filled_with_mean.metrics["explained"]) == pytest.approx(0, abs=1e-5)
    whole, holes = batch.targets["pictures"], batch.targets["holes"]
    blurred = fill_smoothly(batch.inputs["pictures"], holes)
    error = (blurred - whole).square().mean(dim=1, keepdim=True)
    assert float(task._metrics(error, batch)["beyond_blur"]) == pytest.approx(0, abs=1e-5)
    assert {float(value) for value in task._metrics(torch.zeros_like(error), batch).values()} == {1.0}
    assert set(task.chance()) == set(filled_with_mean.metrics)


@pytest.mark.parametrize(("stem", "side"), [("tiny", 33), ("small", 50), ("large", 72)])
@pytest.mark.parametrize("skips", [0, 2])
def test_the_painting_has_the_size_of_the_picture(stem: str, side: int, skips: int) -> None:
    task, encoder = make(InpaintingConfig(skips=skips), stem, side)
    result = task(encoder, task.make_batch(noise(2, side), generator(1)))
    assert result.answers["pictures"].shape == (2, 3, side, side)


def test_grey_pictures_can_be_learnt_from() -> None:
    task, encoder = make()
    images = noise(4)[:, :1].expand(-1, 3, -1, -1)
    Inpainting.check(InpaintingConfig(), images)
    result = task(encoder, task.make_batch(images, generator(1)))
    assert bool(result.loss.isfinite())


def test_pictures_that_are_too_small_or_blank_are_refused() -> None:
    with pytest.raises(TaskDoesNotFit, match="16 pixels"):
        Inpainting.check(InpaintingConfig(), noise(4, 16))
    blank = torch.full((4, 3, 48, 48), 9, dtype=torch.uint8)
    blank[..., :10, :10] = noise(4, 10)
    with pytest.raises(TaskDoesNotFit, match="94% of the places"):
        Inpainting.check(InpaintingConfig(), blank)


def test_blank_pictures_among_others_do_no_harm() -> None:
    task, encoder = make()
    images = noise(4)
    images[1] = 0
    result = task(encoder, task.make_batch(images, generator(1)))
    result.loss.backward()
    assert all(bool(value.isfinite()) for value in (result.loss, *result.metrics.values()))


def test_people_see_the_answer_in_the_holes_only() -> None:
    task, encoder = make()
    images = noise(3)
    batch = task.make_batch(images, generator(1))
    with torch.no_grad():
        puzzles = task.preview(images, batch, task(encoder, batch), 3)
    for number, puzzle in enumerate(puzzles):
        holes = batch.targets["holes"][number, 0].numpy().repeat(5, axis=0).repeat(5, axis=1)
        assert puzzle.answer is not None
        assert np.array_equal(puzzle.answer[~holes], puzzle.target[~holes])
        assert np.array_equal(puzzle.input[~holes], puzzle.target[~holes])
        assert np.ptp(puzzle.input[holes]) == 0
        assert np.ptp(puzzle.answer[holes]) > 0
        assert puzzle.correct is None
