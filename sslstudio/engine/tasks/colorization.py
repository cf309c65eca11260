"""Colorization: the network sees the lightness of a picture and says which colours belong where.

Letters: B pictures, H and W picture size, h and w size of the decoder's output, Q bins, K bins that share a colour.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.draws import Rng
from sslstudio.engine.compute.process_group import sum_over_ranks
from sslstudio.engine.core.config import option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import Metric
from sslstudio.engine.models.colour_decoder import build_undecided_decoder
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.tasks.base import TASKS, Batch, TaskResult
from sslstudio.engine.tasks.painting import COLOUR_ERROR, ColourConfig, ColourTask, mean_distance_to_mean
from sslstudio.engine.transforms import lab_colour

GAIN = 4.0  # on the output: AdamW moves all weights alike, so what 32 features say would grow slowly from near 0
SPREAD = 20.0  # about the deviation of a and b in photographs: regression answers in units of it


@dataclass(frozen=True, kw_only=True)
class ColorizationConfig(ColourConfig):
    """Options of colorization."""

    loss: str = option(
        "classes",
        "Answer",
        "classes: a choice among 313 colours at every place, rare colours count more. regression: one colour, which "
        "turns out dull where several are possible.",
        choices=("classes", "regression"),
    )
    rebalance: bool = option(
        True, "Rare colours count more", "Otherwise everything becomes the colour of the background.", advanced=True
    )
    temperature: float = option(
        0.38,
        "Temperature",
        "For the pictures only: lower is more vivid and spottier, 1 is dull.",
        low=0.05,
        high=1.0,
        advanced=True,
    )


@TASKS.register("colorization")
class Colorization(ColourTask[ColorizationConfig]):
    """Zhang, Isola & Efros, ECCV 2016, arXiv:1603.08511, section 2, with the prior taken from the user's pictures.

    Pictures without colour do not count. `weighted_accuracy` is the share of places whose bin is right, rare colours
    weighing as much as in the loss; `ab_error` is the mean distance to the true colour in the ab plane.
    """

    title = Message("Colorization")
    summary = Message(
        "The network gets pictures without their colour and paints them. To know that grass is green "
        "and sky is blue it has to recognise grass and sky."
    )
    paper = "Zhang, Isola & Efros, ECCV 2016, arXiv:1603.08511"
    label_from = Message(
        "The colours were in your picture all along. The program takes them away, and they are the right answer."
    )
    helps = Message(
        "Colour photographs in which the colour belongs to the thing: plants, food, stained slides, "
        "birds. What is learnt is sharp in place, so it suits later marking of areas."
    )
    fails = Message(
        "Grey scans have no colours to learn from, and the program refuses them. Where the colour is "
        "a matter of chance, as with cars or clothes, there is little to be known."
    )
    painted_label = Message("the network's colours")
    Config = ColorizationConfig
    metrics = (
        Metric("weighted_accuracy", Message("Colours right, rare ones counting more"), is_share=True),
        COLOUR_ERROR,
    )
    bins: Tensor
    near: Tensor
    balance: Tensor
    guess: Tensor

    def __init__(self, config: ColorizationConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        bins = lab_colour.ab_bins().clone()
        outputs = len(bins) if config.loss == "classes" else 2
        self.decoder, self.stride = build_undecided_decoder(encoder_spec, outputs, config.skips)
        self.register_buffer("bins", bins, persistent=False)
        self.register_buffer("near", lab_colour.near_bins().clone(), persistent=False)
        self.register_buffer("balance", torch.ones(len(bins)))
        # Accuracy of the best single bin and error of the mean colour; not known before `prepare`.
        self.register_buffer("guess", torch.full((2,), torch.nan))

    @torch.no_grad()
    def prepare(self, images: Tensor) -> None:
        """How often each bin occurs in the coloured pictures; the weights and what guessing gives follow."""
        maps = self.true_colours(images)
        if not len(maps):
            return
        parts = [lab_colour.soft_encode(part, self.bins, self.near) for part in torch.split(maps, 32)]
        nearest, weights = (torch.cat(list(kind)) for kind in zip(*parts, strict=True))
        if self.config.rebalance:
            self.balance.copy_(lab_colour.rebalancing(lab_colour.bin_shares(nearest, weights, len(self.bins))))
        counted = self.balance * torch.bincount(
            lab_colour.main_bins(nearest, weights).flatten(), minlength=len(self.bins)
        )
        self.guess.copy_(torch.stack([counted.max() / counted.sum(), mean_distance_to_mean(maps)]))

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """For classes `targets` also hold the soft labels, nearest and weights (B, h, w, K)."""
        batch = super().make_batch(images, rng)
        if self.config.loss == "classes":
            nearest, weights = lab_colour.soft_encode(batch.targets["ab"], self.bins, self.near)
            batch.targets["nearest"], batch.targets["weights"] = nearest, weights
        return batch

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: ab (B, 2, h, w)."""
        output = GAIN * self.decoder(encoder.stages(lab_colour.as_input(batch.inputs["light"]))).float()
        if self.config.loss == "classes":
            return self._score_classes(output, batch.targets)
        return self._score_regression(output, batch.targets)

    def _score_classes(self, logits: Tensor, targets: dict[str, Tensor]) -> TaskResult:
        nearest, weights, counts = targets["nearest"], targets["weights"], targets["counts"]
        truth = lab_colour.main_bins(nearest, weights)
        share = self.balance[truth] * counts.view(-1, 1, 1)  # (B, h, w)
        # A weighted mean: undecided answers cost log(Q) in every batch.
        share = share / sum_over_ranks(share.sum()).clamp_min(1e-6)
        loss = sum_over_ranks((share * soft_cross_entropy(logits, nearest, weights)).sum())
        with torch.no_grad():
            accuracy = sum_over_ranks(((logits.argmax(dim=1) == truth) * share).sum())
            ab = lab_colour.annealed_mean(logits, self.bins, self.config.temperature)
            error = lab_colour.mean_distance(ab, targets["ab"], counts)
        return TaskResult(loss, {"weighted_accuracy": accuracy, "ab_error": error}, {"ab": ab})

    def _score_regression(self, output: Tensor, targets: dict[str, Tensor]) -> TaskResult:
        each = F.smooth_l1_loss(output, targets["ab"] / SPREAD, reduction="none")
        ab = output.detach() * SPREAD
        error = lab_colour.mean_distance(ab, targets["ab"], targets["counts"])
        return TaskResult(lab_colour.mean_over(each, targets["counts"]), {"ab_error": error}, {"ab": ab})

    def chance(self) -> dict[str, float]:
        """Known after `prepare`: always the bin that pays most; for regression always the mean colour.

        Classes may well have a larger ab_error than the mean colour: they choose, and the mean never does.
        """
        accuracy, error = self.guess.tolist()
        if error != error:
            return {}
        return {"weighted_accuracy": accuracy} if self.config.loss == "classes" else {"ab_error": error}


def soft_cross_entropy(logits: Tensor, nearest: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy (B, h, w) of logits (B, Q, h, w) with the soft labels (B, h, w, K), which sum to 1."""
    rows = logits.movedim(1, -1)
    return rows.logsumexp(dim=-1) - (rows.gather(-1, nearest) * weights).sum(dim=-1)
