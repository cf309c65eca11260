"""Where a network looks: what happens to its answer when a part of the picture is covered, and where it is unsure."""

import math
import warnings
from collections.abc import Callable, Generator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message

PATCHES = 12  # a side; neighbouring ones overlap by half
AT_ONCE = 24
STAGE = Message("Covering one part after the other")
Map = npt.NDArray[np.float32]


def occlusion(
    answers: Callable[[Tensor], Tensor], image: Tensor, target: int, control: RunControl
) -> Generator[Preparing, None, Map]:
    """float32 (H, W): how much of the probability of class `target` is lost, on average, when a place is covered.

    A square of the picture's mean colour is slid over it (Zeiler & Fergus, ECCV 2014). `answers` maps float
    (B, 3, H, W) in [0, 1] to probabilities (B, C); `image` is one picture, (1, 3, H, W). Negative where covering makes
    the network surer. Raises RunError when stopped.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of what captum imports
        from captum.attr import Occlusion

    def asked(images: Tensor) -> Tensor:
        if control.stopping:
            raise RunError("Stopped while looking for what matters.")
        return answers(images)

    height = image.shape[-2]
    stride = max(1, image.shape[-1] // PATCHES)
    side = min(image.shape[-1], 2 * stride)
    colour = image.mean(dim=(2, 3), keepdim=True)
    tops = range(0, max(1, height - side + stride), stride)
    lost, covered = torch.zeros_like(image[0, 0]), torch.zeros(height, 1, device=image.device)
    for done, top in enumerate(tops):  # captum says nothing on its way: it is asked for one row of squares at a time
        yield Preparing(stage=STAGE, done=done, total=len(tops))
        rows = slice(top, min(height, top + side))

        def within(bands: Tensor, rows: slice = rows) -> Tensor:
            whole = image.repeat(len(bands), 1, 1, 1)
            whole[:, :, rows] = bands
            return asked(whole)

        band = image[:, :, rows]
        with torch.no_grad():
            found = Occlusion(within).attribute(
                band, (3, band.shape[-2], side), strides=(3, 1, stride), baselines=colour.expand_as(band),
                target=target, perturbations_per_eval=AT_ONCE,
            )  # fmt: skip
        lost[rows] += found[0].mean(dim=0)
        covered[rows] += 1
    yield Preparing(stage=STAGE, done=len(tops), total=len(tops))
    heat: Map = (lost / covered).float().cpu().numpy()
    return heat


def entropy(chances: Tensor) -> Map:
    """float32 (H, W) of probabilities (C, H, W): 0 where the network is sure, 1 where all classes are alike to it."""
    spread = -(chances * chances.clamp_min(1e-12).log()).sum(dim=0) / math.log(max(2, len(chances)))
    found: Map = spread.clamp(0.0, 1.0).float().cpu().numpy()
    return found
