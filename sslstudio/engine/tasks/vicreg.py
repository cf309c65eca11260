"""VICReg: two views of a picture get alike embeddings, while every value of the embedding must keep telling pictures
apart and no two may tell the same.

Letters: B pictures, s side of a view, D length of an embedding after the expander.
"""

from dataclasses import dataclass

import torch.nn.functional as F

from sslstudio.engine.core.config import option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import ACCURACY
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.models.heads import Expander
from sslstudio.engine.models.joint_embedding_losses import (
    VicregLossConfig,
    nearest,
    score_retrieval,
    spread,
    vicreg_loss,
)
from sslstudio.engine.tasks.base import TASKS, Batch, TaskResult
from sslstudio.engine.tasks.two_view import SPREAD, TwoViewTask, flatten_views


@dataclass(frozen=True, kw_only=True)
class VicregConfig(VicregLossConfig):
    """Options of VICReg."""

    expander_dim: int = option(
        512, "Expander width", "Length of the embeddings that are compared.", low=16, high=16384, advanced=True
    )


@TASKS.register("vicreg")
class Vicreg(TwoViewTask[VicregConfig]):
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
    helps = Message(
        "Nearly any set of different pictures that are to be told apart as a whole. It was worth the "
        "most in our own comparison, and it needs neither large batches nor colour."
    )
    fails = Message(
        "If the pictures differ only in something that the views change, such as shade or size, that "
        "very thing is unlearnt. Then lower the change in the options, or take a task that asks "
        "about places."
    )
    Config = VicregConfig
    metrics = (ACCURACY, SPREAD)

    def __init__(self, config: VicregConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        self.expander = Expander(encoder_spec.dim, config.expander_dim)

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: partner (B,), the picture whose second view is nearest to this one's first view.

        Metrics: accuracy, how often that is the right one; spread, 1 of embeddings all over, 0 of collapsed ones.
        """
        views = batch.inputs["views"]
        rows = self.expander(encoder(flatten_views(views))).float()
        first, second = rows.view(len(views), 2, -1).unbind(1)  # (B, D) each
        loss = vicreg_loss(self.config, first, second, F.mse_loss(first, second))
        partner = nearest(first, second)
        return TaskResult(loss, {"accuracy": score_retrieval(partner), "spread": spread(rows)}, {"partner": partner})
