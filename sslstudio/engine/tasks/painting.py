"""What the tasks have in common in which a decoder paints what was taken out of a picture: parts of it, or its colour.

Letters: B pictures, H and W picture size, s side of a crop, h and w size of the decoder's output.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from sslstudio.engine.compute.draws import Rng
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import Metric
from sslstudio.engine.tasks.base import Batch, ConfigT, Game, Picture, PretextTask, Puzzle, TaskResult
from sslstudio.engine.tasks.remedies import SMALLER_CROP, Asks, Fault, Remedies, to
from sslstudio.engine.transforms import draw, lab_colour
from sslstudio.engine.transforms.colour_quiz import colour_spots
from sslstudio.engine.transforms.colourfulness import chunks_of, refuse_without_colour
from sslstudio.engine.transforms.geometry import blank_share
from sslstudio.engine.transforms.random_crop import min_crop_side_option, mirror_option, outline_crop

LEAST_SIDE = 24  # pixels: a hole in less leaves too little around it, and it has fewer than three patches a side
MOST_BLANK = 0.8  # share of cells without structure above which most hidden parts have nothing in them to be painted
SHOWN_SIDE = 160  # pixels: pictures for people are enlarged to about this

# The share of what is hidden that the painting accounts for; below 0 it is worse than the plain guess.
EXPLAINED = Metric("explained", Message("Explained (0: guessing the mean)"))
COLOUR_ERROR = Metric("ab_error", Message("Distance to the true colours"), better="lower")  # in the ab plane


class HiddenPartsTask(PretextTask[ConfigT]):
    """Base of tasks that hide parts of a crop of each picture and have them painted.

    Its batches hold in `targets` boxes (B, 4), where the crops lie in `images`.
    """

    needs: ClassVar[Message]  # a sentence: why pictures must not be too small
    hidden_parts: ClassVar[Message]  # "most holes"
    hidden_label: ClassVar[Message]  # "what was cut out"
    no_game: ClassVar[Message] = Message(
        "The network paints what is missing, pixel by pixel. There is no right answer that one could choose."
    )
    remedies: ClassVar[Remedies] = {**SMALLER_CROP, Fault.RELIES_ON_SIDES: (to("mirror", True),)}

    @classmethod
    def check(cls, config: ConfigT, images: Tensor) -> None:
        """Raises TaskDoesNotFit when the pictures are too small or show next to nothing in most places."""
        side = min(images.shape[-2:])
        if side < LEAST_SIDE:
            raise TaskDoesNotFit(
                "{needs} Pictures of {side} pixels are too small for that: set the picture side to {least_side} pixels "
                "or more (48 is better).",
                needs=cls.needs,
                side=side,
                least_side=LEAST_SIDE,
            )
        blank = blank_share(images, cells=4)
        if blank > MOST_BLANK:
            raise TaskDoesNotFit(
                "{blank:.0%} of the places of these pictures are blank, so {most} have nothing in them that could be "
                "painted. Cut the empty border off the pictures.",
                blank=blank,
                most=cls.hidden_parts,
            )

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """The picture with what is hidden left out, the whole one, and the network's painting."""
        return [self._puzzle(images, batch, result, number) for number in range(min(count, len(images)))]

    def _puzzle(self, images: Tensor, batch: Batch, result: TaskResult | None, number: int) -> Puzzle:
        return Puzzle(
            source=outline_crop(images[number], batch.targets["boxes"][number], SHOWN_SIDE),
            input=self.visible(self.show_masked(batch, number)),
            target=self.visible(self.whole(batch, number)),
            answer=None if result is None else self.visible(self.show_painted(result, number)),
            label=self.hidden_label,
            answer_label="" if result is None else self.painted_label(),
        )

    def visible(self, crop: Tensor) -> Picture:
        """A crop (3, s, s) of shades in [0, 1] as people look at it."""
        return draw.magnify(draw.to_picture(crop), SHOWN_SIDE)

    def show_masked(self, batch: Batch, number: int) -> Tensor:
        """Show crop (3, s, s) number `number` as the network gets it."""
        raise NotImplementedError

    def whole(self, batch: Batch, number: int) -> Tensor:
        """The same with nothing hidden."""
        raise NotImplementedError

    def show_painted(self, result: TaskResult, number: int) -> Tensor:
        """Show the same with what is hidden painted by the network."""
        raise NotImplementedError

    def painted_label(self) -> Message:
        """Say what the network's painting shows."""
        return Message("what the network paints")


@dataclass(frozen=True, kw_only=True)
class ColourConfig(BaseConfig):
    """Options of tasks that paint colours."""

    min_crop_side: float = min_crop_side_option()
    mirror: bool = mirror_option()
    skips: int = option(
        2,
        "Skips",
        "Maps of the encoder that the decoder gets beside the deepest one. 3 gives it the top one too, which carries "
        "edges past the encoder; fewer make the answer coarser.",
        low=0,
        high=3,
        advanced=True,
    )


ColourConfigT = TypeVar("ColourConfigT", bound=ColourConfig)


class ColourTask(PretextTask[ColourConfigT]):
    """Base of tasks that get the lightness of a picture and paint its colours. Pictures without colour do not count.

    Its batches hold light (B, 1, H, W) in `inputs`, and ab (B, 2, h, w) and counts (B,), whether there is colour, in
    `targets`. A forward answers `ab` (B, 2, h, w).
    """

    asks = frozenset({Asks.COLOUR})
    remedies: ClassVar[Remedies] = {**SMALLER_CROP, Fault.RELIES_ON_SIDES: (to("mirror", True),)}
    stride: int  # of the decoder's output
    painted_label: ClassVar[Message]  # "the network's colours"

    @classmethod
    def check(cls, config: ColourConfigT, images: Tensor) -> None:
        """Raises TaskDoesNotFit when the pictures are grey or tinted."""
        refuse_without_colour(images)

    @torch.no_grad()
    def true_colours(self, images: Tensor) -> Tensor:
        """Maps (N, 2, h, w) of those uint8 pictures that have colour."""
        maps = torch.cat([lab_colour.light_and_colour(chunk, self.stride)[1] for chunk in chunks_of(images)])
        return maps[lab_colour.has_colour(maps)]

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """Take a random crop of each picture apart into lightness and colour."""
        crops = lab_colour.crop_at_random(images, self.config.min_crop_side, self.config.mirror, rng)
        light, ab = lab_colour.light_and_colour(crops, self.stride)
        return Batch({"light": light}, {"ab": ab, "counts": lab_colour.has_colour(ab)})

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """The lightness as asked, and the true and the answered colours painted over it."""
        light, grey = batch.inputs["light"][:count], torch.zeros_like(batch.targets["ab"][:count])
        asked, truth = lab_colour.add_colour(light, grey), lab_colour.add_colour(light, batch.targets["ab"][:count])
        answer = lab_colour.add_colour(light, result.answers["ab"][:count]) if result else None
        return [
            Puzzle(
                source=draw.to_picture(images[number]),
                input=draw.to_picture(asked[number]),
                target=draw.to_picture(truth[number]),
                answer=None if answer is None else draw.to_picture(answer[number]),
                label=Message("the true colours"),
                answer_label="" if answer is None else self.painted_label,
            )
            for number in range(len(light))
        ]

    def play(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Game]:
        """One marked spot in each picture that has colour; its colour is to be chosen among four."""
        said = result.answers["ab"] if result else None
        spots = colour_spots(batch.inputs["light"], batch.targets["ab"], said, count)
        question = Message("Which colour has the marked spot?")
        return [Game("colour", question, *spot) for spot in spots]


def mean_distance_to_mean(maps: Tensor) -> Tensor:
    """How far colours (N, 2, h, w) lie from their mean: the error of answering the mean everywhere. 0-dimensional."""
    distances: Tensor = torch.linalg.vector_norm(maps - maps.mean(dim=(0, 2, 3), keepdim=True), dim=1)
    return distances.mean()
