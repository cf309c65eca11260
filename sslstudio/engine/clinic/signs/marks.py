"""Burnt-in marks: text, a stamp, a scale bar, a dead pixel, at one place in many pictures.

The mean of many different pictures is smooth, also where they all show a centred subject. What is sharp in it stands at
the same place in many of them (Dekel et al., CVPR 2017, find watermarks by the median of gradients). Measured on 60 to
400 pictures: the finest detail of the mean has 0.5 to 6 of 255 shades and 13 standard errors at most where there is no
mark, 24 to 130 where 30 to 100 % of the pictures have a stamp.
"""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from sslstudio.engine.clinic.signs.looked import CAREFUL, Box, Finding, LookedAt
from sslstudio.engine.core.messages import Message
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.tasks.remedies import Fault

NAME, TITLE = "marks", Message("Text, stamps and scale bars")
SHARP = 8.0  # shades of 255 in the mean picture that no subject leaves there
CERTAIN = 8.0  # standard errors
LONGEST = 0.7  # of the side: what is longer is a frame line, see the sign for frames
LARGEST = 0.25  # of the area: what is larger is pictures taken alike, not a mark
_REACH = 5  # pixels that strokes of one mark may lie apart


def burnt_in(seen: LookedAt) -> Finding:
    """Careful for every task when something sharp stands at one place: it is learnt in place of the subject."""
    detail = _finest(seen.lightness())
    places = _find_marks(detail)
    boxes = _boxes(places)
    fine = Finding(
        name=NAME, title=TITLE, tasks=tuple(load_tasks().names()),
        text=Message("Nothing sharp stands at one place in many pictures: no text, stamp or scale bar."),
    )  # fmt: skip
    if not boxes:
        return fine
    likeness = _likeness(detail, places & _within(boxes, seen.side))
    share = float((likeness > 0.4).float().mean())
    where = [_words(box) for box in boxes[:3]]
    return replace(
        fine, severity=CAREFUL, share=share, examples=seen.worst(likeness), boxes=tuple(boxes),
        changes=seen.changes(Fault.MARKS),
        text=Message("Something sharp stands at the same place in about {share:.0%} of the pictures ({where}): "
"text, a stamp or a scale bar. It tells a tile's place and which way up a picture is. Cut it "
"off or paint it over. A round crop leaves corners out; a smaller one shows it less often.", share=share, where=where),
    )  # fmt: skip


def _finest(lightness: Tensor) -> Tensor:
    """What a mean of 3 x 3 pixels takes away, in shades of 255: (n, S, S)."""
    padded = F.pad(lightness[:, None], (1, 1, 1, 1), mode="replicate")
    return 255 * (lightness - F.avg_pool2d(padded, 3, stride=1)[:, 0])


def _find_marks(detail: Tensor) -> Tensor:
    """Find where the mean picture is sharp: bool (S, S)."""
    deviation, mean = torch.std_mean(detail, dim=0, correction=0)
    error = deviation / len(detail) ** 0.5 + 0.05
    clear: Tensor = mean.abs() > torch.clamp_min(CERTAIN * error, SHARP)
    return clear


def _boxes(places: Tensor) -> list[Box]:
    """What lies together is one mark; frame lines and what fills the picture are left out. Largest first."""
    side = places.shape[-1]
    joined = F.max_pool2d(places[None].float(), _REACH, stride=1, padding=_REACH // 2)[0] > 0
    numbered, _ = ndimage.label(joined.numpy(), structure=np.ones((3, 3)))
    found: list[Box] = []
    for rows, columns in ndimage.find_objects(numbered):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if max(height, width) <= LONGEST * side and height * width <= LARGEST * side**2:
            box = (columns.start, rows.start, columns.stop, rows.stop)
            found.append((box[0] / side, box[1] / side, box[2] / side, box[3] / side))
    return sorted(found, key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))


def _within(boxes: list[Box], side: int) -> Tensor:
    inside = torch.zeros(side, side, dtype=torch.bool)
    for left, top, right, bottom in boxes:
        inside[round(top * side) : round(bottom * side), round(left * side) : round(right * side)] = True
    return inside


def _likeness(detail: Tensor, places: Tensor) -> Tensor:
    """Cosine (n,) between each picture's detail at the marked places and the mean's."""
    there = detail[:, places]
    return F.cosine_similarity(there, there.mean(dim=0, keepdim=True), dim=1)


def _words(box: Box) -> Message:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return _PLACES[min(2, int(3 * y))][min(2, int(3 * x))]


_PLACES = (
    (Message("top left"), Message("top middle"), Message("top right")),
    (Message("middle left"), Message("in the middle"), Message("middle right")),
    (Message("bottom left"), Message("bottom middle"), Message("bottom right")),
)
