"""Jigsaw puzzle: nine tiles of a picture are shuffled, and the network says which of k permutations it was.

Letters: B pictures, P permutations asked of each, k permutations in the set, D length of a tile's embedding.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.compute.draws import Rng, uniform
from sslstudio.engine.compute.process_group import mean_over_ranks
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import ACCURACY
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.models.heads import Mlp
from sslstudio.engine.tasks.base import TASKS, Batch, Game, PretextTask, Puzzle, TaskResult
from sslstudio.engine.tasks.remedies import Asks, Fault, Remedies, at_least, at_most, to
from sslstudio.engine.transforms import draw, geometry
from sslstudio.engine.transforms.permutations import MOST, permutation_set
from sslstudio.engine.transforms.random_crop import check_crop_sides, max_crop_side_option, min_crop_side_option

LEAST_CELL = 10  # pixels: a smaller cell gives a tile of less than 8 pixels, in which nothing can be recognised
MOST_BLANK = 0.6  # share of cells without structure above which the order of the tiles is a matter of luck
SOLVED = 0.9  # running share right above which the puzzle gets harder


@dataclass(frozen=True, kw_only=True)
class JigsawConfig(BaseConfig):
    """Options of the jigsaw puzzle. The defaults keep all defences of the paper on."""

    permutations: int = option(
        504,
        "Permutations",
        "How many shuffles the network must tell apart in the end. More are harder.",
        low=2,
        high=MOST,
    )
    initial_permutations: int = option(
        72,
        "Shuffles at first",
        "It begins with so many, and twice as many each time it gets 90 % right.",
        low=2,
        high=MOST,
        advanced=True,
    )
    permutations_per_picture: int = option(
        8,
        "Shuffles a picture",
        "How many shuffles one look at a picture is asked about. They cost next to nothing.",
        low=1,
        high=256,
    )
    tile: int | None = option(
        None,
        "Tile side",
        "Side of a tile in pixels; automatic: what the cells leave, small ones enlarged by half.",
        low=8,
        high=512,
        advanced=True,
    )
    gap: float = option(
        0.05,
        "Least gap",
        "Space that always stays between tiles, as a share of a cell, so that edges do not fit together.",
        low=0.0,
        high=0.5,
    )
    jitter: float = option(
        0.2, "Jitter", "Room in which a tile is placed at random, as a share of a cell.", low=0.0, high=0.5
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
    normalise: bool = option(
        True,
        "Even out tiles",
        "Gives each tile the same brightness and contrast, which otherwise tell which tiles are neighbours.",
    )
    grey: float = option(
        0.3,
        "Grey pictures",
        "Share of pictures that lose their colour, so that colour fringes of the lens do not tell the place.",
        low=0.0,
        high=1.0,
    )
    chroma_shift: float = option(
        2.0,
        "Colour shift",
        "Farthest that red, green and blue of a tile are displaced, in pixels of a picture of 255; 0: not at all.",
        low=0.0,
        high=8.0,
        advanced=True,
    )
    mirror: bool = option(
        False, "Mirror", "Mirror half of the pictures: twice as many, if left and right mean nothing.", advanced=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_crop_sides(self.min_crop_side, self.max_crop_side)
        geometry.check_cells(self.gap, self.jitter)

    @property
    def grid(self) -> geometry.GridShape:
        """Three cells a side, with a tile in each."""
        return geometry.cell_grid(self.gap, self.jitter)


@TASKS.register("jigsaw")
class Jigsaw(PretextTask[JigsawConfig]):
    """Noroozi & Favaro, ECCV 2016, arXiv:1603.09246, sections 3.2-3.4, on embeddings that are permuted after encoding.

    The encoder gets the nine tiles of every picture in their true order, whatever is asked: P permutations cost one
    pass, and no batch norm of the encoder can see (and leak) the order. The head gets the permuted embeddings alone.
    The tiles' places in the picture travel in `targets` (for drawing only), out of the network's reach.
    """

    title = Message("Jigsaw puzzle")
    summary = Message(
        "Each picture is cut into nine tiles and shuffled; the network puts them back in order. To "
        "do that it has to learn which parts things have and how these lie to each other."
    )
    paper = "Noroozi & Favaro, ECCV 2016, arXiv:1603.09246"
    label_from = Message("The program shuffled the tiles itself, so it knows the order. Nobody has to label anything.")
    helps = Message(
        "Pictures with parts that belong to each other: organs, machines, plants, faces, rooms. It "
        "asks for shape and place, so it works on grey pictures too."
    )
    fails = Message(
        "Textures without any order, such as fabric or cells lying anywhere, leave nothing to put "
        "back. If every subject sits in the middle of a dark ground, the place of a tile is told by "
        "its darkness instead of by what it shows."
    )
    Config = JigsawConfig
    metrics = (ACCURACY,)
    asks = frozenset({Asks.POSITION})
    remedies: ClassVar[Remedies] = {
        Fault.SMALL_PICTURES: (at_least("min_crop_side", 1.0),),
        Fault.BLANK_TILES: (at_least("min_crop_side", 1.0),),
        Fault.FIXED_POSITIONS: (
            at_most("min_crop_side", 0.5),
            at_most("max_crop_side", 0.6),
            at_most("min_crop_side", 0.4),
            at_most("min_crop_side", 0.3),
            at_least("turn", 180),
            at_least("gap", 0.25),
            at_least("gap", 0.5),
        ),
        Fault.FITTING_EDGES: (at_least("jitter", 0.2), at_least("gap", 0.05)),
        # Half as much again as was seen; the option counts in pixels of a picture of 255.
        Fault.COLOUR_FRINGES: (at_least("chroma_shift", 1.5 * 255, per_amount=True), at_least("grey", 1.0)),
        Fault.MARKS: (at_most("min_crop_side", 0.5),),
        Fault.BORDERS: (at_most("min_crop_side", 0.6),),
        Fault.DARK_CORNERS: (at_most("min_crop_side", 0.6), at_most("min_crop_side", 0.5)),
        Fault.RELIES_ON_COLOUR: (at_least("grey", 0.66),),
        Fault.RELIES_ON_MEAN_COLOUR: (to("normalise", True), at_least("grey", 0.66)),
        Fault.RELIES_ON_EDGES: (at_least("gap", 0.1), at_least("gap", 0.25), at_least("gap", 0.4)),
        Fault.RELIES_ON_FRAME: (at_most("min_crop_side", 0.5),),
        Fault.RELIES_ON_SIDES: (to("mirror", True),),
        Fault.TOO_EASY: (at_least("permutations", 504), at_most("min_crop_side", 0.5)),
        Fault.TOO_HARD: (at_most("permutations", 24),),
        Fault.MEMORISED: (at_most("min_crop_side", 0.5),),
    }
    order: Tensor
    asked: Tensor
    right: Tensor

    def __init__(self, config: JigsawConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        width = max(128, encoder_spec.dim // 2)
        self.project = nn.Sequential(
            nn.Linear(encoder_spec.dim, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True)
        )
        self.head = Mlp(9 * width, 4 * width, config.permutations)
        order = torch.from_numpy(permutation_set(config.permutations).copy())
        self.register_buffer("order", order, persistent=False)  # (k, 9); follows from the config
        self.register_buffer("asked", torch.tensor(float(min(config.initial_permutations, config.permutations))))
        self.register_buffer("right", torch.tensor(0.0))  # running share of right answers while training

    @classmethod
    def check(cls, config: JigsawConfig, images: Tensor) -> None:
        """Raises TaskDoesNotFit when the cells are too small, or too many of them blank, to be put in order."""
        side = min(images.shape[-2:])
        if side / 3 < LEAST_CELL:
            raise TaskDoesNotFit(
                "A jigsaw puzzle cuts a picture into 3 x 3 cells, which need {least_cell} pixels each; "
                "pictures of {side} pixels are too small. Set the picture side to {least_side} pixels or "
                "more.",
                least_cell=LEAST_CELL,
                side=side,
                least_side=3 * LEAST_CELL + 2,
            )
        blank = geometry.blank_share(images)
        if blank > MOST_BLANK:
            raise TaskDoesNotFit(
                "{blank:.0%} of the tiles of these pictures are blank, so their order cannot be found. Cut "
                "the empty border off the pictures, or use a task that looks at the picture as a whole.",
                blank=blank,
            )

    @classmethod
    def least_tile(cls, config: JigsawConfig) -> float:
        """As the smallest crop gives it."""
        return geometry.least_extent(config.grid, config.min_crop_side, config.turn)

    def tile_side(self, images: Tensor) -> int:
        """Side of a tile in pixels, as the network gets it."""
        return self.config.tile or geometry.square_side(self.config.grid.extent * min(images.shape[-2:]))

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """inputs: tiles (B, 9, 3, s, s) in their true order, order (B, P) numbers of permutations.

        targets: permutation (B, P), the same numbers; boxes (B, 9, 4), where the tiles lie in `images`.
        """
        config, pictures = self.config, images.shape[0]
        mirror = geometry.choose(pictures, 0.5 if config.mirror else 0.0, rng)
        shades = geometry.mirror_pictures(geometry.to_float(images), mirror)
        is_grey = geometry.choose(pictures, config.grey, rng)
        shades = torch.where(is_grey.view(-1, 1, 1, 1), geometry.grey(shades), shades)
        grid = geometry.place_grid(shades, config.grid, config.min_crop_side, rng, config.turn, config.max_crop_side)
        tiles = geometry.cut_grid(shades, grid, self.tile_side(images), self._shift(shades, rng))
        tiles = geometry.standardise_each(tiles) if config.normalise else (tiles - 0.5) / 0.25
        # The number in force stays on the device; rounding could give it itself, hence the minimum.
        drawn = uniform((pictures, config.permutations_per_picture), 0.0, 1.0, rng) * self.asked
        order = torch.minimum(drawn, self.asked - 1).long()
        boxes = geometry.unmirror_boxes(grid.boxes(), mirror, images.shape[-1])
        return Batch({"tiles": tiles, "order": order}, {"permutation": order, "boxes": boxes})

    def _shift(self, shades: Tensor, rng: Rng) -> Tensor | None:
        """How far each channel of each tile moves, (B, 3, 9, 2) in pixels. Pictures without colour get no fringes."""
        farthest = self.config.chroma_shift * min(shades.shape[-2:]) / 255
        if farthest == 0:
            return None
        shift = uniform((shades.shape[0], 3, 9, 2), -farthest, farthest, rng)
        return shift * geometry.has_colour(shades).view(-1, 1, 1, 1)

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: permutation (B, P), the number that the network takes for the right one."""
        tiles, order = batch.inputs["tiles"], batch.inputs["order"]
        pictures, asked = order.shape
        flat = tiles.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        embedded = self.project(encoder(flat)).view(pictures, 9, -1)  # (B, 9, D)
        shuffled = permute_embeddings(embedded, self.order[order])
        logits = self.head(shuffled.reshape(pictures * asked, -1))  # (B * P, k)
        logits = logits.masked_fill(torch.arange(len(self.order), device=order.device) >= self.asked, -torch.inf)
        target = batch.targets["permutation"].flatten()
        answer = logits.detach().argmax(dim=1)
        accuracy = (answer == target).float().mean()
        if self.training:
            self.right.lerp_(mean_over_ranks(accuracy), 0.05)
        return TaskResult(
            F.cross_entropy(logits, target), {"accuracy": accuracy}, {"permutation": answer.view(pictures, asked)}
        )

    def after_step(self, encoder: Encoder, share: float) -> None:
        """Twice as many permutations once nine of ten are right: a puzzle that is solved teaches nothing more."""
        solved = self.right > SOLVED
        self.asked.copy_(torch.where(solved, (2 * self.asked).clamp(max=self.config.permutations), self.asked))
        self.right.mul_(torch.where(solved, 0.5, 1.0))  # the next step up has to be earned anew

    def chance(self) -> dict[str, float]:
        """One permutation in those that are asked by now."""
        return {"accuracy": 1 / int(self.asked)}

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """First one question of every picture, then their second ones, and so on."""
        pictures, asked = batch.inputs["order"].shape
        return [
            self._puzzle(images, batch, result, number % pictures, number // pictures)
            for number in range(min(count, pictures * asked))
        ]

    def _puzzle(self, images: Tensor, batch: Batch, result: TaskResult | None, picture: int, question: int) -> Puzzle:
        tiles = draw.tile_pictures(batch.inputs["tiles"][picture])
        number = int(batch.targets["permutation"][picture, question])
        shuffle = self.order[number].tolist()
        said = int(result.answers["permutation"][picture, question]) if result else None
        return Puzzle(
            source=draw.outline_source(images[picture], batch.targets["boxes"][picture], draw.MARK),
            input=draw.tile_board([tiles[tile] for tile in shuffle]),
            target=draw.tile_board(tiles),
            answer=None if said is None else draw.assemble_board(tiles, shuffle, self.order[said].tolist()),
            label=self._words(number),
            answer_label="" if said is None else self._words(said),
            correct=None if said is None else said == number,
        )

    def play(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Game]:
        """The shuffled tiles, to be laid by hand. A person may lay them in any order, the network knows k of them."""
        pictures, asked = batch.inputs["order"].shape
        numbers = range(min(count, pictures * asked))
        return [self._game(images, batch, result, number % pictures, number // pictures) for number in numbers]

    def _game(self, images: Tensor, batch: Batch, result: TaskResult | None, picture: int, question: int) -> Game:
        tiles = draw.tile_pictures(batch.inputs["tiles"][picture])
        shuffle = self.order[batch.targets["permutation"][picture, question]].tolist()
        said = self.order[result.answers["permutation"][picture, question]].tolist() if result else None
        return Game(
            kind="order",
            question=Message("Put the nine tiles back in order."),
            pieces=tuple(tiles[tile] for tile in shuffle),
            choices=tuple(Message("place {place}", place=place + 1) for place in range(9)),
            targets=tuple(shuffle),
            answer=None if said is None else tuple(said),
            solved=draw.outline_source(images[picture], batch.targets["boxes"][picture], draw.MARK),
        )

    def _words(self, number: int) -> Message:
        """For people, who count from 1: permutation 17 of 72: 4 7 1 ..., the tiles row by row."""
        tiles = " ".join(str(tile + 1) for tile in self.order[number].tolist())
        return Message(
            "permutation {number} of {permutations}: {tiles}",
            number=number + 1,
            permutations=self.config.permutations,
            tiles=tiles,
        )


def permute_embeddings(embedded: Tensor, orders: Tensor) -> Tensor:
    """Embeddings (B, 9, D) in the orders (B, P, 9): (B, P, 9, D). A product with zeros and ones: picking by number is
    exact too, but its gradient is added up by several threads in whatever order they come, and it is slower."""
    places = F.one_hot(orders, orders.shape[-1]).to(embedded.dtype)
    return (places.flatten(1, 2) @ embedded).view(*orders.shape, -1)
