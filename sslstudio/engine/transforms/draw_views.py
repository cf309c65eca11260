"""Pairs of views as pictures for people: where they were cut from, which view the network takes for the partner, and
which spots of them it takes for the same.

Letters: N spots, s side of a view. Spots are (x, y) in -1..1 from edge to edge of a view.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from sslstudio.engine.core.messages import Message
from sslstudio.engine.transforms import draw
from sslstudio.engine.transforms.draw import BOARD_SIDE, GAP, Colour, Picture
from sslstudio.engine.transforms.two_views import corners

CHOICES = 3  # second views that are shown beside a first one
SECOND: Colour = (230, 159, 0)  # the outline of the second view; the first has draw.MARK


class Shown(NamedTuple):
    """A puzzle in the order of the fields of `tasks.base.Puzzle`."""

    source: Picture
    input: Picture
    target: Picture
    answer: Picture | None
    label: str
    answer_label: str
    correct: bool | None


def show_pair(images: Tensor, views: Tensor, matrices: Tensor, partners: Sequence[int] | None, number: int) -> Shown:
    """Picture `number` of images (B, 3, H, W): "which second view goes with this first view?"

    views (B, 2, 3, s, s) in 0..1, matrices (B, 2, 2, 3). A few second views of the batch stand for all of it: the right
    one, the one that the network takes, and others.
    """
    count = len(images)
    said = None if partners is None else partners[number]
    wanted = [number, *([] if said is None else [said]), *((number + step) % count for step in range(1, count))]
    others = list(dict.fromkeys(wanted))[: min(CHOICES, count)]
    shift = number % len(others)  # the right one is not always at the same place
    choices = others[shift:] + others[:shift]
    first = tile(views[number, 0])
    tiles = [first, *(tile(views[choice, 1]) for choice in choices)]
    colour = draw.RIGHT if said == number else draw.WRONG
    return Shown(
        source=outline_views(images[number], matrices[number]),
        input=draw.board(tiles, 2, GAP),
        target=_mark_tile(tiles, 1 + choices.index(number), draw.RIGHT),
        answer=None if said is None else _mark_tile(tiles, 1 + choices.index(said), colour),
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


def _mark_tile(tiles: list[Picture], which: int, colour: Colour) -> Picture:
    return draw.outline(draw.board(tiles, 2, GAP), [draw.board_boxes(tiles, 2, GAP)[which]], colour, width=4)


def tile(view: Tensor, least: int = BOARD_SIDE // 2) -> Picture:
    """A view (3, s, s) in 0..1, enlarged to `least` pixels or more."""
    return draw.magnify(draw.to_picture(view), least)


def outline_views(image: Tensor, matrices: Tensor) -> Picture:
    """Enlarge a uint8 picture (3, H, W) and draw the outlines of its views: matrices (views, 2, 3)."""
    picture = draw.to_picture(image)
    large = draw.magnify(picture, BOARD_SIDE)
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


# Matched spots of two views: the same spots marked in both, joined by lines

SPOTS = 5  # that are shown: more lines cannot be told apart
DOT = 4  # radius in pixels
# Okabe & Ito: one colour a spot, the same in both views.
COLOURS: tuple[Colour, ...] = ((86, 180, 233), (230, 159, 0), (240, 228, 66), (204, 121, 167), (0, 158, 115))


def show_places(
    image: Tensor, views: Tensor, matrices: Tensor, spots: Tensor, right: Tensor, guesses: Tensor | None, found: int
) -> Shown:
    """One picture (3, H, W): "where in the second view are these spots of the first one?"

    views (2, 3, s, s) in 0..1, matrices (2, 2, 3), spots (N, 2) in the first view, `right` (N, 2) where they are in the
    second one, `guesses` (N, 2) where the network takes them to be; `found` of these are right.
    """
    tiles = [tile(view, BOARD_SIDE) for view in views]
    count = min(SPOTS, len(spots))
    asked = draw.board(tiles, 2, GAP)
    first = [_pixel(spot, tiles, 0) for spot in spots[:count].tolist()]
    second = [_pixel(spot, tiles, 1) for spot in right[:count].tolist()]
    answer = None
    if guesses is not None:
        answer = _draw_links(asked, first, [_pixel(spot, tiles, 1) for spot in guesses[:count].tolist()])
    said = (
        Message("finds {found} of {count} spots", found=found, count=count)
        if count
        else Message("the views have no spot in common")
    )
    return Shown(
        source=outline_views(image, matrices),
        input=_draw_dots(asked, first),
        target=_draw_links(asked, first, second),
        answer=answer,
        label=Message("the same spots in both views") if count else Message("the views have no spot in common"),
        answer_label="" if guesses is None else said,
        correct=None if guesses is None or not count else 2 * found > count,
    )


def _pixel(spot: list[float], tiles: list[Picture], which: int) -> tuple[float, float]:
    """Where a spot of a view lies on the board of both."""
    left, top, right, bottom = draw.board_boxes(tiles, 2, GAP)[which]
    return left + (spot[0] + 1) / 2 * (right - left), top + (spot[1] + 1) / 2 * (bottom - top)


def _draw_dots(picture: Picture, places: list[tuple[float, float]]) -> Picture:
    drawn = picture.copy()
    for number, place in enumerate(places):
        _dot(drawn, place, DOT + 2, draw.PAPER)
        _dot(drawn, place, DOT, COLOURS[number % len(COLOURS)])
    return drawn


def _draw_links(picture: Picture, first: list[tuple[float, float]], second: list[tuple[float, float]]) -> Picture:
    drawn = picture.copy()
    for number, (begin, end) in enumerate(zip(first, second, strict=True)):
        line(drawn, np.array(begin), np.array(end), COLOURS[number % len(COLOURS)])
    return _draw_dots(_draw_dots(drawn, first), second)


def _dot(picture: Picture, place: tuple[float, float], radius: int, colour: Colour) -> None:
    """A filled disc, drawn into the picture."""
    height, width = picture.shape[:2]
    y, x = np.ogrid[:height, :width]
    picture[(x + 0.5 - place[0]) ** 2 + (y + 0.5 - place[1]) ** 2 <= radius**2] = colour
