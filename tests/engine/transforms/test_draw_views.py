"""What of two views is drawn for people: the network's pick is among the choices that are shown."""

import numpy as np
import pytest
import torch

from sslstudio.engine.transforms import draw
from sslstudio.engine.transforms.draw_views import CHOICES, show_pair


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("taken", range(8))
def test_the_pick_of_the_network_is_among_the_choices(number: int, taken: int) -> None:
    views = torch.stack([torch.full((2, 3, 16, 16), 0.1 * one) for one in range(8)])  # each a grey of its own
    images = torch.zeros(8, 3, 16, 16, dtype=torch.uint8)
    matrices = torch.eye(2, 3).expand(8, 2, 2, 3)
    shown = show_pair(images, views, matrices, [taken] * 8, number)
    asked, answer = np.asarray(shown.input), np.asarray(shown.answer)
    greys = {int(grey) for grey in np.unique(asked)}
    assert round(25.5 * taken) in greys
    assert round(25.5 * number) in greys
    assert answer.shape == asked.shape  # the same choices, one of them marked
    mark = draw.RIGHT if taken == number else draw.WRONG
    assert (answer == np.array(mark)).all(axis=-1).any()
    assert shown.correct == (taken == number)


def test_before_there_is_an_answer_there_are_as_many_choices() -> None:
    views, matrices = torch.rand(8, 2, 3, 16, 16), torch.eye(2, 3).expand(8, 2, 2, 3)
    shown = show_pair(torch.zeros(8, 3, 16, 16, dtype=torch.uint8), views, matrices, None, 1)
    assert shown.answer is None
    assert CHOICES == 3
