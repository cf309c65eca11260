"""Pairs of views as pictures for people: where they were cut from, and which view the network takes for the partner."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from sslstudio.engine.core.messages import Message
from sslstudio.engine.transforms import draw
from sslstudio.engine.transforms.draw import Colour, Picture
from sslstudio.engine.transforms.two_views import corners

BOARD_SIDE = 192  # pixels: pictures for people are enlarged to about this
GAP = 6  # pixels between the views of a drawn board
CHOICES = 3  # second views that are shown beside a first one
SECOND: Colour = (230, 159, 0)  # the outline of the second view; the first has draw.MARK


class Shown(NamedTuple):
    """A puzzle in the order of the fields of `tasks.base.Puzzle`."""

    source: Picture
    asked: Picture
    truth: Picture
    answer: Picture | None
    label: str
    answer_label: str
    correct: bool | None


def show_pair(images: Tensor, views: Tensor, matrices: Tensor, partners: Sequence[int] | None, number: int) -> Shown:
    """Picture `number` of images (B, 3, H, W): "which second view goes with this first view?"

    views (B, 2, 3, s, s) in 0..1, matrices (B, 2, 2, 3). A few second views of the batch stand for all of it.
    """
    count = len(images)
    others = [(number + step) % count for step in range(min(CHOICES, count))]
    shift = number % len(others)  # the right one is not always at the same place
    choices = others[shift:] + others[:shift]
    first = tile(views[number, 0])
    tiles = [first, *(tile(views[choice, 1]) for choice in choices)]
    said = None if partners is None else partners[number]
    return Shown(
        source=outlined(images[number], matrices[number]),
        asked=draw.board(tiles, 2, GAP),
        truth=_marked(tiles, 1 + choices.index(number), draw.RIGHT),
        answer=None if said is None else _answer(first, tile(views[said, 1]), said == number),
        label=Message("the outlined view and the first one are the same picture"),
        answer_label="" if said is None else _words(said == number, count),
        correct=None if said is None else said == number,
    )


def _words(right: bool, count: int) -> Message:
    return (
        Message("finds its partner among {count}", count=count)
        if right
        else Message("takes a view of another picture, among {count}", count=count)
    )


def _answer(first: Picture, taken: Picture, right: bool) -> Picture:
    return _marked([first, taken], 1, draw.RIGHT if right else draw.WRONG)


def _marked(tiles: list[Picture], which: int, colour: Colour) -> Picture:
    return draw.outline(draw.board(tiles, 2, GAP), [draw.board_boxes(tiles, 2, GAP)[which]], colour, width=4)


def tile(view: Tensor, least: int = BOARD_SIDE // 2) -> Picture:
    """A view (3, s, s) in 0..1, enlarged to `least` pixels or more."""
    return draw.magnified(draw.to_picture(view), least)


def outlined(image: Tensor, matrices: Tensor) -> Picture:
    """A uint8 picture (3, H, W), enlarged, with the outlines of its views: matrices (views, 2, 3)."""
    picture = draw.to_picture(image)
    large = draw.magnified(picture, BOARD_SIDE)
    shapes = corners(matrices.float().cpu(), *large.shape[:2]).numpy()
    for shape, colour in zip(shapes, (draw.MARK, SECOND), strict=True):
        large = _line_around(large, shape, colour)
    return large


def _line_around(picture: Picture, shape: npt.NDArray[np.float32], colour: Colour) -> Picture:
    """A copy with a closed line through the corners (N, 2) as (x, y) in pixels."""
    drawn = picture.copy()
    for begin, end in zip(shape, np.roll(shape, -1, axis=0), strict=True):
        line(drawn, begin, end, colour)
    return drawn


def line(picture: Picture, begin: npt.NDArray[Any], end: npt.NDArray[Any], colour: Colour) -> None:
    """A line between two places (x, y) in pixels, two pixels wide, drawn into the picture."""
    height, width = picture.shape[:2]
    steps = np.linspace(0.0, 1.0, 2 * max(height, width))[:, None]
    x, y = np.floor(begin + steps * (end - begin)).astype(int).T
    for across, down in ((0, 0), (-1, 0), (0, -1), (-1, -1)):
        picture[np.clip(y + down, 0, height - 1), np.clip(x + across, 0, width - 1)] = colour
