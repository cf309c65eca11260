"""Heat lies where the answer comes from."""

import warnings

import numpy as np
import pytest
import torch
from torch import Tensor

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.evaluate.occlusion import PATCHES, entropy, occlusion

SIDE = 48


def looks_at_the_corner(images: Tensor) -> Tensor:
    """Probabilities that depend on the brightness of the left upper quarter alone."""
    share = images[:, :, : SIDE // 2, : SIDE // 2].mean(dim=(1, 2, 3))
    return torch.stack([share, 1 - share], dim=1)


def picture() -> Tensor:
    image = torch.full((1, 3, SIDE, SIDE), 0.2)
    image[:, :, 6:18, 6:18] = 1.0
    return image


def test_what_is_covered_and_counts_is_hot() -> None:
    heat = to_end(occlusion(looks_at_the_corner, picture(), 0, RunControl()))
    assert heat.shape == (SIDE, SIDE)
    top, left = np.unravel_index(int(heat.argmax()), heat.shape)
    assert 4 <= top < 20
    assert 4 <= left < 20
    assert np.abs(heat[-12:, -12:]).max() < 1e-6
    assert heat.max() > 0


def test_the_other_class_gets_the_opposite() -> None:
    ours, theirs = (to_end(occlusion(looks_at_the_corner, picture(), target, RunControl())) for target in (0, 1))
    assert np.allclose(ours, -theirs, atol=1e-6)


@pytest.mark.parametrize("size", [(48, 48), (50, 50), (30, 48), (7, 7)])
def test_row_by_row_it_is_what_captum_finds_at_once(size: tuple[int, int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from captum.attr import Occlusion

    height, width = size
    image, weight = torch.rand(1, 3, height, width), torch.rand(3, height, width)

    def answers(images: Tensor) -> Tensor:
        share = ((images * weight).mean(dim=(1, 2, 3)) + images.std(dim=(1, 2, 3))).sigmoid()
        return torch.stack([share, 1 - share], dim=1)

    steps = occlusion(answers, image, 0, RunControl())
    stride = max(1, width // PATCHES)
    side = min(width, 2 * stride)
    colour = image.mean(dim=(2, 3), keepdim=True).expand_as(image)
    theirs = Occlusion(answers).attribute(
        image, (3, side, side), strides=(3, stride, stride), baselines=colour, target=0
    )  # fmt: skip
    np.testing.assert_allclose(to_end(steps), theirs[0].mean(dim=0).numpy(), atol=1e-6)


def test_it_says_how_far_it_is() -> None:
    said = list(occlusion(looks_at_the_corner, picture(), 0, RunControl()))
    assert [one.done for one in said] == list(range(said[-1].total + 1))
    assert said[-1].total == 11


def test_it_can_be_stopped() -> None:
    control = RunControl()
    control.stop()
    with pytest.raises(RunError, match="Stopped"):
        to_end(occlusion(looks_at_the_corner, picture(), 0, control))


def test_entropy_is_one_where_all_classes_are_alike_and_zero_where_one_is_sure() -> None:
    chances = torch.zeros(4, 2, 2)
    chances[1] = 1.0
    chances[:, 0, 0] = 0.25
    found = entropy(chances)
    assert found[0, 0] == pytest.approx(1.0)
    assert found[1, 1] == pytest.approx(0.0, abs=1e-6)
