"""The read-out: classes from frozen features, in closed form, averaged with what a fine-tuned network says.

With a few labels a network that was fine-tuned on them, a ridge regression on the features that it began with and the
labels of its neighbours among the unlabelled pictures err in different places: their average is better than any of
them (manual, decision 0041). Each of the three gives shares that sum to 1.

Letters: B pictures, D features, C classes, N pictures of the pool.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.models.finetuned import Classifier, PixelScale, Standard, pool_stages

SHARPNESS = 16.0  # of the softmax over the scores of a ridge regression, which lie between 0 and 1
NEAREST = 10  # pictures of the pool that a new one asks
POWER = 3  # of a cosine, when it is the weight of a neighbour
LEAST = 1e-9  # share that a class gets at least, so that it has a logarithm


class FrozenFeatures(nn.Module):
    """The features of all four stages of an encoder that stays as it is, each with mean 0 and deviation 1 over the
    unlabelled pictures; a picture's are about 1 long."""

    def __init__(self, scale: PixelScale, encoder: Encoder) -> None:
        super().__init__()
        self.scale, self.encoder = scale, encoder
        self.width = sum(4 * width for width in encoder.spec.dims[:-1]) + encoder.spec.dim
        self.standard = Standard(self.width)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "FrozenFeatures":
        """It stays in evaluation mode: its batch statistics are not those of a few labelled pictures."""
        return super().train(False)

    def raw(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> features (B, D) as the encoder has them."""
        return torch.cat(pool_stages(self.encoder.stages(self.scale(images))), dim=1).float()

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> standardised features (B, D)."""
        features: Tensor = self.standard(self.raw(images)) / math.sqrt(self.width)
        return features


class Beside(nn.Module):
    """Two encoders that stay as they are, read side by side; a picture's features are about 1 long."""

    def __init__(self, first: FrozenFeatures, second: FrozenFeatures) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.width = first.width + second.width

    @property
    def scale(self) -> PixelScale:
        """That of the first."""
        return self.first.scale

    @property
    def encoder(self) -> Encoder:
        """The first."""
        return self.first.encoder

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> standardised features of both (B, D)."""
        return self.join(self.first(images), self.second(images))

    @staticmethod
    def join(first: Tensor, second: Tensor) -> Tensor:
        """Standardised features of the first and of the second (B, D1), (B, D2) -> of both (B, D1 + D2)."""
        return torch.cat([first, second], dim=1) / math.sqrt(2)


class Ridge(nn.Module):
    """A ridge regression of the classes: a score (B, C) that is about 1 for the class of a picture and 0 for others."""

    weight: Tensor
    bias: Tensor

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(width, classes))
        self.register_buffer("bias", torch.zeros(classes))

    def forward(self, features: Tensor) -> Tensor:
        """Standardised features (B, D) -> shares (B, C)."""
        return (SHARPNESS * (features @ self.weight + self.bias)).softmax(dim=1)


class Propagation(nn.Module):
    """What the nearest pictures of the pool are labelled with, by their own labels or by label propagation."""

    pool: Tensor
    shares: Tensor

    def __init__(self, count: int, width: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("pool", torch.zeros(count, width))
        self.register_buffer("shares", torch.zeros(count, classes))

    def forward(self, features: Tensor) -> Tensor:
        """Standardised features (B, D) -> shares (B, C)."""
        likeness = F.normalize(features, dim=1) @ self.pool.T
        near = likeness.topk(min(NEAREST, self.pool.shape[0]), dim=1)
        weights = near.values.clamp_min(0) ** POWER + LEAST  # all opposite: all alike
        votes = (weights[..., None] * self.shares[near.indices]).sum(dim=1)
        shares: Tensor = votes / votes.sum(dim=1, keepdim=True)
        return shares


class ReadOut(nn.Module):
    """Logits (B, C) whose softmax is the average of a network, a ridge regression and a label propagation.

    `network` None: only what is read from frozen features (a linear probe). `propagation` None: without the unlabelled
    pictures. `flip`: the network looks at the mirrored picture, too. `temperature` makes shares probabilities (Guo et
    al., ICML 2017, arXiv:1706.04599, section 4.2); 1 as long as it was not measured.
    """

    temperature: Tensor

    def __init__(
        self, network: Classifier | None, frozen: FrozenFeatures | Beside, ridge: Ridge,
        propagation: Propagation | None, *, flip: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.network, self.frozen, self.ridge, self.propagation = network, frozen, ridge, propagation
        self.flip = flip
        self.register_buffer("temperature", torch.ones(()))

    @property
    def scale(self) -> PixelScale:
        """That of the pictures."""
        return self.frozen.scale if self.network is None else self.network.scale

    @property
    def encoder(self) -> Encoder:
        """The fine-tuned one, if there is one."""
        return self.frozen.encoder if self.network is None else self.network.encoder

    def features(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> what the classes are read from, (B, D)."""
        features: Tensor = self.frozen(images) if self.network is None else self.network.features(images)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> logarithms of the averaged shares (B, C), over the temperature."""
        features = self.frozen(images)
        voices = [self.ridge(features)]
        if self.propagation is not None:
            voices.append(self.propagation(features))
        if self.network is not None:
            voices.append(self._asked(self.network, images))
        mean: Tensor = torch.stack(voices).mean(dim=0)
        logits: Tensor = mean.clamp_min(LEAST).log() / self.temperature
        return logits

    def _asked(self, network: Classifier, images: Tensor) -> Tensor:
        shares: Tensor = network(images).float().softmax(dim=1)
        if self.flip:
            shares = (shares + network(images.flip(-1)).float().softmax(dim=1)) / 2
        return shares
