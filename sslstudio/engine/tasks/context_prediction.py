"""Context prediction: two patches of a picture; on which of eight sides of the first does the second lie?

Letters: B pictures, Q pairs asked of each, D length of a patch's embedding. Patches of the 3x3 grid are counted row by
row, 4 is the centre.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.compute.constants import constant
from sslstudio.engine.compute.draws import Rng
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.errors import ConfigError, TaskDoesNotFit
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import ACCURACY
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.tasks.base import TASKS, Batch, Game, Picture, PretextTask, Puzzle, TaskResult
from sslstudio.engine.tasks.remedies import SMALLER_CROP, Asks, Fault, Remedies, at_least, at_most, to
from sslstudio.engine.transforms import draw, geometry
from sslstudio.engine.transforms.random_crop import check_crop_sides, max_crop_side_option, min_crop_side_option

CENTRE = 4
CELLS = (0, 1, 2, 3, 5, 6, 7, 8)  # neighbour number -> patch of the grid
NEIGHBOURS = (
    Message("above left"), Message("straight above"), Message("above right"), Message("to the left"),
    Message("to the right"), Message("below left"), Message("straight below"),
    Message("below right"),
)  # fmt: skip

STEPS = tuple((cell // 3 - 1, cell % 3 - 1) for cell in CELLS)  # neighbour number -> (rows down, columns right)
Pair = tuple[int, int, int]  # first patch, second patch, on which side of the first the second lies


def _directed_pairs() -> tuple[Pair, ...]:
    """All 40 pairs of patches that touch, both ways round, the sides in turn as long as there are pairs of each."""
    by_side = [
        [
            (first, first + 3 * down + right, side)
            for first in range(9)
            if 0 <= first // 3 + down < 3 and 0 <= first % 3 + right < 3
        ]
        for side, (down, right) in enumerate(STEPS)
    ]
    rounds = range(max(map(len, by_side)))
    return tuple(pairs[number] for number in rounds for pairs in by_side if number < len(pairs))


PAIRS: dict[str, tuple[Pair, ...]] = {
    "all": _directed_pairs(),
    "centre": tuple((CENTRE, cell, side) for side, cell in enumerate(CELLS)),
}

LEAST_PATCH = 8  # pixels of the picture
MOST_BLANK = 0.6  # share of the picture's ninths without structure above which most pairs cannot be told


@dataclass(frozen=True, kw_only=True)
class ContextConfig(BaseConfig):
    """Options of context prediction.

    The paper's gap is half a patch at 96 pixels. Three patches and their gaps have to fit into a picture: with 0.25 a
    patch of a picture of 64 pixels has 17 pixels, with 0.5 only 15, and it still cannot continue its neighbour's lines.
    """

    pairs: str = option(
        "all",
        "Pairs",
        "Which pairs of patches are asked about. All: the forty that touch, both ways round. Centre: the middle one "
        "with each of its eight neighbours, as up to version 0.2; there the second patch's own place is the answer.",
        choices=("all", "centre"),
        advanced=True,
    )
    patch: int | None = option(
        None,
        "Patch side",
        "Side of a patch in pixels; automatic: as in the picture, small ones enlarged by half.",
        low=8,
        high=512,
        advanced=True,
    )
    gap: float = option(
        0.25,
        "Gap",
        "Space between patches, as a share of the patch, so that lines do not run on from one into the next.",
        low=0.0,
        high=1.0,
    )
    jitter: float = option(
        0.073, "Jitter", "How far a patch moves to each side at random, as a share of the patch.", low=0.0, high=0.5
    )
    min_crop_side: float = min_crop_side_option(0.75)
    max_crop_side: float = max_crop_side_option()
    turn: float = option(
        15.0,
        "Turn",
        "The square is turned by up to so many degrees, so that no place has a fixed look.",
        low=0.0,
        high=180.0,
    )
    colour: str = option(
        "drop",
        "Colour",
        "Against colour fringes of the lens, which tell the place: drop keeps one random channel of each patch, "
        "project takes out green-magenta, keep does nothing. Pictures without colour are left as they are.",
        choices=("drop", "project", "keep"),
    )
    degrade: float = option(
        0.33, "Blurred patches", "Share of patches that are made smaller and enlarged again.", low=0.0, high=1.0
    )
    mirror: bool = option(
        False, "Mirror", "Mirror half of the pictures: twice as many, if left and right mean nothing.", advanced=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_crop_sides(self.min_crop_side, self.max_crop_side)
        if 2 * self.jitter > self.gap:
            raise ConfigError(
                "jitter = {jitter} lets patches overlap, because gap = {gap} is less than twice as much. Try "
                "a jitter of {most_jitter:g} or less, or a gap of {least_gap:g} or more.",
                jitter=self.jitter,
                gap=self.gap,
                most_jitter=self.gap / 2,
                least_gap=2 * self.jitter,
            )

    @property
    def grid(self) -> geometry.GridShape:
        """Three patches, two gaps and the room to move at both ends fill the crop."""
        patch = 1 / (3 + 2 * self.gap + 2 * self.jitter)
        return geometry.GridShape((1 + self.gap) * patch, self.jitter * patch, patch)


@TASKS.register("context_prediction")
class ContextPrediction(PretextTask[ContextConfig]):
    """Doersch, Gupta & Efros, ICCV 2015, arXiv:1505.05192, section 3; preprocessing of section 3.1.

    Nine patches are encoded once and give all 40 directed pairs of neighbours, as in the authors' code, where every
    pair that touches is asked in both orders. With the centre always first, the second patch's own place in the grid
    would be the answer: half of the question could be ignored. Each pair passes through the head by itself, so its row
    in the batch says nothing about the answer.
    """

    title = Message("Context prediction")
    summary = Message(
        "The network sees two patches of a picture and says on which side of the first the second "
        "lies. To do that it has to recognise what the patches are parts of."
    )
    paper = "Doersch, Gupta & Efros, ICCV 2015, arXiv:1505.05192"
    label_from = Message("The program cut both patches out, so it knows on which side the second one lies.")
    helps = Message(
        "Pictures in which neighbouring parts follow from each other, such as scans, animals or "
        "streets. Forty questions from one look at a picture make it quick."
    )
    fails = Message(
        "Where every patch looks like its neighbours, the side cannot be told. A lens with colour "
        "fringes or a dark rim tells it for the wrong reason; the clinic looks for that."
    )
    Config = ContextConfig
    metrics = (ACCURACY,)
    asks = frozenset({Asks.POSITION})
    remedies: ClassVar[Remedies] = {
        **SMALLER_CROP,
        Fault.SMALL_PICTURES: (at_least("min_crop_side", 1.0),),
        Fault.BLANK_TILES: (at_least("min_crop_side", 1.0),),
        Fault.FIXED_POSITIONS: (
            at_most("min_crop_side", 0.5),
            at_most("max_crop_side", 0.6),
            at_most("min_crop_side", 0.4),
            at_most("min_crop_side", 0.3),
            at_least("turn", 180),
        ),
        Fault.FITTING_EDGES: (at_least("gap", 0.25),),
        Fault.COLOUR_FRINGES: (to("colour", "drop"),),
        Fault.MARKS: (at_most("min_crop_side", 0.5),),
        Fault.BORDERS: (at_most("min_crop_side", 0.6),),
        Fault.DARK_CORNERS: (at_most("min_crop_side", 0.6), at_most("min_crop_side", 0.5)),
        Fault.RELIES_ON_COLOUR: (to("colour", "drop"),),
        Fault.RELIES_ON_MEAN_COLOUR: (to("colour", "drop"),),
        Fault.RELIES_ON_EDGES: (at_least("gap", 0.1), at_least("gap", 0.25), at_least("gap", 0.4)),
        Fault.RELIES_ON_FRAME: (at_most("min_crop_side", 0.5),),
        Fault.RELIES_ON_SIDES: (to("mirror", True),),
    }

    def __init__(self, config: ContextConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        width = max(256, encoder_spec.dim)
        # Without scale and shift the norm forces every activation to vary across pairs: the authors' cure for a
        # network that answers all pairs alike for many epochs.
        self.head = nn.Sequential(
            nn.Linear(2 * encoder_spec.dim, width, bias=False),
            nn.BatchNorm1d(width, affine=False),
            nn.ReLU(inplace=True),
            nn.Linear(width, len(NEIGHBOURS)),
        )

    @classmethod
    def check(cls, config: ContextConfig, images: Tensor) -> None:
        """Raises TaskDoesNotFit when the patches are too small, or too many parts of the pictures blank."""
        side, extent = min(images.shape[-2:]), config.grid.extent
        if side * extent < LEAST_PATCH:
            raise TaskDoesNotFit(
                "Context prediction lays 3 x 3 patches into a picture, which need {least_patch} pixels each; "
                "pictures of {side} pixels leave {patch:.1f}. Set the picture side to {value:.0f} pixels or "
                "more.",
                least_patch=LEAST_PATCH,
                side=side,
                patch=side * extent,
                value=-(-LEAST_PATCH // extent),
            )
        blank = geometry.blank_share(images)
        if blank > MOST_BLANK:
            raise TaskDoesNotFit(
                "{blank:.0%} of the ninths of these pictures are blank, so patches from there could lie "
                "anywhere. Cut the empty border off the pictures, or use a task that looks at the picture as "
                "a whole.",
                blank=blank,
            )

    @classmethod
    def least_tile(cls, config: ContextConfig) -> float:
        """As the smallest crop gives it."""
        return geometry.least_extent(config.grid, config.min_crop_side, config.turn)

    def patch_side(self, images: Tensor) -> int:
        """Side of a patch in pixels, as the network gets it."""
        return self.config.patch or geometry.square_side(self.config.grid.extent * min(images.shape[-2:]))

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """inputs: patches (B, 9, 3, s, s), row by row.

        targets: neighbour (B, Q), the numbers 0 to 7 of NEIGHBOURS; boxes (B, 9, 4), where the patches lie in `images`,
        turned with the picture where it was mirrored (for drawing only).
        """
        config, pictures = self.config, images.shape[0]
        mirror = geometry.choose(pictures, 0.5 if config.mirror else 0.0, rng)
        shades = geometry.mirror_pictures(geometry.to_float(images), mirror)
        grid = geometry.place_grid(shades, config.grid, config.min_crop_side, rng, config.turn, config.max_crop_side)
        patches = geometry.cut_grid(shades, grid, self.patch_side(images)).flatten(0, 1)
        patches = self._without_colour(patches, geometry.has_colour(shades), rng)
        patches = geometry.degrade(patches, config.degrade, rng)
        patches = geometry.standardise_each(patches).view(pictures, 9, *patches.shape[1:])
        sides = constant(tuple(side for _, _, side in self.pairs), images.device, torch.int64)
        neighbour = sides.repeat(pictures, 1)
        boxes = geometry.unmirror_boxes(grid.boxes(), mirror, images.shape[-1])
        return Batch({"patches": patches}, {"neighbour": neighbour, "boxes": boxes})

    def _without_colour(self, patches: Tensor, has_colour: Tensor, rng: Rng) -> Tensor:
        """`patches` (B * 9, 3, s, s), `has_colour` (B,)."""
        if self.config.colour == "drop":
            dropped = geometry.drop_colour(patches, rng)
            return torch.where(has_colour.repeat_interleave(9).view(-1, 1, 1, 1), dropped, patches)
        return geometry.project_colour(patches) if self.config.colour == "project" else patches

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: neighbour (B, Q), the number of NEIGHBOURS that the network says for each."""
        patches = batch.inputs["patches"]
        flat = patches.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        embedded = encoder(flat).view(len(patches), 9, -1)  # (B, 9, D)
        logits = self.head(torch.cat(self._ends(embedded), dim=-1).flatten(0, 1))  # (B * Q, 8)
        target = batch.targets["neighbour"].flatten()
        answer = logits.detach().argmax(dim=1)
        accuracy = (answer == target).float().mean()
        return TaskResult(
            F.cross_entropy(logits, target), {"accuracy": accuracy}, {"neighbour": answer.view(-1, len(self.pairs))}
        )

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs asked about, in the order of their answers."""
        return PAIRS[self.config.pairs]

    def _ends(self, embedded: Tensor) -> list[Tensor]:
        """The embeddings (B, Q, D) of the first and of the second patches of all pairs, from those (B, 9, D) of all."""
        if self.config.pairs == "centre":
            neighbours = embedded[:, constant(CELLS, embedded.device, torch.int64)]
            return [embedded[:, CENTRE : CENTRE + 1].expand_as(neighbours), neighbours]
        firsts, seconds, _ = zip(*self.pairs, strict=True)
        ends = [constant(one, embedded.device, torch.int64) for one in (firsts, seconds)]
        # Products with zeros and ones: the gradient of picking by number is added up in no fixed order.
        return [F.one_hot(one, 9).to(embedded.dtype) @ embedded for one in ends]

    def chance(self) -> dict[str, float]:
        """One of eight sides."""
        return {"accuracy": 1 / len(NEIGHBOURS)}

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """First one question of every picture, then their second ones; the side asked for differs from one to the next.

        Three is prime to 8 and 40: picture p is asked the pairs 3p, 3p + 1, ... modulo their number, each once.
        """
        return [self._puzzle(images, batch, result, *pair) for pair in _questions(batch, count)]

    def play(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Game]:
        """The two patches of each question; the side is to be chosen."""
        return [self._game(batch, result, *pair) for pair in _questions(batch, count)]

    def _game(self, batch: Batch, result: TaskResult | None, picture: int, number: int) -> Game:
        patches = draw.tile_pictures(batch.inputs["patches"][picture])
        first, second, right = self.pairs[number]
        boxes = draw.board_boxes(patches, 3, draw.GAP)
        return Game(
            kind="side",
            question=Message("On which side of the patch in the middle does the other one lie?"),
            pieces=(patches[first], patches[second]),
            choices=NEIGHBOURS,
            targets=(right,),
            answer=(int(result.answers["neighbour"][picture, number]),) if result else None,
            solved=draw.outline(
                draw.tile_board(patches), [boxes[first], boxes[second]], [draw.MARK, draw.RIGHT], width=4
            ),
        )

    def _puzzle(self, images: Tensor, batch: Batch, result: TaskResult | None, picture: int, number: int) -> Puzzle:
        patches = draw.tile_pictures(batch.inputs["patches"][picture])
        first, second, right = self.pairs[number]
        said = int(result.answers["neighbour"][picture, number]) if result else None
        asked = (patches[first], patches[second])
        return Puzzle(
            source=draw.outline_source(
                images[picture], batch.targets["boxes"][picture][[first, second]], (draw.MARK, draw.RIGHT)
            ),
            input=draw.board(list(asked), 2, draw.GAP),
            target=_laid(*asked, right, draw.RIGHT),
            answer=None if said is None else _laid(*asked, said, draw.RIGHT if said == right else draw.WRONG),
            label=NEIGHBOURS[right],
            answer_label="" if said is None else NEIGHBOURS[said],
            correct=None if said is None else said == right,
        )


def _questions(batch: Batch, count: int) -> list[tuple[int, int]]:
    """Picture and pair of the first `count` questions: see `preview`."""
    pictures, pairs = batch.targets["neighbour"].shape
    places = (divmod(number, pictures) for number in range(min(count, pictures * pairs)))
    return [(picture, (3 * picture + turn) % pairs) for turn, picture in places]


def _laid(first: Picture, second: Picture, side: int, colour: draw.Colour) -> Picture:
    """The first patch in the middle of an empty board and the second one on a side of it, both outlined."""
    patches = [np.full_like(first, draw.PAPER)] * 9
    patches[CENTRE], patches[CELLS[side]] = first, second
    boxes = draw.board_boxes(patches, 3, draw.GAP)
    outlined = [boxes[CENTRE], boxes[CELLS[side]]]
    return draw.outline(draw.tile_board(patches), outlined, [draw.MARK, colour], width=4)
