"""Inpainting: blocks are cut out of a picture, and the network paints what is missing.

Letters: B pictures, s side of the crop that the network sees.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.draws import Rng
from sslstudio.engine.compute.process_group import sum_over_ranks
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import Metric
from sslstudio.engine.models.colour_decoder import build_undecided_decoder
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.tasks.base import TASKS, Batch, Picture, TaskResult
from sslstudio.engine.tasks.painting import EXPLAINED, SHOWN_SIDE, HiddenPartsTask
from sslstudio.engine.tasks.remedies import Asks
from sslstudio.engine.transforms import draw
from sslstudio.engine.transforms.masking import cut_blocks, fill_smoothly, rim_of
from sslstudio.engine.transforms.random_crop import (
    min_crop_side_option,
    mirror_option,
    moments_within,
    random_crops,
)

RIM_WEIGHT = 10.0  # of the rim against the hole (Pathak et al.)


@dataclass(frozen=True, kw_only=True)
class InpaintingConfig(BaseConfig):
    """Options of inpainting."""

    mask_ratio: float = option(
        0.25, "Missing share", "Share of each picture that is cut out. More is harder.", low=0.05, high=0.5
    )
    block: float = option(
        0.35,
        "Largest hole",
        "Side of the largest square that is cut out, as a share of the picture's side; the smallest is half of it. "
        "Small holes can be filled without knowing what the picture shows.",
        low=0.2,
        high=0.6,
    )
    min_crop_side: float = min_crop_side_option()
    mirror: bool = mirror_option()
    overlap: float = option(
        0.0,
        "Rim",
        "The network also repaints a rim of this width around each hole, as a share of the picture's side, and the "
        "rim weighs ten times as much: holes join their surroundings better, but copying them teaches little.",
        low=0.0,
        high=0.1,
        advanced=True,
    )
    skips: int = option(
        2,
        "Skips",
        "Maps of the encoder that the decoder gets beside the deepest one; fewer leave more of the work to the "
        "encoder and make the answer coarser.",
        low=0,
        high=2,
        advanced=True,
    )


@TASKS.register("inpainting")
class Inpainting(HiddenPartsTask[InpaintingConfig]):
    """Context encoders: Pathak et al., CVPR 2016, arXiv:1604.07379, sections 3.2-3.3, several random blocks.

    Only the reconstruction loss (weight 0.999 in the paper); the adversarial part (0.001), which sharpens the pictures,
    is left out. The paper's rim, where the prediction overlaps with what is seen, is an option: the authors' code has
    it off for random regions. Shades count in units of the visible part's deviation, so that dim pictures count as
    much as bright ones.

    `explained` is the share of the holes' variance that the answer accounts for: 0 for filling them with the mean of
    what is seen. `beyond_blur` is the same against a smooth filling from the edges: above 0 more than that is known.
    """

    title = Message("Inpainting")
    summary = Message(
        "Blocks are cut out of each picture and the network paints what is missing. To do that it "
        "has to know how things go on where they cannot be seen. Works without colour and suits "
        "later marking of areas."
    )
    paper = "Pathak et al., CVPR 2016, arXiv:1604.07379"
    label_from = Message("The program cut the holes itself and kept what was in them.")
    helps = Message(
        "Pictures in which things go on in a way that can be foretold: anatomy, buildings, surfaces "
        "with a pattern. It needs no colour and suits later marking of areas."
    )
    fails = Message(
        "Noise and fine chance detail cannot be foretold, so the network learns to blur. Where most "
        "of the picture is blank, most holes have nothing in them."
    )
    asks = frozenset({Asks.FILLING})
    needs = Message("Inpainting cuts holes into pictures and has to leave something around them.")
    hidden_parts = Message("most holes")
    hidden_label = Message("what was cut out")
    Config = InpaintingConfig
    metrics = (EXPLAINED, Metric("beyond_blur", Message("Beyond a smooth fill")))

    def __init__(self, config: InpaintingConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        self.stride = encoder_spec.strides[len(encoder_spec.strides) - 1 - config.skips]
        self.decoder, _ = build_undecided_decoder(encoder_spec, 3 * self.stride**2, config.skips)

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """inputs: pictures (B, 3, s, s), 0 in the holes, mean 0 and deviation 1 over the rest.

        targets: pictures (B, 3, s, s), the same without holes; holes bool (B, 1, s, s); boxes (B, 4), where the crops
        lie in `images`.
        """
        config, side = self.config, min(images.shape[-2:])
        crops = random_crops(images, config.min_crop_side, side, config.mirror, rng)
        holes = cut_blocks(len(images), side, config.mask_ratio, config.block, rng)
        mean, deviation = moments_within(crops.shades, (~holes).float())
        whole = (crops.shades - mean) / deviation
        return Batch({"pictures": whole * ~holes}, {"pictures": whole, "holes": holes, "boxes": crops.boxes})

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: pictures (B, 3, s, s), painted in the holes and as asked elsewhere."""
        asked, holes = batch.inputs["pictures"], batch.targets["holes"]
        maps = encoder.stages(asked.contiguous(memory_format=torch.channels_last))
        painted = self._paint(self.decoder(maps), asked.shape[-1])
        error = (painted - batch.targets["pictures"]).square().mean(dim=1, keepdim=True)  # (B, 1, s, s)
        weight = holes + RIM_WEIGHT * rim_of(holes, round(self.config.overlap * asked.shape[-1]))
        loss = sum_over_ranks((error * weight).sum()) / sum_over_ranks(weight.sum())
        return TaskResult(
            loss, self._metrics(error.detach(), batch), {"pictures": torch.where(holes, painted.detach(), asked)}
        )

    def _paint(self, output: Tensor, side: int) -> Tensor:
        """Unfold the stride x stride pixels that each of the decoder's places holds; cut off what reaches out."""
        return F.pixel_shuffle(output.float(), self.stride)[..., :side, :side]

    @torch.no_grad()
    def _metrics(self, error: Tensor, batch: Batch) -> dict[str, Tensor]:
        whole, holes = batch.targets["pictures"], batch.targets["holes"]
        blurred = fill_smoothly(batch.inputs["pictures"], holes)
        left = sum_over_ranks((error * holes).sum())
        of_mean = sum_over_ranks((whole.square().mean(dim=1, keepdim=True) * holes).sum())
        of_blur = sum_over_ranks(((whole - blurred).square().mean(dim=1, keepdim=True) * holes).sum())
        return {
            "explained": 1 - left / of_mean.clamp_min(1e-6),
            "beyond_blur": 1 - left / of_blur.clamp_min(1e-6),
        }

    def chance(self) -> dict[str, float]:
        """0 for filling the holes with the mean of what is seen, and for blurring the edges into them."""
        return {"explained": 0.0, "beyond_blur": 0.0}

    def visible(self, crop: Tensor) -> Picture:
        """A crop (3, s, s) of mean 0 and deviation 1 as people look at it."""
        return draw.magnify(draw.to_picture(crop, standardised=True), SHOWN_SIDE)

    def show_masked(self, batch: Batch, number: int) -> Tensor:
        """Show the crop with grey in the holes."""
        return batch.inputs["pictures"][number]

    def whole(self, batch: Batch, number: int) -> Tensor:
        """Without holes."""
        return batch.targets["pictures"][number]

    def show_painted(self, result: TaskResult, number: int) -> Tensor:
        """Show the crop with the holes painted by the network."""
        return result.answers["pictures"][number]
