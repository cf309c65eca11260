"""How many puzzles were solved, by a person or by the network, beside what guessing gives."""

from collections.abc import Sequence
from dataclasses import dataclass

from sslstudio.engine.evaluate.scores import wilson
from sslstudio.engine.tasks.base import Game

Answer = tuple[int, ...] | None  # None: not answered


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
    pairs = [(game.right, answer) for game, answer in zip(games, answers, strict=True) if answer is not None]
    hits = [[ours == right for ours, right in zip(answer, truth, strict=True)] for truth, answer in pairs]
    n, solved = len(hits), sum(map(all, hits))
    low, high = wilson(solved / n, n) if n else (0.0, 1.0)
    return Tally(n, solved, low, high, sum(map(sum, hits)), sum(map(len, hits)))


def guessed_parts(games: Sequence[Game]) -> float:
    """How many parts of these games guessing gets right on average."""
    return sum(len(game.right) * game.chance for game in games)
