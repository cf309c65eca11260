"""What the joint-embedding tasks have in common: two random views of each picture, to be recognised as one.

Letters: B pictures, s side of a view, D length of an embedding.
"""

from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn

from sslstudio.engine.compute.draws import Rng
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import Metric
from sslstudio.engine.models.encoders import EncoderSpec
from sslstudio.engine.tasks.base import Batch, PretextTask, Puzzle, TaskResult, check_different
from sslstudio.engine.tasks.remedies import Fault, Remedies, at_least
from sslstudio.engine.transforms.draw_views import show_pair
from sslstudio.engine.transforms.geometry import blank_share, to_float
from sslstudio.engine.transforms.two_views import ViewsConfig, two_views

MOST_BLANK = 0.9  # share of the cells of all pictures without structure above which two views have nothing in common
LEAST_SIDE = 16  # pixels

SPREAD = Metric("spread", Message("Spread of the answers"))  # 0: all pictures get the same embedding

ViewsConfigT = TypeVar("ViewsConfigT", bound=ViewsConfig)


class TwoViewTask(PretextTask[ViewsConfigT]):
    """Base of tasks that compare two views of each picture.

    Batches hold views (B, 2, 3, s, s) in `inputs`, and in `targets` matrices (B, 2, 2, 3): where the views lie
    in their pictures. A forward answers `partner` (B,): the picture whose second view is nearest to this one's first.
    """

    label_from: ClassVar[Message] = Message(
        "Both views were cut from one picture, so the program knows that they belong together."
    )
    no_game: ClassVar[Message] = Message(
        "Two views of one picture are to be found among the views of a whole batch of pictures. For "
        "a person that is either plain or luck, so a score would say nothing."
    )
    remedies: ClassVar[Remedies] = {Fault.NO_DIRECTION: (at_least("turn", 180),)}
    compares = True

    def __init__(self, config: ViewsConfigT, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        self.views = ViewMaker(config, encoder_spec.pixels)

    @classmethod
    def check(cls, config: ViewsConfigT, images: Tensor) -> None:
        """Raises TaskDoesNotFit when pictures are too small, blank or all the same."""
        side = min(images.shape[-2:])
        if side < LEAST_SIDE:
            raise TaskDoesNotFit(
                "Parts of a picture are to be recognised as one, for which pictures of {side} pixels are too "
                "small. Set the picture side to {least_side} pixels or more.",
                side=side,
                least_side=LEAST_SIDE,
            )
        check_different(images)
        blank = blank_share(images)
        if blank > MOST_BLANK:
            raise TaskDoesNotFit(
                "{blank:.0%} of these pictures' area is blank: most views would show nothing. Cut the empty "
                "border off, or stretch the contrast of the pictures.",
                blank=blank,
            )

    @classmethod
    def instead(cls, config: ViewsConfigT) -> Message:
        """Say what to try where this task makes features worse."""
        return Message(
            "make its views differ less ({task}.colour=0.2 where colour tells the classes apart), or try "
            "a task that looks at one picture (rotation)",
            task=cls.name,
        )

    def prepare(self, images: Tensor) -> None:
        """Take the scale of the pixels."""
        self.views.fit(images)

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """Make the two views of each picture, and the matrices that say where they lie."""
        views, matrices = self.views(images, rng)
        return Batch({"views": views}, {"matrices": matrices})

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """One pair a picture: the first view, a few second ones, and the one that the network takes for its partner."""
        partners = None if result is None else result.answers["partner"].tolist()
        views, matrices = self.views.visible(batch.inputs["views"]), batch.targets["matrices"]
        shown = range(min(count, len(images)))
        return [Puzzle(*show_pair(images, views, matrices, partners, number)) for number in shown]


class ViewMaker(nn.Module):
    """Makes views at the scale of pixels that the encoder expects; the scale is kept with the weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: ViewsConfig, pixels: tuple[float, float] | None = None) -> None:
        """`pixels`: mean and deviation that the encoder wants, see `EncoderSpec`."""
        super().__init__()
        self.config, self.fixed = config, pixels is not None
        mean, deviation = pixels or (0.5, 0.25)
        self.register_buffer("mean", torch.full((3,), mean))
        self.register_buffer("deviation", torch.full((3,), deviation))

    def fit(self, images: Tensor) -> None:
        """Take the scale from a sample of the pictures, uint8 (N, 3, H, W), unless the encoder wants its own."""
        if self.fixed:
            return
        deviation, mean = torch.std_mean(to_float(images), dim=(0, 2, 3), correction=0)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp_min(1e-2))

    def forward(self, images: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """Views (B, 2, 3, s, s) of uint8 (B, 3, H, W) and their matrices (B, 2, 2, 3): see `two_views`."""
        return two_views(images, self.config, self.mean, self.deviation, rng)

    def visible(self, views: Tensor) -> Tensor:
        """Bring views back to the shades in 0..1 that people look at."""
        return views.detach().float() * self.deviation.view(3, 1, 1) + self.mean.view(3, 1, 1)


def flatten_views(views: Tensor) -> Tensor:
    """Views (B, 2, 3, s, s) as one batch (2B, 3, s, s) in the encoder's memory format, partners side by side."""
    return views.flatten(0, 1).contiguous(memory_format=torch.channels_last)
