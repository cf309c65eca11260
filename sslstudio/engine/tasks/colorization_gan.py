"""Colorization against a critic: colours that a second network cannot tell from true ones.

Letters: B pictures, H and W picture size, h and w size of the decoder's output.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from sslstudio.engine.compute.resampling import average_areas
from sslstudio.engine.core.config import option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import Metric
from sslstudio.engine.models.colour_decoder import PatchCritic, build_undecided_decoder
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.tasks.base import TASKS, Batch, TaskResult
from sslstudio.engine.tasks.painting import COLOUR_ERROR, ColourConfig, ColourTask, mean_distance_to_mean
from sslstudio.engine.transforms import lab_colour

SHARPER = lab_colour.FURTHEST / 20  # the critic gets a and b with a deviation of about 1, as it gets the lightness


@dataclass(frozen=True, kw_only=True)
class ColorizationGanConfig(ColourConfig):
    """Options of adversarial colorization."""

    adversarial: float = option(
        0.01,
        "Weight of the critic",
        "How much fooling the critic counts against being near the true colour (0.01 as in pix2pix: 1 to 100).",
        low=0.0,
        high=1.0,
    )


@TASKS.register("colorization_gan")
class ColorizationGan(ColourTask[ColorizationGanConfig]):
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
    painted_label = Message("the painted colours")
    Config = ColorizationGanConfig
    metrics = (
        COLOUR_ERROR,
        Metric("d_real", Message("How real the critic finds true colours"), better=""),
        Metric("d_fake", Message("How real the critic finds painted colours"), better=""),
    )
    guess: Tensor

    def __init__(self, config: ColorizationGanConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        self.decoder, self.stride = build_undecided_decoder(encoder_spec, 2, config.skips)
        self.critic = PatchCritic(3).to(memory_format=torch.channels_last)
        self.register_buffer("guess", torch.tensor(torch.nan))  # error of the mean colour; not known before `prepare`

    @torch.no_grad()
    def prepare(self, images: Tensor) -> None:
        """Measure how far the colours are from their mean."""
        maps = self.true_colours(images)
        if len(maps):
            self.guess.copy_(mean_distance_to_mean(maps))

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: ab (B, 2, h, w)."""
        truth, counts = batch.targets["ab"] / lab_colour.FURTHEST, batch.targets["counts"]
        light = lab_colour.as_input(batch.inputs["light"])
        painted = torch.tanh(self.decoder(encoder.stages(light)).float())
        coarse = average_areas(light[:, :1], (truth.shape[-2], truth.shape[-1]))
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
