import math

import pytest
import torch
from torch import Tensor

from sslstudio.engine.transforms.colour_quiz import FAINT, HUES, colour_spots


def scene(hue: float, strength: float = 40.0) -> tuple[Tensor, Tensor]:
    """A picture of 16 x 16 with one coloured patch in a grey one: light (1, 1, 16, 16) and ab (1, 2, 8, 8)."""
    ab = torch.zeros(1, 2, 8, 8)
    ab[0, :, 2:5, 3:6] = torch.tensor([strength * math.cos(hue), strength * math.sin(hue)]).view(2, 1, 1)
    return torch.full((1, 1, 16, 16), 55.0), ab


@pytest.mark.parametrize(("hue", "right"), [(0.3, 0), (2.0, 1), (3.5, 2), (5.5, 3)])
def test_the_colour_of_the_most_colourful_spot_is_asked(hue: float, right: int) -> None:
    light, ab = scene(hue)
    ((pieces, choices, truth, answer, _),) = colour_spots(light, ab, ab, 3)
    assert truth == (right,)
    assert choices == HUES
    assert answer == truth  # a network that paints the true colours picks the right one
    colours = {tuple(piece[0, 0].tolist()) for piece in pieces[1:]}
    assert len(colours) == 4


def test_another_hue_is_another_answer() -> None:
    light, ab = scene(0.3)
    _, turned = scene(0.3 + math.pi)
    ((_, _, truth, answer, _),) = colour_spots(light, ab, turned, 1)
    assert truth == (0,)
    assert answer == (2,)


def test_grey_pictures_are_left_out() -> None:
    light, ab = scene(1.0, FAINT / 2)
    assert colour_spots(light, ab, None, 3) == []
