"""Rotation: every picture is shown in four turns, and the network says which way up it was.

Letters: B pictures, s side of the crop that the network sees, R = 4B rows (every picture in all of its turns).
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.compute.draws import Rng, mixed_rows, uniform
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import ACCURACY
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.tasks.base import TASKS, Batch, Game, Picture, PretextTask, Puzzle, TaskResult
from sslstudio.engine.tasks.remedies import SMALLER_CROP, Asks, Fault, Remedies, at_least, at_most, to
from sslstudio.engine.transforms import draw, geometry
from sslstudio.engine.transforms.random_crop import (
    Crops,
    disc,
    min_crop_side_option,
    outline_crop,
    random_crops,
    standardise_within,
)

LEAST_SIDE = 16  # pixels: in less than this nobody can tell up from down
LEAST_INPUT = 24  # pixels: however small the share, the network sees this many if the picture has them
SHOWN_SIDE = 160  # pixels: pictures for people are enlarged to about this
TURNS = (
    Message("upright"),
    Message("a quarter turn to the left"),
    Message("upside down"),
    Message("a quarter turn to the right"),
)


@dataclass(frozen=True, kw_only=True)
class RotationConfig(BaseConfig):
    """Options of rotation. The defaults keep all defences on."""

    min_crop_side: float = min_crop_side_option()
    size: float = option(
        0.6,
        "Sharpness",
        "Side of what the network sees, as a share of the picture's side. All four turns of a picture are looked at: "
        "at 0.6 that costs as much as one and a half whole pictures, at 1 as much as four.",
        low=0.2,
        high=1.0,
    )
    round: bool = option(
        True,
        "Round crop",
        "Blanks the corners, so that frames, dark rims, stamps and empty corners do not tell which way is up.",
    )
    mirror: bool = option(
        True, "Mirror", "Mirror half of the pictures, left and right exchanged: twice as many pictures."
    )
    grey: float = option(
        0.3,
        "Grey pictures",
        "Share of pictures that lose their colour, so that blue above and green below is not all that is learnt.",
        low=0.0,
        high=1.0,
    )
    light: float = option(
        0.2,
        "Light",
        "How much brightness and contrast of each turn are changed at random; 0: not at all.",
        low=0.0,
        high=0.8,
        advanced=True,
    )


@TASKS.register("rotation")
class Rotation(PretextTask[RotationConfig]):
    """Gidaris, Singh & Komodakis, ICLR 2018, arXiv:1803.07728, section 2: turns by flip and transposition, so that no
    pixel is resampled, and all four turns of a picture in one batch.

    The rows are shuffled before the encoder sees them: where a batch is split for batch norm, no part holds the four
    turns of a picture side by side. Which picture a row shows travels in `targets` (for drawing only).
    """

    title = Message("Rotation")
    summary = Message(
        "Each picture is shown upright, upside down and lying on either side; the network says which "
        "way up it was. To do that it has to recognise what is in the picture. Of no use where there "
        "is no up and down."
    )
    paper = "Gidaris, Singh & Komodakis, ICLR 2018, arXiv:1803.07728"
    label_from = Message("The program turned the picture itself, so it knows by how much.")
    helps = Message(
        "Pictures with a clear up and down: animals, people, landscapes, products on a table. It is "
        "one of the quickest tasks, so a few minutes already help."
    )
    fails = Message(
        "Slides under a microscope, pictures from above and many parts have no up and down. Then the "
        "network can only guess, or it finds a stamp or a shadow that gives the answer away."
    )
    Config = RotationConfig
    metrics = (ACCURACY,)
    asks = frozenset({Asks.DIRECTION})
    remedies: ClassVar[Remedies] = {
        **SMALLER_CROP,
        Fault.TELLING_FRAME: (to("round", True), at_most("min_crop_side", 0.5)),
        Fault.RELIES_ON_FRAME: (to("round", True), at_most("min_crop_side", 0.5)),
        Fault.BORDERS: (to("round", True),),
        Fault.MARKS: (to("round", True),),
        Fault.RELIES_ON_COLOUR: (at_least("grey", 0.66),),
        Fault.RELIES_ON_SIDES: (to("mirror", True),),
    }

    def __init__(self, config: RotationConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        self.head = nn.Linear(encoder_spec.dim, len(TURNS))
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    @classmethod
    def check(cls, config: RotationConfig, images: Tensor) -> None:
        """Raises TaskDoesNotFit when the pictures are too small to tell up from down."""
        side = min(images.shape[-2:])
        if side < LEAST_SIDE:
            raise TaskDoesNotFit(
                "Rotation asks which way up a picture is, which cannot be seen in pictures of {side} pixels. "
                "Set the picture side to {least_side} pixels or more (32 is better).",
                side=side,
                least_side=LEAST_SIDE,
            )

    @classmethod
    def sees_disc(cls, config: RotationConfig) -> bool:
        """As the option says."""
        return config.round

    def side(self, images: Tensor) -> int:
        """Side of the square that the network sees, in pixels: a multiple of 4."""
        whole = min(images.shape[-2:])
        return max(min(LEAST_INPUT, whole - whole % 4), 4 * round(self.config.size * whole / 4))

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """inputs: pictures (R, 3, s, s), rows in random order, mean 0 and deviation 1 before the light is changed.

        targets: turn (R,) quarter turns to the left; picture (R,) and boxes (B, 4), where the crops lie in `images`.
        In a share of a batch `picture` counts those of the whole.
        """
        crops = random_crops(images, self.config.min_crop_side, self.side(images), self.config.mirror, rng)
        upright = self._even(crops, rng)
        turned = torch.cat([torch.rot90(upright, turn, dims=(-2, -1)) for turn in range(4)])
        turned = self._change_light(turned, rng)
        rows, picture = mixed_rows(4, len(images), rng)
        return Batch(
            {"pictures": turned[rows]},
            {"turn": rows // len(images), "picture": picture, "boxes": crops.boxes},
        )

    def _even(self, crops: Crops, rng: Rng) -> Tensor:
        shades = crops.shades
        is_grey = geometry.choose(len(shades), self.config.grey, rng).view(-1, 1, 1, 1)
        return standardise_within(torch.where(is_grey, geometry.grey(shades), shades), self._seen(shades))

    def _seen(self, pictures: Tensor) -> Tensor:
        side = pictures.shape[-1]
        return disc(side, pictures.device) if self.config.round else pictures.new_ones(side, side)

    def _change_light(self, pictures: Tensor, rng: Rng) -> Tensor:
        """Change contrast and brightness of each row by itself; the blank corners stay 0, the mean of every row."""
        amount = self.config.light
        shape = (4, len(pictures) // 4, 1, 1, 1)  # pictures have a dimension of their own: a share takes some of them
        gain = uniform(shape, 1 - amount, 1 + amount, rng).flatten(0, 1)
        lift = uniform(shape, -amount, amount, rng).flatten(0, 1)
        return (pictures * gain + lift) * self._seen(pictures)

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: turn (R,)."""
        pictures = batch.inputs["pictures"].contiguous(memory_format=torch.channels_last)
        logits = self.head(encoder(pictures))
        target = batch.targets["turn"]
        answer = logits.detach().argmax(dim=1)
        accuracy = (answer == target).float().mean()
        return TaskResult(F.cross_entropy(logits, target), {"accuracy": accuracy}, {"turn": answer})

    def chance(self) -> dict[str, float]:
        """One turn in four."""
        return {"accuracy": 1 / len(TURNS)}

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """First one turn of every picture, then a second one of each, and so on."""
        return [self._puzzle(images, batch, result, row) for row in _rows(batch, count)]

    def play(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Game]:
        """The turned pictures, to be turned back."""
        return [self._game(batch, result, row) for row in _rows(batch, count)]

    def _game(self, batch: Batch, result: TaskResult | None, row: int) -> Game:
        turn, asked = int(batch.targets["turn"][row]), batch.inputs["pictures"][row]
        return Game(
            kind="turn",
            question=Message("Turn the picture until it is upright."),
            pieces=(_turn_back(asked, 0),),
            choices=TURNS,
            targets=(turn,),
            answer=(int(result.answers["turn"][row]),) if result else None,
            solved=_turn_back(asked, turn),
        )

    def _puzzle(self, images: Tensor, batch: Batch, result: TaskResult | None, row: int) -> Puzzle:
        picture = int(batch.targets["picture"][row])
        turn = int(batch.targets["turn"][row])
        said = None if result is None else int(result.answers["turn"][row])
        asked = batch.inputs["pictures"][row]
        return Puzzle(
            source=outline_crop(images[picture], batch.targets["boxes"][picture], SHOWN_SIDE),
            input=_turn_back(asked, 0),
            target=_turn_back(asked, turn),
            answer=None if said is None else _turn_back(asked, said),
            label=TURNS[turn],
            answer_label="" if said is None else TURNS[said],
            correct=None if said is None else said == turn,
        )


def _rows(batch: Batch, count: int) -> list[int]:
    """The rows of the first `count` questions: see `preview`. All turns of a picture, one after the other, would tell
    by what is left which comes next; so the pictures come round before their second turn does."""
    rows = batch.targets["picture"].argsort(stable=True).view(-1, 4).T.flatten().tolist()
    return [int(row) for row in rows[:count]]


def _turn_back(picture: Tensor, turned: int) -> Picture:
    """Turn a row back by as many quarters as it is taken to be turned, and make a picture of it."""
    upright = torch.rot90(picture, -turned, dims=(-2, -1))
    return draw.magnify(draw.to_picture(upright, standardised=True), SHOWN_SIDE)
