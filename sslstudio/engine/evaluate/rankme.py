"""How many directions the embeddings use, and how far they spread: what can be known of features without labels."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SMALL = 1e-7  # as in the paper's formula (1)


def rank_me(embeddings: Tensor) -> float:
    """RankMe of (n, D): the exponential of the entropy of the singular values' shares.

    Garrido et al., ICML 2023, arXiv:2210.02885, section 3.1. From 1 (all embeddings on one line) to min(n, D).
    """
    values = torch.linalg.svdvals(embeddings.double())
    shares = values / values.sum().clamp_min(1e-300) + SMALL
    return float((-(shares * shares.log()).sum()).exp())


def spread(embeddings: Tensor) -> float:
    """Mean deviation of each number of embeddings (n, D) of length 1, times sqrt(D): 0 when all pictures look the same
    to the network, 1 when they point everywhere (Chen & He, CVPR 2021, arXiv:2011.10566, section 4.1)."""
    normed = F.normalize(embeddings.double(), dim=1)
    return float(normed.std(dim=0, correction=0).mean()) * math.sqrt(embeddings.shape[1])


@dataclass(frozen=True)
class Reach:
    """RankMe and spread of one network's embeddings."""

    rank: float
    spread: float


def reach(embeddings: Tensor) -> Reach:
    """Both of embeddings (n, D)."""
    return Reach(rank_me(embeddings), spread(embeddings))
