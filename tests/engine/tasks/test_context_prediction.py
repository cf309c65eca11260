"""Context prediction: every pair has the right name, patches keep apart, and people see the truth."""

import numpy as np
import pytest
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.errors import ConfigError, TaskDoesNotFit
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.tasks.base import Batch, TaskResult
from sslstudio.engine.tasks.context_prediction import NEIGHBOURS, PAIRS, ContextConfig, ContextPrediction
from sslstudio.engine.transforms import draw, geometry

PLAIN = ContextConfig(colour="keep", degrade=0.0, turn=0.0)
every_pairs = pytest.mark.parametrize("pairs", ["all", "centre"])
STEPS = {  # name -> (x, y) from the centre, y downwards: written out by hand, not derived from the code
    "above left": (-1, -1), "straight above": (0, -1), "above right": (1, -1), "to the left": (-1, 0),
    "to the right": (1, 0), "below left": (-1, 1), "straight below": (0, 1), "below right": (1, 1),
}  # fmt: skip


def small_encoder(side: int = 48) -> Encoder:
    return build_encoder(EncoderConfig().resolve(accelerated=False, side=side), seed=0)


def make_task(config: ContextConfig, encoder: Encoder | None = None) -> ContextPrediction:
    spec = (encoder or small_encoder()).spec
    with seed_init(0, "task"):
        return ContextPrediction(config, spec)


def noise(count: int, side: int = 48, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator(seed, "noise"))


def slopes(count: int, side: int = 64) -> Tensor:
    """Red grows with x and green with y, so a patch's mean colour says where it was."""
    shade = (torch.arange(side) * (255 / side)).to(torch.uint8)
    red, green = shade.expand(side, -1), shade.view(-1, 1).expand(-1, side)
    return torch.stack([red, green, torch.full_like(red, 9)]).expand(count, -1, -1, -1)


def boxes_of(config: ContextConfig, side: int, count: int = 200) -> Tensor:
    return make_task(config).make_batch(noise(count, side), generator(1)).targets["boxes"]


@pytest.mark.parametrize(("gap", "jitter"), [(0.25, 0.073), (0.5, 0.073), (0.2, 0.1), (0.0, 0.0)])
def test_patches_keep_apart_and_stay_in_the_picture(gap: float, jitter: float) -> None:
    boxes = boxes_of(ContextConfig(gap=gap, jitter=jitter, turn=0.0), 64).view(-1, 3, 3, 4)
    least = (gap - 2 * jitter) * (boxes[:, 0, 0, 2] - boxes[:, 0, 0, 0])
    assert ((boxes[:, :, 1:, 0] - boxes[:, :, :-1, 2]).amin(dim=(1, 2)) >= least - 1e-3).all()
    assert ((boxes[:, 1:, :, 1] - boxes[:, :-1, :, 3]).amin(dim=(1, 2)) >= least - 1e-3).all()
    assert float(boxes.min()) >= -1e-3
    assert float(boxes.max()) <= 64 + 1e-3


def test_the_grid_fills_the_picture_and_jitter_its_room() -> None:
    boxes = boxes_of(ContextConfig(min_crop_side=1.0, turn=0.0), 96, 500)
    extent = float(boxes[0, 0, 2] - boxes[0, 0, 0])
    assert extent == pytest.approx(96 / (3 + 2 * 0.25 + 2 * 0.073))
    moved = (boxes[:, 4, :2] + boxes[:, 4, 2:]) / 2 - 48
    assert float(moved.abs().max()) == pytest.approx(0.073 * extent, rel=0.03)


@pytest.mark.parametrize(("side", "patch"), [(48, 20), (64, 28), (96, 32), (128, 36)])
def test_the_patch_follows_from_the_picture(side: int, patch: int) -> None:
    assert make_task(ContextConfig()).patch_side(noise(1, side)) == patch
    assert make_task(ContextConfig(patch=20)).patch_side(noise(1, side)) == 20


def test_all_pairs_are_the_forty_that_touch_both_ways_round() -> None:
    named = {STEPS[name]: number for number, name in enumerate(NEIGHBOURS)}
    places = [(x, y) for y in range(3) for x in range(3)]
    expected = {
        (first, second, named[(x - a, y - b)])
        for first, (a, b) in enumerate(places)
        for second, (x, y) in enumerate(places)
        if (x - a, y - b) in named
    }
    assert len(PAIRS["all"]) == 40
    assert set(PAIRS["all"]) == expected
    assert set(PAIRS["centre"]) == {pair for pair in expected if pair[0] == 4}


def test_with_all_pairs_the_second_patch_s_place_is_not_the_answer() -> None:
    """Who knows the place of the second patch alone is right once where it has one side, never more than 1 in 3."""
    for pairs, most in (("centre", 1.0), ("all", 1 / 3)):
        sides: dict[int, list[int]] = {}
        for _, second, side in PAIRS[pairs]:
            sides.setdefault(second, []).append(side)
        assert max(1 / len(set(one)) for one in sides.values()) == pytest.approx(most)


def test_the_centre_s_pairs_are_answered_to_the_bit_alike_among_all() -> None:
    """The same nine encodings and weights: what was asked before is part of what is asked now."""
    images, encoder = noise(6), small_encoder().eval()
    before, now = make_task(PLAIN.replace(pairs="centre"), encoder).eval(), make_task(PLAIN, encoder).eval()
    answers = [task(encoder, task.make_batch(images, generator(11))).answers["neighbour"] for task in (before, now)]
    among = [PAIRS["all"].index(pair) for pair in PAIRS["centre"]]
    assert torch.equal(answers[0], answers[1][:, among])


@every_pairs
def test_every_pair_is_what_its_name_says(pairs: str) -> None:
    """The head's own input is read: where the second patch lies from the first, and the target that goes with it."""
    encoder = small_encoder()
    task = make_task(PLAIN.replace(pairs=pairs), encoder)
    batch = task.make_batch(slopes(5), generator(2))
    boxes = batch.targets["boxes"]
    centres = ((boxes[..., :2] + boxes[..., 2:]) / 2).flatten(0, 1)  # (B * 9, 2) as x, y
    content = geometry.cut_patches(
        geometry.to_float(slopes(5)), centres.view(5, 9, 2), boxes[:, 0, 2] - boxes[:, 0, 0], 16
    ).mean(dim=(3, 4))[..., :2].flatten(0, 1) * 64  # fmt: skip
    assert torch.allclose(content, centres, atol=1.0)  # the colours and the boxes tell the same place
    embedded = content.repeat(1, encoder.spec.dim // 2)
    seen: list[Tensor] = []
    task.head.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    encoder.forward = lambda images: embedded  # type: ignore[method-assign]
    task(encoder, batch)
    first, second = seen[0][:, :2], seen[0][:, encoder.spec.dim : encoder.spec.dim + 2]
    extent = (boxes[:, 0, 2] - boxes[:, 0, 0]).repeat_interleave(len(PAIRS[pairs]))
    steps = ((second - first) / (1.25 * extent[:, None])).round().int().tolist()
    names = [NEIGHBOURS[number] for number in batch.targets["neighbour"].flatten().tolist()]
    assert [tuple(step) for step in steps] == [STEPS[name] for name in names]


def test_the_patches_are_cut_where_the_boxes_are_also_when_mirrored() -> None:
    images = noise(12, 64)
    batch = make_task(PLAIN.replace(mirror=True, patch=16)).make_batch(images, generator(3))
    boxes = batch.targets["boxes"]
    cut = geometry.cut_patches(
        geometry.to_float(images), (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[:, 0, 2] - boxes[:, 0, 0], 16
    )
    cut = geometry.standardise_each(cut)
    straight = (cut - batch.inputs["patches"]).abs().amax(dim=(1, 2, 3, 4)) < 1e-2
    turned = (cut.flip(-1) - batch.inputs["patches"]).abs().amax(dim=(1, 2, 3, 4)) < 1e-2
    assert (straight ^ turned).all()
    assert 0 < int(turned.sum()) < 12


@pytest.mark.parametrize("colour", ["drop", "project", "keep"])
def test_every_patch_has_mean_0_and_rms_1(colour: str) -> None:
    patches = make_task(ContextConfig(colour=colour)).make_batch(noise(8), generator(4)).inputs["patches"]
    assert torch.allclose(patches.mean(dim=(2, 3, 4)), torch.zeros(8, 9), atol=1e-5)
    assert torch.allclose(patches.square().mean(dim=(2, 3, 4)).sqrt(), torch.ones(8, 9), atol=1e-2)


def test_drop_leaves_one_channel_of_a_patch_and_all_of_a_grey_picture() -> None:
    images = noise(6)
    images[3:] = images[3:, :1]
    patches = make_task(ContextConfig(degrade=0.0)).make_batch(images, generator(5)).inputs["patches"]
    deviation = patches.std(dim=(3, 4)).sort(dim=2).values  # (B, 9, 3)
    assert float(deviation[:3, :, 1].max()) < 0.05
    assert float(deviation[:3, :, 2].min()) > 1.5
    assert torch.allclose(deviation[3:, :, 0], deviation[3:, :, 2], atol=1e-4)


def test_project_takes_out_the_green_magenta_axis() -> None:
    patches = make_task(ContextConfig(colour="project")).make_batch(noise(6), generator(6)).inputs["patches"]
    axis = 2 * patches[:, :, 1] - patches[:, :, 0] - patches[:, :, 2]
    assert float((axis - axis.mean(dim=(2, 3), keepdim=True)).abs().max()) < 1e-4


def test_nothing_can_be_learnt_where_the_place_does_not_show() -> None:
    encoder = small_encoder()
    task = make_task(ContextConfig(), encoder)
    optimiser = torch.optim.AdamW([*encoder.parameters(), *task.parameters()], lr=1e-3)
    accuracy: list[float] = []
    for step in range(20):
        result = task(encoder, task.make_batch(noise(16, 36, seed=step), generator(7, step)))
        optimiser.zero_grad()
        result.loss.backward()
        optimiser.step()
        accuracy.append(float(result.metrics["accuracy"]))
    assert sum(accuracy[10:]) / 10 < 0.125 + 5 * (0.125 * 0.875 / (10 * 16 * 8)) ** 0.5


def test_the_norm_in_the_head_has_no_scale_and_no_shift() -> None:
    norms = [layer for layer in make_task(PLAIN).head.modules() if isinstance(layer, torch.nn.BatchNorm1d)]
    assert norms
    assert all(norm.weight is None and norm.bias is None for norm in norms)


def test_small_pictures_and_blank_pictures_are_refused_in_words() -> None:
    with pytest.raises(TaskDoesNotFit, match=r"pictures of 24 pixels leave 6\.6\. Set the picture side to 30 pixels"):
        ContextPrediction.check(ContextConfig(), noise(4, 24))
    ContextPrediction.check(ContextConfig(), noise(4, 30))
    with pytest.raises(TaskDoesNotFit, match="100% of the ninths"):
        ContextPrediction.check(ContextConfig(), torch.zeros(4, 3, 48, 48, dtype=torch.uint8))


def test_patches_that_could_overlap_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"jitter = 0.2 lets patches overlap.*a jitter of 0.125"):
        ContextConfig(jitter=0.2)


def answered(said: Tensor) -> TaskResult:
    return TaskResult(torch.zeros(()), {}, {"neighbour": said})


@every_pairs
def test_the_preview_asks_for_different_sides_and_marks_the_right_one(pairs: str) -> None:
    task, images = make_task(PLAIN.replace(pairs=pairs)), slopes(8)
    batch = task.make_batch(images, generator(8))
    puzzles = task.preview(images, batch, answered(batch.targets["neighbour"]), 64)
    assert len(puzzles) == 64
    assert {puzzle.label for puzzle in puzzles[:8]} == set(NEIGHBOURS)
    for puzzle in puzzles:
        assert puzzle.correct is True
        assert np.array_equal(puzzle.target, puzzle.answer)  # type: ignore[arg-type]
        assert marked_step(puzzle.target, draw.RIGHT) == STEPS[puzzle.label]
        assert marked_step(puzzle.source, draw.RIGHT) == STEPS[puzzle.label]


def marked_step(picture: draw.Picture, colour: draw.Colour) -> tuple[int, int]:
    """Where the outline of that colour lies from the centre's outline, in steps (x, y)."""

    def middle(wanted: draw.Colour) -> tuple[float, float]:
        rows, columns = np.nonzero((picture == wanted).all(axis=2))
        return (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2

    (x, y), (cx, cy) = middle(colour), middle(draw.MARK)
    least = picture.shape[0] / 8  # the squares of a smaller crop lie closer
    return tuple(int(np.sign(d)) if abs(d) > least else 0 for d in (x - cx, y - cy))  # type: ignore[return-value]


def test_a_wrong_answer_is_marked_as_wrong_where_the_network_said() -> None:
    task, images = make_task(ContextConfig()), noise(8, 64)
    batch: Batch = task.make_batch(images, generator(9))
    said = (batch.targets["neighbour"] + 3) % 8
    puzzles = task.preview(images, batch, answered(said), 8)
    assert len(puzzles) == 8
    for puzzle in puzzles:
        assert puzzle.answer is not None
        assert puzzle.correct is False
        assert puzzle.answer_label != puzzle.label
        assert marked_step(puzzle.answer, draw.WRONG) == STEPS[puzzle.answer_label]


def test_the_question_shows_the_centre_and_then_the_neighbour() -> None:
    task, images = make_task(PLAIN), noise(3, 64)
    batch = task.make_batch(images, generator(10))
    puzzle = task.preview(images, batch, None, 1)[0]
    patches = [
        draw.magnify(draw.to_picture(patch, standardised=True), 64) for patch in batch.inputs["patches"][0, [4, 0]]
    ]
    assert puzzle.label == "above left"
    assert np.array_equal(puzzle.input, draw.board(patches, 2, 6))
    assert puzzle.answer is None
