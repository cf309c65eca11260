"""Masked autoencoding: most patches of a picture are hidden from the encoder, and a small decoder paints them.

Letters: B pictures, s side of the field that the network sees, p side of a patch, g = s / p patches a side.
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
from sslstudio.engine.models.sparse_encoder import Densify, spread_to, visible_stages
from sslstudio.engine.tasks.base import TASKS, Batch, Picture, PretextTask, Puzzle, TaskResult
from sslstudio.engine.transforms import draw, geometry
from sslstudio.engine.transforms.patches import patch_moments, seen_patches
from sslstudio.engine.transforms.random_crop import cut_fields, moments_within, shown_field

LEAST_SIDE = 24  # pixels: three patches a side of the smallest kind
LEAST_GRID = 3  # patches a side: smaller pictures are enlarged to it
MOST_BLANK = 0.8  # share of cells without structure above which most patches have nothing in them to be painted
SHOWN_SIDE = 160  # pixels: pictures for people are enlarged to about this


@dataclass(frozen=True, kw_only=True)
class MaskedAutoencodingConfig(BaseConfig):
    """Options of masked autoencoding."""

    hidden: float = option(
        0.6,
        "Hidden share",
        "Share of the patches that the network does not see. Less is too easy, much more leaves nothing to go by.",
        low=0.2,
        high=0.9,
    )
    field: float = option(
        0.7,
        "Smallest field",
        "The network sees a random square of the picture, at least this share of its side; 1 takes all of it.",
        low=0.3,
        high=1.0,
    )
    mirror: bool = option(True, "Mirror", "Mirror half of the pictures: switch off if left and right mean something.")
    even: bool = option(
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
class MaskedAutoencoding(PretextTask):
    """Masked autoencoding for convolutional networks: Tian et al., "SparK", ICLR 2023, arXiv:2301.03580, with the
    target of He et al., CVPR 2022, arXiv:2111.06377, section 3: the pixels of each hidden patch, evened out.

    A patch is one place of the encoder's last stage (32 pixels for a network that reduces by 32, as in SparK; 8 or 16
    with the smaller stems). The encoder runs on what is seen alone (see `models.visible`).

    `explained` is the share of the hidden patches' variance that the answer accounts for: 0 for painting each patch
    in one shade, its own mean (without `even`: the mean of what is seen).
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
    no_game = Message(
        "The network paints what is missing, pixel by pixel. There is no right answer that one could choose."
    )
    Config: ClassVar[type[BaseConfig]] = MaskedAutoencodingConfig

    def __init__(self, config: BaseConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        assert isinstance(config, MaskedAutoencodingConfig)
        self.config = config
        first = len(encoder_spec.dims) - 1 - config.skips
        self.patch = encoder_spec.strides[-1]
        self.stride = encoder_spec.strides[first]
        self.densify = Densify(encoder_spec.dims, first)
        self.decoder, _ = undecided_decoder(encoder_spec, 3 * self.stride**2, config.skips)

    @classmethod
    def check(cls, config: BaseConfig, images: Tensor) -> None:
        """Raises TaskDoesNotFit when the pictures are too small or show next to nothing in most places."""
        side = min(images.shape[-2:])
        if side < LEAST_SIDE:
            raise TaskDoesNotFit(
                "Masked autoencoding hides patches of at least 8 pixels, and pictures of {side} pixels have "
                "too few of them. Set the picture side to {least_side} pixels or more (48 is better).",
                side=side,
                least_side=LEAST_SIDE,
            )
        blank = geometry.blank_share(images, cells=4)
        if blank > MOST_BLANK:
            raise TaskDoesNotFit(
                "{blank:.0%} of the places of these pictures are blank, so most patches have nothing in them "
                "that could be painted. Cut the empty border off the pictures.",
                blank=blank,
            )

    def side(self, images: Tensor) -> int:
        """Side of the field in pixels: the whole number of patches that is nearest to the picture's side."""
        return self.patch * max(LEAST_GRID, round(min(images.shape[-2:]) / self.patch))

    def make_batch(self, images: Tensor, rng: torch.Generator) -> Batch:
        """inputs: pictures (B, 3, s, s), 0 where hidden, mean 0 and deviation 1 elsewhere; seen bool (B, 1, g, g).

        targets: shades (B, 3, s, s) in [0, 1], the whole fields; boxes (B, 4), where they lie in `images`.
        """
        side = self.side(images)
        fields = cut_fields(images, self.config.field, side, self.config.mirror, rng)
        seen = seen_patches(len(images), side // self.patch, self.config.hidden, rng)
        places = spread_to(seen, side, side)
        mean, deviation = moments_within(fields.shades, places)
        pictures = (fields.shades - mean) / deviation * places
        return Batch({"pictures": pictures, "seen": seen}, {"shades": fields.shades, "boxes": fields.boxes})

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: shades (B, 3, s, s) in [0, 1], painted where hidden. With `even` a patch gets its own mean and
        deviation back, which the network was not asked for."""
        pictures, seen = batch.inputs["pictures"], batch.inputs["seen"]
        maps = visible_stages(encoder, pictures.contiguous(memory_format=torch.channels_last), seen)
        painted = F.pixel_shuffle(self.decoder(self.densify(maps, seen)).float(), self.stride)
        shades = batch.targets["shades"]
        hidden = 1 - spread_to(seen, *shades.shape[-2:])
        mean, deviation = self._taken_out(shades, 1 - hidden)
        target = (shades - mean) / deviation
        loss = mean_where((painted - target).square(), hidden)
        explained = 1 - loss.detach() / mean_where(target.square(), hidden).clamp_min(1e-6)
        answer = torch.where(hidden > 0, painted.detach() * deviation + mean, shades)
        return TaskResult(loss, {"explained": explained}, {"shades": answer})

    def _taken_out(self, shades: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation that are not asked for: of each patch, or of what is seen of the picture."""
        return patch_moments(shades, self.patch) if self.config.even else moments_within(shades, places)

    def chance(self) -> dict[str, float]:
        """0 for painting in one shade."""
        return {"explained": 0.0}

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """The picture with its hidden patches in grey, the whole one, and the network's painting."""
        return [self._puzzle(images, batch, result, number) for number in range(min(count, len(images)))]

    def _puzzle(self, images: Tensor, batch: Batch, result: TaskResult | None, number: int) -> Puzzle:
        shades = batch.targets["shades"][number]
        places = spread_to(batch.inputs["seen"][number : number + 1], *shades.shape[-2:])[0]
        painted = Message(
            "what the network paints{value}",
            value=Message(", in each patch's true brightness") if self.config.even else "",
        )
        return Puzzle(
            source=shown_field(images[number], batch.targets["boxes"][number], SHOWN_SIDE),
            asked=_shown(torch.where(places > 0, shades, 0.5)),
            truth=_shown(shades),
            answer=None if result is None else _shown(result.answers["shades"][number]),
            label=Message("what was hidden"),
            answer_label="" if result is None else painted,
        )


def mean_where(errors: Tensor, places: Tensor) -> Tensor:
    """Mean of errors (B, C, s, s) over the channels and the places (B, 1, s, s) that are 1."""
    return summed((errors.mean(dim=1, keepdim=True) * places).sum()) / summed(places.sum())


def _shown(shades: Tensor) -> Picture:
    return draw.magnified(draw.to_picture(shades), SHOWN_SIDE)
