"""Random views of fine-tuning: the mask moves with its picture, what comes in from outside says nothing."""

import pytest
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.transforms.finetune_views import IGNORE, LIGHT, SHIFT, ZOOM, vary

SIDE = 64


def squares(count: int = 40, left: int = 8) -> tuple[Tensor, Tensor]:
    """Dark pictures with a bright square in the left half, and masks that are 1 on it."""
    masks = torch.zeros(count, SIDE, SIDE, dtype=torch.uint8)
    masks[:, 20:44, left : left + 18] = 1
    images = (0.2 + 0.6 * masks[:, None].float()).expand(-1, 3, -1, -1)
    return images.clone(), masks


def moved(seed: int = 0, *, flip: bool = False, count: int = 40) -> tuple[Tensor, Tensor]:
    images, masks = vary(*squares(count), generator(seed, "views"), flip=flip)
    assert masks is not None
    return images, masks


def centres(masks: Tensor) -> Tensor:
    """Column of the middle of class 1 in each mask, in pixels."""
    columns = torch.arange(SIDE) + 0.5
    inside = (masks == 1).float()
    return (inside * columns).sum(dim=(1, 2)) / inside.sum(dim=(1, 2))


@pytest.mark.parametrize("flip", [False, True])
def test_the_mask_stays_on_the_square(flip: bool) -> None:
    images, masks = moved(flip=flip)
    level = images.mean(dim=1)
    middle = (level.amax(dim=(1, 2), keepdim=True) + level.amin(dim=(1, 2), keepdim=True)) / 2
    known = masks != IGNORE
    wrong = ((level > middle) != (masks == 1)) & known
    assert int(wrong.sum()) <= 0.002 * int(known.sum())  # pixels on the edge of a square that was turned
    assert float((masks != squares()[1]).float().mean(dim=(1, 2)).min()) > 0.005  # every one of them moved


def test_a_mask_holds_its_classes_and_what_came_in_from_outside() -> None:
    _, masks = moved()
    assert masks.dtype == torch.uint8
    assert set(masks.flatten().tolist()) == {0, 1, IGNORE}
    outside = (masks == IGNORE).float()
    assert float(outside[:, 24:40, 24:40].max()) == 0  # the middle is never outside
    assert float(outside.mean()) > 0.01


def test_every_class_number_survives() -> None:
    masks = torch.arange(256, dtype=torch.uint8).view(1, 16, 16).repeat_interleave(8, 1).repeat_interleave(8, 2)
    images = torch.zeros(1, 3, 128, 128)
    seen: set[int] = set()
    for seed in range(6):
        _, views = vary(images, masks, generator(seed, "views"), flip=True)
        assert views is not None
        seen |= set(views.flatten().tolist())
    assert seen == set(range(256))


def test_what_was_to_be_ignored_moves_along() -> None:
    images, masks = squares()
    masks[masks == 1] = IGNORE
    _, views = vary(images, masks, generator(0, "views"), flip=False)
    assert views is not None
    assert torch.equal(views == 0, moved()[1] == 0)


def test_mirroring_happens_to_half_of_them_and_only_where_it_is_allowed() -> None:
    assert float(centres(moved(count=200)[1]).max()) < SIDE / 2
    right = (centres(moved(count=200, flip=True)[1]) > SIDE / 2).float().mean()
    assert 0.4 < float(right) < 0.6


def test_views_stay_within_their_limits() -> None:
    _, masks = moved(count=200)
    area = (masks == 1).sum(dim=(1, 2)) / (24 * 18)
    assert 1 / ZOOM[1] ** 2 * 0.85 < float(area.min()) < 0.9
    assert 1.15 < float(area.max()) < 1 / ZOOM[0] ** 2 * 1.1
    shifts = (centres(masks) - 17).abs() / SIDE
    assert 0.05 < float(shifts.max()) < (SHIFT + 0.12) / ZOOM[0]


@pytest.mark.parametrize("flip", [False, True])
def test_what_is_round_stays_round(flip: bool) -> None:
    """Turned, scaled and mirrored, never slanted or squeezed: that would be another organ, another leaf."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    disc = ((x - 64) ** 2 + (y - 64) ** 2 < 36**2).to(torch.uint8).expand(40, -1, -1)
    _, masks = vary(torch.zeros(40, 3, 128, 128), disc, generator(0, "views"), flip=flip)
    assert masks is not None
    for mask in masks:
        spread = torch.cov(torch.stack([x[mask == 1], y[mask == 1]]))
        narrow, wide = torch.linalg.eigvalsh(spread).tolist()
        assert wide / narrow < 1.05


def test_a_blank_picture_only_changes_its_light() -> None:
    """No black comes in at the edges, and contrast has nothing to work on."""
    images, masks = vary(torch.full((30, 3, 32, 32), 0.5), None, generator(0, "views"), flip=True)
    assert masks is None
    assert float((images - images.mean(dim=(1, 2, 3), keepdim=True)).abs().max()) < 1e-5
    lift = images.mean(dim=(1, 2, 3)) - 0.5
    assert LIGHT / 4 < float(lift.abs().max()) <= LIGHT / 2 + 1e-5


def test_contrast_goes_both_ways_within_its_limits() -> None:
    images, _ = moved(count=200)
    contrast = (images.amax(dim=(1, 2, 3)) - images.amin(dim=(1, 2, 3))) / 0.6
    assert 1 - LIGHT - 0.02 <= float(contrast.min()) < 0.9
    assert 1.1 < float(contrast.max()) <= 1 + LIGHT + 0.02


def test_the_same_generator_gives_the_same_view_and_another_does_not() -> None:
    first, again, other = moved(1), moved(1), moved(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_a_mask_does_not_change_what_is_drawn() -> None:
    images, _ = squares()
    alone, _ = vary(images, None, generator(0, "views"), flip=True)
    assert torch.equal(alone, moved(flip=True)[0])


def test_each_picture_has_a_view_of_its_own_and_the_input_stays() -> None:
    images, masks = squares()
    views, _ = vary(images, masks, generator(0, "views"), flip=False)
    assert not torch.equal(views[0], views[1])
    assert torch.equal(images, squares()[0])
    assert torch.equal(masks, squares()[1])
