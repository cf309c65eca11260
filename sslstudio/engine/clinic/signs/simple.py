"""What a simple look can tell: descriptors of a picture, and a linear classifier asked about pictures it has not seen.

If ridge regression on a small picture and its edges answers a puzzle, a network will not learn much from it.

Letters: n rows, m pictures they belong to, D length of a descriptor, C classes.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.transforms.geometry import grey

FOLDS = 5
_SMALL = 6  # side of the small picture
_CELLS = 3  # cells a side in which edges are counted
_WAYS = 8  # directions of edges
_PENALTY = 30.0  # of a squared weight, with standardised features and some thousand rows


def describe(pictures: Tensor) -> Tensor:
    """float32 (n, D) of float (n, 3, s, s): the picture in 6x6 and how its edges run in 3x3 cells.

    The second is a histogram of oriented gradients (Dalal & Triggs, CVPR 2005).
    """
    small = F.adaptive_avg_pool2d(pictures, min(_SMALL, pictures.shape[-1])).flatten(1)
    shades = grey(pictures)[:, 0]
    across = shades[:, 1:-1, 2:] - shades[:, 1:-1, :-2]
    down = shades[:, 2:, 1:-1] - shades[:, :-2, 1:-1]
    strength = torch.hypot(across, down)
    way = (torch.atan2(down, across) * (_WAYS / (2 * math.pi))).round().remainder(_WAYS)
    edges = torch.stack([F.adaptive_avg_pool2d(strength * (way == one), _CELLS) for one in range(_WAYS)], 1).flatten(1)
    return torch.cat([small, (edges / edges.sum(dim=1, keepdim=True).clamp_min(1e-3)).sqrt()], dim=1)


def right_by_picture(features: Tensor, classes: Tensor, picture: Tensor, rng: torch.Generator) -> Tensor:
    """Share of right answers (m,) for each picture, from a linear classifier that was fitted on other pictures.

    features (n, D), classes (n,) 0..C-1, picture (n,) 0..m-1 the picture that each row comes from.
    """
    count = int(picture.max()) + 1
    fold = torch.randperm(count, generator=rng)[picture] % FOLDS
    right = torch.zeros(len(features), dtype=torch.float64)
    for one in range(FOLDS):
        asked = fold == one
        right[asked] = (_answers(features[~asked], classes[~asked], features[asked]) == classes[asked]).double()
    total = torch.zeros(count, dtype=torch.float64).index_add_(0, picture, right)
    return total / torch.bincount(picture, minlength=count)


def _answers(known: Tensor, classes: Tensor, asked: Tensor) -> Tensor:
    """Ridge regression on the classes (Hastie, Tibshirani & Friedman 2009, section 4.2), in D unknowns."""
    deviation, mean = torch.std_mean(known.double(), dim=0)
    scale = torch.where(deviation > 1e-6, 1 / deviation.clamp_min(1e-6), 0.0)
    base = (known.double() - mean) * scale
    wanted = F.one_hot(classes).double()
    level = wanted.mean(dim=0)
    gram = base.T @ base
    gram.diagonal().add_(_PENALTY)
    weights = torch.linalg.solve(gram, base.T @ (wanted - level))
    scores: Tensor = ((asked.double() - mean) * scale) @ weights + level
    return scores.argmax(dim=1)


def interval(right: Tensor) -> tuple[float, float, float]:
    """Mean of shares (m,) and its 95 % interval, by the normal approximation over pictures."""
    mean = float(right.mean())
    reach = 1.96 * float(right.std()) / len(right) ** 0.5 if len(right) > 1 else 1.0
    return mean, mean - reach, mean + reach
