"""VICReg: two views of a picture get alike embeddings, while every value of the embedding must keep telling pictures
apart and no two may tell the same.

Letters: B pictures, s side of a view, D length of an embedding after the expander.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.models.joint_embedding_losses import VicregLossConfig, found, nearest, spread, vicreg_loss
from sslstudio.engine.models.two_view_base import Expander, ViewMaker, check_views, rows_of
from sslstudio.engine.tasks.base import TASKS, Batch, PretextTask, Puzzle, TaskResult


@dataclass(frozen=True, kw_only=True)
class VicregConfig(VicregLossConfig):
    """Options of VICReg."""

    expander: int = option(
        512, "Expander width", "Length of the embeddings that are compared.", low=16, high=16384, advanced=True
    )


@TASKS.register("vicreg")
class Vicreg(PretextTask):
    """Bardes, Ponce & LeCun, ICLR 2022, arXiv:2105.04906, section 4: 25 s(Z, Z') + 25 [v(Z) + v(Z')] + [c(Z) + c(Z')].

    Both views go through the encoder in one batch. Nothing needs a large batch, a teacher or negative pairs.
    """

    title = Message("VICReg")
    summary = Message(
        "Two random views of each picture are made, and the network learns that they are the same "
        "thing while different pictures stay different. It asks for no large batches and gives "
        "strong features for classification."
    )
    paper = "Bardes, Ponce & LeCun, ICLR 2022, arXiv:2105.04906"
    label_from = Message("Both views were cut from one picture, so the program knows that they belong together.")
    helps = Message(
        "Nearly any set of different pictures that are to be told apart as a whole. It was worth the "
        "most in our own comparison, and it needs neither large batches nor colour."
    )
    fails = Message(
        "If the pictures differ only in something that the views change, such as shade or size, that "
        "very thing is unlearnt. Then lower the change in the options, or take a task that asks "
        "about places."
    )
    no_game = Message(
        "Two views of one picture are to be found among the views of a whole batch of pictures. For "
        "a person that is either plain or luck, so a score would say nothing."
    )
    Config: ClassVar[type[BaseConfig]] = VicregConfig
    compares = True

    def __init__(self, config: BaseConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        assert isinstance(config, VicregConfig)
        self.config = config
        self.views = ViewMaker(config)
        self.expander = Expander(encoder_spec.dim, config.expander)

    @classmethod
    def check(cls, config: BaseConfig, images: Tensor) -> None:
        """Raises TaskDoesNotFit when pictures are too small, blank or all the same."""
        check_views(images)

    def prepare(self, images: Tensor) -> None:
        """Take the scale of the pixels."""
        self.views.fit(images)

    def make_batch(self, images: Tensor, rng: torch.Generator) -> Batch:
        """inputs: views (B, 2, 3, s, s). targets: matrices (B, 2, 2, 3), where they lie (for drawing only)."""
        views, matrices = self.views(images, rng)
        return Batch({"views": views}, {"matrices": matrices})

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: partner (B,), the picture whose second view is nearest to this one's first view.

        Metrics: accuracy, how often that is the right one; spread, 1 of embeddings all over, 0 of collapsed ones.
        """
        views = batch.inputs["views"]
        rows = self.expander(encoder(rows_of(views))).float()
        first, second = rows.view(len(views), 2, -1).unbind(1)  # (B, D) each
        loss = vicreg_loss(self.config, first, second, F.mse_loss(first, second))
        partner = nearest(first, second)
        return TaskResult(loss, {"accuracy": found(partner), "spread": spread(rows)}, {"partner": partner})

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """One pair a picture: the first view, a few second ones, and the one that the network takes for its partner."""
        partners = None if result is None else result.answers["partner"]
        shown = self.views.shown(images, batch.inputs["views"], batch.targets["matrices"], partners, count)
        return [Puzzle(*pictures) for pictures in shown]
