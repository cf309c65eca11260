"""BYOL: the network predicts, from one view of a picture, what a slow copy of itself makes of the other view.

Letters: B pictures, s side of a view, D length of a projected embedding.
"""

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from sslstudio.engine.core.config import option
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import ACCURACY
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.models.heads import Mlp
from sslstudio.engine.models.joint_embedding_losses import nearest, regression_loss, score_retrieval, spread
from sslstudio.engine.tasks.base import TASKS, Batch, TaskResult
from sslstudio.engine.tasks.two_view import SPREAD, TwoViewTask, flatten_views
from sslstudio.engine.transforms.two_views import ViewsConfig


@dataclass(frozen=True, kw_only=True)
class ByolConfig(ViewsConfig):
    """Options of BYOL."""

    momentum: float = option(
        0.99,
        "Teacher's inertia",
        "Share of itself that the teacher keeps at each step, at first; it rises to 1 at the end. Take less for a "
        "training of few steps.",
        low=0.0,
        high=1.0,
    )
    hidden_dim: int = option(
        512, "Projector width", "Width of the hidden layers of both heads.", low=16, high=16384, advanced=True
    )
    output_dim: int = option(
        128, "Embedding length", "Length of the embeddings that are predicted.", low=8, high=4096, advanced=True
    )


@TASKS.register("byol")
class Byol(TwoViewTask[ByolConfig]):
    """Grill et al., NeurIPS 2020, arXiv:2006.07733, section 3: symmetric regression of a teacher's projections.

    The teacher (encoder and projector) starts as a copy and follows by a moving average of the weights, with an
    inertia that rises to 1 by a half cosine. Its batch norms use the statistics of the batch in training, like the
    network's own, as in the paper; for evaluation both use what they have gathered. It is part of the task's
    state, so a run that is resumed goes on with it.
    """

    title = Message("BYOL")
    summary = Message(
        "Two random views of each picture are made; from one of them the network predicts what a "
        "slowly following copy of itself sees in the other. Needs no large batches and no wrong "
        "answers."
    )
    paper = "Grill et al., NeurIPS 2020, arXiv:2006.07733"
    label_from = Message(
        "Both views were cut from one picture; what the slow copy of the network says about one is "
        "the answer for the other."
    )
    helps = Message(
        "Sets with many pictures that look alike, because nothing is pushed apart. It gets along with small batches."
    )
    fails = Message(
        "Short runs, because the slow copy has little to teach at first. If the spread falls to "
        "nothing, everything gets the same answer: the alarm says so."
    )
    Config = ByolConfig
    metrics = (ACCURACY, SPREAD)
    compares = False

    def __init__(self, config: ByolConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        self.projector = Mlp(encoder_spec.dim, config.hidden_dim, config.output_dim)
        self.predictor = Mlp(config.output_dim, config.hidden_dim, config.output_dim)
        self.teacher = nn.ModuleDict()  # encoder and projector, once the encoder is known

    def attach(self, encoder: Encoder) -> None:
        """Copy the encoder and the projector as they are: the teacher's first weights."""
        teacher = {"encoder": copy.deepcopy(encoder), "projector": copy.deepcopy(self.projector)}
        self.teacher.update(teacher)
        self.teacher.requires_grad_(False).train(self.training)

    def after_step(self, encoder: Encoder, share: float) -> None:
        """Move the teacher's weights towards the network's: tau t + (1 - tau) w."""
        follow = get_ema_multi_avg_fn(self.inertia(share))  # type: ignore[no-untyped-call]
        network = [*encoder.parameters(), *self.projector.parameters()]
        follow(list(self.teacher.parameters()), network, None)

    def inertia(self, share: float) -> float:
        """tau after `share` of the training: 1 - (1 - tau_0) (cos(pi share) + 1) / 2, section 3.2."""
        return 1.0 - (1.0 - self.config.momentum) * (math.cos(math.pi * share) + 1.0) / 2.0

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: partner (B,), the picture whose second view the prediction from this one's first view is nearest to.

        Metrics: accuracy, how often that is the right one; spread, 1 of embeddings all over, 0 of collapsed ones.
        Raises RunError before `attach`.
        """
        views = batch.inputs["views"]
        rows = flatten_views(views)
        projected = self.projector(encoder(rows))
        predicted = self.predictor(projected).view(len(views), 2, -1)  # (B, 2, D)
        wanted = self._teach(rows).view(len(views), 2, -1)
        loss = 2.0 * regression_loss(predicted, wanted.flip(1))  # the sum of both ways round
        partner = nearest(predicted[:, 0], wanted[:, 1])
        return TaskResult(
            loss, {"accuracy": score_retrieval(partner), "spread": spread(projected)}, {"partner": partner}
        )

    @torch.no_grad()
    def _teach(self, rows: Tensor) -> Tensor:
        """Compute the teacher's projections (2B, D) of the views (2B, 3, s, s)."""
        if not len(self.teacher):
            raise RunError("BYOL has no teacher yet: attach the encoder to the task before the first batch.")
        taught: Tensor = self.teacher["projector"](self.teacher["encoder"](rows))
        return taught
