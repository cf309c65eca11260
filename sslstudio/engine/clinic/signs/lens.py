"""Chromatic aberration: a lens draws red, green and blue at slightly different sizes, which tells a tile's place.

The fine detail of red and of blue is scaled about the centre until it agrees best with that of green. Measured: exactly
0 for pictures without it, the planted 1 and 2 % where it was planted, at 20 or more standard errors.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.clinic.signs.looked import CAREFUL, Finding, LookedAt, tasks_that_ask
from sslstudio.engine.core.messages import Message
from sslstudio.engine.tasks.remedies import Asks, Fault
from sslstudio.engine.transforms.geometry import has_colour

NAME, TITLE = "fringes", Message("Colour fringes of the lens")
LEAST = 16  # coloured pictures
SEEN = 0.35  # pixels at the corner from which a network can see it
CERTAIN = 6.0  # standard errors over pictures
FARTHEST, STEPS = 0.04, 33  # scales that are tried: 1 - FARTHEST to 1 + FARTHEST
_MOST = 96


def colour_fringes(seen: LookedAt) -> Finding:
    """Careful for tiles when a channel is scaled: the fringes' direction tells where in the picture a tile was."""
    shades = seen.shades()
    chosen = torch.nonzero(has_colour(shades))[:, 0]
    chosen = chosen[torch.linspace(0, len(chosen) - 1, min(_MOST, len(chosen))).round().long()]
    text = Message("Too few coloured pictures for colour fringes to matter.")
    fine = Finding(name=NAME, title=TITLE, tasks=tasks_that_ask(Asks.POSITION), text=text)
    if len(chosen) < LEAST:
        return fine
    red, blue = channel_scales(shades[chosen])
    corner = seen.side / 2**0.5  # pixels from the centre
    shift = max(abs(red), abs(blue)) * corner
    words = Message(
        "towards the corners red lies {red:+.1f} and blue {blue:+.1f} pixels farther out than green",
        red=red * corner,
        blue=blue * corner,
    )
    if shift < SEEN:
        return replace(fine, text=Message("The colours lie upon each other: {words}.", words=words))
    return replace(
        fine, severity=CAREFUL, changes=seen.changes(Fault.COLOUR_FRINGES, shift / seen.side), share=1.0,
        examples=tuple(seen.paths[number] for number in chosen[:4].tolist()),
        boxes=((0.0, 0.0, 0.25, 0.25), (0.75, 0.75, 1.0, 1.0)),
        text=Message("The lens leaves colour fringes: {words}. Their direction tells where a tile was. Colours of "
"each tile that are shifted at random, or grey pictures, hide it.", words=words),
    )  # fmt: skip


def channel_scales(shades: Tensor) -> tuple[float, float]:
    """How much larger red and blue are drawn than green: 0.01 for one percent, 0 where nothing certain is seen.

    shades float (n, 3, S, S).
    """
    detail = shades - F.avg_pool2d(F.pad(shades, (2, 2, 2, 2), mode="replicate"), 5, stride=1)
    return _scale(detail[:, :1], detail[:, 1:2]), _scale(detail[:, 2:], detail[:, 1:2])


def _scale(channel: Tensor, green: Tensor) -> float:
    scales = torch.linspace(-FARTHEST, FARTHEST, STEPS)
    agreement = torch.stack([_agreement(_rescale(channel, 1 + float(scale)), green) for scale in scales], dim=1)
    mean = agreement.mean(dim=0)
    best, none = int(mean.argmax()), STEPS // 2
    gain = agreement[:, best] - agreement[:, none]
    error = float(gain.std()) / len(gain) ** 0.5
    return float(scales[best]) if float(gain.mean()) > CERTAIN * error > 0 else 0.0


def _rescale(detail: Tensor, factor: float) -> Tensor:
    """Bring what lies `factor` times as far from the centre to its place."""
    matrix = detail.new_tensor([[factor, 0, 0], [0, factor, 0]]).expand(len(detail), 2, 3)
    grid = F.affine_grid(matrix, list(detail.shape), align_corners=False)
    return F.grid_sample(detail, grid, mode="bicubic", padding_mode="zeros", align_corners=False)


def _agreement(first: Tensor, second: Tensor) -> Tensor:
    """Correlation (n,) without the rim that a scaling may bring in from outside."""
    rim = max(1, first.shape[-1] // 16)
    inner = slice(rim, -rim)
    return F.cosine_similarity(first[..., inner, inner].flatten(1), second[..., inner, inner].flatten(1), dim=1)
