"""A game with colours: one spot of a grey picture is marked; which of four colours has it?

The four have the same lightness and strength; their hues are a quarter of the circle apart. They stand in the order of
their hues, the first between 0 and 90 degrees, so that where a colour stands says nothing that its look does not.

Letters: B pictures, H and W picture size, h and w size of the map of colours.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.core.messages import Message
from sslstudio.engine.transforms import draw, lab_colour

SHOWN_SIDE = 192  # pixels: pictures for people are enlarged to about this
SWATCH = 48  # pixels
FAINT = 12.0  # weakest colour of a spot, as a distance from grey in the ab plane: below it four hues look alike
LIGHTNESS = (35.0, 75.0)  # of the colours to choose from: darker and lighter ones cannot be told apart
HUES = (Message("red to yellow"), Message("yellow to green"), Message("green to blue"), Message("blue to red"))

# pieces, choices, targets, answer, solved of a `tasks.base.Game`
Spot = tuple[
    tuple[draw.Picture, ...], tuple[str, ...], tuple[int, ...], tuple[int, ...] | None, draw.Picture
]  # fmt: skip


def colour_spots(light: Tensor, ab: Tensor, said: Tensor | None, count: int) -> list[Spot]:
    """The most colourful spot of each picture, at most `count`; pictures without one are left out.

    light (B, 1, H, W), true colours ab (B, 2, h, w) and the network's colours `said` of the same shape. The network's
    choice is the colour that lies nearest to what it painted there.
    """
    spots: list[Spot] = []
    for number in range(len(light)):
        if len(spots) == count:
            break
        row, column, strength = _strongest(ab[number])
        if strength >= FAINT:
            spots.append(_spot(light[number], ab[number], None if said is None else said[number], (row, column)))
    return spots


def _strongest(ab: Tensor) -> tuple[int, int, float]:
    """Row, column and strength of the most colourful place of (2, h, w), away from the rim where there is room."""
    strength = torch.linalg.vector_norm(F.avg_pool2d(ab[None].float(), 3, 1, 1, count_include_pad=False)[0], dim=0)
    height, width = strength.shape
    inside = torch.zeros_like(strength)
    rim = 1 if min(height, width) > 2 else 0
    inside[rim : height - rim, rim : width - rim] = strength[rim : height - rim, rim : width - rim]
    place = int(inside.argmax())
    return place // width, place % width, float(inside.flatten()[place])


def _spot(light: Tensor, ab: Tensor, said: Tensor | None, place: tuple[int, int]) -> Spot:
    row, column = place
    a, b = (float(value) for value in ab[:, row, column])
    hue = math.atan2(b, a) % (2 * math.pi)
    right = min(3, int(hue // (math.pi / 2)))
    hues = [hue + (number - right) * math.pi / 2 for number in range(4)]
    strength = math.hypot(a, b)
    colours = torch.tensor([[strength * math.cos(one), strength * math.sin(one)] for one in hues])  # (4, 2)
    box = _box(light, ab, place)
    lightness = float(light[0, int(box[1]) : int(box[3]) + 1, int(box[0]) : int(box[2]) + 1].mean())
    answer = None
    if said is not None:
        there = said[:, row, column].float().cpu()
        answer = (int(torch.linalg.vector_norm(colours - there, dim=1).argmin()),)
    grey = lab_colour.add_colour(light[None], torch.zeros_like(ab)[None])[0]
    asked, solved = (_mark(picture, box) for picture in (grey, lab_colour.add_colour(light[None], ab[None])[0]))
    swatches = [_swatch(min(max(lightness, LIGHTNESS[0]), LIGHTNESS[1]), one) for one in colours]
    return (asked, *swatches), HUES, (right,), answer, solved


def _box(light: Tensor, ab: Tensor, place: tuple[int, int]) -> draw.Box:
    """The place of the map of colours in the picture: left, top, right, bottom in pixels."""
    across, down = light.shape[-1] / ab.shape[-1], light.shape[-2] / ab.shape[-2]
    row, column = place
    return column * across, row * down, (column + 1) * across, (row + 1) * down


def _mark(picture: Tensor, box: draw.Box) -> draw.Picture:
    drawn = draw.to_picture(picture)
    factor = draw.magnification(drawn, SHOWN_SIDE)
    left, top, right, bottom = draw.scale_boxes([box], factor)[0]
    around = [(left - 4, top - 4, right + 4, bottom + 4), (left - 2, top - 2, right + 2, bottom + 2)]
    return draw.outline(draw.magnify(drawn, SHOWN_SIDE), around, [(0, 0, 0), draw.PAPER], width=2)


def _swatch(lightness: float, ab: Tensor) -> draw.Picture:
    lab = torch.cat([torch.tensor([lightness]), ab]).view(3, 1, 1).expand(3, SWATCH, SWATCH)
    return draw.to_picture(lab_colour.lab_to_rgb(lab))
