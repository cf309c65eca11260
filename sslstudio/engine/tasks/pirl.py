"""PIRL: a picture and its own shuffled tiles get alike embeddings, unlike those of all other pictures.

Letters: B pictures, S and s side of a picture and of a tile, D length of an embedding, K places of the memory.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslstudio.engine.compute.draws import Rng, uniform
from sslstudio.engine.compute.process_group import gather_rows
from sslstudio.engine.core.config import BaseConfig, option
from sslstudio.engine.core.errors import TaskDoesNotFit
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.metrics import ACCURACY
from sslstudio.engine.models.encoders import Encoder, EncoderSpec
from sslstudio.engine.models.joint_embedding_losses import exact, nearest, score_retrieval, spread
from sslstudio.engine.tasks.base import TASKS, Batch, PretextTask, Puzzle, TaskResult, check_different
from sslstudio.engine.tasks.remedies import SMALLER_CROP, Fault, Remedies, at_least, at_most
from sslstudio.engine.tasks.two_view import SPREAD
from sslstudio.engine.transforms import draw, geometry
from sslstudio.engine.transforms.random_crop import min_crop_side_option, mirror_option, random_crops

LEAST_SIDE = 32  # pixels: below it a tile shows next to nothing
MOST_BLANK = 0.6  # share of cells without structure above which tiles tell nothing of their picture
NOBODY = -1  # whose a free place of the memory is


@dataclass(frozen=True, kw_only=True)
class PirlConfig(BaseConfig):
    """Options of PIRL. Momentum, temperature and weight are those of the paper (sections 3.2 and 3.3)."""

    min_crop_side: float = min_crop_side_option(0.6)
    turn: float = option(
        15.0,
        "Turn",
        "The tiles are cut from a square that is turned by up to so many degrees.",
        low=0.0,
        high=180.0,
    )
    gap: float = option(
        0.05, "Least gap", "Space that always stays between tiles, as a share of a cell.", low=0.0, high=0.5
    )
    jitter: float = option(
        0.2, "Jitter", "Room in which a tile is placed at random, as a share of a cell.", low=0.0, high=0.5
    )
    grey: float = option(
        0.5,
        "Grey tiles",
        "Share of pictures whose tiles lose their colour, so that a picture is not found by its colours alone.",
        low=0.0,
        high=1.0,
    )
    mirror: bool = mirror_option()
    bank: int = option(
        2048,
        "Remembered pictures",
        "How many pictures the memory holds; all others in it are wrong answers. It replaces large batches.",
        low=64,
        high=65536,
    )
    momentum: float = option(
        0.5,
        "Inertia of the memory",
        "Share of itself that what is remembered of a picture keeps when the picture is seen again.",
        low=0.0,
        high=0.99,
        advanced=True,
    )
    temperature: float = option(
        0.07, "Temperature", "A lower one looks more at the most similar wrong pictures.", low=0.01, high=10.0
    )
    weight: float = option(
        0.5,
        "Weight of the tiles",
        "Share of the loss that asks the shuffled tiles; the rest asks the picture itself.",
        low=0.05,
        high=0.95,
        advanced=True,
    )
    output_dim: int = option(
        128, "Embedding length", "Length of the embeddings that are compared.", low=8, high=4096, advanced=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        geometry.check_cells(self.gap, self.jitter)

    @property
    def grid(self) -> geometry.GridShape:
        """Three cells a side, as for a jigsaw puzzle."""
        return geometry.cell_grid(self.gap, self.jitter)


@TASKS.register("pirl")
class Pirl(PretextTask[PirlConfig]):
    """Misra & van der Maaten, CVPR 2020, arXiv:1912.01991, sections 3.1 to 3.3, with the jigsaw as the transformation.

    The embedding of a picture and that of its nine tiles, joined in a random order by a linear layer, shall both be
    what the memory holds of the picture, and not what it holds of others. The jigsaw asks for features that tell the
    order; here they must not depend on it.

    Two things differ from the paper. Batches bring no numbers of pictures, so the memory knows a picture by a sum over
    its pixels: it holds the last K pictures, each once, and a picture that is there is moved on with the momentum, as
    in the paper; up to K pictures it is the paper's memory of the whole set. What it holds of a picture is never a
    wrong answer to that picture. And the loss is a cross-entropy over all that is remembered (InfoNCE) instead of
    noise-contrastive estimation on a sample of it: with a memory of thousands nothing has to be sampled.
    """

    title = Message("PIRL")
    summary = Message(
        "The nine tiles of a picture are shuffled, and the network has to tell which of many remembered pictures they "
        "are from. Unlike in the jigsaw what it learns must not depend on their order."
    )
    paper = "Misra & van der Maaten, CVPR 2020, arXiv:1912.01991"
    label_from = Message("The program cut the tiles itself, so it knows which picture they belong to.")
    helps = Message(
        "Pictures that are told apart by their parts, whatever lies where. It gets along with small batches, because "
        "the wrong answers come from a memory."
    )
    fails = Message(
        "Near copies, as in videos or neighbouring slices, count as different although they show the same. Where what "
        "matters is larger than a tile, the tiles do not show it."
    )
    no_game: ClassVar[Message] = Message(
        "One picture is to be found among hundreds by its tiles. For a person that is either plain or luck, so a score "
        "would say nothing."
    )
    Config = PirlConfig
    metrics = (ACCURACY, SPREAD)
    remedies: ClassVar[Remedies] = {
        **SMALLER_CROP,
        Fault.BLANK_TILES: (at_least("min_crop_side", 1.0),),
        Fault.COLOUR_FRINGES: (at_least("grey", 1.0),),
        Fault.MARKS: (at_most("min_crop_side", 0.5),),
        Fault.BORDERS: (at_most("min_crop_side", 0.5),),
        Fault.NO_DIRECTION: (at_least("turn", 180),),
        Fault.RELIES_ON_COLOUR: (at_least("grey", 1.0),),
    }
    bank: Tensor
    owners: Tensor
    next: Tensor

    def __init__(self, config: PirlConfig, encoder_spec: EncoderSpec) -> None:
        super().__init__(config, encoder_spec)
        self.of_picture = nn.Linear(encoder_spec.dim, config.output_dim)
        self.of_tile = nn.Linear(encoder_spec.dim, config.output_dim)
        self.of_tiles = nn.Linear(9 * config.output_dim, config.output_dim)
        self.register_buffer("bank", torch.zeros(config.bank, config.output_dim))
        self.register_buffer("owners", torch.full((config.bank,), NOBODY))  # the key of the picture at each place
        self.register_buffer("next", torch.tensor(0))  # the place of the next new picture

    @classmethod
    def check(cls, config: PirlConfig, images: Tensor) -> None:
        """Raises TaskDoesNotFit when the pictures are too small, blank or all the same."""
        side = min(images.shape[-2:])
        if side < LEAST_SIDE:
            raise TaskDoesNotFit(
                "PIRL finds a picture by its tiles, for which pictures of {side} pixels are too small. Set the picture "
                "side to {least_side} pixels or more.",
                side=side,
                least_side=LEAST_SIDE,
            )
        check_different(images)
        blank = geometry.blank_share(images)
        if blank > MOST_BLANK:
            raise TaskDoesNotFit(
                "{blank:.0%} of the tiles of these pictures are blank and could be of any picture. Cut the empty "
                "border off the pictures, or use a task that looks at the picture as a whole.",
                blank=blank,
            )

    @classmethod
    def least_tile(cls, config: PirlConfig) -> float:
        """As the smallest crop gives it."""
        return geometry.least_extent(config.grid, config.min_crop_side, config.turn)

    def make_batch(self, images: Tensor, rng: Rng) -> Batch:
        """inputs: pictures (B, 3, S, S), a crop of each; tiles (B, 9, 3, s, s) of another crop, shuffled; keys (B,), by
        which the memory knows the pictures.

        targets: order (B, 9), the place that each tile comes from; boxes (B, 9, 4), where the tiles in their true order
        lie in `images`.
        """
        config, count, side = self.config, len(images), min(images.shape[-2:])
        crops = random_crops(images, config.min_crop_side, side, config.mirror, rng)
        shades = geometry.to_float(images)
        is_grey = geometry.choose(count, config.grey, rng)
        shades = torch.where(is_grey.view(-1, 1, 1, 1), geometry.grey(shades), shades)
        grid = geometry.place_grid(shades, config.grid, config.min_crop_side, rng, config.turn)
        tiles = geometry.cut_grid(shades, grid, geometry.square_side(config.grid.extent * side))
        order = uniform((count, 9), 0.0, 1.0, rng).argsort(dim=1)
        shuffled = tiles[torch.arange(count, device=order.device)[:, None], order]
        return Batch(
            {
                "pictures": geometry.standardise_each(crops.shades),
                "tiles": geometry.standardise_each(shuffled),
                "keys": keys_of(images),
            },
            {"order": order, "boxes": grid.boxes()},
        )

    def forward(self, encoder: Encoder, batch: Batch) -> TaskResult:
        """Answers: partner (B,), the picture of the batch whose memory is nearest to this one's tiles.

        Metrics: accuracy, how often that is the right one; spread of the pictures' embeddings. What guessing reaches
        depends on the batch, so no fixed value is given for it.
        """
        tiles, keys = batch.inputs["tiles"], batch.inputs["keys"]
        flat = tiles.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        parts = self.of_tile(encoder(flat)).view(len(tiles), -1)  # (B, 9 * D)
        by_tiles = F.normalize(self.of_tiles(parts).float(), dim=1)
        # After the tiles, so that what the batch norms of the encoder gather ends with whole pictures.
        pictures = batch.inputs["pictures"].contiguous(memory_format=torch.channels_last)
        whole = F.normalize(self.of_picture(encoder(pictures)).float(), dim=1)
        remembered = self._recall(whole.detach(), keys)
        loss = self._find(torch.cat([by_tiles, whole]), remembered, keys)
        if self.training:
            self._remember(whole.detach(), remembered, keys)
        partner = nearest(by_tiles, remembered)
        return TaskResult(loss, {"accuracy": score_retrieval(partner), "spread": spread(whole)}, {"partner": partner})

    def _places(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Whether the memory holds pictures (B,), and where (any place for those that it does not)."""
        held = keys[:, None] == self.owners
        return held.any(dim=1), held.to(torch.uint8).argmax(dim=1)

    def _recall(self, whole: Tensor, keys: Tensor) -> Tensor:
        """What the memory holds of the pictures (B, D); of new ones what they look like now."""
        known, places = self._places(keys)
        return torch.where(known[:, None], self.bank[places], whole)

    def _find(self, asked: Tensor, remembered: Tensor, keys: Tensor) -> Tensor:
        """The weighted loss of finding each picture's memory by its tiles (the first B of `asked`) and by itself."""
        every, first = gather_rows(remembered)
        owners, _ = gather_rows(keys)
        candidates = torch.cat([every, self.bank])
        with exact(asked):
            likeness = asked @ candidates.T / self.config.temperature  # (2B, all of the batch + K)
        right = first + torch.arange(len(keys), device=keys.device)
        again = (keys[:, None] == owners).scatter(1, right[:, None], False)  # one picture twice in a batch
        held = (self.owners == NOBODY) | torch.isin(self.owners, owners)  # free, or among the batch already
        out = torch.cat([again, held.expand(len(keys), -1)], dim=1)
        loss = F.cross_entropy(likeness.masked_fill(out.repeat(2, 1), -torch.inf), right.repeat(2), reduction="none")
        by_tiles, by_picture = loss.view(2, -1).mean(dim=1).unbind()
        weighted: Tensor = self.config.weight * by_tiles + (1 - self.config.weight) * by_picture
        return weighted

    @torch.no_grad()
    def _remember(self, whole: Tensor, remembered: Tensor, keys: Tensor) -> None:
        """Move on what is held of the pictures of the whole batch; new ones take the places of the oldest."""
        whole, remembered, keys = (gather_rows(one)[0] for one in (whole, remembered, keys))
        known, places = self._places(keys)
        new = (~known).cumsum(dim=0)
        places = torch.where(known, places, (self.next + new - 1) % len(self.bank))
        self.bank[places] = F.normalize(torch.lerp(whole, remembered, self.config.momentum), dim=1)
        self.owners[places] = keys
        self.next.copy_((self.next + new[-1]) % len(self.bank))

    def preview(self, images: Tensor, batch: Batch, result: TaskResult | None, count: int) -> list[Puzzle]:
        """The shuffled tiles of each picture, and the picture that the network takes them to be of."""
        partners = None if result is None else result.answers["partner"].tolist()
        return [self._puzzle(images, batch, partners, number) for number in range(min(count, len(images)))]

    def _puzzle(self, images: Tensor, batch: Batch, partners: list[int] | None, number: int) -> Puzzle:
        said = None if partners is None else partners[number]
        return Puzzle(
            source=draw.outline_source(images[number], batch.targets["boxes"][number], draw.MARK),
            input=draw.tile_board(draw.tile_pictures(batch.inputs["tiles"][number])),
            target=_shown(batch, number, draw.RIGHT),
            answer=None if said is None else _shown(batch, said, draw.RIGHT if said == number else draw.WRONG),
            label=Message("the tiles are of this picture"),
            answer_label="" if said is None else _words(said == number, len(images)),
            correct=None if said is None else said == number,
        )


def keys_of(images: Tensor) -> Tensor:
    """A number (B,) for each uint8 picture (B, C, H, W) that hangs on its pixels alone, so that two different ones
    hardly ever have the same: int64, 0 or more."""
    values = images.flatten(1).to(torch.int64)
    weights = (torch.arange(1, values.shape[1] + 1, device=values.device) * 2654435761) % 2147483647
    keys: Tensor = (values * weights).sum(dim=1)
    return keys


def _shown(batch: Batch, number: int, colour: draw.Colour) -> draw.Picture:
    picture = draw.magnify(draw.to_picture(batch.inputs["pictures"][number], standardised=True), draw.BOARD_SIDE)
    height, width = picture.shape[:2]
    return draw.outline(picture, [(0, 0, width, height)], colour, width=4)


def _words(right: bool, count: int) -> Message:
    return (
        Message("finds its picture among {count}", count=count)
        if right
        else Message("takes another picture, among {count}", count=count)
    )
