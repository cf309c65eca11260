"""Two simple classifiers on features that are kept as they are: a linear one in closed form, and the nearest pictures.

The linear one is ridge regression on the classes (Hastie, Tibshirani & Friedman 2009, sections 3.4.1 and 4.2) solved in
as many unknowns as there are labelled pictures or features. On the features of an untrained network for brain slices
it came within about a point of logistic regression (means over the stages 0.579 and 0.590 with 10 labels a class,
0.641 and 0.644 with 30) in a tenth of the time, so that many draws of labels can be averaged.

Letters: n labelled, m queries, D features, C classes. Everything is float32 or float64 on one device.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

PENALTY = 0.3  # of a squared weight, where the mean squared length of standardised features is 1
NEAREST = 20  # neighbours at most: what k-NN on self-supervised features is commonly read at


def standardised(features: Tensor) -> Tensor:
    """Each feature of (n, D) with mean 0 and deviation 1, over sqrt(D): a row is about 1 long. A constant becomes 0."""
    values = features.double()
    deviation, mean = torch.std_mean(values, dim=0, correction=0)
    scale = torch.where(deviation > 1e-9 * (1 + mean.abs()), 1 / deviation.clamp_min(1e-30), 0.0)
    lengths: Tensor = (values - mean) * (scale / math.sqrt(max(1, features.shape[1])))
    return lengths


def linear_answers(known: Tensor, classes: Tensor, queries: Tensor, count: int, *, balanced: bool = True) -> Tensor:
    """Class numbers (m,) for `queries` (m, D), learnt from `known` (n, D) of `classes` (n,); `count` classes in all.

    `balanced`: every class weighs the same, however many pictures it has.
    """
    weights, middle, level = fit_ridge(known, classes, count, balanced=balanced)
    scores: Tensor = (queries - middle) @ weights + level
    return scores.argmax(dim=1)


def fit_ridge(known: Tensor, classes: Tensor, count: int, *, balanced: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """Weights (D, C), middle (D,) and level (C,) of the regression: queries (m, D) score (queries - middle) @ weights
    + level. Arguments as for `linear_answers`. The level of a class that was never shown is -inf: it is never answered.
    """
    wanted = F.one_hot(classes, count).to(known.dtype)
    weight = _weights(classes, count).to(known.dtype) if balanced else torch.ones_like(wanted[:, 0])
    root = weight.sqrt()[:, None]
    middle, level = _weighted_mean(known, weight), _weighted_mean(wanted, weight)
    base = (known - middle) * root
    weights = _solved(base, (wanted - level) * root)
    level[wanted.sum(dim=0) == 0] = -torch.inf
    return weights, middle, level


def _solved(base: Tensor, wanted: Tensor) -> Tensor:
    """Weights (D, C) of the ridge regression of `wanted` (n, C) on `base` (n, D), in min(n, D) unknowns."""
    few, many = base.shape
    gram = base @ base.T if few < many else base.T @ base
    gram.diagonal().add_(PENALTY)
    weights: Tensor = torch.linalg.solve(gram, wanted if few < many else base.T @ wanted)
    return base.T @ weights if few < many else weights


def _weights(classes: Tensor, count: int) -> Tensor:
    sizes = torch.bincount(classes, minlength=count)
    present = int((sizes > 0).sum())
    weights: Tensor = len(classes) / (present * sizes[classes])
    return weights


def _weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight[:, None]).sum(dim=0) / weight.sum()


def neighbours(labelled: int) -> int:
    """How many neighbours vote when a class has this many labels: about its square root, odd, 20 at most."""
    root = max(1, min(NEAREST, round(math.sqrt(labelled))))
    return root if root % 2 else root + 1


def nearest_answers(known: Tensor, classes: Tensor, queries: Tensor, count: int, votes: int) -> Tensor:
    """Class numbers (m,) by the cosine-weighted vote of the `votes` nearest of `known`; shapes as above."""
    likeness = F.normalize(queries, dim=1) @ F.normalize(known, dim=1).T  # (m, n)
    near = likeness.topk(min(votes, len(classes)), dim=1)
    ballots = F.one_hot(classes[near.indices], count) * (near.values + 1)[..., None]  # 0 to 2: a vote is never negative
    return ballots.sum(dim=1).argmax(dim=1)
