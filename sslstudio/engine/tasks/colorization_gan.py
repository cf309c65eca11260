"""Colorization against a critic: colours that a second network cannot tell from true ones.

Letters: B pictures, H and W picture size, h and w size of the decoder's output.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.models.colour_decoder import PatchCritic, undecided_decoder
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.tasks.base import TASKS, Batch, Game, PretextTask, Puzzle, TaskResult
from sslstudio.engine.transforms import draw, lab_colour
from sslstudio.engine.transforms.colour_quiz import colour_spots
from sslstudio.engine.transforms.colourfulness import chunks_of, refuse_without_colour

SHARPER = lab_colour.FURTHEST / 20  # the critic gets a and b with a deviation of about 1, as it gets the lightness


@dataclass(frozen=True, kw_only=True)
class ColorizationGanConfig(BaseConfig):
    """Options of adversarial colorization."""

    adversarial: float = option(
        0.01,
        "Weight of the critic",
        "How much fooling the critic counts against being near the true colour (0.01 as in pix2pix: 1 to 100).",
        low=0.0,
        high=1.0,
    )
    field: float = option(
        0.7,
        "Smallest field",
        "The network sees a random square of the picture, at least this share of its side; 1 takes all of it.",
        low=0.3,
        high=1.0,
    )
    mirror: bool = option(True, "Mirror", "Mirror half of the pictures: switch off if left and right mean something.")
    skips: int = option(
        2,
        "Skips",
        "Maps of the encoder that the decoder gets beside the deepest one. 3 gives it the top one too, which carries "
        "edges past the encoder; fewer make the answer coarser.",
        low=0,
        high=3,
        advanced=True,
    )


@TASKS.register("colorization_gan")
class ColorizationGan(PretextTask):
    """Isola et al., CVPR 2017, arXiv:1611.07004, section 3, as pretraining: Treneska et al., Sensors 2022, 22(4):1599.

    One backward pass trains both networks: the painter (encoder and decoder) meets the critic with its weights held
    fast, and the critic meets the painted colours cut off from the painter. The value of the loss is the painter's
    alone (pix2pix' divided by 100, so that gradient clipping sees the usual sizes): it falls when the pictures get
    better, while the critic's loss only says who is ahead.
    """

    title = Message("Colorization with a critic")
    summary = Message(
        "The network paints pictures that have lost their colour, while a second network learns to "
        "tell painted from true ones. That rewards vivid, plausible colours instead of a dull mean."
    )
    paper = "Isola et al., CVPR 2017, arXiv:1611.07004; Treneska et al., Sensors 2022, 22(4):1599"
    label_from = Message(
        "The colours were in your picture all along. A second network also says whether the painted colours look true."
    )
    helps = Message(
        "Colour photographs with rich colours, if plain colorization turns out dull. The second "
        "network rewards colours that look true instead of a careful brown."
    )
    fails = Message(
        "Grey scans have no colours to learn from, and the program refuses them. Two networks that "
        "compete need longer and can lose their balance; when time is short take plain colorization."
    )
    Config: ClassVar[type[BaseConfig]] = ColorizationGanConfig
    guess: Tensor

    def __init__(self, config: BaseConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        assert isinstance(config, ColorizationGanConfig)
        self.config = config
        self.decoder, self.stride = undecided_decoder(encoder_spec, 2, config.skips)
        self.critic = PatchCritic(3).to(memory_format=torch.channels_last)
        self.register_buffer("guess", torch.tensor(torch.nan))  # error of the mean colour; not known before `prepare`

    @classmethod
    def check(cls, config: BaseConfig, images: Tensor) -> None:
        """Raises TaskDoesNotFit when the pictures are grey or tinted."""
        refuse_without_colour(images)

    @torch.no_grad()
    def prepare(self, images: Tensor) -> None:
        """Measure how far the colours are from their mean."""
        maps = torch.cat([lab_colour.light_and_colour(chunk, self.stride)[1] for chunk in chunks_of(images)])
        maps = maps[lab_colour.has_colour(maps)]
        if len(maps):
            away = torch.linalg.vector_norm(maps - maps.mean(dim=(0, 2, 3), keepdim=True), dim=1)
            self.guess.copy_(away.mean())

    def make_batch(self, images: Tensor, rng: torch.Generator) -> Batch:
        """inputs: light (B, 1, H, W). targets: ab (B, 2, h, w), counts (B,) whether there is colour."""
        fields = lab_colour.random_fields(images, self.config.field, self.config.mirror, rng)
        light, ab = lab_colour.light_and_colour(fields, self.stride)
        return Batch({"light": light}, {"ab": ab, "counts": lab_colour.has_colour(ab)})

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: ab (B, 2, h, w)."""
        truth, counts = batch.targets["ab"] / lab_colour.FURTHEST, batch.targets["counts"]
        light = lab_colour.as_input(batch.inputs["light"])
        painted = torch.tanh(self.decoder(encoder.stages(light)).float())
        coarse = F.adaptive_avg_pool2d(light[:, :1], (truth.shape[-2], truth.shape[-1]))
        distance = lab_colour.mean_over((painted - truth).abs(), counts)
        painter = distance + self.config.adversarial * self._fooling(coarse, painted, counts)
        critic, seen = self._judge(coarse, painted.detach(), truth, counts)
        loss = painter + (critic - critic.detach())  # the critic's gradient without its value
        ab = painted.detach() * lab_colour.FURTHEST
        return TaskResult(
            loss, {"ab_error": lab_colour.mean_distance(ab, batch.targets["ab"], counts), **seen}, {"ab": ab}
        )

    def _fooling(self, light: Tensor, painted: Tensor, counts: Tensor) -> Tensor:
        """How little the critic believes the painted colours. No gradient reaches the critic's weights."""
        held = {name: weight.detach() for name, weight in self.critic.named_parameters()}
        logits = functional_call(self.critic, held, (torch.cat([light, SHARPER * painted], dim=1),)).float()
        return lab_colour.mean_over(F.softplus(-logits), counts)

    def _judge(self, light: Tensor, painted: Tensor, truth: Tensor, counts: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The critic's own loss (half of it for true, half for painted), and what it takes for real of both."""
        real = self.critic(torch.cat([light, SHARPER * truth], dim=1)).float()
        fake = self.critic(torch.cat([light, SHARPER * painted], dim=1)).float()
        loss = 0.5 * lab_colour.mean_over(F.softplus(-real) + F.softplus(fake), counts)
        seen = {"d_real": real.detach().sigmoid(), "d_fake": fake.detach().sigmoid()}
        return loss, {name: lab_colour.mean_over(value, counts) for name, value in seen.items()}

    def chance(self) -> dict[str, float]:
        """Known after `prepare`: always the mean colour."""
        error = float(self.guess)
        return {} if error != error else {"ab_error": error}

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """The lightness as asked, and the true and the painted colours over it."""
        light, grey = batch.inputs["light"][:count], torch.zeros_like(batch.targets["ab"][:count])
        asked, truth = lab_colour.coloured(light, grey), lab_colour.coloured(light, batch.targets["ab"][:count])
        answer = lab_colour.coloured(light, result.answers["ab"][:count]) if result else None
        return [
            Puzzle(
                source=draw.to_picture(images[number]),
                asked=draw.to_picture(asked[number]),
                truth=draw.to_picture(truth[number]),
                answer=None if answer is None else draw.to_picture(answer[number]),
                label=Message("the true colours"),
                answer_label="" if answer is None else Message("the painted colours"),
            )
            for number in range(len(light))
        ]

    def play(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Game]:
        """One marked spot in each picture that has colour; its colour is to be chosen among four."""
        said = result.answers["ab"] if result else None
        spots = colour_spots(batch.inputs["light"], batch.targets["ab"], said, count)
        question = Message("Which colour has the marked spot?")
        return [Game("colour", question, *spot) for spot in spots]
