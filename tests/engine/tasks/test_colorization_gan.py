"""Colorization with a critic: one backward pass must train both networks, each by its own loss alone."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.tasks.base import Batch
from sslstudio.engine.tasks.colorization_gan import ColorizationGan, ColorizationGanConfig
from sslstudio.engine.transforms import lab_colour


def made(**options: Any) -> tuple[ColorizationGan, Encoder]:
    encoder = build_encoder(EncoderConfig(name="small", stem="small"), 0)
    with seed_init(0, "task"):
        return ColorizationGan(ColorizationGanConfig(**options), encoder.spec), encoder


def pictures(count: int, seed: int = 0) -> Tensor:
    """uint8: bright things are yellow, dark ones blue."""
    shade = torch.rand(count, 1, 6, 6, generator=generator(seed, "pictures"))
    shade = F.interpolate(shade, size=32, mode="bilinear")
    return (torch.cat([shade, 0.8 * shade, 0.6 - 0.5 * shade], dim=1) * 255).to(torch.uint8)


def gradients(module: nn.Module) -> dict[str, Tensor]:
    return {name: weight.grad.clone() for name, weight in module.named_parameters() if weight.grad is not None}


def painted(task: ColorizationGan, encoder: Encoder, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Coarse lightness, painted and true ab in [-1, 1]."""
    light = lab_colour.as_input(batch.inputs["light"])
    ab = torch.tanh(task.decoder(encoder.stages(light)))
    truth = batch.targets["ab"] / 110
    return F.avg_pool2d(light[:, :1], light.shape[-1] // ab.shape[-1]), ab, truth


def painters_loss(task: ColorizationGan, encoder: Encoder, batch: Batch, weight: float) -> Tensor:
    light, ab, truth = painted(task, encoder, batch)
    logits = task.critic(torch.cat([light, 5.5 * ab], dim=1))
    fooling = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
    return (ab - truth).abs().mean() + weight * fooling


def critics_loss(task: ColorizationGan, encoder: Encoder, batch: Batch) -> Tensor:
    light, ab, truth = painted(task, encoder, batch)
    real, fake = (task.critic(torch.cat([light, 5.5 * answer.detach()], dim=1)) for answer in (truth, ab))
    of_real = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
    return 0.5 * (of_real + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake)))


@pytest.mark.parametrize("adversarial", [0.01, 1.0])
def test_one_backward_pass_gives_the_gradients_of_two(adversarial: float) -> None:
    task, encoder = made(adversarial=adversarial)
    batch = task.make_batch(pictures(4), generator(0, "batch"))
    everything = nn.ModuleDict({"encoder": encoder, "task": task})
    task(encoder, batch).loss.backward()
    together = gradients(everything)

    everything.zero_grad()
    painters_loss(task, encoder, batch, adversarial).backward()  # type: ignore[no-untyped-call]
    painter = gradients(everything)
    everything.zero_grad()
    critics_loss(task, encoder, batch).backward()  # type: ignore[no-untyped-call]
    critic = gradients(everything)

    assert not any(name.startswith("encoder") for name in critic)
    assert set(together) == set(painter)  # the plain painter's loss reaches the critic too; ours must not
    for name, found in together.items():
        wanted = critic[name] if name.startswith("task.critic") else painter[name]
        assert float(wanted.abs().max()) > 0, name
        scale = float(wanted.abs().max())
        assert torch.allclose(found, wanted, rtol=1e-3, atol=1e-4 * scale), name


def test_the_critics_judgement_reaches_the_painter() -> None:
    alone, encoder_alone = made(adversarial=0.0)
    judged, encoder_judged = made(adversarial=1.0)
    for task, encoder in ((alone, encoder_alone), (judged, encoder_judged)):
        task(encoder, task.make_batch(pictures(4), generator(0, "batch"))).loss.backward()
    first, second = (gradients(encoder)["conv1.weight"] for encoder in (encoder_alone, encoder_judged))
    assert float((first - second).abs().max()) > 0.01 * float(first.abs().max())


def test_the_value_of_the_loss_is_the_painters() -> None:
    task, encoder = made()
    batch = task.make_batch(pictures(4), generator(0, "batch"))
    with torch.no_grad():
        loss, wanted = task(encoder, batch).loss, painters_loss(task, encoder, batch, 0.01)
    assert float(loss) == pytest.approx(float(wanted), rel=1e-4)


def test_the_critic_and_the_answers_start_undecided() -> None:
    task, encoder = made()
    batch = task.make_batch(pictures(8), generator(0, "batch"))
    with torch.no_grad():
        result = task(encoder, batch)
    assert float(result.metrics["d_real"]) == pytest.approx(0.5, abs=0.1)
    assert float(result.metrics["d_fake"]) == pytest.approx(0.5, abs=0.1)
    assert float(result.answers["ab"].abs().mean()) < 10
    grey = torch.linalg.vector_norm(batch.targets["ab"], dim=1).mean()
    assert float(result.metrics["ab_error"]) == pytest.approx(float(grey), rel=0.2)


def test_it_paints_better_than_the_mean_colour_and_the_critic_tells_early_paintings_apart() -> None:
    task, encoder = made()
    task.prepare(pictures(64))
    optimiser = torch.optim.AdamW([*encoder.parameters(), *task.parameters()], lr=2e-3)
    ahead: list[float] = []
    for number in range(25):
        result = task(encoder, task.make_batch(pictures(12, number), generator(number, "batch")))
        ahead.append(float(result.metrics["d_real"] - result.metrics["d_fake"]))
        optimiser.zero_grad()
        result.loss.backward()
        optimiser.step()
    with torch.no_grad():
        result = task(encoder, task.make_batch(pictures(32, 1000), generator(1000, "batch")))
    assert float(result.metrics["ab_error"]) < 0.6 * task.chance()["ab_error"]
    assert max(ahead) > 0.1


def test_grey_pictures_in_a_coloured_set_do_not_count() -> None:
    task, encoder = made()
    images = pictures(6)
    images[3:] = images[3:, :1].expand(-1, 3, -1, -1)
    batch = task.make_batch(images, generator(0, "batch"))
    assert batch.targets["counts"].tolist() == [True] * 3 + [False] * 3
    batch.targets["ab"][3:] = 100.0  # what stands there must not matter
    first = task(encoder, batch)
    batch.targets["ab"][3:] = -100.0
    second = task(encoder, batch)
    assert torch.equal(first.loss, second.loss)
    assert all(torch.equal(value, second.metrics[name]) for name, value in first.metrics.items())


def test_chance_is_known_after_prepare_and_grey_sets_have_none() -> None:
    task, _ = made()
    assert task.chance() == {}
    task.prepare(pictures(4)[:, :1].expand(-1, 3, -1, -1).contiguous())
    assert task.chance() == {}
    task.prepare(pictures(4))
    assert 5 < task.chance()["ab_error"] < 60


def test_grey_pictures_do_not_fit() -> None:
    with pytest.raises(TaskDoesNotFit, match="needs colour"):
        ColorizationGan.check(ColorizationGanConfig(), pictures(4)[:, :1].expand(-1, 3, -1, -1).contiguous())


def test_the_preview_paints_over_the_lightness() -> None:
    task, encoder = made()
    images = pictures(3)
    batch = task.make_batch(images, generator(0, "batch"))
    with torch.no_grad():
        puzzles = task.preview(images, batch, task(encoder, batch), 2)
    assert len(puzzles) == 2
    for puzzle in puzzles:
        assert puzzle.answer is not None
        assert (puzzle.input.max(axis=2).astype(int) - puzzle.input.min(axis=2)).max() <= 1
        off = np.abs(puzzle.answer.astype(int) - puzzle.input).mean()  # an untrained network paints next to nothing
        assert 0 < off < 25
        assert puzzle.correct is None
