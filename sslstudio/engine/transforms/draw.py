"""Tensors as pictures for people: boards of tiles, outlined boxes, tiny tiles enlarged. Nothing here is random.

Letters: T tiles of a picture, s their side.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Picture = npt.NDArray[np.uint8]  # (height, width, 3)
Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels, 0 at the picture's left or top edge

# Okabe & Ito's colours: told apart by people who see no difference between red and green.
RIGHT: Colour = (0, 158, 115)
WRONG: Colour = (213, 94, 0)
MARK: Colour = (86, 180, 233)
PAPER: Colour = (255, 255, 255)

BOARD_SIDE = 192  # pixels: pictures for people are enlarged to about this
GAP = 6  # pixels between the tiles of a drawn board


def to_picture(tensor: Tensor, *, standardised: bool = False) -> Picture:
    """A (3, H, W) or (1, H, W) tensor as a uint8 picture (H, W, 3).

    uint8 is taken as it is and floats are shades in [0, 1]. `standardised` floats have mean 0 and deviation 1: the
    mean becomes middle grey and 2.5 deviations reach black and white. What lies outside is cut off.
    """
    image = tensor.detach()
    if image.dtype != torch.uint8:
        image = image.float() * (51.0 if standardised else 255.0) + (127.5 if standardised else 0.0)
        image = image.round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(image.expand(3, -1, -1).permute(1, 2, 0).cpu().numpy())


def magnify(picture: Picture, least: int) -> Picture:
    """Repeat each pixel a whole number of times, so that no side is shorter than `least` pixels."""
    factor = magnification(picture, least)
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def magnification(picture: Picture, least: int) -> int:
    """The whole number that `magnify` enlarges by."""
    height, width = picture.shape[:2]
    shortest = int(min(height, width))
    return max(1, -(-least // shortest))


def board(tiles: Sequence[Picture], columns: int, gap: int, colour: Colour = PAPER) -> Picture:
    """Tiles of one size laid out row by row, with `gap` pixels of `colour` between and around them."""
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    picture = np.empty((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), dtype=np.uint8)
    picture[:] = colour
    for tile, (left, top, right, bottom) in zip(tiles, board_boxes(tiles, columns, gap), strict=True):
        picture[int(top) : int(bottom), int(left) : int(right)] = tile
    return picture


def board_boxes(tiles: Sequence[Picture], columns: int, gap: int) -> list[Box]:
    """Where `board` puts each tile."""
    height, width = tiles[0].shape[:2]
    boxes: list[Box] = []
    for number in range(len(tiles)):
        row, column = divmod(number, columns)
        left, top = gap + column * (width + gap), gap + row * (height + gap)
        boxes.append((left, top, left + width, top + height))
    return boxes


def outline(picture: Picture, boxes: Sequence[Box], colours: Colour | Sequence[Colour], width: int = 1) -> Picture:
    """A copy with the inner edge of each box drawn `width` pixels wide, in one colour or one for each box."""
    drawn = picture.copy()
    for (left, top, right, bottom), colour in zip(boxes, _one_each(colours, len(boxes)), strict=True):
        x0, x1 = sorted((_inside(left, picture.shape[1]), _inside(right, picture.shape[1])))
        y0, y1 = sorted((_inside(top, picture.shape[0]), _inside(bottom, picture.shape[0])))
        inner = drawn[y0 + width : y1 - width, x0 + width : x1 - width].copy()
        drawn[y0:y1, x0:x1] = colour
        drawn[y0 + width : y1 - width, x0 + width : x1 - width] = inner
    return drawn


def _one_each(colours: Colour | Sequence[Colour], count: int) -> Sequence[Colour]:
    if colours and isinstance(colours[0], int):
        return [cast(Colour, colours)] * count
    return cast(Sequence[Colour], colours)


def _inside(place: float, limit: int) -> int:
    return min(max(round(place), 0), limit)


def scale_boxes(boxes: Sequence[Box], factor: float) -> list[Box]:
    """Scale boxes as a picture was that is enlarged by `factor`."""
    return [(left * factor, top * factor, right * factor, bottom * factor) for left, top, right, bottom in boxes]


# The tiles of a 3 x 3 puzzle as they lie, and where they came from


def tile_pictures(tiles: Tensor) -> list[Picture]:
    """Standardised tiles (T, 3, s, s) as pictures, a third of a board wide."""
    return [magnify(to_picture(tile, standardised=True), BOARD_SIDE // 3) for tile in tiles]


def tile_board(tiles: list[Picture]) -> Picture:
    """Nine tiles, row by row."""
    return board(tiles, 3, GAP)


def assemble_board(tiles: list[Picture], shuffle: Sequence[int], said: Sequence[int]) -> Picture:
    """The board as somebody lays it: the tile at place i of the shuffled board goes to place said[i].

    `tiles` lie in their true order, `shuffle` says which tile lies at each place. A tile at a wrong place is outlined.
    """
    laid = np.argsort(said)  # place on the new board -> place on the shuffled board
    placed = [shuffle[place] for place in laid]
    boxes = board_boxes(tiles, 3, GAP)
    wrong = [box for place, box in enumerate(boxes) if placed[place] != place]
    return outline(tile_board([tiles[tile] for tile in placed]), wrong, WRONG, width=3)


def outline_source(image: Tensor, boxes: Tensor, colours: Colour | Sequence[Colour]) -> Picture:
    """The source (3, H, W) with the places (T, 4) outlined that its tiles were cut from."""
    picture = to_picture(image)
    places = scale_boxes(boxes.tolist(), magnification(picture, BOARD_SIDE))
    return outline(magnify(picture, BOARD_SIDE), places, colours, width=2)
