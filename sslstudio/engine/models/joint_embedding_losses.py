"""Losses and figures of joint-embedding learning, all in float32 whatever the precision around them.

Letters: B pictures, D length of an embedding. Pairs are (B, 2, D): the embeddings of two views of each picture.
"""

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.process_group import count_over_ranks, gather_rows, mean_over_ranks, sum_over_ranks
from sslstudio.engine.core.config import option
from sslstudio.engine.transforms.two_views import ViewsConfig

EPSILON = 1e-4  # under the root of the variance, as in VICReg's code: the gradient stays finite at a collapse


def exact(values: Tensor) -> AbstractContextManager[object]:
    """Switches mixed precision off on the device of `values`: sums over a batch need more than eight bits."""
    return torch.autocast(values.device.type, enabled=False)


def variance_loss(rows: Tensor) -> Tensor:
    """How far the deviation of each of D values stays below 1, on average: v(Z) of VICReg (section 4.1).

    rows (N, D), or (N, P, D): for each of P by itself, on average. 0 when every deviation is 1 or more, 0.99 when all
    rows are the same.
    """
    rows = rows.float()
    return F.relu(1.0 - (_centred_square(rows) + EPSILON).sqrt()).mean()


def _centred_square(rows: Tensor) -> Tensor:
    """Variance (..., D) of rows (N, ..., D) with the divisor N - 1; of a single row 0."""
    return sum_over_ranks((rows - mean_over_ranks(rows.mean(dim=0))).square().sum(dim=0)) / _one_less(rows)


def _one_less(rows: Tensor) -> int | Tensor:
    """The number of rows of the whole batch without one, but not 0."""
    count = count_over_ranks(rows.shape[0], rows.device)
    return max(1, count - 1) if isinstance(count, int) else (count - 1).clamp_min(1)


def covariance_loss(rows: Tensor) -> Tensor:
    """The squares of all covariances between two different values, summed and divided by D: c(Z) of VICReg.

    rows (N, D), or (N, P, D): for each of P by itself, on average.
    """
    rows = rows.float()
    with exact(rows):
        centred = rows - mean_over_ranks(rows.mean(dim=0))
        if rows.ndim == 3:
            each = sum_over_ranks(torch.einsum("npd,npe->pde", centred, centred)) / _one_less(rows)
            return (each.square().sum() - each.diagonal(dim1=1, dim2=2).square().sum()) / each.shape[:2].numel()
        covariance = sum_over_ranks(centred.T @ centred) / _one_less(rows)
        return (covariance.square().sum() - covariance.diagonal().square().sum()) / rows.shape[1]


@dataclass(frozen=True, kw_only=True)
class VicregLossConfig(ViewsConfig):
    """The weights of VICReg's loss; the defaults are those of the paper (section 4.2)."""

    invariance: float = option(
        25.0, "Weight of likeness", "Pull of the two views to each other.", low=0.0, high=1000.0, advanced=True
    )
    variance: float = option(
        25.0,
        "Weight of variance",
        "Push that keeps each value different between pictures.",
        low=0.0,
        high=1000.0,
        advanced=True,
    )
    covariance: float = option(
        1.0,
        "Weight of covariance",
        "Push that keeps two values from telling the same.",
        low=0.0,
        high=1000.0,
        advanced=True,
    )


def vicreg_loss(
    config: VicregLossConfig, first: Tensor, second: Tensor, unlike: Tensor, covariances: float = 1.0
) -> Tensor:
    """The weighted sum of likeness, variance and covariance over embeddings (N, D) or (N, P, D) of both views.

    `unlike` (0-dimensional) is how unlike two embeddings of one thing are, the mean square of their difference. As in
    the authors' code the variances of the two views are averaged and their covariances added; in that of VICRegL these
    are averaged too (`covariances` = 0.5).
    """
    variance = (variance_loss(first) + variance_loss(second)) / 2
    covariance = covariance_loss(first) + covariance_loss(second)
    if covariances != 1.0:
        covariance = covariance * covariances
    return config.invariance * unlike + config.variance * variance + config.covariance * covariance


def nt_xent(pairs: Tensor, temperature: float) -> Tensor:
    """NT-Xent of SimCLR (equation 1): each of the 2B views must find its partner among the 2B - 1 others.

    Where several processes share a batch, each asks its own views among those of all.
    """
    rows = F.normalize(pairs.float(), dim=2).flatten(0, 1)  # partners are neighbours: rows 2b and 2b + 1
    every, first = gather_rows(rows)
    with exact(rows):
        likeness = rows @ every.T / temperature
    numbers = torch.arange(len(every), device=rows.device)
    own = numbers[first : first + len(rows)]
    likeness = likeness.masked_fill(own[:, None] == numbers, -torch.inf)
    return F.cross_entropy(likeness, own ^ 1)


def regression_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """BYOL's loss (equation 2): |p - z|^2 of the two (..., D) at length 1, from 0 (same way) to 4 (opposite)."""
    return 2.0 - 2.0 * F.cosine_similarity(predicted.float(), wanted.float(), dim=-1).mean()


@torch.no_grad()
def nearest(asked: Tensor, among: Tensor) -> Tensor:
    """(B,): for each of `asked` (B, D) the number of the one of `among` (B, D) that points the most alike.

    Where several processes share a batch, those of the others are numbered below 0 and from B on.
    """
    asked, among = F.normalize(asked.float(), dim=1), F.normalize(among.float(), dim=1)
    among, first = gather_rows(among)
    with exact(asked):
        return (asked @ among.T).argmax(dim=1) - first


@torch.no_grad()
def score_retrieval(partners: Tensor) -> Tensor:
    """Score the share of pictures whose nearest (B,) is their own: 0-dimensional."""
    return (partners == torch.arange(len(partners), device=partners.device)).float().mean()


@torch.no_grad()
def spread(rows: Tensor) -> Tensor:
    """How evenly embeddings (N, D) fill the directions: 1 when they point everywhere, 0 when they have collapsed.

    The mean deviation of the D values at length 1, times the root of D (Chen & He, CVPR 2021, section 4.1).
    """
    return F.normalize(rows.float(), dim=1).std(dim=0, correction=0).mean() * math.sqrt(rows.shape[1])
