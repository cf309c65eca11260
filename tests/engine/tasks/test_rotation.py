"""Rotation: exact turns, labels, what the corners may not tell, and what people see."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.tasks.base import Batch
from sslstudio.engine.tasks.rotation import TURNS, Rotation, RotationConfig

SIDE = 32
WHOLE = RotationConfig(min_crop_side=1.0, size=1.0, round=False, mirror=False, grey=0.0, light=0.0)


def make(config: RotationConfig | None = None) -> tuple[Rotation, Encoder]:
    encoder = build_encoder(EncoderConfig().resolve(accelerated=False, side=SIDE), seed=0)
    with seed_init(0, "task"):
        task = Rotation(config or RotationConfig(), encoder.spec)
        torch.nn.init.normal_(task.head.weight)  # so that its answers differ before it has learnt
    return task, encoder


def noise(count: int, side: int = SIDE, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator(seed, "noise"))


def rows_of(batch: Batch, picture: int) -> dict[int, np.ndarray]:
    """turn -> (3, s, s), the rows that show one picture."""
    rows = (batch.targets["picture"] == picture).nonzero().flatten().tolist()
    return {int(batch.targets["turn"][row]): batch.inputs["pictures"][row].numpy() for row in rows}


@pytest.mark.parametrize("config", [WHOLE, RotationConfig(light=0.0), RotationConfig(light=0.0, round=False)])
def test_every_picture_is_there_in_its_four_exact_turns(config: RotationConfig) -> None:
    task, _ = make(config)
    batch = task.make_batch(noise(5), generator(1))
    assert len(batch.inputs["pictures"]) == 20
    for picture in range(5):
        rows = rows_of(batch, picture)
        assert sorted(rows) == [0, 1, 2, 3]
        for turn, row in rows.items():
            assert np.array_equal(row, np.rot90(rows[0], turn, axes=(1, 2)))


def test_the_upright_turn_is_the_picture() -> None:
    images = noise(4)
    task, _ = make(WHOLE)
    batch = task.make_batch(images, generator(1))
    for picture, image in enumerate(images.numpy() / 255.0):
        expected = (image - image.mean()) / image.std()
        assert np.allclose(rows_of(batch, picture)[0], expected, atol=1e-3)


def test_the_words_name_the_turns() -> None:
    """What was at the top of a picture lies at its left after a quarter turn to the left."""
    images = torch.zeros(1, 3, SIDE, SIDE, dtype=torch.uint8)
    images[:, :, :4] = 255
    task, _ = make(WHOLE)
    rows = rows_of(task.make_batch(images, generator(1)), 0)
    bright = {0: rows[0][:, 0], 1: rows[1][:, :, 0], 2: rows[2][:, -1], 3: rows[3][:, :, -1]}
    for turn, edge in bright.items():
        assert edge.min() > 0 > np.median(rows[turn])
    assert [word.split()[-1] for word in TURNS] == ["upright", "left", "down", "right"]


def test_rows_are_mixed() -> None:
    task, _ = make()
    batch = task.make_batch(noise(16), generator(1))
    together = (batch.targets["picture"].diff() == 0).float().mean()
    assert float(together) < 0.2
    assert not torch.equal(batch.targets["turn"], batch.targets["turn"].sort().values)


def test_another_order_of_the_rows_changes_no_answer() -> None:
    task, encoder = make()
    batch = task.make_batch(noise(6), generator(1))
    order = torch.randperm(24, generator=generator(2))
    moved = Batch(
        {"pictures": batch.inputs["pictures"][order]},
        {key: batch.targets[key][order] for key in ("turn", "picture")} | {"boxes": batch.targets["boxes"]},
    )
    with torch.no_grad():
        first, second = task(encoder, batch), task(encoder, moved)
    assert len(set(first.answers["turn"].tolist())) > 1
    assert torch.equal(first.answers["turn"][order], second.answers["turn"])
    assert float(first.loss) == pytest.approx(float(second.loss), rel=1e-4)


def test_the_loss_is_the_cross_entropy_of_the_paper() -> None:
    """Section 2.1: minus the log of the probability of the true turn, mean over turns and pictures."""
    task, encoder = make()
    encoder.eval()
    batch = task.make_batch(noise(3), generator(1))
    with torch.no_grad():
        result = task(encoder, batch)
        embedded = encoder(batch.inputs["pictures"]).double().numpy()
    logits = embedded @ task.head.weight.detach().numpy().T + task.head.bias.detach().numpy()
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    turns = batch.targets["turn"].numpy()
    assert float(result.loss) == pytest.approx(-np.log(shares[np.arange(12), turns]).mean(), rel=1e-4)
    assert float(result.metrics["accuracy"]) == pytest.approx((logits.argmax(axis=1) == turns).mean())
    assert task.chance() == {"accuracy": 0.25}


def test_a_round_crop_hides_what_is_in_the_corners() -> None:
    """A stamp in a corner changes nothing, neither a pixel nor the brightness of the rest."""
    task, _ = make(WHOLE.replace(round=True))
    images = noise(3)
    stamped = images.clone()
    stamped[:, :, :3, :3] = 255
    plain, marked = (task.make_batch(each, generator(1)).inputs["pictures"] for each in (images, stamped))
    assert torch.allclose(plain, marked, atol=1e-3)
    for corner in (plain[..., :3, :3], plain[..., -3:, :3], plain[..., :3, -3:], plain[..., -3:, -3:]):
        assert float(corner.abs().max()) == 0
    square, _ = make(WHOLE)
    plain, marked = (square.make_batch(each, generator(1)).inputs["pictures"] for each in (images, stamped))
    assert not torch.allclose(plain, marked, atol=0.1)


def test_each_turn_has_its_own_light_and_blank_corners_keep_none() -> None:
    task, _ = make(WHOLE.replace(round=True, light=0.3))
    batch = task.make_batch(noise(8), generator(1))
    plain, _ = make(WHOLE.replace(round=True))
    upright = plain.make_batch(noise(8), generator(1))
    lifts = []
    for picture in range(8):
        for turn, row in rows_of(batch, picture).items():
            before = rows_of(upright, picture)[turn]
            seen = before[0] != 0
            gain, lift = np.polyfit(before[:, seen].ravel(), row[:, seen].ravel(), 1)
            assert np.allclose(row[:, seen], before[:, seen] * gain + lift, atol=1e-4)
            assert 0.7 - 1e-3 <= gain <= 1.3 + 1e-3
            assert abs(lift) <= 0.3 + 1e-3
            assert np.abs(row[:, 0, 0]).max() == 0
            lifts.append(lift)
    assert len(np.unique(np.round(lifts, 4))) > 28


def test_grey_pictures_are_grey_in_all_turns() -> None:
    task, _ = make(WHOLE.replace(grey=0.5))
    batch = task.make_batch(noise(20), generator(1))
    is_grey = [
        {bool(np.ptp(row, axis=0).max() < 1e-4) for row in rows_of(batch, number).values()} for number in range(20)
    ]
    assert all(len(each) == 1 for each in is_grey)
    assert 3 < sum(each.pop() for each in is_grey) < 17


@pytest.mark.parametrize(
    ("side", "share", "seen"), [(32, 0.6, 24), (64, 0.6, 40), (96, 0.6, 56), (20, 0.6, 20), (64, 1.0, 64)]
)
def test_the_side_of_what_the_network_sees(side: int, share: float, seen: int) -> None:
    task, _ = make(RotationConfig(size=share))
    assert task.side(noise(1, side)) == seen
    assert task.make_batch(noise(2, side), generator(1)).inputs["pictures"].shape == (8, 3, seen, seen)


def test_pictures_that_are_too_small_are_refused() -> None:
    with pytest.raises(TaskDoesNotFit, match="12 pixels"):
        Rotation.check(RotationConfig(), noise(4, 12))
    Rotation.check(RotationConfig(), noise(4, 16))


def test_people_see_the_picture_turned_by_the_answer() -> None:
    task, encoder = make()
    images = noise(3)
    batch = task.make_batch(images, generator(1))
    with torch.no_grad():
        result = task(encoder, batch)
    puzzles = task.preview(images, batch, result, 12)
    assert len(puzzles) == 12
    for start in range(0, 12, 3):  # one turn of every picture before the next of any
        sources = [puzzle.source for puzzle in puzzles[start : start + 3]]
        assert all(np.array_equal(one, puzzle.source) for one, puzzle in zip(sources, puzzles[:3], strict=True))
    for puzzle in puzzles:
        assert np.array_equal(puzzle.input, np.rot90(puzzle.target, TURNS.index(puzzle.label)))
        assert puzzle.answer is not None
        assert puzzle.correct is np.array_equal(puzzle.target, puzzle.answer)
        assert np.array_equal(puzzle.input, np.rot90(puzzle.answer, TURNS.index(puzzle.answer_label)))
    assert sum(bool(puzzle.correct) for puzzle in puzzles) == round(12 * float(result.metrics["accuracy"]))


def test_what_is_learnt_holds_for_new_pictures() -> None:
    """Pictures with light above and dark below: after a few steps new ones are put upright."""
    task, encoder = make()
    weights = [*encoder.parameters(), *task.parameters()]
    slope = torch.linspace(200, 60, SIDE).view(1, 1, SIDE, 1)
    for number in range(8):
        images = (slope + noise(4, seed=number).float() / 5).to(torch.uint8)
        gradients = torch.autograd.grad(task(encoder, task.make_batch(images, generator(number))).loss, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.sub_(0.02 * gradient)
    new = (slope + F.interpolate(noise(8, 8, seed=99).float(), size=SIDE) / 8).to(torch.uint8)
    with torch.no_grad():
        assert float(task(encoder, task.make_batch(new, generator(99))).metrics["accuracy"]) > 0.8
