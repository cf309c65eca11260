"""The read-out of masks: the class of each pixel by a linear layer on frozen features of all stages, in closed form.

By itself it answers for an encoder that nothing is trained on, in seconds; beside a fine-tuned network the shares of
both are averaged (manual, decision 0052).

Letters: B pictures, D features of all stages together, C classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.models.finetuned import Network, PixelScale, Segmenter
from sslstudio.engine.models.read_out import LEAST, SHARPNESS, ReadOut
from sslstudio.engine.transforms.finetune_views import turn_pictures


class DenseFeatures(nn.Module):
    """Feature maps of all four stages of an encoder that stays as it is."""

    def __init__(self, scale: PixelScale, encoder: Encoder) -> None:
        super().__init__()
        self.scale, self.encoder = scale, encoder
        self.dims = encoder.spec.dims
        self.width = sum(self.dims)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "DenseFeatures":
        """It stays in evaluation mode: its batch statistics are not those of a few labelled pictures."""
        return super().train(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Float (B, 3, H, W) in [0, 1] -> the maps of the stages, (B, dims[i], h_i, w_i)."""
        return self.encoder.stages(self.scale(images))

    def together(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> all features (B, D, h, w) on the grid of the first stage."""
        maps = self(images)
        return torch.cat([maps[0], *(_enlarge(one, maps[0]) for one in maps[1:])], dim=1).float()


class PixelRidge(nn.Module):
    """A ridge regression of the classes of pixels: about 1 for the class that a pixel has and 0 for others."""

    weight: Tensor
    bias: Tensor

    def __init__(self, dims: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.dims = dims
        self.register_buffer("weight", torch.zeros(classes, sum(dims)))
        self.register_buffer("bias", torch.zeros(classes))

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps of the stages -> scores (B, C, h, w) on the grid of the first stage.

        Each stage is scored on its own grid and its scores are enlarged: that is the same as scoring the enlarged
        features, since both are linear, and needs C numbers a pixel instead of D.
        """
        pieces = torch.split(self.weight[:, :, None, None], list(self.dims), dim=1)
        scores = [F.conv2d(one, piece.to(one.dtype)) for one, piece in zip(maps, pieces, strict=True)]
        total = scores[0].float()
        for one in scores[1:]:
            total = total + _enlarge(one, scores[0]).float()
        return total + self.bias[None, :, None, None]


class MaskReadOut(nn.Module):
    """Logits (B, C, H, W) whose softmax is that of a ridge regression of pixels, averaged with that of a network.

    `network` None: what is read from frozen features alone."""

    def __init__(self, network: Segmenter | None, frozen: DenseFeatures, ridge: PixelRidge) -> None:
        super().__init__()
        self.network, self.frozen, self.ridge = network, frozen, ridge

    @property
    def scale(self) -> PixelScale:
        """That of the pictures."""
        return self.frozen.scale if self.network is None else self.network.scale

    @property
    def encoder(self) -> Encoder:
        """The fine-tuned one, if there is one."""
        return self.frozen.encoder if self.network is None else self.network.encoder

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [0, 1] -> logarithms of the averaged shares (B, C, H, W)."""
        scores = _enlarge(SHARPNESS * self.ridge(self.frozen(images)), images)
        if self.network is None:
            return scores.log_softmax(dim=1)
        mean = (scores.softmax(dim=1) + self.network(images).float().softmax(dim=1)) / 2
        logits: Tensor = mean.clamp_min(LEAST).log()
        return logits


class Turning(nn.Module):
    """Logits (B, C, H, H) whose softmax is the mean over the four quarter turns of a picture, and over those of its
    mirror image if `flip`: for pictures without an up. Pictures are squares."""

    def __init__(self, inside: Segmenter | MaskReadOut, *, flip: bool) -> None:
        super().__init__()
        self.inside, self.flip = inside, flip

    @property
    def scale(self) -> PixelScale:
        """That of the pictures."""
        return self.inside.scale

    @property
    def encoder(self) -> Encoder:
        """That of what answers."""
        return self.inside.encoder

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, H) in [0, 1] -> logarithms of the averaged shares (B, C, H, H)."""
        looks = [(turn, mirror) for turn in range(4) for mirror in ((False, True) if self.flip else (False,))]
        total: Tensor | None = None
        for turn, mirror in looks:
            turned = turn_pictures(images, turn)
            shares = self.inside(turned.flip(-1) if mirror else turned).float().softmax(dim=1)
            shares = turn_pictures(shares.flip(-1) if mirror else shares, -turn)
            total = shares if total is None else total + shares
        assert total is not None
        return (total / len(looks)).clamp_min(LEAST).log()


Answering = Network | ReadOut | MaskReadOut | Turning


def _enlarge(maps: Tensor, like: Tensor) -> Tensor:
    """Maps (B, ., h, w) at the height and width of `like`."""
    return F.interpolate(maps, size=like.shape[-2:], mode="bilinear", align_corners=False)
