"""SimCLR: which view is asked to find which, and what collapse and precision do to it."""

import math

import pytest
import torch
from torch import Tensor, nn

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.tasks.simclr import Simclr, SimclrConfig

SMALL = SimclrConfig(hidden_dim=32, output_dim=16)


def make(config: SimclrConfig = SMALL) -> tuple[Simclr, Encoder]:
    encoder = build_encoder(EncoderConfig().resolve(accelerated=False, side=96), seed=0)
    with seed_init(0, "task"):
        return Simclr(config, encoder.spec), encoder


def silence(head: nn.Module) -> None:
    """Its last layer says the same to everything."""
    last = [layer for layer in head.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(1.0)


def noise(count: int, side: int = 24) -> Tensor:
    coarse = torch.randint(0, 256, (count, 3, 4, 4), dtype=torch.uint8, generator=generator(0, "noise"))
    return coarse.repeat_interleave(side // 4, 2).repeat_interleave(side // 4, 3)


def test_partners_are_the_two_views_of_one_picture() -> None:
    """Against Algorithm 1 of the paper in plain loops, on embeddings of each view by itself."""
    task, encoder = make()
    task.eval(), encoder.eval()
    batch = task.make_batch(noise(4), generator(1))
    with torch.no_grad():
        projected = [task.projector(encoder(view.unsqueeze(0)))[0] for view in batch.inputs["views"].flatten(0, 1)]
        loss = float(task(encoder, batch).loss)
    rows = [row / row.norm() for row in projected]
    total = 0.0
    for i, row in enumerate(rows):
        scores = {k: math.exp(float(row @ other) / 0.2) for k, other in enumerate(rows) if k != i}
        total -= math.log(scores[i + 1 if i % 2 == 0 else i - 1] / sum(scores.values()))
    assert loss == pytest.approx(total / 8, rel=1e-3)


def test_a_collapse_gives_the_loss_of_guessing() -> None:
    task, encoder = make()
    silence(task.projector)
    with torch.no_grad():
        result = task(encoder, task.make_batch(noise(5), generator(1)))
    assert float(result.loss) == pytest.approx(math.log(9), rel=1e-5)
    assert float(result.metrics["spread"]) == pytest.approx(0.0, abs=1e-5)


def test_accuracy_is_how_often_the_partner_is_found() -> None:
    task, encoder = make(
        SMALL.replace(min_crop_area=1.0, mirror=False, turn=0.0, colour_jitter=0.0, grey=0.0, blur=0.0)
    )
    batch = task.make_batch(noise(6), generator(1))
    with torch.no_grad():
        assert float(task(encoder, batch).metrics["accuracy"]) == 1.0  # both views are the same
        batch.inputs["views"][:, 1] = batch.inputs["views"][:, 1].roll(1, dims=0)
        result = task(encoder, batch)
    assert float(result.metrics["accuracy"]) == 0.0
    assert result.answers["partner"].tolist() == [1, 2, 3, 4, 5, 0]


def test_a_smaller_temperature_asks_for_more() -> None:
    losses = []
    for temperature in (0.5, 0.1):
        task, encoder = make(SMALL.replace(temperature=temperature))
        batch = task.make_batch(noise(4), generator(1))
        batch.inputs["views"][:, 1] = batch.inputs["views"][:, 1].roll(1, dims=0)  # the wrong ones are the nearest
        with torch.no_grad():
            losses.append(float(task(encoder, batch).loss))
    assert losses[1] > losses[0]
