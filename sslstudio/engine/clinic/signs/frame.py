"""Borders, letterboxes and dark corners: the edge of every picture looks like an edge.

A border is a strip of one shade along a side that ends in a straight line. Dark (or bright) corners are told by the
share of pictures in which a ring near the corners differs from one further in: centred subjects on an even ground leave
both rings alike, and in photographs either is as often brighter. Measured: corners darker by a tenth in 0 to 44 % of
ordinary pictures, in 90 to 99 % of pictures with a vignette or a round view.
"""

from dataclasses import replace

import torch
from torch import Tensor

from sslstudio.engine.clinic.signs.looked import CAREFUL, Box, Finding, LookedAt, tasks_that_ask
from sslstudio.engine.core.messages import Message
from sslstudio.engine.tasks.remedies import Asks, Fault

BORDER, BORDER_TITLE = "border", Message("Borders and letterboxes")
CORNERS, CORNERS_TITLE = "corners", Message("Dark corners")
EVEN = 2.0  # shades that the pixels of a border deviate by at most
JUMP = 8.0  # shades from the border to the picture ...
ALONG = 0.5  # ... along at least this share of its length
THIN = 0.02  # of the side: a border is at least this wide, and one pixel
WIDE = 0.4
MANY = 0.1  # share of pictures with a border that is worth a word
DARKER = 0.9  # times the brightness further in
MOST_CORNERS = 0.8  # share of pictures whose corners differ in the same way


def borders(seen: LookedAt) -> Finding:
    """Careful where one picture in ten has a border: it tells a tile's place and a picture's direction."""
    shades = seen.images.float().mean(dim=1)
    widths = torch.stack([border_widths(torch.rot90(shades, turn, dims=(-2, -1))) for turn in range(4)], dim=1)
    has = (widths > 0).any(dim=1)
    share = float(has.float().mean())
    words = Message(
        "{sum:,} of {has:,} pictures looked at have a border of one shade", sum=int(has.sum()), has=len(has)
    )
    tasks = tasks_that_ask(Asks.POSITION, Asks.DIRECTION)
    fine = Finding(name=BORDER, title=BORDER_TITLE, tasks=tasks, share=share, text=Message("{words}.", words=words))
    if share < MANY:
        return fine
    # rot90 by k brings the right, the bottom and the left side to the top in turn
    top, right, bottom, left = (_typical(widths[:, side]) / seen.side for side in range(4))
    widest = max(top, right, bottom, left)
    return replace(
        fine, severity=CAREFUL, examples=seen.worst(widths.amax(dim=1).float()),
        changes=seen.changes(Fault.BORDERS), boxes=((left, top, 1 - right, 1 - bottom),),
        text=Message("{words}, typically {widest:.0%} of the side wide. A border tells where a tile was and which "
"way up a picture is. Cut it off; a round crop leaves much of it out, a smaller one shows "
"it less often.", words=words, widest=widest),
    )  # fmt: skip


def border_widths(shades: Tensor) -> Tensor:
    """Rows of one shade at the top of each picture (n, S, S) in 0..255 that end in a line; 0 where there is none."""
    side = shades.shape[-1]
    mean = shades.mean(dim=2)
    flat = (shades.std(dim=2, correction=0) < EVEN) & ((mean - mean[:, :1]).abs() < EVEN)
    rows = flat.long().cummin(dim=1).values.sum(dim=1)
    first, picture = rows.clamp(1, side - 1), torch.arange(len(shades))
    jump = (shades[picture, first] - shades[picture, first - 1]).abs()
    is_line = (jump > JUMP).float().mean(dim=1) > ALONG
    fits = (rows >= max(1.0, THIN * side)) & (rows <= WIDE * side)
    return torch.where(is_line & fits, rows, 0)


def _typical(widths: Tensor) -> float:
    found = widths[widths > 0]
    return float(found.float().median()) if len(found) > 0.05 * len(widths) else 0.0


def dark_corners(seen: LookedAt) -> Finding:
    """Careful for tiles where most pictures have corners of another brightness: they mark the outer tiles."""
    corner, inner = _rings(seen.lightness())
    darker, brighter = corner < DARKER * inner - 0.01, inner < DARKER * corner - 0.01
    dark = float(darker.float().mean()) >= float(brighter.float().mean())
    odd = darker if dark else brighter
    share, word = float(odd.float().mean()), "darker" if dark else "brighter"
    ratio = float(((corner + 0.01) / (inner + 0.01)).median())
    words = Message(
        "in {share:.0%} of the pictures the corners are {word} than the ring further in", share=share, word=word
    )
    text = Message("No common shadow in the corners: {words}.", words=words)
    fine = Finding(name=CORNERS, title=CORNERS_TITLE, tasks=tasks_that_ask(Asks.POSITION), share=share, text=text)
    if share < MOST_CORNERS:
        return fine
    return replace(
        fine, severity=CAREFUL, changes=seen.changes(Fault.DARK_CORNERS), boxes=_corner_boxes(),
        examples=seen.worst((inner - corner) * (1 if dark else -1)),
        text=Message("The corners stand out: {words} (typically {ratio:.2f} times as bright). A shadow of the "
"lens, a round view or an empty ground marks the outer tiles. A smaller crop leaves the "
"corners out more often.", words=words, ratio=ratio),
    )  # fmt: skip


def _rings(lightness: Tensor) -> tuple[Tensor, Tensor]:
    """Mean lightness (n,) near the corners and in the ring that touches the middle of the sides."""
    side = lightness.shape[-1]
    steps = (torch.arange(side) + 0.5) / side * 2 - 1
    radius = torch.hypot(steps[:, None], steps[None, :]) / 2**0.5
    corner, inner = radius > 0.85, (radius > 0.55) & (radius < 0.75)
    return lightness[:, corner].mean(dim=1), lightness[:, inner].mean(dim=1)


def _corner_boxes() -> tuple[Box, ...]:
    ends = ((0.0, 0.2), (0.8, 1.0))
    return tuple((left, top, right, bottom) for top, bottom in ends for left, right in ends)
