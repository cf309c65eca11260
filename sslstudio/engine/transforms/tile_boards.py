"""Boards of tiles for people: the tiles of a 3 x 3 puzzle as they lie, and where they came from."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from sslstudio.engine.transforms import draw
from sslstudio.engine.transforms.draw import Picture

BOARD_SIDE = 192  # pixels: pictures for people are enlarged to about this
GAP = 6  # pixels between the tiles of a drawn board


def tile_pictures(tiles: Tensor) -> list[Picture]:
    """Standardised tiles (T, 3, s, s) as pictures, a third of a board wide."""
    return [draw.magnified(draw.to_picture(tile, standardised=True), BOARD_SIDE // 3) for tile in tiles]


def board(tiles: list[Picture]) -> Picture:
    """Nine tiles, row by row."""
    return draw.board(tiles, 3, GAP)


def put_together(tiles: list[Picture], shuffle: Sequence[int], said: Sequence[int]) -> Picture:
    """The board as somebody lays it: the tile at place i of the shuffled board goes to place said[i].

    `tiles` lie in their true order, `shuffle` says which tile lies at each place. A tile at a wrong place is outlined.
    """
    laid = np.argsort(said)  # place on the new board -> place on the shuffled board
    placed = [shuffle[place] for place in laid]
    boxes = draw.board_boxes(tiles, 3, GAP)
    wrong = [box for place, box in enumerate(boxes) if placed[place] != place]
    return draw.outline(board([tiles[tile] for tile in placed]), wrong, draw.WRONG, width=3)


def located(image: Tensor, boxes: Tensor, colours: draw.Colour | Sequence[draw.Colour]) -> Picture:
    """The source (3, H, W) with the places (T, 4) outlined that its tiles were cut from."""
    picture = draw.to_picture(image)
    places = draw.scaled(boxes.tolist(), draw.magnification(picture, BOARD_SIDE))
    return draw.outline(draw.magnified(picture, BOARD_SIDE), places, colours, width=2)
