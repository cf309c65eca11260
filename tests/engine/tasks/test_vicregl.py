"""VICRegL: places are matched with the places they are, and the two losses are weighed as told."""

import pytest
import torch
from torch import Tensor, nn

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.models.dense_matching import counterparts
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.tasks.base import Batch, TaskResult
from sslstudio.engine.tasks.vicregl import MOST_CELLS, Vicregl, VicreglConfig, pick_evenly
from sslstudio.engine.transforms.draw import GAP
from sslstudio.engine.transforms.draw_views import COLOURS, SPOTS
from sslstudio.engine.transforms.two_views import cell_places, map_places

SMALL = VicreglConfig(expander_dim=16, local_expander_dim=16)
STILL = SMALL.replace(min_crop_area=1.0, mirror=False, turn=0.0, colour_jitter=0.0, grey=0.0, blur=0.0)


def make(config: VicreglConfig) -> tuple[Vicregl, Encoder]:
    encoder = build_encoder(EncoderConfig().resolve(accelerated=False, side=96), seed=0)
    with seed_init(0, "task"):
        return Vicregl(config, encoder.spec), encoder


def silence(head: nn.Module) -> None:
    """Its last layer says the same to everything."""
    last = [layer for layer in head.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(1.0)


def noise(count: int, side: int = 48) -> Tensor:
    coarse = torch.randint(0, 256, (count, 3, 6, 6), dtype=torch.uint8, generator=generator(0, "noise"))
    return coarse.repeat_interleave(side // 6, 2).repeat_interleave(side // 6, 3)


def ask(config: VicreglConfig, batch: Batch | None = None) -> TaskResult:
    task, encoder = make(config)
    with torch.no_grad():
        result: TaskResult = task(encoder, batch or task.make_batch(noise(4), generator(1)))
    return result


def test_the_loss_is_the_weighted_sum_of_whole_and_places() -> None:
    whole, places, both = (float(ask(SMALL.replace(global_weight=share)).loss) for share in (1.0, 0.0, 0.75))
    assert abs(whole - places) > 0.01
    assert both == pytest.approx(0.75 * whole + 0.25 * places, rel=1e-4)


def test_the_published_loss_counts_covariances_of_the_whole_half() -> None:
    only = {"invariance": 0.0, "variance": 0.0, "global_weight": 1.0}
    ours, theirs = (float(ask(SMALL.replace(published=one, **only)).loss) for one in (False, True))
    assert theirs == pytest.approx(ours / 2, rel=1e-5)


def test_the_published_loss_asks_that_pictures_differ_at_each_place() -> None:
    """Places that differ within every picture alike satisfy the variance of all places together, but not that."""
    task, encoder = make(SMALL.replace(invariance=0.0, covariance=0.0, global_weight=0.0))
    published, _ = make(task.config.replace(published=True))
    batch = task.make_batch(noise(4), generator(1))
    own = 3 * torch.randn(16, 16, generator=generator(2))  # of 16 places, the same in each picture
    losses = []
    for one in (task, published):
        one.place_expander.forward = lambda cells: own.repeat(len(cells) // 16, 1)  # type: ignore[method-assign]
        with torch.no_grad():
            losses.append(float(one(encoder, batch).loss))
    assert losses[0] == pytest.approx(0.0, abs=0.1)
    assert losses[1] == pytest.approx(2 * 25 * 0.99, rel=1e-4)  # both ways of matching count


def test_views_that_are_the_same_cost_no_likeness_and_every_place_is_found() -> None:
    result = ask(STILL.replace(variance=0.0, covariance=0.0, global_weight=0.5))
    assert float(result.loss) == pytest.approx(0.0, abs=1e-6)
    assert float(result.metrics["place_accuracy"]) == 1.0
    assert float(result.metrics["accuracy"]) == 1.0


def test_places_are_matched_by_where_they_lie_and_not_by_their_number() -> None:
    """Two windows of one long picture, half a window apart: whoever is told so finds the same things at each spot."""
    task, encoder = make(STILL.replace(variance=0.0, covariance=0.0, global_weight=0.0, matched=0.05))
    long = noise(8, 96)[:, :, :64].float() / 128 - 1  # 96 wide, 64 high
    views = torch.stack([long[..., :64], long[..., 32:]], dim=1)
    windows = torch.tensor([[[2 / 3, 0.0, -1 / 3], [0.0, 1.0, 0.0]], [[2 / 3, 0.0, 1 / 3], [0.0, 1.0, 0.0]]])
    with torch.no_grad():
        told = task(encoder, Batch({"views": views}, {"matrices": windows.expand(8, 2, 2, 3)}))
        misled = task(encoder, Batch({"views": views}, {"matrices": windows[:1].expand(8, 2, 2, 3)}))
    assert float(told.loss) < 0.7 * float(misled.loss)
    assert float(told.metrics["place_accuracy"]) > 2 * float(misled.metrics["place_accuracy"])


def test_a_collapse_costs_the_weight_of_variance_and_shows_in_both_spreads() -> None:
    task, encoder = make(SMALL)
    silence(task.expander)
    silence(task.place_expander)
    with torch.no_grad():
        result = task(encoder, task.make_batch(noise(4), generator(1)))
    assert float(result.loss) == pytest.approx(25 * 0.99, rel=1e-4)
    assert float(result.metrics["spread"]) == pytest.approx(0.0, abs=1e-5)
    assert float(result.metrics["place_spread"]) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(("stage", "cells"), [(1, MOST_CELLS), (3, 4), (4, 2)])
def test_the_map_is_that_of_the_stage_but_never_too_large(stage: int, cells: int) -> None:
    result = ask(SMALL.replace(stage=stage))
    assert result.answers["place"].shape == (4, 2, cells * cells)


def test_the_gradient_of_places_alone_reaches_the_encoder_up_to_the_stage() -> None:
    task, encoder = make(SMALL.replace(global_weight=0.0, stage=2))
    task(encoder, task.make_batch(noise(4), generator(1))).loss.backward()
    early, late = encoder.get_parameter("conv1.weight").grad, encoder.get_parameter("layer4.0.conv1.weight").grad
    assert early is not None
    assert float(early.abs().max()) > 0
    assert late is None or float(late.abs().max()) == 0


def test_the_preview_marks_the_same_spot_in_both_views() -> None:
    """Marked spots of both views are the same place of the picture, and they are where the drawing has them."""
    task, encoder = make(STILL.replace(min_crop_area=0.5))
    images = noise(3)
    batch = task.make_batch(images, generator(1))
    with torch.no_grad():
        result = task(encoder, batch)
    matrices = batch.targets["matrices"]
    side = round(result.answers["place"].shape[-1] ** 0.5)
    spots, shown = counterparts(matrices, side, side)
    puzzles = task.preview(images, batch, result, 3)
    assert len(puzzles) == 3
    for number, puzzle in enumerate(puzzles):
        chosen = pick_evenly(shown[number, 0], SPOTS)
        centres = cell_places(side, side, matrices.device)[chosen]
        in_picture = map_places(matrices[number, 0], centres)
        assert torch.allclose(map_places(matrices[number, 1], spots[number, 0, chosen]), in_picture, atol=1e-5)
        width = (puzzle.target.shape[1] - 3 * GAP) // 2
        for place, (left, right) in enumerate(zip(centres.tolist(), spots[number, 0, chosen].tolist(), strict=True)):
            for view, (x, y) in enumerate((left, right)):
                column = GAP + view * (width + GAP) + (x + 1) / 2 * width
                row = GAP + (y + 1) / 2 * width
                assert COLOURS[place] in {
                    tuple(puzzle.target[min(int(row) + down, puzzle.target.shape[0] - 1), int(column)])
                    for down in (-1, 0, 1)
                }
        assert puzzle.answer is not None
        assert not (puzzle.input == puzzle.target).all()


def test_views_that_are_the_same_are_answered_right() -> None:
    task, encoder = make(STILL)
    images = noise(3)
    batch = task.make_batch(images, generator(1))
    with torch.no_grad():
        result = task(encoder, batch)
    puzzles = task.preview(images, batch, result, 3)
    assert len(puzzles) == 3
    for puzzle in puzzles:
        assert puzzle.correct
        assert puzzle.answer_label == f"finds {SPOTS} of {SPOTS} spots"
        assert puzzle.answer is not None
        assert (puzzle.answer == puzzle.target).all()


def test_a_spot_is_found_within_a_cell_and_not_far_away() -> None:
    """Answers that point to the opposite corner find nothing; those that are a cell off find all."""
    task, encoder = make(STILL)
    images = noise(3)
    batch = task.make_batch(images, generator(1))
    with torch.no_grad():
        result = task(encoder, batch)
    right = result.answers["place"]
    side = round(right.shape[-1] ** 0.5)
    rows, columns = right // side, right % side
    far = (rows + side // 2) % side * side + (columns + side // 2) % side
    beside = rows * side + torch.where(columns + 1 < side, columns + 1, columns - 1)
    for said, found in ((far, 0), (beside, SPOTS)):
        answered = TaskResult(result.loss, result.metrics, {**result.answers, "place": said})
        puzzles = task.preview(images, batch, answered, 3)
        assert [puzzle.answer_label for puzzle in puzzles] == [f"finds {found} of {SPOTS} spots"] * 3


def test_shown_spots_are_few_and_spread_out() -> None:
    shown = torch.tensor([True] * 20 + [False] * 5)
    assert pick_evenly(shown, 5).tolist() == [0, 5, 10, 14, 19]
    assert pick_evenly(shown[18:], 5).tolist() == [0, 1]
