"""Held-out puzzles for a person to solve, with the network's answers to the very same ones."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.intervals import wilson
from sslstudio.engine.pretraining.run import (
    FIRST_PICTURES,
    HELD_OUT,
    build_task,
    finer_side,
    held_out_pictures,
    load_task,
    resolve_config,
)
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import Game
from sslstudio.engine.training.config import PretrainConfig, pretrain_from_dict
from sslstudio.engine.training.session import Session, open_session, reopen_session

NOTHING = Message("These pictures give no puzzle that a person could play. Look at the puzzles instead.")
Answer = tuple[int, ...] | None  # None: not answered


@dataclass(frozen=True)
class Round:
    """Puzzles to play. `why` says in words why there are none; `step` is how far the network had learnt (None: no
    network was asked). Not an event: it is never written down."""

    games: tuple[Game, ...]
    why: str = ""
    step: int | None = None


def play_round(
    config: PretrainConfig, run_path: Path | None, count: int, draw: int, control: RunControl
) -> Generator[Preparing, None, Round]:
    """`count` puzzles on pictures that no training of this split sees. Round 0 holds the puzzles that the sheets of a
    run show, each further `draw` others.

    With the folder of a run its own settings, pictures and split count instead of `config`, and its network answers as
    it is by now; the run may still go on. Raises DataError when it is no pretraining run or has no weights yet.
    """
    run = RunFolder.open(run_path) if run_path else None
    if run is not None:
        if run.job != "pretrain":
            raise DataError(
                "{run} is a fine-tuning run: it has no puzzles. Give the run it started from.", run=run.path
            )
        config = pretrain_from_dict(run.config())
    device = devices.choose("cpu")  # a few puzzles, beside a training that may have the other device
    if run is not None:
        session = yield from reopen_session(run, config.data, device, control)
    else:
        session = yield from open_session(config.data, device, control, finer=finer_side(config))
    return _deal(config, session, run, count, draw)


@torch.no_grad()
def _deal(config: PretrainConfig, session: Session, run: RunFolder | None, count: int, draw: int) -> Round:
    device = devices.choose("cpu")
    trained_on = Pictures(session.cache, session.split.train, device)
    held_out = held_out_pictures(session, device)
    if not len(held_out) or len(trained_on) < 2:
        raise DataError("No pictures are held out to play with. Raise the validation share, or add pictures.")
    step = None
    if run is not None:
        encoder, task, step = load_task(run, config, device)
    else:
        encoder, task = build_task(resolve_config(config, session, device), device)
        order = trained_on.order(config.optimiser.batch_size, config.seed)
        task.check(config.options, trained_on.first(order, FIRST_PICTURES))
    if task.no_game:
        return Round((), task.no_game)
    chunks = list(held_out.chunks(min(config.optimiser.batch_size, len(trained_on)), HELD_OUT))
    images = held_out.take(chunks[draw % len(chunks)])
    batch = task.make_batch(images, generator(config.seed, "held-out puzzles", draw))
    result = task(encoder, batch) if step is not None else None
    games = tuple(task.play(images, batch, result, count))
    return Round(games, "" if games else NOTHING, step)


@dataclass(frozen=True)
class Tally:
    """`solved` of `n` puzzles have every part right; `low` and `high` are the 95 % interval (Wilson) of that share.

    `right` of `parts` single parts (the tiles of a jigsaw puzzle) are right.
    """

    n: int
    solved: int
    low: float
    high: float
    right: int
    parts: int

    @property
    def share(self) -> float:
        """Share of the puzzles that are solved."""
        return self.solved / self.n if self.n else 0.0


def tally(games: Sequence[Game], answers: Sequence[Answer]) -> Tally:
    """Count the answers to those games that were answered."""
    pairs = [(game.targets, answer) for game, answer in zip(games, answers, strict=True) if answer is not None]
    hits = [[ours == right for ours, right in zip(answer, truth, strict=True)] for truth, answer in pairs]
    n, solved = len(hits), sum(map(all, hits))
    low, high = wilson(solved / n, n) if n else (0.0, 1.0)
    return Tally(n, solved, low, high, sum(map(sum, hits)), sum(map(len, hits)))


def expect_from_guessing(games: Sequence[Game]) -> float:
    """Compute how many parts of these games guessing gets right on average."""
    return sum(len(game.targets) * game.chance for game in games)
