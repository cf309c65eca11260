"""Fits the read-out of masks: a ridge regression of the classes of pixels on frozen features, in closed form.

Letters: n labelled pictures, s their side, D features of a pixel, C classes.
"""

from collections.abc import Generator

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.models.mask_read_out import DenseFeatures, MaskReadOut, PixelRidge
from sslstudio.engine.transforms.finetune_views import IGNORE
from sslstudio.engine.transforms.geometry import to_float

# Chosen on drawn pictures: manual, decision 0052.
PENALTY = 0.5  # of a squared weight, where features have deviation 1 and the weights of the pixels sum to 1
BALANCE = 0.75  # 0: classes count by their pixels, 1: all alike
PIXELS = 32_768  # that it learns from at most: their regression takes seconds
FEWEST = 16  # of a picture
CHUNK = 16
NEVER = -100.0  # score of a class that no mask shows; -inf would be nan in some runtimes


def fit_mask_read_out(
    frozen: DenseFeatures, pictures: Pictures, masks: Tensor, classes: int, *, seed: int, device: Device,
    control: RunControl,
) -> Generator[Preparing, None, MaskReadOut]:  # fmt: skip
    """Fit the regression on labelled `pictures` and their `masks`, uint8 (n, s, s); the network comes later. Raises
    RunError when stopped."""
    frozen = frozen.to(device.handle)
    sums = _Sums(frozen.width, classes, pixel_weights(masks, classes))
    each = max(FEWEST, PIXELS // max(1, len(pictures)))
    for number, chosen in enumerate(pictures.chunks(CHUNK)):
        if control.stopping:
            raise RunError("Stopped while reading features; the run goes on from there when it is resumed.")
        yield Preparing(stage=Message("Reading features"), done=number * CHUNK, total=len(pictures))
        with torch.no_grad(), device.autocast():
            features = frozen.together(to_float(pictures.take(chosen))).cpu()
        shares = class_shares(masks[chosen.cpu()], classes, (features.shape[-2], features.shape[-1]))
        rng = generator(seed, "pixels of the read-out", number)
        for one, share in zip(features, shares, strict=True):
            places = torch.randperm(one[0].numel(), generator=rng)[:each]
            sums.add(one.flatten(1)[:, places].T, share.flatten(1)[:, places].T)
    ridge = PixelRidge(frozen.dims, classes)
    weight, bias = sums.solve()
    ridge.weight.copy_(weight)
    ridge.bias.copy_(bias)
    return MaskReadOut(None, frozen, ridge).to(device.handle).eval()


def class_shares(masks: Tensor, classes: int, grid: tuple[int, int]) -> Tensor:
    """Share of each class among the pixels that a cell of the grid covers, (n, C, h, w); all 0 where nothing is known.

    masks: uint8 (n, s, s) of class numbers, or IGNORE.
    """
    known = masks != IGNORE
    truth = F.one_hot(torch.where(known, masks, 0).to(torch.int64), classes).movedim(-1, 1) * known[:, None]
    return F.adaptive_avg_pool2d(truth.float(), grid)


def pixel_weights(masks: Tensor, classes: int) -> Tensor:
    """Weights (C,) of the pixels of each class: rare classes count more, though not quite as much as frequent ones."""
    sizes = torch.bincount(masks[masks != IGNORE].flatten().to(torch.int64), minlength=classes).double()
    weights: Tensor = torch.where(sizes > 0, (sizes / sizes.sum()).clamp_min(1e-6) ** -BALANCE, 0.0)
    return weights


class _Sums:
    """What a weighted ridge regression needs to know of its rows, without keeping them."""

    def __init__(self, width: int, classes: int, weights: Tensor) -> None:
        self.weights = weights
        self.total = torch.zeros((), dtype=torch.float64)
        self.features = torch.zeros(width, dtype=torch.float64)
        self.shares = torch.zeros(classes, dtype=torch.float64)
        self.squares = torch.zeros(width, width, dtype=torch.float64)
        self.products = torch.zeros(width, classes, dtype=torch.float64)

    def add(self, features: Tensor, shares: Tensor) -> None:
        """Rows of features (m, D) and shares of the classes (m, C)."""
        rows, wanted = features.double(), shares.double()
        weight = wanted @ self.weights
        weighed = rows * weight[:, None]
        self.total += weight.sum()
        self.features += weighed.sum(dim=0)
        self.shares += weight @ wanted
        self.squares += weighed.T @ rows
        self.products += weighed.T @ wanted

    def solve(self) -> tuple[Tensor, Tensor]:
        """Weights (C, D) and bias (C,) on features as they are; they are standardised in between."""
        total = self.total.clamp_min(1e-12)
        middle, level = self.features / total, self.shares / total
        spread = self.squares / total - torch.outer(middle, middle)
        deviation = spread.diagonal().clamp_min(1e-12).sqrt().clamp_min(1e-3)
        gram = spread / torch.outer(deviation, deviation)
        gram.diagonal().add_(PENALTY)
        answer = (self.products / total - torch.outer(middle, level)) / deviation[:, None]
        weight = torch.linalg.solve(gram, answer) / deviation[:, None]
        bias = level - middle @ weight
        return weight.T.float(), torch.where(self.shares > 0, bias, NEVER).float()
