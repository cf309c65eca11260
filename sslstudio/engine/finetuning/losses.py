"""Losses of fine-tuning."""

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.transforms.finetune_views import IGNORE


def dice_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """1 minus the mean soft Dice over the classes that occur (Milletari et al., 3DV 2016, squares left out).

    logits (B, C, H, W); masks int64 (B, H, W), IGNORE says nothing. Returns a 0-dimensional tensor.
    """
    classes = logits.shape[1]
    known = (masks != IGNORE)[:, None]
    truth = F.one_hot(torch.where(masks == IGNORE, 0, masks), classes).movedim(-1, 1).to(logits.dtype) * known
    guess = logits.softmax(dim=1) * known
    both = (truth * guess).sum(dim=(0, 2, 3))
    sizes = truth.sum(dim=(0, 2, 3)) + guess.sum(dim=(0, 2, 3))
    occurs = truth.sum(dim=(0, 2, 3)) > 0
    dice = (2 * both + 1.0) / (sizes + 1.0)
    return 1.0 - (dice * occurs).sum() / occurs.sum().clamp_min(1)


def segmentation_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy plus Dice: the first for every pixel, the second so that small classes count as much."""
    logits = logits.float()
    known = (masks != IGNORE).sum()
    entropy = F.cross_entropy(logits, masks, ignore_index=IGNORE, reduction="sum") / known.clamp_min(1)
    return entropy + dice_loss(logits, masks)
