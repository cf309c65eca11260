"""BYOL: the teacher starts as a copy, moves by exactly its share and never learns by itself."""

import math

import pytest
import torch
from torch import Tensor, nn

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.tasks.byol import Byol, ByolConfig

SMALL = ByolConfig(hidden_dim=32, output_dim=16)


def make(config: ByolConfig = SMALL, attach: bool = True) -> tuple[Byol, Encoder]:
    encoder = build_encoder(EncoderConfig().resolve(accelerated=False, side=96), seed=0)
    with seed_init(0, "task"):
        task = Byol(config, encoder.spec)
    if attach:
        task.attach(encoder)
    return task, encoder


def silence(head: nn.Module) -> None:
    """Its last layer says the same to everything."""
    last = [layer for layer in head.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(1.0)


def noise(count: int, side: int = 24) -> Tensor:
    coarse = torch.randint(0, 256, (count, 3, 4, 4), dtype=torch.uint8, generator=generator(0, "noise"))
    return coarse.repeat_interleave(side // 4, 2).repeat_interleave(side // 4, 3)


def network(task: Byol, encoder: Encoder) -> list[Tensor]:
    return [weight.detach().clone() for weight in (*encoder.parameters(), *task.projector.parameters())]


def taught(task: Byol) -> list[Tensor]:
    return [weight.detach().clone() for weight in task.teacher.parameters()]


def move(task: Byol, encoder: Encoder) -> None:
    """Change the network's weights without the teacher's."""
    with torch.no_grad():
        for number, weight in enumerate([*encoder.parameters(), *task.projector.parameters()]):
            weight.add_(torch.randn(weight.shape, generator=generator(5, number)))


def all_close(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.allclose(a, b, atol=1e-5) for a, b in zip(first, second, strict=True))


def test_the_teacher_begins_as_a_copy_of_its_own() -> None:
    task, encoder = make()
    before = taught(task)
    assert all_close(before, network(task, encoder))
    move(task, encoder)
    assert all_close(taught(task), before)
    task.attach(encoder)  # again, after weights were loaded
    assert all_close(taught(task), network(task, encoder))


def test_the_loss_is_the_symmetric_one_of_the_paper() -> None:
    task, encoder = make()
    task.eval(), encoder.eval()
    move(task, encoder)  # teacher and network differ
    batch = task.make_batch(noise(3), generator(1))
    total = 0.0
    with torch.no_grad():
        for pair in batch.inputs["views"]:
            for asked, other in ((0, 1), (1, 0)):
                predicted = task.predictor(task.projector(encoder(pair[asked : asked + 1])))[0]
                wanted = task.teacher["projector"](task.teacher["encoder"](pair[other : other + 1]))[0]
                total += float((predicted / predicted.norm() - wanted / wanted.norm()).square().sum())
        loss = float(task(encoder, batch).loss)
    assert loss == pytest.approx(total / 3, rel=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_teacher_moves_by_exactly_its_share(share: float) -> None:
    task, encoder = make()
    before = taught(task)
    move(task, encoder)
    task.after_step(encoder, share)
    tau = 1 - (1 - 0.99) * (math.cos(math.pi * share) + 1) / 2
    wanted = [tau * old + (1 - tau) * new for old, new in zip(before, network(task, encoder), strict=True)]
    assert all_close(taught(task), wanted)
    assert all_close(taught(task), before) is (share == 1.0)


def test_the_inertia_rises_to_one() -> None:
    task, _ = make(SMALL.replace(momentum=0.9))
    rising = [task.inertia(share / 10) for share in range(11)]
    assert rising[0] == pytest.approx(0.9)
    assert rising[5] == pytest.approx(0.95)
    assert rising[-1] == pytest.approx(1.0)
    assert rising == sorted(rising)


def test_the_teacher_gets_no_gradient_and_the_network_does() -> None:
    task, encoder = make()
    task(encoder, task.make_batch(noise(4), generator(1))).loss.backward()
    assert all(weight.grad is None and not weight.requires_grad for weight in task.teacher.parameters())
    heads = [*task.projector.parameters(), *task.predictor.parameters(), *encoder.parameters()]
    assert all(weight.grad is not None for weight in heads)


def test_the_teacher_uses_the_statistics_of_the_batch_in_training_alone() -> None:
    task, encoder = make()
    norm = task.teacher.get_submodule("encoder.bn1")
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.training
    assert norm.running_mean is not None
    before = norm.running_mean.clone()
    batch = task.make_batch(noise(4), generator(1))
    task(encoder, batch)
    assert not torch.equal(norm.running_mean, before)
    task.eval()
    kept = norm.running_mean.clone()
    task(encoder, batch)
    assert torch.equal(norm.running_mean, kept)


def test_a_state_carries_the_teacher() -> None:
    task, encoder = make()
    move(task, encoder)
    task.after_step(encoder, 0.0)
    other, _ = make()
    other.load_state_dict(task.state_dict())
    assert all_close(taught(other), taught(task))
    assert not all_close(taught(other), network(task, encoder))


def test_a_batch_before_the_encoder_is_known_is_an_error_in_words() -> None:
    task, encoder = make(attach=False)
    with pytest.raises(RunError, match="attach"):
        task(encoder, task.make_batch(noise(2), generator(1)))


def test_a_collapse_shows_in_the_spread_though_the_loss_is_zero() -> None:
    task, encoder = make()
    for head in (task.projector, task.predictor, task.teacher["projector"]):
        silence(head)
    with torch.no_grad():
        result = task(encoder, task.make_batch(noise(5), generator(1)))
    assert float(result.loss) == pytest.approx(0.0, abs=1e-5)
    assert float(result.metrics["spread"]) == pytest.approx(0.0, abs=1e-5)
