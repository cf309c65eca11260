"""Masked autoencoding: most patches of a picture are hidden from the encoder, and a small decoder paints them.

Letters: B pictures, s side of the crop that the network sees, p side of a patch, g = s / p patches a side.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.draws import Rng
from sslstudio.engine.compute.process_group import sum_over_ranks
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.models.colour_decoder import build_undecided_decoder
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.models.sparse_encoder import Densify, spread_to, visible_stages
from sslstudio.engine.tasks.base import TASKS, Batch, TaskResult
from sslstudio.engine.tasks.painting import EXPLAINED, HiddenPartsTask
from sslstudio.engine.transforms.masking import choose_patches, patch_moments
from sslstudio.engine.transforms.random_crop import (
    min_crop_side_option,
    mirror_option,
    moments_within,
    random_crops,
)

LEAST_GRID = 3  # patches a side: smaller pictures are enlarged to it


@dataclass(frozen=True, kw_only=True)
class MaskedAutoencodingConfig(BaseConfig):
    """Options of masked autoencoding."""

    mask_ratio: float = option(
        0.6,
        "Hidden share",
        "Share of the patches that the network does not see. Less is too easy, much more leaves nothing to go by.",
        low=0.2,
        high=0.9,
    )
    min_crop_side: float = min_crop_side_option()
    mirror: bool = mirror_option()
    norm_pix_loss: bool = option(
        True,
        "Even out patches",
        "Asks for the texture of each patch with its brightness and contrast taken out, so that painting everything "
        "in one blurred shade does not pay.",
    )
    skips: int = option(
        2,
        "Skips",
        "Maps of the encoder that the decoder gets beside the deepest one; fewer make the answer coarser.",
        low=0,
        high=3,
        advanced=True,
    )


@TASKS.register("masked_autoencoding")
class MaskedAutoencoding(HiddenPartsTask[MaskedAutoencodingConfig]):
    """Masked autoencoding for convolutional networks: Tian et al., "SparK", ICLR 2023, arXiv:2301.03580, with the
    target of He et al., CVPR 2022, arXiv:2111.06377, section 3: the pixels of each hidden patch, evened out.

    A patch is one place of the encoder's last stage (32 pixels for a network that reduces by 32, as in SparK; 8 or 16
    with the smaller stems). The encoder runs on what is seen alone (see `models.visible`).

    `explained` is the share of the hidden patches' variance that the answer accounts for: 0 for painting each patch
    in one shade, its own mean (without `norm_pix_loss`: the mean of what is seen).
    """

    title = Message("Masked autoencoding")
    summary = Message(
        "More than half of each picture is hidden, patch by patch, and the network paints it from "
        "the rest. To do that it has to know what things look like as a whole. Works without colour."
    )
    paper = "Tian et al. (SparK), ICLR 2023, arXiv:2301.03580"
    label_from = Message("The program hid the patches itself and kept what was in them.")
    helps = Message(
        "Many pictures and enough time: with most of the picture hidden, guessing from the nearest "
        "pixels is not enough. It needs no colour and no choice of how pictures may be changed."
    )
    fails = Message(
        "Within a few minutes on a small set other tasks teach more. Smooth pictures can be filled "
        "in without knowing what they show."
    )
    needs = Message("Masked autoencoding hides patches of at least 8 pixels and needs several of them.")
    hidden_parts = Message("most patches")
    hidden_label = Message("what was hidden")
    Config = MaskedAutoencodingConfig
    metrics = (EXPLAINED,)

    def __init__(self, config: MaskedAutoencodingConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        first = len(encoder_spec.dims) - 1 - config.skips
        self.patch = encoder_spec.strides[-1]
        self.stride = encoder_spec.strides[first]
        self.densify = Densify(encoder_spec.dims, first)
        self.decoder, _ = build_undecided_decoder(encoder_spec, 3 * self.stride**2, config.skips)

    def side(self, images: Tensor) -> int:
        """Side of the crop in pixels: the whole number of patches that is nearest to the picture's side."""
        return self.patch * max(LEAST_GRID, round(min(images.shape[-2:]) / self.patch))

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """inputs: pictures (B, 3, s, s), 0 where hidden, mean 0 and deviation 1 elsewhere; seen bool (B, 1, g, g).

        targets: shades (B, 3, s, s) in [0, 1], the whole crops; boxes (B, 4), where they lie in `images`.
        """
        side = self.side(images)
        crops = random_crops(images, self.config.min_crop_side, side, self.config.mirror, rng)
        seen = choose_patches(len(images), side // self.patch, self.config.mask_ratio, rng)
        places = spread_to(seen, side, side)
        mean, deviation = moments_within(crops.shades, places)
        pictures = (crops.shades - mean) / deviation * places
        return Batch({"pictures": pictures, "seen": seen}, {"shades": crops.shades, "boxes": crops.boxes})

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: shades (B, 3, s, s) in [0, 1], painted where hidden. With `norm_pix_loss` a patch gets its own mean
        and deviation back, which the network was not asked for."""
        pictures, seen = batch.inputs["pictures"], batch.inputs["seen"]
        maps = visible_stages(encoder, pictures.contiguous(memory_format=torch.channels_last), seen)
        painted = F.pixel_shuffle(self.decoder(self.densify(maps, seen)).float(), self.stride)
        shades = batch.targets["shades"]
        hidden = 1 - spread_to(seen, *shades.shape[-2:])
        mean, deviation = self._take_out(shades, 1 - hidden)
        target = (shades - mean) / deviation
        loss = mean_where((painted - target).square(), hidden)
        explained = 1 - loss.detach() / mean_where(target.square(), hidden).clamp_min(1e-6)
        answer = torch.where(hidden > 0, painted.detach() * deviation + mean, shades)
        return TaskResult(loss, {"explained": explained}, {"shades": answer})

    def _take_out(self, shades: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Take out mean and deviation, which are not asked for: of each patch, or of what is seen of the picture."""
        return patch_moments(shades, self.patch) if self.config.norm_pix_loss else moments_within(shades, places)

    def chance(self) -> dict[str, float]:
        """0 for painting in one shade."""
        return {"explained": 0.0}

    def show_masked(self, batch: Batch, number: int) -> Tensor:
        """Show the crop with grey in the hidden patches."""
        shades = self.whole(batch, number)
        seen = spread_to(batch.inputs["seen"][number : number + 1], *shades.shape[-2:])[0]
        return torch.where(seen > 0, shades, 0.5)

    def whole(self, batch: Batch, number: int) -> Tensor:
        """With every patch."""
        return batch.targets["shades"][number]

    def show_painted(self, result: TaskResult, number: int) -> Tensor:
        """Show the crop with the hidden patches painted by the network."""
        return result.answers["shades"][number]

    def painted_label(self) -> Message:
        """Say what the network's painting shows, and what it was not asked for."""
        if self.config.norm_pix_loss:
            return Message("what the network paints, in each patch's true brightness")
        return super().painted_label()


def mean_where(errors: Tensor, places: Tensor) -> Tensor:
    """Mean of errors (B, C, s, s) over the channels and the places (B, 1, s, s) that are 1."""
    return sum_over_ranks((errors.mean(dim=1, keepdim=True) * places).sum()) / sum_over_ranks(places.sum())
