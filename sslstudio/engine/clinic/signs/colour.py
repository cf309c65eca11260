"""Grey or nearly grey pictures: nothing to colorize is in them, and filling holes in them taught little."""

from dataclasses import replace

import torch
import torch.nn.functional as F

from sslstudio.engine.clinic.signs.looked import CAREFUL, UNSUITABLE, Finding, LookedAt, tasks_that_ask
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.core.messages import Message
from sslstudio.engine.tasks.remedies import Asks
from sslstudio.engine.transforms.colourfulness import CHUNK, COLOURED_PLACES, refuse_without_colour
from sslstudio.engine.transforms.geometry import to_float
from sslstudio.engine.transforms.lab_colour import has_colour, rgb_to_lab

NAME, TITLE = "colour", Message("Colour")
FILLINGS_NAME, FILLINGS_TITLE = "grey_fillings", Message("What holes are filled with")
MOSTLY_GREY = 0.5  # share of grey pictures from which filling their holes is not called suitable
MANY_GREY = 0.25  # share of grey pictures from which colorization loses much of what it could learn from
_SIDE = 32


def grey_pictures(seen: LookedAt) -> Finding:
    """Unsuitable where colorization itself refuses: nearly all grey, or one tint; careful from a quarter on."""
    grey = _grey(seen)
    share = float(grey.float().mean())
    examples = seen.worst(grey.float())
    words = Message("{sum:,} of {grey:,} pictures looked at are grey", sum=int(grey.sum()), grey=len(grey))
    text = Message("{words}: there is colour to learn.", words=words)
    fine = Finding(name=NAME, title=TITLE, tasks=tasks_that_ask(Asks.COLOUR), share=share, text=text)
    try:
        refuse_without_colour(seen.images)
    except TaskDoesNotFit as refusal:
        return replace(fine, severity=UNSUITABLE, text=refusal.message, examples=examples or seen.paths[:3])
    if share > MANY_GREY:
        text = Message("{words}: colorization learns nothing from these, and puts its time into the rest.", words=words)
        return replace(fine, severity=CAREFUL, text=text, examples=examples)
    return fine


def grey_fillings(seen: LookedAt) -> Finding:
    """Careful for filling holes where most pictures are grey: scans and microscopy.

    Measured (manual, measured results): photographs in colour +0.049 over all numbers of labels, slices +0.016 and
    cells 0.000, neither told from no pretraining, although 63 % and 39 % of what was hidden had been explained.
    """
    grey = _grey(seen)
    share = float(grey.float().mean())
    fine = Finding(
        name=FILLINGS_NAME, title=FILLINGS_TITLE, tasks=tasks_that_ask(Asks.FILLING), share=share,
        text=Message("{share:.0%} of the pictures looked at are grey.", share=share),
    )  # fmt: skip
    if share <= MOSTLY_GREY:
        return fine
    return replace(
        fine, severity=CAREFUL, examples=seen.worst(grey.float()),
        text=Message("{share:.0%} of the pictures looked at are grey. On grey slices and cells painting what was cut "
"out was measured, and it could not be told from no pretraining, however well it was painted. Tasks with two views "
"(vicreg, vicregl) gained there.", share=share),
    )  # fmt: skip


def grey_share(seen: LookedAt) -> float:
    """Share of the pictures looked at that are grey."""
    return float(_grey(seen).float().mean())


def _grey(seen: LookedAt) -> torch.Tensor:
    """bool (n,)"""
    side = min(_SIDE, seen.side)
    small = [F.adaptive_avg_pool2d(to_float(chunk), side) for chunk in torch.split(seen.images, CHUNK)]
    return ~torch.cat([has_colour(rgb_to_lab(chunk)[:, 1:], COLOURED_PLACES) for chunk in small])
