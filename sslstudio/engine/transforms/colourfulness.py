"""Whether pictures hold colour that a network could learn from, and a refusal in words when they do not."""

from collections.abc import Iterator

import torch
from torch import Tensor

from sslstudio.engine.compute.resampling import average_areas
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.core.messages import Message
from sslstudio.engine.transforms.geometry import to_float
from sslstudio.engine.transforms.lab_colour import has_colour, rgb_to_lab

MOST_GREY = 0.8  # share of grey pictures above which what is left is too little
COLOURED_PLACES = 0.01  # a picture with fewer is grey: a coloured mark or caption does not make it colourful
SAME = 2.0  # units of Lab: a difference that is hardly seen, and about the noise of JPEG
SAME_HUE = 4.0  # units of Lab around one line through grey
CHUNK = 128
_SIDE = 32  # pixels: enough to judge colour, and the noise averages out

INSTEAD = Message("Use the jigsaw puzzle or context prediction, which learn from the shapes in a picture.")


def chunks_of(images: Tensor) -> Iterator[Tensor]:
    """uint8 pictures as floats in [0, 1], some at a time: all at once would take twenty times their memory."""
    for chunk in torch.split(images, CHUNK):
        yield to_float(chunk)


def refuse_without_colour(images: Tensor) -> None:
    """Raises TaskDoesNotFit if most of the uint8 (N, 3, H, W) pictures are grey, or their colour is a mere tint."""
    lab = torch.cat([rgb_to_lab(_small(chunk)) for chunk in chunks_of(images)])
    colourful = has_colour(lab[:, 1:], COLOURED_PLACES)
    count, grey = len(lab), int((~colourful).sum())
    if grey > MOST_GREY * count:
        cure = Message("Use") if grey == count else Message("Take out the grey ones, or use")
        raise TaskDoesNotFit(
            "Colorization needs colour, and {grey:,} of {count:,} pictures looked at are grey. {cure} "
            "the jigsaw puzzle or context prediction, which learn from grey pictures.",
            grey=grey,
            count=count,
            cure=cure,
        )
    if _is_tint(lab[colourful]):
        raise TaskDoesNotFit(
            "Colorization needs colours that differ. The {count:,} coloured pictures looked at have a "
            "tint: their colour follows from the brightness alone, so there is nothing to recognise. "
            "{instead}",
            count=count - grey,
            instead=INSTEAD,
        )


def _small(images: Tensor) -> Tensor:
    height, width = (min(_SIDE, side) for side in images.shape[-2:])
    return average_areas(images, (height, width))


def _is_tint(lab: Tensor) -> bool:
    """One tint for all pictures (false colour), or one hue of different strength for each (old photographs)."""
    ab = lab[:, 1:].cpu().flatten(2).transpose(1, 2).double()  # (N, places, 2)
    light = lab[:, 0].cpu().flatten(1)
    together = _measure_residual(ab.reshape(1, -1, 2), light.reshape(1, -1).long())
    if bool(together < SAME):
        return True
    each = _measure_residual(ab, light.div(2).long())
    return bool((each < SAME).float().mean() > MOST_GREY) and _one_hue(ab.reshape(-1, 2))


def _measure_residual(ab: Tensor, levels: Tensor) -> Tensor:
    """Measure what the lightness leaves open of the colour: its deviation (N,) within levels of lightness.

    ab (N, places, 2), levels (N, places) in 0..100.
    """
    pictures, places, _ = ab.shape
    group = (levels.clamp(0, 100) + 101 * torch.arange(pictures, device=ab.device)[:, None]).flatten()
    members = ab.new_zeros(pictures * 101).index_add_(0, group, ab.new_ones(len(group)))
    sums = ab.new_zeros(pictures * 101, 2).index_add_(0, group, ab.reshape(-1, 2))
    means = sums / members.clamp_min(1)[:, None]
    left = (ab.reshape(-1, 2) - means[group]).square().sum(dim=1).view(pictures, places).sum(dim=1)
    used = (members.view(pictures, 101) > 0).sum(dim=1)
    return (left / (places - used).clamp_min(1)).sqrt()


def _one_hue(ab: Tensor) -> bool:
    """Whether all colours lie near one line through grey."""
    across = torch.linalg.eigvalsh(ab.T @ ab / len(ab))[0]
    return bool(across.clamp_min(0).sqrt() < SAME_HUE)
