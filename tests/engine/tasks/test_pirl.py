"""PIRL: what is asked of the tiles, and what the memory holds of which picture."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import ConfigError, TaskDoesNotFit
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.tasks.pirl import NOBODY, Pirl, PirlConfig, keys_of
from sslstudio.engine.transforms import geometry

SMALL = PirlConfig(bank=64, output_dim=16, turn=0.0, grey=0.0)


def make(config: PirlConfig = SMALL) -> tuple[Pirl, Encoder]:
    encoder = build_encoder(EncoderConfig().resolve(accelerated=False, side=48), seed=0)
    with seed_init(0, "task"):
        return Pirl(config, encoder.spec), encoder


def noise(count: int, side: int = 48, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator(seed, "noise"))


def see(task: Pirl, encoder: Encoder, images: Tensor, number: int = 0) -> float:
    with torch.no_grad():
        return float(task(encoder, task.make_batch(images, generator(0, "puzzles", number))).loss)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2), st.integers(0, 11), st.integers(0, 11), st.integers(1, 255))
def test_a_picture_is_known_by_its_pixels(channel: int, row: int, column: int, more: int) -> None:
    images = noise(3, 12)
    other = images.clone()
    other[1, channel, row, column] += more  # uint8 goes round
    assert torch.equal(keys_of(images), keys_of(images.clone()))
    assert (keys_of(images) == keys_of(other)).tolist() == [True, False, True]
    assert len(set(keys_of(noise(300, 8)).tolist())) == 300
    assert int(keys_of(torch.full((1, 3, 1024, 1024), 255, dtype=torch.uint8))) > 0  # no overflow


def test_the_tiles_are_those_of_the_picture_in_the_order_that_is_told() -> None:
    task, images = make()[0], noise(6)
    batch = task.make_batch(images, generator(1))
    boxes, order = batch.targets["boxes"], batch.targets["order"]
    assert all(sorted(one) == list(range(9)) for one in order.tolist())
    assert len({tuple(one) for one in order.tolist()}) == 6
    side = batch.inputs["tiles"].shape[-1]
    cut = geometry.cut_patches(
        geometry.to_float(images), (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[:, 0, 2] - boxes[:, 0, 0], side
    )
    expected = geometry.standardise_each(cut)[torch.arange(6)[:, None], order]
    assert torch.allclose(batch.inputs["tiles"], expected, atol=1e-2)


def test_the_loss_is_that_of_finding_each_picture_among_all_that_are_remembered() -> None:
    """Against plain loops, with a memory that holds some of the pictures and some others."""
    task, encoder = make(SMALL.replace(weight=0.3, temperature=0.2))
    others = noise(5, seed=3)
    images = torch.cat([noise(3), others[:1]])
    see(task, encoder, others)
    task.eval(), encoder.eval()
    batch = task.make_batch(images, generator(1))
    with torch.no_grad():
        tiles = encoder(batch.inputs["tiles"].flatten(0, 1))
        asked = task.of_tiles(task.of_tile(tiles).view(4, -1))
        whole = task.of_picture(encoder(batch.inputs["pictures"]))
        loss = float(task(encoder, batch).loss)
    asked, whole = (rows / rows.norm(dim=1, keepdim=True) for rows in (asked, whole))
    held = [*whole[:3], task.bank[0]]  # the last one is remembered, the others are new
    candidates = [*held, *task.bank[1:5]]
    total = 0.0
    for rows, weight in ((asked, 0.3), (whole, 0.7)):
        for number, row in enumerate(rows):
            scores = [math.exp(float(row @ one) / 0.2) for one in candidates]
            total -= weight * math.log(scores[number] / sum(scores)) / 4
    assert loss == pytest.approx(total, rel=1e-4)


def test_the_memory_holds_each_picture_once_and_moves_it_on() -> None:
    task, encoder = make()
    images = noise(6)
    see(task, encoder, images)
    first = task.bank[:6].clone()
    assert task.owners[:7].tolist() == [*keys_of(images).tolist(), NOBODY]
    seen: list[Tensor] = []
    task.of_picture.register_forward_hook(lambda _, __, out: seen.append(out))
    see(task, encoder, images.flip(0), number=1)
    assert task.owners[6:].eq(NOBODY).all()
    now = seen[0].flip(0)
    expected = torch.nn.functional.normalize(0.5 * first + 0.5 * now / now.norm(dim=1, keepdim=True), dim=1)
    assert torch.allclose(task.bank[:6], expected, atol=1e-5)
    assert int(task.next) == 6


def test_new_pictures_take_the_places_of_the_oldest() -> None:
    task, encoder = make()
    for number in range(5):
        see(task, encoder, noise(16, seed=number))
    assert set(task.owners.tolist()) == {
        key for number in range(1, 5) for key in keys_of(noise(16, seed=number)).tolist()
    }
    assert int(task.next) == 16


def test_what_is_remembered_of_a_picture_is_never_a_wrong_answer_to_it() -> None:
    """One picture alone: whatever is held of it, and however often it is in the batch, there is nothing to mix up."""
    task, encoder = make()
    images = noise(1).repeat(3, 1, 1, 1)
    for number in range(3):
        assert see(task, encoder, images, number) == pytest.approx(0.0, abs=1e-6)


def test_held_out_pictures_leave_no_trace() -> None:
    task, encoder = make()
    see(task, encoder, noise(4))
    before = {name: value.clone() for name, value in task.state_dict().items()}
    task.eval(), encoder.eval()
    see(task, encoder, noise(4, seed=5))
    assert all(torch.equal(value, before[name]) for name, value in task.state_dict().items())


def test_the_last_look_of_the_encoder_is_at_whole_pictures() -> None:
    """What its batch norms gather ends with these: it is whole pictures that its features are asked of later."""
    task, encoder = make()
    batch = task.make_batch(noise(4), generator(1))
    sides: list[int] = []
    encoder.conv1.register_forward_pre_hook(lambda _, args: sides.append(args[0].shape[-1]))
    task(encoder, batch)
    assert sides == [16, 48]


def test_pictures_that_cannot_teach_it_are_refused_in_words() -> None:
    with pytest.raises(TaskDoesNotFit, match="24 pixels are too small"):
        Pirl.check(SMALL, noise(4, 24))
    with pytest.raises(TaskDoesNotFit, match="are the same"):
        Pirl.check(SMALL, noise(1).repeat(4, 1, 1, 1))
    blank = noise(4)
    blank[:, :, 8:] = 7
    with pytest.raises(TaskDoesNotFit, match="are blank"):
        Pirl.check(SMALL, blank)
    with pytest.raises(ConfigError, match=r"together they take 0\.75"):
        PirlConfig(gap=0.5, jitter=0.5)


def test_a_wrong_answer_shows_the_picture_that_was_taken() -> None:
    task, encoder = make()
    images = noise(4)
    batch = task.make_batch(images, generator(1))
    with torch.no_grad():
        result = task(encoder, batch)
    result.answers["partner"] = torch.tensor([1, 1, 0, 3])
    puzzles = task.preview(images, batch, result, 4)
    assert [puzzle.correct for puzzle in puzzles] == [False, True, False, True]
    assert (puzzles[1].target == puzzles[1].answer).all()
    assert puzzles[0].answer_label == "takes another picture, among 4"
    assert puzzles[1].answer_label == "finds its picture among 4"
