import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.pretraining.games import guessed_parts, tally
from sslstudio.engine.tasks.base import Game

PICTURE = np.zeros((16, 16, 3), np.uint8)


def game(*right: int) -> Game:
    choices = tuple(f"place {number}" for number in range(9))
    return Game("order", "Put them in order.", (PICTURE,) * 9, choices, right, None, PICTURE)


def test_a_puzzle_is_solved_when_every_part_is_right() -> None:
    counted = tally([game(0, 1, 2), game(3, 4, 5), game(6, 7, 8)], [(0, 1, 2), (3, 5, 4), None])
    assert (counted.solved, counted.n) == (1, 2)
    assert (counted.right, counted.parts) == (4, 6)
    assert counted.low < 0.5 < counted.high


def test_nothing_is_known_before_anything_is_answered() -> None:
    counted = tally([game(0)], [None])
    assert (counted.n, counted.low, counted.high, counted.share) == (0, 0.0, 1.0, 0.0)


@settings(deadline=None)
@given(st.lists(st.permutations(range(9)), min_size=1, max_size=6))
def test_the_right_answers_are_all_right_and_others_are_counted_by_their_parts(orders: list[list[int]]) -> None:
    games = [game(*order) for order in orders]
    perfect = tally(games, [one.right for one in games])
    assert perfect.solved == perfect.n == len(games)
    same = tally(games, [tuple(range(9))] * len(games))
    assert same.right == sum(place == tile for order in orders for place, tile in enumerate(order))
    assert guessed_parts(games) == len(games)  # one tile of nine in nine, on average
