"""Matched places of two views as pictures for people: the same spots marked in both, joined by lines.

Letters: N spots, s side of a view. Spots are (x, y) in -1..1 from edge to edge of a view.
"""

import numpy as np
from torch import Tensor

from sslstudio.engine.core.messages import Message
from sslstudio.engine.transforms import draw
from sslstudio.engine.transforms.draw import Colour, Picture
from sslstudio.engine.transforms.draw_views import BOARD_SIDE, GAP, Shown, line, outlined, tile

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
        answer = _joined(asked, first, [_pixel(spot, tiles, 1) for spot in guesses[:count].tolist()])
    said = (
        Message("finds {found} of {count} spots", found=found, count=count)
        if count
        else Message("the views have no spot in common")
    )
    return Shown(
        source=outlined(image, matrices),
        asked=_dotted(asked, first),
        truth=_joined(asked, first, second),
        answer=answer,
        label=Message("the same spots in both views") if count else Message("the views have no spot in common"),
        answer_label="" if guesses is None else said,
        correct=None if guesses is None or not count else 2 * found > count,
    )


def _pixel(spot: list[float], tiles: list[Picture], which: int) -> tuple[float, float]:
    """Where a spot of a view lies on the board of both."""
    left, top, right, bottom = draw.board_boxes(tiles, 2, GAP)[which]
    return left + (spot[0] + 1) / 2 * (right - left), top + (spot[1] + 1) / 2 * (bottom - top)


def _dotted(picture: Picture, places: list[tuple[float, float]]) -> Picture:
    drawn = picture.copy()
    for number, place in enumerate(places):
        _dot(drawn, place, DOT + 2, draw.PAPER)
        _dot(drawn, place, DOT, COLOURS[number % len(COLOURS)])
    return drawn


def _joined(picture: Picture, first: list[tuple[float, float]], second: list[tuple[float, float]]) -> Picture:
    drawn = picture.copy()
    for number, (begin, end) in enumerate(zip(first, second, strict=True)):
        line(drawn, np.array(begin), np.array(end), COLOURS[number % len(COLOURS)])
    return _dotted(_dotted(drawn, first), second)


def _dot(picture: Picture, place: tuple[float, float], radius: int, colour: Colour) -> None:
    """A filled disc, drawn into the picture."""
    height, width = picture.shape[:2]
    y, x = np.ogrid[:height, :width]
    picture[(x + 0.5 - place[0]) ** 2 + (y + 0.5 - place[1]) ** 2 <= radius**2] = colour
