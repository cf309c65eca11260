"""Inpainting: blocks are cut out of a picture, and the network paints what is missing.

Letters: B pictures, s side of the field that the network sees.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.process_group import summed
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.core.messages import Message
from sslstudio.engine.models.colour_decoder import undecided_decoder
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.tasks.base import TASKS, Batch, Picture, PretextTask, Puzzle, TaskResult
from sslstudio.engine.transforms import draw, geometry
from sslstudio.engine.transforms.masking import cut_blocks, filled_smoothly, rim_of
from sslstudio.engine.transforms.random_crop import cut_fields, moments_within, shown_field

LEAST_SIDE = 24  # pixels: a hole in less leaves too little around it to guess from
MOST_BLANK = 0.8  # share of cells without structure above which a hole has nothing in it to be painted
RIM_WEIGHT = 10.0  # of the rim against the hole (Pathak et al.)
SHOWN_SIDE = 160  # pixels: pictures for people are enlarged to about this


@dataclass(frozen=True, kw_only=True)
class InpaintingConfig(BaseConfig):
    """Options of inpainting."""

    share: float = option(
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
    field: float = option(
        0.7,
        "Smallest field",
        "The network sees a random square of the picture, at least this share of its side; 1 takes all of it.",
        low=0.3,
        high=1.0,
    )
    mirror: bool = option(True, "Mirror", "Mirror half of the pictures: switch off if left and right mean something.")
    rim: float = option(
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
class Inpainting(PretextTask):
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
    no_game = Message(
        "The network paints what is missing, pixel by pixel. There is no right answer that one could choose."
    )
    Config: ClassVar[type[BaseConfig]] = InpaintingConfig

    def __init__(self, config: BaseConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        assert isinstance(config, InpaintingConfig)
        self.config = config
        self.stride = encoder_spec.strides[len(encoder_spec.strides) - 1 - config.skips]
        self.decoder, _ = undecided_decoder(encoder_spec, 3 * self.stride**2, config.skips)

    @classmethod
    def check(cls, config: BaseConfig, images: Tensor) -> None:
        """Raises TaskDoesNotFit when the pictures are too small or show next to nothing in most places."""
        side = min(images.shape[-2:])
        if side < LEAST_SIDE:
            raise TaskDoesNotFit(
                "Inpainting cuts holes into pictures, and pictures of {side} pixels leave too little around "
                "a hole. Set the picture side to {least_side} pixels or more.",
                side=side,
                least_side=LEAST_SIDE,
            )
        blank = geometry.blank_share(images, cells=4)
        if blank > MOST_BLANK:
            raise TaskDoesNotFit(
                "{blank:.0%} of the places of these pictures are blank, so most holes have nothing in them "
                "that could be painted. Cut the empty border off the pictures.",
                blank=blank,
            )

    def make_batch(self, images: Tensor, rng: torch.Generator) -> Batch:
        """inputs: pictures (B, 3, s, s), 0 in the holes, mean 0 and deviation 1 over the rest.

        targets: pictures (B, 3, s, s), the same without holes; holes bool (B, 1, s, s); boxes (B, 4), where the fields
        lie in `images`.
        """
        config, side = self.config, min(images.shape[-2:])
        fields = cut_fields(images, config.field, side, config.mirror, rng)
        holes = cut_blocks(len(images), side, config.share, config.block, rng)
        mean, deviation = moments_within(fields.shades, (~holes).float())
        whole = (fields.shades - mean) / deviation
        return Batch({"pictures": whole * ~holes}, {"pictures": whole, "holes": holes, "boxes": fields.boxes})

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: pictures (B, 3, s, s), painted in the holes and as asked elsewhere."""
        asked, holes = batch.inputs["pictures"], batch.targets["holes"]
        maps = encoder.stages(asked.contiguous(memory_format=torch.channels_last))
        painted = self._painted(self.decoder(maps), asked.shape[-1])
        error = (painted - batch.targets["pictures"]).square().mean(dim=1, keepdim=True)  # (B, 1, s, s)
        weight = holes + RIM_WEIGHT * rim_of(holes, round(self.config.rim * asked.shape[-1]))
        loss = summed((error * weight).sum()) / summed(weight.sum())
        return TaskResult(
            loss, self._metrics(error.detach(), batch), {"pictures": torch.where(holes, painted.detach(), asked)}
        )

    def _painted(self, output: Tensor, side: int) -> Tensor:
        """The decoder's places hold the stride x stride pixels that they stand for; what reaches out is cut off."""
        return F.pixel_shuffle(output.float(), self.stride)[..., :side, :side]

    @torch.no_grad()
    def _metrics(self, error: Tensor, batch: Batch) -> dict[str, Tensor]:
        whole, holes = batch.targets["pictures"], batch.targets["holes"]
        blurred = filled_smoothly(batch.inputs["pictures"], holes)
        left = summed((error * holes).sum())
        of_mean = summed((whole.square().mean(dim=1, keepdim=True) * holes).sum())
        of_blur = summed(((whole - blurred).square().mean(dim=1, keepdim=True) * holes).sum())
        return {
            "explained": 1 - left / of_mean.clamp_min(1e-6),
            "beyond_blur": 1 - left / of_blur.clamp_min(1e-6),
        }

    def chance(self) -> dict[str, float]:
        """0 for filling the holes with the mean of what is seen, and for blurring the edges into them."""
        return {"explained": 0.0, "beyond_blur": 0.0}

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """The picture with its holes, the whole one, and the network's painting of the holes."""
        return [self._puzzle(images, batch, result, number) for number in range(min(count, len(images)))]

    def _puzzle(self, images: Tensor, batch: Batch, result: TaskResult | None, number: int) -> Puzzle:
        return Puzzle(
            source=shown_field(images[number], batch.targets["boxes"][number], SHOWN_SIDE),
            asked=_shown(batch.inputs["pictures"][number]),
            truth=_shown(batch.targets["pictures"][number]),
            answer=None if result is None else _shown(result.answers["pictures"][number]),
            label=Message("what was cut out"),
            answer_label="" if result is None else Message("what the network paints"),
        )


def _shown(picture: Tensor) -> Picture:
    return draw.magnified(draw.to_picture(picture, standardised=True), SHOWN_SIDE)
