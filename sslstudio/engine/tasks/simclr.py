"""SimCLR: each view of a picture must find its partner among all other views of the batch.

Letters: B pictures, s side of a view, D length of a projected embedding.
"""

from dataclasses import dataclass

from sslstudio.engine.core.config import option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import ACCURACY
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.models.heads import Mlp
from sslstudio.engine.models.joint_embedding_losses import nearest, nt_xent, score_retrieval, spread
from sslstudio.engine.tasks.base import TASKS, Batch, TaskResult
from sslstudio.engine.tasks.two_view import SPREAD, TwoViewTask, flatten_views
from sslstudio.engine.transforms.two_views import ViewsConfig


@dataclass(frozen=True, kw_only=True)
class SimclrConfig(ViewsConfig):
    """Options of SimCLR."""

    temperature: float = option(
        0.2,
        "Temperature",
        "The smaller, the more the most alike pictures are pushed apart.",
        low=0.01,
        high=2.0,
    )
    hidden_dim: int = option(512, "Projector width", "Width of its hidden layer.", low=16, high=16384, advanced=True)
    output_dim: int = option(
        128, "Embedding length", "Length of the embeddings that are compared.", low=8, high=4096, advanced=True
    )


@TASKS.register("simclr")
class Simclr(TwoViewTask[SimclrConfig]):
    """Chen, Kornblith, Norouzi & Hinton, ICML 2020, arXiv:2002.05709, section 2: NT-Xent on a projected embedding.

    All other pictures of the batch are the wrong answers, so a larger batch makes a harder and better question.
    """

    title = Message("SimCLR")
    summary = Message(
        "Two random views of each picture are made, and the network has to find which two belong "
        "together among all views of the batch. Gives strong features for classification; likes "
        "large batches."
    )
    paper = "Chen, Kornblith, Norouzi & Hinton, ICML 2020, arXiv:2002.05709"
    helps = Message(
        "Large sets of different pictures on a strong graphics card. The more pictures are compared "
        "at once, the finer the differences that are learnt."
    )
    fails = Message(
        "With small batches there are too few wrong answers to choose among, and little is learnt. "
        "Near copies, as in videos or neighbouring slices, count as different although they show the "
        "same."
    )
    Config = SimclrConfig
    metrics = (ACCURACY, SPREAD)

    def __init__(self, config: SimclrConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        self.projector = Mlp(encoder_spec.dim, config.hidden_dim, config.output_dim)

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: partner (B,), the picture whose second view is nearest to this one's first view.

        Metrics: accuracy, how often that is the right one; spread, 1 of embeddings all over, 0 of collapsed ones.
        What guessing reaches depends on the batch (1 in B), so no fixed value is given for it.
        """
        views = batch.inputs["views"]
        pairs = self.projector(encoder(flatten_views(views))).view(len(views), 2, -1)  # (B, 2, D)
        loss = nt_xent(pairs, self.config.temperature)
        partner = nearest(pairs[:, 0], pairs[:, 1])
        return TaskResult(
            loss, {"accuracy": score_retrieval(partner), "spread": spread(pairs.flatten(0, 1))}, {"partner": partner}
        )
