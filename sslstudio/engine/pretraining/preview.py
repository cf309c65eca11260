"""The puzzles of a task on the user's own pictures, before anything is trained."""

from collections.abc import Generator
from dataclasses import dataclass

import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.images.cache.sampler import SampledCache
from sslstudio.engine.models.encoders import build_encoder
from sslstudio.engine.pretraining.run import FIRST_PICTURES, finer_side
from sslstudio.engine.tasks.base import Puzzle, load_tasks
from sslstudio.engine.training.config import PretrainConfig
from sslstudio.engine.training.session import draw_split, look_at, side_of


@dataclass(frozen=True)
class PuzzlesReady:
    """Puzzles to look at. Not an event: it is never written down."""

    puzzles: list[Puzzle]


def preview_puzzles(
    config: PretrainConfig, count: int, draw: int, control: RunControl
) -> Generator[Preparing | PuzzlesReady, None, None]:
    """`count` puzzles from pictures drawn by (seed, draw), made just as the training makes them.

    Only these pictures and a small sample are read: the first puzzles show while the folder is still being read.

    Raises TaskDoesNotFit, in words, when these pictures cannot teach this task.
    """
    device = devices.choose("cpu")
    recognised = yield from look_at(config.data)
    split = draw_split(recognised, config.data)
    side = side_of(recognised, config.data, device, finer_side(config))
    sample = SampledCache(recognised.pictures, side)
    pictures = Pictures(sample, split.train, device)
    if len(pictures) < 2:
        raise DataError("Fewer than two pictures are left to train on. Lower the test and validation shares.")
    order = pictures.order(config.optimiser.batch_size, config.seed)
    first = yield from pictures.read_first(order, FIRST_PICTURES, control)
    kind = load_tasks()[config.task]
    kind.check(config.options, first)
    encoder = build_encoder(config.encoder.resolve(False, side), config.seed)
    with seed_init(config.seed, "task"):
        task = kind(config.options, encoder.spec)
    rng = generator(config.seed, "preview", draw)
    chosen = torch.randperm(len(pictures), generator=rng)[:count]
    images = pictures.take(chosen)
    batch = task.make_batch(images, generator(config.seed, "preview puzzles", draw))
    yield PuzzlesReady(task.preview(images, batch, None, len(chosen)))
