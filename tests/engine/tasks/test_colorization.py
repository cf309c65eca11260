"""Colorization: its loss against plain numpy, its chance values, and what it learns."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.tasks.base import Batch, TaskResult
from sslstudio.engine.tasks.colorization import GAIN, Colorization, ColorizationConfig, soft_cross_entropy
from sslstudio.engine.transforms import lab_colour


def made(stem: str = "small", **options: Any) -> tuple[Colorization, Encoder]:
    encoder = build_encoder(EncoderConfig(name="small", stem=stem), 0)
    with seed_init(0, "task"):
        return Colorization(ColorizationConfig(**options), encoder.spec), encoder


def patterned(count: int, seed: int = 0, side: int = 32) -> Tensor:
    """Four quarters, striped (red) or dotted (blue) by chance, equally bright: colour follows shape."""
    rng = generator(seed, "patterned")
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    stripes, dots = (x % 4 < 2).float(), ((x // 2 + y // 2) % 2).float()
    which = torch.nn.functional.interpolate(torch.rand(count, 1, 2, 2, generator=rng).round(), size=side).bool()
    lab = torch.empty(count, 3, side, side)
    lab[:, :1] = 40 + 20 * torch.where(which, stripes, dots)
    red, blue = torch.tensor([40.0, 20.0]), torch.tensor([10.0, -40.0])
    lab[:, 1:] = torch.where(which, red.view(2, 1, 1), blue.view(2, 1, 1))
    return (lab_colour.lab_to_rgb(lab) * 255).round().to(torch.uint8)


def ask(task: Colorization, encoder: Encoder, images: Tensor, seed: int = 0) -> tuple[Batch, TaskResult]:
    batch = task.make_batch(images, generator(seed, "batch"))
    result: TaskResult = task(encoder, batch)
    return batch, result


def grey(count: int) -> Tensor:
    return patterned(count)[:, :1].expand(-1, 3, -1, -1).contiguous()


def test_the_loss_starts_at_that_of_not_knowing() -> None:
    task, encoder = made()
    task.prepare(patterned(16))
    with torch.no_grad():
        result = ask(task, encoder, patterned(8))[1]
    assert float(result.loss) == pytest.approx(math.log(313), rel=0.03)


def test_the_cross_entropy_is_that_of_plain_numpy() -> None:
    rng = generator(0, "logits")
    logits, nearest = torch.randn(2, 313, 3, 2, generator=rng), torch.randint(313, (2, 3, 2, 10), generator=rng)
    nearest = torch.argsort(torch.rand(2, 3, 2, 313, generator=rng), dim=-1)[..., :10]  # ten different bins
    weights = torch.softmax(torch.randn(2, 3, 2, 10, generator=rng), dim=-1)
    found = soft_cross_entropy(logits, nearest, weights).numpy()
    plain = logits.double().numpy()
    shares = np.exp(plain) / np.exp(plain).sum(axis=1, keepdims=True)
    for place in np.ndindex(2, 3, 2):
        target = np.zeros(313)
        target[nearest[place].numpy()] = weights[place].numpy()
        wanted = -(target * np.log(shares[place[0], :, place[1], place[2]])).sum()
        assert found[place] == pytest.approx(wanted, rel=1e-5)


def test_the_loss_is_the_mean_weighted_by_rarity_over_coloured_pictures() -> None:
    task, encoder = made()
    images = torch.cat([patterned(3), grey(2)])
    task.prepare(patterned(16))
    batch = task.make_batch(images, generator(0, "batch"))
    assert batch.targets["counts"].tolist() == [True] * 3 + [False] * 2
    with torch.no_grad():
        logits = GAIN * task.decoder(encoder.stages(lab_colour.as_input(batch.inputs["light"])))
        found = float(task(encoder, batch).loss)
    each = soft_cross_entropy(logits, batch.targets["nearest"], batch.targets["weights"])[:3]
    balance = task.balance[lab_colour.main_bins(batch.targets["nearest"], batch.targets["weights"])][:3]
    assert float(balance.max()) > 1.2 * float(balance.min())
    wanted = (each * balance).sum() / balance.sum()
    assert found == pytest.approx(float(wanted), rel=1e-4)


@pytest.mark.parametrize("loss", ["classes", "regression"])
def test_a_batch_without_colour_gives_no_gradient_and_no_nan(loss: str) -> None:
    task, encoder = made(loss=loss)
    result = ask(task, encoder, grey(4))[1]
    result.loss.backward()  # type: ignore[no-untyped-call]
    assert float(result.loss.detach()) == 0.0
    gradient = dict(encoder.named_parameters())["conv1.weight"].grad
    assert gradient is not None
    assert float(gradient.abs().max()) == 0.0


def test_prepare_measures_the_prior_on_coloured_pictures() -> None:
    task, _ = made()
    assert task.chance() == {}
    task.prepare(torch.cat([patterned(16), grey(8)]))
    of_both = task.balance.clone()
    task.prepare(patterned(16))
    assert torch.equal(task.balance, of_both)
    bins = [tuple(point) for point in task.bins.tolist()]
    assert float(task.balance[bins.index((40.0, 20.0))]) < 0.2 * float(task.balance[bins.index((-40.0, 40.0))])


def test_chance_is_what_the_best_single_answer_reaches() -> None:
    task, _ = made(min_crop_side=1.0, mirror=False)
    images = patterned(24)
    task.prepare(images)
    batch = task.make_batch(images, generator(0, "batch"))
    truth = lab_colour.main_bins(batch.targets["nearest"], batch.targets["weights"]).flatten()
    share = task.balance[truth] / task.balance[truth].sum()
    best = max(float(share[truth == number].sum()) for number in set(truth.tolist()))
    assert task.chance()["weighted_accuracy"] == pytest.approx(best, abs=0.01)


def test_chance_of_regression_is_the_mean_colour() -> None:
    task, _ = made(loss="regression", min_crop_side=1.0, mirror=False)
    images = patterned(24)
    task.prepare(images)
    ab = task.make_batch(images, generator(0, "batch")).targets["ab"]
    wanted = torch.linalg.vector_norm(ab - ab.mean(dim=(0, 2, 3), keepdim=True), dim=1).mean()
    assert task.chance()["ab_error"] == pytest.approx(float(wanted), rel=1e-3)


def test_grey_data_leaves_prepare_without_a_prior() -> None:
    task, _ = made()
    task.prepare(grey(4))
    assert torch.equal(task.balance, torch.ones(313))
    assert task.chance() == {}


def test_grey_pictures_do_not_fit() -> None:
    Colorization.check(ColorizationConfig(), patterned(16))
    with pytest.raises(TaskDoesNotFit, match=r"needs colour, and 8 of 8 .* jigsaw"):
        Colorization.check(ColorizationConfig(), grey(8))


def trained(**options: Any) -> tuple[Colorization, dict[str, float]]:
    """After 25 steps: the task and its metrics on new pictures."""
    task, encoder = made(**options)
    task.prepare(patterned(64))
    optimiser = torch.optim.AdamW([*encoder.parameters(), *task.parameters()], lr=3e-3)
    for number in range(25):
        result = ask(task, encoder, patterned(16, seed=number), number)[1]
        optimiser.zero_grad()
        result.loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        metrics = ask(task, encoder, patterned(32, seed=1000), 1000)[1].metrics
    return task, {name: float(value) for name, value in metrics.items()}


def test_regression_learns_colour_that_follows_from_shape() -> None:
    task, metrics = trained(loss="regression")
    assert metrics["ab_error"] < 0.5 * task.chance()["ab_error"]


def test_classes_learn_colour_that_follows_from_shape() -> None:
    # Without rebalancing, which makes most of the few bins on the seams between the two colours and takes longer.
    task, metrics = trained(rebalance=False)
    assert metrics["weighted_accuracy"] > 1.6 * task.chance()["weighted_accuracy"]
    assert metrics["ab_error"] < 0.3 * float(task.guess[1])


@pytest.mark.parametrize(("stem", "side"), [("tiny", 16), ("tiny", 33), ("small", 64), ("large", 100)])
@pytest.mark.parametrize("skips", [0, 2, 3])
def test_any_side_stem_and_number_of_skips(stem: str, side: int, skips: int) -> None:
    task, encoder = made(stem=stem, skips=skips)
    images = patterned(2, side=128)[..., :side, :side]
    batch, result = ask(task, encoder, images)
    assert result.answers["ab"].shape == batch.targets["ab"].shape
    assert batch.targets["ab"].shape[-1] == -(-side // encoder.spec.strides[3 - skips])


def test_the_preview_shows_lightness_truth_and_answer() -> None:
    task, _ = made(min_crop_side=1.0, mirror=False)
    images = patterned(3)
    batch = task.make_batch(images, generator(0, "batch"))
    right = TaskResult(torch.tensor(0.0), {}, {"ab": batch.targets["ab"]})
    puzzles = task.preview(images, batch, right, 3)
    assert len(puzzles) == 3
    for number, puzzle in enumerate(puzzles):
        assert np.array_equal(puzzle.source, images[number].permute(1, 2, 0).numpy())
        spread = puzzle.input.max(axis=2).astype(int) - puzzle.input.min(axis=2)
        assert spread.max() <= 1  # grey
        off = np.abs(puzzle.target.astype(int) - puzzle.source)
        assert np.median(off) <= 2  # only the seams between colours are blurred
        assert puzzle.answer is not None
        assert np.array_equal(puzzle.answer, puzzle.target)
        assert puzzle.correct is None
