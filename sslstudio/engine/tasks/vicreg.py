"""VICReg: two views of a picture get alike embeddings, while every value of the embedding must keep telling pictures
apart and no two may tell the same.

Letters: B pictures, s side of a view, D length of an embedding after the expander.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.config import BaseConfig, option
from sslstudio.engine.data.two_views import ViewsConfig
from sslstudio.engine.models.embedding_losses import covariance_loss, found, nearest, spread, variance_loss
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.models.heads import Mlp
from sslstudio.engine.models.view_maker import ViewMaker, check_views, rows_of
from sslstudio.engine.tasks.base import TASKS, Batch, PretextTask, Puzzle, TaskResult


@dataclass(frozen=True, kw_only=True)
class VicregConfig(ViewsConfig):
    """Options of VICReg. The three weights are those of the paper."""

    expander: int = option(
        512, "Expander width", "Length of the embeddings that are compared.", low=16, high=16384, advanced=True
    )
    invariance: float = option(
        25.0, "Weight of likeness", "Pull of the two views to each other.", low=0.0, high=1000.0, advanced=True
    )
    variance: float = option(
        25.0,
        "Weight of variance",
        "Push that keeps each value different between pictures.",
        low=0.0,
        high=1000.0,
        advanced=True,
    )
    covariance: float = option(
        1.0,
        "Weight of covariance",
        "Push that keeps two values from telling the same.",
        low=0.0,
        high=1000.0,
        advanced=True,
    )


@TASKS.register("vicreg")
class Vicreg(PretextTask):
    """Bardes, Ponce & LeCun, ICLR 2022, arXiv:2105.04906, section 4: 25 s(Z, Z') + 25 [v(Z) + v(Z')] + [c(Z) + c(Z')].

    As in the authors' code the two variances are averaged and the covariances added. Both views go through the encoder
    in one batch. Nothing needs a large batch, a teacher or negative pairs.
    """

    title = "VICReg"
    summary = (
        "Two random views of each picture are made, and the network learns that they are the same thing while "
        "different pictures stay different. It asks for no large batches and gives strong features for classification."
    )
    paper = "Bardes, Ponce & LeCun, ICLR 2022, arXiv:2105.04906"
    Config: ClassVar[type[BaseConfig]] = VicregConfig

    def __init__(self, config: BaseConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        assert isinstance(config, VicregConfig)
        self.config = config
        self.views = ViewMaker(config)
        width = config.expander
        self.expander = nn.Sequential(
            nn.Linear(encoder_spec.dim, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True),
            Mlp(width, width, width),
        )  # fmt: skip

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
        config, views = self.config, batch.inputs["views"]
        rows = self.expander(encoder(rows_of(views))).float()
        first, second = rows.view(len(views), 2, -1).unbind(1)  # (B, D) each
        variance = (variance_loss(first) + variance_loss(second)) / 2
        covariance = covariance_loss(first) + covariance_loss(second)
        loss = (
            config.invariance * F.mse_loss(first, second)
            + config.variance * variance
            + config.covariance * covariance
        )  # fmt: skip
        partner = nearest(first, second)
        return TaskResult(loss, {"accuracy": found(partner), "spread": spread(rows)}, {"partner": partner})

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """One pair a picture: the first view, a few second ones, and the one that the network takes for its partner."""
        partners = None if result is None else result.answers["partner"]
        shown = self.views.shown(images, batch.inputs["views"], batch.targets["matrices"], partners, count)
        return [Puzzle(*pictures) for pictures in shown]
