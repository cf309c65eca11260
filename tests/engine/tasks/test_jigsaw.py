"""The jigsaw puzzle: geometry, pseudo labels, defences and what people see."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import ConfigError, TaskDoesNotFit
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.models.heads import Mlp
from sslstudio.engine.tasks.base import Batch, TaskResult
from sslstudio.engine.tasks.context_prediction import ContextConfig
from sslstudio.engine.tasks.jigsaw import Jigsaw, JigsawConfig, permute_embeddings
from sslstudio.engine.transforms import geometry
from sslstudio.engine.transforms.permutations import permutation_set

PLAIN = JigsawConfig(normalise=False, grey=0.0, chroma_shift=0.0, turn=0.0)


def small_encoder(side: int = 48) -> Encoder:
    return build_encoder(EncoderConfig().resolve(accelerated=False, side=side), seed=0)


def make_task(config: JigsawConfig, encoder: Encoder | None = None) -> Jigsaw:
    spec = (encoder or small_encoder()).spec
    with seed_init(0, "task"):
        return Jigsaw(config, spec)


def noise(count: int, side: int = 48, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator(seed, "noise"))


def numbered(count: int, side: int = 90) -> Tensor:
    """Pictures whose nine cells have the shades 10, 30, ..., 170, row by row."""
    shades = (torch.arange(9, dtype=torch.uint8) * 20 + 10).view(3, 3)
    picture = shades.repeat_interleave(side // 3, 0).repeat_interleave(side // 3, 1)
    return picture.expand(count, 3, -1, -1)


@pytest.mark.parametrize(("gap", "jitter"), [(0.0, 0.0), (0.05, 0.2), (0.0, 0.5), (0.5, 0.0), (0.3, 0.3)])
def test_a_tile_never_leaves_its_cell_and_keeps_the_gap(gap: float, jitter: float) -> None:
    config = JigsawConfig(gap=gap, jitter=jitter, min_crop_side=1.0, turn=0.0)
    boxes = make_task(config).make_batch(noise(64, 96), generator(1)).targets["boxes"].view(64, 3, 3, 4)
    cell = 32
    for row in range(3):
        for column in range(3):
            left, top, right, bottom = boxes[:, row, column].unbind(-1)
            assert float((left - column * cell).min()) >= gap / 2 * cell - 1e-3
            assert float(((column + 1) * cell - right).min()) >= gap / 2 * cell - 1e-3
            assert float((top - row * cell).min()) >= gap / 2 * cell - 1e-3
            assert float(((row + 1) * cell - bottom).min()) >= gap / 2 * cell - 1e-3
    assert torch.allclose(boxes[..., 2] - boxes[..., 0], torch.tensor((1 - gap - jitter) * cell), atol=1e-3)


def test_jitter_uses_all_its_room() -> None:
    config = JigsawConfig(gap=0.0, jitter=0.25, min_crop_side=1.0, turn=0.0)
    boxes = make_task(config).make_batch(noise(500, 96), generator(1)).targets["boxes"]
    left = boxes[:, 4, 0] - 32
    assert float(left.min()) < 0.2
    assert float(left.max()) > 7.8


@pytest.mark.parametrize(("side", "tile"), [(32, 16), (64, 24), (96, 32), (128, 32), (256, 64)])
def test_the_tile_follows_from_the_picture(side: int, tile: int) -> None:
    assert make_task(JigsawConfig()).tile_side(noise(1, side)) == tile
    assert make_task(JigsawConfig(tile=20)).tile_side(noise(1, side)) == 20


def test_tiles_are_in_true_order() -> None:
    config = PLAIN.replace(min_crop_side=1.0)
    tiles = make_task(config).make_batch(numbered(6), generator(2)).inputs["tiles"]
    shades = (tiles * 0.25 + 0.5).mean(dim=(2, 3, 4)) * 255
    assert torch.allclose(shades, (torch.arange(9.0) * 20 + 10).expand(6, -1), atol=0.5)


def test_tiles_show_what_lies_in_their_boxes_also_when_mirrored() -> None:
    config = PLAIN.replace(mirror=True, tile=16)
    images = noise(12, 96)
    batch = make_task(config).make_batch(images, generator(3))
    tiles, boxes = batch.inputs["tiles"] * 0.25 + 0.5, batch.targets["boxes"]
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    extent = boxes[:, 0, 2] - boxes[:, 0, 0]
    cut = geometry.cut_patches(geometry.to_float(images), centres, extent, 16)
    straight = (cut - tiles).abs().amax(dim=(1, 2, 3, 4)) < 1e-3
    turned = (cut.flip(-1) - tiles).abs().amax(dim=(1, 2, 3, 4)) < 1e-3
    assert (straight ^ turned).all()
    assert 0 < int(turned.sum()) < 12


def test_the_head_gets_the_tiles_as_the_permutation_lays_them() -> None:
    """With an encoder that reads off a shade, the network's question can be looked at: place i shows tile order[i]."""
    encoder = small_encoder()
    task = make_task(
        JigsawConfig(normalise=False, grey=0.0, chroma_shift=0.0, min_crop_side=1.0, permutations=72, turn=0.0), encoder
    )
    batch = task.make_batch(numbered(4), generator(4))
    seen: list[Tensor] = []
    task.project = torch.nn.Sequential()
    task.head = Mlp(9 * encoder.spec.dim, 8, 72)
    task.head.register_forward_pre_hook(lambda _, args: seen.append(args[0]))

    def mean_shade(images: Tensor) -> Tensor:
        return ((images * 0.25 + 0.5).mean(dim=(1, 2, 3)) * 255)[:, None].expand(-1, encoder.spec.dim)

    encoder.forward = mean_shade  # type: ignore[method-assign]
    task(encoder, batch)
    tiles = ((seen[0].view(4, 8, 9, -1)[..., 0] - 10) / 20).round().long()
    expected = torch.from_numpy(permutation_set(72).copy())[batch.targets["permutation"]]
    assert torch.equal(tiles, expected)


def test_the_answer_is_read_from_the_tiles_alone() -> None:
    """Same tiles, same question, other target: same answer."""
    encoder = small_encoder()
    task = make_task(JigsawConfig(permutations=8), encoder)
    batch = task.make_batch(noise(4), generator(5))
    other = Batch(batch.inputs, {**batch.targets, "permutation": (batch.targets["permutation"] + 1) % 8})
    first, second = task(encoder, batch), task(encoder, other)
    assert torch.equal(first.answers["permutation"], second.answers["permutation"])
    assert first.loss.item() != second.loss.item()


def test_nothing_can_be_learnt_where_the_order_does_not_show() -> None:
    encoder = small_encoder()
    task = make_task(JigsawConfig(permutations=8), encoder)
    optimiser = torch.optim.AdamW([*encoder.parameters(), *task.parameters()], lr=1e-3)
    accuracy: list[float] = []
    for step in range(20):
        result = task(encoder, task.make_batch(noise(16, 36, seed=step), generator(6, step)))
        optimiser.zero_grad()
        result.loss.backward()
        optimiser.step()
        accuracy.append(float(result.metrics["accuracy"]))
    assert sum(accuracy[10:]) / 10 < 0.125 + 5 * (0.125 * 0.875 / (10 * 16 * 8)) ** 0.5


def test_every_tile_has_mean_0_and_deviation_1_unless_that_is_switched_off() -> None:
    tiles = make_task(JigsawConfig()).make_batch(noise(8), generator(7)).inputs["tiles"]
    assert torch.allclose(tiles.mean(dim=(2, 3, 4)), torch.zeros(8, 9), atol=1e-5)
    assert torch.allclose(tiles.std(dim=(2, 3, 4), correction=0), torch.ones(8, 9), atol=1e-3)
    raw = make_task(PLAIN).make_batch(noise(8), generator(7)).inputs["tiles"]
    assert float(raw.mean(dim=(2, 3, 4)).abs().max()) > 0.01


def test_the_share_of_grey_pictures() -> None:
    images = torch.rand(600, 3, 1, 1, generator=generator(8)).mul(255).to(torch.uint8).expand(-1, -1, 48, 48)
    task = make_task(JigsawConfig(normalise=False, grey=0.3, chroma_shift=0.0))
    tiles = task.make_batch(images, generator(9)).inputs["tiles"]
    is_grey = (tiles.amax(dim=2) - tiles.amin(dim=2)).amax(dim=(1, 2, 3)) < 1e-5
    assert 0.25 < float(is_grey.float().mean()) < 0.36


def test_colour_channels_are_displaced_in_colour_pictures_only() -> None:
    shade = noise(6, 96)[:, :1].expand(-1, 3, -1, -1)
    tinted = (shade.float() * torch.tensor([1.0, 0.7, 0.5]).view(1, 3, 1, 1)).to(torch.uint8)
    task = make_task(JigsawConfig(normalise=False, grey=0.0, chroma_shift=2.0, turn=0.0))
    grey_tiles = task.make_batch(shade, generator(10)).inputs["tiles"]
    assert torch.allclose(grey_tiles[:, :, 0], grey_tiles[:, :, 1], atol=1e-5)
    shifted = task.make_batch(tinted, generator(10)).inputs["tiles"].flatten(0, 1)
    red, blue = shifted[:, 0].flatten(1), shifted[:, 2].flatten(1)
    agreement = torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(red, blue, strict=True)])
    assert float(agreement.median()) < 0.97
    still = make_task(PLAIN).make_batch(tinted, generator(10)).inputs["tiles"].flatten(0, 1)
    assert float(torch.corrcoef(torch.stack([still[0, 0].flatten(), still[0, 2].flatten()]))[0, 1]) > 0.999


def test_small_pictures_and_blank_pictures_are_refused_in_words() -> None:
    with pytest.raises(TaskDoesNotFit, match="28 pixels are too small"):
        Jigsaw.check(JigsawConfig(), noise(4, 28))
    blank = torch.full((4, 3, 48, 48), 200, dtype=torch.uint8)
    blank[:, :, 20:28, 20:28] = noise(4, 8)
    with pytest.raises(TaskDoesNotFit, match="89% of the tiles"):
        Jigsaw.check(JigsawConfig(), blank)
    Jigsaw.check(JigsawConfig(), noise(4, 32))


def test_gap_and_jitter_must_leave_room_for_a_tile() -> None:
    with pytest.raises(ConfigError, match=r"gap = 0.5 and jitter = 0.4"):
        JigsawConfig(gap=0.5, jitter=0.4)


def answered(batch: Batch, said: Tensor) -> TaskResult:
    return TaskResult(torch.zeros(()), {}, {"permutation": said})


def test_a_right_answer_puts_the_board_together_and_a_wrong_one_does_not() -> None:
    task = make_task(JigsawConfig())
    images = noise(3)
    batch = task.make_batch(images, generator(11))
    right = batch.targets["permutation"]
    good = task.preview(images, batch, answered(batch, right), 3)
    bad = task.preview(images, batch, answered(batch, (right + 1) % 72), 3)
    for puzzle, wrong in zip(good, bad, strict=True):
        assert puzzle.correct is True
        assert np.array_equal(puzzle.answer, puzzle.target)  # type: ignore[arg-type]
        assert puzzle.label == puzzle.answer_label
        assert wrong.correct is False
        assert not np.array_equal(wrong.answer, wrong.target)  # type: ignore[arg-type]
        assert wrong.label == puzzle.label != wrong.answer_label


def test_the_drawn_question_is_the_permutation_in_the_label() -> None:
    task = make_task(PLAIN.replace(min_crop_side=1.0))
    images = numbered(2)
    batch = task.make_batch(images, generator(12))
    puzzles = task.preview(images, batch, None, 2)
    assert len(puzzles) == 2
    for puzzle in puzzles:
        side = (puzzle.input.shape[0] - 6) // 3
        middles = puzzle.input[side // 2 :: side, side // 2 :: side, 0][:3, :3].flatten().astype(float)
        said = [int(word) for word in puzzle.label.split(": ")[1].split()]
        assert np.argsort(np.argsort(middles)).tolist() == [tile - 1 for tile in said]
        assert puzzle.answer is None
        assert puzzle.correct is None


def test_previews_come_from_every_picture_first_and_end_with_the_questions() -> None:
    task = make_task(JigsawConfig(permutations_per_picture=2))
    images = noise(3)
    batch = task.make_batch(images, generator(13))
    puzzles = task.preview(images, batch, None, 100)
    assert len(puzzles) == 6
    numbers = batch.targets["permutation"].T.flatten().tolist()
    assert [int(puzzle.label.split()[1]) - 1 for puzzle in puzzles] == numbers


def test_boxes_are_not_among_the_inputs() -> None:
    batch = make_task(JigsawConfig()).make_batch(noise(2), generator(14))
    assert set(batch.inputs) == {"tiles", "order"}
    wiped = replace(batch, targets={**batch.targets, "boxes": torch.zeros(2, 9, 4)})
    encoder = small_encoder()
    task = make_task(JigsawConfig(), encoder)
    assert task(encoder, batch).loss.item() == task(encoder, wiped).loss.item()


def test_embeddings_are_permuted_to_the_bit_and_their_gradient_is_the_same_each_time() -> None:
    rng = generator(0, "embeddings")
    embedded = torch.randn(16, 9, 256, generator=rng, requires_grad=True)
    orders = torch.rand(16, 8, 9, generator=rng).argsort(dim=-1)
    weights = torch.randn(16, 8, 9, 256, generator=rng)
    picked = embedded[torch.arange(16).view(-1, 1, 1), orders]
    assert torch.equal(permute_embeddings(embedded, orders), picked)
    (expected,) = torch.autograd.grad((picked * weights).sum(), embedded)
    gradients = [
        torch.autograd.grad((permute_embeddings(embedded, orders) * weights).sum(), embedded)[0] for _ in range(5)
    ]
    assert torch.allclose(gradients[0], expected, atol=1e-5)
    assert all(torch.equal(one, gradients[0]) for one in gradients)


@pytest.mark.parametrize("config", [JigsawConfig, ContextConfig])
def test_crops_are_never_larger_than_the_largest(config: type[JigsawConfig] | type[ContextConfig]) -> None:
    with pytest.raises(ConfigError, match=r"min_crop_side = 0\.75 is more than max_crop_side = 0\.6"):
        config(max_crop_side=0.6)
    task = JigsawConfig(min_crop_side=0.4, max_crop_side=0.6)
    boxes = make_task(task).make_batch(noise(40, 96), generator(1)).targets["boxes"]
    reach = (boxes[..., 2].amax(dim=1) - boxes[..., 0].amin(dim=1)) / 96
    assert float(reach.max()) < 0.6 * 2**0.5
