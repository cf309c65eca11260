"""Label propagation: a few labels are handed on over a graph of pictures that look alike to the encoder.

Zhou et al., "Learning with Local and Global Consistency", NIPS 2003 (section 2: the symmetrically normalised graph, and
the iteration that this takes 40 rounds of), on a graph of the nearest neighbours as in Iscen et al., CVPR 2019
(arXiv:1904.04717, section 3.2: cosine to the third power). Only pictures of the training part are in the graph: a test
picture is answered on its own, from its neighbours in it.

Letters: N pictures, D features, C classes, k neighbours.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.models.read_out import NEAREST, POWER

ROUNDS = 40
KEPT = 0.9  # share of what comes from the neighbours in each round
CHUNK = 1024


def propagate(features: Tensor, known: Tensor, classes: Tensor, count: int) -> Tensor:
    """Shares (N, C) of the classes of all pictures, rows sum to 1.

    `features` (N, D) of any length; `known` int64 (n,): numbers of the labelled pictures, of `classes` (n,); `count`
    classes in all. A picture that no label reaches has the same share of all classes that occur.
    """
    size = len(features)
    near, likeness = nearest(features, min(NEAREST, size - 1))
    asking, asked = torch.arange(size).repeat_interleave(near.shape[1]), near.flatten()
    # Both ways: one may be among the nearest of another that is not among its own.
    left, right = torch.cat([asking, asked]), torch.cat([asked, asking])
    weights = (likeness.clamp_min(0).flatten() ** POWER).repeat(2)
    scale = torch.zeros(size).index_add_(0, left, weights).clamp_min(1e-12).rsqrt()
    weights = (weights * scale[left] * scale[right])[:, None]
    start = torch.zeros(size, count)
    start[known] = F.one_hot(classes, count).float()
    shares = start
    for _ in range(ROUNDS):
        handed = torch.zeros_like(shares).index_add_(0, left, weights * shares[right])
        shares = KEPT * handed + (1 - KEPT) * start
    return _as_shares(shares, start)


def _as_shares(shares: Tensor, start: Tensor) -> Tensor:
    """Each class hands on as much in all as each other, whatever its number of labels; then rows to sum 1."""
    columns = shares.sum(dim=0)
    shares = torch.where(columns > 0, shares / columns.clamp_min(1e-30), 0.0)
    rows = shares.sum(dim=1, keepdim=True)
    occurs = (start.sum(dim=0) > 0).float()
    return torch.where(rows > 0, shares / rows.clamp_min(1e-30), occurs / occurs.sum())


def nearest(features: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` nearest others of each picture by cosine, nearest first: numbers and cosines (N, count)."""
    rows = F.normalize(features, dim=1)
    numbers, cosines = [], []
    for start in range(0, len(rows), CHUNK):
        likeness = rows[start : start + CHUNK] @ rows.T
        own = torch.arange(len(likeness))
        likeness[own, start + own] = -torch.inf
        found = likeness.topk(count, dim=1)
        numbers.append(found.indices)
        cosines.append(found.values)
    return torch.cat(numbers), torch.cat(cosines)
