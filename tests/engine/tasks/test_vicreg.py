"""VICReg: what its loss is made of, and that it does not collapse."""

import pytest
import torch
from torch import Tensor, nn

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.models.joint_embedding_losses import covariance_loss, variance_loss
from sslstudio.engine.tasks.base import Batch
from sslstudio.engine.tasks.vicreg import Vicreg, VicregConfig


def make(config: VicregConfig) -> tuple[Vicreg, Encoder]:
    encoder = build_encoder(EncoderConfig().resolve(accelerated=False, side=96), seed=0)
    with seed_init(0, "task"):
        return Vicreg(config, encoder.spec), encoder


def silence(head: nn.Module) -> None:
    """Its last layer says the same to everything."""
    last = [layer for layer in head.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(1.0)


def noise(count: int, side: int = 24) -> Tensor:
    """Pictures of 4 x 4 patches, so that views of one have something in common."""
    coarse = torch.randint(0, 256, (count, 3, 4, 4), dtype=torch.uint8, generator=generator(0, "noise"))
    return coarse.repeat_interleave(side // 4, 2).repeat_interleave(side // 4, 3)


SMALL = VicregConfig(expander_dim=16)


def test_the_loss_is_that_of_the_expanded_embeddings() -> None:
    task, encoder = make(SMALL.replace(invariance=2.0, variance=3.0, covariance=5.0))
    task.eval(), encoder.eval()
    batch = task.make_batch(noise(6), generator(1))
    with torch.no_grad():
        views = batch.inputs["views"]
        first, second = (task.expander(encoder(views[:, number])) for number in (0, 1))
        result = task(encoder, batch)
    likeness = (first - second).square().mean()
    variance = (variance_loss(first) + variance_loss(second)) / 2
    covariance = covariance_loss(first) + covariance_loss(second)
    assert float(result.loss) == pytest.approx(float(2 * likeness + 3 * variance + 5 * covariance), rel=1e-4)


def test_a_collapse_costs_the_weight_of_variance_and_shows_in_the_spread() -> None:
    task, encoder = make(SMALL)
    silence(task.expander)
    with torch.no_grad():
        result = task(encoder, task.make_batch(noise(6), generator(1)))
    assert float(result.loss) == pytest.approx(25 * 0.99)
    assert float(result.metrics["spread"]) == pytest.approx(0.0, abs=1e-5)


def test_views_that_are_the_same_picture_cost_no_likeness() -> None:
    still = SMALL.replace(min_crop_area=1.0, mirror=False, turn=0.0, colour_jitter=0.0, grey=0.0, blur=0.0)
    task, encoder = make(still.replace(variance=0.0, covariance=0.0))
    result = task(encoder, task.make_batch(noise(6), generator(1)))
    assert float(result.loss.detach()) == pytest.approx(0.0, abs=1e-8)
    assert float(result.metrics["accuracy"]) == 1.0
    assert result.answers["partner"].tolist() == list(range(6))


def test_the_scale_of_the_pixels_comes_from_the_pictures_and_is_kept() -> None:
    task, _ = make(SMALL)
    images = noise(20)
    task.prepare(images)
    still = make(
        SMALL.replace(min_crop_area=1.0, size=1.0, mirror=False, turn=0.0, colour_jitter=0.0, grey=0.0, blur=0.0)
    )[0]
    still.load_state_dict(task.state_dict())
    views = still.make_batch(images, generator(1)).inputs["views"]
    assert torch.allclose(views.mean((0, 1, 3, 4)), torch.zeros(3), atol=1e-3)
    assert torch.allclose(views.std((0, 1, 3, 4), correction=0), torch.ones(3), atol=1e-3)


def test_evaluation_of_one_picture_gives_numbers() -> None:
    task, encoder = make(SMALL)
    task.eval(), encoder.eval()
    with torch.no_grad():
        result = task(encoder, task.make_batch(noise(1), generator(1)))
    assert bool(torch.isfinite(torch.stack([result.loss, *result.metrics.values()])).all())


def test_the_preview_shows_the_answer_and_where_the_views_lie() -> None:
    task, encoder = make(SMALL)
    images = noise(4)
    batch = task.make_batch(images, generator(1))
    with torch.no_grad():
        result = task(encoder, batch)
    result.answers["partner"][:2] = torch.tensor([0, 3])
    right, wrong, *_ = task.preview(images, batch, result, 4)
    assert right.correct is True
    assert wrong.correct is False
    assert "another picture" in wrong.answer_label
    centre = Batch(batch.inputs, {"matrices": torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]).expand(4, 2, 2, 3)})
    source = task.preview(images, centre, None, 1)[0].source
    side = source.shape[0]  # enlarged by a whole number; a view of half the side lies in the middle
    changed = (source != images[0].permute(1, 2, 0).repeat_interleave(side // 24, 0)
               .repeat_interleave(side // 24, 1).numpy()).any(axis=2)  # fmt: skip
    rows = changed.any(axis=1).nonzero()[0]
    assert (rows.min(), rows.max()) == (side // 4 - 1, side * 3 // 4)
    assert changed[side // 2 - 5 : side // 2 + 5, side // 2 - 5 : side // 2 + 5].sum() == 0


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (noise(4, 8), "16 pixels or more"),
        (noise(1).expand(3, -1, -1, -1), "the same"),
        (
            torch.full((3, 3, 24, 24), 9, dtype=torch.uint8) + torch.arange(3, dtype=torch.uint8).view(3, 1, 1, 1),
            "blank",
        ),
    ],
)
def test_pictures_that_cannot_teach_are_refused(images: Tensor, words: str) -> None:
    with pytest.raises(TaskDoesNotFit, match=words):
        Vicreg.check(SMALL, images)
