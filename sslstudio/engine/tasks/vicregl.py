"""VICRegL: VICReg on whole pictures and, at the same time, on the places of a map. For segmentation.

Letters: B pictures, s side of a view, P places (cells) of a map, D length of an expanded embedding.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.compute.resampling import average_areas
from sslstudio.engine.core.config import option
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import ACCURACY, Metric
from sslstudio.engine.models.dense_matching import alike, at_places, counterparts, likeness_loss, near_share
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.models.heads import Expander
from sslstudio.engine.models.joint_embedding_losses import (
    VicregLossConfig,
    nearest,
    score_retrieval,
    spread,
    vicreg_loss,
)
from sslstudio.engine.tasks.base import TASKS, Batch, Puzzle, TaskResult
from sslstudio.engine.tasks.two_view import SPREAD, TwoViewTask, flatten_views
from sslstudio.engine.transforms.draw_views import SPOTS, show_places
from sslstudio.engine.transforms.two_views import cell_places

MATCHED = 4  # places a side that a puzzle is drawn with before the network has a map
MOST_CELLS = 14  # a side of the map that places are matched on: matching by likeness compares all with all


@dataclass(frozen=True, kw_only=True)
class VicreglConfig(VicregLossConfig):
    """Options of VICRegL."""

    stage: int = option(
        3, "Stage", "Stage of the encoder whose places are compared; an earlier one sees finer.", low=1, high=4
    )
    global_weight: float = option(
        0.75, "Weight of the whole", "Share of the loss on whole pictures; the rest is on places.", low=0.0, high=1.0
    )
    matched: float = option(
        0.4,
        "Places matched by likeness",
        "Share of the places that are compared with the place that looks most like them.",
        low=0.05,
        high=1.0,
        advanced=True,
    )
    published: bool = option(
        False,
        "Loss as published",
        "As in the authors' code: the places of a map are told apart over the pictures of the batch, each place by "
        "itself, and covariances count half. For batches of hundreds of pictures.",
        advanced=True,
    )
    expander_dim: int = option(
        512, "Expander width", "Length of the embeddings of pictures.", low=16, high=16384, advanced=True
    )
    local_expander_dim: int = option(
        128, "Expander width of places", "Length of the embeddings of places.", low=16, high=4096, advanced=True
    )


@TASKS.register("vicregl")
class Vicregl(TwoViewTask[VicreglConfig]):
    """Bardes, Ponce & LeCun, NeurIPS 2022, arXiv:2210.01571, section 3: a global and a local VICReg loss.

    Places are matched in both ways of the paper. By location: a place of one view is compared with the same spot of the
    picture in the other view. The views' geometry is known exactly, so the other map is read between its cells instead
    of at the nearest one, and every place that the other view shows counts instead of a fixed number of nearest ones:
    maps of small pictures have few, coarse cells. By likeness: with the most alike place of the other view, the most
    alike `matched` share of them. Variance and covariance are taken over all places of all pictures together, because
    in segmentation the places of one picture have to differ too.

    `published` takes them as the authors' code does: over the pictures of the batch for each place by itself, with the
    covariances of the two views averaged and the two ways of matching added. The covariances of 128 values from 64
    pictures have a floor of 127 / 63 = 2.0 by chance alone, from all their places one below 0.1: so it is no default.
    The lower learning rate of the authors' head for places (a tenth) is not taken over.
    """

    title = Message("VICRegL")
    summary = Message(
        "Two random views of each picture are made, and the network learns that they are the same "
        "thing, as a whole and spot by spot. Meant for segmentation, where it matters what lies "
        "where."
    )
    paper = "Bardes, Ponce & LeCun, NeurIPS 2022, arXiv:2210.01571"
    label_from = Message(
        "Both views were cut from one picture, so the program knows which spots of them show the same place."
    )
    helps = Message(
        "When areas are to be marked later: cells, lesions, defects. It learns about each spot and "
        "about the whole picture at once."
    )
    fails = Message(
        "For sorting whole pictures plain VICReg is quicker. In very small pictures there are too few spots to compare."
    )
    Config = VicreglConfig
    metrics = (
        ACCURACY,
        SPREAD,
        Metric("place_accuracy", Message("Spots found again"), is_share=True),
        Metric("place_spread", Message("Spread of the answers about spots")),
    )

    def __init__(self, config: VicreglConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        self.expander = Expander(encoder_spec.dim, config.expander_dim)
        self.place_expander = Expander(encoder_spec.dims[config.stage - 1], config.local_expander_dim)

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: partner (B,), the picture whose second view is nearest to this one's first view; place (B, 2, P),
        the number of the most alike place of the other view.

        Metrics: accuracy and spread of whole pictures; place_accuracy, how often the most alike place lies within a
        cell of the right one, over the places that both views show; place_spread.
        """
        views = batch.inputs["views"]
        maps = encoder.stages(flatten_views(views))
        rows = self.expander(maps[-1].mean(dim=(2, 3))).float()
        first, second = rows.view(len(views), 2, -1).unbind(1)  # (B, D) each
        whole = vicreg_loss(
            self.config, first, second, F.mse_loss(first, second), 0.5 if self.config.published else 1.0
        )
        places, metrics, answers = self._places(maps[self.config.stage - 1], batch.targets["matrices"])
        partner = nearest(first, second)
        return TaskResult(
            self.config.global_weight * whole + (1 - self.config.global_weight) * places,
            {"accuracy": score_retrieval(partner), "spread": spread(rows), **metrics},
            {"partner": partner, **answers},
        )

    def _places(self, maps: Tensor, matrices: Tensor) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """The local loss on maps (2B, C, h, w), its metrics and answers."""
        height, width = (min(side, MOST_CELLS) for side in maps.shape[-2:])
        maps = average_areas(maps, (height, width))
        cells = maps.movedim(1, -1).reshape(-1, maps.shape[1])  # (2B * P, C)
        expanded = self.place_expander(cells).float().view(-1, 2, height * width, self.config.local_expander_dim)
        other = expanded.flip(1)
        spots, shown = counterparts(matrices, height, width)  # where each place is in the other view, (B, 2, P, 2)
        by_location = likeness_loss(expanded, at_places(other, spots, height, width), shown)
        most, kept = alike(expanded, other, self.config.matched)
        taken = other.gather(2, most.unsqueeze(-1).expand_as(other))
        unlike = (by_location + likeness_loss(expanded, taken, kept)) / 2
        if self.config.published:
            loss = 2.0 * vicreg_loss(self.config, expanded[:, 0], expanded[:, 1], unlike, 0.5)
        else:
            loss = vicreg_loss(self.config, expanded[:, 0].flatten(0, 1), expanded[:, 1].flatten(0, 1), unlike)
        metrics = {
            "place_accuracy": near_share(most, spots, shown, height, width),
            "place_spread": spread(expanded.flatten(0, 2)),
        }
        return loss, metrics, {"place": most}

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """A picture each: spots of the first view, where they are in the second, and where the network finds them."""
        answers = None if result is None else result.answers["place"]
        views, matrices = self.views.visible(batch.inputs["views"]), batch.targets["matrices"].detach().float()
        cells = None if answers is None else answers.shape[-1]
        side = MATCHED if cells is None else round(cells**0.5)
        spots, shown = counterparts(matrices, side, side)
        centres = cell_places(side, side, matrices.device)
        return [
            self._puzzle(images, views, matrices, number, (centres, spots[number, 0], shown[number, 0]), answers)
            for number in range(min(count, len(images)))
        ]

    def _puzzle(
        self, images: Tensor, views: Tensor, matrices: Tensor, number: int, places: tuple[Tensor, Tensor, Tensor],
        answers: Tensor | None,
    ) -> Puzzle:  # fmt: skip
        centres, spots, shown = places
        chosen = pick_evenly(shown, SPOTS)
        guesses = None if answers is None else centres[answers[number, 0, chosen]]
        near = 0
        if guesses is not None and len(chosen):
            width = 2.0 * len(centres) ** -0.5
            near = int(((guesses - spots[chosen]).abs() <= width).all(dim=-1).sum())
        return Puzzle(
            *show_places(images[number], views[number], matrices[number], centres[chosen], spots[chosen], guesses, near)
        )


def pick_evenly(shown: Tensor, count: int) -> Tensor:
    """Up to `count` of the places that both views show (bool, (P,)), evenly among them: their numbers."""
    known = shown.nonzero().flatten()
    if len(known) <= count:
        return known
    return known[torch.linspace(0, len(known) - 1, count, device=known.device).round().long()]
